"""Every run mirrored to W&B, online or offline: it never asks a question and never stops a training.

The only module of cnn that imports wandb, and only once a training has its first epoch.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn import config as cfg
from cnn.config import RunConfig
from cnn.errors import ConfigError
from cnn.runs import EpochRow, RunFolder, RunResult, RunState, locked
from cnn.tiles import TileSet

if TYPE_CHECKING:
    from cnn.train import Decision, Listener

MODES = ("auto", "online", "offline", "off")
_CONNECT_S = 20  # then the run is kept offline; wandb's own default waits 90 s


def is_logged_in() -> bool:
    """Whether wandb finds credentials for its server, without asking for any."""
    try:
        import wandb
        from wandb.sdk.lib import wbauth

        host = wandb.setup().settings.base_url
        return wbauth.authenticate_session(host=host, source="arena", prompt=False, update_session=False) is not None
    except Exception:  # wandb raises many kinds, and none of them is the user's concern here
        return False


def check_mode(mode: str) -> None:
    """Raises ConfigError when `mode` is none of MODES."""
    if mode not in MODES:
        raise ConfigError(f"--wandb is one of {', '.join(MODES)}, not {mode!r}")


class Mirror:
    """One run's copy in W&B, opened at the first epoch logged."""

    def __init__(self, mode: str, config: RunConfig, folder: Path, say: Callable[[str], None]) -> None:
        check_mode(mode)
        self._mode = mode
        self._config = config
        self._folder = folder
        self._say = say
        self._run: Any = None
        self._name = f"{config.model.label}.{config.variant}"

    def log(self, row: EpochRow) -> None:
        """Send one epoch; a failure turns the mirror off and says so once."""
        if self._mode == "off":
            return
        try:
            if self._run is None:
                self._open()
            self._run.log(asdict(row), step=row.epoch)
        except Exception as error:  # W&B unreachable, out of disk or broken must not stop a training
            self._say(f"W&B mirror off for {self._name}: {_one_line(error)}")
            self._mode, self._run = "off", None

    def finish(self, folder: RunFolder) -> None:
        """Send the result and close; note in result.json where the copy is. Call it while the folder is still held.

        Opens the mirror if need be: a run that was killed after its last epoch has a result and no epoch to log.
        """
        if self._mode == "off":
            return
        try:
            result = folder.result()
            if self._run is None and result and result.n_epochs:
                self.log(folder.epochs()[-1])
            if self._run is None:
                return
            if result:
                self._run.summary.update(_summary(result))
            url = self._run.url or "" if self._mode == "online" else ""
            self._run.finish()
            if result:
                folder.write_result(replace(result, wandb_mode=self._mode, wandb_url=url))
        except Exception as error:  # nor must it turn a finished training into a failed one
            self._say(f"W&B mirror of {self._name} not closed: {_one_line(error)}")

    def _open(self) -> None:
        if self._mode != "online":
            self._mode = "online" if self._mode == "auto" and is_logged_in() else "offline"
        try:
            self._run = self._start(self._mode)
        except Exception as error:
            if self._mode == "offline":
                raise
            self._say(f"W&B not reached for {self._name}, kept offline: {_one_line(error)}; send it later with `wandb sync`")
            import wandb

            wandb.teardown()  # its process still holds the run's id
            self._mode = "offline"
            self._run = self._start(self._mode)

    def _start(self, mode: str) -> Any:
        if mode == "offline":
            os.environ["WANDB_ERROR_REPORTING"] = "false"  # wandb 0.31 looks its server up even offline without this
        import wandb

        settings = wandb.Settings(silent=True, console="off", init_timeout=_CONNECT_S, disable_git=True, x_disable_stats=True)
        return wandb.init(
            project=os.environ.get("WANDB_PROJECT", "arena"),
            id=self._config.digest,
            name=self._name,
            group=self._config.variant,
            config=cfg.to_dict(self._config),
            dir=self._folder,
            mode="online" if mode == "online" else "offline",
            resume="allow" if mode == "online" else None,
            reinit="create_new",
            settings=settings,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """What `cnn.train.train` is to do."""

    config: RunConfig
    tiles: TileSet
    runs: Path
    device: str = "auto"
    on_epoch: Listener | None = None


def train_mirrored(training: Training, wandb: str, say: Callable[[str], None]) -> RunFolder:
    """`cnn.train.train`, with every newly trained epoch and the result copied to W&B in mode `wandb`.

    Raises:
        ConfigError: an unknown mode; and whatever `train` raises.
    """
    folder = RunFolder(training.runs / training.config.digest)
    mirror = Mirror(wandb, training.config, folder.path, say)

    from cnn.train import Decision, train  # not before: who only checks a mode needs no torch

    def listen(row: EpochRow) -> Decision:
        mirror.log(row)
        return training.on_epoch(row) if training.on_epoch else Decision.CONTINUE

    with locked(folder):
        if folder.state() is RunState.FINISHED:
            return folder
        try:
            return train(training.config, training.tiles, training.runs, device=training.device, on_epoch=listen)
        finally:
            mirror.finish(folder)


def _summary(result: RunResult) -> dict[str, Any]:
    summary: dict[str, Any] = {"state": result.state.value, "best_epoch": result.best_epoch, "parameters": result.n_parameters}
    for split, score in result.scores.items():
        for name in ("loss", "accuracy", "macro_f1"):
            summary[f"kept/{split}_{name}"] = getattr(score, name)
    return summary


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
