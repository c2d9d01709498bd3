"""Voices of one person under two names are told, those of two people are not, whatever the level, rate and silence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from cnn.speakers.voices import MIN_CLIPS, compare_voices, describe_voice
from support.voices import RATE_HZ, synthesise_word

N_PEOPLE = 6


@dataclass(frozen=True)
class Clip:
    label: str
    speaker: str
    voice: list[float]


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    """Four takes of ten digits by six people."""
    return [
        Clip(str(digit), f"s{voice}", describe_voice(synthesise_word(voice, digit, take), RATE_HZ))
        for voice in range(N_PEOPLE)
        for digit in range(10)
        for take in range(4)
    ]


def rename(clips: list[Clip], speaker: str, name: str, *, every: int) -> list[Clip]:
    """Give each `every`th clip of a speaker to a further name."""
    numbers = iter(range(len(clips)))
    return [Clip(c.label, name, c.voice) if c.speaker == speaker and next(numbers) % every == 0 else c for c in clips]


def pairs(clips: list[Clip]) -> list[tuple[str, str]]:
    return [(pair.first, pair.second) for pair in compare_voices(clips)]


def test_one_voice_under_two_names_is_told_and_no_other(clips: list[Clip]) -> None:
    assert pairs(clips) == []
    assert pairs(rename(clips, "s3", "eve", every=2)) == [("eve", "s3")]
    assert pairs(rename(rename(clips, "s3", "eve", every=2), "s1", "bob", every=2)) == [("bob", "s1"), ("eve", "s3")]


def test_fewer_clips_unknown_speakers_and_a_lone_voice_are_not_compared(clips: list[Clip]) -> None:
    split = rename(clips, "s3", "eve", every=2)
    assert len([c for c in split if c.speaker == "eve"]) == MIN_CLIPS
    assert pairs(split[: split.index([c for c in split if c.speaker == "eve"][-1])]) == []
    assert pairs(rename(clips, "s3", "", every=2)) == []
    assert pairs([c for c in clips if c.speaker == "s3"]) == []
    assert pairs([]) == []


def test_equal_clips_are_one_voice_and_break_nothing() -> None:
    voice = describe_voice(synthesise_word(1, 1, 1), RATE_HZ)
    assert pairs([Clip("1", name, voice) for name in "ab" for _ in range(MIN_CLIPS)]) == [("a", "b")]


def test_level_polarity_and_silence_do_not_change_a_voice() -> None:
    wave = synthesise_word(2, 5, 0)
    voice = np.array(describe_voice(wave, RATE_HZ))
    for changed in (0.1 * wave, -wave, np.pad(wave, (4000, 4000))):
        assert np.abs(np.array(describe_voice(changed.astype(np.float32), RATE_HZ)) - voice).max() < 0.5


@pytest.mark.parametrize("rate_hz", [4000, 11_025, 44_100, 192_000])
def test_any_rate_and_length_has_a_voice(rate_hz: int) -> None:
    for n_samples in (1, 7, rate_hz // 3, 3 * rate_hz):
        voice = describe_voice(np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32), rate_hz)
        assert len(voice) == 24
        assert np.isfinite(voice).all()
