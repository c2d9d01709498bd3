"""The first line of a submission: where id, label and probabilities stand, or the likely slip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.files.csv_table import Problems, check_header, quote_short
from leaderboard.files.near_labels import match_label, suggest_column
from leaderboard.files.solution import LabelList, Solution
from leaderboard.messages import Translatable, message

RUN_FOLDER_COLUMNS = ("truth", "speaker", "split")
_SOLUTION_COLUMNS = ("usage", "group")


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnPositions:
    """Positions of the columns of a submission."""

    id: int
    label: int  # or string
    classes: tuple[int, ...]  # in the order of the labels; empty without probabilities


def read_columns(line: int, header: list[str], solution: Solution, problems: Problems) -> ColumnPositions:
    """Return where the columns stand; fail on a first line that names others."""
    labels, answer = () if solution.strings else solution.labels, solution.answer
    check_header(line, header, 2 + len(labels), problems)
    if len(header) == 1 and header[0].startswith("id,"):
        problems.fail(line, message("row_quoted"))
    if "id" not in header and answer not in header and any(name in solution.row_by_id for name in header):
        problems.fail(line, message("no_header", answer=answer))
    for name in header:
        if name in RUN_FOLDER_COLUMNS and name not in labels:
            problems.fail(line, message("run_folder_column", name=name))
        if name.casefold() in _SOLUTION_COLUMNS and name not in labels:
            problems.fail(line, message("solution_column", name=name))
    for name in ("id", answer):
        if name not in header:
            problems.fail(line, message("column_missing", name=name, near=suggest_column(name, header), answer=answer))
    for index, name in enumerate(header):
        if name not in ("id", answer, *labels):
            problems.fail(line, _describe_unknown(index, name, header, labels))
    absent = [label for label in labels if label not in header]
    if absent and len(absent) < len(labels):
        problems.fail(line, message("class_missing", name=quote_short(absent[0])))
    classes = () if absent or not labels else tuple(header.index(label) for label in labels)
    return ColumnPositions(id=header.index("id"), label=header.index(answer), classes=classes)


def _describe_unknown(index: int, name: str, header: Sequence[str], labels: tuple[str, ...]) -> Translatable:
    if name in ("", "index") or name.startswith("Unnamed:"):
        return message("column_index" if index == 0 else "column_unnamed", name=quote_short(name))
    if not labels:
        return message("column_beside_string", name=quote_short(name))
    right = match_label(name, labels)
    if right is not None and right not in header:
        return message("column_class", name=quote_short(name), labels=LabelList(labels), right=quote_short(right))
    return message("column_unknown", name=quote_short(name), labels=LabelList(labels))
