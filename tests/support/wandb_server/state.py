"""What a W&B server remembers: runs, sweeps, agents, artifacts; and W&B's rules for the next point and for stopping early."""

from __future__ import annotations

import base64
import itertools
import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sweeps.engines.bands import is_weak
from sweeps.sweepfile.stopping import EarlyTerminate, Stopping


def global_id(kind: str, *parts: object) -> str:
    """An opaque id, as W&B makes them."""
    return base64.b64encode(":".join([kind, *map(str, parts)]).encode()).decode()


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Run:
    """One run. `lines` holds the file stream by file and offset, so that a chunk sent twice counts once."""

    entity: str
    project: str
    name: str  # its id for people
    display_name: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, dict[int, str]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    state: str = "running"
    exit_code: int | None = None
    sweep: str = ""
    group: str = ""
    job_type: str = ""
    tags: list[str] = field(default_factory=list)
    notes: str = ""
    stop_asked: bool = False
    is_preempting: bool = False  # it said that it will end and go on elsewhere
    created: str = field(default_factory=now)

    @property
    def id(self) -> str:
        return global_id("Run", "v1", self.name, self.project, self.entity)

    @property
    def history(self) -> list[dict[str, Any]]:
        return [json.loads(line) for _, line in sorted(self.lines.get("wandb-history.jsonl", {}).items())]

    def values(self, metric: str) -> list[float]:
        """The logged points of one metric, in order."""
        values = [row.get(metric) for row in self.history]
        return [value for value in values if isinstance(value, int | float) and math.isfinite(value)]


@dataclass(slots=True)
class Agent:
    """One `wandb agent`."""

    id: str
    sweep: str
    host: str
    told_to_stop: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Sweep:
    """One sweep; `queue` holds preempted runs, and those that a scheduler outside asked for."""

    entity: str
    project: str
    name: str
    config: dict[str, Any]
    display_name: str | None = None
    state: str = "PENDING"
    runs: list[Run] = field(default_factory=list)
    prior_runs: list[Run] = field(default_factory=list)  # runs of other sweeps: a bayes search learns from them
    queue: list[Run] = field(default_factory=list)
    points: Iterator[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.points = points_of(self.config)

    @property
    def id(self) -> str:
        return global_id("Sweep", "v1", self.name, self.project, self.entity)

    @property
    def is_scheduled_outside(self) -> bool:
        return bool(self.config.get("scheduler"))

    def draw_point(self) -> dict[str, Any] | None:
        """The next point; of a grid the first one that no run has in its configuration, so that a deleted run is made again."""
        if self.config["method"] != "grid":
            return next(self.points)
        tried = [{name: entry.get("value") for name, entry in run.config.items()} for run in self.runs]
        return next((point for point in points_of(self.config) if not any(point.items() <= run.items() for run in tried)), None)

    @property
    def is_over(self) -> bool:
        cap = self.config.get("run_cap")
        return self.state in ("CANCELED", "FINISHED") or bool(cap and len(self.runs) >= cap) or self._has_target

    @property
    def _has_target(self) -> bool:
        """A run has the metric's target: W&B creates no more, and lets running ones end."""
        metric = self.config.get("metric") or {}
        target, sign = metric.get("target"), -1 if metric.get("goal") == "maximize" else 1
        values = [sign * value for run in self.runs for value in run.values(metric.get("name", ""))]
        return target is not None and bool(values) and min(values) <= sign * target


@dataclass(slots=True)
class Artifact:
    """One version of an artifact, and the content of its files."""

    id: str
    type: str
    collections: list[str]
    digest: str
    state: str = "PENDING"
    files: dict[str, bytes] = field(default_factory=dict)


def points_of(config: dict[str, Any], seed: int = 0) -> Iterator[dict[str, Any]]:
    """What W&B's own search would hand out: a grid once, everything else without end (a bayes search draws at random here)."""
    parameters = config["parameters"]
    if config["method"] == "grid":
        axes = [_axis(spec) for spec in parameters.values()]
        yield from (dict(zip(parameters, point, strict=True)) for point in itertools.product(*axes))
        return
    source = random.Random(seed)
    while True:
        yield {name: draw(spec, source) for name, spec in parameters.items()}


def _axis(spec: dict[str, Any]) -> list[Any]:
    if "value" in spec:
        return [spec["value"]]
    return list(spec["values"]) if "values" in spec else list(range(spec["min"], spec["max"] + 1))


def draw(spec: dict[str, Any], source: random.Random) -> Any:
    """One value, as W&B's documentation defines its distributions."""
    if "value" in spec:
        return spec["value"]
    if "values" in spec:
        return source.choice(spec["values"])
    low, high, q, name = spec["min"], spec["max"], spec.get("q", 1), spec["distribution"]
    if name == "int_uniform":
        return source.randint(low, high)
    drawn = math.exp(source.uniform(math.log(low), math.log(high))) if "log" in name else source.uniform(low, high)
    return round(drawn / q) * q if name.startswith("q_") else drawn


def hyperband_stops(sweep: Sweep) -> list[str]:
    """Running runs that W&B's rule ends: the rule is Arena's, which a test compares to W&B's published code."""
    content = sweep.config.get("early_terminate") or {}
    if content.get("type") != "hyperband":
        return []
    numbers = {"min_iter": 1, **{key: value for key, value in content.items() if key != "type"}}  # W&B's defaults are Arena's
    early = EarlyTerminate(type=Stopping.HYPERBAND, **numbers)
    metric = sweep.config["metric"]
    sign = -1 if metric.get("goal") == "maximize" else 1
    curves = {run.name: [sign * value for value in run.values(metric["name"])] for run in sweep.runs}
    return [run.name for run in sweep.runs if run.state == "running" and is_weak(curves[run.name], [*curves.values()], early)]
