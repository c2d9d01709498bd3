"""Speech segmentation by energy: trims silence around a word, or cuts a row of words into pieces. S samples.

A frame counts as speech if its energy stands out from the recording's own quiet frames; there is no model and no training.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from cnn.corpus.audio import SILENT_PEAK, Recording, Samples, TooLongError, decode_any, to_mono
from cnn.errors import CorpusError

_FRAME_S, _HOP_S = 0.02, 0.01
_SHORTEST_S = 0.08  # shortest word; a shorter sound is a click of the mouse
_MARGIN_S = 0.05  # added on either side: soft consonants begin below any threshold
_BELOW_PEAK_DB = 40.0
_ABOVE_FLOOR_DB = 8.0
_STOP_S = 0.25  # silence within a word, such as before the t of `eight`, is shorter
_CONTRAST_DB = 20.0  # least difference of word and pause; with less, nothing is cut away
LONGEST_S, LONGEST_ROW_S = 60.0, 600.0  # limits of a file with one digit, and with several in a row


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A stretch of a recording, end excluded."""

    start: int  # samples
    end: int


def find_pieces(wave: npt.NDArray[np.float32], rate_hz: int, min_gap_s: float) -> list[Piece]:
    """Return the words of `wave` (S,), separated by pauses of at least `min_gap_s`, each with a small margin."""
    hop = max(1, round(_HOP_S * rate_hz))
    runs = _merge(_runs(_is_speech(_levels(wave, rate_hz, hop))), round(min_gap_s / _HOP_S))
    words = [(start * hop, end * hop) for start, end in runs if (end - start) * _HOP_S >= _SHORTEST_S]
    margin, cuts = round(_MARGIN_S * rate_hz), []
    for i, (start, end) in enumerate(words):
        before = (words[i - 1][1] + start) // 2 if i else 0
        after = (end + words[i + 1][0]) // 2 if i + 1 < len(words) else len(wave)
        cuts.append(Piece(start=max(start - margin, before), end=min(end + margin, after)))
    return cuts


def trim(wave: npt.NDArray[np.float32], rate_hz: int) -> Piece:
    """Return `wave` (S,) without the silence before its first and after its last word; all of it if there are no words."""
    words = find_pieces(wave, rate_hz, _STOP_S)
    return Piece(start=words[0].start, end=words[-1].end) if words else Piece(start=0, end=len(wave))


def _levels(wave: npt.NDArray[np.float32], rate_hz: int, hop: int) -> npt.NDArray[np.float64]:
    """Return the level of each frame in decibels, one frame per hop."""
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


def _merge(runs: list[tuple[int, int]], n_gap: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in runs:
        if merged and start - merged[-1][1] < n_gap:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


class MisfitError(Exception):
    """The file cannot be imported; the text is the rest of a sentence that begins with its path."""


def read_sound(path: Path, longest_s: float) -> Recording:
    """Read a recording of any format.

    Raises:
        MisfitError: the file cannot be used.
    """
    try:
        recording = decode_any(path, longest_s)
    except TooLongError:
        rule = f"lasts longer than {longest_s:g} s; cut it, or use --split-silence where it holds several digits"
        raise MisfitError(rule) from None
    except CorpusError as error:
        raise MisfitError(str(error)) from error
    if not len(recording.samples) or np.abs(to_mono(recording.samples)).max() < SILENT_PEAK:
        raise MisfitError("holds no sound")
    return recording


def cut_row(wave: Samples, rate_hz: int, n_digits: int, min_gap_s: float) -> list[Piece]:
    """Find each of `n_digits` words in `wave` (S,).

    Raises:
        MisfitError: there are more or fewer words; the text has their times.
    """
    pieces = find_pieces(wave, rate_hz, min_gap_s)
    if len(pieces) != n_digits:
        times = ", ".join(f"{piece.start / rate_hz:.2f}-{piece.end / rate_hz:.2f}" for piece in pieces[:15])
        raise MisfitError(
            f"has {len(pieces)} pieces between pauses, not {n_digits} (seconds {times}); "
            f"try --min-gap above or below {min_gap_s:g}, or cut it by hand"
        )
    return pieces


def read_wav(source: Path, cut: Piece | None) -> bytes:
    """Return `source` or a piece of it as a wav; an uncut wav that any player plays alike keeps its bytes.

    Raises:
        OSError, MisfitError: the source cannot be read any more.
    """
    recording = read_sound(source, LONGEST_ROW_S)
    if cut is None and recording.is_plain_wav:
        return source.read_bytes()
    part = recording.samples[cut.start : cut.end] if cut else recording.samples
    return encode_wav(part, recording.rate_hz, "PCM_24" if recording.subtype == "PCM_24" else "PCM_16")


def encode_wav(samples: Samples, rate_hz: int, subtype: str = "PCM_16") -> bytes:
    """Return (S,) or (S, channels) samples as a wav, those beyond [-1, 1] cut off."""
    content = io.BytesIO()
    soundfile.write(content, np.clip(samples, -1, 1), rate_hz, format="WAV", subtype=subtype)
    return content.getvalue()
