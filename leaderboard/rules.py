"""The rules of a contest as its host has set them, and the check that it takes submissions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from leaderboard.deadline import describe
from leaderboard.errors import ContestClosed

N_REFUSALS_PER_HOUR = 60  # files that cannot be scored

MACRO_F1, EXACT_MATCH, DIGIT_ERROR_RATE = "macro-F1", "exact match", "digit error rate"
STRING_METRICS = {"exact-match": EXACT_MATCH, "digit-error-rate": DIGIT_ERROR_RATE}  # by what `--metric` takes


class Ties(StrEnum):
    """Ranking of equal scores."""

    SHARE = "share"  # one rank for both
    EARLIER = "earlier"  # the one whose attempt arrived first stands above


class DetailsFrom(StrEnum):
    """Moment from which a team sees confusion matrices, scores by class and mistakes: each is an oracle of the labels."""

    CLOSE = "close"  # when the host has closed the contest
    DURING = "during"


class RankBy(StrEnum):
    """Score that decides the ranking of a contest of models."""

    SCORE = "score"  # the submission's
    HIDDEN = "hidden"  # the model's, on recordings that nobody was given


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The host's decisions, as read at one moment."""

    name: str
    created_at: datetime  # UTC
    deadline: datetime | None  # UTC, the last moment that counts
    closed_at: datetime | None  # UTC; from then on private scores decide and are shown
    solution_digest: str
    metric_digest: str | None  # SHA-256 of the host's own metric; None: macro-F1
    metric_name: str
    is_lower_better: bool
    ties: Ties
    is_ladder: bool  # a public score is shown only when it beats the one shown before by its standard error
    n_refusals_per_hour: int
    details: DetailsFrom = DetailsFrom.CLOSE
    rank_by: RankBy = RankBy.SCORE
    hidden_digest: str | None = None  # SHA-256 of the solution of recordings that nobody was given
    rate_hz: int | None = None  # rate of the test recordings; None: unknown
    bonus: float = 10.0  # points of the gradebook for the first rank
    webhook: str | None = None
    overview: dict[str, Any] | None = None  # the host's own texts of the site

    @property
    def has_strings(self) -> bool:
        """Return whether answers are strings of digits, which have no matrix of classes."""
        return self.metric_name in STRING_METRICS.values()

    @property
    def is_tested(self) -> bool:
        """Return whether differences of the ranked score can be tested: no resamples are of a host's own metric."""
        return self.metric_digest is None

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    def find_deadline(self, team_deadline: datetime | None) -> datetime | None:
        """Return the last moment that counts for a team: its own where it is the later one."""
        if self.deadline is None or team_deadline is None:
            return self.deadline
        return max(self.deadline, team_deadline)

    def is_open(self, now: datetime, team_deadline: datetime | None = None) -> bool:
        """Return True if a submission that arrives `now` counts; the deadline itself still does."""
        deadline = self.find_deadline(team_deadline)
        return not self.is_closed and (deadline is None or now <= deadline)

    def check_open(self, now: datetime, team_deadline: datetime | None) -> None:
        """Refuse a submission of a team that arrives too late.

        Raises:
            ContestClosed: the host closed the contest, or `now` is after the deadline.
        """
        if self.is_open(now, team_deadline):
            return
        if self.closed_at is not None:
            raise ContestClosed(f"the contest was closed by its host at {describe(self.closed_at)}; no file is scored any more")
        deadline = self.find_deadline(team_deadline)
        assert deadline is not None
        whose = "the contest" if deadline == self.deadline else "the contest, with the time that its host gave your team,"
        raise ContestClosed(f"{whose} closed at {describe(deadline)} and it is {describe(now)}; ask its host for more time")


def shows_details(rules: Rules) -> bool:
    """Return True if teams see more than score, interval and rank now: matrices, scores by class, other metrics, all digits."""
    return rules.is_closed or rules.details is DetailsFrom.DURING
