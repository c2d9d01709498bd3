"""Measurement of the comparison of voices on real recordings: one person's two names, and two people taken for one.

    python -m benchmarks.voices fsdd

From each speaker two names are made, of the earlier and the later takes, or at random; of each name so many clips are drawn.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnn.corpus.scan import Clip, scan
from cnn.speakers.voices import compare_voices

SIZES = (20, 30, 50, 100)
N_DRAWS = 100


def draw_names(clips: list[Clip], n_clips: int, by_take: bool, rng: np.random.Generator) -> list[Clip]:
    """Return `n_clips` of each half of each speaker's clips, under the names `ann a` and `ann b`."""
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: int(clip.take)):
        by_speaker[clip.speaker].append(clip)
    renamed = []
    for speaker, spoken in by_speaker.items():
        order = np.arange(len(spoken)) if by_take else rng.permutation(len(spoken))
        for half, indices in zip("ab", np.array_split(order, 2), strict=True):
            chosen = rng.choice(indices, n_clips, replace=False)
            renamed += [replace(spoken[index], speaker=f"{speaker} {half}") for index in chosen]
    return renamed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    clips = list(scan(parser.parse_args().corpus).clips)
    n_speakers = len({clip.speaker for clip in clips})
    n_one, n_two = n_speakers, 2 * n_speakers * (n_speakers - 1)
    print("| clips of a name | halves | one person's two names told | two people taken for one |\n|---|---|---|---|")
    for by_take, halves in ((False, "at random"), (True, "earlier and later takes")):
        for n_clips in SIZES:
            rng = np.random.default_rng(0)
            pairs = [pair for _ in range(N_DRAWS) for pair in compare_voices(draw_names(clips, n_clips, by_take, rng))]
            n_right = sum(pair.first[:-2] == pair.second[:-2] for pair in pairs)
            right, wrong = f"{n_right} of {n_one * N_DRAWS}", f"{len(pairs) - n_right} of {n_two * N_DRAWS:,}"
            print(f"| {n_clips} | {halves} | {right} | {wrong} |", flush=True)


if __name__ == "__main__":
    main()
