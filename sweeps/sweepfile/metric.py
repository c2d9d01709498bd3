"""`metric` of a sweep file: names that other tools give to metrics, the goal, and W&B's further keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from arena.base.suggest import is_respelling, nearest
from cnn.runs.folder import METRICS
from sweeps.sweepfile.edits import replace_value
from sweeps.sweepfile.section import Section, write_number
from sweeps.sweepfile.yaml_lines import Node

DEFAULT_METRIC = "val_macro_f1"
_KEYS = ("name", "goal", "target", "impute", "impute_while_running")
_IMPUTED = ("latest", "best", "worst")
_F1 = ("f1", "macrof1", "f1macro", "f1score", "macrof1score")
_MEASURES = {"loss": "loss", "accuracy": "accuracy", "acc": "accuracy", **dict.fromkeys(_F1, "macro_f1")}
_METRIC = re.compile(rf"(?:best)?(train|validation|valid|val|eval|dev|)(?:epoch)?({'|'.join(_MEASURES)})(?:epoch)?")


class Goal(StrEnum):
    """Direction in which the metric is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    def best(self, values: list[float]) -> float:
        return max(values) if self is Goal.MAXIMIZE else min(values)


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricRules:
    """W&B's further keys of `metric`; the defaults are W&B's."""

    target: float | None = None  # no trial begins once one has this value
    impute: str = "worst"  # value of a failed or pruned run in W&B's bayes search
    impute_while_running: str = "false"  # the same of a running one


def parse_metric(top: Section, learner: str) -> tuple[str, Goal, MetricRules]:
    """Return name, goal and rules of `metric`, with the defaults where a fault is reported; a method that learns needs one."""
    node = top.entries.get("metric")
    if node is not None and isinstance(node.value, str):
        return *_spell_out_metric(top, node), MetricRules()
    section = top.sub("metric", "metric")
    if section is None:
        key, name = ("method", f"method {learner}") if learner else ("early_terminate", "early_terminate")
        if key in top.entries:
            entry = f"metric: {{name: {DEFAULT_METRIC}, goal: maximize}}"
            top.report(f"{name} needs a metric; add `{entry}`", top.find_line(key), top.add(entry))
        return DEFAULT_METRIC, Goal.MAXIMIZE, MetricRules()
    section = section.report_unknown(_KEYS, {})
    metric = section.read_word("name")
    if metric is None:
        if "name" not in section.entries:
            entry = f"name: {DEFAULT_METRIC}"
            section.report(f"metric.name is missing; add `{entry}`", edits=section.add(entry))
        metric = DEFAULT_METRIC
    elif metric not in METRICS:
        metric = _refuse_metric(section, metric)
    return metric, _goal(section, metric), _parse_rules(section, metric)


def _spell_out_metric(top: Section, node: Node) -> tuple[str, Goal]:
    """Report a metric that is a name alone."""
    name = str(node.value)
    metric = name if name in METRICS else _read_metric(name)
    goal = _choose_goal(metric or DEFAULT_METRIC)
    better = f"{{name: {metric or DEFAULT_METRIC}, goal: {goal}}}"
    rule = f"metric takes lines of `key: value` below it, not {name!r}"
    edits = [replace_value(node, better)] if metric else []
    top.report(f"{rule}; write `metric: {better}`", node.line, edits)
    return metric or DEFAULT_METRIC, goal


def _refuse_metric(section: Section, name: str) -> str:
    """Report a name that is no metric, and return the one that is meant; nobody means the clips that are trained on."""
    names = [metric for metric in METRICS if metric.startswith("val_") or name.startswith("train")]
    meant = _read_metric(name)
    match = meant or nearest(name.lower().replace("/", "_"), names)
    rule = f"metric.name {name!r} is no metric of a training"
    if name.lower().startswith("test"):
        rule, match = f"metric.name {name!r} would choose by the test clips, which are for the very end", None
    if match is None:
        section.fail(f"{rule}; write one of {', '.join(names)}", section.find_line("name"))
    if not meant and not is_respelling(name, match):
        section.fail(f"{rule}; write one of {', '.join(names)}", section.find_line("name"))
    edits = [replace_value(section.entries["name"], match)]
    section.report(f"{rule}; did you mean {match!r}?", section.find_line("name"), edits)
    return match


def _choose_goal(metric: str) -> Goal:
    return Goal.MINIMIZE if metric.endswith("loss") else Goal.MAXIMIZE


def _goal(section: Section, metric: str) -> Goal:
    expected = _choose_goal(metric)
    if "goal" not in section.entries:
        if expected is Goal.MAXIMIZE:
            entry = "goal: maximize"
            section.report(f"metric.goal is missing, and W&B would minimize {metric}; add `{entry}`", edits=section.add(entry))
        return expected
    goal = section.option("goal", Goal)
    if goal is not None and goal != expected:
        edits = [replace_value(section.entries["goal"], expected)]
        section.report(f"metric.goal {goal} does not fit {metric}; write `goal: {expected}`", section.find_line("goal"), edits)
    return expected


def _read_metric(name: str) -> str | None:
    """Return the metric that other tools call `name`; one of no set of clips is that of validation."""
    match = _METRIC.fullmatch(re.sub(r"\W|_", "", name.lower()))
    return f"{'train' if match[1] == 'train' else 'val'}_{_MEASURES[match[2]]}" if match else None


def _parse_rules(section: Section, metric: str) -> MetricRules:
    """Return the rules in `metric`, with the defaults where a fault is reported."""
    target, impute, while_running = None, None, None
    with section.faults.collect():
        target = _target(section, metric)
    with section.faults.collect():
        impute = section.option("impute", _IMPUTED)
    with section.faults.collect():
        key = "impute_while_running"
        is_off = key in section.entries and section.entries[key].value is False  # without quotes, as everybody writes it
        while_running = "false" if is_off else section.option(key, (*_IMPUTED, "false"))
    return MetricRules(target=target, impute=impute or "worst", impute_while_running=while_running or "false")


def explain_range(metric: str, value: float) -> str:
    """Return the reason why a metric never has a value, and what to write instead; empty if it may have it."""
    is_loss = metric.endswith("loss")
    if value >= 0 and (is_loss or value <= 1):
        return ""
    fix = _read_percentage(metric, value) or "another"
    return f"is out of reach: {metric} lies from 0 {'up' if is_loss else 'to 1'}; write {fix}"


def _read_percentage(metric: str, value: float) -> str:
    return write_number(round(value / 100, 6)) if not metric.endswith("loss") and 1 < value <= 100 else ""


def _target(section: Section, metric: str) -> float | None:
    target = section.number("target")
    if target is None or not (reason := explain_range(metric, target)):
        return target
    share = _read_percentage(metric, target)
    edits = [replace_value(section.entries["target"], share)] if share else []
    section.fail(f"metric.target {target} {reason}", section.find_line("target"), edits)
