"""Runs at W&B of trials in W&B's own sweeps: account, destination, replay from a run folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cnn.runs.folder import RunFolder
from sweeps.errors import StudyError

if TYPE_CHECKING:
    from cnn.runs.wandb_mirror import Destination

    Target = Destination  # the name that other rooms may import


def require_account() -> None:
    """Raise StudyError when W&B has no account of this user."""
    from cnn.runs.wandb_client import is_logged_in

    if not is_logged_in():
        raise StudyError(
            "--engine wandb needs a W&B account: run `wandb login`, or set WANDB_API_KEY (and WANDB_BASE_URL for a server of "
            "your own); without an account leave --engine out"
        )


def make_destination(run_path: tuple[str, str, str], study: str, on_stop: Callable[[], None]) -> Target:
    """Return a run that W&B's sweep made as a trial's destination; `run_path` is its entity, project and id."""
    from cnn.runs.wandb_mirror import Destination

    entity, project, run = run_path
    return Destination(mode="online", group=study, job_type="trial", id=run, project=project, entity=entity, on_stop=on_stop)


def find_wandb_run(folder: RunFolder) -> str:
    """Return the id of the run at W&B that a run folder was mirrored to, or an empty text."""
    from cnn.runs.wandb_record import read_copy

    copy = read_copy(folder)
    return copy.id if copy else ""


def replay_run(folder: RunFolder, target: Target) -> None:
    """Send the epochs of a run folder to a run at W&B: a duplicate is not trained again.

    Raises:
        StudyError: W&B did not accept them.
    """
    from cnn.overrides import config_from_dict
    from cnn.runs.wandb_client import replay

    config = config_from_dict(folder.config())
    with tempfile.TemporaryDirectory(prefix="arena-wandb-") as files:
        try:
            replay(folder, target.make_copy(folder, config, "online"), config, Path(files))
        except ConnectionError as error:
            raise StudyError(f"W&B did not take what {folder.path} holds: {error}") from error
