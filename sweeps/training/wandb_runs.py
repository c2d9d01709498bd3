"""The door to cnn for what W&B's side of a sweep needs of it: an account, a run's destination, an answer from a run folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cnn.runs.folder import RunFolder
from sweeps.errors import StudyError

if TYPE_CHECKING:
    from cnn.runs.wandb_mirror import Destination

    Target = Destination  # a run at W&B, as other files of ours may name it


def check_login() -> None:
    """Raises StudyError when W&B would ask who we are."""
    from cnn.runs.wandb_client import is_logged_in

    if not is_logged_in():
        raise StudyError(
            "--engine wandb needs a W&B account: run `wandb login`, or set WANDB_API_KEY (and WANDB_BASE_URL for a server of "
            "your own); without an account leave --engine out"
        )


def destination(where: tuple[str, str, str], study: str, on_stop: Callable[[], None]) -> Target:
    """The run that W&B's sweep has made, as a trial's destination; `where` is its entity, project and id."""
    from cnn.runs.wandb_mirror import Destination

    entity, project, run = where
    return Destination(mode="online", group=study, job_type="trial", id=run, project=project, entity=entity, on_stop=on_stop)


def run_at_wandb(folder: RunFolder) -> str:
    """The id of the run at W&B that a run folder was mirrored to; empty where it was not."""
    from cnn.runs.wandb_record import read_copy

    copy = read_copy(folder)
    return copy.id if copy else ""


def answer(folder: RunFolder, to: Target) -> None:
    """Tell a run at W&B what a run folder holds already: a duplicate is not trained again.

    Raises:
        StudyError: W&B did not take it.
    """
    from cnn.overrides import from_dict
    from cnn.runs.wandb_client import replay

    config = from_dict(folder.config())
    with tempfile.TemporaryDirectory(prefix="arena-wandb-") as files:
        try:
            replay(folder, to.copy(config, "online"), config, Path(files))
        except ConnectionError as error:
            raise StudyError(f"W&B did not take what {folder.path} holds: {error}") from error
