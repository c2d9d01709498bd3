"""Splits of clips into training, validation and test, by speaker unless another kind is set. Standard library only.

The parts depend on the clips and the settings alone: not on the order of the clips, the platform or the process.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from arena.base.suggest import did_you_mean
from arena.base.texts import format_labels, name_labels
from cnn.errors import SplitError
from cnn.settings.split import FOLDED_KINDS, SplitSettings
from cnn.splitting.corpora import select_tested
from cnn.splitting.parts import FEWEST_TO_SHARE, SHARE_OF_VALIDATION, Split, SplitClip, draw_fifths, join_parts, shuffle_names
from cnn.splitting.pictures import make_picture_folds, split_pictures

# The five blocks of speakers in AudioMNIST's digit task (Becker et al., arXiv 1807.03418; preprocess_data.py of
# github.com/soerenab/AudioMNIST). Fold k trains on three, validates on the next and tests on the one after.
BECKER_BLOCKS = (
    (1, 6, 7, 16, 19, 23, 28, 34, 35, 46, 53, 56),
    (2, 8, 9, 17, 24, 29, 36, 37, 39, 48, 54, 57),
    (3, 10, 14, 20, 25, 30, 38, 40, 43, 49, 55, 58),
    (4, 11, 12, 15, 21, 27, 31, 41, 44, 47, 50, 59),
    (5, 13, 18, 22, 26, 32, 33, 42, 45, 51, 52, 60),
)
_IN_EVALUATION = "use --folds loso or a number"  # what `arena eval` can be asked for instead


def make_split(clips: Sequence[SplitClip], settings: SplitSettings) -> Split:
    """Split `clips` into three parts, none of them empty.

    Raises:
        SplitError: the clips cannot give the split; the message says what could.
    """
    if not clips:
        raise SplitError("a split needs clips and there are none; scan the corpus with `arena data scan`")
    if not clips[0].is_sound:
        return split_pictures(clips, settings)
    if settings.kind == "official":
        raise SplitError("split.kind=official is for pictures that were published in parts; choose split.kind=speaker")
    tested = select_tested(clips, settings)
    if settings.kind == "random":
        return _random_split(clips, tested, settings)
    takes = settings.validation == "takes"
    has_trainers = len(tested) < len(clips)  # those of other corpora
    speakers = _speakers(tested, 2 if takes or has_trainers else 3)  # one each for training, validation and test
    if settings.kind == "becker":
        val, test = _becker_parts(speakers, settings)
    elif settings.kind == "loso":
        val, test = _neighbours([{speaker} for speaker in speakers], settings.fold)
    elif settings.kind == "folds":
        val, test = _neighbours(_groups(tested, settings.n_folds, settings), settings.fold)
    else:
        val, test = _speaker_parts(speakers, settings, needs_training=not has_trainers)
    return _with_takes(clips, test, settings) if takes else _by_speaker(clips, val, test, settings)


def _speakers(clips: Sequence[SplitClip], fewest: int) -> list[str]:
    n_unknown = sum(not clip.speaker for clip in clips)
    if n_unknown:
        rule = f"a split by speaker needs the speaker of every clip, and {n_unknown} of {len(clips)} have none"
        message = f"{rule}; name the files {{digit}}_{{speaker}}_{{take}}.wav"
        raise SplitError(f"{message} or choose split.kind=random", in_evaluation=message)
    speakers = sorted({clip.speaker for clip in clips})
    if len(speakers) < fewest:
        rule = f"a split by speaker needs at least {fewest} speakers, not {len(speakers)} ({', '.join(speakers)})"
        message = f"{rule}; record more people"
        raise SplitError(f"{message} or choose split.kind=random", in_evaluation=message)
    return speakers


def _speaker_parts(speakers: list[str], settings: SplitSettings, *, needs_training: bool) -> tuple[set[str], set[str]]:
    test, val = set(settings.test_speakers), set(settings.val_speakers)
    for key, named in (("split.test_speakers", test), ("split.val_speakers", val)):
        for name in sorted(named - set(speakers)):
            hint = did_you_mean(name, speakers, f"choose from {_names(speakers)}", cutoff=0.5)
            where = f" of split.test_corpus={settings.test_corpus}" if settings.test_corpus else ""
            raise SplitError(f"{key} names {name!r}, who speaks in no clip{where}{hint}")
    if both := sorted(test & val):
        raise SplitError(f"{_names(both)} cannot be in split.test_speakers and split.val_speakers at once; drop one")
    shuffled = [s for s in shuffle_names(speakers, settings.seed, settings.prefix) if s not in test | val]
    if not test:
        n_test = -(-len(speakers) // 5)
        test, shuffled = set(shuffled[:n_test]), shuffled[n_test:]
    if not val and settings.validation == "speakers":
        n_val = max(1, len(speakers) // 5)
        val, shuffled = set(shuffled[:n_val]), shuffled[n_val:]
    if not shuffled and needs_training:
        raise SplitError(
            f"{len(test)} test and {len(val)} validation speakers leave none of {len(speakers)} for training; name fewer"
        )
    return val, test


def _becker_parts(speakers: list[str], settings: SplitSettings) -> tuple[set[str], set[str]]:
    block_of = {number: block for block, numbers in enumerate(BECKER_BLOCKS) for number in numbers}
    names = {s: s.removeprefix(settings.prefix) for s in speakers}
    numbers = {s: int(name) if name.isascii() and name.isdecimal() else 0 for s, name in names.items()}
    if strangers := [s for s in speakers if numbers[s] not in block_of]:
        rule = f"knows AudioMNIST's speakers 01 to 60 only, not {_names(strangers)}"
        raise SplitError(
            f"split.kind=becker {rule}; choose split.kind=speaker", in_evaluation=f"--folds becker {rule}; {_IN_EVALUATION}"
        )
    fold = settings.fold
    val_block, test_block = (fold + 3) % 5, (fold + 4) % 5
    val = {s for s in speakers if block_of[numbers[s]] == val_block}
    test = {s for s in speakers if block_of[numbers[s]] == test_block}
    for part, members in (("validation", val), ("test", test), ("training", set(speakers) - val - test)):
        if not members:
            rule = f"fold {fold} leaves no speaker for {part}: the corpus has only {_names(speakers)}"
            raise SplitError(
                f"{rule}; choose another split.fold or split.kind=speaker", in_evaluation=f"{rule}; {_IN_EVALUATION}"
            )
    return val, test


def _neighbours(groups: list[set[str]], fold: int) -> tuple[set[str], set[str]]:
    """Return the groups of validation and test: group `fold` tests, the next validates."""
    if fold >= len(groups):
        raise SplitError(f"split.fold lies between 0 and {len(groups) - 1} for {len(groups)} speakers, not {fold}")
    return groups[(fold + 1) % len(groups)], groups[fold]


def make_folds(clips: Sequence[SplitClip], settings: SplitSettings, n_folds: int) -> list[SplitSettings]:
    """Return a split for each of `n_folds` groups of speakers, who validate in turn; all have the test speakers of `settings`.

    Raises:
        SplitError: the clips cannot give the split of `settings`, or so many folds of it.
    """
    if not clips[0].is_sound:
        return make_picture_folds(clips, settings, n_folds)
    if reason := _explain_unfoldable(settings):
        raise SplitError(f"{n_folds} folds let every speaker but those of test validate once, and {reason}; leave it out")
    test = {clips[index].speaker for index in make_split(clips, settings).test}
    others = [clip for clip in select_tested(clips, settings) if clip.speaker not in test]
    names = sorted({clip.speaker for clip in others})
    if n_folds > len(names):
        rule = f"{n_folds} folds need as many speakers beside the {len(test)} of test, and there are {len(names)}"
        raise SplitError(f"{rule} ({_names(names)}); ask for at most {len(names)}, or record more people")
    groups = _groups(others, n_folds, settings)
    shared = SplitSettings(seed=settings.seed, test_speakers=tuple(sorted(test)), test_corpus=settings.test_corpus)
    return [dataclasses.replace(shared, val_speakers=tuple(sorted(group))) for group in groups]


def _explain_unfoldable(settings: SplitSettings) -> str:
    if settings.kind == "random":
        return "split.kind=random holds no speaker out"
    if settings.validation == "takes":
        return "split.validation=takes holds no speaker out"
    return "split.val_speakers names who does" if settings.val_speakers else ""


def _groups(clips: Sequence[SplitClip], n_folds: int, settings: SplitSettings) -> list[set[str]]:
    """Deal the speakers into `n_folds` groups: those with most clips first, each to the group with the fewest so far."""
    n_clips = Counter(clip.speaker for clip in clips)
    if n_folds > len(n_clips):
        raise SplitError(
            f"split.n_folds={n_folds} groups need as many speakers, and there are {len(n_clips)}; "
            f"choose at most {len(n_clips)}, which is leave-one-speaker-out"
        )
    groups: list[set[str]] = [set() for _ in range(n_folds)]
    sizes = [(0, 0, number) for number in range(n_folds)]  # clips, speakers, group
    for speaker in sorted(shuffle_names(n_clips, settings.seed, settings.prefix), key=lambda name: -n_clips[name]):
        n, n_speakers, number = heapq.heappop(sizes)
        groups[number].add(speaker)
        heapq.heappush(sizes, (n + n_clips[speaker], n_speakers + 1, number))
    return groups


def _by_speaker(clips: Sequence[SplitClip], val: set[str], test: set[str], settings: SplitSettings) -> Split:
    note = (
        f"Split by speaker: {_count_others(clips, val | test)} train, {len(val)} validate ({_names(sorted(val))}), "
        f"{len(test)} test ({_names(sorted(test))}); nobody is heard in two parts.{_note_corpus(clips, settings)}"
    )
    parts: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for index, clip in enumerate(clips):
        parts["test" if clip.speaker in test else "val" if clip.speaker in val else "train"].append(index)
    return join_parts(clips, parts, note, by_speaker=True, val_heard=False)


def _count_others(clips: Sequence[SplitClip], held_out: set[str]) -> int:
    return len({clip.speaker for clip in clips} - {""} - held_out)


def _note_corpus(clips: Sequence[SplitClip], settings: SplitSettings) -> str:
    if not settings.test_corpus:
        return ""
    others = sorted({clip.corpus for clip in clips} - {settings.test_corpus})
    return f" Corpus {settings.test_corpus} alone is tested; {_names(others)} only train{'s' * (len(others) == 1)}."


def _with_takes(clips: Sequence[SplitClip], test: set[str], settings: SplitSettings) -> Split:
    takes: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)  # by speaker and digit: index by id
    parts: dict[str, list[int]] = {"train": [], "val": [], "test": []}
    for index, clip in enumerate(clips):
        if clip.speaker in test:
            parts["test"].append(index)
        elif clip.corpus == settings.test_corpus:
            takes[clip.speaker, clip.label][clip.id] = index
        else:
            parts["train"].append(index)
    for indices in takes.values():
        shuffled = [indices[clip_id] for clip_id in shuffle_names(indices, settings.seed, settings.prefix)]
        n_val = max(1, len(shuffled) // SHARE_OF_VALIDATION) if len(shuffled) >= FEWEST_TO_SHARE else 0
        parts["val"] += shuffled[:n_val]
        parts["train"] += shuffled[n_val:]
    if not parts["val"]:
        raise SplitError(
            f"split.validation=takes needs at least {FEWEST_TO_SHARE} clips of some digit by a training speaker, "
            "and there are none; record more or choose split.validation=speakers"
        )
    note = (
        f"Split by speaker: {_count_others(clips, test)} train, {len(test)} test ({_names(sorted(test))}), never heard in "
        f"training. Validation is {len(parts['val'])} other clips of the training speakers: its scores are optimistic "
        f"and choose nothing.{_note_corpus(clips, settings)}"
    )
    return join_parts(clips, parts, note, by_speaker=True, val_heard=True)


def _random_split(clips: Sequence[SplitClip], tested: Sequence[SplitClip], settings: SplitSettings) -> Split:
    indices = [index for index, clip in enumerate(clips) if clip.corpus == settings.test_corpus]
    parts = draw_fifths(clips, indices, settings.seed, settings.prefix)
    parts["train"] += sorted(set(range(len(clips))) - set(indices))
    if not parts["val"]:
        raise SplitError("a random split needs at least 3 clips of some digit, and no digit has them; record more")
    speakers = {clip.speaker for clip in tested}
    shared = f"the same {len(speakers)} speakers are" if "" not in speakers else "the same voices may be"
    note = f"Random split, 60/20/20 of each digit: {shared} heard in all parts, so scores are optimistic for a new voice."
    note += _note_corpus(clips, settings)
    return join_parts(clips, parts, note, by_speaker=False, val_heard=True)


def _names(speakers: Sequence[str]) -> str:
    listed = ", ".join(speakers[:12])
    return listed if len(speakers) <= 12 else f"{listed} and {len(speakers) - 12} more"


def list_untrained(clips: Sequence[SplitClip], splits: Iterable[SplitSettings]) -> list[str]:
    """Return a warning for digits that are scored in some of the splits, and that no training clip there says.

    Raises:
        SplitError: the clips cannot give one of the splits.
    """
    folds: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)  # by digits and their speakers
    for settings in splits:
        split = make_split(clips, settings)
        trained = {clips[index].label for index in split.train}
        missed = [clips[index] for index in (*split.val, *split.test) if clips[index].label not in trained]
        if missed:
            key = tuple(sorted({clip.label for clip in missed})), tuple(sorted({clip.speaker for clip in missed}))
            folds[key].append(str(settings.fold) if settings.kind in FOLDED_KINDS else "")
    return [_warn_untrained(labels, speakers, numbers) for (labels, speakers), numbers in folds.items()]


def _warn_untrained(labels: Sequence[str], speakers: Sequence[str], folds: Sequence[str]) -> str:
    where = f" in fold {format_labels(folds)}" if folds[0] else ""
    it = "it" if len(labels) == 1 else "them"
    cause, remedy = (
        (f"nobody but {_names(speakers)} says {it}", "record") if any(speakers) else (f"no picture shows {it}", "add")
    )
    names = name_labels(labels, "digit" if any(speakers) else "class")
    rule = f"warning: {names} scored{where} and never trained on: {cause}"
    return f"{rule}. The F1 of what no net can learn is 0; {remedy} more, or split otherwise"
