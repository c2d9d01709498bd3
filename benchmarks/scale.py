"""Benchmark of scale: time and memory of scan, prepare and train on a corpus of AudioMNIST's size.

Memory is the greatest sum of proportional set sizes (PSS: pages that several processes share count once) over the command
and all that it started, sampled every 0.2 s. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

LIMIT_MIB = 2048


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Cost of one command."""

    seconds: float
    peak_mib: float


def measure_cost(words: list[str], folder: Path) -> Cost:
    """Run a command in `folder` and return its cost.

    Raises:
        CalledProcessError: the command failed.
    """
    started, peak = time.monotonic(), 0.0
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, env=environment) as process:
        while process.poll() is None:
            peak = max(peak, sum(pss_mib(pid) for pid in family(process.pid)))
            time.sleep(0.2)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return Cost(seconds=time.monotonic() - started, peak_mib=peak)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="as `python -m benchmarks.make_corpus` writes it")
    parser.add_argument("--epochs", type=int, default=2)
    args = parser.parse_args()
    arena, corpus = [sys.executable, "-m", "arena"], str(args.corpus.resolve())
    steps = {
        "scan": ["data", "scan", corpus],
        "scan again": ["data", "scan", corpus],
        "prepare": ["data", "prepare", corpus],
        "prepare again": ["data", "prepare", corpus],
        "train, two at once": ["train", "--all", "--jobs", "2", "--wandb", "off", f"train.epochs={args.epochs}"],
    }
    with tempfile.TemporaryDirectory(prefix="arena-scale-") as folder:
        costs = {name: measure_cost([*arena, *words], Path(folder)) for name, words in steps.items()}
    for name, cost in costs.items():
        print(f"| {name} | {cost.seconds:,.0f} s | {cost.peak_mib:,.0f} MiB |")
    if worst := [name for name, cost in costs.items() if cost.peak_mib > LIMIT_MIB]:
        sys.exit(f"error: more than {LIMIT_MIB} MiB: {', '.join(worst)}")


if __name__ == "__main__":
    main()
