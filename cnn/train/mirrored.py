"""One training with its copy at W&B."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnn.config import RunConfig
from cnn.runs.folder import EVERY_PART, EpochRow, RunFolder, RunState
from cnn.runs.marks import lock_run
from cnn.tiles.tile_set import TileSet

if TYPE_CHECKING:
    from cnn.train.training_run import Decision, Listener
from cnn.runs.wandb_mirror import Destination, Mirror


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRequest:
    """A training to do, and whom to call."""

    config: RunConfig
    tiles: TileSet
    runs: Path
    device: str = "auto"
    on_epoch: Listener | None = None
    on_begin: Callable[[int], None] | None = None  # takes the number of epochs trained before
    parts: tuple[str, ...] = EVERY_PART  # scored in the end


def train_mirrored(training: TrainingRequest, destination: Destination, say: Callable[[str], None]) -> RunFolder:
    """Train as `cnn.train.training_run.train` does, and copy every newly trained epoch and the result to W&B.

    A finished trial of a sweep is given its test part, unless `training` is such a trial.

    Raises:
        ConfigError: an unknown mode; and whatever `train` raises.
    """
    folder = RunFolder(training.runs / training.config.digest)
    mirror = Mirror(destination, training.config, folder.path, say)

    from cnn.train.training_run import Decision, complete_run, open_run  # late: checking a mode needs no torch

    def listen(row: EpochRow) -> Decision:
        mirror.log(row)
        return training.on_epoch(row) if training.on_epoch else Decision.CONTINUE

    with lock_run(folder, lambda text: say(f"{training.config.model.label} on {training.config.variant}: {text}")):
        if folder.state() is RunState.FINISHED:
            if "test" not in training.parts or folder.is_whole:
                return folder
            return complete_run(folder, training.tiles, training.device, say)
        if destination.id:  # W&B's sweep waits for its run
            mirror.open()
        try:
            with open_run(training.config, training.tiles, training.runs, training.device, training.parts) as work:
                assert work is not None  # the lock is held: nobody else has finished it
                if training.on_begin:
                    training.on_begin(len(work.trainer.rows))
                if work.note:
                    say(work.note)
                work.run(listen)
            return folder
        except Exception as error:
            mirror.fail(error)
            raise
        finally:
            mirror.finish(folder)
