"""Benchmarks of `make bench`: speeds of the project, each against the usual way to do the same.

Writes benchmarks/results/<machine>.md; exits with 1 if a floor is not met or two arms are not equal.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import front_end, scoring, serving, starting, sweeping, training
from benchmarks.arms import Comparison, Finding, UnequalError, compare
from cnn.hardware import n_cores

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("torch", "torchaudio", "numpy", "opencv-python", "scikit-learn", "librosa", "kornia")


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """Amounts of work to measure."""

    n_rounds: int
    tile_sizes: tuple[int, ...]
    n_speakers: int
    n_takes: int
    n_epochs: int
    n_batches: int
    n_clips: int
    n_tiles: int
    n_rows: int
    n_looped: int
    served: tuple[int, int]  # simultaneous posts, teams on a page
    sweeps: tuple[int, int, int]  # trials stored, trials trained, trials of a long study
    n_workers: tuple[int, ...] = (0, 1, 2)  # DataLoader workers of the usual loop: the best of these counts
    n_processes: int = min(2, n_cores())  # processes of Arena's trainings


FULL = Size(
    n_rounds=5,
    tile_sizes=(32, 64),
    n_speakers=60,
    n_takes=9,
    n_epochs=5,
    n_batches=30,
    n_clips=2000,
    n_tiles=30_000,
    n_rows=30_000,
    n_looped=100,
    served=(64, 1000),
    sweeps=(64, 12, 100_000),
)
QUICK = Size(
    n_rounds=3,
    tile_sizes=(32, 64),
    n_speakers=30,
    n_takes=4,
    n_epochs=5,
    n_batches=10,
    n_clips=300,
    n_tiles=3000,
    n_rows=30_000,
    n_looped=20,
    served=(64, 1000),
    sweeps=(64, 8, 100_000),
)
TINY = Size(  # for the test of the benchmarks themselves
    n_rounds=1,
    tile_sizes=(64,),
    n_speakers=10,
    n_takes=2,
    n_epochs=2,
    n_batches=2,
    n_clips=10,
    n_tiles=64,
    n_rows=2000,
    n_looped=5,
    served=(8, 4),
    sweeps=(4, 2, 2000),
    n_workers=(0,),
    n_processes=1,
)


def all_comparisons(size: Size, scratch: Path, missing: list[str]) -> Iterator[Comparison]:
    """Yield every comparison, prepared when its turn comes; add a line to `missing` for each that cannot run here."""
    yield from scoring.comparisons(size.n_rows, size.n_looped)
    yield from serving.comparisons(*size.served)
    comparisons, left_out = front_end.comparisons(size.n_clips, size.n_tiles)
    missing += left_out
    yield from comparisons
    ours = training.Ours(n_epochs=size.n_epochs, n_processes=size.n_processes)
    smallest: Path | None = None  # smallest tiles, since sweeps measure bookkeeping and not nets
    for world in training.make_worlds(scratch, size.tile_sizes, (size.n_speakers, size.n_takes), ours):
        yield from training.comparisons(world, size.n_workers, size.n_batches)
        smallest = smallest or world.tiles.folder
    assert smallest
    yield from starting.comparisons(scratch, smallest)
    yield from sweeping.comparisons(scratch, smallest, size.sweeps)


def measure(size: Size, scratch: Path) -> tuple[list[Finding], list[str]]:
    """Return all findings and a line on each missing arm; progress goes to stderr.

    Raises:
        UnequalError: two arms differ.
    """
    findings, missing = [], []
    for comparison in all_comparisons(size, scratch, missing):
        finding = compare(comparison, size.n_rounds)
        findings.append(finding)
        text = f"{finding.ratio:.1f} times {comparison.against} (floor {comparison.floor:g})"
        print(f"{comparison.name}: {text}", file=sys.stderr, flush=True)
    for word in missing:
        print(word, file=sys.stderr, flush=True)
    return findings, missing


def machine() -> str:
    """Return processor and cores of this machine, which name it."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        model = match[1].strip() if match else model
    return f"{model}, {n_cores()} cores"


def memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.platform(terse=True)


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def find_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def describe_machine() -> list[str]:
    """Return lines on machine and versions, for the head of a record."""
    return [
        f"{machine()}, {memory_gib():.0f} GiB of memory, {system()}, Python {platform.python_version()}",
        ", ".join(f"{name} {find_version(name)}" for name in _PACKAGES),
    ]


def page(findings: Sequence[Finding], conditions: Sequence[str]) -> str:
    """Return the findings as Markdown."""
    lines = [f"# Speeds on {machine()}", "", *(f"- {line}" for line in conditions), ""]
    lines += [
        "| what | against | ours | theirs | ratio (least to greatest of the rounds) | floor |",
        "|---|---|---|---|---|---|",
    ]
    for finding in findings:
        c, verdict = finding.comparison, "" if finding.holds else ", **not met**"
        ours, theirs = (f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}" for rate in (finding.ours, finding.theirs))
        ratio = f"**{finding.ratio:.1f}** ({finding.least:.1f} to {finding.greatest:.1f})"
        lines.append(f"| {c.name} | {c.against} | {ours} {c.unit}/s | {theirs} {c.unit}/s | {ratio} | {c.floor:g}{verdict} |")
    lines += ["", "## Equal results", "", "No ratio is printed before both arms gave the same:", ""]
    equalities = dict.fromkeys(f"- {finding.comparison.name}: {finding.equality}." for finding in findings)
    return "\n".join([*lines, *equalities]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about six minutes: fewer clips and three rounds")
    parser.add_argument("--out", type=Path, help="the file to write; else benchmarks/results/<machine>.md")
    args = parser.parse_args()
    size = QUICK if args.quick else FULL
    started, before = time.monotonic(), os.getloadavg()
    try:
        with tempfile.TemporaryDirectory(prefix="arena-bench-") as scratch:
            findings, missing = measure(size, Path(scratch))
    except UnequalError as error:
        sys.exit(f"error: {error}; speeds of unequal results are not compared")
    after = os.getloadavg()
    conditions = [
        *describe_machine(),
        f"{datetime.now(UTC):%Y-%m-%d}, {size.n_rounds} interleaved rounds{' (--quick)' if args.quick else ''}, medians, "
        f"{(time.monotonic() - started) / 60:.0f} minutes",
        f"load average {before[0]:.2f} before (its own work included: {after[0]:.2f} after)",
        *missing,
    ]
    out = args.out or RESULTS / f"{slug(machine())}.md"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(findings, conditions), encoding="utf-8")
    print(out)
    if failed := [finding.comparison.name for finding in findings if not finding.holds]:
        sys.exit(f"error: {len(failed)} of {len(findings)} floors are not met: {'; '.join(failed)}")


if __name__ == "__main__":
    main()
