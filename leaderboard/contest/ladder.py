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


def find_shown_numbers(solution: Solution, drawn: Resamples, predicted: Sequence[Indices]) -> list[int]:
    """For each attempt, by number, the number of the one whose public score is shown for it."""
    if not predicted:
        return []
    truth, n_classes = solution.truth[drawn.rows], len(solution.labels)
    scores = [macro_f1(confusion_matrix(truth, one[drawn.rows], n_classes)) for one in predicted]
    replicates = drawn.macro_f1(np.stack(predicted))  # (R, attempts)
    shown = [0]
    for at in range(1, len(predicted)):
        last = shown[-1]
        error = standard_error(replicates[:, [at, last]], drawn.n_units)
        shown.append(at if scores[at] > scores[last] + error else last)
    return [at + 1 for at in shown]


def update_shown_numbers(connection: Connection, cache: ContestCache, solution: Solution, team_id: int) -> None:
    """Decide anew which public scores of a team are shown, after its attempts or their scores have changed."""
    columns = schema.attempts.c
    rows = connection.execute(
        select(*columns["id", "submission_digest"]).where(columns.team_id == team_id).order_by(columns.number)
    )
    found = rows.all()
    predicted = read_predicted(connection, [row.submission_digest for row in found])
    drawn = cache.resamples(solution, Part.PUBLIC)
    for row, shown in zip(
        found, find_shown_numbers(solution, drawn, [predicted[row.submission_digest] for row in found]), strict=True
    ):
        connection.execute(update(schema.attempts).where(columns.id == row.id).values(shown_number=shown))
