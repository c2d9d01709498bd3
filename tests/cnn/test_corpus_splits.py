"""Splits of several corpora: one is tested as it would be alone, and the others only train."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from cnn.errors import SplitError
from cnn.settings.data import DIGITS
from cnn.settings.split import SplitSettings
from cnn.splits import make_folds, make_split
from cnn.splitting.parts import Split


@dataclass(frozen=True)
class Clip:
    id: str
    label: str
    speaker: str
    corpus: str = ""
    part: str = ""
    is_sound: bool = True


def clips_of(speakers: list[str], n_takes: int = 4) -> list[Clip]:
    return [Clip(f"{d}_{s}_{t}", d, s) for s in speakers for d in DIGITS for t in range(n_takes)]


def within(corpus: str, clips: list[Clip]) -> list[Clip]:
    return [replace(c, id=f"{corpus}/{c.id}", speaker=f"{corpus}/{c.speaker}", corpus=corpus) for c in clips]


FSDD = clips_of(["george", "jackson", "lucas", "nicolas", "theo", "yweweler"])
NUMBERS = clips_of([f"{n:02}" for n in range(1, 61)], 3)
BOTH = within("amnist", NUMBERS) + within("fsdd", FSDD)


def ids_in(clips: list[Clip], split: Split, part: str) -> set[str]:
    return {clips[index].id for index in getattr(split, part)}


def refusal(clips: list[Clip], **settings: Any) -> str:
    with pytest.raises(SplitError) as error:
        make_split(clips, SplitSettings(**settings))
    assert error.value.in_evaluation
    return str(error.value)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"seed": 3},
        {"kind": "loso", "fold": 2},
        {"kind": "folds", "n_folds": 3, "fold": 1},
        {"kind": "random"},
        {"validation": "takes"},
        {"kind": "loso", "fold": 5, "validation": "takes"},
    ],
)
def test_the_tested_corpus_has_the_parts_that_it_has_alone_and_all_others_train(settings: dict[str, Any]) -> None:
    alone = make_split(FSDD, SplitSettings(**settings))
    split = make_split(BOTH, SplitSettings(test_corpus="fsdd", **settings))
    for part in ("val", "test"):
        assert ids_in(BOTH, split, part) == {f"fsdd/{name}" for name in ids_in(FSDD, alone, part)}
    others = {f"amnist/{clip.id}" for clip in NUMBERS}
    assert ids_in(BOTH, split, "train") == others | {f"fsdd/{name}" for name in ids_in(FSDD, alone, "train")}
    assert split.note.endswith(" Corpus fsdd alone is tested; amnist only trains.")


def test_published_folds_count_the_numbers_behind_the_corpus() -> None:
    alone = make_split(NUMBERS, SplitSettings(kind="becker", fold=2))
    split = make_split(BOTH, SplitSettings(kind="becker", fold=2, test_corpus="amnist"))
    assert ids_in(BOTH, split, "test") == {f"amnist/{name}" for name in ids_in(NUMBERS, alone, "test")}


def test_the_note_counts_the_speakers_of_all_corpora() -> None:
    split = make_split(BOTH, SplitSettings(kind="loso", test_corpus="fsdd"))
    assert split.note == (
        "Split by speaker: 64 train, 1 validate (fsdd/jackson), 1 test (fsdd/george); nobody is heard in two parts. "
        "Corpus fsdd alone is tested; amnist only trains."
    )
    three = make_split(BOTH + within("ours", NUMBERS), SplitSettings(kind="loso", test_corpus="fsdd"))
    assert three.note.endswith(" Corpus fsdd alone is tested; amnist, ours only train.")


def test_folds_of_a_sweep_validate_within_the_tested_corpus() -> None:
    folds = make_folds(BOTH, SplitSettings(test_corpus="fsdd"), 2)
    alone = make_folds(FSDD, SplitSettings(), 2)
    assert [tuple(name.removeprefix("fsdd/") for name in fold.val_speakers) for fold in folds] == [
        fold.val_speakers for fold in alone
    ]
    assert {fold.test_corpus for fold in folds} == {"fsdd"}


def test_two_speakers_are_enough_where_another_corpus_trains() -> None:
    clips = within("me", clips_of(["ann", "bob"])) + within("fsdd", FSDD)
    for kind in ("speaker", "loso"):
        split = make_split(clips, SplitSettings(kind=kind, test_corpus="me"))
        assert {clips[index].corpus for index in split.train} == {"fsdd"}
        assert len({clips[index].speaker for index in (*split.val, *split.test)}) == 2
    assert "needs at least 2 speakers, not 1 (one/ann)" in refusal(
        within("one", clips_of(["ann"])) + within("fsdd", FSDD), test_corpus="one"
    )


def test_a_corpus_without_speakers_can_train() -> None:
    clips = within("fsdd", FSDD) + [replace(clip, speaker="") for clip in within("crowd", NUMBERS)]
    split = make_split(clips, SplitSettings(test_corpus="fsdd"))
    assert len(split.train) == len(NUMBERS) + 3 * 40


def test_speakers_of_several_corpora_are_tested_where_all_are_named() -> None:
    named = {"test_speakers": ("fsdd/theo", "amnist/01"), "val_speakers": ("fsdd/lucas",)}
    split = make_split(BOTH, SplitSettings(**named))
    assert {BOTH[index].speaker for index in split.test} == {"fsdd/theo", "amnist/01"}
    assert "names 'amnist/01', who speaks in no clip of split.test_corpus=fsdd" in refusal(BOTH, test_corpus="fsdd", **named)


def test_a_choice_is_asked_for_where_there_are_several_and_refused_where_there_is_one() -> None:
    rule = "these tiles are of 2 corpora (amnist, fsdd), and one of them is tested while the others only train; "
    assert refusal(BOTH) == rule + "choose split.test_corpus=amnist or split.test_corpus=fsdd"
    assert refusal(BOTH, kind="random").startswith(rule)
    assert refusal(BOTH, test_speakers=("fsdd/theo",)).startswith(rule)
    assert refusal(BOTH, test_corpus="fsd") == (
        "split.test_corpus names 'fsd', which is none of these tiles' corpora; did you mean 'fsdd'?"
    )
    assert refusal(FSDD, test_corpus="fsdd") == (
        "split.test_corpus=fsdd chooses among several corpora, and these tiles are of one; leave it out"
    )
