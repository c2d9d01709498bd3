"""The rank of one team, kept as attempts arrive, is the one that the whole ranking gives; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from contest_world import NOW, made, ranking, send, solution
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.creation import Settings
from leaderboard.errors import TeamError
from leaderboard.grading import Part
from leaderboard.host import Decision, disqualify, reinstate
from leaderboard.places import Places
from leaderboard.rules import Ties
from leaderboard.standings import Attempt, best_attempt, ranks, split_by_arrival
from leaderboard.store import open_contest

SENT = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.5, 0.5 + 1e-13, 0.5 - 1e-13, 0.75, 1.0]), st.integers(0, 3)),
    min_size=1,
    max_size=15,
)


def attempt(number: int, score: float, minute: int) -> Attempt:
    return Attempt(
        number=number,
        score=score,
        macro_f1=score,
        accuracy=score,
        log_loss=None,
        arrived_at=NOW + timedelta(minutes=minute),
        digest="",
        file_name="",
        shown_number=number,
        model=None,
    )


@given(sent=SENT, ties=st.sampled_from(list(Ties)), is_lower_better=st.booleans())
def test_each_rank_is_the_one_of_the_whole_ranking(
    sent: list[tuple[int, float, int]], ties: Ties, is_lower_better: bool
) -> None:
    places = Places(is_lower_better=is_lower_better, ties=ties)
    by_team: dict[int, tuple[Attempt, ...]] = {}
    for team, score, minute in sent:
        before = by_team.get(team, ())
        by_team[team] = (*before, attempt(len(before) + 1, score, minute))
        places.put(team, by_team[team])
        counted = {str(one): best_attempt(attempts, is_lower_better) for one, attempts in by_team.items()}
        wanted = ranks({name: best.score * (-1 if is_lower_better else 1) for name, best in counted.items()})
        if ties is Ties.EARLIER:
            wanted = split_by_arrival(wanted, {name: best.arrived_at for name, best in counted.items()})
        assert {str(one): places.rank(one) for one in by_team} == wanted
        assert len(places) == len(by_team)


@pytest.mark.parametrize("ties", list(Ties))
def test_a_receipt_has_the_rank_of_the_board_whatever_the_host_did_meanwhile(contest_place: str, ties: Ties) -> None:
    with (
        made(contest_place, solution(), "Alpha", "Beta", "Gamma", settings=Settings(ties=ties)) as contest,
        open_contest(contest_place) as other,  # as another process: what it stores is read, not known
    ):
        assert send(contest, "Alpha", 0, 1, 2).rank == 1
        assert send(other, "Beta", 0, 1, 2, minute=1).rank == (1 if ties is Ties.SHARE else 2)
        assert (send(other, "Gamma", 0).rank, send(contest, "Alpha", 4, minute=2).n_ranked) == (1, 3)
        disqualify(other, other.team("Gamma"), Decision(reason="copied", at=NOW))
        receipt = send(contest, "Beta", minute=3)
        assert (receipt.rank, receipt.n_ranked) == (1, 2)
        with pytest.raises(TeamError, match="disqualified"):
            send(contest, "Gamma", 1)
        reinstate(other, other.team("Gamma"), Decision(reason="they had not", at=NOW))
        receipt = send(contest, "Gamma", 1, minute=4)
        assert (receipt.rank, receipt.n_ranked) == ({team: rank for rank, team in ranking(contest)}["Gamma"], 3)


def test_who_reads_an_earlier_moment_gets_it_while_others_see_more(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha") as contest:
        send(contest, "Alpha", 1)
        alpha = contest.team("Alpha")
        with contest.database.read() as before:
            assert len(contest.memory.attempts(before, Part.PUBLIC)[alpha.id]) == 1
            send(contest, "Alpha", 2)
            assert len(contest.attempts(alpha)) == 2
            assert len(contest.memory.attempts(before, Part.PUBLIC)[alpha.id]) == 1
        assert len(contest.attempts(alpha)) == 2
