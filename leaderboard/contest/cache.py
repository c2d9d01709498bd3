"""Cache of a contest in one process. Every value in it can be read or computed again from the database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import Connection

from arena.base.resamples import Resamples
from arena.base.scores import Values
from leaderboard.database.rows import (
    read_attempts,
    read_content,
    read_hidden_predicted,
    read_predicted,
    read_revision,
    read_rules,
)
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.rules import Rules
from leaderboard.scoring.custom_metric import Metric, load_metric
from leaderboard.scoring.grading import draw_resamples
from leaderboard.standings import Attempt, Part
from leaderboard.string_scores import replicate_scores

T = TypeVar("T")
Scorer = tuple[Solution, Metric | None, str]  # the host's own metric, if any, and the name of the contest's


@dataclass(kw_only=True, slots=True)
class ContestCache:
    """Two caches: values by the digests of their inputs, for good, and values of the contest's current revision.

    Threads may share it: one computes, the others wait for its value.
    """

    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _by_digest: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    _revision: str = ""
    _current: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def get_current(self, connection: Connection, key: Hashable, compute: Callable[[], T]) -> T:
        """Return a value of the revision that `connection` sees; any change of the contest drops it."""
        revision = read_revision(connection)
        with self._lock:
            if revision != self._revision:
                self._revision, self._current = revision, {}
            return _get(self._current, key, compute)

    def attempts(self, connection: Connection, part: Part) -> dict[int, tuple[Attempt, ...]]:
        """Return all attempts by team id, by number."""
        return self.get_current(connection, ("attempts", part), lambda: read_attempts(connection, part))

    def solution(self, connection: Connection, digest: str) -> Solution:
        """Return the solution of that digest."""
        with self._lock:
            return _get(self._by_digest, digest, lambda: parse_solution(read_content(connection, digest), "solution.csv"))

    def metric(self, connection: Connection, digest: str | None) -> Metric | None:
        """Return the host's own metric of that digest; None for none."""
        if digest is None:
            return None
        with self._lock:
            return _get(self._by_digest, digest, lambda: load_metric(read_content(connection, digest), "metric.py"))

    def scorer(self, connection: Connection, rules: Rules) -> Scorer:
        """Return the solution and the metric that grade a submission."""
        metric = self.metric(connection, rules.metric_digest)
        return self.solution(connection, rules.solution_digest), metric, rules.metric_name

    def resamples(self, solution: Solution, part: Part) -> Resamples:
        """Return the draws of a part of the solution, the same for all teams."""
        with self._lock:
            return _get(self._by_digest, (solution.digest, part), lambda: draw_resamples(solution, part))

    def replicates(self, connection: Connection, solution: Solution, part: Part, digests: Sequence[str]) -> Values:
        """Return (R, T) scores of each resample for each submission; those that are missing are computed together.

        In the hidden part the digests are those of models, and one that never answered it has scores of 0.
        """
        keys = [(solution.digest, part, digest) for digest in digests]
        with self._lock:
            draws = self.resamples(solution, part)
            missing = list(dict.fromkeys(key[-1] for key in keys if key not in self._by_digest))
            if missing:
                if part is Part.HIDDEN:
                    predicted = read_hidden_predicted(connection, solution.digest, missing)
                else:
                    predicted = read_predicted(connection, missing)
                if predicted:
                    name = read_rules(connection).metric_name
                    columns = replicate_scores(draws, solution.truth, np.stack(list(predicted.values())), name).T
                    for digest, column in zip(predicted, columns, strict=True):
                        self._by_digest[solution.digest, part, digest] = column.copy()
            zeros = np.zeros(len(draws.weights))
            return np.stack([self._by_digest.get(key, zeros) for key in keys], axis=1)


def _get(values: dict[Hashable, Any], key: Hashable, compute: Callable[[], T]) -> T:
    if key not in values:
        values[key] = compute()
    value: T = values[key]
    return value
