"""The ranking: who counts with which attempt, how sure each score is, and whose difference could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from arena.base.scores import Interval
from leaderboard.contest.cache import ContestCache
from leaderboard.contest.disclosure import disclose_standing
from leaderboard.database.rows import read_rules, read_teams
from leaderboard.errors import ContestError
from leaderboard.files.solution import Solution
from leaderboard.rules import RankBy, Rules, Ties
from leaderboard.scoring.grading import count_speakers
from leaderboard.scoring.lead import describe_lead
from leaderboard.scoring.significance import RankStatements, compare_teams
from leaderboard.standings import Attempt, Board, Evidence, Part, Standing, compute_ranks, find_best_attempt, split_by_arrival
from leaderboard.teams import Team, name_key

_NO_HIDDEN = "there is no hidden part to rank by; `arena contest pack` writes one, and `verify --hidden` takes it"
_NO_PRIVATE = "private standings need a Usage column in the solution and this one has none; leave out --private"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """The standings, and a sentence on the significance of the lead."""

    lines: tuple[Standing, ...]
    evidence: Evidence
    sentence: str


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
        raise ContestError(_NO_HIDDEN)
    if part is Part.PRIVATE and not cache.solution(connection, rules.solution_digest).has_private:
        raise ContestError(_NO_PRIVATE)
    return _rank(connection, cache, rules, part).lines


def read_board(connection: Connection, cache: ContestCache) -> Board:
    """Return what everybody may see: public scores while the contest runs, final ones after its host closed it."""
    return cache.get_current(connection, "board", lambda: _build_board(connection, cache, read_rules(connection)))


def _build_board(connection: Connection, cache: ContestCache, rules: Rules) -> Board:
    part = choose_part(rules, cache.solution(connection, rules.solution_digest)) if rules.is_closed else Part.PUBLIC
    ranking = _rank(connection, cache, rules, part)
    return Board(
        rules=rules,
        part=part,
        is_final=rules.is_closed,
        lines=tuple(disclose_standing(line, rules) for line in ranking.lines),
        evidence=ranking.evidence,
        sentence=ranking.sentence,
    )


def choose_part(rules: Rules, solution: Solution) -> Part:
    """Return the part that the final board ranks by."""
    if rules.rank_by is RankBy.HIDDEN and rules.hidden_digest is not None:
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
    order = _ranks(entries, rules)
    # Equal ranks are in the order of the visible names, which reveals nothing of the others.
    entries.sort(key=lambda entry: (order[entry.team.name], name_key(entry.team.shown_as)))
    solution = _read_solution(connection, cache, rules, part)
    draws = cache.resamples(solution, part)
    evidence = Evidence(unit=draws.unit_name, n_units=draws.n_units, n_speakers=count_speakers(solution, part))
    if not entries:
        return Ranking(lines=(), evidence=evidence, sentence=describe_lead((), evidence))
    replicates = cache.replicates(connection, solution, part, [_answers_digest(entry.best, part) for entry in entries])
    indices = [index for index, entry in enumerate(entries) if not entry.team.is_baseline]
    f1 = np.array([entries[index].best.macro_f1 for index in indices])
    statements = compare_teams(f1, replicates[:, indices], evidence) if rules.is_tested else None
    by_rank = _ranks([entries[index] for index in indices], rules)
    lines = [
        _build_line(entry, by_rank.get(entry.team.name), draws.interval(column))
        for entry, column in zip(entries, replicates.T, strict=True)
    ]
    for place, index in enumerate(indices):
        lines[index] = lines[index] if statements is None else _add_statement(lines[index], statements, place)
    ranked = [lines[index] for index in indices]
    sentence = describe_lead(ranked, evidence) if rules.is_tested else _untested_sentence(ranked, rules, evidence)
    return Ranking(lines=tuple(lines), evidence=evidence, sentence=sentence)


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
        best=entry.best.number,
        n_attempts=len(entry.attempts),
        n_allowed=entry.team.n_allowed,
        model=entry.best.model,
        attempts=entry.attempts,
    )


def _add_statement(line: Standing, statements: RankStatements, place: int) -> Standing:
    low, high = statements.low[place], statements.high[place]
    return replace(line, rank_low=low, rank_high=high, letters=statements.letters[place], could_be_first=low == 1)


def _untested_sentence(lines: Sequence[Standing], rules: Rules, evidence: Evidence) -> str:
    if len(lines) < 2:
        return describe_lead(lines, evidence)
    first = [line.shown_as for line in lines if line.rank == 1]
    verb = "is" if len(first) == 1 else "are"
    return f"{', '.join(first)} {verb} first by {rules.metric_name}; this metric has no test of whether that is chance."
