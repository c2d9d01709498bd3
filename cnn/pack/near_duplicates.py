"""The same recording on both sides of a split, maybe cut, amplified or coded anew; and one voice on both sides under two names.

Two steps. Coarse: of each test print the five training prints whose edges correlate best, at any shift. Fine: their whitened
waves are correlated at every shift. Two takes of one word, even by one speaker, differ in their fine structure; one recording
does not. Voices: the cepstra of each speaker as one normal distribution, compared by the distance of Bhattacharyya 1943.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from cnn.corpus.scan import Clip
from cnn.pack.fingerprints import N_CEPSTRA, RATE_HZ, Print, print_of

SAME_FROM = 0.5  # likeness of one recording: docs/pack.md has how often that errs
_N_CANDIDATES = 5
_LEAST_S = 0.2  # of common sound: less of it repeats itself
_LEAST_SHARE = 0.6  # of the energy of one of the two that lies in what they have in common
_N_TEST_AT_ONCE, _N_TRAIN_AT_ONCE = 256, 512  # two tables of 64 MB at 128 shifts
LEAST_CLIPS = 20  # of a voice: with fewer a distance is mostly chance
_VOICE_FROM = 0.75  # distance of two speakers that may be one
_NEXT_VOICE = 0.7  # and at most this share of the distance to the next one

Distances = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One recording that stands on both sides."""

    test: Clip
    train: Clip
    likeness: float  # 0 to 1: the correlation of their whitened waves


@dataclass(frozen=True, kw_only=True, slots=True)
class VoicePair:
    """Two speakers who sound like one."""

    test: str
    train: str
    distance: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What two sides of a split have in common."""

    pairs: tuple[Pair, ...] = ()  # at most one of each test clip, by test clip
    voices: tuple[VoicePair, ...] = ()  # at most one of each test speaker, by name


def find_alike(folder: Path, train: Sequence[Clip], test: Sequence[Clip], advance: Callable[[int], None]) -> Found:
    """What clips below a folder have in common.

    Args:
        advance: is told of each clip that was heard, and of each test clip that was compared.

    Raises:
        CorpusError: a recording changed meanwhile and cannot be read.
    """
    voices: dict[str, _Voice] = defaultdict(_Voice)
    prints = []
    for clip in (*train, *test):
        made = print_of(folder / clip.path)
        voices[clip.speaker].add(made)
        prints.append(replace(made, cepstra=made.cepstra[:, :0]))  # the voice has them
        advance(1)
    found = same_recordings(prints[: len(train)], prints[len(train) :], advance)
    pairs = [Pair(test=test[at], train=train[of], likeness=likeness) for at, of, likeness in found]
    groups = ({clip.speaker for clip in side} for side in (train, test))
    return Found(
        pairs=tuple(sorted(pairs, key=lambda pair: pair.test.id)), voices=tuple(_same_voices(voices, *map(sorted, groups)))
    )


def same_recordings(
    train: Sequence[Print], test: Sequence[Print], advance: Callable[[int], None]
) -> list[tuple[int, int, float]]:
    """Places of a test and a training print, and their likeness, of each test print that is a training recording too."""
    n_shifts = 1 << (2 * max(one.edges.shape[1] for one in (*train, *test)) - 1).bit_length()
    found = []
    for start in range(0, len(test), _N_TEST_AT_ONCE):
        some = test[start : start + _N_TEST_AT_ONCE]
        for at, candidates in enumerate(_candidates(train, some, n_shifts)):
            best, of = max((likeness(some[at].wave, train[place].wave), -place) for place in candidates)
            if best >= SAME_FROM:
                found.append((start + at, -of, best))
        advance(len(some))
    return found


def _candidates(train: Sequence[Print], test: Sequence[Print], n_shifts: int) -> list[list[int]]:
    """Of each test print the training prints whose edges correlate best at any shift."""
    ours = _spectra(test, n_shifts).conj()  # (W, tests, F - 1)
    best, places = torch.empty(len(test), 0), torch.empty(len(test), 0, dtype=torch.long)
    for start in range(0, len(train), _N_TRAIN_AT_ONCE):
        theirs = _spectra(train[start : start + _N_TRAIN_AT_ONCE], n_shifts)
        products = torch.bmm(ours.resolve_conj(), theirs.transpose(1, 2))  # (W, tests, trains)
        scores = torch.fft.irfft(products, n_shifts, dim=0).amax(0)
        best = torch.cat([best, scores], 1)
        places = torch.cat([places, torch.arange(start, start + scores.shape[1]).expand(len(test), -1)], 1)
        best, order = best.topk(min(_N_CANDIDATES, best.shape[1]), dim=1)
        places = places.gather(1, order)
    return [[int(place) for place in row] for row in places]


def _spectra(prints: Sequence[Print], n_shifts: int) -> torch.Tensor:
    """(W, N, F - 1) of their edges over time."""
    laid = torch.zeros(len(prints), prints[0].edges.shape[0], n_shifts)
    for place, one in enumerate(prints):
        laid[place, :, : one.edges.shape[1]] = torch.from_numpy(one.edges)
    spectra: torch.Tensor = torch.fft.rfft(laid)
    return spectra.permute(2, 0, 1).contiguous()


def likeness(one: npt.NDArray[np.int8], other: npt.NDArray[np.int8]) -> float:
    """The greatest normalised correlation of two waves over the shifts at which they have enough in common, 0 to 1."""
    first, second = one.astype(np.float64), other.astype(np.float64)
    n_fft = 1 << (len(first) + len(second) - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(second, n_fft) * np.fft.rfft(first, n_fft).conj(), n_fft)
    shifts = np.arange(1 - len(first), len(second))
    begins, ends = np.maximum(0, -shifts), np.minimum(len(first), len(second) - shifts)
    energies = [np.concatenate([[0], np.cumsum(wave**2)]) for wave in (first, second)]
    inside = [sums[ends + moved] - sums[begins + moved] for sums, moved in zip(energies, (0, shifts), strict=True)]
    share = np.maximum(*(part / max(sums[-1], 1e-9) for part, sums in zip(inside, energies, strict=True)))
    is_enough = (ends - begins >= _LEAST_S * RATE_HZ) & (share >= _LEAST_SHARE)
    scores = np.abs(products[shifts % n_fft]) / np.sqrt(inside[0] * inside[1] + 1e-9)
    return float(min(1.0, np.max(scores, where=is_enough, initial=0.0)))


class _Voice:
    """The cepstra of one speaker, as they come in."""

    def __init__(self) -> None:
        self.n_clips = self._n = 0
        self._sum = np.zeros(N_CEPSTRA)
        self._products = np.zeros((N_CEPSTRA, N_CEPSTRA))

    def add(self, made: Print) -> None:
        frames = made.cepstra.astype(np.float64)  # (C, T)
        self.n_clips += 1
        self._n += frames.shape[1]
        self._sum += frames.sum(axis=1)
        self._products += frames @ frames.T

    def normal(self) -> tuple[Distances, Distances]:
        """Mean (C,) and covariance (C, C)."""
        mean = self._sum / self._n
        return mean, self._products / self._n - np.outer(mean, mean) + 1e-2 * np.eye(N_CEPSTRA)


def _same_voices(voices: dict[str, _Voice], train: Sequence[str], test: Sequence[str]) -> list[VoicePair]:
    normals = {name: voice.normal() for name, voice in voices.items() if voice.n_clips >= LEAST_CLIPS}
    found = []
    for name in test:
        distances = sorted((_distance(normals[name], normals[of]), of) for of in train if name in normals and of in normals)
        if distances and distances[0][0] <= min(_VOICE_FROM, *(_NEXT_VOICE * far for far, _ in distances[1:2])):
            found.append(VoicePair(test=name, train=distances[0][1], distance=distances[0][0]))
    return found


def _distance(one: tuple[Distances, Distances], other: tuple[Distances, Distances]) -> float:
    """Of two normal distributions, by mean and covariance (Bhattacharyya 1943)."""
    between, apart = (one[1] + other[1]) / 2, one[0] - other[0]
    volumes = [np.linalg.slogdet(matrix)[1] for matrix in (between, one[1], other[1])]
    return float(apart @ np.linalg.solve(between, apart) / 8 + (volumes[0] - (volumes[1] + volumes[2]) / 2) / 2)
