"""Synthetic corpus of spoken digits in AudioMNIST's layout; equal seeds give equal bytes. S samples.

The bytes depend on the settings, on eSpeak NG's build and on this file; the random numbers come from generators whose streams
stay the same in all releases of Python and numpy.
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
from arena.base.texts import DIGIT_WORDS
from cnn.collect.espeak import RATE_HZ as ESPEAK_RATE_HZ
from cnn.collect.espeak import Utterance, check_installed, speak
from cnn.collect.voices import LANGUAGES, Voice, draw_voices
from cnn.corpus.listing import SYNTH_NAME
from cnn.corpus.metadata import METADATA_NAME
from cnn.errors import CorpusError

Wave = npt.NDArray[np.float64]

RATE_HZ = 16_000
SECRET_BITS = 128  # a seed that nobody guesses
_FORMAT = 1  # version of the sound; increase it with every change of this file that changes the sound
_MOST_CLIPS = 1_000_000
_ENDINGS = (".", ".", "", "!", "?", ",")  # each has an intonation of its own
_QUIETEST_DB, _LOUDEST_DB = -30.0, -1.0  # limits of peaks: far above a scan's limit of silence, and below clipping


@dataclass(frozen=True, kw_only=True, slots=True)
class SynthSettings:
    """Settings of a synthetic corpus; equal settings give equal bytes."""

    clips: int = 3000
    speakers: int = 60
    seed: int = 0
    languages: tuple[str, ...] = ("en",)  # the speakers take turns

    def __post_init__(self) -> None:
        unknown = [language for language in self.languages if language not in LANGUAGES]
        if unknown or not self.languages or len(set(self.languages)) < len(self.languages):
            value = ",".join(self.languages)
            raise CorpusError(f"--language is {' or '.join(LANGUAGES)}, or both as {','.join(LANGUAGES)}, not {value!r}")
        if not 1 <= self.speakers <= self.clips <= _MOST_CLIPS:
            raise CorpusError(
                f"--n-clips lies between the number of speakers, at least 1, and {_MOST_CLIPS}; "
                f"not {self.clips} clips of {self.speakers} speakers"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class SynthClip:
    """Plan of one clip."""

    voice: Voice
    digit: int
    take: int
    utterance: Utterance

    @property
    def path(self) -> str:
        """Path relative to the corpus folder, in AudioMNIST's layout."""
        return f"{self.voice.speaker}/{self.digit}_{self.voice.speaker}_{self.take}.wav"


def is_complete(folder: Path, settings: SynthSettings) -> bool:
    """Return whether `folder` holds the corpus of `settings` already; False if it is new or empty.

    Raises:
        CorpusError: the folder holds something else.
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
        stored = json.loads((folder / SYNTH_NAME).read_bytes())
    except (OSError, ValueError):
        raise CorpusError(f"{folder} is not empty and no corpus of `arena data synth`; give a new folder") from None
    if stored != _content(settings):
        raise CorpusError(f"{folder} holds a corpus of other settings ({SYNTH_NAME} says which); give a new folder")
    n_clips = sum(1 for _ in folder.glob("*/*.wav"))
    if n_clips != settings.clips:
        raise CorpusError(f"{folder} holds {n_clips} of its {settings.clips} clips; remove it and make it again")
    return True


def synthesise(folder: Path, settings: SynthSettings, advance: Callable[[int], None] | None = None) -> bool:
    """Write the corpus into `folder`; return False if it was there already. `advance(1)` is called for each clip.

    Raises:
        CorpusError: the folder holds something else, cannot be written, or the synthesiser is missing; nothing is left behind.
    """
    if is_complete(folder, settings):
        return False
    check_installed()
    plan = plan_clips(settings)
    try:
        with _temporary_folder(folder) as part:
            _write_clips(part, plan, settings.seed, advance)
            _write_json(part / METADATA_NAME, {clip.voice.speaker: _facts(clip.voice) for clip in plan})
            _write_json(part / SYNTH_NAME, _content(settings))
            part.rename(folder)
    except OSError as error:
        raise CorpusError(f"cannot write {folder}: {error.strerror}; free some space or choose another folder") from error
    return True


def plan_clips(settings: SynthSettings) -> tuple[SynthClip, ...]:
    """Plan all clips in the order of synthesis; numbers of takes by speaker and digit differ by one at most."""
    voices = draw_voices(settings.speakers, settings.languages, settings.seed)
    n_whole, n_left = divmod(settings.clips, 10 * len(voices))
    extra = {(i % len(voices), (i % len(voices) + i // len(voices)) % 10) for i in range(n_left)}
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
        text=DIGIT_WORDS[voice.language][digit] + rng.choice(_ENDINGS),
        words_per_minute=round(voice.words_per_minute * rng.uniform(0.88, 1.12)),
        pitch=round(voice.pitch + rng.uniform(-6, 6)),
        pitch_range=round(voice.pitch_range + rng.uniform(-15, 15)),
    )


def _content(settings: SynthSettings) -> dict[str, object]:
    return {**dataclasses.asdict(settings), "languages": list(settings.languages), "format": _FORMAT}


@contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty hidden folder beside `folder`, locked; it is removed at the end unless renamed."""
    target = folder.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.parent / f".{target.name}.part"
    with try_lock(part.with_suffix(".lock")) as is_mine:
        if not is_mine:
            raise CorpusError(f"{folder} is being made by another process; wait for it or give another folder")
        try:
            shutil.rmtree(part, ignore_errors=True)  # remains of a killed process
            part.mkdir()
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _write_clips(part: Path, plan: Sequence[SynthClip], seed: int, advance: Callable[[int], None] | None) -> None:
    rooms: dict[str, Wave] = {}
    with speak([clip.utterance for clip in plan]) as voices:
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
    """Return numpy's legacy generator, whose stream is the same in every release; default_rng does not promise that."""
    return np.random.RandomState(int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4], "little"))


def _echo(voice: Voice, rng: np.random.RandomState) -> Wave:
    """Return an impulse response (S,): the direct sound, then noise that decays by 60 dB in `reverb_s` (Moorer 1979)."""
    seconds = np.arange(round(voice.reverb_s * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(len(seconds)) * 10 ** (-3 * seconds / voice.reverb_s)
    tail *= 10 ** (-voice.direct_db / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail


def _in_room(samples: npt.NDArray[np.int16], voice: Voice, echo: Wave, rng: np.random.RandomState) -> Wave:
    """Return (S,) in (-1, 1) at `RATE_HZ`: the voice with short silence around it, echo and noise, at the voice's level."""
    dry = _resample(samples / 32768.0, voice.tract)
    lead, tail = (round(rng.uniform(0.02, 0.12) * RATE_HZ) for _ in range(2))
    n = lead + len(dry) + tail
    size = _fast_length(n + len(echo))
    wet = np.fft.irfft(np.fft.rfft(np.pad(dry, (lead, tail)), size) * np.fft.rfft(echo, size), size)[:n]
    hiss = np.fft.rfft(rng.standard_normal(size))
    noise = np.fft.irfft(hiss / np.sqrt(np.maximum(np.arange(len(hiss)), 10)), size)[:n]  # pink: rooms hum more than hiss
    loudness = np.sqrt(np.mean(wet[lead : lead + len(dry)] ** 2))
    wave: Wave = wet + noise * (loudness * 10 ** (-voice.noise_db / 20) / np.sqrt(np.mean(noise**2)))
    peak_db = np.clip(voice.peak_db + rng.uniform(-3, 3), _QUIETEST_DB, _LOUDEST_DB)
    wave *= 10 ** (peak_db / 20) / np.abs(wave).max()
    return wave


def _fast_length(n: int) -> int:
    """Return the next 2, 3 or 5 times a power of two: a Fourier transform of prime length takes ten times longer."""
    return min(factor << max(0, (-(-n // factor) - 1).bit_length()) for factor in (2, 3, 5))


def _resample(samples: Wave, tract: float) -> Wave:
    """Resample (S,) to `RATE_HZ`, `tract` times faster; frequencies above the new Nyquist limit are dropped."""
    n_out = round(len(samples) * RATE_HZ / (ESPEAK_RATE_HZ * tract))
    spectrum = np.fft.rfft(samples)[: n_out // 2 + 1]
    n_fade = len(spectrum) // 16  # a soft edge rings less
    spectrum[-n_fade:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(n_fade) / n_fade)
    return np.fft.irfft(spectrum, n_out) * (n_out / len(samples))


def _facts(voice: Voice) -> dict[str, str]:
    """Return AudioMNIST's metadata of the voice, marked as synthetic and without an age."""
    return {
        "accent": voice.accent,
        "gender": voice.gender,
        "native speaker": "synthetic voice",
        "origin": f"synthetic voice: eSpeak NG, {voice.name}",
        "recordingroom": f"simulated: echo of {voice.reverb_s:.2f} s, noise {voice.noise_db:.0f} decibels below the voice",
    }


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
