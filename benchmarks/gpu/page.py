"""Findings on a GPU as Markdown."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from datetime import UTC, datetime

from benchmarks.bench import find_version, machine
from benchmarks.gpu.budget import judge
from benchmarks.gpu.ceiling import H200
from benchmarks.gpu.steps import EAGER, GRAPH, Arm, StepsReport, find_ratio
from benchmarks.gpu.whole import HOPE_S, LIMIT_S, WholeReport

# Model, the fewest members, against what, floor and hope of the ratio.
GOALS = (
    ("lenet5", 64, EAGER, 15, 30),
    ("lenet5", 64, GRAPH, 3, 6),
    ("resnet", 32, EAGER, 8, 15),
    ("resnet", 32, GRAPH, 2, 4),
)


def write_steps(report: StepsReport, device_name: str, spent_s: float) -> str:
    ended = "" if report.is_complete else "; the time was over before all rounds were done"
    lines = [f"# Training steps on {device_name}", "", *_list_conditions(spent_s)]
    lines += [f"- medians of up to {report.n_rounds} interleaved rounds of an epoch each{ended}"]
    lines += ["- the ceiling is arithmetic: bytes and kernels of every operation of a step, on an H200 " + _describe_sheet()]
    lines += [f"- equal results: {line}" for line in report.equalities]
    lines += ["- not compared: the DataLoader loop, which draws an augmentation of its own, one clip at a time"]
    lines += ["", "| model | arm | clips/s | rounds | ceiling | of it | against eager | against the graph |"]
    lines += ["|---|---|---|---|---|---|---|---|", *(_write_arm(arm, report.arms) for arm in report.arms)]
    lines += ["", "| goal | floor | hope | measured | |", "|---|---|---|---|---|", *_write_goals(report)]
    return "\n".join(lines) + "\n"


def write_whole(report: WholeReport, device_name: str, spent_s: float) -> str:
    n_studies = 8
    words = "measured" if report.is_finished else "extrapolated"
    duration = "nothing" if report.whole_s is None else f"{report.whole_s:,.0f} s ({words})"
    lines = [f"# A whole sweep on {device_name}", "", *_list_conditions(spent_s)]
    lines += ["- `arena sweep run` with `--fuse`; trials differ in learning rate, weight decay, dropout and label smoothing"]
    lines += [f"- the ceiling is arithmetic, of the training steps alone, on an H200 {_describe_sheet()}"]
    lines += ["", "| | |", "|---|---|", f"| studies, clips of an epoch | {n_studies}, {report.n_clips:,} |"]
    lines += [f"| epochs | {report.n_epochs:,} of {report.n_planned:,} in {report.seconds:,.0f} s |"]
    lines += [f"| trials finished | {report.n_trials} |", f"| the whole sweep | {duration} |"]
    lines += [f"| the same by arithmetic, at best | {report.ceiling_s:,.0f} s |"]
    verdict = judge(report.whole_s, LIMIT_S, HOPE_S, least=True)
    lines += [f"| at most {LIMIT_S} s, hoped {HOPE_S} s | {verdict}{'' if report.is_finished else ', by extrapolation'} |"]
    return "\n".join(lines) + "\n"


def _list_conditions(spent_s: float) -> list[str]:
    return [
        f"- {datetime.now(UTC):%Y-%m-%d}, {machine()}, Python {platform.python_version()}, torch {find_version('torch')}, "
        f"{spent_s:,.0f} s in all; tiles drawn from a seed, nets of the defaults"
    ]


def _describe_sheet() -> str:
    return (
        f"of {H200.bytes_per_s / 1e12:g} TB/s: {1e6 * H200.launch_s:g} us to start a kernel from Python, "
        f"{1e6 * H200.node_s:g} us within a graph, {1e6 * H200.graph_s:g} us a graph"
    )


def _write_arm(arm: Arm, arms: list[Arm]) -> str:
    bases = [next((a.rate for a in arms if (a.model, a.name) == (arm.model, name)), None) for name in (EAGER, GRAPH)]
    median = f"{arm.rate:,.0f}" if arm.rate else arm.note or "not measured"
    ceiling = f"{arm.ceiling:,.0f}" if arm.ceiling else ""
    share = f"{100 * arm.rate / arm.ceiling:.0f} %" if arm.rate and arm.ceiling else ""
    ratios = [f"{arm.rate / base:.1f}" if arm.rate and base else "" for base in bases]
    rounds = " ".join(f"{rate:,.0f}" for rate in arm.rates)
    return f"| {arm.model} | {arm.name} | {median} | {rounds} | {ceiling} | {share} | {' | '.join(ratios)} |"


def _write_goals(report: StepsReport) -> Iterator[str]:
    for model, n_least, against, floor, hope in GOALS:
        ratio = find_ratio(report.arms, model, n_least, against)
        measured = "" if ratio is None else f"{ratio:.1f}"
        verdict = judge(ratio, floor, hope)
        yield f"| {model}, {n_least} or more fused, against {against} | {floor} | {hope} | {measured} | {verdict} |"
