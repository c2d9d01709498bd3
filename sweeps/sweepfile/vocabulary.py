"""Words of other tools in a sweep file: names of metrics, W&B's keys that Arena has no use for, and those of `metric`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sweeps.sweepfile.edits import replace_value
from sweeps.sweepfile.section import Section, write_number

_LAUNCH = "belongs to W&B Launch, and Arena starts the agents itself (`--on slurm`, `--on ray`); remove it"
_VERSION = "names a version of W&B's schema, of which there is one; remove it"
FOREIGN_KEYS = {
    "apiVersion": _VERSION,
    "kind": _VERSION,
    "controller": "lets W&B's package `sweeps` choose the points, which Arena's replaces; remove it and choose by --engine",
    "job": _LAUNCH,
    "image_uri": _LAUNCH,
    "imports": "is none of W&B's schema any more; remove it",
    "metrics": "needs a scheduler of your own at W&B; write one `metric`",
    "scheduler": "is written by `arena wandb sweep-file FILE --scheduler`; remove it",
}
METRIC_KEYS = ("name", "goal", "target", "impute", "impute_while_running")
_IMPUTED = ("latest", "best", "worst")
_F1 = ("f1", "macrof1", "f1macro", "f1score", "macrof1score")
_MEASURES = {"loss": "loss", "accuracy": "accuracy", "acc": "accuracy", **dict.fromkeys(_F1, "macro_f1")}
_METRIC = re.compile(rf"(?:best)?(train|validation|valid|val|eval|dev|)(?:epoch)?({'|'.join(_MEASURES)})(?:epoch)?")


def read_metric(name: str) -> str | None:
    """Return the metric that other tools call `name`; one of no set of clips is that of validation."""
    match = _METRIC.fullmatch(re.sub(r"\W|_", "", name.lower()))
    return f"{'train' if match[1] == 'train' else 'val'}_{_MEASURES[match[2]]}" if match else None


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricRules:
    """W&B's further keys of `metric`; the defaults are W&B's."""

    target: float | None = None  # no trial begins once one has this value
    impute: str = "worst"  # value of a failed or pruned run in W&B's bayes search
    impute_while_running: str = "false"  # the same of a running one


def parse_rules(section: Section, metric: str) -> MetricRules:
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


def _target(section: Section, metric: str) -> float | None:
    target = section.number("target")
    highest = float("inf") if metric.endswith("loss") else 1.0
    if target is None or 0 <= target <= highest:
        return target
    rule = f"metric.target {target} is out of reach: {metric} lies from 0 {'up' if metric.endswith('loss') else 'to 1'}"
    share = round(target / 100, 6)
    is_percentage = highest < target <= 100
    edits = [replace_value(section.entries["target"], write_number(share))] if is_percentage else []
    section.fail(f"{rule}; write {write_number(share) if is_percentage else 'another'}", section.find_line("target"), edits)
