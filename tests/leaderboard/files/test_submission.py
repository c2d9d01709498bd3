"""Submissions that are read, and the messages about the others."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.errors import SubmissionError
from leaderboard.files.csv_table import read_file
from leaderboard.files.solution import parse_solution
from leaderboard.files.submission import parse_submission

DIGITS = parse_solution(b"id,label\n" + b"".join(b"clip_%d,%d\n" % (n, n) for n in range(10)), "solution.csv")
ANIMALS = parse_solution("id,label\na,gato\nb,perro\nc,león\n".encode(), "solution.csv")
CLASSES = ",".join(str(n) for n in range(10))
GOOD_ROWS = [f"clip_{n},{9 - n}" for n in range(10)]


def lines(*rows: str, header: str = "id,label") -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def with_row(n: int, row: str) -> bytes:
    return lines(*GOOD_ROWS[:n], row, *GOOD_ROWS[n + 1 :])


def probability_rows(first: str) -> bytes:
    others = [f"clip_{n},{n}," + ",".join("1" if k == n else "0" for k in range(10)) for n in range(1, 10)]
    return lines(first, *others, header=f"id,label,{CLASSES}")


def refusal(content: bytes) -> str:
    with pytest.raises(SubmissionError) as caught:
        parse_submission(content, "predictions.csv", DIGITS)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lines(*GOOD_ROWS), id="plain"),
        pytest.param(b"\xef\xbb\xbf" + lines(*GOOD_ROWS), id="byte order mark"),
        pytest.param(lines(*GOOD_ROWS).replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(lines(*GOOD_ROWS).replace(b"\n", b"\r"), id="CR"),
        pytest.param(lines(*GOOD_ROWS).rstrip(b"\n"), id="no last line break"),
        pytest.param(lines(*GOOD_ROWS) + b"\n  \n\n", id="blank last lines"),
        pytest.param(lines(*[f'"clip_{n}","{9 - n}"' for n in range(10)], header='"id","label"'), id="quotes"),
        pytest.param(lines(*[f" clip_{n} ,\t{9 - n} " for n in range(10)], header=" id , label"), id="white space"),
        pytest.param(lines(*[f"{9 - n},clip_{n}" for n in range(10)], header="label,id"), id="columns in another order"),
        pytest.param(lines(*reversed(GOOD_ROWS)), id="rows in another order"),
    ],
)
def test_a_file_is_read_whatever_program_wrote_it(content: bytes) -> None:
    submission = parse_submission(content, "predictions.csv", DIGITS)
    assert submission.predicted.tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert submission.probabilities is None


def test_probabilities_are_read_in_the_order_of_the_labels() -> None:
    content = "gato,id,perro,label,león\n0.2,b,0.7,perro,0.1\n1,a,0,gato,0\n0,c,0.0004,león,1\n".encode()
    submission = parse_submission(content, "predictions.csv", ANIMALS)
    assert ANIMALS.labels == ("gato", "león", "perro")
    assert submission.probabilities is not None
    assert submission.probabilities.tolist() == [[1, 0, 0], [0.2, 0.1, 0.7], [0, 1, 0.0004]]


BAD_FILES = {
    "empty": (b"", "predictions.csv: the file is empty; it begins with the columns id,label and has one row per id"),
    "only blanks": (b"\n \n", "predictions.csv: the file is empty; it begins with the columns id,label and has one row per id"),
    "only quotes": (b'""', "predictions.csv: the file is empty; it begins with the columns id,label and has one row per id"),
    "only a header": (
        b"id,label",
        "predictions.csv: 10 of 10 ids have no row: 'clip_0', 'clip_1', 'clip_2', …; add one row for each and send it again",
    ),
    "no header": (
        lines(*GOOD_ROWS, header="clip_0,9"),
        "predictions.csv line 1: the first line is a row already; "
        "write the names of the columns above it, id,label, and send it again",
    ),
    "another header": (
        lines(*GOOD_ROWS, header="id,Labels"),
        "predictions.csv line 1: column 'label' is missing, the nearest is 'Labels'; "
        "the first line of the file is id,label: write it and send it again",
    ),
    "unknown column": (
        lines(*[row + ",1" for row in GOOD_ROWS], header="id,label,sure"),
        "predictions.csv line 1: column 'sure' is none of id, label and one probability per class (0..9); "
        "delete it and send it again",
    ),
    "column twice": (
        lines(*[row + ",1" for row in GOOD_ROWS], header="id,label,label"),
        "predictions.csv line 1: column 'label' stands there 2 times; keep one of them and send the file again",
    ),
    "the run folder's own file": (
        lines(header=f"id,label,{CLASSES},truth,speaker,split"),
        "predictions.csv line 1: column 'truth' belongs to the file in a run folder, not to a submission; "
        "`arena predict` writes a file that can be sent",
    ),
    "a header of a million columns": (
        ",".join(f"c{n}" for n in range(1_000_000)).encode(),
        "predictions.csv line 1: the file has at most 12 columns and this one 1,000,000; "
        "the first line names the columns: correct it and send the file again",
    ),
    "some probabilities": (
        lines(*[row + ",1" for row in GOOD_ROWS], header="id,label,0"),
        "predictions.csv line 1: probabilities are for all classes or none and column '1' is missing; add it and send it again",
    ),
    "semicolons": (
        lines(*GOOD_ROWS).replace(b",", b";"),
        "predictions.csv line 1: columns are separated by commas and this file uses semicolons; "
        "save it with commas and try again",
    ),
    "label out of range": (
        with_row(5, "clip_5,12"),
        "predictions.csv line 7: label '12' is not one of 0..9; fix the row and send it again",
    ),
    "label as a float": (
        with_row(5, "clip_5,3.0"),
        "predictions.csv line 7: label '3.0' is not one of 0..9; write '3' and send it again",
    ),
    "empty label": (
        with_row(0, "clip_0,"),
        "predictions.csv line 2: label '' is not one of 0..9; fix the row and send it again",
    ),
    "NaN as label": (
        with_row(0, "clip_0,NaN"),
        "predictions.csv line 2: label 'NaN' is not one of 0..9; fix the row and send it again",
    ),
    "unknown id": (
        lines(*GOOD_ROWS, "clip_77,1"),
        "predictions.csv line 12: id 'clip_77' is not one of the 10 ids of the contest; fix the row and send it again",
    ),
    "duplicate id": (
        lines(*GOOD_ROWS, "clip_3,1"),
        "predictions.csv line 12: id 'clip_3' stands in line 5 already; keep one of the two rows and send it again",
    ),
    "missing id": (
        lines(*GOOD_ROWS[:-1]),
        "predictions.csv: 1 of 10 ids has no row: 'clip_9'; add one row for each and send it again",
    ),
    "ragged row": (
        with_row(2, "clip_2"),
        "predictions.csv line 4: the header has 2 columns and this row 1 value; fix the row and send the file again",
    ),
    "not UTF-8": (
        with_row(2, "clip_2,1").replace(b"clip_2", b"clip_\xf1"),
        "predictions.csv line 4: the file is not UTF-8 (byte 0xf1, ñ in Windows' own encoding); "
        "save it as 'CSV UTF-8' and try again",
    ),
    "UTF-16": (
        lines(*GOOD_ROWS).decode().encode("utf-16"),
        "predictions.csv: the file is UTF-16, as Excel's 'Unicode Text' and PowerShell's > write it; "
        "save it as 'CSV UTF-8' and try again",
    ),
    "NUL": (
        with_row(2, "clip_2,1\0"),
        "predictions.csv line 4: the line holds a NUL byte; save the file as plain 'CSV UTF-8' and try again",
    ),
    "open quote": (
        with_row(2, '"clip_2,1'),
        "predictions.csv line 4: the row cannot be read as CSV (unexpected end of data); correct its quotes and try again",
    ),
    "NaN as probability": (
        probability_rows("clip_0,0,nan,0,0,0,0,0,0,0,0,0"),
        "predictions.csv line 2: probability 'nan' is not between 0 and 1; fix the row and send it again",
    ),
    "infinite probability": (
        probability_rows("clip_0,0,inf,0,0,0,0,0,0,0,0,0"),
        "predictions.csv line 2: probability 'inf' is not between 0 and 1; fix the row and send it again",
    ),
    "negative probability": (
        probability_rows("clip_0,0,1.5,-0.5,0,0,0,0,0,0,0,0"),
        "predictions.csv line 2: probability '-0.5' is not between 0 and 1; fix the row and send it again",
    ),
    "probabilities of another sum": (
        probability_rows("clip_0,0,0.9,0.102,0,0,0,0,0,0,0,0"),
        "predictions.csv line 2: probabilities of a row sum to 1 and these to 1.002, as where they were rounded; "
        "write more decimals and send it again",
    ),
    "empty probability": (
        probability_rows("clip_0,0,,1,0,0,0,0,0,0,0,0"),
        "predictions.csv line 2: probability '' is not a number; fix the row and send it again",
    ),
    "several problems": (
        lines("clip_0,x", "clip_1,10", "clip_1,1", "clip 2,2"),
        "predictions.csv line 2: label 'x' is not one of 0..9; fix the row and send it again (4 more problems in this file)",
    ),
    "a problem before an open quote": (
        lines("clip_0,x", '"clip_1'),
        "predictions.csv line 2: label 'x' is not one of 0..9; fix the row and send it again (1 more problem in this file)",
    ),
    "a line break in an id": (
        with_row(2, '"clip\n2",1'),
        "predictions.csv line 4: id 'clip\\n2' is not one of the 10 ids of the contest, the nearest is 'clip_2': "
        "underscores, hyphens or spaces differ; write it so and send it again (1 more problem in this file)",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_in_one_line_with_its_line_and_the_fix(case: str) -> None:
    content, message = BAD_FILES[case]
    assert refusal(content) == message


def test_the_first_ten_faults_are_listed_with_their_lines_and_the_rest_is_counted() -> None:
    with pytest.raises(SubmissionError) as caught:
        parse_submission(lines("clip_0,x", "clip_1,10", "clip_1,1", "clip_2,2"), "p.csv", DIGITS)
    assert [str(fault) for fault in caught.value.others] == [
        "line 3: label '10' is not one of 0..9; fix the row, or all rows if labels were counted from 1, and send it again",
        "line 4: id 'clip_1' stands in line 3 already; keep one of the two rows and send it again",
        "7 of 10 ids have no row: 'clip_3', 'clip_4', 'clip_5', …; add one row for each and send it again",
    ]
    with pytest.raises(SubmissionError) as caught:
        parse_submission(lines(*["x,1"] * 40), "p.csv", DIGITS)
    assert [fault.line for fault in caught.value.others] == list(range(3, 12))
    assert caught.value.n_more == 40  # the ids without a row are the last


def test_words_are_labels_too() -> None:
    with pytest.raises(SubmissionError) as caught:
        parse_submission("id,label\na,Gato\nb,perro\nc,león\n".encode(), "p.csv", ANIMALS)
    assert str(caught.value) == "p.csv line 2: label 'Gato' is not one of gato, león, perro; write 'gato' and send it again"


def test_reading_ends_at_the_thousandth_problem() -> None:
    started = time.perf_counter()
    message = refusal(lines(*["x,1"] * 2_000_000))
    assert message.endswith("(999 more problems in this file)")
    assert time.perf_counter() - started < 2


def test_reading_ends_at_very_many_blank_lines() -> None:
    content = lines(*GOOD_ROWS)
    assert len(parse_submission(content + b"\n" * 100_000, "m.csv", DIGITS).predicted) == 10
    assert "the file has more than 100,000 blank lines; leave them out" in refusal(content + b"\n" * 100_001)


def test_fifty_megabytes_are_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    started = time.perf_counter()
    with pytest.raises(SubmissionError) as caught:
        read_file(path, SubmissionError)
    assert time.perf_counter() - started < 0.5
    rule = "big.csv: a file has at most 10 MB and this one has more; send one row per id and no further columns"
    assert str(caught.value) == rule
    with pytest.raises(SubmissionError, match="at most 10 MB"):
        parse_submission(b" " * 10_000_001, "big.csv", DIGITS)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError) as caught:
        read_file(tmp_path / "no.csv", SubmissionError)
    assert str(caught.value) == f"{tmp_path}/no.csv: the file cannot be read (No such file or directory); check its path"


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and text not in ("id", "label")
)


def meaning(label: str) -> float | str:
    """Equal for labels that a solution may not tell apart."""
    try:
        return float(label)
    except ValueError:
        return label.casefold()


CLASS_NAMES = NAMES.filter(lambda text: text.casefold() not in ("nan", "null", "<na>", "n/a", "#n/a"))


@given(st.data())
def test_what_a_csv_writer_writes_is_read_back(data: st.DataObject) -> None:
    ids = data.draw(st.lists(NAMES, min_size=2, max_size=8, unique=True))
    labels = data.draw(st.lists(CLASS_NAMES, min_size=2, max_size=4, unique_by=meaning))
    truth = [*labels, *data.draw(st.lists(st.sampled_from(labels), min_size=len(ids), max_size=len(ids)))][: len(ids)]
    if len(set(truth)) < 2:
        truth[0] = next(label for label in labels if label != truth[0])
    solution = parse_solution(written(ids, truth), "solution.csv")
    rows = data.draw(st.permutations(list(zip(ids, truth, strict=True))))
    submission = parse_submission(written(*zip(*rows, strict=True)), "p.csv", solution)
    assert [solution.labels[index] for index in submission.predicted] == truth


WORDS = ("no", "up", "yes", "ñ", "12", "left")
WORD_IDS = ("a", "bb", "ccc", "é", "1", "nan")


@settings(max_examples=60)
@given(data=st.data())
def test_a_file_is_read_as_pandas_reads_it_in_any_order_and_quoting(data: st.DataObject) -> None:
    truth = "".join(f"{name},{label}\n" for name, label in zip(WORD_IDS, WORDS, strict=True))
    solution = parse_solution(f"id,label\n{truth}".encode(), "solution.csv")
    rows = data.draw(st.permutations([(name, data.draw(st.sampled_from(WORDS))) for name in WORD_IDS]))
    frame = pandas.DataFrame(rows, columns=["id", "label"])[data.draw(st.permutations(["id", "label"]))]
    ends, quoting = data.draw(st.sampled_from(["\n", "\r\n", "\r"])), data.draw(st.sampled_from([0, 1, 2]))
    content = frame.to_csv(index=False, lineterminator=ends, quoting=quoting).encode(
        data.draw(st.sampled_from(["utf-8", "utf-8-sig"]))
    )
    read = pandas.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False).set_index("id").label
    predicted = parse_submission(content, "p.csv", solution).predicted
    assert [solution.labels[index] for index in predicted] == [read[name] for name in solution.ids]


def written(ids: object, labels: object) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(("id", "label"))
    writer.writerows(zip(ids, labels, strict=True))  # type: ignore[call-overload]
    return text.getvalue().encode()


@given(
    st.binary(max_size=200)
    | st.text('id,label"\n\r;clip_0123 .-enaf', max_size=200).map(lambda text: f"id,label\n{text}".encode())
    | st.lists(st.sampled_from([*GOOD_ROWS, '"', ",", "clip_1,nan", "\r", "clip_2,\0"]), max_size=14).map(lambda r: lines(*r))
)
def test_any_bytes_are_read_or_refused_in_one_line(content: bytes) -> None:
    try:
        submission = parse_submission(content, "p.csv", DIGITS)
    except SubmissionError as error:
        message = str(error)
    else:
        message = "p.csv"
        assert np.all(submission.predicted < 10)
    assert message.startswith("p.csv")
    assert len(message.splitlines()) == 1
