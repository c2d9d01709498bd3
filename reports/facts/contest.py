"""Values of the section on the contest as plain frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leaderboard.standings import MetricColumn, Standing, list_metrics

_SAME = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class ContestFacts:
    """The contest as its standings are now."""

    name: str
    deadline: datetime | None
    standings: tuple[Standing, ...]  # `team` is the name that the page may show
    n_waiting: int  # teams without an attempt
    is_private: bool = False  # scores on the rows that teams do not see
    is_final: bool = False  # its host has closed it

    @property
    def ranked(self) -> tuple[Standing, ...]:
        """Return the standings without baselines."""
        return tuple(standing for standing in self.standings if standing.rank is not None)

    @property
    def metrics(self) -> tuple[MetricColumn, ...]:
        """Return the metrics that a team has a value of."""
        return list_metrics(*(standing.metrics for standing in self.standings))

    @property
    def has_own_metric(self) -> bool:
        """Return whether the contest ranks by a score other than macro-F1."""
        return any(abs(standing.score - standing.macro_f1) > _SAME for standing in self.standings)
