"""Solutions that are read, and the messages about the others."""

from __future__ import annotations

import pytest

from leaderboard.errors import SolutionError
from leaderboard.files.solution import LabelList, parse_solution
from leaderboard.files.solution_doubts import list_remarks


def refusal(text: str) -> str:
    with pytest.raises(SolutionError) as caught:
        parse_solution(text.encode(), "solution.csv")
    return str(caught.value)


def test_ids_and_labels_are_enough() -> None:
    solution = parse_solution(b"id,label\r\nb,10\r\na,9\r\n", "solution.csv")
    assert (solution.ids, solution.labels, solution.truth.tolist()) == (("b", "a"), ("9", "10"), [1, 0])
    assert not solution.has_private
    assert solution.groups == ()


def test_usage_and_group_are_read_in_any_case_and_order() -> None:
    solution = parse_solution(b"Group,usage,id,label\nann,PUBLIC,a,x\nbob,private,b,x\nann,Private,c,y\nbob,Public,d,y\n", "s")
    assert solution.is_public.tolist() == [True, False, False, True]
    assert (solution.groups, solution.group.tolist()) == (("ann", "bob"), [0, 1, 0, 1])
    assert solution.has_private


BAD_FILES = {
    "empty": ("", "solution.csv: the file is empty; it begins with the columns id,label and has one row per id"),
    "no rows": ("id,label\n", "solution.csv: the file has no rows; give one row per id"),
    "no label column": (
        "id,Usage\na,Public\n",
        "solution.csv line 1: column 'label' is missing; the first line names the columns: id,label and optionally Usage,Group",
    ),
    "a speaker column": (
        "id,label,speaker\na,1,ann\n",
        "solution.csv line 1: the columns are id,label and optionally Usage and Group, not 'speaker'; "
        "a column with the speakers is named Group; rename or delete it",
    ),
    "another usage": (
        "id,label,Usage\na,1,Public\nb,2,Hidden\n",
        "solution.csv line 3: Usage 'Hidden' is neither Public nor Private nor Ignored; write one of the three",
    ),
    "id twice": (
        "id,label\na,1\nb,2\na,2\n",
        "solution.csv line 4: id 'a' stands in line 2 already; keep one row per id",
    ),
    "empty group": ("id,label,Group\na,1,ann\nb,2,\n", "solution.csv line 3: Group is empty; give every row its Group"),
    "ragged row": (
        "id,label\na,1\nb\n",
        "solution.csv line 3: the header has 2 columns and this row 1 value; fix the row and send the file again",
    ),
    "one label": (
        "id,label\na,1\nb,1\n",
        "solution.csv: a contest has 2 to 1000 labels and this file names 1; check its label column",
    ),
    "a label named as a column": (
        "id,label\na,id\nb,1\n",
        "solution.csv line 2: label 'id' is also the name of a column; give this class another name",
    ),
    "a million columns": (
        "id,label," + ",".join(f"c{n}" for n in range(999_998)),
        "solution.csv line 1: the file has at most 4 columns and this one 1,000,000; "
        "the first line names the columns: correct it and send the file again",
    ),
    "no value as a label": (
        "id,label\na,1\nb,2\nc,NaN\n",
        "solution.csv line 4: label 'NaN' is what programs write for no value; give the row its label",
    ),
    "two spellings of one number": (
        "id,label\na,1\nb,2\n\nc,1.0\n",
        "solution.csv line 5: label '1.0' reads like '1' and would be a class of its own; write both alike",
    ),
    "two spellings of one word": (
        "id,label\na,cat\nb,Cat\nc,dog\n",
        "solution.csv line 2: label 'cat' reads like 'Cat' and would be a class of its own; write both alike",
    ),
    "nothing private": (
        "id,label,Usage\na,1,Private\nb,2,Private\n",
        "solution.csv: a Usage column needs Public rows and no row is Public; leave the column out for one score",
    ),
    "a label that is only private": (
        "id,label,Usage\na,1,Public\nb,1,Private\nc,2,Private\n",
        "solution.csv: label '2' has no Public row, so the parts would be scored on other labels; give it one",
    ),
    "two problems": (
        "id,label\n,1\nb,\n",
        "solution.csv line 2: id is empty; give every row its id (1 more problem in this file)",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_solution_is_refused_in_one_line_with_its_line_and_the_fix(case: str) -> None:
    text, message = BAD_FILES[case]
    assert refusal(text) == message


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([str(n) for n in range(10)], "0..9"),
        (["1", "2", "4"], "1, 2, 4"),
        (["no", "sí"], "no, sí"),
        ([f"w{n}" for n in range(14)], "w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11 and 2 more"),
    ],
)
def test_labels_are_named_shortly(labels: list[str], text: str) -> None:
    assert str(LabelList(tuple(labels))) == text


@pytest.mark.parametrize(
    ("row", "remarks"),
    [
        ("z,7", []),
        ("z,l0", ["label 'l0' (id 'z') is the only label that is no number and has one row where others have 6"]),
        ("z,77", ["label '77' (id 'z') has one row where others have 6"]),
        ("z,unknown\ny,unknown", ["label 'unknown' (id 'z') is the only label that is no number"]),
    ],
)
def test_a_class_that_looks_like_a_slip_is_remarked_on(row: str, remarks: list[str]) -> None:
    rows = "".join(f"c{n},{n % 10}\n" for n in range(60))
    solution = parse_solution(f"id,label\n{rows}{row}\n".encode(), "solution.csv")
    assert list_remarks(solution) == [f"{remark}: if it is a slip, correct it and begin again" for remark in remarks]


def test_few_rows_of_words_are_nothing_odd() -> None:
    assert list_remarks(parse_solution(b"id,label\na,gato\nb,perro\nc,gato\n", "solution.csv")) == []
