"""Where someone speaks in a recording: the ends of one word, or the pieces of a row of words. S samples.

A frame counts as speech by its energy between the recording's own quiet and loud frames; no model, no training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_FRAME_S, _HOP_S = 0.02, 0.01
_SHORTEST_S = 0.08  # of a word; what is shorter is a click of the mouse
_MARGIN_S = 0.05  # kept on either side: soft consonants begin below any threshold
_BELOW_PEAK_DB = 40.0
_ABOVE_FLOOR_DB = 8.0
_STOP_S = 0.25  # the silence within a word, before the t of `eight`, is shorter
_CONTRAST_DB = 20.0  # between word and pause; with less, nothing is cut away


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A stretch of a recording, end excluded."""

    start: int  # samples
    end: int


def pieces(wave: npt.NDArray[np.float32], rate_hz: int, min_gap_s: float) -> list[Piece]:
    """The words of `wave` (S,), separated by pauses of at least `min_gap_s`, each with a little room around it."""
    hop = max(1, round(_HOP_S * rate_hz))
    runs = _merged(_runs(_is_speech(_levels(wave, rate_hz, hop))), round(min_gap_s / _HOP_S))
    words = [(start * hop, end * hop) for start, end in runs if (end - start) * _HOP_S >= _SHORTEST_S]
    margin, cuts = round(_MARGIN_S * rate_hz), []
    for place, (start, end) in enumerate(words):
        before = (words[place - 1][1] + start) // 2 if place else 0
        after = (end + words[place + 1][0]) // 2 if place + 1 < len(words) else len(wave)
        cuts.append(Piece(start=max(start - margin, before), end=min(end + margin, after)))
    return cuts


def trimmed(wave: npt.NDArray[np.float32], rate_hz: int) -> Piece:
    """`wave` (S,) without the silence before its first and after its last word; all of it where nothing stands out."""
    words = pieces(wave, rate_hz, _STOP_S)
    return Piece(start=words[0].start, end=words[-1].end) if words else Piece(start=0, end=len(wave))


def _levels(wave: npt.NDArray[np.float32], rate_hz: int, hop: int) -> npt.NDArray[np.float64]:
    """Decibels of frames, one per hop."""
    n_hops = max(1, round(_FRAME_S * rate_hz) // hop)
    energy = np.add.reduceat(wave.astype(np.float64) ** 2, np.arange(0, len(wave), hop))
    power = np.convolve(energy, np.ones(n_hops), mode="full")[: len(energy)] / (n_hops * hop)
    levels: npt.NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-12))
    return levels


def _is_speech(levels: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    floor, peak = np.quantile(levels, 0.1), levels.max()
    threshold = peak - _BELOW_PEAK_DB
    if floor <= peak - _CONTRAST_DB:
        threshold = max(threshold, floor + _ABOVE_FLOOR_DB)
    speech: npt.NDArray[np.bool_] = levels > threshold
    return speech


def _runs(speech: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(speech.astype(np.int8), prepend=0, append=0))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _merged(runs: list[tuple[int, int]], n_gap: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in runs:
        if merged and start - merged[-1][1] < n_gap:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
