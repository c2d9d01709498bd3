"""Removal of run folders, but for what a study or an unfinished evaluation needs, or what trains now."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arena.base.locks import describe_holder, try_lock
from arena.base.project import find_project
from cnn.errors import RunError
from cnn.runs.folder import RunFolder
from cnn.runs.folds import find_evaluations
from cnn.runs.index import DAMAGED, RUNNING, RunLine, read_line

_DIGEST = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """A run folder that is to go."""

    run: RunFolder
    line: RunLine
    size_bytes: int
    need: str  # the reason that it has to stay; empty if it may go


def plan_removals(runs: Sequence[RunFolder], studies_dir: Path) -> list[Removal]:
    """Plan the removal of `runs`; an evaluation that goes with all of its finished folds keeps none."""
    needs = _list_folds(runs)
    removals = []
    for run in runs:
        line = read_line(run)
        need = needs.get(run.digest, "")
        if line.trial and line.trial.study and (studies_dir / line.trial.study).is_dir():
            need = f"trial {line.trial.number} of the study {studies_dir / line.trial.study}; it goes when that is deleted"
        if run.path.is_symlink():
            need = "a link to a folder elsewhere; remove the link by hand"
        elif line.state == DAMAGED and not _DIGEST.fullmatch(run.digest):
            need = "no run, by its config.json and its name; other programs have such files too, so remove it by hand"
        elif line.state == RUNNING:
            need = f"in use by {describe_holder(run.lock_file)}"
        size_bytes = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
        removals.append(Removal(run=run, line=line, size_bytes=size_bytes, need=need))
    return removals


def _list_folds(runs: Sequence[RunFolder]) -> dict[str, str]:
    """Return why a run is needed, by the digests of the finished folds of unfinished evaluations."""
    needs: dict[str, str] = {}
    digests, tiles = {run.digest for run in runs}, find_project().locate_folder("tiles")
    for runs_dir in {run.path.parent for run in runs}:
        for evaluation in find_evaluations(runs_dir):
            finished = {run.digest for run in evaluation.finished.values()}
            if evaluation.n_missing and not finished <= digests:
                reason = f"a fold of an unfinished evaluation; finish it with `{evaluation.command(runs_dir, tiles)}`"
                needs |= dict.fromkeys(finished, reason)
    return needs


def remove_run(run: RunFolder) -> None:
    """Delete a run folder.

    Raises:
        RunError: a process uses it, or it cannot be deleted.
    """
    try:
        with try_lock(run.lock_file) as is_free:
            if not is_free:
                raise RunError(f"{run.path} is in use by {describe_holder(run.lock_file)}; remove it when that has ended")
            (run.path / "config.json").unlink()  # first: what a kill leaves is no run any more
            shutil.rmtree(run.path)
    except OSError as error:
        raise RunError(f"cannot remove {run.path}: {error.strerror}; remove it by hand") from error
