"""Checks of a sweep against the configuration: keys that exist, values in range, a space as large as the budget."""

from __future__ import annotations

from typing import NoReturn

from sweeps.errors import SweepFileError
from sweeps.sweepfile.section import yaml_number
from sweeps.sweepfile.space import Distribution, Parameter, n_points
from sweeps.sweepfile.sweep import Method, Stopping, Sweep, locate_net, parse, read_text
from sweeps.training import configuration


def read_sweep(file: str) -> Sweep:
    """Read and check the sweep in `file` (or a shipped one), as far as possible without the settings of a run.

    Raises:
        SweepFileError: with the line and the fix.
    """
    name, text = read_text(file)
    sweep = locate_net(parse(text, name))
    check_sweep(sweep)
    return sweep


def check_sweep(sweep: Sweep) -> None:
    """Raise SweepFileError for parameters, values and budgets that the configuration cannot take."""
    kinds = configuration.key_kinds()
    for parameter in sweep.parameters:
        _check_key(sweep, parameter, kinds)
    for parameter in sweep.parameters:
        _check_kind(sweep, parameter, kinds[parameter.name])
        _check_values(sweep, parameter)
        if parameter.distribution is Distribution.CATEGORICAL_W_PROBABILITIES and sweep.method is not Method.RANDOM:
            _fail(sweep, parameter, f"{parameter.name}: probabilities need `method: random`, not {sweep.method}; remove them")
        if sweep.method is Method.GRID and parameter.n_values is None:
            _fail(
                sweep, parameter, f"a grid cannot visit all of {parameter.distribution}; list values, or write `method: random`"
            )
        if sweep.method is Method.GRID and parameter.distribution.is_quantized:
            # W&B's grid visits min, min + q, ... short of max: not the multiples of q that its q_uniform draws.
            _fail(sweep, parameter, f"a grid over {parameter.distribution} differs between the engines; list values instead")
    if sweep.run_cap is not None:
        compute_budget(sweep, sweep.run_cap)


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
        raise SweepFileError(
            f"the space has {points} distinct points, fewer than the budget of {budget}; "
            f"lower the budget, add values, or write method: grid",
            file=sweep.file,
        )
    return budget, ""


def check_stopping(sweep: Sweep, epochs: int) -> None:
    """Check that `early_terminate` can end a trial of `epochs` epochs.

    Raises:
        SweepFileError: the first epoch at which it may end one is the last or later.
    """
    early = sweep.early_terminate
    longest = max([epochs, *_list_epochs(sweep)])
    if early is not None and early.min_iter >= longest:
        rule = f"early_terminate never ends a trial: it looks first at epoch {early.min_iter}, and trials have {longest}"
        fix = "lower min_iter, raise train.epochs, or remove it"
        raise SweepFileError(f"{rule}; {fix}", file=sweep.file, line=sweep.early_line)
    budget = sweep.run_cap
    if early is not None and early.type is Stopping.MEDIAN and budget is not None and early.startup_trials >= budget:
        rule = f"early_terminate never ends a trial: {early.startup_trials} finish before, and run_cap is {budget}"
        raise SweepFileError(f"{rule}; lower startup_trials", file=sweep.file, line=sweep.early_line)


def _list_epochs(sweep: Sweep) -> list[int]:
    return [value for p in sweep.parameters if p.name == "train.epochs" for value in p.extremes() if isinstance(value, int)]


def find_model(sweep: Sweep) -> str:
    """Return the model that a study of `sweep` tunes: lenet5 where the file names none."""
    return str(sweep.constants.get("model.name", configuration.models()[0]))


def explain_fixed(key: str) -> str:
    """Return the reason that no sweep may set `key`, and what to do instead; empty where one may."""
    if key.startswith("tiles."):
        return f"{key} is fixed when tiles are prepared; give it to `arena data prepare` instead"
    return "each variant is a study of its own; remove it here and give --variant, once for each" if key == "variant" else ""


def _check_key(sweep: Sweep, parameter: Parameter, kinds: dict[str, type]) -> None:
    name = parameter.name
    if reason := explain_fixed(name):
        _fail(sweep, parameter, reason)
    if name not in kinds:
        _fail(sweep, parameter, f"unknown key {name!r}{configuration.nearest_key(name)}")
    if name == "model.name" and parameter.distribution is not Distribution.CONSTANT:
        _fail(sweep, parameter, f"one study tunes one model; write `model.name: {{value: {configuration.models()[0]}}}`")


def _check_kind(sweep: Sweep, parameter: Parameter, kind: type) -> None:
    distribution = parameter.distribution
    if parameter.values:
        for value in parameter.values:
            _check_listed(sweep, parameter, kind, value)
        return
    if kind not in (int, float):
        _fail(sweep, parameter, f"{parameter.name} takes names, not numbers; list values")
    if kind is float and distribution is Distribution.INT_UNIFORM:
        rule = f"{parameter.name} takes any number, but W&B draws whole ones from min {parameter.low} and max {parameter.high}"
        _fail(sweep, parameter, f"{rule}; write `min: {yaml_number(parameter.low)}`, or `distribution: uniform`")
    if kind is int and distribution.is_continuous:
        better = "q_log_uniform_values, q: 1" if distribution.is_log else "int_uniform"
        better = f"q_{distribution}, q: 1" if distribution.is_shaped else better
        rule = f"{parameter.name} takes whole numbers, {distribution} draws others"
        _fail(sweep, parameter, f"{rule}; write `distribution: {better}`")
    if kind is int and distribution.is_quantized and not float(parameter.q).is_integer():
        _fail(sweep, parameter, f"{parameter.name} takes whole numbers; write a whole q, not {parameter.q}")


def _check_listed(sweep: Sweep, parameter: Parameter, kind: type, value: object) -> None:
    if kind in (int, float) and isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return  # the configuration itself refuses it, with a better message
        better = yaml_number(number) if kind is float else f"{number:.0f}"
        _fail(sweep, parameter, f"{parameter.name}: {value!r} is text in YAML; write {better}")


def _check_values(sweep: Sweep, parameter: Parameter) -> None:
    context = {key: value for key, value in sweep.constants.items() if key in ("model.name", "split.kind")}
    for value in parameter.extremes():
        reason = configuration.explain_refusal({**context, parameter.name: value})
        if reason and parameter.shape and not parameter.values:
            reason += f", which {parameter.distribution} reaches; give it another shape, or a uniform distribution with bounds"
        elif reason and parameter.distribution.is_quantized:
            reason += f" (the nearest multiple of q {parameter.q} to a bound)"
        if reason:
            _fail(sweep, parameter, reason)


def _fail(sweep: Sweep, parameter: Parameter, message: str) -> NoReturn:
    raise SweepFileError(message, file=sweep.file, line=parameter.line)
