"""Class lists, handouts, join links and forgetting on both databases, and in a backup of either."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from leaderboard.actions.host import HostDecision
from leaderboard.classes.class_list import GroupChoice, parse_class_list
from leaderboard.classes.handouts import HandoutSettings, make_handouts
from leaderboard.classes.join_links import JoinRequest, join, list_join_links, new_join_link
from leaderboard.classes.member_tokens import forget_members
from leaderboard.classes.members import list_holders
from leaderboard.classes.roster import RosterOptions, import_roster
from leaderboard.database.backup import back_up
from leaderboard.errors import JoinRefused
from leaderboard.store import open_contest
from support.classes import moodle_list
from support.contests import NOW, made, solution

DECISION = HostDecision(reason="the class", decided_at=NOW)


def test_a_class_is_imported_handed_out_joined_and_forgotten(contest_place: str, tmp_path: Path) -> None:
    roster = parse_class_list(moodle_list(), "class.csv", GroupChoice())
    with made(contest_place, solution()) as contest:
        assert len(import_roster(contest, roster, RosterOptions(), DECISION).new_members) == 60
        assert import_roster(contest, roster, RosterOptions(), DECISION).is_empty
        settings = HandoutSettings(folder=tmp_path / "h", address="https://x.org", language="en", zone=None)
        assert make_handouts(contest, settings, DECISION).n_new == 60
        team = contest.team("Team 1")
        token = new_join_link(contest, team, 1, 2, DECISION)[1]
        _, own = join(contest, token, JoinRequest(name="Late Comer"), NOW)
        assert contest.find_team_by_token(own, NOW) == team
        assert forget_members(contest, "student0@uni.example.org", None, DECISION) == 1
        names = [holder.person.name for holder in list_holders(contest, team) if holder.person]
        back_up(contest.database, tmp_path / "backup.db")
    assert names[2:] == ["Late Comer"]
    with open_contest(tmp_path / "backup.db") as copy:
        assert [holder.person.name for holder in list_holders(copy, copy.team("Team 1")) if holder.person] == names
        assert copy.find_team_by_token(own) is not None
        assert [link.n_uses_left for link in list_join_links(copy)] == [1]


def test_of_many_at_once_as_many_join_as_a_link_serves(contest_place: str) -> None:
    with made(contest_place, solution(), "Echo") as contest:
        token = new_join_link(contest, contest.team("Echo"), 1, 5, DECISION)[1]

        def attempt(n: int) -> bool:
            try:
                join(contest, token, JoinRequest(name=f"Student {n}"), NOW)
            except JoinRefused:
                return False
            return True

        with ThreadPoolExecutor(12) as pool:
            assert sum(pool.map(attempt, range(30))) == 5
        assert list_join_links(contest)[0].n_uses_left == 0
        assert len(list_holders(contest, contest.team("Echo"))) == 5
