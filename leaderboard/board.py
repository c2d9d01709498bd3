"""The ranking: who counts with which attempt, how sure each score is, and whose difference could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from arena_scores import Interval
from leaderboard.errors import ContestError
from leaderboard.grading import Part
from leaderboard.memory import Memory, Ranking
from leaderboard.records import read_revision, read_rules, read_teams
from leaderboard.rules import Rules, Ties
from leaderboard.standings import Attempt, Board, Standing, best_attempt, ranks, split_by_arrival
from leaderboard.teams import Team, name_key
from leaderboard.ties import sentence, verdicts

_NO_PRIVATE = "private standings need a Usage column in the solution and this one has none; leave out --private"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """A team with the attempt that counts for it."""

    team: Team
    attempts: tuple[Attempt, ...]  # with their scores in the part that is ranked
    counted: Attempt


def read_ranks(connection: Connection, memory: Memory, rules: Rules) -> dict[str, int]:
    """The public rank of each team that has one, by name."""
    return _ranks(_entries(connection, memory, rules, Part.PUBLIC), rules)


def public_interval(connection: Connection, memory: Memory, rules: Rules, attempts: Sequence[Attempt], number: int) -> Interval:
    """Of the public macro-F1 that is shown for one of a team's attempts."""
    solution = memory.solution(connection, rules.solution_digest)
    shown = attempts[attempts[number - 1].shown_number - 1]
    replicates = memory.replicates(connection, solution, Part.PUBLIC, [shown.digest])
    return memory.resamples(solution, Part.PUBLIC).interval(replicates[:, 0])


def read_standings(connection: Connection, memory: Memory, part: Part) -> tuple[Standing, ...]:
    """The ranking, best first, equal ranks by name: by the score in `part` of each team's best public attempt.

    Raises:
        ContestError: the private part is asked for and the solution has no Usage column.
    """
    rules = read_rules(connection)
    if part is Part.PRIVATE and not memory.solution(connection, rules.solution_digest).has_private:
        raise ContestError(_NO_PRIVATE)
    return _ranking(connection, memory, rules, part).lines


def read_board(connection: Connection, memory: Memory) -> Board:
    """What everyone may see now."""
    rules = read_rules(connection)
    solution = memory.solution(connection, rules.solution_digest)
    part = Part.PRIVATE if rules.is_closed and solution.has_private else Part.PUBLIC
    found = _ranking(connection, memory, rules, part)
    return Board(rules=rules, part=part, is_final=rules.is_closed, lines=found.lines, sentence=found.sentence)


def _ranking(connection: Connection, memory: Memory, rules: Rules, part: Part) -> Ranking:
    """The ranking of this revision, computed once in the life of a process."""
    revision = read_revision(connection)
    kept = memory.rankings.get(part)
    if kept is None or kept.revision != revision:
        lines = _standings(connection, memory, rules, part)
        told = _sentence(connection, memory, rules, part, lines)
        kept = memory.rankings[part] = Ranking(revision=revision, lines=lines, sentence=told)
    return kept


def _entries(connection: Connection, memory: Memory, rules: Rules, part: Part) -> list[_Entry]:
    public = memory.attempts(connection, Part.PUBLIC)
    shown = public if part is Part.PUBLIC else memory.attempts(connection, part)
    entries = []
    for team in read_teams(connection):
        if team.disqualified_at is None and team.id in public:
            number = best_attempt(public[team.id], rules.is_lower_better).number
            entries.append(_Entry(team=team, attempts=shown[team.id], counted=shown[team.id][number - 1]))
    return entries


def _ranks(entries: Sequence[_Entry], rules: Rules) -> dict[str, int]:
    sign = -1 if rules.is_lower_better else 1
    by_rank = ranks({entry.team.name: sign * entry.counted.score for entry in entries})
    if rules.ties is Ties.EARLIER:
        return split_by_arrival(by_rank, {entry.team.name: entry.counted.arrived_at for entry in entries})
    return by_rank


def _standings(connection: Connection, memory: Memory, rules: Rules, part: Part) -> tuple[Standing, ...]:
    entries = _entries(connection, memory, rules, part)
    if not entries:
        return ()
    by_rank = _ranks(entries, rules)
    entries.sort(key=lambda entry: (by_rank[entry.team.name], name_key(entry.team.shown_as)))  # a pseudonym tells no initial
    solution = memory.solution(connection, rules.solution_digest)
    drawn = memory.resamples(solution, part)
    replicates = memory.replicates(connection, solution, part, [entry.counted.digest for entry in entries])
    f1 = np.array([entry.counted.macro_f1 for entry in entries])
    found = verdicts(f1, replicates, drawn.n_units)
    return tuple(
        Standing(
            rank=by_rank[entry.team.name],
            team=entry.team.name,
            shown_as=entry.team.shown_as,
            score=entry.counted.score,
            macro_f1=entry.counted.macro_f1,
            accuracy=entry.counted.accuracy,
            interval=drawn.interval(column),
            is_tied_with_above=tied and rules.metric_digest is None,
            could_be_first=could and (rules.metric_digest is None or by_rank[entry.team.name] == 1),
            best=entry.counted.number,
            n_attempts=len(entry.attempts),
            n_allowed=entry.team.n_allowed,
            model=entry.counted.model,
            attempts=entry.attempts,
        )
        for entry, column, tied, could in zip(
            entries, replicates.T, found.is_tied_with_above, found.could_be_first, strict=True
        )
    )


def _sentence(connection: Connection, memory: Memory, rules: Rules, part: Part, lines: Sequence[Standing]) -> str:
    names = [line.shown_as for line in lines]
    if rules.metric_digest is not None and len(lines) > 1:
        first = [line.shown_as for line in lines if line.rank == 1]
        verb = "is" if len(first) == 1 else "are"
        return f"{', '.join(first)} {verb} first by {rules.metric_name}; this metric has no test of whether that is chance."
    scores = np.array([line.macro_f1 for line in lines])
    if len(lines) < 2:
        return sentence(names, scores, verdicts(scores, np.empty((1, len(lines))), 1), "")
    solution = memory.solution(connection, rules.solution_digest)
    drawn = memory.resamples(solution, part)
    digests = [line.attempts[line.best - 1].digest for line in lines]
    found = verdicts(scores, memory.replicates(connection, solution, part, digests), drawn.n_units)
    return sentence(names, scores, found, drawn.unit_name)
