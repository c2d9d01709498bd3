"""Imports of class lists: again with a changed list adds what is new, tells who moved or left, and deletes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard.actions.host import HostDecision, rename
from leaderboard.actions.merge_teams import merge_teams
from leaderboard.classes.class_list import GroupChoice, parse_class_list
from leaderboard.classes.members import list_holders, read_members
from leaderboard.classes.roster import RosterChange, RosterOptions, import_roster
from leaderboard.errors import ContestError, NameRefused
from leaderboard.store import Contest
from support.classes import moodle_list
from support.contests import NOW, made, solution

HEADER = "Name,Email,Team\n"
DECISION = HostDecision(reason="the class list", decided_at=NOW)


@pytest.fixture
def contest(tmp_path: Path) -> Contest:
    return made(str(tmp_path / "contest.db"), solution())


def load(contest: Contest, text: str | bytes, *, alone: bool = False, **options: bool) -> RosterChange:
    content = text.encode() if isinstance(text, str) else text
    roster = parse_class_list(content, "class.csv", GroupChoice(is_alone=alone))
    return import_roster(contest, roster, RosterOptions(is_alone=alone, **options), DECISION)


def teams(contest: Contest) -> dict[str, list[str]]:
    with contest.database.read() as connection:
        members = read_members(connection)
    return {team.name: [m.person.name for m in members if m.team_id == team.id] for team in contest.teams()}


def test_a_class_is_added_at_once_and_again_changes_nothing(contest: Contest) -> None:
    first = load(contest, moodle_list())
    assert (len(first.new_teams), len(first.new_members)) == (25, 60)
    again = load(contest, moodle_list())
    assert (again.is_empty, again.n_unchanged, again.gone, again.moves) == (True, 60, [], [])
    assert [(entry.action, entry.details["n_members"]) for entry in contest.log()] == [("team import", 60)]


def test_a_dry_run_says_the_same_and_changes_nothing(contest: Contest) -> None:
    planned = load(contest, moodle_list(), is_dry_run=True)
    assert (contest.teams(), contest.log()) == ([], [])
    assert planned == load(contest, moodle_list())


def test_who_left_is_told_and_stays(contest: Contest) -> None:
    load(contest, HEADER + "Ana,a@x.org,Echo\nBo,b@x.org,Echo\n")
    change = load(contest, HEADER + "Ana,a@x.org,Echo\nCy,c@x.org,Mel\n")
    assert [(gone.person.name, gone.team) for gone in change.gone] == [("Bo", "Echo")]
    assert teams(contest) == {"Echo": ["Ana", "Bo"], "Mel": ["Cy"]}


def test_who_moved_is_told_and_moved_with_their_token_only_where_asked(contest: Contest) -> None:
    load(contest, HEADER + "Ana,a@x.org,Echo\nBo,b@x.org,Mel\n")
    moved = HEADER + "Ana,a@x.org,Mel\nBo,b@x.org,Mel\n"
    assert [(move.before, move.after) for move in load(contest, moved).moves] == [("Echo", "Mel")]
    assert teams(contest) == {"Echo": ["Ana"], "Mel": ["Bo"]}
    load(contest, moved, moves=True)
    assert teams(contest) == {"Echo": [], "Mel": ["Ana", "Bo"]}


def test_a_changed_name_or_a_new_id_is_stored(contest: Contest) -> None:
    load(contest, HEADER + "Ana,a@x.org,Echo\n")
    change = load(contest, "Name,Email,Student ID,Team\nAna Ruiz,a@x.org,007,Echo\n")
    assert (change.n_updated, change.new_members) == (1, [])
    assert contest.log()[-1].change == "0 teams, 0 members new, 1 updated"
    holder = list_holders(contest, contest.team("Echo"))[0]
    assert holder.person is not None
    assert (holder.person.name, holder.person.student_id, holder.person.email) == ("Ana Ruiz", "007", "a@x.org")


def test_a_renamed_or_merged_team_is_still_its_group(contest: Contest) -> None:
    text = HEADER + "Ana,a@x.org,Echo\nBo,b@x.org,Mel\nCy,c@x.org,Mel\n"
    load(contest, text)
    rename(contest, contest.team("Echo"), "Formantes", DECISION)
    merge_teams(contest, contest.team("Mel"), contest.team("Formantes"), DECISION)
    again = load(contest, text)
    assert (again.new_teams, again.moves, again.new_members) == ([], [], [])
    assert teams(contest) == {"Formantes": ["Ana", "Bo", "Cy"]}


def test_students_without_a_group_are_told_or_a_team_each_with_a_neutral_name(contest: Contest) -> None:
    text = HEADER + "Ana,a@x.org,\nBo,b@x.org,Echo\nCy,c@x.org,\n"
    assert [person.name for person in load(contest, text).without_group] == ["Ana", "Cy"]
    assert load(contest, text, alone=True).new_teams == ["Solo 1", "Solo 2"]
    assert load(contest, text, alone=True).is_empty
    assert teams(contest) == {"Echo": ["Bo"], "Solo 1": ["Ana"], "Solo 2": ["Cy"]}


def test_a_name_that_is_taken_adds_nothing_of_the_list(contest: Contest) -> None:
    owl = contest.add_team("Owl", NOW)
    contest.set_pseudonym(owl, "Nightjar", NOW)
    with pytest.raises(NameRefused, match="Nightjar"):
        load(contest, HEADER + "Ana,a@x.org,Echo\nBo,b@x.org,Nightjar\n")
    assert teams(contest) == {"Owl": []}


def test_a_team_that_is_there_takes_its_members(contest: Contest) -> None:
    contest.add_team("Echo", NOW)
    assert load(contest, HEADER + "Ana,a@x.org,ECHO\n").new_teams == []
    assert teams(contest) == {"Echo": ["Ana"]}


def test_two_lines_that_are_one_member_by_name_alone_are_refused(contest: Contest) -> None:
    load(contest, "Name,Team\nAna,Echo\n")
    with pytest.raises(ContestError, match="lines 2 and 3 of the list are one member, by name; give both an e-mail or id"):
        load(contest, HEADER + "Ana,a@x.org,Echo\nAna,b@x.org,Echo\n")


def test_a_line_that_is_two_members_is_refused(contest: Contest) -> None:
    load(contest, "Name,Email,Student ID,Team\nAna,a@x.org,,Echo\nBo,,7,Echo\n")
    with pytest.raises(ContestError, match="line 2 of the list answers to 2 members, by e-mail"):
        load(contest, "Name,Email,Student ID,Team\nAna,a@x.org,7,Echo\n")
