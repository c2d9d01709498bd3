"""The ranking: who counts with which attempt, how sure each score is, and whose difference could be chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from arena.base.scores import Interval, Values
from leaderboard.contest.cache import ContestCache
from leaderboard.contest.disclosure import disclose_board
from leaderboard.database.rows import read_rules, read_teams
from leaderboard.errors import ContestError
from leaderboard.files.solution import Solution
from leaderboard.rules import RankBy, Rules, Ties
from leaderboard.scoring.grading import count_speakers
from leaderboard.scoring.lead import describe_lead
from leaderboard.scoring.luck import estimate_luck
from leaderboard.scoring.significance import RankStatements, compare_teams
from leaderboard.standings import (
    Attempt,
    AttemptModel,
    Board,
    Evidence,
    Luck,
    Part,
    Standing,
    compute_ranks,
    find_best_attempt,
    split_by_arrival,
)
from leaderboard.teams import Team, name_key

_NO_HIDDEN = "there is no hidden part to rank by; `arena contest pack` writes one, and `verify --hidden` takes it"
_NO_PRIVATE = "private standings need a Usage column in the solution and this one has none; leave out --private"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """A team and the attempt that counts for it."""

    team: Team
    attempts: tuple[Attempt, ...]  # scores in the ranked part
    best: Attempt


def read_ranks(connection: Connection, cache: ContestCache, rules: Rules) -> dict[str, int]:
    """Return the public rank of each ranked team, by name; a baseline has none."""
    entries = _entries(connection, cache, rules, Part.PUBLIC)
    return _ranks([entry for entry in entries if not entry.team.is_baseline], rules)


def find_counting_models(connection: Connection, cache: ContestCache, rules: Rules) -> dict[str, AttemptModel | None]:
    """Return by team the model beside the attempt that counts; None where none was sent."""
    return {entry.team.name: entry.best.model for entry in _entries(connection, cache, rules, Part.PUBLIC)}


def compute_public_interval(
    connection: Connection, cache: ContestCache, rules: Rules, attempts: Sequence[Attempt], number: int
) -> Interval:
    """Compute the interval of the public score that is shown for an attempt of a team."""
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
        raise ContestError(_NO_HIDDEN)
    if part is Part.PRIVATE and not cache.solution(connection, rules.solution_digest).has_private:
        raise ContestError(_NO_PRIVATE)
    return _read_part(connection, cache, rules, part).lines


def read_board(connection: Connection, cache: ContestCache) -> Board:
    """Return what everybody may see: public scores while the contest runs, final ones after its host closed it."""
    return cache.get_current(connection, "board", lambda: _build_board(connection, cache, read_rules(connection)))


def _build_board(connection: Connection, cache: ContestCache, rules: Rules) -> Board:
    part = choose_part(rules, cache.solution(connection, rules.solution_digest)) if rules.is_closed else Part.PUBLIC
    return disclose_board(_read_part(connection, cache, rules, part))


def choose_part(rules: Rules, solution: Solution) -> Part:
    """Return the part that the final board ranks by."""
    if rules.rank_by is RankBy.HIDDEN and rules.hidden_digest is not None:
        return Part.HIDDEN
    return Part.PRIVATE if solution.has_private else Part.PUBLIC


def _read_solution(connection: Connection, cache: ContestCache, rules: Rules, part: Part) -> Solution:
    digest = rules.hidden_digest if part is Part.HIDDEN else rules.solution_digest
    assert digest is not None, "nothing ranks by a hidden part that is not there"
    return cache.solution(connection, digest)


def _read_part(connection: Connection, cache: ContestCache, rules: Rules, part: Part) -> Board:
    """Return the board of a part as it is now, computed once for each revision."""
    return cache.get_current(connection, ("part", part), lambda: _compute_board(connection, cache, rules, part))


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


def _compute_board(connection: Connection, cache: ContestCache, rules: Rules, part: Part) -> Board:
    entries = _entries(connection, cache, rules, part)
    order = _ranks(entries, rules)
    # Equal ranks are in the order of the visible names, which reveals nothing of the others.
    entries.sort(key=lambda entry: (order[entry.team.name], name_key(entry.team.shown_as)))
    solution = _read_solution(connection, cache, rules, part)
    draws = cache.resamples(solution, part)
    evidence = Evidence(unit=draws.unit_name, n_units=draws.n_units, n_speakers=count_speakers(solution, part))
    ranked = [entry for entry in entries if not entry.team.is_baseline]
    by_rank, smallest_difference = _ranks(ranked, rules), None

    def replicates(attempts: Sequence[Attempt]) -> Values:
        return cache.replicates(connection, solution, part, [_answers_digest(attempt, part) for attempt in attempts])

    columns = replicates([entry.best for entry in entries]).T if entries else ()
    lines = [
        _build_line(entry, by_rank.get(entry.team.name), draws.interval(column))
        for entry, column in zip(entries, columns, strict=True)
    ]
    if rules.is_tested and ranked:
        sign = -1 if rules.is_lower_better else 1
        scores = sign * np.array([entry.best.macro_f1 for entry in ranked])
        statements = compare_teams(scores, sign * replicates([entry.best for entry in ranked]), evidence)
        luck = _estimate_luck(ranked, replicates, draws.n_units, part) if rules.is_closed and sign == 1 else None
        lines, smallest_difference = _add_statements(lines, statements, luck), statements.smallest_difference
    return Board(
        rules=rules,
        part=part,
        is_final=rules.is_closed,
        lines=tuple(lines),
        evidence=evidence,
        smallest_difference=smallest_difference,
        sentence=_describe(lines, rules, evidence),
    )


def _estimate_luck(
    ranked: Sequence[_Entry], replicates: Callable[[Sequence[Attempt]], Values], n_units: int, part: Part
) -> Luck | None:
    """Estimate the luck of all attempts that could count; only that of ranks where other rows than the public ones rank."""
    chosen = [
        (team, attempt)
        for team, entry in enumerate(ranked)
        for attempt in (entry.attempts if part is Part.PUBLIC else [entry.best])
        if attempt.is_shown and not attempt.is_voided
    ]
    if len(chosen) < 2 or ranked[0].best.macro_f1 == 0:  # there is no luck in 0
        return None
    scores = np.array([attempt.macro_f1 for _, attempt in chosen])
    return estimate_luck(scores, replicates([attempt for _, attempt in chosen]), [team for team, _ in chosen], n_units)


def _build_line(entry: _Entry, rank: int | None, interval: Interval) -> Standing:
    return Standing(
        rank=rank,
        team=entry.team.name,
        shown_as=entry.team.shown_as,
        score=entry.best.score,
        macro_f1=entry.best.macro_f1,
        metrics=entry.best.metrics,
        interval=interval,
        rank_low=None,
        rank_high=None,
        letters="",
        could_be_first=False,
        luck=None,
        best=entry.best.number,
        n_attempts=len(entry.attempts),
        n_allowed=entry.team.n_allowed,
        model=entry.best.model,
        attempts=entry.attempts,
    )


def _add_statements(lines: Sequence[Standing], statements: RankStatements, luck: Luck | None) -> list[Standing]:
    """Return the lines with what is stated of those that have a rank."""
    stated = iter(zip(statements.low, statements.high, statements.letters, strict=True))
    result = []
    for line in lines:
        if line.rank is not None:
            low, high, letters = next(stated)
            first = luck if line.rank == 1 else None
            line = replace(line, rank_low=low, rank_high=high, letters=letters, could_be_first=low == 1, luck=first)
        result.append(line)
    return result


def _describe(lines: Sequence[Standing], rules: Rules, evidence: Evidence) -> str:
    ranked = [line for line in lines if line.rank is not None]
    if rules.is_tested or len(ranked) < 2:
        return describe_lead(ranked, evidence)
    first = [line.shown_as for line in ranked if line.rank == 1]
    verb = "is" if len(first) == 1 else "are"
    return f"{', '.join(first)} {verb} first by {rules.metric_name}; this metric has no test of whether that is chance."
