"""Waiting out a storage that cannot be reached: again and again, ever slower, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sweeps.errors import StudyError, UnreachableError

PATIENCE_S = 300.0  # less than a lease lasts: who is back within it still holds its trial
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 10.0

T = TypeVar("T")


def patiently(action: Callable[[], T], say: Callable[[str], None]) -> T:
    """What `action` comes to; it is done again while the storage cannot be reached, so it must bear being done twice.

    Raises:
        StudyError: the storage was not to be reached for PATIENCE_S.
    """
    wait_s, began = FIRST_WAIT_S, time.monotonic()
    while True:
        try:
            return action()
        except UnreachableError as error:
            minutes = f"{PATIENCE_S / 60:.0f} minutes"
            if time.monotonic() - began >= PATIENCE_S:
                raise StudyError(f"{error}, for {minutes}; start the agent again later: nothing is lost") from error
            if wait_s == FIRST_WAIT_S:
                say(f"{error}; trying again for up to {minutes}")
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
