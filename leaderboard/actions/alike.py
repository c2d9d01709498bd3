"""Answers alike: attempts of different teams that are equal, or agree more than nets that know nothing of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from leaderboard.database.rows import read_predicted, read_rules, read_teams
from leaderboard.errors import ContestError
from leaderboard.scoring.likeness import Likeness, compare_attempts
from leaderboard.standings import Attempt, Part
from leaderboard.store import Contest
from leaderboard.teams import Team


@dataclass(frozen=True, kw_only=True, slots=True)
class AlikePair:
    """The most alike attempts of two teams. It says what agrees, never why."""

    teams: tuple[str, str]
    numbers: tuple[int, int]  # the attempts' own, from 1
    is_same_file: bool  # byte for byte
    is_alike: bool  # equal, or beyond what the other pairs of the contest explain
    n_rows: int  # scored ones
    n_equal: int
    n_wrong: tuple[int, int]
    n_same_wrong: int
    n_expected: float  # same wrong answers if both worked alone
    p: float


def find_alike(contest: Contest) -> Sequence[AlikePair]:
    """Return a pair of attempts for each two teams, the most alike first; private rows count too."""
    with contest.database.read() as connection:
        return contest.cache.get_current(connection, "alike", lambda: _compare(contest, connection))


def _compare(contest: Contest, connection: Connection) -> Sequence[AlikePair]:
    attempts = contest.cache.attempts(connection, Part.PUBLIC)
    entries = [(team, attempt) for team in read_teams(connection) for attempt in attempts.get(team.id, ())]
    rules = read_rules(connection)
    if rules.has_strings:
        raise ContestError("answers alike are found by their labels, and a contest of strings stores their errors alone")
    if not entries:
        return ()
    solution = contest.cache.solution(connection, rules.solution_digest)
    predicted = read_predicted(connection, list({attempt.digest for _, attempt in entries}))
    answers = np.stack([predicted[attempt.digest] for _, attempt in entries])[:, solution.scored]
    teams = [team.id for team, _ in entries]
    lines = compare_attempts(answers, solution.truth[solution.scored], teams, len(solution.labels))
    return tuple(_build_pair(line, entries[line.first], entries[line.second]) for line in lines)


def _build_pair(line: Likeness, first: tuple[Team, Attempt], second: tuple[Team, Attempt]) -> AlikePair:
    return AlikePair(
        teams=(first[0].name, second[0].name),
        numbers=(first[1].number, second[1].number),
        is_same_file=first[1].digest == second[1].digest,
        is_alike=line.is_alike,
        n_rows=line.n_rows,
        n_equal=line.n_equal,
        n_wrong=line.n_wrong,
        n_same_wrong=line.n_same_wrong,
        n_expected=line.n_expected,
        p=line.p,
    )
