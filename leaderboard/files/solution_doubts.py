"""Doubts about a solution that can be read and looks like a slip: asked before a contest is made of it.

A stored solution is never asked again, so that a contest that was made on purpose stays open.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from leaderboard.errors import Fault, SolutionError
from leaderboard.files.csv_table import quote_short
from leaderboard.files.near_labels import match_label, read_digit_word
from leaderboard.files.solution import NO_VALUE, LabelList, Solution

_USUAL_ROWS = 5  # rows of the median class; below that a class of one row is not unusual
_NO_LABEL = re.compile(r"none|nil|nat|undefined|missing|[-?.]+|#[A-Z/0]+[!?]?", re.IGNORECASE)
_FLOAT = re.compile(r"\d+\.0+")
_FRACTION = re.compile(r"\d+\.\d*[1-9]\d*")
_PADDED = re.compile(r"0+\d+")
_COPY = re.compile(r" ?(?:\(\d+\)|- (?:copy|copia)(?: \(\d+\))?)$", re.IGNORECASE)
_BOOLEANS = ("true", "false")
_CONVERTED_IDS = (
    (re.compile(r"\d(?:[.,]\d+)?E\+\d+"), "a long number that a spreadsheet wrote as a power of ten"),
    (re.compile(r"\d{1,2}-[A-Z][a-z]{2}(?:-\d{2,4})?|[A-Z][a-z]{2}-\d{2}"), "what a spreadsheet makes a date of"),
    (re.compile(r"#[A-Z/0]+[!?]"), "an error of a spreadsheet"),
    (_FLOAT, "a whole number that went through a spreadsheet or pandas"),
)


def check_doubts(solution: Solution, file_name: str) -> None:
    """Refuse labels and ids that are hardly meant as they are written.

    Raises:
        SolutionError: names the first doubt, and how many more there are.
    """
    answers = _doubt_strings(solution) if solution.strings else _doubt_labels(solution)
    texts = (*answers, *_doubt_ids(solution.ids), *_doubt_groups(solution.groups))
    doubts = [Fault(None, text) for text in texts]
    if doubts:
        raise SolutionError(file_name, doubts[0], doubts[1:], len(doubts) - 1)


def _doubt_strings(solution: Solution) -> Iterator[str]:
    texts = [solution.strings[row] for row in solution.scored]
    for text in texts:
        if _FLOAT.fullmatch(text) or _CONVERTED_IDS[0][0].fullmatch(text) or text.casefold() in NO_VALUE:
            yield f"string {quote_short(text)} looks like what a spreadsheet or pandas made of one; write strings as text"
            return


def _doubt_labels(solution: Solution) -> Iterator[str]:
    labels = solution.labels
    for read_digit, fault in (
        (_read_float, "look like whole numbers that went through a spreadsheet or pandas"),
        (_read_padded, "have leading zeros"),
        (read_digit_word, "are words of digits"),
    ):
        digits = {label: digit for label in labels if (digit := read_digit(label)) is not None}
        if digits:
            right = LabelList(tuple(sorted(set(digits.values()), key=int)))
            yield f"labels {LabelList(tuple(digits))} {fault}, and files of `arena predict` say {right}; write {right}"
    for label in labels:
        others = tuple(other for other in labels if other != label)
        alike = match_label(_clean(label), others) if not label.isdecimal() else None
        if alike is not None and _read_float(label) is None:
            fault = f"label {quote_short(label)} looks like {quote_short(alike)} and would be a class of its own"
            yield f"{fault}; write both alike"
        elif _clean(label) != label:
            fault = f"label {quote_short(label)} holds invisible, wide or decomposed characters"
            yield f"{fault}; write it as {quote_short(_clean(label))}"
        if _NO_LABEL.fullmatch(label):
            yield f"label {quote_short(label)} is what programs write for no value; give its rows their label"
        if label.casefold() in _BOOLEANS and any(other.isdecimal() for other in others):
            yield f"label {quote_short(label)} stands beside numbers; write all labels as numbers or all as words"


def _read_float(label: str) -> str | None:
    """Return the whole number that is written as `7.0` or `7e0`; None for others."""
    try:
        value = float(label)
    except ValueError:
        return None
    return str(int(value)) if value.is_integer() and not re.fullmatch(r"[+-]?\d+", label) else None


def _read_padded(label: str) -> str | None:
    return str(int(label)) if _PADDED.fullmatch(label) else None


def _clean(label: str) -> str:
    visible = "".join(char for char in label if unicodedata.category(char) not in ("Cc", "Cf"))
    return unicodedata.normalize("NFKC", " ".join(visible.split()))


def _doubt_ids(ids: Sequence[str]) -> Iterator[str]:
    for pattern, kind in _CONVERTED_IDS:
        matches = [name for name in ids if pattern.fullmatch(name)]
        if matches and not (pattern is _FLOAT and any(map(_FRACTION.fullmatch, ids))):  # times in seconds are honest floats
            yield f"id {quote_short(matches[0])} looks like {kind} ({len(matches):,} of {len(ids):,} ids); write ids as text"
            return


def _doubt_groups(groups: Sequence[str]) -> Iterator[str]:
    same: dict[str, str] = {}
    for group in groups:
        first = same.setdefault(_COPY.sub("", _clean(group)).casefold(), group)
        if first != group:
            yield f"groups {quote_short(first)} and {quote_short(group)} look like one speaker; write both alike"
        if group.casefold() in NO_VALUE:
            yield f"group {quote_short(group)} is what programs write for no value; give its rows their speaker"


def list_remarks(solution: Solution) -> list[str]:
    """Return a remark on each class that looks like an error, and on parts that are not there."""
    truth = solution.truth[solution.scored].tolist()
    counts = Counter(truth)
    median = sorted(counts.values())[len(counts) // 2]
    words = [label for label in solution.labels if not (label.isascii() and label.isdecimal())]
    remarks = []
    for index, label in enumerate(() if solution.strings else solution.labels):
        odd = []
        if words == [label] and len(solution.labels) > 2:
            odd.append("is the only label that is no number")
        if counts[index] == 1 and median >= _USUAL_ROWS:
            odd.append(f"has one row where others have {median}")
        if odd:
            row = quote_short(solution.ids[solution.scored[truth.index(index)]])
            remarks.append(
                f"label {quote_short(label)} (id {row}) {' and '.join(odd)}: if it is a slip, correct it and begin again"
            )
    if solution.has_usage and not solution.has_private:
        remarks.append("no row is Private, so that the scores of all see are the final ones: if it is a slip, begin again")
    return remarks
