"""Test scores of a run by corpus, speaker, age, gender and accent. K classes, N clips, G units, R resamples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.base.scores import accuracy, macro_f1, macro_f1_interval
from cnn.runs import find_corpus
from reports.analysis.scores import ClipAnswers
from reports.facts.clips import GroupFacts, GroupingFacts

_FEWEST_CLIPS = 10  # smallest group with an interval
_DECADE = 10

Speakers = Mapping[str, Mapping[str, Any]]  # metadata by name


def group_clips(clips: ClipAnswers, speakers: Speakers, corpora: Sequence[str] = ()) -> tuple[GroupingFacts, ...]:
    """Group by speaker; by corpus where several are tested; by age, gender and accent if the metadata of any speaker has them.

    Args:
        corpora: names of several corpora that the tiles are of.
    """
    several = len({find_corpus(name, corpora) for name in clips.speakers}) > 1
    group_functions: dict[str, Callable[[str], str]] = {
        "corpus": lambda name: find_corpus(name, corpora) if several else "",
        "speaker": lambda name: name,
        "age": lambda name: _decade(speakers.get(name, {}).get("age")),
        "gender": lambda name: str(speakers.get(name, {}).get("gender") or ""),
        "accent": lambda name: str(speakers.get(name, {}).get("accent") or ""),
    }
    groupings = (_grouping(kind, clips, group_function) for kind, group_function in group_functions.items())
    return tuple(grouping for grouping in groupings if grouping.groups)


def _decade(age: object) -> str:
    if not isinstance(age, int) or isinstance(age, bool):
        return ""
    start = age // _DECADE * _DECADE
    return f"{start}\u2013{start + _DECADE - 1}"


def _grouping(kind: str, clips: ClipAnswers, group_function: Callable[[str], str]) -> GroupingFacts:
    names = np.array([group_function(speaker) for speaker in clips.speakers])
    groups = [_group(name, clips, names == name) for name in sorted(set(names.tolist())) if name]
    if kind != "age":
        groups.sort(key=lambda group: (group.macro_f1, group.name))
    return GroupingFacts(kind=kind, groups=tuple(groups), n_unknown=int((names == "").sum()))


def _group(name: str, clips: ClipAnswers, members: NDArray[np.bool_]) -> GroupFacts:
    speakers, units = np.unique(np.array(clips.speakers)[members], return_inverse=True)
    confusions = np.zeros((len(speakers), clips.n_classes, clips.n_classes), dtype=np.int64)
    np.add.at(confusions, (units, clips.truth[members], clips.predicted[members]), 1)
    n = int(members.sum())
    return GroupFacts(
        name=name,
        n_clips=n,
        n_speakers=len(speakers),
        accuracy=accuracy(confusions.sum(0)),
        macro_f1=macro_f1(confusions.sum(0)),
        interval=macro_f1_interval(confusions) if n >= _FEWEST_CLIPS else None,
    )
