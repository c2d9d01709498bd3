"""Later upload to W&B from run folders, for runs that were trained offline or while W&B was down."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.errors import RunError
from cnn.overrides import config_from_dict
from cnn.runs.folder import RunFolder
from cnn.runs.marks import lock_run
from cnn.runs.wandb_client import find_deleted, is_logged_in, send_run
from cnn.runs.wandb_record import Copy, read_copy

_WAIT_S = 120.0  # limit for the upload of one run
_MAX_FAILURES = 3  # in a row: W&B is down, and each attempt costs its wait


@dataclass(frozen=True, kw_only=True, slots=True)
class SentRun:
    """One run that W&B has now."""

    run: str
    url: str


def check_credentials() -> None:
    """Raise RunError if W&B would ask for credentials."""
    if not is_logged_in():
        raise RunError(
            "not logged in to W&B: run `wandb login`, or set WANDB_API_KEY (and WANDB_BASE_URL for a server of your own), "
            "and send again"
        )


def list_deleted(complete: Sequence[tuple[RunFolder, Copy]]) -> list[tuple[RunFolder, Copy]]:
    """Return those runs that W&B had and has no longer."""
    projects: dict[tuple[str, str], list[Copy]] = {}
    for _, copy in complete:
        projects.setdefault((copy.entity, copy.project), []).append(copy)
    deleted = {project: find_deleted(copies) for project, copies in projects.items()}
    return [(run, copy) for run, copy in complete if copy.id in deleted[copy.entity, copy.project]]


def send_all(
    unsent: Sequence[tuple[RunFolder, Copy]], advance: Callable[[int, str], None], say: Callable[[str], None]
) -> list[SentRun]:
    """Send runs one after another; an error leaves those that are sent recorded as sent.

    Raises:
        RunError: some could not be sent, or three in a row.
    """
    uploads: list[SentRun] = []
    failures: list[str] = []
    in_a_row = 0
    with tempfile.TemporaryDirectory(prefix="arena-wandb-") as files_dir:
        for run, copy in unsent:
            try:
                uploads.append(SentRun(run=run.digest, url=_send(run, copy, Path(files_dir))))
                in_a_row = 0
            except ConnectionError as error:
                failures.append(str(error))
                in_a_row += 1
                say(f"not sent: {run.path}: {error}")
                if in_a_row >= _MAX_FAILURES:
                    break
            advance(1, copy.group)
    if failures:
        n_left = len(unsent) - len(uploads)
        raise RunError(f"{n_left} of {len(unsent)} runs are not sent, the first because {failures[0]}; send them again later")
    return uploads


def _send(run: RunFolder, copy: Copy, files_dir: Path) -> str:
    with lock_run(run):
        current = read_copy(run) or copy
        if current.sent and current != copy:  # by another `arena wandb sync` meanwhile
            return current.url
        return send_run(run, current, config_from_dict(run.config()), files_dir, _WAIT_S)
