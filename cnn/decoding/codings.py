"""Sound that its header describes wrongly: coded otherwise, or with its channels interleaved otherwise. S samples, C channels.

Speech is smooth: neighbouring samples are close. Read in a wrong coding it is noise, whose neighbours have nothing in common.
Measured on FSDD and a sample of AudioMNIST, 3,141 clips: none is flagged (2026-11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from cnn.errors import CorpusError

Samples = npt.NDArray[np.float32]

_SMOOTH = 0.4  # roughness below which sound is in its right coding: 0.25 is the median of the 3,141 clips, 2 white noise
_SMOOTHER = 0.45  # roughness of another reading to that of the declared one; at least 0.54 in the 3,141 clips
_PAIRED = 0.25  # step within a pair of samples to the step between pairs; 0.50 to 1.77 in the 3,141 clips
_DEAD = 0.05  # power of every second sample to that of the others; 0.76 to 1.25 in the 3,141 clips
_FEWEST = 400  # samples below which none of this is measured
_UNSCALED = 16.0  # floats up to 24 dB above full scale are merely loud: mixers write them
_FULL_SCALES = (2.0**7, 2.0**15, 2.0**23, 2.0**31)


def scale_floats(samples: Samples) -> Samples | None:
    """Return floats that were written without scaling to +-1, scaled by their full scale; None if they are scaled.

    Raises:
        CorpusError: they are of no scale that sound has.
    """
    peak = float(np.abs(samples).max(initial=0))
    if peak <= _UNSCALED:
        return None
    full = next((full for full in _FULL_SCALES if peak <= 1.01 * full), None)
    if full is None:
        raise CorpusError(f"holds samples up to {peak:.2g}, which are no sound: its header names another coding than it has")
    return (samples / full).astype(np.float32)


def measure_roughness(samples: npt.NDArray[Any]) -> float:
    """Return the mean square step between neighbours of (S, C) over the variance (von Neumann's ratio): 2 for white noise."""
    power = sum(_power(channel) for channel in samples.T)
    return sum(_mean_square(channel[1:] - channel[:-1]) for channel in samples.T) / power if power > 0 else 2.0


def _as_integers(kind: str, *, flip: int = 0, offset: int = 0) -> Callable[[bytes], npt.NDArray[Any]]:
    """Return a reader of integers, scaled to +-1; `flip` is the sign bit of unsigned ones."""
    dtype = np.dtype(kind)

    def read(body: bytes) -> npt.NDArray[Any]:
        part = body[offset : offset + (len(body) - offset) // dtype.itemsize * dtype.itemsize]
        integers = np.frombuffer(part, dtype)
        signed = (integers ^ dtype.type(flip)).astype(dtype.str.replace("u", "i")) if flip else integers
        return signed.astype(np.float32) / 2.0 ** (8 * dtype.itemsize - 1)

    return read


def _as_24_bits(body: bytes) -> npt.NDArray[Any]:
    triples = np.frombuffer(body[: len(body) // 3 * 3], "|u1").reshape(-1, 3)
    return np.pad(triples, ((0, 0), (1, 0))).view("<i4")[:, 0] / np.float32(2**31)


def _as_floats(body: bytes) -> npt.NDArray[Any]:
    floats = np.frombuffer(body[: len(body) // 4 * 4], "<f4")
    with np.errstate(invalid="ignore"):
        size = np.abs(floats)
        is_sound = np.isfinite(floats).all() and size.max(initial=0) <= _UNSCALED and not ((size > 0) & (size < 1e-20)).any()
    return floats if is_sound else floats[:0]


_READERS: dict[str, Callable[[bytes], npt.NDArray[Any]]] = {
    "PCM_16": _as_integers("<i2"),
    "big-endian": _as_integers(">i2"),
    "16 bits shifted by a byte": _as_integers("<i2", offset=1),
    "16 bits unsigned": _as_integers("<u2", flip=0x8000),
    "PCM_U8": _as_integers("|u1", flip=0x80),
    "8 bits signed": _as_integers("|i1"),
    "PCM_24": _as_24_bits,
    "PCM_32": _as_integers("<i4"),
    "FLOAT": _as_floats,
}
# Readings of a coding that recorders and converters have mistaken for another.
_MISTAKES = {
    "PCM_16": (
        *("big-endian", "16 bits shifted by a byte", "16 bits unsigned"),
        *("PCM_U8", "8 bits signed", "PCM_24", "FLOAT"),
    ),
    "PCM_U8": ("8 bits signed", "PCM_16", "PCM_24", "FLOAT"),
    "PCM_24": ("PCM_16", "PCM_32", "FLOAT"),
    "PCM_32": ("PCM_16", "PCM_24", "FLOAT"),
    "FLOAT": ("PCM_16", "PCM_24", "PCM_32"),
}
_OTHER_SIGN = {"PCM_16": ("16 bits unsigned",), "PCM_U8": ("8 bits signed",)}


def read_otherwise(body: bytes, subtype: str, samples: Samples) -> Samples | None:
    """Return the samples (S, C) of a wav's `body` in the coding in which it is sound; None if that is the declared one.

    Args:
        samples: as its header says; they may hold what is no number.
    """
    if subtype not in _MISTAKES or len(samples) < _FEWEST:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        declared = measure_roughness(samples)
    if not np.isfinite(declared):
        declared = 2.0
    if subtype == "FLOAT" and not _is_wild(samples):
        return None
    if subtype == "PCM_32" and _is_floats(body):
        return _to_frames(_as_floats(body), samples.shape[1])
    names = _MISTAKES[subtype]
    if declared < _SMOOTH and subtype != "PCM_32":  # every second sample of 16 bits is as smooth
        names = _OTHER_SIGN.get(subtype, ())  # which is a jump at each zero crossing, and smooth but there
    readings = [_to_frames(_READERS[name](body), samples.shape[1]) for name in names]
    audible = [reading for reading in readings if len(reading) >= _FEWEST // 4 and reading.std() > 1e-4]
    best = min(audible, key=measure_roughness, default=None)
    return best if best is not None and measure_roughness(best) < _SMOOTHER * declared else None


def is_raw_sound(content: bytes) -> bool:
    """Return whether bytes without a header are samples of 16 bits."""
    samples = _to_frames(_READERS["PCM_16"](content), 1)
    return len(samples) >= _FEWEST and float(samples.std()) > 1e-4 and measure_roughness(samples) < _SMOOTH


def _is_wild(floats: Samples) -> bool:
    """Return whether floats are of all sizes, as integers are that are read as floats."""
    size = np.abs(floats[np.isfinite(floats)])
    return bool((size > 1e10).any()) or float(((size > 0) & (size < 1e-20)).sum()) > 0.1 * floats.size


def _is_floats(body: bytes) -> bool:
    """Return whether integers of 32 bits are floats: a small negative integer would be no number as a float."""
    floats = _as_floats(body)
    return len(floats) >= _FEWEST and float(floats.min()) < 0 < float(floats.max()) and float(np.abs(floats).max()) > 1e-3


def _to_frames(samples: npt.NDArray[Any], n_channels: int) -> Samples:
    frames: Samples = samples[: len(samples) // n_channels * n_channels].reshape(-1, n_channels).astype(np.float32)
    return frames


def is_interleaved_otherwise(samples: Samples) -> bool:
    """Return whether (S, C) looks like stereo declared mono (or samples written twice), or like mono declared stereo."""
    if len(samples) < _FEWEST or samples.shape[1] > 2:
        return False
    if samples.shape[1] == 1:
        first, second = samples[: len(samples) // 2 * 2, 0].reshape(-1, 2).T
        powers = sorted((_power(first), _power(second)))
        steps = sorted((_mean_square(second - first), _mean_square(first[1:] - second[:-1])))
        return powers[0] < _DEAD * powers[1] or steps[0] < _PAIRED * steps[1]
    first, second = samples.T
    within, between = _mean_square(second - first), _mean_square(first[1:] - second[:-1])
    step = min(_mean_square(np.diff(first)), _mean_square(np.diff(second)))
    return 0.8 < within / between < 1.25 and max(within, between) < 0.5 * step if between > 0 else False


def _mean_square(values: npt.NDArray[Any]) -> float:
    return float(np.dot(values, values)) / len(values)


def _power(values: npt.NDArray[Any]) -> float:
    return _mean_square(values - values.mean())
