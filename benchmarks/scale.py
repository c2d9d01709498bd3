"""Benchmark of scale: time and memory of scan, prepare and train on a corpus of AudioMNIST's size.

Memory is the greatest sum of proportional set sizes (PSS: pages that several processes share count once) over the command
and all that it started, sampled every 0.2 s. Linux only. Writes benchmarks/results/<machine>-scale.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import RESULTS, describe_machine, machine, slug

LIMIT_MIB = 2048


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Cost of one command."""

    seconds: float
    processor_s: float  # user and system, of all its processes
    peak_mib: float


def measure_cost(words: list[str], folder: Path) -> Cost:
    """Run a command in `folder` and return its cost.

    Raises:
        CalledProcessError: the command failed.
    """
    started, processor, peak = time.monotonic(), children_s(), 0.0
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, env=environment) as process:
        while process.poll() is None:
            peak = max(peak, sum(pss_mib(pid) for pid in family(process.pid)))
            time.sleep(0.2)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return Cost(seconds=time.monotonic() - started, processor_s=children_s() - processor, peak_mib=peak)


def children_s() -> float:
    """Return the processor time of all ended children and their children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def family(pid: int) -> list[int]:
    """Return the ids of a process and all its descendants."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += map(int, (task / "children").read_text().split())
    return [pid, *(descendant for child in children for descendant in family(child))]


def pss_mib(pid: int) -> float:
    with contextlib.suppress(OSError, IndexError, ValueError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(text.split("\nPss:")[1].split()[0]) / 1024
    return 0.0


def folder_mib(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def page(costs: Mapping[str, Cost], conditions: list[str]) -> Iterator[str]:
    """Yield the lines of the record."""
    yield from (f"# Scale on {machine()}", "", *(f"- {line}" for line in conditions), "")
    yield from ("| command | time | processor time | most memory (PSS) |", "|---|---|---|---|")
    for name, cost in costs.items():
        verdict = ", **too much**" * (cost.peak_mib > LIMIT_MIB)
        yield f"| {name} | {cost.seconds:,.0f} s | {cost.processor_s:,.0f} s | {cost.peak_mib:,.0f} MiB{verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="as `python -m benchmarks.make_corpus` writes it")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="the file to write; else benchmarks/results/<machine>-scale.md")
    args = parser.parse_args()
    settings = [f"train.epochs={args.epochs}", "train.side_views=0"]  # views aside would take longer than the epochs
    arena, corpus = [sys.executable, "-m", "arena"], str(args.corpus.resolve())
    steps = {
        "data scan": ["data", "scan", corpus],
        "data scan, again": ["data", "scan", corpus],
        "data prepare": ["data", "prepare", corpus],
        "data prepare, again": ["data", "prepare", corpus],
        "train --all, two at once": ["train", "--all", "--jobs", "2", "--wandb", "off", *settings],
    }
    load, costs = os.getloadavg()[0], {}
    with tempfile.TemporaryDirectory(prefix="arena-scale-") as folder:
        for name, words in steps.items():
            costs[name] = measure_cost([*arena, *words], Path(folder))
            print(f"{name}: {costs[name].seconds:,.0f} s, {costs[name].peak_mib:,.0f} MiB", file=sys.stderr, flush=True)
        written_mib = folder_mib(Path(folder))
    conditions = [
        *describe_machine(),
        f"{sum(1 for _ in args.corpus.rglob('*.wav')):,} clips, {folder_mib(args.corpus):,.0f} MiB; "
        f"tiles, runs and cache take {written_mib:,.0f} MiB; {args.epochs} epochs, each clip scored once",
        f"{datetime.now(UTC):%Y-%m-%d}, once; load average {load:.2f} before",
    ]
    out = args.out or RESULTS / f"{slug(machine())}-scale.md"
    out.write_text("\n".join([*page(costs, conditions), ""]), encoding="utf-8")
    print(out)
    if worst := [name for name, cost in costs.items() if cost.peak_mib > LIMIT_MIB]:
        sys.exit(f"error: more than {LIMIT_MIB} MiB: {', '.join(worst)}")


if __name__ == "__main__":
    main()
