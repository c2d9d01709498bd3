"""The shown run's test score by speaker, age, gender and accent. K classes, N clips, G units, R resamples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.base.scores import accuracy, macro_f1_interval, mean_present_f1, present_macro_f1
from reports.analysis.scores import Clips
from reports.facts.clips import GroupFacts, GroupingFacts

_FEWEST_CLIPS = 10  # of a group that is resampled
_DECADE = 10

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
        accuracy=accuracy(confusions.sum(0)),
        macro_f1=float(present_macro_f1(confusions.sum(0))),
        interval=macro_f1_interval(confusions, score=mean_present_f1) if n >= _FEWEST_CLIPS else None,
    )
