"""The ranking: who counts with which attempt, how sure each score is, and whose difference could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from arena.base.scores import Interval
from leaderboard.contest.cache import ContestCache
from leaderboard.database.rows import read_rules, read_teams
from leaderboard.errors import ContestError
from leaderboard.files.solution import Solution
from leaderboard.rules import RankBy, Rules, Ties
from leaderboard.scoring.significance import TeamComparison, compare_teams, describe_leader
from leaderboard.standings import Attempt, Board, Part, Standing, compute_ranks, find_best_attempt, split_by_arrival
from leaderboard.teams import Team, name_key

NO_HIDDEN = (
    "there is no hidden part to rank by; `arena contest pack` writes one, and `arena contest verify` takes it with --hidden"
)
_NO_PRIVATE = "private standings need a Usage column in the solution and this one has none; leave out --private"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """The standings, and a sentence on the significance of the lead."""

    lines: tuple[Standing, ...]
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """A team and the attempt that counts for it."""

    team: Team
    attempts: tuple[Attempt, ...]  # scores in the ranked part
    best: Attempt


def read_ranks(connection: Connection, cache: ContestCache, rules: Rules) -> dict[str, int]:
    """Return the public rank of each ranked team, by name."""
    return _ranks(_entries(connection, cache, rules, Part.PUBLIC), rules)


def compute_public_interval(
    connection: Connection, cache: ContestCache, rules: Rules, attempts: Sequence[Attempt], number: int
) -> Interval:
    """Compute the interval of the public macro-F1 that is shown for an attempt of a team."""
    solution = cache.solution(connection, rules.solution_digest)
    attempt = attempts[attempts[number - 1].shown_number - 1]
    replicates = cache.replicates(connection, solution, Part.PUBLIC, [attempt.digest])
    return cache.resamples(solution, Part.PUBLIC).interval(replicates[:, 0])


def read_standings(connection: Connection, cache: ContestCache, part: Part) -> tuple[Standing, ...]:
    """Return the ranking by the score in `part` of each team's best public attempt, equal ranks by name.

    Raises:
        ContestError: the private part is asked for and the solution has no Usage column, or the hidden part and there is none.
    """
    rules = read_rules(connection)
    if part is Part.HIDDEN and rules.hidden_digest is None:
        raise ContestError(NO_HIDDEN)
    if part is Part.PRIVATE and not cache.solution(connection, rules.solution_digest).has_private:
        raise ContestError(_NO_PRIVATE)
    return _rank(connection, cache, rules, part).lines


def read_board(connection: Connection, cache: ContestCache) -> Board:
    """Return the public scores while the contest runs, the final ones after its host closed it."""
    rules = read_rules(connection)
    part = choose_part(rules, cache.solution(connection, rules.solution_digest))
    ranking = _rank(connection, cache, rules, part)
    return Board(rules=rules, part=part, is_final=rules.is_closed, lines=ranking.lines, sentence=ranking.sentence)


def choose_part(rules: Rules, solution: Solution) -> Part:
    """Return the part that the board ranks by now."""
    if not rules.is_closed:
        return Part.PUBLIC
    if rules.rank_by is RankBy.HIDDEN:
        return Part.HIDDEN
    return Part.PRIVATE if solution.has_private else Part.PUBLIC


def _read_solution(connection: Connection, cache: ContestCache, rules: Rules, part: Part) -> Solution:
    digest = rules.hidden_digest if part is Part.HIDDEN else rules.solution_digest
    assert digest is not None, "nothing ranks by a hidden part that is not there"
    return cache.solution(connection, digest)


def _rank(connection: Connection, cache: ContestCache, rules: Rules, part: Part) -> Ranking:
    """Return the ranking as it is now, computed once for each revision."""
    return cache.get_current(connection, ("ranking", part), lambda: _compute_ranking(connection, cache, rules, part))


def _entries(connection: Connection, cache: ContestCache, rules: Rules, part: Part) -> list[_Entry]:
    public = cache.attempts(connection, Part.PUBLIC)
    scored = public if part is Part.PUBLIC else cache.attempts(connection, part)
    entries = []
    for team in read_teams(connection):
        best = find_best_attempt(public.get(team.id, ()), rules.is_lower_better)
        if team.disqualified_at is None and best is not None:
            entries.append(_Entry(team=team, attempts=scored[team.id], best=scored[team.id][best.number - 1]))
    return entries


def _ranks(entries: Sequence[_Entry], rules: Rules) -> dict[str, int]:
    sign = -1 if rules.is_lower_better else 1
    by_rank = compute_ranks({entry.team.name: sign * entry.best.score for entry in entries})
    if rules.ties is Ties.EARLIER:
        return split_by_arrival(by_rank, {entry.team.name: entry.best.arrived_at for entry in entries})
    return by_rank


def _answers_digest(attempt: Attempt, part: Part) -> str:
    """Return the digest of what answered the part: the submission, or its verified model."""
    if part is not Part.HIDDEN:
        return attempt.digest
    return attempt.model.digest if attempt.model and attempt.model.is_verified else ""


def _compute_ranking(connection: Connection, cache: ContestCache, rules: Rules, part: Part) -> Ranking:
    entries = _entries(connection, cache, rules, part)
    if not entries:
        return Ranking(lines=(), sentence=describe_leader([], np.empty(0), compare_teams(np.empty(0), np.empty((1, 0)), 1), ""))
    by_rank = _ranks(entries, rules)
    # Equal ranks are in the order of the visible names, which reveals nothing of the others.
    entries.sort(key=lambda entry: (by_rank[entry.team.name], name_key(entry.team.shown_as)))
    solution = _read_solution(connection, cache, rules, part)
    draws = cache.resamples(solution, part)
    replicates = cache.replicates(connection, solution, part, [_answers_digest(entry.best, part) for entry in entries])
    f1 = np.array([entry.best.macro_f1 for entry in entries])
    tests = compare_teams(f1, replicates, draws.n_units)
    intervals = [draws.interval(column) for column in replicates.T]
    lines = _lines(entries, by_rank, intervals, tests, has_test=rules.metric_digest is None)
    if rules.metric_digest is not None and len(lines) > 1:
        return Ranking(lines=lines, sentence=_untested_sentence(lines, rules))
    return Ranking(lines=lines, sentence=describe_leader([line.shown_as for line in lines], f1, tests, draws.unit_name))


def _lines(
    entries: Sequence[_Entry], by_rank: dict[str, int], intervals: Sequence[Interval], tests: TeamComparison, *, has_test: bool
) -> tuple[Standing, ...]:
    return tuple(
        Standing(
            rank=by_rank[entry.team.name],
            team=entry.team.name,
            shown_as=entry.team.shown_as,
            score=entry.best.score,
            macro_f1=entry.best.macro_f1,
            metrics=entry.best.metrics,
            interval=interval,
            is_tied_with_above=tied and has_test,
            could_be_first=could and (has_test or by_rank[entry.team.name] == 1),
            best=entry.best.number,
            n_attempts=len(entry.attempts),
            n_allowed=entry.team.n_allowed,
            model=entry.best.model,
            attempts=entry.attempts,
        )
        for entry, interval, tied, could in zip(entries, intervals, tests.is_tied_with_above, tests.could_be_first, strict=True)
    )


def _untested_sentence(lines: Sequence[Standing], rules: Rules) -> str:
    first = [line.shown_as for line in lines if line.rank == 1]
    verb = "is" if len(first) == 1 else "are"
    return f"{', '.join(first)} {verb} first by {rules.metric_name}; this metric has no test of whether that is chance."
