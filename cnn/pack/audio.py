"""The sound of a contest pack: every file in one plain format, and the test files of one length and one header.
S samples.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import torch

from arena.base.media import wav
from cnn.corpus.audio import Samples, read_clip
from cnn.corpus.scan import Clip
from cnn.errors import CorpusError
from cnn.tiles.front_end import resampler

LONGEST_S = 2.0  # of a test file, unless asked otherwise; 99 % of FSDD's and all of AudioMNIST's clips are shorter
_DEEP = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")
_LOUDEST = 0.99  # of full scale; a louder gain is less


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """What all files of a pack are: wav, mono, PCM."""

    rate_hz: int
    n_bytes: int  # a sample: 2 or 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Disguise:
    """By how much a test file differs from its recording, so that a public one is not found by its bytes; 0 leaves it."""

    gain_db: float = 3.0  # at most, louder or quieter
    shift_ms: float = 50.0  # at most, earlier or later
    noise_db: float = 40.0  # white noise so far below the clip's own level; 0: none

    def __post_init__(self) -> None:
        for name, value, most in (
            ("--gain-db", self.gain_db, 20),
            ("--shift-ms", self.shift_ms, 500),
            ("--noise-db", self.noise_db, 120),
        ):
            if not 0 <= value <= most:
                raise CorpusError(f"{name} lies between 0 and {most}, not {value:g}")

    @property
    def is_none(self) -> bool:
        return not (self.gain_db or self.shift_ms or self.noise_db)


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """What was drawn for one test file."""

    gain_db: float
    shift_ms: float
    noise_seed: int


class Drawer:
    """Numbers that nobody can guess who does not know the secret: each the keyed hash of what it is for."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(secret.encode()).digest()

    def whole(self, *purpose: object) -> int:
        """Below 2**256."""
        text = "\0".join(map(str, purpose)).encode()
        return int.from_bytes(hmac.new(self._key, text, hashlib.sha256).digest(), "big")

    def share(self, *purpose: object) -> float:
        """Between 0 and 1."""
        return (self.whole(*purpose) >> 203) / 2**53

    def disguise(self, name: str, most: Disguise) -> Draw:
        gain, shift = (2 * self.share(what, name) - 1 for what in ("gain", "shift"))
        return Draw(gain_db=gain * most.gain_db, shift_ms=shift * most.shift_ms, noise_seed=self.whole("noise", name))


def format_of(folder: Path, clips: Sequence[Clip]) -> Format:
    """The rate of most recordings, and 16 bits unless every one has more."""
    rates = Counter(clip.rate_hz for clip in clips)
    subtypes = {soundfile.info(folder / clip.path).subtype for clip in clips}
    return Format(rate_hz=max(rates, key=lambda rate: (rates[rate], rate)), n_bytes=3 if subtypes <= {*_DEEP} else 2)


def longest_s(clips: Sequence[Clip]) -> float:
    """A length, in tenths of a second, that holds every clip, or LONGEST_S."""
    return min(LONGEST_S, -(-max(clip.length_s for clip in clips) // 0.1) / 10)


def training_wav(path: Path, wanted: Format) -> bytes:
    """The recording in that format, otherwise as it is, without anything but its sound.

    Raises:
        CorpusError: it changed meanwhile and cannot be read.
    """
    return wav_bytes(_at_rate(path, wanted), wanted)


def test_wav(path: Path, wanted: Format, length_s: float, draw: Draw, disguise: Disguise) -> bytes:
    """The recording in a file of `length_s`: the middle of its energy near the middle, whole where it fits, else cut.

    Around what is shorter is silence, or the noise where there is some.

    Raises:
        CorpusError: it changed meanwhile and cannot be read.
    """
    wave = _at_rate(path, wanted).astype(np.float64)
    n_samples = round(length_s * wanted.rate_hz)
    energy = np.cumsum(wave**2)
    level = float(np.sqrt(energy[-1] / len(wave)))
    middle = int(np.searchsorted(energy, energy[-1] / 2)) - round(draw.shift_ms * wanted.rate_hz / 1000)
    room = n_samples - len(wave)  # negative where something must go
    start = min(max(n_samples // 2 - middle, min(room, 0)), max(room, 0))  # of the wave within the file
    placed = np.zeros(n_samples)
    part = wave[max(-start, 0) : max(-start, 0) + n_samples]
    placed[max(start, 0) : max(start, 0) + len(part)] = part
    if disguise.noise_db:
        placed += np.random.default_rng(draw.noise_seed).normal(0, level * 10 ** (-disguise.noise_db / 20), n_samples)
    gain = min(10 ** (draw.gain_db / 20), _LOUDEST / max(float(np.abs(placed).max()), 1e-9))
    return wav_bytes(placed if disguise.is_none else placed * gain, wanted)


def _at_rate(path: Path, wanted: Format) -> Samples:
    samples, rate_hz = read_clip(path)
    if rate_hz == wanted.rate_hz:
        return samples
    found: Samples = resampler(rate_hz, wanted.rate_hz)(torch.from_numpy(samples)).numpy()
    return found


def wav_bytes(samples: npt.NDArray[np.floating], wanted: Format) -> bytes:
    """A wav of 44 bytes and the samples (S,): no chunk that could say more. 16-bit samples stay what they were."""
    full = 1 << (8 * wanted.n_bytes - 1)
    whole = np.clip(np.rint(samples.astype(np.float64) * full), -full, full - 1).astype("<i4")
    data = whole.view(np.uint8).reshape(-1, 4)[:, : wanted.n_bytes].tobytes()
    return wav(data, wanted.rate_hz, wanted.n_bytes)
