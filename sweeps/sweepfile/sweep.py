"""A sweep file: W&B's YAML schema read into one value. Ambiguous or misleading entries are refused, with line and fix."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from arena.base.project import quote
from arena.base.suggest import did_you_mean
from cnn.nets import NETS
from cnn.plugin import is_plugin, list_own_nets, parse_path, shorten_name
from cnn.runs.folder import METRICS
from sweeps.errors import SweepFileError
from sweeps.sweepfile.parameters import parse_parameters
from sweeps.sweepfile.section import Section
from sweeps.sweepfile.space import Parameter
from sweeps.sweepfile.yaml_lines import read_tree

DEFAULT_METRIC = "val_macro_f1"
_MAX_BYTES = 1_000_000
_EXTRA_METHODS = ("cmaes", "cma-es", "auto", "botorch")  # Optuna samplers that need further packages
KEYS = {
    "method": "how the next point is chosen",
    "metric": "`name`, a column of a run's epochs such as `val_macro_f1`, and `goal`, `maximize` or `minimize`",
    "parameters": "keys of a training, each with its values or its distribution",
    "early_terminate": "the rule that ends weak trials early",
    "run_cap": "trials that finish or are pruned; `--budget` replaces it",
    "name": "a name for people",
    **dict.fromkeys(("description", "program", "command", "project", "entity"), "W&B's own: allowed, and not used"),
}
_ONLY_WANDB = "is W&B's own and means nothing here; remove it"
_FOREIGN_KEYS = dict.fromkeys(("apiVersion", "kind", "controller", "job", "image_uri", "metrics", "scheduler"), _ONLY_WANDB)
_FOREIGN_METRIC = dict.fromkeys(("target", "impute", "impute_while_running"), _ONLY_WANDB)
_FOREIGN_STOPPING = {"strict": _ONLY_WANDB}


class Method(StrEnum):
    """Sampler of the next point, by W&B's names or Optuna's."""

    RANDOM = "random"
    GRID = "grid"
    BAYES = "bayes"  # Optuna engine: its TPE sampler
    TPE = "tpe"
    GP = "gp"  # a Gaussian process: few trials of few parameters
    QMC = "qmc"  # a Sobol sequence: spread more evenly than chance, learns nothing

    @property
    def learns(self) -> bool:
        return self in (Method.BAYES, Method.TPE, Method.GP)


class Goal(StrEnum):
    """Direction in which the metric is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    def best(self, values: list[float]) -> float:
        return max(values) if self is Goal.MAXIMIZE else min(values)


class Stopping(StrEnum):
    """Rule that ends a trial early."""

    HYPERBAND = "hyperband"  # W&B's rule: at each band the best 1/eta go on
    MEDIAN = "median"  # ours: worse than the median of the finished trials at the same epoch


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlyTerminate:
    """Rule of pruning. Bands lie at min_iter, min_iter * eta, min_iter * eta^2 ... epochs."""

    type: Stopping
    min_iter: int  # the first epoch that may end a trial
    eta: int = 3
    startup_trials: int = 4  # median: trials that finish before any is pruned


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """The content of a sweep file. Two are equal if they define the same search; name, path, text and run cap do not count."""

    method: Method
    metric: str
    goal: Goal
    parameters: tuple[Parameter, ...]
    early_terminate: EarlyTerminate | None
    run_cap: int | None = field(compare=False)
    name: str = field(compare=False)
    file: str = field(compare=False)
    text: str = field(compare=False, repr=False)
    early_line: int = field(default=1, compare=False)

    @property
    def constants(self) -> dict[str, object]:
        return {p.name: p.values[0] for p in self.parameters if p.distribution == "constant"}

    def searches_like(self, sweep: Sweep) -> bool:
        """Return True for the same search; a net of one's own counts by its class, wherever its file is named from."""
        return _shorten_net(self) == _shorten_net(sweep)

    def has(self, parameter: str) -> bool:
        return parameter in [p.name for p in self.parameters]

    def find_line(self, parameter: str) -> int:
        return next(p.line for p in self.parameters if p.name == parameter)


def _shorten_net(sweep: Sweep) -> Sweep:
    parameters = (
        replace(p, values=tuple(shorten_name(str(value)) for value in p.values)) if p.name == "model.name" else p
        for p in sweep.parameters
    )
    return replace(sweep, parameters=tuple(parameters))


def locate_net(sweep: Sweep) -> Sweep:
    """Return the sweep with the path to its own net: from the working folder, or else from the folder of the sweep file."""
    name = str(sweep.constants.get("model.name", ""))
    if not is_plugin(name) or parse_path(name).exists():
        return sweep
    path = Path(sweep.file).parent / parse_path(name)
    if not path.is_file():
        return sweep
    lines = sweep.text.splitlines(keepends=True)
    n_before = sweep.find_line("model.name") - 1
    after = "".join(lines[n_before:]).replace(name, f"{path}:{shorten_name(name)}", 1)
    return parse("".join(lines[:n_before]) + after, sweep.file)


def read_text(file: str) -> tuple[str, str]:
    """Read a sweep file by path, or that of a net (`lenet5`, `nets.py:MyNet`); return its name for messages and its text.

    Raises:
        SweepFileError: it cannot be read.
    """
    path = Path(file)
    if is_plugin(file):
        return f"the sweep of {shorten_name(file)}", _write_own(file)
    if file in NETS and not path.exists():
        return f"{file}.yaml", _write_file(file)
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        nets = {net.lower(): text for net, text in list_own_nets().items()} | {net: net for net in NETS}
        hint = did_you_mean(file.lower(), nets, f"shipped are {', '.join(NETS)}")
        raise SweepFileError(f"the sweep file cannot be read ({error.strerror or error}){hint}", file=file) from error
    if len(content) > _MAX_BYTES:
        raise SweepFileError("larger than 1 MB, so hardly a sweep file; choose another", file=file)
    try:
        return file, content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SweepFileError("not UTF-8 text; save it as UTF-8", file=file, line=line) from error


def _write_file(net: str) -> str:
    """Return the sweep file of a net: the shipped one of lenet5, with the net's own words and depths."""
    text = (importlib.resources.files("sweeps") / "lenet5.yaml").read_text(encoding="utf-8")
    for old, new in zip(_list_differences("lenet5"), _list_differences(net), strict=True):
        text = text.replace(old, new)
    return text


def _write_own(net: str) -> str:
    """Return the shipped sweep file for a team's own net, without a depth: only its author knows what that means there."""
    text = (importlib.resources.files("sweeps") / "lenet5.yaml").read_text(encoding="utf-8")
    text = text.replace("LeNet5 (Model A)", shorten_name(net)).replace("lenet5", quote(net))
    lines = text.splitlines(keepends=True)
    depth = next(number for number, line in enumerate(lines) if line.startswith("  model.depth:"))
    return "".join(lines[:depth])


def _list_differences(name: str) -> tuple[str, ...]:
    net = NETS[name]
    least, most = net.depths
    step = max(1, (most - least) // 3)
    depths = range(max(least, step), most + 1, step)[:3]
    return f"{net.class_name} ({net.role})", name, net.counts, str(list(depths))


def parse(text: str, file: str) -> Sweep:
    """Parse `text`; `sweeps.sweepfile.lint` checks its keys and ranges against the configuration.

    Raises:
        SweepFileError: with the line and the fix.
    """
    tree = read_tree(text, file)
    if tree is None or tree.value is None:
        raise SweepFileError("empty; begin with `method: bayes`, or copy a shipped file: `arena sweep lint lenet5`", file=file)
    if not isinstance(tree.value, dict):
        raise SweepFileError("a sweep file is lines of `key: value`, such as `method: bayes`", file=file, line=tree.line)
    top = Section(file=file, name="sweep file", entries=tree.value, line=tree.line)
    top.refuse_unknown(KEYS, _FOREIGN_KEYS)
    for key in ("description", "program", "project", "entity"):
        top.text(key)
    method = _method(top)
    metric, goal = _metric(top, method)
    return Sweep(
        method=method,
        metric=metric,
        goal=goal,
        parameters=parse_parameters(top),
        early_terminate=_early_terminate(top),
        run_cap=top.integer("run_cap", least=1),
        name=top.text("name") or "",
        file=file,
        text=text,
        early_line=top.find_line("early_terminate"),
    )


def _method(top: Section) -> Method:
    if top.entries.get("method") is None:
        top.fail(f"method is missing; add `method: bayes` (or {', '.join(m for m in Method if m != 'bayes')})")
    if top.text("method") == "custom":
        top.fail("method 'custom' belongs to W&B's own scheduler; write `method: bayes`", top.find_line("method"))
    if top.text("method") in _EXTRA_METHODS:
        rule = f"method {top.text('method')!r} needs a package that Arena does not install"
        top.fail(f"{rule}; write `method: tpe` (or gp, qmc)", top.find_line("method"))
    return Method(top.option("method", Method) or "")


def _metric(top: Section, method: Method) -> tuple[str, Goal]:
    section = top.sub("metric", "metric")
    if section is None:
        for key, needs_metric in (("method", method.learns), ("early_terminate", "early_terminate" in top.entries)):
            if needs_metric:
                name = f"method {method}" if key == "method" else key
                top.fail(f"{name} needs a metric; add `metric: {{name: {DEFAULT_METRIC}, goal: maximize}}`", top.find_line(key))
        return DEFAULT_METRIC, Goal.MAXIMIZE
    section.refuse_unknown(("name", "goal"), _FOREIGN_METRIC)
    metric = section.text("name")
    if metric is None:
        section.fail(f"metric.name is missing; add `name: {DEFAULT_METRIC}`")
    if metric not in METRICS:
        hint = did_you_mean(metric, METRICS)
        section.fail(f"metric.name {metric!r} is no metric of a training{hint}", section.find_line("name"))
    return metric, _goal(section, metric)


def _goal(section: Section, metric: str) -> Goal:
    expected = Goal.MINIMIZE if metric.endswith("loss") else Goal.MAXIMIZE
    goal = section.option("goal", Goal)
    if goal is None and expected is Goal.MAXIMIZE:
        section.fail(f"metric.goal is missing, and W&B would minimize {metric}; add `goal: maximize`")
    if goal is not None and goal != expected:
        section.fail(f"metric.goal {goal} does not fit {metric}; write `goal: {expected}`", section.find_line("goal"))
    return expected


def _early_terminate(top: Section) -> EarlyTerminate | None:
    section = top.sub("early_terminate", "early_terminate")
    if section is None:
        return None
    kind = section.option("type", Stopping)
    if kind is None:
        section.fail("early_terminate.type is missing; add `type: hyperband`")
    if kind == Stopping.MEDIAN:
        section.refuse_unknown(("type", "min_iter", "startup_trials"), {})
        return EarlyTerminate(
            type=Stopping.MEDIAN,
            min_iter=section.integer("min_iter", least=1) or 1,
            startup_trials=section.integer("startup_trials", least=1) or 4,
        )
    section.refuse_unknown(("type", "min_iter", "max_iter", "s", "eta"), _FOREIGN_STOPPING)
    eta = section.integer("eta", least=2) or 3
    return EarlyTerminate(type=Stopping.HYPERBAND, min_iter=_first_band(section, eta), eta=eta)


def _first_band(section: Section, eta: int) -> int:
    min_iter, max_iter, s = (section.integer(key, least=1) for key in ("min_iter", "max_iter", "s"))
    if min_iter is not None and max_iter is None and s is None:
        return min_iter
    if min_iter is not None or max_iter is None or s is None:
        section.fail("hyperband takes either min_iter, or max_iter with s; write `min_iter: 3`")
    band = max_iter
    for _ in range(s):  # W&B divides s times, and ends where a band would lie before the first epoch
        band = band // eta if band >= eta else band
    if band == max_iter:
        section.fail(f"max_iter {max_iter} leaves no band with eta {eta}; write `min_iter: 3` instead")
    return band
