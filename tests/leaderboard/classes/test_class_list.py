"""Class lists as platforms, spreadsheets and people write them."""

from __future__ import annotations

import pytest

from leaderboard.classes.class_list import ClassList, GroupChoice, parse_class_list
from leaderboard.errors import ClassListError
from support.classes import moodle_list


def read(text: str | bytes, **choice: str | bool) -> ClassList:
    content = text.encode() if isinstance(text, str) else text
    return parse_class_list(content, "class.csv", GroupChoice(**choice))  # type: ignore[arg-type]


def people(roster: ClassList) -> list[tuple[str | None, ...]]:
    rows = [(listed.person, listed.group) for listed in roster.people]
    return [(p.name, p.email, p.login, p.lms_id, p.student_id, group) for p, group in rows]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (  # Moodle, English
            '"First name","Last name","ID number","Email address",Groups\nAna,Ruiz,007,ana@x.org,Echo\n',
            [("Ana Ruiz", "ana@x.org", None, None, "007", "Echo")],
        ),
        (  # Moodle before 4.0
            "First name,Surname,ID number,Institution,Department,Email address,Groups\nAna,Ruiz,,,,ana@x.org,Echo\n",
            [("Ana Ruiz", "ana@x.org", None, None, None, "Echo")],
        ),
        (  # Moodle, Spanish, for a Spanish spreadsheet
            "\ufeffNombre;Apellido(s);Dirección de correo;Número de ID;Grupos\nÓscar;Núñez;o@x.es;12;Los Ecos\n",
            [("Óscar Núñez", "o@x.es", None, None, "12", "Los Ecos")],
        ),
        (  # Canvas' group set
            "name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id,group_id\n"
            '"Park, Ada",101,9001,ada,CS 461,Tide,55,7\n',
            [("Ada Park", None, "ada", "101", "9001", "Tide")],
        ),
        (  # Blackboard's groups
            '"Group Code","User Name","Student Id","First Name","Last Name"\ng1,ada,M10,Ada,Park\n',
            [("Ada Park", None, "ada", None, "M10", "g1")],
        ),
        (  # Google Classroom with a column of one's own, tabs, blank lines
            "Last Name\tFirst Name\tEmail Address\tTeam\r\n\r\nPark\tAda\tada@x.org\tTide, the second\r\n\r\n",
            [("Ada Park", "ada@x.org", None, None, None, "Tide, the second")],
        ),
        ("Nombre,Correo electrónico,Equipo\nAda Park,,Tide\n", [("Ada Park", None, None, None, None, "Tide")]),
    ],
)
def test_headings_of_platforms_and_plain_lists_are_known(text: str, rows: list[tuple[str | None, ...]]) -> None:
    assert people(read(text)) == rows


def test_canvas_gradebook_leaves_out_the_points_and_the_test_student_and_is_grouped_by_a_named_column() -> None:
    text = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Quiz (1)\n    Points Possible,,,,,10\n"
        '"Park, Ada",11,S1,ada,Tide,9\n"Student, Test",99,,abc,Tide,\n'
    )
    roster = read(text, heading="section")
    assert people(roster) == [("Ada Park", None, "ada", "11", "S1", "Tide")]
    assert roster.notes == ["2 rows of the platform's own, no students, left out"]


def test_a_list_of_teams_has_one_a_line_with_or_without_a_heading() -> None:
    assert read("Mel Street\r\nLos Formantes\r\n\r\nEcho").teams == ["Mel Street", "Los Formantes", "Echo"]
    assert read("\ufeffTeam\nMel Street\n").teams == ["Mel Street"]
    assert read("Equipo\nEco\n").people == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_are_read_and_a_guess_is_told(encoding: str) -> None:
    roster = read("Nombre,Apellidos,Equipo\nÓscar,Núñez,Señal\n".encode(encoding))
    assert people(roster)[0][0] == "Óscar Núñez"
    told = ["class.csv is not UTF-8 and was read as Windows-1252; look at names with accents"]
    assert roster.notes == (told if encoding == "cp1252" else [])


def test_a_list_of_sixty_students_has_its_twenty_five_teams() -> None:
    roster = read(moodle_list())
    assert (len(roster.people), len(roster.teams), roster.group_heading) == (60, 25, "Groups")


def test_of_several_groups_those_that_match_are_teams() -> None:
    text = 'First name,Last name,Email address,Groups\nAna,Ruiz,a@x.org,"Lab A, Team 1"\nBo,Li,b@x.org,"Lab A"\n'
    assert [row[-1] for row in people(read(text, pattern="team *"))] == ["Team 1", None]
    with pytest.raises(ClassListError) as error:
        read(text)
    assert str(error.value) == (
        "class.csv line 2: a student is in one team and this one is in 2 groups: 'Lab A', 'Team 1'; "
        "choose with --only 'Team *', or rename a group whose name has a comma"
    )


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (
            b"PK\x03\x04rest",
            "is a CSV file and this is a workbook of Excel or LibreOffice; save it as CSV UTF-8",
        ),
        (b"\xd0\xcf\x11\xe0rest", "this is an old Excel workbook; save it as CSV UTF-8"),
        (b"", "the file is empty; give one with a line for each student or team"),
        (b"\xff\xfea\x00b", "its bytes are no UTF-16-LE"),
        ("a,b\n1,2\n", "no heading names the students and these are 'a', 'b'; write First name"),
        ("Name,Team,Group\nA,B,C\n", "2 columns may hold the teams: 'Team', 'Group'; say which with --group-by"),
        (
            "Name,Email\nA,a@x.org\n",
            "no column is known to hold the teams, of 'Name', 'Email'; name it with --group-by, or --alone",
        ),
        ("Name,Team\n", "the list has a header and no student"),
        ("Name,Team\nAna,Echo,more\n", "line 2: the header has 2 cells and this row 3"),
        ("Name,Email,Team\nAna,ana at x,Echo\n", "line 2: an e-mail address is like ana@example.org"),
        ("Name,Email,Team\nAna,a@x.org,Echo\nBo,A@X.org,Mel\n", "line 3: the student of this row stands in line 2 already"),
        ("Name,Team\nAna,Echo\nANA,Mel\n", "line 3: the student of this row stands in line 2 already"),
        ("Name,Email,Team\n,,Echo\n", "line 2: the row has no name, e-mail or login"),
        (f"Name,Team\nAna,{'x' * 61}\n", "line 2: a team's name or pseudonym has 1 to 60 characters that are seen"),
        ('Name,Team\n"Ana,Echo\n', 'line 2: a quote " opens here and none closes it'),
        ("Echo\necho\n", "line 2: team 'echo' stands in line 1 already; keep one of the two"),
        ("\x00\x01\x00", "no heading names the students|that are seen"),
    ],
)
def test_a_list_with_two_readings_or_none_is_refused(text: str | bytes, refusal: str) -> None:
    with pytest.raises(ClassListError) as error:
        read(text)
    assert any(part in str(error.value) for part in refusal.split("|")), str(error.value)


def test_a_column_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(ClassListError, match="0 columns are called 'Grop'; did you mean 'Group'"):
        read("Name,Group\nA,B\n", heading="Grop")


def test_a_student_alone_needs_no_group() -> None:
    assert people(read("Name\tEmail\nAna\ta@x.org\n", is_alone=True))[0][-1] is None
