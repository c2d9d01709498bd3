"""The table of acts: whoever presses a button many times at one moment acts once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from leaderboard.actions.acts import ACTS, ActName, Order, find_last_entry, perform
from leaderboard.actions.host import HostDecision
from leaderboard.errors import ActedMeanwhile, ContestError
from leaderboard.pages.host_page import TEXTS
from leaderboard.pages.texts import page_words
from leaderboard.store import Contest
from support.contests import DEADLINE, NOW, made, solution

BECAUSE = HostDecision(reason="for a test", decided_at=NOW, actor="Ana")


@pytest.fixture
def contest(contest_place: str) -> Iterator[Contest]:
    with made(contest_place, solution(), "Ann", "Bob", deadline=DEADLINE) as contest:
        yield contest


def test_one_form_that_is_sent_sixteen_times_at_one_moment_acts_once(contest: Contest) -> None:
    order = Order(contest=contest, decision=BECAUSE, team=contest.team("Ann"), value="1")

    def press(_: int) -> bool:
        try:
            return perform(ACTS[ActName.GRANT], order, seen=0).entry is not None
        except ActedMeanwhile:
            return False

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(press, range(16))) == [False] * 15 + [True]
    assert contest.team("Ann").n_allowed == 4


def test_a_form_on_one_team_does_not_grow_old_by_acts_on_another(contest: Contest) -> None:
    for name in ("Ann", "Bob"):
        order = Order(contest=contest, decision=BECAUSE, team=contest.team(name), value="1")
        assert perform(ACTS[ActName.GRANT], order, seen=0).entry == find_last_entry(contest, order.team)
    assert find_last_entry(contest, None) is None


@pytest.mark.parametrize(
    ("value", "moment"),
    [("2026-11-23T12:00", "2026-11-23T11:00+00:00"), ("2026-11-23T12:00-05:00", "2026-11-23T17:00+00:00")],
)
def test_a_moment_without_an_offset_is_in_the_hosts_zone(contest: Contest, value: str, moment: str) -> None:
    order = Order(contest=contest, decision=BECAUSE, value=value, zone=ZoneInfo("Europe/Madrid"))
    perform(ACTS[ActName.EXTEND], order)
    assert contest.deadline is not None
    assert contest.deadline == datetime.fromisoformat(moment)
    assert contest.deadline - DEADLINE > timedelta(hours=1)


@pytest.mark.parametrize("value", ["2027-10-31T02:30", "2027-03-28T02:30"], ids=["twice", "never"])
def test_a_moment_that_the_change_of_the_clocks_has_twice_or_never_needs_its_offset(contest: Contest, value: str) -> None:
    zone = ZoneInfo("Europe/Madrid")
    with pytest.raises(
        ContestError, match=r"^2027-\d\d-\d\d 02:30 comes twice or never, as the clocks change then; write it with"
    ):
        perform(ACTS[ActName.EXTEND], Order(contest=contest, decision=BECAUSE, value=value, zone=zone))
    perform(ACTS[ActName.EXTEND], Order(contest=contest, decision=BECAUSE, value=f"{value}+01:00", zone=zone))
    assert contest.deadline == datetime.fromisoformat(f"{value}+01:00")


def test_an_act_on_a_team_needs_one_and_others_take_none(contest: Contest) -> None:
    with pytest.raises(ContestError, match="'grant' needs a team and names none"):
        perform(ACTS[ActName.GRANT], Order(contest=contest, decision=BECAUSE, value="1"))
    with pytest.raises(ContestError, match="'close' is for all teams and names one"):
        perform(ACTS[ActName.CLOSE], Order(contest=contest, decision=BECAUSE, team=contest.team("Ann")))


def test_every_act_is_in_the_table_and_has_its_texts() -> None:
    assert set(ACTS) == set(ActName)
    keys = page_words("en").table.keys()
    assert {key for texts in TEXTS.values() for key in (texts.title, texts.effect, texts.value) if key} <= keys
    assert (TEXTS[ActName.MORE_TIME].title, TEXTS[ActName.MORE_TIME].value) == ("act_more_time", "value_moment")
