"""Audio files of a contest pack: all in one plain format, test files of one length with one header. S samples."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import torch

from arena.base.media import wav
from cnn.corpus.audio import Samples, mix, read_clip
from cnn.corpus.scan import Clip
from cnn.errors import CorpusError
from cnn.tiles.front_end import resampler

Wave = npt.NDArray[np.float64]
LONGEST_S = 2.0  # default limit of a test file; 99 % of FSDD's and all of AudioMNIST's clips are shorter
_ABOVE_16_BITS = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")
_ECHO_DB = -10.0  # level of a room's echo below the voice
_MAX_PEAK = 0.99  # share of full scale; a gain that would exceed it is reduced


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """Format of all files of a pack, which are mono PCM wavs."""

    rate_hz: int
    n_bytes: int  # 2 or 3 for each sample


@dataclass(frozen=True, kw_only=True, slots=True)
class Disguise:
    """Limits of the changes that keep a test file from being matched to its public recording by its bytes; 0: no change."""

    gain_db: float = 3.0  # louder or quieter by at most this
    shift_ms: float = 50.0  # earlier or later by at most this
    noise_db: float = 40.0  # level of white noise below the clip's own; 0: none
    speed_percent: float = 0.0  # faster and higher, or slower and lower, by at most this and at least half of it
    reverb_s: float = 0.0  # a room whose echo decays by 60 dB within at most this

    def __post_init__(self) -> None:
        for name, value, most in (
            ("--gain-db", self.gain_db, 20),
            ("--shift-ms", self.shift_ms, 500),
            ("--noise-db", self.noise_db, 120),
            ("the change of speed", self.speed_percent, 20),
            ("the echo", self.reverb_s, 1),
        ):
            if not 0 <= value <= most:
                raise CorpusError(f"{name} lies between 0 and {most}, not {value:g}")

    @property
    def is_none(self) -> bool:
        return not (self.gain_db or self.shift_ms or self.noise_db or self.speed_percent or self.reverb_s)


# The hidden part's disguise: docs/how-to/pack.md has what it costs an honest net, and a copy of the given clips.
HIDDEN_DISGUISE = Disguise(noise_db=35.0, speed_percent=5.0, reverb_s=0.1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Alteration:
    """Changes of one test file."""

    gain_db: float
    shift_ms: float
    noise_seed: int
    speed: float = 1.0  # above 1: faster
    reverb_s: float = 0.0


class KeyedRandom:
    """Numbers that cannot be guessed without the secret: each is the keyed hash (HMAC-SHA-256) of its purpose."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(secret.encode()).digest()

    def integer(self, *purpose: object) -> int:
        """Return a number below 2**256."""
        text = "\0".join(map(str, purpose)).encode()
        return int.from_bytes(hmac.new(self._key, text, hashlib.sha256).digest(), "big")

    def fraction(self, *purpose: object) -> float:
        """Return a number from 0 to below 1."""
        return (self.integer(*purpose) >> 203) / 2**53

    def alter(self, name: str, limits: Disguise) -> Alteration:
        gain, shift = (2 * self.fraction(purpose, name) - 1 for purpose in ("gain", "shift"))
        speed = 2 * self.fraction("speed", name) - 1
        return Alteration(
            gain_db=gain * limits.gain_db,
            shift_ms=shift * limits.shift_ms,
            noise_seed=self.integer("noise", name),
            speed=1 + math.copysign(0.5 + abs(speed) / 2, speed) * limits.speed_percent / 100,
            reverb_s=(0.5 + self.fraction("room", name) / 2) * limits.reverb_s,
        )


def choose_format(folder: Path, clips: Sequence[Clip]) -> Format:
    """Return the most common rate, and 24 bits if every recording has more than 16, else 16."""
    rates = Counter(clip.rate_hz for clip in clips)
    subtypes = {soundfile.info(folder / clip.path).subtype for clip in clips}
    return Format(rate_hz=max(rates, key=lambda rate: (rates[rate], rate)), n_bytes=3 if subtypes <= {*_ABOVE_16_BITS} else 2)


def choose_length(clips: Sequence[Clip]) -> float:
    """Return the length of the longest clip, rounded up to tenths of a second, at most LONGEST_S."""
    return min(LONGEST_S, -(-max(clip.length_s for clip in clips) // 0.1) / 10)


def make_training_wav(path: Path, wav_format: Format) -> bytes:
    """Return the recording as a wav of that format, without the metadata of its file; equal samples where the format is.

    Raises:
        CorpusError: the file changed meanwhile and cannot be read.
    """
    return _encode_wav(_to_rate(*read_clip(path, mix), wav_format), wav_format)


def make_test_wav(path: Path, wav_format: Format, length_s: float, alteration: Alteration, disguise: Disguise) -> bytes:
    """Return the recording as a wav of `length_s`, the middle of its energy near the middle of the file.

    A shorter recording is padded with silence, or with noise if the disguise has some; a longer one is cut.

    Raises:
        CorpusError: the file changed meanwhile and cannot be read.
    """
    wave = _to_rate(*read_clip(path), wav_format).astype(np.float64)
    wave = _put_in_room(_change_speed(wave, alteration.speed), wav_format.rate_hz, alteration)
    n_samples = round(length_s * wav_format.rate_hz)
    energy = np.cumsum(wave**2)
    level = float(np.sqrt(energy[-1] / len(wave)))
    middle = int(np.searchsorted(energy, energy[-1] / 2)) - round(alteration.shift_ms * wav_format.rate_hz / 1000)
    room = n_samples - len(wave)  # negative if the wave must be cut
    start = min(max(n_samples // 2 - middle, min(room, 0)), max(room, 0))  # sample of the file at which the wave begins
    placed = np.zeros(n_samples)
    part = wave[max(-start, 0) : max(-start, 0) + n_samples]
    placed[max(start, 0) : max(start, 0) + len(part)] = part
    if disguise.noise_db:
        placed += np.random.default_rng(alteration.noise_seed).normal(0, level * 10 ** (-disguise.noise_db / 20), n_samples)
    gain = min(10 ** (alteration.gain_db / 20), _MAX_PEAK / max(float(np.abs(placed).max()), 1e-9))
    return _encode_wav(placed if disguise.is_none else placed * gain, wav_format)


def _change_speed(wave: Wave, speed: float) -> Wave:
    """Play (S,) `speed` times faster, and so higher; frequencies above half the rate are dropped."""
    if speed == 1:
        return wave
    n_out = round(len(wave) / speed)
    return np.fft.irfft(np.fft.rfft(wave)[: n_out // 2 + 1], n_out) * (n_out / len(wave))


def _put_in_room(wave: Wave, rate_hz: int, alteration: Alteration) -> Wave:
    """Add the echo of a room to (S,): noise that decays by 60 dB within `reverb_s` (Moorer 1979), 10 dB below the voice."""
    seconds = np.arange(round(alteration.reverb_s * rate_hz)) / rate_hz
    if not len(seconds):
        return wave
    random = np.random.default_rng([alteration.noise_seed, 1])
    tail = random.normal(size=len(seconds)) * 10 ** (-3 * seconds / alteration.reverb_s)
    tail *= 10 ** (_ECHO_DB / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    n = len(wave) + len(tail) - 1
    return np.fft.irfft(np.fft.rfft(wave, n) * np.fft.rfft(tail, n), n)


def _to_rate(samples: Samples, rate_hz: int, wav_format: Format) -> Samples:
    if rate_hz == wav_format.rate_hz:
        return samples
    resampled: Samples = resampler(rate_hz, wav_format.rate_hz)(torch.from_numpy(samples)).numpy()
    return resampled


def _encode_wav(samples: npt.NDArray[np.floating], wav_format: Format) -> bytes:
    """Return a wav of 44 bytes of header and the samples (S,), without further chunks; 16-bit samples are kept exactly."""
    full = 1 << (8 * wav_format.n_bytes - 1)
    integers = np.clip(np.rint(samples.astype(np.float64) * full), -full, full - 1).astype("<i4")
    data = integers.view(np.uint8).reshape(-1, 4)[:, : wav_format.n_bytes].tobytes()
    return wav(data, wav_format.rate_hz, wav_format.n_bytes)
