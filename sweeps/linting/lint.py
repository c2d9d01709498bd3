"""A sweep file and all that is to be said of it: faults with their fixes, notes, and the size of the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sweeps.errors import SweepFileError
from sweeps.linting.checks import check_parameters, check_top
from sweeps.linting.points import find_impossible
from sweeps.linting.settings import check_settings
from sweeps.sweepfile.edits import apply_edits
from sweeps.sweepfile.faults import Fault, Faults
from sweeps.sweepfile.metric import MetricRules
from sweeps.sweepfile.shipped import read_text
from sweeps.sweepfile.space import Distribution, Parameter, n_points
from sweeps.sweepfile.stopping import Stopping
from sweeps.sweepfile.sweep import Draft, Method, Sweep, locate_net, read_draft
from sweeps.training import configuration

_MOST_READINGS = 20  # while a file is mended: an edit may show another fault
_UNUSED = ("program", "project", "entity")


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Faults and notes of a sweep file."""

    file: str
    text: str
    sweep: Sweep | None  # None where it cannot be read
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def read_sweep(file: str) -> Sweep:
    """Read and check the sweep in `file` (or a shipped one), as far as possible without the settings of a run.

    Raises:
        SweepFileError: with the line and the fix; `others` are its other faults.
    """
    name, text = read_text(file)
    return locate_net(_check(text, name))


def check_sweep(sweep: Sweep) -> None:
    """Raise SweepFileError for parameters, values and budgets that the configuration cannot take."""
    _check(sweep.text, sweep.file)


def _check(text: str, file: str) -> Sweep:
    draft, _ = _read_checked(text, file)
    draft.faults.check()
    assert draft.sweep is not None
    return draft.sweep


def examine(text: str, file: str) -> Report:
    """Read `text` with all its faults, those of `early_terminate` for the epochs that the file or the default sets."""
    draft, meant = _read_checked(text, file)
    sweep = draft.sweep
    notes: tuple[str, ...] = ()
    if sweep is not None and meant is not None:
        if reason := explain_stopping(sweep, find_epochs(meant)):
            draft.faults.add(reason, sweep.early_line)
        notes = list_sweep_notes(sweep, draft)
    return Report(file=file, text=text, sweep=sweep, faults=draft.faults.list(), notes=notes)


def mend(text: str, file: str) -> str:
    """Return `text` with every fault mended that has one answer."""
    report = examine(text, file)
    for _ in range(_MOST_READINGS):
        mended = examine(apply_edits(report.text, report.faults), file)
        if mended.text == report.text or (mended.sweep is None and report.sweep is not None):
            break
        report = mended
    return report.text


def _read_checked(text: str, file: str) -> tuple[Draft, Sweep | None]:
    """Read and check `text`; return the draft, and its sweep with the parameters under the keys that are meant."""
    draft = read_draft(text, file)
    if draft.sweep is None or draft.top is None:
        return draft, None
    sweep = locate_net(draft.sweep)
    parameters, keys = check_parameters(draft, sweep)
    check_top(draft.top, keys)
    check_settings(draft.top, sweep)
    for line, message in _list_impossible(sweep, parameters, {}):
        draft.faults.add(message, line)
    if sweep.run_cap is not None and len(parameters) == len(draft.sections):
        try:
            compute_budget(sweep, sweep.run_cap)
        except SweepFileError as error:
            draft.faults.add(error.rule, error.line)
    return draft, replace(sweep, parameters=tuple(parameters))


def check_points(sweep: Sweep, base: Mapping[str, Any]) -> None:
    """Raise SweepFileError for points that no training takes on the configuration of a study."""
    faults = Faults(sweep.file)
    for line, message in _list_impossible(sweep, list(sweep.parameters), base):
        faults.add(message, line)
    faults.check()


def _list_impossible(sweep: Sweep, parameters: list[Parameter], base: Mapping[str, Any]) -> list[tuple[int, str]]:
    lines = {p.name: p.line for p in parameters}
    explain = configuration.make_check(base)
    examples = find_impossible(parameters, explain, (lambda _: "") if base else explain, is_grid=sweep.method is Method.GRID)
    return [(max(lines[key] for key in example.values), f"{example}; leave one of them out") for example in examples]


def compute_budget(sweep: Sweep, budget: int | None) -> tuple[int, str]:
    """Return the number of trials of a study, and a note where that is less than the requested `budget`.

    Raises:
        SweepFileError: there is no budget, or the space has fewer points.
    """
    points = n_points(sweep.parameters)
    if budget is None:
        budget = sweep.run_cap
    if sweep.method is Method.GRID and points is not None:
        if budget is None or budget <= points:
            return budget or points, ""
        return points, f"{sweep.file}: the grid has {points} points, so the budget is {points}, not {budget}"
    if budget is None:
        raise SweepFileError("no budget: give --budget, or add `run_cap: 16` to the file", file=sweep.file)
    if points is not None and budget > points:
        takes_grid = not any(p.shape or p.distribution.is_quantized for p in sweep.parameters)
        raise SweepFileError(
            f"the space has {points} distinct points, fewer than the budget of {budget}; "
            f"lower the budget{', add values, or write method: grid' if takes_grid else ', or add values'}",
            file=sweep.file,
        )
    return budget, ""


def check_stopping(sweep: Sweep, epochs: int) -> None:
    """Check that `early_terminate` can end a trial of `epochs` epochs.

    Raises:
        SweepFileError: the first epoch at which it may end one is the last or later.
    """
    if reason := explain_stopping(sweep, find_epochs(sweep, epochs)):
        raise SweepFileError(reason, file=sweep.file, line=sweep.early_line)


def explain_stopping(sweep: Sweep, epochs: int) -> str:
    """Return the reason that `early_terminate` could end no trial of `epochs` epochs; empty where it can."""
    early, budget, n = sweep.stopping, sweep.run_cap, sweep.settings.n_trainings
    if early is not None and early.type is Stopping.WILCOXON:
        least = 0.5 ** (n - 1) if n > early.min_iter else 1.0
        rule = f"early_terminate never ends a trial: of {n} trainings those before the last give no p below {least:g}"
        return "" if least < early.p else f"{rule}, and it asks for one below {early.p:g}; add folds or seeds, or remove it"
    if early is not None and early.min_iter >= epochs:
        rule = f"early_terminate never ends a trial: it looks first at epoch {early.min_iter}, and trials have {epochs}"
        return f"{rule}; {'raise s' if early.max_iter else 'lower min_iter'}, raise train.epochs, or remove it"
    if early is not None and early.type is Stopping.MEDIAN and budget is not None and early.startup_trials >= budget:
        rule = f"early_terminate never ends a trial: {early.startup_trials} finish before, and run_cap is {budget}"
        return f"{rule}; lower startup_trials"
    return ""


def note_stopping(sweep: Sweep, engine: str) -> list[str]:
    """Return a note on trials of several trainings where the file's rule gives way to one by training, or ends none."""
    early, reason = sweep.early_terminate, explain_stopping(sweep, 0)
    if early is None or (early.type is Stopping.WILCOXON and not reason):
        return []
    if early.type is Stopping.WILCOXON:
        return [f"note: {sweep.file} line {sweep.early_line}: {reason}"]
    rule = f"early_terminate: {early.type} counts epochs, and trials of {sweep.settings} are judged training by training"
    instead = "none ends early" if reason or engine == "wandb" else "wilcoxon ends weak ones instead"
    return [f"note: {sweep.file} line {sweep.early_line}: {rule}; {instead}"]


def find_epochs(sweep: Sweep, epochs: int | None = None) -> int:
    """Return the epochs of the longest trial: the file's, or else `epochs`, by default those of any training."""
    tuned = [value for p in sweep.parameters if p.name == "train.epochs" for value in p.extremes() if isinstance(value, int)]
    return max(tuned) if tuned else configuration.default_epochs() if epochs is None else epochs


def describe_bands(sweep: Sweep, epochs: int) -> str:
    """Return the sentence on where trials of `epochs` epochs may end early; empty without a rule."""
    early = sweep.stopping
    if early is None:
        return ""
    if early.type is Stopping.WILCOXON:
        rule = f"from training {early.min_iter} of {sweep.settings.n_trainings} on a trial ends that is worse than the best"
        return f"wilcoxon: {rule}, training by training, with p below {early.p:g}"
    if early.type is Stopping.MEDIAN:
        return f"median: from epoch {early.min_iter} of {epochs} on a trial below the median of the finished ones ends"
    bands = list(map(str, early.list_bands(epochs)))
    names = " and ".join([", ".join(bands[:-1]), bands[-1]] if bands[1:] else bands)
    judged = "" if early.strict else ", judged by the best until then"
    return f"hyperband: the best 1/{early.eta:g} of trials go on at epoch{'s' if bands[1:] else ''} {names} of {epochs}{judged}"


def list_sweep_notes(sweep: Sweep, draft: Draft | None = None, engine: str = "") -> tuple[str, ...]:
    """Return what a user should know of a sweep that is good: luck that is searched for, and entries that are not used.

    Args:
        engine: of the study; empty where a file is examined for any.
    """
    notes = []
    for parameter in sweep.parameters:
        if parameter.name == "train.seed" and parameter.distribution is not Distribution.CONSTANT:
            how = "a constant makes settings comparable, and `arena eval --n-seeds` measures the luck"
            notes.append(f"line {parameter.line}: train.seed is tuned, and the best seed is luck; {how}")
    if sweep.metric.startswith("train_"):
        better = f"`name: {sweep.metric.replace('train_', 'val_')}` chooses by clips that it has not seen"
        notes.append(f"chooses by {sweep.metric}, so the trial that learns its clips by heart wins; {better}")
    top = (draft or read_draft(sweep.text, sweep.file)).top
    if engine != "wandb" and sweep.rules != replace(MetricRules(), target=sweep.rules.target):
        rule = "metric.impute is of W&B's bayes search (--engine wandb): Optuna ranks a pruned trial by its epochs"
        notes.append(f"line {top.find_line('metric') if top else 1}: {rule}")
    for key in _UNUSED:
        if top is not None and key in top.entries and (key == "program" or engine != "wandb"):
            use = (
                "is W&B's and not used: Arena trains the net of model.name"
                if key == "program"
                else "holds for --engine wandb alone"
            )
            notes.append(f"line {top.find_line(key)}: {key} {use}")
    return tuple(f"note: {sweep.file} {note}" for note in notes)


def find_model(sweep: Sweep) -> str:
    """Return the model that a study of `sweep` tunes: lenet5 where the file names none."""
    return str(sweep.constants.get("model.name", configuration.models()[0]))
