"""Bodies of the JSON API, as its OpenAPI document describes them. Scores are unrounded, times are UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import AliasPath, BaseModel, ConfigDict, Field, create_model

from arena.base.scores import Interval
from leaderboard.contest.attempt_details import ClassScores
from leaderboard.pages.host_page import HostLine
from leaderboard.standings import METRICS, AttemptModel, Luck, ModelState


class _Model(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class FaultOut(_Model):
    """One more thing that is wrong with a file, and its line, from 1."""

    message: str
    line: int | None


class ErrorOut(_Model):
    """The reason of a refusal. `error` is one word: invalid, contradiction, model, too_large, limit, refusals, closed,
    team, name, token, ...

    For a file, `message` and `line` are those of the first fault; `others` are the next, nine at most.
    """

    error: str
    message: str
    line: int | None = None
    others: list[FaultOut] = []
    retry_after_s: int | None = None


class DownloadOut(_Model):
    """A file that the site hands out, below /downloads/; `digest` is its SHA-256."""

    name: str
    description: str
    size_bytes: int
    digest: str


class AnnouncementOut(_Model):
    """A message of the host in Markdown."""

    id: int
    text: str
    made_at: datetime


class ContestOut(_Model):
    name: str
    metric: str
    is_lower_better: bool
    deadline: datetime | None
    is_open: bool
    is_closed_by_host: bool
    labels: list[str]
    n_rows: int
    has_private_rows: bool
    n_teams: int
    max_file_bytes: int
    max_model_bytes: int
    downloads: list[DownloadOut]
    announcements: list[AnnouncementOut]


def _with_metrics(base: type[_Model]) -> Any:
    """Return a model with the fields of `base`, then one for each metric of the table, null where it is not shown."""
    fields = {
        metric.key: (float | None, Field(default=None, validation_alias=AliasPath("metrics", metric.key))) for metric in METRICS
    }
    return create_model("_WithMetrics", __base__=base, **fields)  # type: ignore[call-overload]


class _LineScores(_Model):
    rank: int | None  # null: a baseline, out of rank
    rank_low: int | None  # ranks that chance leaves open, for all teams at once with 95 %; null: not tested
    rank_high: int | None
    letters: str  # teams that share a letter cannot be told apart
    could_be_first: bool
    luck: Luck | None  # in the first score, once the host has closed the contest
    name: str
    score: float
    final: float | None
    low: float
    high: float


class LineOut(_with_metrics(_LineScores)):  # type: ignore[misc]
    n_attempts: int
    sent_at: datetime
    model: ModelState | Literal[""]


class StandingsOut(_Model):
    metric: str
    is_final: bool
    smallest_difference: float | None  # difference of scores that tells most pairs of the better half apart; null: not tested
    lines: list[LineOut]


class _AttemptScores(_Model):
    number: int
    score: float
    macro_f1: float


class AttemptOut(_with_metrics(_AttemptScores)):  # type: ignore[misc]
    arrived_at: datetime
    digest: str
    file_name: str
    is_shown: bool
    note: str | None  # the team's own words
    voided_at: datetime | None  # when the host took it out of the ranking; null: it counts
    model: AttemptModel | None


class DetailsOut(_Model):
    attempt: AttemptOut
    interval: Interval
    weighted_f1: float | None
    classes: list[ClassScores] | None
    confusion: list[list[int]] | None


class PseudonymIn(_Model):
    """The name that others see in place of the team's own; null or blank: the team's own."""

    pseudonym: str | None = Field(max_length=200)


class TeamOut(_Model):
    team: str
    pseudonym: str | None  # the public name
    n_allowed: int
    n_left: int
    deadline: datetime | None  # the last moment that counts for this team
    attempts: list[AttemptOut]


class ModelOut(_Model):
    """A model that was taken; `is_new` is false where the attempt's last model was this file."""

    team: str
    attempt: int
    model: AttemptModel
    is_new: bool


class ReceiptOut(_Model):
    team: str
    metric: str
    attempt: AttemptOut
    interval: Interval
    is_new: bool
    n_left: int
    rank: int | None  # null: a baseline, or no attempt of the team counts
    n_ranked: int
    notes: list[str]  # on what is odd in a file that was scored now


class CheckedOut(_Model):
    file_name: str
    n_rows: int
    has_probabilities: bool
    repeats: int | None  # number of the team's attempt with the same labels
    model_name: str | None  # name of the ONNX file beside the submission
    notes: list[str]  # on what is odd in the file


class LogOut(_Model):
    action: str
    actor: str
    team: str | None
    change: str  # the values before and after
    reason: str
    done_at: datetime


class ActIn(_Model):
    """An act of a host; `team` with acts on a team alone."""

    reason: str = Field(max_length=500)
    team: str | None = Field(default=None, max_length=200)
    value: str | int = Field(default="", union_mode="left_to_right")
    yes: bool = False  # close also with 0 for teams whose models were not run


class ActOut(_Model):
    """The line of the log, null where everything was so already; a new token, shown this once."""

    entry: LogOut | None
    token: str | None


class HostOut(_Model):
    teams: list[HostLine]
    log: list[LogOut]
