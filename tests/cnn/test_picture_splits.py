"""Splits of pictures: published parts, stratified draws, and folds that leave the published test alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from cnn.errors import ConfigError, SplitError
from cnn.settings.split import SplitSettings
from cnn.splits import list_untrained, make_folds, make_split


@dataclass(frozen=True)
class Picture:
    id: str
    label: str
    part: str
    speaker: str = ""
    is_sound: bool = False
    corpus: str = ""


def pictures_of(n_train: int, n_val: int, n_test: int, part: str | None = None) -> list[Picture]:
    """That many pictures of each of three classes."""
    parts = ["train"] * n_train + ["val"] * n_val + ["test"] * n_test
    rows = [(label, p) for p in parts for label in ("cat", "dog", "owl")]
    return [Picture(f"{n}", label, p if part is None else part) for n, (label, p) in enumerate(rows)]


def labels_in(pictures: list[Picture], indices: tuple[int, ...]) -> Counter[str]:
    return Counter(pictures[index].label for index in indices)


def test_the_published_parts_are_taken_as_they_are() -> None:
    pictures = pictures_of(5, 2, 3)
    split = make_split(pictures, SplitSettings(kind="official"))
    for part in ("train", "val", "test"):
        assert getattr(split, part) == tuple(n for n, p in enumerate(pictures) if p.part == part)
    assert split.note == "The published split: 9 pictures test. 6 validate, as published."
    assert not split.by_speaker
    assert not split.val_heard


def test_without_a_published_validation_a_tenth_of_each_class_is_drawn_by_the_seed() -> None:
    pictures = pictures_of(40, 0, 3)
    first, again, other = (make_split(pictures, SplitSettings(kind="official", seed=seed)) for seed in (0, 0, 1))
    assert labels_in(pictures, first.val) == {"cat": 4, "dog": 4, "owl": 4}
    assert labels_in(pictures, first.train) == {"cat": 36, "dog": 36, "owl": 36}
    assert first == again
    assert first.test == other.test
    assert first.val != other.val
    assert first.note == ("The published split: 9 pictures test. A tenth of each class of the others validates, 12 pictures.")


def test_pictures_without_parts_are_split_at_random_by_class() -> None:
    pictures = pictures_of(10, 0, 0, part="")
    split = make_split(pictures, SplitSettings(kind="random"))
    assert labels_in(pictures, split.test) == labels_in(pictures, split.val) == {"cat": 2, "dog": 2, "owl": 2}
    assert split.note == "Random split, 60/20/20 of each class."
    with pytest.raises(SplitError, match=r"these have no such parts; choose split\.kind=random"):
        make_split(pictures, SplitSettings(kind="official"))


@pytest.mark.parametrize("validation", ["speakers", "takes"])
def test_in_folds_every_picture_but_the_published_test_tests_once(validation: str) -> None:
    pictures = pictures_of(9, 2, 3)
    splits = [
        make_split(pictures, SplitSettings(kind="folds", n_folds=5, fold=fold, validation=validation)) for fold in range(5)
    ]
    tested = sorted(index for split in splits for index in split.test)
    assert tested == [n for n, picture in enumerate(pictures) if picture.part != "test"]
    for split in splits:
        assert set(labels_in(pictures, split.test).values()) <= {2, 3}
        assert sorted([*split.train, *split.val, *split.test]) == tested
        assert len({*split.train, *split.val, *split.test}) == len(tested)
    assert splits[0].note.endswith("The 9 pictures published for test sit out, so that no recipe is chosen by them.")


@pytest.mark.parametrize("kind", ["official", "random"])
def test_folds_of_a_study_let_all_but_the_test_validate_once(kind: str) -> None:
    pictures = pictures_of(9, 2, 3)
    settings = SplitSettings(kind=kind, seed=3)
    whole = make_split(pictures, settings)
    splits = [make_split(pictures, fold) for fold in make_folds(pictures, settings, 4)]
    assert {split.test for split in splits} == {whole.test}
    assert sorted(index for split in splits for index in split.val) == sorted((*whole.train, *whole.val))


@pytest.mark.parametrize("kind", ["speaker", "loso", "becker"])
def test_kinds_that_need_speakers_are_refused_with_those_that_do_not(kind: str) -> None:
    with pytest.raises(SplitError, match="pictures have none; choose official, random, folds"):
        make_split(pictures_of(3, 1, 1), SplitSettings(kind=kind))


def test_what_cannot_be_split_is_said_in_words_of_pictures() -> None:
    with pytest.raises(SplitError, match="training needs pictures of two classes or more, and all 2 of this split are of cat"):
        make_split([Picture(str(n), "cat", "train" if n < 3 else "test") for n in range(5)], SplitSettings(kind="official"))
    with pytest.raises(SplitError, match="40 groups need as many pictures, and there are 9; choose fewer folds"):
        make_split(pictures_of(3, 0, 1), SplitSettings(kind="folds", n_folds=40))
    with pytest.raises(ConfigError, match=r"split\.n_folds needs split\.kind=folds"):
        SplitSettings(kind="loso", n_folds=3)
    unseen = [*pictures_of(3, 1, 1), Picture("new", "yak", "test")]
    assert list_untrained(unseen, [SplitSettings(kind="official")]) == [
        "warning: class yak is scored and never trained on: no picture shows it. "
        "The F1 of what no net can learn is 0; add more, or split otherwise"
    ]
