"""Benchmark of the report: seconds and bytes of a report of eight trainings, as its trials grow from 8 to 4,096.

The run folders, the clips' tiles and recordings, and the journals of eight studies are written first, by Arena's own writers;
then `arena report build` runs on them as a user would start it. CPU seconds are those of the whole command, start included.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cnn.config import VARIANTS
from cnn.nets import PAIR

ROOT = Path(__file__).parents[1]
TRIALS = (8, 64, 512, 4096)
LIMIT_BYTES, LIMIT_S = 5_000_000, 5.0


def write_world(folder: Path, n_trials: int) -> None:
    """Write eight finished runs with their clips, and eight studies that share `n_trials`."""
    sys.path.append(str(ROOT / "tests"))
    from support.report_facts import tone_wav, write_eight, write_tiles
    from support.report_stores import write_study

    eight = write_eight(folder / "runs", n_speakers=6)
    clips = sorted({row.id for row in eight[0].predictions()})
    write_tiles(folder / "tiles", eight[0].config(), clips, tone_wav(length_s=0.7))
    for model in PAIR:
        for variant in VARIANTS:
            write_study(folder / "studies", variant, max(1, n_trials // 8), model=model)


def build(folder: Path) -> tuple[float, float, int]:
    """Build the report; return wall seconds, CPU seconds and bytes."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    words = [sys.executable, "-m", "arena", "report", "build"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run(words, cwd=folder, check=True, capture_output=True, env=environment)
    wall_s, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall_s, cpu_s, (folder / "report.html").stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="*", default=list(TRIALS))
    parser.add_argument("--rounds", type=int, default=3, help="the least of so many builds counts")
    args = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, least of {args.rounds}")
    print(f"{'trials':>7} {'wall s':>8} {'CPU s':>8} {'MB':>7}")
    is_met = True
    for n_trials in args.trials:
        with tempfile.TemporaryDirectory() as folder:
            write_world(Path(folder), n_trials)
            rounds = [build(Path(folder)) for _ in range(args.rounds)]
        wall_s, cpu_s, size = min(wall for wall, _, _ in rounds), min(cpu for _, cpu, _ in rounds), rounds[0][2]
        print(f"{n_trials:>7,} {wall_s:>8.2f} {cpu_s:>8.2f} {size / 1e6:>7.2f}")
        is_met &= n_trials > 512 or (size < LIMIT_BYTES and cpu_s < LIMIT_S)
    sys.exit(0 if is_met else "eight trainings and 512 trials take more than 5 s of CPU or 5 MB")


if __name__ == "__main__":
    main()
