"""The shown run's test score by speaker, age, gender and accent. K classes, N clips, G units, R resamples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaderboard.statistics import LEVEL, MIN_GROUPS, N_REPLICATES
from reports.base_facts import IntervalFacts
from reports.group_facts import GroupFacts, GroupingFacts
from reports.scores import Clips, Counts, f1_of

_FEWEST_CLIPS = 10  # of a group that is resampled
_DECADE = 10
SEED = 0

Speakers = Mapping[str, Mapping[str, Any]]  # what is known of each


def groupings_of(clips: Clips, speakers: Speakers) -> tuple[GroupingFacts, ...]:
    """By speaker, and by age, gender and accent as far as these are known of anybody who is heard."""
    known: dict[str, Callable[[str], str]] = {
        "speaker": lambda name: name,
        "age": lambda name: _decade(speakers.get(name, {}).get("age")),
        "gender": lambda name: str(speakers.get(name, {}).get("gender") or ""),
        "accent": lambda name: str(speakers.get(name, {}).get("accent") or ""),
    }
    found = (_grouping(kind, clips, group_of) for kind, group_of in known.items())
    return tuple(grouping for grouping in found if grouping.groups)


def _decade(age: object) -> str:
    if not isinstance(age, int) or isinstance(age, bool):
        return ""
    start = age // _DECADE * _DECADE
    return f"{start}\u2013{start + _DECADE - 1}"


def _grouping(kind: str, clips: Clips, group_of: Callable[[str], str]) -> GroupingFacts:
    names = np.array([group_of(speaker) for speaker in clips.speakers])
    groups = [_group(name, clips, names == name) for name in sorted(set(names.tolist())) if name]
    if kind != "age":
        groups.sort(key=lambda group: (group.macro_f1, group.name))
    return GroupingFacts(kind=kind, groups=tuple(groups), n_unknown=int((names == "").sum()))


def _group(name: str, clips: Clips, members: NDArray[np.bool_]) -> GroupFacts:
    speakers = np.array(clips.speakers)[members]
    heard, units = np.unique(speakers, return_inverse=True)
    confusions = np.zeros((len(heard), clips.n_classes, clips.n_classes), dtype=np.int64)
    np.add.at(confusions, (units, clips.truth[members], clips.predicted[members]), 1)
    n = int(members.sum())
    return GroupFacts(
        name=name,
        n_clips=n,
        n_speakers=len(heard),
        accuracy=float(np.trace(confusions.sum(0)) / n),
        macro_f1=present_macro_f1(confusions.sum(0)),
        interval=_interval(confusions, n) if n >= _FEWEST_CLIPS else None,
    )


def present_macro_f1(confusion: NDArray[np.number]) -> float:
    """Macro-F1 over the digits that are said, from (K, K)."""
    present = confusion.sum(-1) > 0
    return float(f1_of(confusion)[present].mean()) if present.any() else 0.0


def _interval(confusions: Counts, n_clips: int) -> IntervalFacts:
    """Over speakers where five or more are in the group, over clips otherwise; a digit that a draw misses does not count."""
    by_speaker = len(confusions) >= MIN_GROUPS
    whole = confusions.sum(0)
    units = confusions.reshape(len(confusions), -1) if by_speaker else np.diag(whole.reshape(-1))[whole.reshape(-1) > 0]
    counts = np.ones(len(units)) if by_speaker else units.sum(-1)
    if not by_speaker:
        units = units / counts[:, None]
    n = int(counts.sum())
    weights = np.random.default_rng(SEED).multinomial(n, counts / n, size=N_REPLICATES)
    drawn = (weights @ units).reshape(-1, *whole.shape)  # (R, K, K)
    present = drawn.sum(-1) > 0  # (R, K)
    scores = (f1_of(drawn) * present).sum(-1) / present.sum(-1)
    low, high = np.quantile(scores, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)).tolist()
    unit, n_units = ("speakers", len(confusions)) if by_speaker else ("clips", n_clips)
    return IntervalFacts(low=low, high=high, level=LEVEL, n_replicates=N_REPLICATES, unit=unit, n_units=n_units)
