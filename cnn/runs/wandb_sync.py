"""What W&B does not have yet, sent from the run folders: runs trained offline, or while W&B was down."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.errors import RunError
from cnn.overrides import config_from_dict
from cnn.runs.folder import RunFolder, locked
from cnn.runs.wandb_client import is_logged_in, send
from cnn.runs.wandb_record import Copy, copy_of

_WAIT_S = 120.0  # for W&B to take one run
_MAX_FAILURES = 3  # in a row: W&B is down, and each costs its wait


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """One run that is now in W&B."""

    run: str
    url: str


def check_login() -> None:
    """Raises RunError when W&B would ask who we are."""
    if not is_logged_in():
        raise RunError(
            "not logged in to W&B: run `wandb login`, or set WANDB_API_KEY (and WANDB_BASE_URL for a server of your own), "
            "and send again"
        )


def send_all(
    unsent: Sequence[tuple[RunFolder, Copy]], advance: Callable[[int, str], None], say: Callable[[str], None]
) -> list[Sent]:
    """Send runs one after another; what was sent stays sent, however this ends.

    Raises:
        RunError: some could not be sent, or three in a row.
    """
    sent: list[Sent] = []
    failures: list[str] = []
    in_a_row = 0
    with tempfile.TemporaryDirectory(prefix="arena-wandb-") as place:
        for run, copy in unsent:
            try:
                sent.append(Sent(run=run.digest, url=_send(run, copy, Path(place))))
                in_a_row = 0
            except ConnectionError as error:
                failures.append(str(error))
                in_a_row += 1
                say(f"not sent: {run.path}: {error}")
                if in_a_row >= _MAX_FAILURES:
                    break
            advance(1, copy.group)
    if failures:
        n_left = len(unsent) - len(sent)
        raise RunError(f"{n_left} of {len(unsent)} runs are not sent, the first because {failures[0]}; send them again later")
    return sent


def _send(run: RunFolder, copy: Copy, place: Path) -> str:
    with locked(run):
        now = copy_of(run) or copy
        if now.sent:  # by another `arena wandb sync` meanwhile
            return now.url
        return send(run, now, config_from_dict(run.config()), place, _WAIT_S)
