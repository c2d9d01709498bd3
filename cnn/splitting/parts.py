"""Parts of a split, and what every kind of split shares. The same everywhere: no draw depends on a platform or a process."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cnn.errors import SplitError

SHARE_OF_VALIDATION = 10  # where nobody is held out for it, one clip in so many
FEWEST_TO_SHARE = 3  # clips alike, of which one may validate


class SplitClip(Protocol):
    """A recording or a picture as a split sees it."""

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def speaker(self) -> str: ...
    @property
    def corpus(self) -> str: ...  # empty in tiles of a single one
    @property
    def part(self) -> str: ...
    @property
    def is_sound(self) -> bool: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Ascending indices into the clips; no index stands in two parts."""

    train: tuple[int, ...]
    val: tuple[int, ...]
    test: tuple[int, ...]
    by_speaker: bool  # nobody who is heard in test is heard in another part
    val_heard: bool  # the voices of validation are heard in training, so that its scores are optimistic
    note: str  # one or two sentences that belong beside every number of this split


def join_parts(
    clips: Sequence[SplitClip],
    parts: Mapping[str, Sequence[int]],
    note: str,
    *,
    by_speaker: bool = False,
    val_heard: bool = False,
) -> Split:
    """Return the split with these indices under train, val and test; the note gains the classes that a part lacks.

    Raises:
        SplitError: training would see one class alone.
    """
    items, classes, item = ("clips", "digits", "clip") if clips[0].is_sound else ("pictures", "classes", "picture")
    labels = {clip.label for clip in clips}
    for part, name in (("train", "training"), ("val", "validation"), ("test", "test")):
        if missing := sorted(labels - {clips[index].label for index in parts[part]}):
            note += f" No {item} of {', '.join(missing)} in {name}."
    if len(trained := {clips[index].label for index in parts["train"]}) == 1:
        n_clips, others = len(parts["train"]), "record others" if clips[0].is_sound else "add others"
        rule = f"training needs {items} of two {classes} or more, and all {n_clips} of this split are of {trained.pop()}"
        raise SplitError(f"{rule}; {others}, or split otherwise")
    train, val, test = (tuple(sorted(parts[part])) for part in ("train", "val", "test"))
    return Split(train=train, val=val, test=test, by_speaker=by_speaker, val_heard=val_heard, note=note)


def draw_fifths(clips: Sequence[SplitClip], indices: Iterable[int], seed: int, prefix: str = "") -> dict[str, list[int]]:
    """Draw a fifth of each class for test, one for validation, the rest to train; `prefix` as `shuffle_names` takes it."""
    parts: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for shuffled in shuffle_classes(clips, indices, seed, prefix):
        n = (len(shuffled) + 2) // 5  # a fifth, and one each from three clips on
        for part, members in (("test", shuffled[:n]), ("val", shuffled[n : 2 * n]), ("train", shuffled[2 * n :])):
            parts[part] += members
    return parts


def shuffle_classes(clips: Sequence[SplitClip], indices: Iterable[int], seed: int, prefix: str = "") -> list[list[int]]:
    """Return the indices of each class in a drawn order; classes in the order of their names."""
    by_label: dict[str, dict[str, int]] = defaultdict(dict)
    for index in indices:
        by_label[clips[index].label][clips[index].id] = index
    return [[by_label[label][name] for name in shuffle_names(by_label[label], seed, prefix)] for label in sorted(by_label)]


def shuffle_names(names: Iterable[str], seed: int, prefix: str = "") -> list[str]:
    """Sort by hash, of each name without `prefix`: equal on every platform, and hardly changed by a name more or less."""

    def sort_key(name: str) -> tuple[bytes, str]:
        return hashlib.sha256(f"{seed}:{name.removeprefix(prefix)}".encode()).digest(), name

    return sorted(names, key=sort_key)
