"""Splits: nobody in two parts, the same parts everywhere, and what cannot be split is refused."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn.errors import SplitError
from cnn.settings.data import DIGITS
from cnn.settings.split import SplitSettings
from cnn.splits import list_untrained, make_folds, make_split
from cnn.splitting.parts import Split
from support.paths import ROOT

FOLDS = ROOT.parent / "shared/corpora/audiomnist_splits.json"


@dataclass(frozen=True)
class Clip:
    id: str
    label: str
    speaker: str
    part: str = ""
    is_sound: bool = True
    corpus: str = ""


def clips_of(speakers: list[str], n_takes: int = 1) -> list[Clip]:
    return [Clip(f"{d}_{s}_{t}", d, s) for s in speakers for d in DIGITS for t in range(n_takes)]


def speakers_in(clips: list[Clip], split: Split) -> dict[str, list[str]]:
    return {part: sorted({clips[i].speaker for i in getattr(split, part)}) for part in ("train", "val", "test")}


FSDD = ["george", "jackson", "lucas", "nicolas", "theo", "yweweler"]
SIXTY = [f"{n:02}" for n in range(1, 61)]
KINDS = ["speaker", "loso", "folds", "speaker takes", "loso takes", "folds takes", "random", "becker"]


def test_six_speakers_give_three_to_train_one_to_validate_and_two_to_test() -> None:
    clips = clips_of(FSDD)
    split = make_split(clips, SplitSettings())
    parts = speakers_in(clips, split)
    assert {part: len(speakers) for part, speakers in parts.items()} == {"train": 3, "val": 1, "test": 2}
    assert split.note == (
        f"Split by speaker: 3 train, 1 validate ({parts['val'][0]}), 2 test ({', '.join(parts['test'])}); "
        "nobody is heard in two parts."
    )


@pytest.mark.parametrize("kind", ["speaker", "loso", "folds"])
def test_in_folds_each_speaker_but_those_of_test_validates_once(kind: str) -> None:
    clips = clips_of(SIXTY)
    settings = SplitSettings(kind=kind, seed=4, n_folds=10 * (kind == "folds"))
    whole = speakers_in(clips, make_split(clips, settings))
    folds = [speakers_in(clips, make_split(clips, fold)) for fold in make_folds(clips[::-1], settings, 7)]
    assert {tuple(fold["test"]) for fold in folds} == {tuple(whole["test"])}
    assert sorted(name for fold in folds for name in fold["val"]) == sorted(whole["train"] + whole["val"])
    sizes = [len(fold["val"]) for fold in folds]
    assert max(sizes) - min(sizes) <= 1
    assert make_folds(clips, settings, 7) != make_folds(clips, SplitSettings(kind="speaker", seed=5), 7)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"kind": "random"}, "split.kind=random holds no speaker out"),
        ({"validation": "takes"}, "split.validation=takes holds no speaker out"),
        ({"val_speakers": ("theo",)}, "split.val_speakers names who does"),
    ],
)
def test_folds_beside_another_way_to_validate_are_refused(settings: dict[str, Any], reason: str) -> None:
    rule = f"^3 folds let every speaker but those of test validate once, and {reason}; leave it out$"
    with pytest.raises(SplitError, match=rule):
        make_folds(clips_of(FSDD), SplitSettings(**settings), 3)


def test_the_drawn_speakers_stay_the_same_from_release_to_release() -> None:
    clips = clips_of(FSDD)
    drawn = [speakers_in(clips, make_split(clips, SplitSettings(seed=seed)))["test"] for seed in range(3)]
    assert drawn == [["george", "jackson"], ["george", "lucas"], ["nicolas", "theo"]]


@st.composite
def corpora(draw: st.DrawFn) -> list[Clip]:
    speakers = draw(st.lists(st.sampled_from(SIXTY), min_size=3, unique=True))
    labels = draw(st.lists(st.sampled_from(DIGITS), min_size=2, max_size=4, unique=True))
    return [Clip(f"{d}_{s}_{t}", d, s) for s in speakers for d in labels for t in range(draw(st.integers(1, 3)))]


@given(corpora(), st.integers(0, 99), st.sampled_from(KINDS), st.randoms())
def test_the_parts_are_whole_disjoint_and_blind_to_the_order_of_clips(
    clips: list[Clip], seed: int, kind: str, order: random.Random
) -> None:
    name, _, takes = kind.partition(" ")
    fold, n_folds = seed % 5 if name == "becker" else seed % 3, 3 if name == "folds" else 0
    validation = takes or "speakers"
    settings = SplitSettings(kind=name, seed=seed, fold=fold, n_folds=n_folds, validation=validation)
    try:
        split = make_split(clips, settings)
    except SplitError:
        assert takes or kind in ("becker", "random")  # a block without speakers, or fewer than 3 clips of every digit
        return
    assert sorted(split.train + split.val + split.test) == list(range(len(clips)))
    assert split.train
    assert split.val
    assert split.test
    parts = speakers_in(clips, split)
    if split.by_speaker:
        assert not set(parts["test"]) & {*parts["train"], *parts["val"]}
    assert split.val_heard == (kind == "random" or bool(takes))
    assert split.val_heard or not set(parts["val"]) & set(parts["train"])
    shuffled = list(clips)
    order.shuffle(shuffled)
    again = make_split(shuffled, settings)
    for part in ("train", "val", "test"):
        assert {clips[i].id for i in getattr(split, part)} == {shuffled[i].id for i in getattr(again, part)}
    assert (split.note, split.by_speaker, split.val_heard) == (again.note, again.by_speaker, again.val_heard)


def test_named_speakers_are_held_out_and_the_rest_is_drawn() -> None:
    clips = clips_of(FSDD)
    named = make_split(clips, SplitSettings(test_speakers=("theo", "lucas"), val_speakers=("george",)))
    assert speakers_in(clips, named) == {
        "train": ["jackson", "nicolas", "yweweler"],
        "val": ["george"],
        "test": ["lucas", "theo"],
    }
    half_named = speakers_in(clips, make_split(clips, SplitSettings(val_speakers=("george",))))
    assert (half_named["val"], len(half_named["test"]), len(half_named["train"])) == (["george"], 2, 3)


@pytest.mark.parametrize("fold", range(5))
def test_becker_folds_are_the_published_ones(fold: int) -> None:
    if not FOLDS.exists():
        pytest.skip("the published folds lie in ../shared/corpora")
    published = json.loads(FOLDS.read_text())["digit"][fold]
    clips = clips_of(SIXTY)
    parts = speakers_in(clips, make_split(clips, SplitSettings(kind="becker", fold=fold)))
    keys = {"train": "train", "val": "validate", "test": "test"}
    names = {part: [f"{n:02}" for n in published[key]] for part, key in keys.items()}
    assert (published["split"], parts) == (fold, names)


def test_a_sample_of_audiomnist_splits_where_every_part_is_heard() -> None:
    clips = clips_of(["01", "04", "05"])
    assert speakers_in(clips, make_split(clips, SplitSettings(kind="becker"))) == {
        "train": ["01"],
        "val": ["04"],
        "test": ["05"],
    }


def test_leave_one_out_tests_each_speaker_once_and_validates_on_the_next() -> None:
    clips = clips_of(FSDD)
    parts = [speakers_in(clips, make_split(clips, SplitSettings(kind="loso", fold=k))) for k in range(6)]
    assert [part["test"] for part in parts] == [[name] for name in FSDD]
    assert [part["val"] for part in parts] == [[name] for name in [*FSDD[1:], FSDD[0]]]


DEALT = [
    [["jackson", "lucas"], ["george", "theo"], ["nicolas", "yweweler"]],
    [["lucas", "theo"], ["george", "nicolas"], ["jackson", "yweweler"]],
]


def folds(clips: list[Clip], n_folds: int, seed: int = 0) -> list[dict[str, list[str]]]:
    settings = [SplitSettings(kind="folds", n_folds=n_folds, fold=fold, seed=seed) for fold in range(n_folds)]
    return [speakers_in(clips, make_split(clips, each)) for each in settings]


def test_every_speaker_is_tested_in_one_of_k_folds_and_validates_in_another() -> None:
    parts = folds(clips_of(SIXTY), 7)
    assert sorted(name for part in parts for name in part["test"]) == SIXTY
    assert sorted(len(part["test"]) for part in parts) == [8, 8, 8, 9, 9, 9, 9]
    assert [part["val"] for part in parts] == [part["test"] for part in [*parts[1:], parts[0]]]


def test_groups_are_even_in_clips_where_speakers_are_not() -> None:
    n_takes = {"ann": 9, "bob": 5, "cleo": 4, "dan": 4, "eve": 3, "fay": 2}
    clips = [clip for name, n in n_takes.items() for clip in clips_of([name], n)]
    sizes = [sum(n_takes[name] for name in part["test"]) for part in folds(clips, 3)]
    assert sorted(sizes) == [8, 9, 10]


def test_the_groups_stay_the_same_from_release_to_release() -> None:
    assert [[part["test"] for part in folds(clips_of(FSDD), 3, seed)] for seed in (0, 1)] == DEALT


def test_validation_by_takes_trains_on_everybody_who_is_not_tested() -> None:
    clips = clips_of(FSDD, n_takes=25)
    split = make_split(clips, SplitSettings(kind="loso", fold=2, validation="takes"))
    assert speakers_in(clips, split) == {"train": [*FSDD[:2], *FSDD[3:]], "val": [*FSDD[:2], *FSDD[3:]], "test": ["lucas"]}
    drawn = Counter((clips[i].speaker, clips[i].label) for i in split.val)
    assert drawn == {(name, label): 2 for name in FSDD if name != "lucas" for label in DIGITS}
    assert split.note == (
        "Split by speaker: 5 train, 1 test (lucas), never heard in training. Validation is 100 other clips of the training "
        "speakers: its scores are optimistic and choose nothing."
    )
    another = make_split(clips, SplitSettings(kind="loso", fold=2, validation="takes", seed=1))
    assert (another.test, len(another.val)) == (split.test, len(split.val))
    assert another.val != split.val


def test_two_speakers_suffice_where_takes_validate() -> None:
    clips = clips_of(["ann", "bob"], n_takes=3)
    split = make_split(clips, SplitSettings(kind="loso", validation="takes"))
    assert [len(part) for part in (split.train, split.val, split.test)] == [20, 10, 30]


def test_a_random_split_shares_out_every_digit_and_says_so() -> None:
    clips = clips_of(FSDD, n_takes=5)
    split = make_split(clips, SplitSettings(kind="random"))
    for part, n in (("train", 18), ("val", 6), ("test", 6)):
        assert Counter(clips[i].label for i in getattr(split, part)) == dict.fromkeys(DIGITS, n)
    assert not split.by_speaker
    assert split.note == (
        "Random split, 60/20/20 of each digit: the same 6 speakers are heard in all parts, "
        "so scores are optimistic for a new voice."
    )


def test_a_digit_that_a_part_lacks_is_named() -> None:
    clips = [*clips_of(["ann", "bob"]), Clip("x", "3", "eve")]
    note = make_split(clips, SplitSettings(test_speakers=("eve",), val_speakers=("bob",))).note
    assert note.endswith("nobody is heard in two parts. No clip of 0, 1, 2, 4, 5, 6, 7, 8, 9 in test.")


REFUSALS = [
    ([], SplitSettings(), "a split needs clips and there are none; scan the corpus with `arena data scan`"),
    (
        clips_of(["ann", "bob"]),
        SplitSettings(),
        "a split by speaker needs at least 3 speakers, not 2 (ann, bob); record more people or choose split.kind=random",
    ),
    (
        clips_of([*FSDD, ""]),
        SplitSettings(kind="loso"),
        "a split by speaker needs the speaker of every clip, and 10 of 70 have none; "
        "name the files {digit}_{speaker}_{take}.wav or choose split.kind=random",
    ),
    (
        clips_of(FSDD),
        SplitSettings(test_speakers=("nicola",)),
        "split.test_speakers names 'nicola', who speaks in no clip; did you mean 'nicolas'?",
    ),
    (
        clips_of(FSDD),
        SplitSettings(val_speakers=("zzz",)),
        "split.val_speakers names 'zzz', who speaks in no clip; choose from george, jackson, lucas, nicolas, theo, yweweler",
    ),
    (
        clips_of(FSDD),
        SplitSettings(test_speakers=("theo",), val_speakers=("theo", "lucas")),
        "theo cannot be in split.test_speakers and split.val_speakers at once; drop one",
    ),
    (
        clips_of(FSDD),
        SplitSettings(test_speakers=tuple(FSDD[1:])),
        "5 test and 1 validation speakers leave none of 6 for training; name fewer",
    ),
    (
        clips_of(FSDD),
        SplitSettings(kind="becker"),
        "split.kind=becker knows AudioMNIST's speakers 01 to 60 only, not george, jackson, lucas, nicolas, theo, yweweler; "
        "choose split.kind=speaker",
    ),
    (
        clips_of(["01", "02", "03"]),
        SplitSettings(kind="becker"),
        "fold 0 leaves no speaker for validation: the corpus has only 01, 02, 03; "
        "choose another split.fold or split.kind=speaker",
    ),
    (clips_of(FSDD), SplitSettings(kind="loso", fold=6), "split.fold lies between 0 and 5 for 6 speakers, not 6"),
    (
        clips_of(FSDD),
        SplitSettings(kind="folds", n_folds=7),
        "split.n_folds=7 groups need as many speakers, and there are 6; choose at most 6, which is leave-one-speaker-out",
    ),
    (
        clips_of(FSDD, n_takes=2),
        SplitSettings(validation="takes"),
        "split.validation=takes needs at least 3 clips of some digit by a training speaker, and there are none; "
        "record more or choose split.validation=speakers",
    ),
    (
        clips_of(["ann", "bob"]),
        SplitSettings(kind="random"),
        "a random split needs at least 3 clips of some digit, and no digit has them; record more",
    ),
]


@pytest.mark.parametrize(("clips", "settings", "message"), REFUSALS, ids=[message[:40] for *_, message in REFUSALS])
def test_what_cannot_be_split_is_refused(clips: list[Clip], settings: SplitSettings, message: str) -> None:
    with pytest.raises(SplitError) as refused:
        make_split(clips, settings)
    assert str(refused.value) == message


def test_digits_that_are_scored_and_never_trained_on_are_named_with_their_speakers_and_folds() -> None:
    clips = [clip for clip in clips_of(FSDD) if clip.label not in "78" or clip.speaker == "theo"]
    named = SplitSettings(test_speakers=("theo",), val_speakers=("lucas",))
    assert list_untrained(clips, [named]) == [
        "warning: digits 7, 8 are scored and never trained on: nobody but theo says them. The F1 of what no net can learn is "
        "0; record more, or split otherwise"
    ]
    folds = [SplitSettings(kind="loso", fold=k) for k in range(6)]
    (warning,) = list_untrained(clips, folds)
    assert "are scored in fold 3, 4 and never trained on" in warning, "theo validates in fold 3 and is tested in fold 4"
    assert list_untrained(clips_of(FSDD), folds) == []


def test_a_training_of_one_digit_alone_is_refused() -> None:
    clips = [clip for clip in clips_of(FSDD) if clip.label == "7" or clip.speaker == "theo"]
    with pytest.raises(SplitError) as error:
        make_split(clips, SplitSettings(test_speakers=("theo",), val_speakers=("lucas",)))
    assert str(error.value) == (
        "training needs clips of two digits or more, and all 4 of this split are of 7; record others, or split otherwise"
    )
