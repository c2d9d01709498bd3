"""Names that a reader could take for another team's, and names that nobody could read."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from leaderboard.actions import host
from leaderboard.actions.host import HostDecision
from leaderboard.contest.skeletons import look_alike, reveals_name
from leaderboard.errors import NameRefused
from leaderboard.store import open_contest
from leaderboard.teams import tidy_name
from support.contests import NOW, made, solution

WHY = HostDecision(reason="they asked for it", decided_at=NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Alpha", "ALPHA"),
        ("Alpha", "\u0410lpha"),  # Cyrillic A
        ("Alpha", "\u0391lph\u0430"),  # Greek Alpha, Cyrillic a
        ("Alpha", "aIpha"),  # a capital i
        ("Alpha", "A1pha"),
        ("Modem", "Modern"),
        ("Modem", "M\u03bfdem"),  # Greek omicron
        ("Zoo", "Z00"),
        ("Alpha", "\U0001d400lpha"),  # mathematical bold A
        ("Team I", "Team 1"),
        ("Equipo Ñandú", "EQUIPO N\u0303andu\u0301"),
        ("Net-A", "Net\u2010A"),
    ],
)
def test_names_that_look_alike_are_one(first: str, second: str) -> None:
    assert look_alike(first, second)
    assert reveals_name(f"the {second} people", first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *(("Team I", "Team L"), ("Team O", "Team Q"), ("Nandu", "Ñandú"), ("Team 1", "Team 2"), ("Alpha", "Alpha 2")),
        *(("声学", "声音"), ("Сова", "Сава"), ("Fourier", "Furier")),
    ],
)
def test_names_that_differ_to_the_eye_are_two(first: str, second: str) -> None:
    assert not look_alike(first, second)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "!!!",
        "🦉🦉",
        "A\u202eB",  # turns the direction of writing
        "A\u200bB",  # a blank without width
        "A\u2066B",
        "A\u3164B",  # a filler that is a letter to Unicode
        "\u2800A",
        "A\u034fB",
        "a\u0301\u0302\u0303",
        "Z\u0336\u0337\u0338algo",
        "\u0301abc",
        "x" * 61,
        "tab\x07",
    ],
)
def test_a_name_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(NameRefused, match="a letter or a digit among them, and at most two marks on a letter"):
        tidy_name(name)


@pytest.mark.parametrize(
    "name", ["7", "声学实验室", "Ṩtudio", "Nguyễn", "Équipe Ω", "⚡ Volt", "สวัสดี", "x" * 60, "हिन्दी", "فريق"]
)
def test_names_of_all_scripts_are_taken(name: str) -> None:
    assert tidy_name(name) == name


def test_the_look_of_an_emoji_is_no_other_name() -> None:
    assert tidy_name("⚡\ufe0f Volt") == tidy_name("⚡ Volt")


def test_no_team_takes_the_look_of_another_by_name_or_pseudonym(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        alpha, beta = contest.team("Alpha"), contest.team("Beta")
        contest.set_pseudonym(alpha, "Nightjar", NOW)
        for look in ("\u0410lpha", "Night\u0458ar"):  # Cyrillic
            with pytest.raises(NameRefused, match="a pseudonym is a team's own"):
                contest.set_pseudonym(beta, look, NOW)
            with pytest.raises(NameRefused, match="a team's name is its own"):
                host.rename(contest, beta, look, WHY)
            with pytest.raises(NameRefused, match="a team's name is its own"):
                contest.add_team(look, NOW)
        with pytest.raises(NameRefused, match="gives it away"):
            contest.set_pseudonym(alpha, "we are \u0410lpha", NOW)
        assert host.rename(contest, alpha, "ALPHA", WHY).name == "ALPHA"  # its own


def test_two_teams_that_collide_already_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "contest.db"
    made(str(path), solution(), "Alpha", "Beta").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE teams SET name = '\u0410lpha', name_key = '\u0430lpha' WHERE id = 2")
    with open_contest(path) as contest:
        assert [team.name for team in contest.teams()] == ["Alpha", "\u0410lpha"]
        assert contest.set_pseudonym(contest.team("\u0410lpha"), "Owl", NOW).shown_as == "Owl"


def test_the_log_tells_that_another_team_had_a_name_before(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        host.rename(contest, contest.team("Alpha"), "Omega", WHY)
        contest.set_pseudonym(contest.team("Beta"), "Owl", NOW)
        contest.set_pseudonym(contest.team("Beta"), None, NOW)
        contest.add_team("ALPHA", NOW)
        contest.set_pseudonym(contest.team("Omega"), "0wl", NOW)
        host.rename(contest, contest.team("Omega"), "Omega 2", WHY)  # its own names are no other team's
        reused = [(entry.team, entry.change) for entry in contest.log() if entry.action == "name reused"]
    assert reused == [("ALPHA", "Alpha was a name of Omega"), ("0wl", "Owl was a name of Beta")]


def test_two_names_of_one_look_at_the_same_moment_leave_one(contest_place: str) -> None:
    with made(contest_place, solution()) as contest:
        refused: list[str] = []

        def add(name: str) -> None:
            try:
                contest.add_team(name, NOW)
            except NameRefused:
                refused.append(name)

        threads = [threading.Thread(target=add, args=(name,)) for name in ("Alpha", "\u0410lpha", "A1pha", "aIpha")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(contest.teams()), len(refused)) == (1, 3)
