"""Checks of a sweep file beside what the command line sets: variant, settings of all trials, folds."""

from __future__ import annotations

from collections.abc import Sequence

from sweeps.errors import StudyError, SweepFileError
from sweeps.linting import lint
from sweeps.study.folder import StudySpec
from sweeps.sweepfile.sweep import Sweep
from sweeps.training import configuration


def refuse_tuned_overrides(sweep: Sweep, overrides: Sequence[str]) -> None:
    """Refuse settings that the file tunes; raises StudyError."""
    for key in configuration.override_keys(overrides):
        if key in [parameter.name for parameter in sweep.parameters]:
            raise StudyError(
                f"{key} is tuned by {sweep.file} line {sweep.find_line(key)}, so it cannot be set here; drop one of them"
            )


def refuse_silent_augmentation(sweep: Sweep, variant: str) -> None:
    """Refuse to tune augmentation on a variant without it: all points would be one training."""
    for parameter in sweep.parameters:
        if parameter.name.startswith("augment.") and len(parameter.values) != 1 and not variant.endswith("+aug"):
            rule = f"{parameter.name} changes nothing on {variant}, which has no augmentation"
            raise SweepFileError(f"{rule}; give --variant {variant}+aug, or remove it", file=sweep.file, line=parameter.line)


def list_stopping_notes(spec: StudySpec) -> list[str]:
    """Check that early stopping can end a trial; where the user set the epochs, a note replaces the error."""
    if spec.settings.n_trainings > 1:
        return lint.note_stopping(spec.sweep, spec.engine)
    epochs = 0 if spec.sweep.has("train.epochs") else int(spec.base["train"]["epochs"])
    try:
        lint.check_stopping(spec.sweep, epochs)
    except SweepFileError as error:
        if "train.epochs" not in configuration.override_keys(spec.overrides):
            raise
        return [f"note: {error}"]
    return []
