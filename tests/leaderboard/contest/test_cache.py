"""Values that a process keeps of a contest are those of the moment that is read; on both databases."""

from __future__ import annotations

import pytest

from leaderboard.actions.host import HostDecision, disqualify, reinstate, rename
from leaderboard.database.create import ContestSettings
from leaderboard.errors import TeamError
from leaderboard.rules import Ties
from leaderboard.standings import Part
from leaderboard.store import open_contest
from support.contests import NOW, made, ranking, send, solution


@pytest.mark.parametrize("ties", list(Ties))
def test_a_receipt_has_the_rank_of_the_board_whatever_the_host_did_meanwhile(contest_place: str, ties: Ties) -> None:
    with (
        made(contest_place, solution(), "Alpha", "Beta", "Gamma", settings=ContestSettings(ties=ties)) as contest,
        open_contest(contest_place) as second,  # as another process: what it stores is read, not known
    ):
        assert send(contest, "Alpha", 0, 1, 2).rank == 1
        assert send(second, "Beta", 0, 1, 2, minute=1).rank == (1 if ties is Ties.SHARE else 2)
        assert (send(second, "Gamma", 0).rank, send(contest, "Alpha", 4, minute=2).n_ranked) == (1, 3)
        disqualify(second, second.team("Gamma"), HostDecision(reason="copied", decided_at=NOW))
        receipt = send(contest, "Beta", minute=3)
        assert (receipt.rank, receipt.n_ranked) == (1, 2)
        with pytest.raises(TeamError, match="disqualified"):
            send(contest, "Gamma", 1)
        reinstate(second, second.team("Gamma"), HostDecision(reason="they had not", decided_at=NOW))
        rename(second, second.team("Gamma"), "Delta", HostDecision(reason="they asked", decided_at=NOW))
        receipt = send(contest, "Delta", 1, minute=4)
        assert (receipt.rank, receipt.n_ranked) == ({team: rank for rank, team in ranking(contest)}["Delta"], 3)


def test_who_reads_an_earlier_moment_gets_it_while_others_see_more(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha") as contest:
        send(contest, "Alpha", 1)
        alpha = contest.team("Alpha")
        with contest.database.read() as before:
            assert len(contest.cache.attempts(before, Part.PUBLIC)[alpha.id]) == 1
            send(contest, "Alpha", 2)
            assert len(contest.attempts(alpha)) == 2
            assert len(contest.cache.attempts(before, Part.PUBLIC)[alpha.id]) == 1
        assert len(contest.attempts(alpha)) == 2
