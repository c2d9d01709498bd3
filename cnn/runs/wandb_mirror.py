"""Mirror of a training at W&B, online or offline, and later upload. It never asks, and never stops or delays a training.

A copy begins with the first epoch. From the run folder `arena wandb sync` later sends what W&B did not take, or what was
trained offline.
"""

from __future__ import annotations

import functools
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cnn.config import RunConfig, reset_config
from cnn.errors import ConfigError, RunError
from cnn.overrides import config_from_dict
from cnn.runs.folder import EpochRow, RunFolder
from cnn.runs.marks import lock_run
from cnn.runs.wandb_client import (
    abandon_run,
    begin_copy,
    close_run,
    find_deleted,
    format_error,
    is_logged_in,
    log_epoch,
    record_copy,
    send_run,
    start_run,
    stop_service,
)
from cnn.runs.wandb_record import Copy, find_id, format_name, read_copy

MODES = ("auto", "online", "offline", "off")
_PAUSE_S = 600  # before the next attempt after W&B was not reached: every wait is a training's time
_WAIT_S = 120.0  # limit for the later upload of one run
_MAX_FAILURES = 3  # in a row: W&B is down, and each attempt costs its wait

_offline_until = 0.0  # monotonic clock; runs start offline until then


def check_mode(mode: str) -> None:
    """Raise ConfigError if `mode` is none of MODES."""
    if mode not in MODES:
        raise ConfigError(f"--wandb is one of {', '.join(MODES)}, not {mode!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """The address and name of a run's copy at W&B."""

    mode: str = "auto"
    group: str = ""  # the study; empty: the variant
    job_type: str = "training"
    id: str = ""  # id from W&B's sweep; empty: one of its own
    name: str = ""  # empty: net, variant and what differs from their defaults
    project: str = ""  # empty: WANDB_PROJECT, or arena
    entity: str = ""  # empty: WANDB_ENTITY, or the account's own
    on_stop: Callable[[], None] = field(default=lambda: None, compare=False)  # Stop was pressed in W&B

    def make_copy(self, folder: RunFolder, config: RunConfig, mode: str) -> Copy:
        """Return this destination as recorded in the run folder of `config`."""
        return Copy(
            mode=mode,
            id=self.id or find_id(folder),
            project=self.project or os.environ.get("WANDB_PROJECT", "arena"),
            entity=self.entity or os.environ.get("WANDB_ENTITY", ""),
            group=self.group or config.variant,
            job_type=self.job_type,
            name=self.name or format_name(f"{config.model.label}.{config.variant}", config, _defaults(config)),
        )


def _defaults(config: RunConfig) -> RunConfig:
    return reset_config(config)


class Mirror:
    """Copy of one run at W&B, opened when the first epoch is logged, if not before."""

    def __init__(self, destination: Destination, config: RunConfig, folder: Path, say: Callable[[str], None]) -> None:
        check_mode(destination.mode)
        self._destination = destination
        self._mode = destination.mode
        self._config = config
        self._folder = RunFolder(folder)
        self._say = say
        self._run: Any = None
        self._copy: Copy | None = None  # record of a run that began
        self._name = f"{config.model.label}.{config.variant}"

    def open(self) -> None:
        """Begin the copy now; a failure turns the mirror off and says so once."""
        if self._mode == "off" or self._run is not None:
            return
        try:
            self._folder.path.mkdir(parents=True, exist_ok=True)
            self._open()
            rows = self._folder.epochs()
        except Exception as error:  # W&B unreachable, out of disk or broken must not stop a training
            self._turn_off(error)
        else:
            self._log(rows)  # also epochs that W&B lacks after a kill

    def log(self, row: EpochRow) -> None:
        """Send one epoch; a failure turns the mirror off and says so once."""
        self.open()
        self._log([row])

    def _log(self, rows: Sequence[EpochRow]) -> None:
        """Send the epochs that W&B lacks."""
        try:
            for row in rows if self._run is not None else ():
                log_epoch(self._run, row)
        except Exception as error:
            self._turn_off(error)

    def _turn_off(self, error: Exception) -> None:
        self._say(f"W&B mirror off for {self._name}: {format_error(error)}; `arena wandb sync` sends it later")
        self._mode, self._run = "off", None

    def finish(self, folder: RunFolder) -> None:
        """Send the result, close, and record the copy in the run folder. The caller holds its lock.

        Opens the mirror if need be: a run killed after its last epoch has no epoch to log.
        """
        if self._mode == "off":
            return
        try:
            result = folder.result()
            if self._run is None and result and result.n_epochs:
                self.log(folder.epochs()[-1])
            if self._run is None or self._copy is None:
                return
            url = self._run.url or "" if self._mode == "online" else ""
            in_time = close_run(self._run, folder, result)
            if not in_time:
                self._say(f"W&B did not take all of {self._name} in time; `arena wandb sync` sends the rest")
            if result:
                record_copy(folder, replace(self._copy, url=url, sent=in_time and self._mode == "online"))
        except Exception as error:  # W&B must not turn a finished training into a failed one
            self._say(f"W&B mirror of {self._name} not closed: {format_error(error)}")

    def fail(self, error: Exception) -> None:
        """Close the copy of a run whose training raised `error`, unless it has a result (see `finish`)."""
        if self._run is None or self._folder.state().is_finished:
            return
        run, self._mode, self._run = self._run, "off", None
        try:
            abandon_run(run, format_error(error))
        except Exception as failure:
            self._say(f"W&B mirror of {self._name} not closed: {format_error(failure)}")

    def _open(self) -> None:
        global _offline_until
        if self._mode != "online":
            is_wished = self._mode == "auto" and os.environ.get("WANDB_MODE", "online") == "online"
            self._mode = "online" if is_wished and is_logged_in() else "offline"
        if self._mode == "online" and time.monotonic() < _offline_until:
            self._mode = "offline"
        try:
            self._begin()
        except Exception as error:
            if self._mode == "offline":
                raise
            _offline_until = time.monotonic() + _PAUSE_S
            later = "send it later with `arena wandb sync`"
            self._say(f"W&B not reached for {self._name}, kept offline: {format_error(error)}; {later}")
            stop_service()
            self._mode = "offline"
            self._begin()

    def _begin(self) -> None:
        copy = self._destination.make_copy(self._folder, self._config, self._mode)
        start = functools.partial(
            start_run, config=self._config, files_dir=self._folder.path, on_stop=self._destination.on_stop
        )
        self._copy, self._run = begin_copy(self._folder, copy, start)


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
