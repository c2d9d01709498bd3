"""Warning of speakers who may be one person under several names, from the facts that are stored with the tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
    if sentences and (single or _are_apart([*namesakes, *alike], run)) and run.config.get("split.kind") != "random":
        sentences.append(t("doubt.apart"))
    return (Note(kind=NoteKind.WARNING, text=" ".join(sentences)),) if sentences else ()


def _are_apart(groups: Sequence[Sequence[str]], run: RunFacts) -> bool:
    parts = [set(split.speakers) for split in run.splits.values()]
    return any(sum(not part.isdisjoint(group) for part in parts) > 1 for group in groups)


def _grouped(groups: Sequence[Sequence[str]], t: Texts) -> str:
    more = [t.n("doubt.more_groups", len(groups) - _N_GROUPS)] if len(groups) > _N_GROUPS else []
    return "; ".join([*(_listed(group, t) for group in groups[:_N_GROUPS]), *more])


def _listed(names: Sequence[str], t: Texts) -> str:
    if len(names) > _N_NAMES:
        return t("doubt.more", names=", ".join(names[:_N_NAMES]), n=len(names) - _N_NAMES)
    return t.listed(names)
