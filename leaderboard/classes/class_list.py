"""Class lists: people with e-mail, ids and group, or names of teams alone. Of two possible readings none is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from arena.base.suggest import did_you_mean
from leaderboard.classes.headings import LISTS_OF_GROUPS, ColumnRole, find_columns, fold, is_no_student
from leaderboard.classes.members import MAX_NAME, Person, tidy_email
from leaderboard.classes.sheet import Row, Sheet, read_sheet
from leaderboard.errors import ClassListError, NameRefused, TeamError
from leaderboard.files.csv_table import Problems, format_count, quote_short
from leaderboard.teams import name_key, tidy_name

_FIELDS = {ColumnRole.LOGIN: "login", ColumnRole.LMS_ID: "lms_id", ColumnRole.STUDENT_ID: "student_id"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedPerson:
    """A line of a class list."""

    line: int
    person: Person
    group: str | None  # name of the team, in its stored form; None: the list gives none


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassList:
    """A class list as it was read."""

    teams: Sequence[str]  # in the order of the list
    people: Sequence[ListedPerson]  # empty for a list of teams
    group_heading: str | None
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupChoice:
    """The host's choice of the groups that are teams."""

    heading: str | None = None  # heading of their column; None: the one there is
    pattern: str | None = None  # pattern of their names, such as "Team *"; None: all
    is_alone: bool = False  # people without a group are a team each


def parse_class_list(content: bytes, name: str, choice: GroupChoice) -> ClassList:
    """Return the people of a class list, or the teams of a list of teams.

    Raises:
        ClassListError: it cannot be read, or two readings are possible; nothing is left out in silence.
    """
    sheet = read_sheet(content, name)
    notes = [f"{name} is not UTF-8 and was read as Windows-1252; look at names with accents"] if sheet.is_guessed else []
    header = [cell.text for cell in sheet.rows[0].cells]
    columns = find_columns(header)
    problems = Problems(name, ClassListError)
    if not columns.keys() - {ColumnRole.GROUP} and choice.heading is None and len(header) == 1:
        rows = sheet.rows[1:] if columns else sheet.rows
        return _read_teams(rows, problems, notes)
    if not columns.keys() & {ColumnRole.NAME, ColumnRole.LAST, ColumnRole.EMAIL, ColumnRole.LOGIN}:
        shown = ", ".join(quote_short(text) for text in header[:8])
        fault = (
            f"no heading names the students and these are {shown}; "
            "write First name, Last name, Email address, Groups above the columns (or one team a line, and nothing else)"
        )
        problems.fail(sheet.rows[0].line, fault)
    group_column = _find_group(header, columns, choice, problems)
    people, n_no_student = _read_people(sheet, columns, group_column, choice, problems)
    problems.raise_any()
    if n_no_student:
        notes.append(f"{format_count(n_no_student, 'row')} of the platform's own, no students, left out")
    teams = dict.fromkeys(listed.group for listed in people if listed.group is not None)
    heading = None if group_column is None else header[group_column].strip()
    return ClassList(teams=list(teams), people=people, group_heading=heading, notes=notes)


def _read_teams(rows: Sequence[Row], problems: Problems, notes: Sequence[str]) -> ClassList:
    lines: dict[str, int] = {}
    teams = []
    for row in rows:
        if len(row.cells) > 1:
            problems.fail(
                row.line, "a list of teams has one team a line and this line has several cells; put the name in quotes"
            )
        try:
            team = tidy_name(row.text(0))
        except NameRefused as error:
            problems.add(row.line, str(error))
            continue
        if (first := lines.setdefault(name_key(team), row.line)) != row.line:
            problems.add(row.line, f"team {quote_short(team)} stands in line {first} already; keep one of the two")
        teams.append(team)
    problems.raise_any()
    return ClassList(teams=teams, people=(), group_heading=None, notes=notes)


def _find_group(
    header: Sequence[str], columns: Mapping[ColumnRole, Sequence[int]], choice: GroupChoice, problems: Problems
) -> int | None:
    """Return the column of the groups; None where each student is a team."""
    texts = [text.strip() for text in header]
    if choice.heading is not None:
        matches = [index for index, text in enumerate(texts) if fold(text) == fold(choice.heading)]
        if len(matches) != 1:
            hint = did_you_mean(choice.heading, [text for text in texts if text])
            problems.fail(
                None, f"{len(matches)} columns are called {quote_short(choice.heading)}{hint}; give one with --group-by"
            )
        return matches[0]
    candidates = columns.get(ColumnRole.GROUP, ())
    if len(candidates) > 1:
        names = ", ".join(quote_short(texts[index]) for index in candidates)
        problems.fail(None, f"{len(candidates)} columns may hold the teams: {names}; say which with --group-by")
    if not candidates and not choice.is_alone:
        names = ", ".join(quote_short(text) for text in texts[:12] if text)
        fault = (
            f"no column is known to hold the teams, of {names}; name it with --group-by, or --alone makes each student a team"
        )
        problems.fail(None, fault)
    return candidates[0] if candidates else None


def _read_people(
    sheet: Sheet,
    columns: Mapping[ColumnRole, Sequence[int]],
    group_column: int | None,
    choice: GroupChoice,
    problems: Problems,
) -> tuple[list[ListedPerson], int]:
    people: list[ListedPerson] = []
    lines: dict[tuple[str, str], ListedPerson] = {}
    n_no_student, n_columns = 0, len(sheet.rows[0].cells)
    is_list = group_column is not None and fold(sheet.rows[0].text(group_column)) in LISTS_OF_GROUPS
    for row in sheet.rows[1:]:
        if len(row.cells) > n_columns and any(row.text(index) for index in range(n_columns, len(row.cells))):
            problems.add(
                row.line, f"the header has {n_columns} cells and this row {len(row.cells)}; fix the row, or quote its cells"
            )
            continue
        if is_no_student(_read_name(row, columns)):
            n_no_student += 1
            continue
        try:
            person = _read_person(row, columns)
            group = None if group_column is None else _read_group(row.text(group_column), choice, is_list=is_list)
        except TeamError as error:
            problems.add(row.line, str(error))
            continue
        listed = ListedPerson(line=row.line, person=person, group=group)
        keys = person.keys or {("name", fold(person.name))}
        earlier = next((lines[key] for key in keys if key in lines), None)
        if earlier is not None:
            problems.add(row.line, f"the student of this row stands in line {earlier.line} already; keep one of the two rows")
            continue
        lines |= dict.fromkeys(keys, listed)
        people.append(listed)
    if not people and not problems.n:
        problems.fail(None, "the list has a header and no student; export it again with its students")
    return people, n_no_student


def _read_person(row: Row, columns: Mapping[ColumnRole, Sequence[int]]) -> Person:
    values = {field: _read_cell(row, columns, role)[:MAX_NAME] or None for role, field in _FIELDS.items()}
    email, name = tidy_email(_read_cell(row, columns, ColumnRole.EMAIL)), _read_name(row, columns)
    label = name or email or values["login"]
    if not label:
        raise TeamError("the row has no name, e-mail or login; fill one in, or delete the row")
    if len(label) > MAX_NAME or not label.isprintable():
        raise TeamError(f"a name has 1 to {MAX_NAME} printable characters, not {quote_short(label)}; fix the row")
    return Person(name=label, email=email, **values)


def _read_name(row: Row, columns: Mapping[ColumnRole, Sequence[int]]) -> str:
    first, last = (_read_cell(row, columns, role) for role in (ColumnRole.FIRST, ColumnRole.LAST))
    if first or last:
        return " ".join(f"{first} {last}".split())
    name = " ".join(_read_cell(row, columns, ColumnRole.NAME).split())
    before, comma, after = name.partition(", ")
    return f"{after} {before}" if comma and "," not in after and not is_no_student(name) else name


def _read_cell(row: Row, columns: Mapping[ColumnRole, Sequence[int]], role: ColumnRole) -> str:
    return next((text for index in columns.get(role, ()) if (text := row.text(index))), "")


def _read_group(text: str, choice: GroupChoice, *, is_list: bool) -> str | None:
    """Return the team that a cell names; None where it is empty."""
    groups = [part for part in (cell.strip() for cell in (text.split(",") if is_list else [text])) if part]
    if choice.pattern is not None:
        groups = [group for group in groups if fnmatchcase(fold(group), fold(choice.pattern))]
    if len(groups) > 1:
        names = ", ".join(quote_short(group) for group in groups)
        raise TeamError(
            f"a student is in one team and this one is in {len(groups)} groups: {names}; "
            "choose with --only 'Team *', or rename a group whose name has a comma"
        )
    return tidy_name(groups[0]) if groups else None
