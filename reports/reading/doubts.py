"""Warning of speakers who may be one person under several names, from the facts that are stored with the tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnn.runs import find_corpus
from reports.facts.base import Note, NoteKind
from reports.facts.report import RunFacts
from reports.wording.page_texts import Texts

_N_NAMES, _N_GROUPS = 4, 3  # most in one sentence; the others are counted


def note_doubts(doubts: Mapping[str, Any], run: RunFacts, t: Texts) -> tuple[Note, ...]:
    """Return one note on the doubtful speakers of the run's recordings; none without any."""
    single, namesakes, alike = (doubts.get(key, ()) for key in ("single_digit", "namesakes", "alike"))
    sentences = []
    if single:
        sentences.append(t.n("doubt.single_digit", len(single), all=doubts["n_speakers"], names=_listed(single, t)))
    if namesakes:
        sentences.append(t("doubt.namesakes", names=_grouped(namesakes, t)))
    if alike:
        sentences.append(t("doubt.alike", names=_grouped(alike, t)))
    if sentences and _are_apart([*namesakes, *alike], single, run) and run.config.get("split.kind") != "random":
        sentences.append(t("doubt.apart"))
    return (Note(kind=NoteKind.WARNING, text=" ".join(sentences)),) if sentences else ()


def _are_apart(groups: Sequence[Sequence[str]], single: Sequence[str], run: RunFacts) -> bool:
    """Return whether parts share a group, or the corpus of somebody who says one digit alone and may be anybody there."""
    parts = [set(split.speakers) for split in run.splits.values()]
    corpora = {find_corpus(name, run.corpora) for name in single}
    of_corpora = [{find_corpus(name, run.corpora) for name in part} & corpora for part in parts]
    pairs = [(parts, group) for group in groups] + [(of_corpora, [corpus]) for corpus in corpora]
    return any(sum(not side.isdisjoint(group) for side in sides) > 1 for sides, group in pairs)


def _grouped(groups: Sequence[Sequence[str]], t: Texts) -> str:
    more = [t.n("doubt.more_groups", len(groups) - _N_GROUPS)] if len(groups) > _N_GROUPS else []
    return "; ".join([*(_listed(group, t) for group in groups[:_N_GROUPS]), *more])


def _listed(names: Sequence[str], t: Texts) -> str:
    if len(names) > _N_NAMES:
        return t("doubt.more", names=", ".join(names[:_N_NAMES]), n=len(names) - _N_NAMES)
    return t.listed(names)
