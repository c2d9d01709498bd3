"""A corpus of synthetic spoken digits in AudioMNIST's layout, the same bytes from the same seed. S samples.

The bytes depend on the settings, on eSpeak NG's build and on this file; the random numbers come from generators whose streams
Python and numpy keep from release to release.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arena.base.locks import try_lock
from arena.base.media import pcm16, wav
from cnn.collect.espeak import RATE_HZ as ESPEAK_RATE_HZ
from cnn.collect.espeak import Utterance, check_installed, spoken
from cnn.collect.voices import LANGUAGES, Voice, draw_voices
from cnn.corpus.metadata import METADATA_NAME, WORDS
from cnn.errors import CorpusError

Wave = npt.NDArray[np.float64]

RATE_HZ = 16_000
SETTINGS_NAME = "synth.json"
_FORMAT = 1  # counts changes of this file that change the sound
_MOST_CLIPS = 1_000_000
_ENDINGS = (".", ".", "", "!", "?", ",")  # each has an intonation of its own
_QUIETEST_DB, _LOUDEST_DB = -30.0, -1.0  # peaks: far above what a scan calls silent, and below clipping


@dataclass(frozen=True, kw_only=True, slots=True)
class SynthSettings:
    """What is spoken and by how many; equal settings give equal bytes."""

    clips: int = 3000
    speakers: int = 60
    seed: int = 0
    languages: tuple[str, ...] = ("en",)  # the speakers take turns

    def __post_init__(self) -> None:
        unknown = [language for language in self.languages if language not in LANGUAGES]
        if unknown or not self.languages or len(set(self.languages)) < len(self.languages):
            came = ",".join(self.languages)
            raise CorpusError(f"--language is {' or '.join(LANGUAGES)}, or both as {','.join(LANGUAGES)}, not {came!r}")
        if not 1 <= self.speakers <= self.clips <= _MOST_CLIPS:
            raise CorpusError(
                f"--clips lies between the number of speakers, at least 1, and {_MOST_CLIPS}; "
                f"not {self.clips} clips of {self.speakers} speakers"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class SynthClip:
    """One clip to be made."""

    voice: Voice
    digit: int
    take: int
    utterance: Utterance

    @property
    def path(self) -> str:
        """Below the corpus folder, as AudioMNIST has it."""
        return f"{self.voice.speaker}/{self.digit}_{self.voice.speaker}_{self.take}.wav"


def is_made(folder: Path, settings: SynthSettings) -> bool:
    """Whether `folder` holds the corpus of `settings` already; False where it is new or empty.

    Raises:
        CorpusError: it holds something else.
    """
    try:
        if not any(folder.iterdir()):
            return False
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        raise CorpusError(f"{folder} is a file, or lies in one; give a new folder") from None
    except OSError as error:
        raise CorpusError(f"cannot read {folder}: {error.strerror}; give a folder that you may write") from error
    try:
        stored = json.loads((folder / SETTINGS_NAME).read_bytes())
    except (OSError, ValueError):
        raise CorpusError(f"{folder} is not empty and no corpus of `arena data synth`; give a new folder") from None
    if stored != _content(settings):
        raise CorpusError(f"{folder} holds a corpus of other settings ({SETTINGS_NAME} says which); give a new folder")
    n_found = sum(1 for _ in folder.glob("*/*.wav"))
    if n_found != settings.clips:
        raise CorpusError(f"{folder} holds {n_found} of its {settings.clips} clips; remove it and make it again")
    return True


def synthesise(folder: Path, settings: SynthSettings, advance: Callable[[int], None] | None = None) -> bool:
    """Write the corpus into `folder`; False when it was there already. `advance(n)` hears of `n` more clips.

    Raises:
        CorpusError: the folder holds something else, cannot be written, or the synthesiser is missing; nothing is left behind.
    """
    if is_made(folder, settings):
        return False
    check_installed()
    plan = plan_clips(settings)
    try:
        with _part_of(folder) as part:
            _write_clips(part, plan, settings.seed, advance)
            _write_json(part / METADATA_NAME, {clip.voice.speaker: _facts(clip.voice) for clip in plan})
            _write_json(part / SETTINGS_NAME, _content(settings))
            part.rename(folder)
    except OSError as error:
        raise CorpusError(f"cannot write {folder}: {error.strerror}; free some space or choose another folder") from error
    return True


def plan_clips(settings: SynthSettings) -> tuple[SynthClip, ...]:
    """All clips in the order in which they are spoken; no speaker and digit has more than one take more than another."""
    voices = draw_voices(settings.speakers, settings.languages, settings.seed)
    n_whole, n_left = divmod(settings.clips, 10 * len(voices))
    extra = {(place % len(voices), (place % len(voices) + place // len(voices)) % 10) for place in range(n_left)}
    plan = []
    for number, voice in enumerate(voices):
        rng = random.Random(f"takes {settings.seed} {voice.speaker}")
        for digit in range(10):
            for take in range(n_whole + ((number, digit) in extra)):
                plan.append(SynthClip(voice=voice, digit=digit, take=take, utterance=_utterance(voice, digit, rng)))
    return tuple(plan)


def _utterance(voice: Voice, digit: int, rng: random.Random) -> Utterance:
    return Utterance(
        voice=voice.name,
        text=WORDS[voice.language][digit] + rng.choice(_ENDINGS),
        words_per_minute=round(voice.words_per_minute * rng.uniform(0.88, 1.12)),
        pitch=round(voice.pitch + rng.uniform(-6, 6)),
        pitch_range=round(voice.pitch_range + rng.uniform(-15, 15)),
    )


def _content(settings: SynthSettings) -> dict[str, object]:
    return {**dataclasses.asdict(settings), "languages": list(settings.languages), "format": _FORMAT}


@contextmanager
def _part_of(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder`, held alone and empty; gone at the end unless renamed."""
    target = folder.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.parent / f".{target.name}.part"
    with try_lock(part.with_suffix(".lock")) as is_mine:
        if not is_mine:
            raise CorpusError(f"{folder} is being made by another process; wait for it or give another folder")
        try:
            shutil.rmtree(part, ignore_errors=True)  # what a kill left
            part.mkdir()
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _write_clips(part: Path, plan: Sequence[SynthClip], seed: int, advance: Callable[[int], None] | None) -> None:
    rooms: dict[str, Wave] = {}
    with spoken([clip.utterance for clip in plan]) as voices:
        for clip, samples in zip(plan, voices, strict=True):
            speaker = clip.voice.speaker
            if speaker not in rooms:
                (part / speaker).mkdir()
                rooms[speaker] = _echo(clip.voice, _rng(seed, f"room {speaker}"))
            wave = _in_room(samples, clip.voice, rooms[speaker], _rng(seed, clip.path))
            (part / clip.path).write_bytes(wav(pcm16(wave), RATE_HZ))
            if advance:
                advance(1)


def _rng(seed: int, name: str) -> np.random.RandomState:
    """numpy's frozen generator: its stream is the same in every release, which default_rng does not promise."""
    return np.random.RandomState(int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4], "little"))


def _echo(voice: Voice, rng: np.random.RandomState) -> Wave:
    """(S,) impulse response: the voice itself, then noise that falls by 60 dB in `reverb_s` (after Moorer 1979)."""
    seconds = np.arange(round(voice.reverb_s * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(len(seconds)) * 10 ** (-3 * seconds / voice.reverb_s)
    tail *= 10 ** (-voice.direct_db / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail


def _in_room(samples: npt.NDArray[np.int16], voice: Voice, echo: Wave, rng: np.random.RandomState) -> Wave:
    """(S,) in (-1, 1) at `RATE_HZ`: the voice with a little silence around it, its echo, the room's noise, at its level."""
    dry = _resampled(samples / 32768.0, voice.tract)
    lead, tail = (round(rng.uniform(0.02, 0.12) * RATE_HZ) for _ in range(2))
    n = lead + len(dry) + tail
    size = _fast_length(n + len(echo))
    wet = np.fft.irfft(np.fft.rfft(np.pad(dry, (lead, tail)), size) * np.fft.rfft(echo, size), size)[:n]
    hiss = np.fft.rfft(rng.standard_normal(size))
    noise = np.fft.irfft(hiss / np.sqrt(np.maximum(np.arange(len(hiss)), 10)), size)[:n]  # pink: rooms hum more than they hiss
    loudness = np.sqrt(np.mean(wet[lead : lead + len(dry)] ** 2))
    wave: Wave = wet + noise * (loudness * 10 ** (-voice.noise_db / 20) / np.sqrt(np.mean(noise**2)))
    peak_db = np.clip(voice.peak_db + rng.uniform(-3, 3), _QUIETEST_DB, _LOUDEST_DB)
    wave *= 10 ** (peak_db / 20) / np.abs(wave).max()
    return wave


def _fast_length(n: int) -> int:
    """The next 2, 3 or 5 times a power of two: a Fourier transform of prime length takes ten times longer."""
    return min(factor << max(0, (-(-n // factor) - 1).bit_length()) for factor in (2, 3, 5))


def _resampled(samples: Wave, tract: float) -> Wave:
    """(S,) at `RATE_HZ`, band-limited by leaving out what the new rate cannot hold; played `tract` times faster."""
    n_out = round(len(samples) * RATE_HZ / (ESPEAK_RATE_HZ * tract))
    spectrum = np.fft.rfft(samples)[: n_out // 2 + 1]
    n_fade = len(spectrum) // 16  # a soft edge rings less
    spectrum[-n_fade:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(n_fade) / n_fade)
    return np.fft.irfft(spectrum, n_out) * (n_out / len(samples))


def _facts(voice: Voice) -> dict[str, str]:
    """As AudioMNIST's metadata has them, and plain about what they are; a synthetic voice has no age."""
    return {
        "accent": voice.accent,
        "gender": voice.gender,
        "native speaker": "synthetic voice",
        "origin": f"synthetic voice: eSpeak NG, {voice.name}",
        "recordingroom": f"simulated: echo of {voice.reverb_s:.2f} s, noise {voice.noise_db:.0f} decibels below the voice",
    }


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
