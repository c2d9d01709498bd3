"""The fast reader of submissions against the reader of CSV, and both against pandas."""

from __future__ import annotations

import io

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.errors import SubmissionError
from leaderboard.plain import read_plain
from leaderboard.solution import Solution, parse_solution
from leaderboard.submission import parse_submission

IDS = ("a", "bb", "ccc", "é", "1", "nan")
WORDS = ("no", "up", "yes", "ñ", "12", "left")
DIGITS = ("0", "1", "2", "9")


def solved(labels: tuple[str, ...]) -> Solution:
    rows = "".join(f"{name},{labels[n % len(labels)]}\n" for n, name in enumerate(IDS))
    return parse_solution(f"id,label\n{rows}".encode(), "solution.csv")


SOLUTIONS = {labels: solved(labels) for labels in (DIGITS, WORDS)}


def plain_file(labels: list[str], end: str = "\n") -> bytes:
    return (f"id,label{end}" + "".join(f"{name},{label}{end}" for name, label in zip(IDS, labels, strict=True))).encode()


@pytest.mark.parametrize("known", SOLUTIONS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@settings(max_examples=60)
@given(data=st.data())
def test_a_plain_file_is_read_fast_and_as_pandas_reads_it(known: tuple[str, ...], end: str, data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.sampled_from(known), min_size=len(IDS), max_size=len(IDS)))
    content = plain_file(labels, end)
    predicted = read_plain(content, SOLUTIONS[known])
    frame = pandas.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    assert predicted is not None
    assert [SOLUTIONS[known].labels[at] for at in predicted] == list(frame.label) == labels
    unended = read_plain(content.rstrip(), SOLUTIONS[known])
    assert unended is not None
    assert np.array_equal(unended, predicted)


MUTANTS = st.sampled_from([b",", b"\n", b"\r", b'"', b" ", b"a", b"0", b"9", b"\0", b"\xc3", b"id", b"\n\n", b"x,0\n"])


@pytest.mark.parametrize("known", SOLUTIONS)
@settings(max_examples=60)
@given(data=st.data())
def test_whatever_a_file_became_the_fast_reader_says_nothing_else_than_the_other(
    known: tuple[str, ...], data: st.DataObject
) -> None:
    solution = SOLUTIONS[known]
    content = plain_file([known[n % len(known)] for n in range(len(IDS))])
    for _ in range(data.draw(st.integers(1, 3))):
        at, n_cut = data.draw(st.integers(0, len(content))), data.draw(st.integers(0, 2))
        content = content[:at] + data.draw(MUTANTS | st.just(b"")) + content[at + n_cut :]
    fast = read_plain(content, solution)
    if fast is None:
        return
    quoted = content.decode().replace("\r\n", "\n").split("\n")
    slow_file = "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in quoted if line)
    slow = parse_submission(slow_file.encode(), "p.csv", solution)  # quotes keep it from the fast reader
    assert np.array_equal(fast, slow.predicted)


@settings(max_examples=60)
@given(data=st.data())
def test_a_file_is_read_as_pandas_reads_it_in_any_order_and_quoting(data: st.DataObject) -> None:
    solution = SOLUTIONS[WORDS]
    rows = data.draw(st.permutations([(name, data.draw(st.sampled_from(WORDS))) for name in IDS]))
    frame = pandas.DataFrame(rows, columns=["id", "label"])[data.draw(st.permutations(["id", "label"]))]
    ends, quoting = data.draw(st.sampled_from(["\n", "\r\n", "\r"])), data.draw(st.sampled_from([0, 1, 2]))
    content = frame.to_csv(index=False, lineterminator=ends, quoting=quoting).encode(
        data.draw(st.sampled_from(["utf-8", "utf-8-sig"]))
    )
    read = pandas.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False).set_index("id").label
    predicted = parse_submission(content, "p.csv", solution).predicted
    assert [solution.labels[at] for at in predicted] == [read[name] for name in solution.ids]


def test_ids_that_need_quotes_are_left_to_the_reader_of_csv() -> None:
    solution = parse_solution(b'id,label\n"a,b",0\nc,1\n', "solution.csv")
    assert read_plain(b"id,label\na,b,0\nc,1\n", solution) is None
    with pytest.raises(SubmissionError):
        parse_submission(b"id,label\na,b,0\nc,1\n", "p.csv", solution)
    assert parse_submission(b'id,label\n"a,b",1\nc,0\n', "p.csv", solution).predicted.tolist() == [1, 0]


def test_a_comma_and_a_line_end_that_changed_places_are_seen() -> None:
    solution = SOLUTIONS[DIGITS]
    swapped = plain_file(["0"] * len(IDS)).replace(b"bb,0\nccc", b"bb\n0,ccc")
    assert read_plain(swapped, solution) is None
