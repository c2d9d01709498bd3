"""Retry with exponential backoff, for a bounded time, while a study's storage cannot be reached."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sweeps.errors import StudyError, UnreachableError

MAX_RETRY_S = 300.0  # less than a lease lasts: an agent that succeeds within it still holds its trial
FIRST_WAIT_S, MAX_WAIT_S = 0.25, 10.0

T = TypeVar("T")


def with_retries(action: Callable[[], T], say: Callable[[str], None]) -> T:
    """Call `action`, which must be idempotent, until the storage can be reached, and return its result.

    Raises:
        StudyError: the storage could not be reached for MAX_RETRY_S.
    """
    wait_s, began = FIRST_WAIT_S, time.monotonic()
    while True:
        try:
            return action()
        except UnreachableError as error:
            minutes = f"{MAX_RETRY_S / 60:.0f} minutes"
            if time.monotonic() - began >= MAX_RETRY_S:
                raise StudyError(f"{error}, for {minutes}; start the agent again later: nothing is lost") from error
            if wait_s == FIRST_WAIT_S:
                say(f"{error}; trying again for up to {minutes}")
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, MAX_WAIT_S)
