"""Synthetic corpus of AudioMNIST's size and rate: recordings repeated and perturbed as new speakers, or tones.

`python -m benchmarks.make_corpus OUT --source recordings` writes 60 speakers x 10 digits x 50 takes
at 48 kHz and 16 bits, 1.4 GB. Equal arguments give equal bytes. S samples.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from cnn.corpus.audio import read_clip
from cnn.corpus.scan import scan
from cnn.processes import map_in_processes

N_DIGITS = 10
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Settings of a synthetic corpus."""

    out: Path
    sources: dict[str, tuple[Path, ...]]  # recordings by digit; empty: tones
    n_speakers: int
    n_takes: int
    rate_hz: int


def write_speaker(plan: Plan, number: int) -> int:
    """Write all clips of a new speaker, whose speed and gain differ from the source's; return their number."""
    rng = np.random.default_rng([7, number])
    speed = rng.uniform(0.85, 1.15)
    name = f"{number:02d}"
    (plan.out / name).mkdir(parents=True, exist_ok=True)
    for digit in range(N_DIGITS):
        for take in range(plan.n_takes):
            samples, rate_hz = _source(plan, str(digit), number * plan.n_takes + take, rng)
            wave = _perturbed(samples, plan.rate_hz / rate_hz / (speed * rng.uniform(0.97, 1.03)), rng)
            soundfile.write(plan.out / name / f"{digit}_{name}_{take}.wav", wave, plan.rate_hz, subtype="PCM_16")
    return N_DIGITS * plan.n_takes


def _source(plan: Plan, digit: str, number: int, rng: np.random.Generator) -> tuple[Samples, int]:
    if paths := plan.sources.get(digit):
        return read_clip(paths[number % len(paths)])
    time = np.arange(int(8000 * rng.uniform(0.3, 0.9))) / 8000  # (S,)
    pitch = rng.uniform(90, 250) * (1 + 0.1 * np.sin(2 * np.pi * (int(digit) + 1) * time))
    wave = sum(np.sin(2 * np.pi * k * np.cumsum(pitch) / 8000) / k for k in range(1, 6))
    return (0.2 * wave * np.hanning(len(time))).astype(np.float32), 8000


def _perturbed(samples: Samples, stretch: float, rng: np.random.Generator) -> Samples:
    positions = np.arange(max(1, math.floor(len(samples) * stretch))) / stretch
    wave = np.interp(positions, np.arange(len(samples)), samples) * rng.uniform(0.4, 0.95)
    return np.clip(wave + rng.normal(0, 10 ** rng.uniform(-4, -2.5), len(wave)), -1, 1).astype(np.float32)


def make(plan: Plan, n_jobs: int) -> int:
    """Write the corpus in `n_jobs` processes, 0: one per core; return the number of clips."""
    return sum(map_in_processes(partial(write_speaker, plan), range(1, plan.n_speakers + 1), n_jobs))


def find_sources(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Return the usable recordings below `folder` by digit."""
    clips = scan(folder).clips
    return {str(d): tuple(folder / clip.path for clip in clips if clip.label == str(d)) for d in range(N_DIGITS)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path, help="real recordings to repeat; without them tones are written")
    parser.add_argument("--speakers", type=int, default=60)
    parser.add_argument("--takes", type=int, default=50)
    parser.add_argument("--rate", type=int, default=48_000)
    parser.add_argument("--jobs", type=int, default=0)
    args = parser.parse_args()
    sources = find_sources(args.source) if args.source else {}
    plan = Plan(out=args.out, sources=sources, n_speakers=args.speakers, n_takes=args.takes, rate_hz=args.rate)
    print(f"{args.out}: {make(plan, args.jobs):,} clips")


if __name__ == "__main__":
    from benchmarks import make_corpus  # by its name: the processes that share the work know no __main__

    make_corpus.main()
