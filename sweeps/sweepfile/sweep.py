"""A sweep file: W&B's YAML schema read into one value. Ambiguous or misleading entries are refused, with line and fix."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from cnn.plugin import is_plugin, parse_path, shorten_name
from sweeps.sweepfile.edits import replace_value
from sweeps.sweepfile.faults import Edit, Faults
from sweeps.sweepfile.metric import DEFAULT_METRIC, Goal, MetricRules, parse_metric
from sweeps.sweepfile.parameters import parse_parameters
from sweeps.sweepfile.section import Section
from sweeps.sweepfile.settings import SweepSettings, parse_settings, report_misplaced
from sweeps.sweepfile.space import Parameter
from sweeps.sweepfile.stopping import EarlyTerminate, parse_stopping
from sweeps.sweepfile.yaml_lines import read_tree

_EXTRA_METHODS = ("cmaes", "cma-es", "auto", "botorch")  # Optuna samplers that need further packages
KEYS = {
    "method": "how the next point is chosen",
    "metric": "`name`, a column of a run's epochs such as `val_macro_f1`, `goal`, and `target`, a value that ends the study",
    "parameters": "keys of a training, each with its values or its distribution",
    "early_terminate": "the rule that ends weak trials early",
    "run_cap": "trials that finish or are pruned; `--budget` replaces it",
    "arena": "Arena's own: `folds`, `seeds`, `paired`, `objectives` and `constraints`",
    "name": "the study's name, where `--name` gives none: letters, digits and `. _ + -`",
    "description": "for people",
    "program": "W&B's own, and not used: Arena trains the net of `model.name`",
    "command": "W&B's own: its macros, such as `${args}`, and the program; one that sets something is refused",
    **dict.fromkeys(("project", "entity"), "W&B's: with `--engine wandb` alone, where `--project` and `--entity` give none"),
}

_LAUNCH = "belongs to W&B Launch, and Arena starts the agents itself (`--on slurm`, `--on ray`); remove it"
_VERSION = "names a version of W&B's schema, of which there is one; remove it"
_FOREIGN_KEYS = {
    "apiVersion": _VERSION,
    "kind": _VERSION,
    "controller": "lets W&B's package `sweeps` choose the points, which Arena's replaces; remove it and choose by --engine",
    "job": _LAUNCH,
    "image_uri": _LAUNCH,
    "imports": "is none of W&B's schema any more; remove it",
    "metrics": "needs a scheduler of your own at W&B; write one `metric`",
    "scheduler": "is written by `arena wandb sweep-file FILE --scheduler`; remove it",
}


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """The content of a sweep file. Two are equal if they define the same search; name, path, text and run cap do not count."""

    method: Method
    metric: str
    goal: Goal
    rules: MetricRules = field(default_factory=MetricRules)  # W&B's further keys of `metric`
    parameters: tuple[Parameter, ...]
    early_terminate: EarlyTerminate | None
    run_cap: int | None = field(compare=False)
    name: str = field(compare=False)  # the study's
    project: str = field(compare=False, default="")  # at W&B
    entity: str = field(compare=False, default="")  # at W&B
    file: str = field(compare=False)
    text: str = field(compare=False, repr=False)
    early_line: int = field(default=1, compare=False)
    settings: SweepSettings = field(default_factory=SweepSettings, compare=False)  # from the file, or the command line

    @property
    def stopping(self) -> EarlyTerminate | None:
        """Return the rule that ends trials early: training by training where a trial has several, else by epochs."""
        early = self.early_terminate
        return early.by_training() if early and self.settings.n_trainings > 1 else early

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
    return read_draft("".join(lines[:n_before]) + after, sweep.file).sweep or sweep


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A sweep file as far as it can be read: what holds a fault is left out, or taken as its message says it is meant."""

    faults: Faults
    top: Section | None  # None where the text is no mapping at all
    sweep: Sweep | None
    sections: dict[str, Section]  # by the names of the parameters


def parse(text: str, file: str) -> Sweep:
    """Parse `text`; `sweeps.linting` checks its keys and ranges against the configuration.

    Raises:
        SweepFileError: with the line and the fix; `others` are its other faults.
    """
    draft = read_draft(text, file)
    draft.faults.check()
    assert draft.sweep is not None
    return draft.sweep


def read_draft(text: str, file: str) -> Draft:
    """Read `text` with all faults of its form."""
    faults = Faults(file)
    top = sweep = None
    sections: dict[str, Section] = {}
    with faults.collect():
        top = report_misplaced(_read_top(text, faults)).report_unknown(KEYS, _FOREIGN_KEYS)
        sweep, sections = _read_sweep(top)
    return Draft(faults=faults, top=top, sweep=sweep, sections=sections)


def _read_top(text: str, faults: Faults) -> Section:
    tree = read_tree(text, faults)
    if tree is None or tree.value is None:
        faults.fail("empty; begin with `method: bayes`, or copy a shipped file: `arena sweep lint lenet5`", None)
    if not isinstance(tree.value, dict):
        faults.fail("a sweep file is lines of `key: value`, such as `method: bayes`", tree.line)
    return Section(faults=faults, text=text, name="sweep file", node=tree)


def _read_sweep(top: Section) -> tuple[Sweep, dict[str, Section]]:
    faults, parameters, early = top.faults, dict[str, Parameter](), None
    sections: dict[str, Section] = {}
    texts: dict[str, str] = {}
    for key in ("name", "description", "program", "project", "entity"):
        with faults.collect():
            texts[key] = top.read_text(key) or ""
    method = _method(top)
    metric, goal, rules = DEFAULT_METRIC, Goal.MAXIMIZE, MetricRules()
    with faults.collect():
        metric, goal, rules = parse_metric(top, method if method and method.learns else "")
    with faults.collect():
        parameters, sections = parse_parameters(top)
    with faults.collect():
        early = parse_stopping(top)
    settings, run_cap = SweepSettings(), None
    with faults.collect():
        settings = parse_settings(top)
    with faults.collect():
        run_cap = top.integer("run_cap", least=1)
    sweep = Sweep(
        method=method or Method.RANDOM,
        metric=metric,
        goal=goal,
        rules=rules,
        parameters=tuple(parameters.values()),
        early_terminate=early,
        run_cap=run_cap,
        name=texts.get("name", ""),
        project=texts.get("project", ""),
        entity=texts.get("entity", ""),
        file=faults.file,
        text=top.text,
        early_line=top.find_line("early_terminate"),
        settings=settings,
    )
    return sweep, sections


def _method(top: Section) -> Method | None:
    """Return the method, or the one that is meant; None where the file does not tell."""
    with top.faults.collect():
        name, line = top.read_word("method"), top.find_line("method")
        if name is None:
            if "method" not in top.entries:
                edits = [Edit(top.node.span[0], top.node.span[0], "method: bayes\n")] if not top.node.is_flow else []
                top.fail(
                    f"method is missing; add `method: bayes` (or {', '.join(m for m in Method if m != 'bayes')})", edits=edits
                )
            return None
        if name == "custom" or name in _EXTRA_METHODS:
            better, more = ("bayes", "") if name == "custom" else ("tpe", " (or gp, qmc)")
            reason = "belongs to W&B's own scheduler" if name == "custom" else "needs a package that Arena does not install"
            edits = [replace_value(top.entries["method"], better)]
            top.report(f"method {name!r} {reason}; write `method: {better}`{more}", line, edits)
            return Method(better)
        return Method(str(top.option("method", Method)))
    return None
