"""Ladder mode: a public score is shown only when it beats the one shown before by its paired standard error.

Blum and Hardt 2015, "The Ladder: a reliable leaderboard for machine learning competitions", algorithm 2 (without parameters),
with the standard error of a difference of macro-F1 by paired resamples, since macro-F1 is no mean over rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, select, update

from arena.base.resamples import Resamples
from arena.base.scores import Indices, confusion_matrix, macro_f1
from leaderboard.contest.cache import ContestCache
from leaderboard.database import schema
from leaderboard.database.rows import read_predicted
from leaderboard.files.solution import Solution
from leaderboard.scoring.significance import standard_error
from leaderboard.standings import Part


def find_shown_numbers(solution: Solution, draws: Resamples, predicted: Sequence[Indices]) -> list[int]:
    """Return, for each attempt that counts, in order, which of them (from 1) lends it the public score that is shown."""
    if not predicted:
        return []
    truth, n_classes = solution.truth[draws.rows], len(solution.labels)
    scores = [macro_f1(confusion_matrix(truth, classes[draws.rows], n_classes)) for classes in predicted]
    replicates = draws.macro_f1(np.stack(predicted))  # (R, attempts)
    numbers = [0]
    for index in range(1, len(predicted)):
        last = numbers[-1]
        error = standard_error(replicates[:, [index, last]], draws.n_units)
        numbers.append(index if scores[index] > scores[last] + error else last)
    return [index + 1 for index in numbers]


def update_shown_numbers(connection: Connection, cache: ContestCache, solution: Solution, team_id: int) -> None:
    """Choose again which public scores of a team are shown, after its attempts or their scores have changed.

    A voided attempt keeps its score and lends it to none.
    """
    columns = schema.attempts.c
    of_team = (columns.team_id == team_id) & columns.voided_at.is_(None)
    query = select(*columns["id", "number", "shown_number", "submission_digest"]).where(of_team).order_by(columns.number)
    rows = connection.execute(query).all()
    predicted = read_predicted(connection, [row.submission_digest for row in rows])
    draws = cache.resamples(solution, Part.PUBLIC)
    numbers = find_shown_numbers(solution, draws, [predicted[row.submission_digest] for row in rows])
    for row, index in zip(rows, numbers, strict=True):
        number = rows[index - 1].number
        if number != row.shown_number:
            connection.execute(update(schema.attempts).where(columns.id == row.id).values(shown_number=number))
