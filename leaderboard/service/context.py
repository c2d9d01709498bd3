"""State that all requests share: the open contest, its settings and the count of wrong tokens."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from zoneinfo import ZoneInfo

import anyio
import anyio.to_thread

from leaderboard.actions.host_tokens import find_host
from leaderboard.errors import LeaderboardError
from leaderboard.files.csv_table import MAX_BYTES
from leaderboard.files.onnx_check import MAX_MODEL_BYTES
from leaderboard.hosts import Host, Right
from leaderboard.messages import Translatable, message
from leaderboard.service.security import Failures
from leaderboard.store import Contest, open_contest
from leaderboard.teams import Team

T = TypeVar("T")
_OLD_HOST_TOKEN = re.compile("host_[0-9a-f]{40}")  # tokens of version 2 and earlier, derived from the contest's secret
_N_SCORED_AT_ONCE = 2  # one computes while another waits for the disk; more would only share one interpreter


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceSettings:
    """Settings of the service."""

    where: str = field(repr=False)  # a SQLite file or a URL, which may hold a password
    root: str = ""  # path of the contest behind its proxy, without a trailing slash
    zone: str | None = None  # the host's time zone; None: this machine's
    is_https: bool = False  # browsers reach it by https only
    max_bytes: int = MAX_BYTES  # limit of a submission
    max_model_bytes: int = MAX_MODEL_BYTES
    mail_password: str | None = field(default=None, repr=False)  # password of the account that a webhook by mail sends from


class TokenRefused(LeaderboardError):
    """No token, an unknown token, or too many wrong tokens before it."""

    def __init__(self, message: Translatable, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class NoSuchAttempt(LeaderboardError):
    """An attempt number that the team has not reached."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Service:
    """A running service and its contest."""

    settings: ServiceSettings
    contest: Contest
    key: bytes = field(repr=False)  # the contest's secret
    folder: Path  # the service's own, for downloads
    failures: Failures = field(default_factory=Failures)
    _scoring: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(_N_SCORED_AT_ONCE))

    @property
    def zone(self) -> tzinfo | None:
        return ZoneInfo(self.settings.zone) if self.settings.zone else None

    def now(self) -> datetime:
        return datetime.now(UTC)

    def shows_private(self, host: Host) -> bool:
        """Return True if there are private scores and this host may see them."""
        return self.contest.solution.has_private and host.may(Right.VIEW_PRIVATE)

    def identify(self, token: str) -> Team | Host:
        """Return the holder of a token.

        Raises:
            TokenRefused: the token is unknown.
        """
        holder = self._find_holder(token)
        if holder is None:
            if _OLD_HOST_TOKEN.fullmatch(token):
                raise TokenRefused(message("host_token_old"))
            raise TokenRefused("this token is not known here; copy it again, or ask the host for a new one")
        return holder

    def sign_in(self, token: str) -> Team | Host:
        """Return the holder of a token that was typed in; wrong ones are counted.

        Raises:
            TokenRefused: the token is unknown, and where many like it were, with the time to wait.
        """
        try:
            return self.identify(token)
        except TokenRefused as error:
            if wait_s := self.failures.record(token, time.monotonic()):
                raise TokenRefused("too many wrong tokens like this one were tried; wait and try again", wait_s) from error
            raise

    def _find_holder(self, token: str) -> Team | Host | None:
        return find_host(self.contest, token) or self.contest.find_team_by_token(token, self.now())

    async def run_scoring(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread, at most `_N_SCORED_AT_ONCE` at a time, and return its result."""
        return await anyio.to_thread.run_sync(work, limiter=self._scoring)


@contextmanager
def open_service(settings: ServiceSettings) -> Iterator[Service]:
    """Open the contest and yield its service.

    Raises:
        ContestError: there is no such contest.
    """
    with open_contest(settings.where) as contest, TemporaryDirectory(prefix="arena-") as folder:
        yield Service(settings=settings, contest=contest, key=contest.secret_key(), folder=Path(folder))
