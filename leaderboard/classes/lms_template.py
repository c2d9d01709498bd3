"""A learning platform's own gradebook file with one column filled in: its other cells, encoding and separator stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from arena.base.suggest import did_you_mean
from leaderboard.classes.gradebook import TeamGrade
from leaderboard.classes.headings import IDENTITY, ColumnRole, find_columns, fold, is_no_student
from leaderboard.classes.members import Member
from leaderboard.classes.sheet import Cell, Row, read_sheet
from leaderboard.errors import ClassListError
from leaderboard.files.csv_table import Problems, quote_short

_FIELDS = {
    ColumnRole.EMAIL: "email",
    ColumnRole.LOGIN: "login",
    ColumnRole.LMS_ID: "lms_id",
    ColumnRole.STUDENT_ID: "student_id",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FilledTemplate:
    """The file with its points, and who is on one side alone."""

    content: bytes = field(repr=False)
    n_filled: int
    unknown_lines: Sequence[int]  # rows of students whom no team has; left as they were
    missing: Sequence[Member]  # members whom the file does not have


def fill_column(
    content: bytes, name: str, heading: str, grades: Sequence[TeamGrade], *, has_decimal_comma: bool = False
) -> FilledTemplate:
    """Fill one column with points; rows are found by e-mail, login or id, whichever the file and the members share.

    Raises:
        ClassListError: the file cannot be read, lacks the column or all ids, or a row answers to two members.
    """
    sheet = read_sheet(content, name)
    header = [cell.text.strip() for cell in sheet.rows[0].cells]
    columns, problems = find_columns(header), Problems(name, ClassListError)
    column = _find_column(header, heading, problems)
    ids = {role: columns[role] for role in IDENTITY if role in columns}
    if not ids:
        problems.fail(sheet.rows[0].line, "no column has an e-mail, a login or an id; export the file with one of them")
    points = {member.id: grade.points for grade in grades for member in grade.members}
    index = _index_members([member for grade in grades for member in grade.members])
    texts: dict[Cell, str] = {}
    unknown, seen = list[int](), set[int]()
    for row in sheet.rows[1:]:
        if _is_no_row(row, columns, ids):
            continue
        matches = {member.id for role, at in ids.items() for i in at for member in index.get((role, fold(row.text(i))), ())}
        if len(matches) > 1:
            problems.add(row.line, f"this row answers to {len(matches)} members by its e-mail, login and ids; correct them")
        elif not matches:
            unknown.append(row.line)
        elif column >= len(row.cells):
            problems.add(row.line, f"the row ends before column {quote_short(heading)}; export the file again")
        else:
            (member_id,) = matches
            seen.add(member_id)
            text = f"{points[member_id]:g}"
            texts[row.cells[column]] = text.replace(".", ",") if has_decimal_comma else text
    problems.raise_any()
    missing = [member for grade in grades for member in grade.members if member.id not in seen]
    return FilledTemplate(content=sheet.replace(texts), n_filled=len(texts), unknown_lines=unknown, missing=missing)


def _find_column(header: Sequence[str], heading: str, problems: Problems) -> int:
    matches = [index for index, text in enumerate(header) if fold(text) == fold(heading)]
    if len(matches) != 1:
        hint = did_you_mean(heading, [text for text in header if text])
        problems.fail(None, f"{len(matches)} columns are called {quote_short(heading)}{hint}; name one with --column")
    return matches[0]


def _index_members(members: Sequence[Member]) -> Mapping[tuple[ColumnRole, str], Sequence[Member]]:
    """Return members by each id; an e-mail may stand in a column of logins and the other way round."""
    index: dict[tuple[ColumnRole, str], list[Member]] = {}
    for member in members:
        values = {role: getattr(member.person, name) for role, name in _FIELDS.items()}
        for role in (ColumnRole.EMAIL, ColumnRole.LOGIN):
            for value in {fold(values[other]) for other in (ColumnRole.EMAIL, ColumnRole.LOGIN) if values[other]}:
                index.setdefault((role, value), []).append(member)
        for role in (ColumnRole.LMS_ID, ColumnRole.STUDENT_ID):
            if values[role]:
                index.setdefault((role, fold(values[role])), []).append(member)
    return index


def _is_no_row(row: Row, columns: Mapping[ColumnRole, Sequence[int]], ids: Mapping[ColumnRole, Sequence[int]]) -> bool:
    """Return True for rows of the platform's own: points possible, a test student, no id at all."""
    names = [row.text(index) for index in columns.get(ColumnRole.NAME, ())]
    has_id = any(row.text(index) for at in ids.values() for index in at)
    return any(is_no_student(name) for name in names) or not has_id
