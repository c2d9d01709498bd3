"""Near-duplicates across a split: one recording on both sides, maybe cut, amplified or coded anew; one voice on both.

Recordings are matched in two steps. Coarse: for each test clip, the five training clips whose fingerprint edges correlate
best, at any shift. Fine: their whitened waves are correlated at every shift. Two takes of one word, even by one speaker,
differ in their fine structure; two copies of a recording do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from cnn.corpus.scan import Clip
from cnn.pack.fingerprints import RATE_HZ, Fingerprint, compute_fingerprint
from cnn.speakers.voices import VoicePair, compare_voices

SAME_RECORDING_FROM = 0.5  # similarity of one recording: docs/how-to/pack.md has how often that errs
_N_CANDIDATES = 5
_MIN_OVERLAP_S = 0.2  # a shorter sound may repeat itself
_MIN_OVERLAP_ENERGY = 0.6  # share of the energy of one of the two recordings that lies in the overlap
_TEST_BATCH, _TRAIN_BATCH = 256, 512  # two tables of 64 MB at 128 shifts


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One recording on both sides of the split."""

    test: Clip
    train: Clip
    similarity: float  # 0 to 1: the correlation of their whitened waves


@dataclass(frozen=True, kw_only=True, slots=True)
class Matches:
    """Recordings and voices that stand on both sides of a split."""

    pairs: tuple[Pair, ...] = ()  # sorted by test clip, at most one for each
    voices: tuple[VoicePair, ...] = ()  # the first is the test speaker; sorted


def find_near_duplicates(folder: Path, train: Sequence[Clip], test: Sequence[Clip], advance: Callable[[int], None]) -> Matches:
    """Find recordings and voices that stand on both sides; clip paths are relative to `folder`.

    Args:
        advance: called for each decoded clip, and again for each compared test clip.

    Raises:
        CorpusError: a recording changed meanwhile and cannot be read.
    """
    fingerprints = []
    for clip in (*train, *test):
        fingerprints.append(compute_fingerprint(folder / clip.path))
        advance(1)
    matches = match_recordings(fingerprints[: len(train)], fingerprints[len(train) :], advance)
    pairs = [Pair(test=test[i], train=train[j], similarity=score) for i, j, score in matches]
    return Matches(pairs=tuple(sorted(pairs, key=lambda pair: pair.test.id)), voices=_match_voices(train, test))


def _match_voices(train: Sequence[Clip], test: Sequence[Clip]) -> tuple[VoicePair, ...]:
    trained, tested = ({clip.speaker for clip in side} for side in (train, test))
    pairs = compare_voices([*train, *test])
    both = [VoicePair(first=p.second, second=p.first, distance=p.distance) for p in pairs if p.second in tested]
    across = [pair for pair in (*pairs, *both) if pair.first in tested and pair.second in trained]
    return tuple(sorted(across, key=lambda pair: (pair.first, pair.distance)))


def match_recordings(
    train: Sequence[Fingerprint], test: Sequence[Fingerprint], advance: Callable[[int], None]
) -> list[tuple[int, int, float]]:
    """Return index in `test`, index in `train` and similarity for each test recording that is a training recording too."""
    n_shifts = 1 << (2 * max(fingerprint.edges.shape[1] for fingerprint in (*train, *test)) - 1).bit_length()
    matches = []
    for start in range(0, len(test), _TEST_BATCH):
        batch = test[start : start + _TEST_BATCH]
        for i, candidates in enumerate(_find_candidates(train, batch, n_shifts)):
            best, minus_index = max((compute_similarity(batch[i].wave, train[j].wave), -j) for j in candidates)
            if best >= SAME_RECORDING_FROM:
                matches.append((start + i, -minus_index, best))
        advance(len(batch))
    return matches


def _find_candidates(train: Sequence[Fingerprint], test: Sequence[Fingerprint], n_shifts: int) -> list[list[int]]:
    """Return, for each test fingerprint, indices of the training fingerprints whose edges correlate best at any shift."""
    test_spectra = _spectra(test, n_shifts).conj()  # (W, tests, F - 1)
    best, indices = torch.empty(len(test), 0), torch.empty(len(test), 0, dtype=torch.long)
    for start in range(0, len(train), _TRAIN_BATCH):
        train_spectra = _spectra(train[start : start + _TRAIN_BATCH], n_shifts)
        products = torch.bmm(test_spectra.resolve_conj(), train_spectra.transpose(1, 2))  # (W, tests, trains)
        scores = torch.fft.irfft(products, n_shifts, dim=0).amax(0)
        best = torch.cat([best, scores], 1)
        indices = torch.cat([indices, torch.arange(start, start + scores.shape[1]).expand(len(test), -1)], 1)
        best, order = best.topk(min(_N_CANDIDATES, best.shape[1]), dim=1)
        indices = indices.gather(1, order)
    return [[int(index) for index in row] for row in indices]


def _spectra(fingerprints: Sequence[Fingerprint], n_shifts: int) -> torch.Tensor:
    """Return the spectra (W, N, F - 1) of the edges over time."""
    padded = torch.zeros(len(fingerprints), fingerprints[0].edges.shape[0], n_shifts)
    for i, fingerprint in enumerate(fingerprints):
        padded[i, :, : fingerprint.edges.shape[1]] = torch.from_numpy(fingerprint.edges)
    spectra: torch.Tensor = torch.fft.rfft(padded)
    return spectra.permute(2, 0, 1).contiguous()


def compute_similarity(a: npt.NDArray[np.int8], b: npt.NDArray[np.int8]) -> float:
    """Return the greatest normalised correlation, 0 to 1, of two waves (S,) over the shifts that overlap enough."""
    first, second = a.astype(np.float64), b.astype(np.float64)
    n_fft = 1 << (len(first) + len(second) - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(second, n_fft) * np.fft.rfft(first, n_fft).conj(), n_fft)
    shifts = np.arange(1 - len(first), len(second))
    begins, ends = np.maximum(0, -shifts), np.minimum(len(first), len(second) - shifts)
    energies = [np.concatenate([[0], np.cumsum(wave**2)]) for wave in (first, second)]
    inside = [sums[ends + offset] - sums[begins + offset] for sums, offset in zip(energies, (0, shifts), strict=True)]
    share = np.maximum(*(part / max(sums[-1], 1e-9) for part, sums in zip(inside, energies, strict=True)))
    is_enough = (ends - begins >= _MIN_OVERLAP_S * RATE_HZ) & (share >= _MIN_OVERLAP_ENERGY)
    scores = np.abs(products[shifts % n_fft]) / np.sqrt(inside[0] * inside[1] + 1e-9)
    return float(min(1.0, np.max(scores, where=is_enough, initial=0.0)))
