"""Scores of a cross-validation: by fold, by speaker and pooled, with spreads and an interval.

Reads run folders only. S seeds, G speakers, K classes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.base.scores import (
    Counts,
    Interval,
    Values,
    clip_interval,
    find_absent,
    macro_f1_each,
    mean_of_present,
    recall,
    speaker_interval,
)
from arena.base.texts import format_labels, name_labels, note_absent
from cnn.errors import RunError
from cnn.runs.folder import RunFolder
from cnn.runs.folds import PARTS
from cnn.settings.data import DataKind, read_kind

FEW_SPEAKERS = 10  # below, a percentile interval misses more often than it says
FEW_CLIPS = 10  # below, a speaker's score says little, and is shown with their number
_N_CONFUSED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldScore:
    """One fold; `macro_f1` is the mean over the seeds, of the digits that these speakers say."""

    fold: int
    speakers: tuple[str, ...]  # who is scored
    n_clips: int
    macro_f1: float
    by_seed: tuple[float, ...]
    runs: tuple[str, ...]  # digests, by seed
    absent: tuple[str, ...]  # digits that these speakers do not say
    untrained: tuple[str, ...]  # digits that they say and the training speakers do not


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakerScore:
    """One speaker's clips, over the digits that the speaker says, or one group of pictures; means over the seeds."""

    speaker: str  # with pictures, the group's number from 1
    fold: int
    n_clips: int
    macro_f1: float
    recall: float  # macro
    by_seed: tuple[float, ...]  # macro-F1

    @property
    def is_rough(self) -> bool:
        return self.n_clips < FEW_CLIPS


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfusedPair:
    """A digit taken for another, over all folds and seeds."""

    truth: str
    predicted: str
    n: int
    n_truth: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """One model on one variant, over all folds."""

    on: str  # test or validation
    labels: tuple[str, ...]  # (K,) of the nets
    n_seeds: int
    n_clips: int
    folds: tuple[FoldScore, ...]
    speakers: tuple[SpeakerScore, ...]  # the worst first
    mean_macro_f1: float  # over folds
    fold_sd: float | None  # spread of the folds' means
    seed_sd: float | None  # spread of the mean over folds; None with one seed
    pooled_macro_f1: float  # all clips together, mean over the seeds
    interval: Interval  # pooled macro-F1, resampled over speakers, or over pictures
    confused: tuple[ConfusedPair, ...]  # the most frequent first
    notes: tuple[str, ...]
    kind: DataKind = DataKind.SOUND


def evaluate(runs: Sequence[Sequence[RunFolder]], on: str, numbers: Sequence[int] = ()) -> Evaluation:
    """Evaluate finished runs, given by fold and by seed, on test or validation; the other is not read.

    Args:
        numbers: fold numbers, where some are missing; empty is 0, 1, 2, ...

    Raises:
        RunError: a speaker is scored in two folds.
    """
    kind = read_kind(runs[0][0].config())
    counts = {n: count_confusions(seeds, PARTS[on]) for n, seeds in zip(numbers or range(len(runs)), runs, strict=True)}
    if kind is DataKind.PICTURES:  # which have no speakers: a fold is a group
        counts = {n: {str(n + 1): np.sum(list(groups.values()), axis=0)} for n, groups in counts.items()}
    fold_of = {speaker: fold for fold, speakers in counts.items() for speaker in speakers}
    if len(fold_of) < sum(map(len, counts.values())):
        raise RunError("a speaker is scored in two folds; evaluate folds that hold each speaker out once")
    labels = read_labels(runs[0])
    every = np.stack([counts[fold][speaker] for speaker, fold in fold_of.items()], axis=1)  # (S, G, K, K)
    folds = tuple(_score_fold(number, seeds, counts[number]) for number, seeds in zip(counts, runs, strict=True))
    means = np.array([fold.by_seed for fold in folds])  # (folds, S)
    return Evaluation(
        on=on,
        labels=labels,
        n_seeds=len(every),
        n_clips=int(every[0].sum()),
        folds=folds,
        speakers=tuple(
            sorted((_score_speaker(n, k, counts[k][n]) for n, k in fold_of.items()), key=lambda s: (s.macro_f1, s.speaker))
        ),
        mean_macro_f1=float(means.mean()),
        fold_sd=_sd(means.mean(1)),
        seed_sd=_sd(means.mean(0)),
        pooled_macro_f1=float(macro_f1_each(every.sum(1)).mean()),
        interval=speaker_interval(every) if kind is DataKind.SOUND else _picture_interval(every.sum(1)),
        confused=_confused(every.sum((0, 1)), labels),
        notes=(
            *_note_corpus(runs[0][0]),
            *_notes(folds, len(labels), kind, is_optimistic=on == "validation" and _chose_epoch(runs)),
        ),
        kind=kind,
    )


def _note_corpus(run: RunFolder) -> list[str]:
    corpus = run.config()["split"].get("test_corpus")
    return [f"these are the speakers of corpus {corpus}; those of the other corpora only train"] if corpus else []


def _picture_interval(confusions: Counts) -> Interval:
    """Return the interval over pictures of (S, K, K); of several seeds the mean of theirs, which is none too narrow."""
    intervals = [clip_interval(confusion) for confusion in confusions]
    low, high = (sum(getattr(interval, end) for interval in intervals) / len(intervals) for end in ("low", "high"))
    return replace(intervals[0], low=low, high=high)


def _chose_epoch(runs: Sequence[Sequence[RunFolder]]) -> bool:
    results = [run.result() for seeds in runs for run in seeds]
    return any(result is not None and result.best_epoch < result.n_epochs for result in results)


def read_labels(runs: Sequence[RunFolder]) -> tuple[str, ...]:
    """Return the (K,) labels of finished runs on the same tiles."""
    return next(result.labels for run in runs if (result := run.result()))


def count_confusions(seeds: Sequence[RunFolder], part: str) -> dict[str, Counts]:
    """Count the confusions of one part, val or test: (S, K, K) by speaker, sorted."""
    labels = read_labels(seeds)
    number = {label: k for k, label in enumerate(labels)}
    counts: dict[str, Counts] = defaultdict(lambda: np.zeros((len(seeds), len(labels), len(labels)), dtype=np.int64))
    for seed, run in enumerate(seeds):
        for row in run.predictions():
            if row.split == part:
                counts[row.speaker][seed, number[row.truth], number[row.label]] += 1
    return dict(sorted(counts.items()))


def _score_fold(number: int, seeds: Sequence[RunFolder], by_speaker: dict[str, Counts]) -> FoldScore:
    counts, labels = np.sum(list(by_speaker.values()), axis=0), read_labels(seeds)  # (S, K, K)
    scores, absent = macro_f1_each(counts), tuple(labels[k] for k in find_absent(counts[0]))
    results = [result for run in seeds if (result := run.result()) and "train" in result.scores]
    untrained = {label for result in results for label in result.scores["train"].absent}
    return FoldScore(
        fold=number,
        speakers=tuple(by_speaker),
        n_clips=int(counts[0].sum()),
        macro_f1=float(scores.mean()),
        by_seed=tuple(scores.tolist()),
        runs=tuple(run.digest for run in seeds),
        absent=absent,
        untrained=tuple(sorted(untrained - set(absent))),
    )


def _score_speaker(name: str, fold: int, counts: Counts) -> SpeakerScore:
    scores = macro_f1_each(counts)  # (S,)
    return SpeakerScore(
        speaker=name,
        fold=fold,
        n_clips=int(counts[0].sum()),
        macro_f1=float(scores.mean()),
        recall=float(mean_of_present(recall(counts), counts.sum(-1) > 0).mean()),
        by_seed=tuple(scores.tolist()),
    )


def _sd(values: Values) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _confused(counts: Counts, labels: Sequence[str]) -> tuple[ConfusedPair, ...]:
    pairs = [(int(counts[i, j]), i, j) for i, j in np.ndindex(counts.shape) if i != j and counts[i, j]]
    pairs.sort(key=lambda pair: (-pair[0], pair[1:]))
    n_truth = counts.sum(1).tolist()
    return tuple(ConfusedPair(truth=labels[i], predicted=labels[j], n=n, n_truth=n_truth[i]) for n, i, j in pairs[:_N_CONFUSED])


def _notes(folds: Sequence[FoldScore], n_classes: int, kind: DataKind, *, is_optimistic: bool) -> list[str]:
    group, noun = ("these speakers", "digit") if kind is DataKind.SOUND else ("these pictures", "class")
    if kind is DataKind.SOUND:
        n_speakers = sum(len(fold.speakers) for fold in folds)
        notes = ["the interval is over the speakers who are scored, not over those who train"]
        if n_speakers < FEW_SPEAKERS:
            notes.append(f"it is rough: with {n_speakers} speakers, fewer than {FEW_SPEAKERS}, it comes out too narrow")
    else:
        notes = ["the interval is over the pictures that are scored, not over those that train"]
    if is_optimistic:
        notes.append(f"{group} also chose the epoch that was kept, so that their scores are a little optimistic")
    for absent, numbers in group_folds(folds, "absent").items():
        items = "clips" if kind is DataKind.SOUND else "pictures"
        clips = f"these {items}" if len(numbers) == len(folds) else f"the {items} of {_name_folds(numbers)}"
        notes.append(note_absent(absent, n_classes - len(absent), clips, noun))
    for untrained, numbers in group_folds(folds, "untrained").items():
        notes.append(f"{name_labels(untrained, noun)} scored and never trained on in {_name_folds(numbers)}: the F1 there is 0")
    return notes


def group_folds(folds: Sequence[FoldScore], name: str) -> dict[tuple[str, ...], list[str]]:
    """Return the numbers of the folds by their digits of that name, absent or untrained, where they have any."""
    numbers: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for fold in folds:
        if labels := getattr(fold, name):
            numbers[labels].append(str(fold.fold))
    return numbers


def _name_folds(numbers: Sequence[str]) -> str:
    return f"fold{'s' if len(numbers) > 1 else ''} {format_labels(numbers)}"
