"""Checks of `arena:` beside what else a sweep file says, and the settings that a study gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sweeps.errors import OptionError, SweepFileError
from sweeps.sweepfile.edits import replace_value
from sweeps.sweepfile.section import Section
from sweeps.sweepfile.settings import MOST_SEEDS
from sweeps.sweepfile.stopping import Stopping
from sweeps.sweepfile.sweep import Sweep


def check_settings(top: Section, sweep: Sweep) -> None:
    """Report what a file says twice, or in two readings, with folds or seeds."""
    early, n = sweep.early_terminate, sweep.settings.n_trainings
    if reason := _explain_seeds(sweep):
        top.report(reason, sweep.find_line("train.seed"))
    if early is None or (early.type is Stopping.WILCOXON) == (n > 1):
        return
    line = top.find_line("early_terminate")
    if n == 1:
        rule = "early_terminate: wilcoxon compares trials training by training, and here each has one"
        return top.report(f"{rule}; add `arena: {{folds: 5}}`, or write `type: median`", line)
    section = top.sub("early_terminate", "early_terminate")
    assert section is not None
    edits = [*section.remove(*(key for key in section.entries if key != "type"))]
    edits += [replace_value(section.entries["type"], Stopping.WILCOXON)] if "type" in section.entries else []
    rule = f"early_terminate: {early.type} counts epochs, and a trial of {n} trainings is judged training by training"
    top.report(f"{rule}; write `early_terminate: {{type: wilcoxon}}`, or remove it", line, edits)


def override_settings(sweep: Sweep, values: Mapping[str, Any]) -> Sweep:
    """Return the sweep with what the command line gives of `arena:` instead of its file.

    Raises:
        OptionError: too many seeds.
        SweepFileError: seeds beside a `train.seed` of the file.
    """
    chosen = replace(sweep, settings=replace(sweep.settings, **values))
    if chosen.settings.seeds > MOST_SEEDS:
        raise OptionError(f"--seeds is at most {MOST_SEEDS}, not {chosen.settings.seeds}; give fewer")
    if reason := _explain_seeds(chosen):
        raise SweepFileError(reason, file=sweep.file, line=sweep.find_line("train.seed"))
    return chosen


def _explain_seeds(sweep: Sweep) -> str:
    if sweep.settings.seeds == 1 or not sweep.has("train.seed"):
        return ""
    return f"train.seed is set here, and {sweep.settings.seeds} seeds set it; keep one of them"
