"""Splits of pictures, which have no speakers: as published, drawn by class, or in groups drawn by class."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from cnn.errors import SplitError
from cnn.settings.split import PICTURE_KINDS, SplitSettings
from cnn.splitting.parts import FEWEST_TO_SHARE, SHARE_OF_VALIDATION, Split, SplitClip, draw_fifths, join_parts, shuffle_classes


def split_pictures(clips: Sequence[SplitClip], settings: SplitSettings) -> Split:
    """Split pictures by a kind that needs no speakers.

    Raises:
        SplitError: the kind needs speakers, or parts that these pictures do not have.
    """
    if settings.kind not in PICTURE_KINDS:
        rule = f"split.kind={settings.kind} splits by speaker, and pictures have none"
        raise SplitError(f"{rule}; choose {', '.join(PICTURE_KINDS)}", in_evaluation=f"{rule}; use --folds 5")
    if settings.kind == "official":
        parts, note = _official_parts(clips, settings)
    elif settings.kind == "folds":
        parts, note = _fold_parts(clips, settings)
    else:
        parts, note = draw_fifths(clips, range(len(clips)), settings.seed), "Random split, 60/20/20 of each class."
        if settings.n_folds:
            parts["val"], parts["train"], text = _validation_group(clips, [*parts["train"], *parts["val"]], settings)
            note = f"Random split: a fifth of each class tests. {text}"
    if empty := [name for name, indices in parts.items() if not indices]:
        raise SplitError(f"this split leaves no picture for {empty[0]}; give classes of at least {FEWEST_TO_SHARE} pictures")
    return join_parts(clips, parts, note)


def make_picture_folds(clips: Sequence[SplitClip], settings: SplitSettings, n_folds: int) -> list[SplitSettings]:
    """Return a split for each of `n_folds` groups of the pictures that are not for test, which validate in turn.

    Raises:
        SplitError: the kind of split tests other pictures in every fold, or there are fewer pictures than folds.
    """
    if settings.kind not in ("official", "random") or settings.n_folds:
        rule = f"{n_folds} folds let all pictures but those of test validate once, which needs split.kind=official or random"
        raise SplitError(f"{rule} without split.n_folds; change the split")
    split = split_pictures(clips, settings)
    n_pictures = len(split.train) + len(split.val)
    if n_folds > n_pictures:
        raise SplitError(
            f"{n_folds} folds need as many pictures beside those of test, and there are {n_pictures}; ask for fewer"
        )
    return [dataclasses.replace(settings, n_folds=n_folds, fold=fold) for fold in range(n_folds)]


def _official_parts(clips: Sequence[SplitClip], settings: SplitSettings) -> tuple[dict[str, list[int]], str]:
    parts: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for index, clip in enumerate(clips):
        parts.get(clip.part, []).append(index)
    if not parts["train"] or not parts["test"]:
        rule = "split.kind=official needs pictures that were published for training and for test, and these have no such parts"
        raise SplitError(f"{rule}; choose split.kind=random, or give a source with train/ and test/")
    note = f"The published split: {len(parts['test']):,} pictures test."
    if settings.n_folds:
        parts["val"], parts["train"], text = _validation_group(clips, [*parts["train"], *parts["val"]], settings)
        return parts, f"{note} {text}"
    if parts["val"]:
        return parts, f"{note} {len(parts['val']):,} validate, as published."
    parts["val"], parts["train"] = _draw_tenth(clips, parts["train"], settings.seed)
    return parts, f"{note} A tenth of each class of the others validates, {len(parts['val']):,} pictures."


def _fold_parts(clips: Sequence[SplitClip], settings: SplitSettings) -> tuple[dict[str, list[int]], str]:
    """Let group `fold` test, and the next or a tenth of the rest validate; pictures published for test sit out."""
    others = [index for index, clip in enumerate(clips) if clip.part != "test"]
    groups = _deal(clips, others, settings.n_folds, settings.seed)
    test = groups.pop(settings.fold)
    if settings.validation == "takes":
        val, train = _draw_tenth(clips, [index for group in groups for index in group], settings.seed)
    else:
        val = groups.pop(settings.fold % len(groups))
        train = [index for group in groups for index in group]
    note = (
        f"Group {settings.fold + 1} of {settings.n_folds} tests, {len(test):,} pictures, drawn by class; {len(val):,} validate."
    )
    if n_out := len(clips) - len(others):
        note += f" The {n_out:,} pictures published for test sit out, so that no recipe is chosen by them."
    return {"train": train, "val": val, "test": test}, note


def _validation_group(
    clips: Sequence[SplitClip], indices: Sequence[int], settings: SplitSettings
) -> tuple[list[int], list[int], str]:
    groups = _deal(clips, indices, settings.n_folds, settings.seed)
    val = groups.pop(settings.fold)
    text = f"Group {settings.fold + 1} of {settings.n_folds} of the others validates, {len(val):,} pictures, drawn by class."
    return val, [index for group in groups for index in group], text


def _deal(clips: Sequence[SplitClip], indices: Sequence[int], n_groups: int, seed: int) -> list[list[int]]:
    """Deal the pictures of each class in turn to groups whose sizes differ by one at most."""
    if n_groups > len(indices):
        raise SplitError(f"{n_groups} groups need as many pictures, and there are {len(indices)}; choose fewer folds")
    in_order = [index for shuffled in shuffle_classes(clips, indices, seed) for index in shuffled]
    return [in_order[number::n_groups] for number in range(n_groups)]


def _draw_tenth(clips: Sequence[SplitClip], indices: Sequence[int], seed: int) -> tuple[list[int], list[int]]:
    val: list[int] = []
    train: list[int] = []
    for shuffled in shuffle_classes(clips, indices, seed):
        n_val = max(1, len(shuffled) // SHARE_OF_VALIDATION) if len(shuffled) >= FEWEST_TO_SHARE else 0
        val += shuffled[:n_val]
        train += shuffled[n_val:]
    return val, train
