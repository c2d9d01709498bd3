"""Details of an attempt: its confusion matrix and every score computed from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, select

from arena.base.scores import Counts, Interval, f1, precision, recall
from leaderboard.database import schema
from leaderboard.standings import Attempt, Part


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassScores:
    """The scores of one class."""

    label: str
    n_rows: int  # in the truth
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Details:
    """Scores of an attempt on one part of the solution."""

    attempt: Attempt
    interval: Interval  # interval of macro-F1
    weighted_f1: float  # mean over classes, weighted by their numbers of rows
    classes: tuple[ClassScores, ...]  # K, in the order of the labels
    confusion: tuple[tuple[int, ...], ...]  # (K, K) row: truth, column: prediction


def read_confusion(connection: Connection, team_id: int, number: int, part: Part) -> Counts:
    """Read the (K, K) matrix of an attempt."""
    columns = schema.attempts.c
    query = select(columns[f"confusion_{part}"]).where(columns.team_id == team_id, columns.number == number)
    return np.array(connection.scalar(query), dtype=np.int64)


def compute_details(attempt: Attempt, confusion: Counts, labels: tuple[str, ...], interval: Interval) -> Details:
    """Compute every score of an attempt from its matrix."""
    by_class = zip(labels, confusion.sum(axis=1), precision(confusion), recall(confusion), f1(confusion), strict=True)
    classes = tuple(
        ClassScores(label=label, n_rows=int(n), precision=float(p), recall=float(r), f1=float(score))
        for label, n, p, r, score in by_class
    )
    n_rows = int(confusion.sum())
    return Details(
        attempt=attempt,
        interval=interval,
        weighted_f1=sum(scores.f1 * scores.n_rows for scores in classes) / n_rows if n_rows else 0.0,
        classes=classes,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )
