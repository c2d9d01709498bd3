"""Who trains, who validates, who tests: by speaker unless asked otherwise. Standard library only.

The parts depend on the clips and the settings alone: not on the order of the clips, the platform or the process.
"""

from __future__ import annotations

import difflib
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cnn.config import SplitSettings
from cnn.errors import SplitError

# The five blocks of speakers in AudioMNIST's digit task (Becker et al., arXiv 1807.03418; preprocess_data.py of
# github.com/soerenab/AudioMNIST). Fold k trains on three, validates on the next and tests on the one after.
BECKER_BLOCKS = (
    (1, 6, 7, 16, 19, 23, 28, 34, 35, 46, 53, 56),
    (2, 8, 9, 17, 24, 29, 36, 37, 39, 48, 54, 57),
    (3, 10, 14, 20, 25, 30, 38, 40, 43, 49, 55, 58),
    (4, 11, 12, 15, 21, 27, 31, 41, 44, 47, 50, 59),
    (5, 13, 18, 22, 26, 32, 33, 42, 45, 51, 52, 60),
)
_FEWEST_SPEAKERS = 3  # one each for training, validation and test


class SplitClip(Protocol):
    """What a split must know of a clip."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def speaker(self) -> str: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Places in the clips that were given, ascending; no place stands in two parts."""

    train: tuple[int, ...]
    val: tuple[int, ...]
    test: tuple[int, ...]
    by_speaker: bool  # nobody is heard in two parts
    note: str  # one or two sentences that belong beside every number of this split


def make_split(clips: Sequence[SplitClip], settings: SplitSettings) -> Split:
    """The three parts of `clips`, none of them empty.

    Raises:
        SplitError: the clips cannot give the split; the message says what could.
    """
    if not clips:
        raise SplitError("a split needs clips and there are none; scan the corpus with `arena data scan`")
    if settings.kind == "random":
        return _random_split(clips, settings.seed)
    speakers = _speakers(clips)
    if settings.kind == "becker":
        val, test = _becker_parts(speakers, settings.fold)
    elif settings.kind == "loso":
        val, test = _loso_parts(speakers, settings.fold)
    else:
        val, test = _speaker_parts(speakers, settings)
    return _by_speaker(clips, speakers, val, test)


def _speakers(clips: Sequence[SplitClip]) -> list[str]:
    n_unknown = sum(not clip.speaker for clip in clips)
    if n_unknown:
        raise SplitError(
            f"a split by speaker needs the speaker of every clip, and {n_unknown} of {len(clips)} have none; "
            "name the files {digit}_{speaker}_{take}.wav or choose split.kind=random"
        )
    speakers = sorted({clip.speaker for clip in clips})
    if len(speakers) < _FEWEST_SPEAKERS:
        raise SplitError(
            f"a split by speaker needs at least {_FEWEST_SPEAKERS} speakers, not {len(speakers)} "
            f"({', '.join(speakers)}); record more people or choose split.kind=random"
        )
    return speakers


def _speaker_parts(speakers: list[str], settings: SplitSettings) -> tuple[set[str], set[str]]:
    test, val = set(settings.test_speakers), set(settings.val_speakers)
    for key, named in (("split.test_speakers", test), ("split.val_speakers", val)):
        for name in sorted(named - set(speakers)):
            close = difflib.get_close_matches(name, speakers, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"choose from {_names(speakers)}"
            raise SplitError(f"{key} names {name!r}, who speaks in no clip; {hint}")
    if both := sorted(test & val):
        raise SplitError(f"{_names(both)} cannot be in split.test_speakers and split.val_speakers at once; drop one")
    drawn = [s for s in _shuffled(speakers, settings.seed) if s not in test | val]
    if not test:
        n_test = -(-len(speakers) // 5)
        test, drawn = set(drawn[:n_test]), drawn[n_test:]
    if not val:
        n_val = max(1, len(speakers) // 5)
        val, drawn = set(drawn[:n_val]), drawn[n_val:]
    if not drawn:
        raise SplitError(
            f"{len(test)} test and {len(val)} validation speakers leave none of {len(speakers)} for training; name fewer"
        )
    return val, test


def _becker_parts(speakers: list[str], fold: int) -> tuple[set[str], set[str]]:
    block_of = {number: block for block, numbers in enumerate(BECKER_BLOCKS) for number in numbers}
    numbers = {s: int(s) if s.isascii() and s.isdecimal() else 0 for s in speakers}
    if strangers := [s for s in speakers if numbers[s] not in block_of]:
        raise SplitError(
            f"split.kind=becker knows AudioMNIST's speakers 01 to 60 only, not {_names(strangers)}; choose split.kind=speaker"
        )
    val_block, test_block = (fold + 3) % 5, (fold + 4) % 5
    val = {s for s in speakers if block_of[numbers[s]] == val_block}
    test = {s for s in speakers if block_of[numbers[s]] == test_block}
    for part, heard in (("validation", val), ("test", test), ("training", set(speakers) - val - test)):
        if not heard:
            raise SplitError(
                f"fold {fold} leaves no speaker for {part}: the corpus has only {_names(speakers)}; "
                "choose another split.fold or split.kind=speaker"
            )
    return val, test


def _loso_parts(speakers: list[str], fold: int) -> tuple[set[str], set[str]]:
    if fold >= len(speakers):
        raise SplitError(f"split.fold lies between 0 and {len(speakers) - 1} for {len(speakers)} speakers, not {fold}")
    return {speakers[(fold + 1) % len(speakers)]}, {speakers[fold]}


def _by_speaker(clips: Sequence[SplitClip], speakers: list[str], val: set[str], test: set[str]) -> Split:
    n_train = len(speakers) - len(val) - len(test)
    note = (
        f"Split by speaker: {n_train} train, {len(val)} validate ({_names(sorted(val))}), "
        f"{len(test)} test ({_names(sorted(test))}); nobody is heard in two parts."
    )
    parts: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for place, clip in enumerate(clips):
        parts["test" if clip.speaker in test else "val" if clip.speaker in val else "train"].append(place)
    return _split(clips, parts, True, note)


def _random_split(clips: Sequence[SplitClip], seed: int) -> Split:
    by_label: dict[str, list[int]] = defaultdict(list)
    for place, clip in enumerate(clips):
        by_label[clip.label].append(place)
    parts: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for label in sorted(by_label):
        places = {clips[place].id: place for place in by_label[label]}
        drawn = [places[clip_id] for clip_id in _shuffled(places, seed)]
        n = (len(drawn) + 2) // 5  # a fifth, and one each from three clips on
        for part, some in (("test", drawn[:n]), ("val", drawn[n : 2 * n]), ("train", drawn[2 * n :])):
            parts[part] += some
    if not parts["val"]:
        raise SplitError("a random split needs at least 3 clips of some digit, and no digit has them; record more")
    speakers = {clip.speaker for clip in clips}
    shared = f"the same {len(speakers)} speakers are" if "" not in speakers else "the same voices may be"
    note = f"Random split, 60/20/20 of each digit: {shared} heard in all parts, so scores are optimistic for a new voice."
    return _split(clips, parts, False, note)


def _split(clips: Sequence[SplitClip], parts: dict[str, list[int]], by_speaker: bool, note: str) -> Split:
    labels = {clip.label for clip in clips}
    for part, name in (("train", "training"), ("val", "validation"), ("test", "test")):
        if missing := sorted(labels - {clips[place].label for place in parts[part]}):
            note += f" No clip of {', '.join(missing)} in {name}."
    train, val, test = (tuple(sorted(parts[part])) for part in ("train", "val", "test"))
    return Split(train=train, val=val, test=test, by_speaker=by_speaker, note=note)


def _shuffled(names: Iterable[str], seed: int) -> list[str]:
    """In an order drawn by hashing: equal everywhere, and hardly changed by a name that comes or goes."""
    return sorted(names, key=lambda name: (hashlib.sha256(f"{seed}:{name}".encode()).digest(), name))


def _names(speakers: Sequence[str]) -> str:
    shown = ", ".join(speakers[:12])
    return shown if len(speakers) <= 12 else f"{shown} and {len(speakers) - 12} more"
