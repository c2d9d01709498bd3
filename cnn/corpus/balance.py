"""Balance of a corpus: clips of each digit and speaker, and a verdict on whether augmentation is called for."""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arena.base.texts import ENGLISH, Words, format_labels
from cnn.config import SKEWED, UNBALANCED
from cnn.corpus.scan import Clip, Corpus
from cnn.settings.data import DIGITS

# "As of 2016, a rough rule of thumb is that a supervised deep learning algorithm will generally achieve acceptable performance
# with around 5,000 labeled examples per category" (Goodfellow, Bengio, Courville, Deep Learning, section 1.2.2).
ENOUGH_CLIPS = 5_000
# Among n training voices and a new one, each is equally likely to be the highest or lowest in any one trait, such as pitch:
# the new voice lies outside the range of the others with chance 2 / (n + 1). 19 voices bring that down to 1 in 10.
ENOUGH_SPEAKERS = 19
TEXTS = Path(__file__).parent / "texts"
_QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    """Counts over the usable clips of a corpus, and the verdict."""

    n_clips: int
    n_speakers: int  # known speakers
    n_without_speaker: int
    per_digit: dict[str, int]  # all ten digits, also those with 0 clips
    per_speaker: dict[str, int]
    imbalance: float  # clips of the most frequent digit divided by those of the rarest that is said
    missing_digits: tuple[str, ...]
    missing_by_speaker: dict[str, tuple[str, ...]]  # only speakers who lack a digit that others say
    length_s: dict[str, float]  # shortest, 5 %, median, 95 %, longest
    rates_hz: dict[int, int]  # clips by rate
    channels: dict[int, int]  # clips by number of channels
    flags: dict[str, int]  # clips by flag
    augment: bool  # augmentation is called for
    verdict: str  # the reason, in a few plain sentences


@functools.cache
def corpus_words(language: str) -> Words:
    """Return the texts on a corpus in one language."""
    return Words.read(TEXTS, language)


def measure_balance(corpus: Corpus, language: str = ENGLISH) -> Balance:
    """Count the clips of `corpus` and judge in that language whether augmentation is called for."""
    t = corpus_words(language).section("balance")
    clips = corpus.clips
    per_digit = {label: sum(clip.label == label for clip in clips) for label in DIGITS}
    per_speaker = Counter(clip.speaker for clip in clips if clip.speaker)
    missing = tuple(label for label, n in per_digit.items() if not n)
    imbalance = max(per_digit.values()) / min(n for n in per_digit.values() if n)
    n_without_speaker = len(clips) - per_speaker.total()
    augment, reason = _judge_augmentation(per_digit, 0 if n_without_speaker else len(per_speaker), t)
    lengths = np.quantile([clip.length_s for clip in clips], _QUANTILES)
    return Balance(
        n_clips=len(clips),
        n_speakers=len(per_speaker),
        n_without_speaker=n_without_speaker,
        per_digit=per_digit,
        per_speaker=dict(sorted(per_speaker.items())),
        imbalance=imbalance,
        missing_digits=missing,
        missing_by_speaker=_missing_by_speaker(clips, set(DIGITS) - set(missing)),
        length_s=dict(zip(("shortest", "5 %", "median", "95 %", "longest"), map(float, lengths), strict=True)),
        rates_hz=dict(sorted(Counter(clip.rate_hz for clip in clips).items())),
        channels=dict(sorted(Counter(clip.n_channels for clip in clips).items())),
        flags=dict(sorted(Counter(flag for clip in clips for flag in clip.flags).items())),
        augment=augment,
        verdict=f"{reason} {_describe_evenness(per_digit, imbalance, missing, t)}",
    )


def _missing_by_speaker(clips: Sequence[Clip], labels: set[str]) -> dict[str, tuple[str, ...]]:
    spoken: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        if clip.speaker:
            spoken[clip.speaker].add(clip.label)
    return {speaker: tuple(sorted(labels - digits)) for speaker, digits in sorted(spoken.items()) if labels - digits}


def _judge_augmentation(per_digit: dict[str, int], n_speakers: int, t: Words) -> tuple[bool, str]:
    n_training = n_speakers - math.ceil(n_speakers / 5) - max(1, n_speakers // 5)  # in training, as cnn.splits shares them out
    reasons = []
    if (n_fewest := min(n for n in per_digit.values() if n)) < ENOUGH_CLIPS:
        reasons.append(t("rarest" if all(per_digit.values()) else "some_none", n=n_fewest, enough=ENOUGH_CLIPS))
    if n_speakers == 0:
        reasons.append(t("unknown_speakers"))
    elif n_training < 1:
        reasons.append(t("few_speakers", n=n_speakers))
    elif n_training < ENOUGH_SPEAKERS:
        reasons.append(t("few_voices", voices=n_training, speakers=n_speakers, chance=2 / (n_training + 1)))
    if not reasons:
        return False, t("not_called_for", enough=ENOUGH_CLIPS, voices=n_training)
    return True, t("called_for", reasons=t("and").join(reasons))


def _describe_evenness(per_digit: dict[str, int], imbalance: float, missing: tuple[str, ...], t: Words) -> str:
    text = t("missing", digits=format_labels(missing, t("to"))) + " " if missing else ""
    fewest, most = min(n for n in per_digit.values() if n), max(per_digit.values())
    counts = t("each_range" if most > fewest else "each", fewest=fewest, most=most)
    if imbalance < UNBALANCED:
        return text.rstrip() if missing else t("balanced", counts=counts)
    rare = [label for label, n in per_digit.items() if 0 < n * UNBALANCED <= most]
    text += t("unbalanced", counts=counts, ratio=imbalance, digits=format_labels(rare, t("to")))
    return text + " " + t("skewed") if imbalance >= SKEWED else text
