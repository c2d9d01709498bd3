"""Doubts on a corpus's speakers: facts that are stored with its tiles, and the sentences that say them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from cnn.speakers.names import collect_spoken, find_namesakes, find_single_digits, join_pairs
from cnn.speakers.voices import VoiceClip, compare_voices

_N_NAMES, _N_GROUPS = 4, 3  # most in one sentence; the others are counted
_ONE_NAME = "`arena data import` with --pattern gives each person one name"
TOO_GOOD = (
    "this split puts some of them into different parts: if they are one person, the voice that is tested is heard in training, "
    "and the scores are too good"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakerDoubts:
    """Speakers who may be one person under several names."""

    n_speakers: int = 0  # all known ones
    single_digit: tuple[str, ...] = ()  # who say one digit alone
    namesakes: tuple[tuple[str, ...], ...] = ()  # groups whose names differ as the spellings of one person do
    alike: tuple[tuple[str, ...], ...] = ()  # groups who sound like one person

    def are_apart(self, parts: Iterable[Collection[str]]) -> bool:
        """Return whether a split with these speakers in its parts may hear one person in two of them.

        Who says one digit alone may be anybody of the same corpus.
        """
        sides = [set(part) for part in parts]
        corpora = {name.rpartition("/")[0] for name in self.single_digit}  # empty where there are not several
        everybody = set().union(*sides)
        doubtful = [{name for name in everybody if name.rpartition("/")[0] == corpus} for corpus in corpora]
        groups = (*self.namesakes, *self.alike, *doubtful)
        return any(sum(not side.isdisjoint(group) for side in sides) > 1 for group in groups)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_doubts(content: dict[str, Any]) -> SpeakerDoubts:
    """Return the doubts that `as_json` wrote; none of an empty content."""
    groups = {key: tuple(map(tuple, content.get(key, ()))) for key in ("namesakes", "alike")}
    single_digit = tuple(content.get("single_digit", ()))
    return SpeakerDoubts(n_speakers=content.get("n_speakers", 0), single_digit=single_digit, **groups)


def find_doubts(clips: Sequence[VoiceClip]) -> SpeakerDoubts:
    """Find the speakers of a corpus who may be one person, by names, digits and voices."""
    alike = join_pairs((pair.first, pair.second) for pair in compare_voices(clips))
    return replace(doubt_names((clip.speaker, clip.label) for clip in clips), alike=alike)


def doubt_names(clips: Iterable[tuple[str, str]]) -> SpeakerDoubts:
    """Find the speakers who may be one person by names and digits alone, from speaker and digit of each clip."""
    spoken = collect_spoken(clips)
    return SpeakerDoubts(n_speakers=len(spoken), single_digit=find_single_digits(spoken), namesakes=find_namesakes(spoken))


def describe_doubts(doubts: SpeakerDoubts) -> tuple[str, ...]:
    """Return a sentence on each kind of doubt, with its likely cause and its remedy."""
    lines = []
    if single := doubts.single_digit:
        says = "speakers says" if len(single) == 1 else "speakers say"
        lines.append(
            f"{len(single)} of {doubts.n_speakers} {says} one digit alone ({_listed(single)}): "
            f"probably one person under several names; {_ONE_NAME}"
        )
    across = [group for group in doubts.namesakes if len({name.rpartition("/")[0] for name in group}) > 1]
    if within := [group for group in doubts.namesakes if group not in across]:
        lines.append(f"names that are probably of one person: {_grouped(within)}; {_ONE_NAME}")
    if across:
        remedy = "if they are one person, bring the folders into one corpus with `arena data import`"
        lines.append(f"names in more corpora than one: {_grouped(across)}; {remedy}")
    if groups := doubts.alike:
        lines.append(f"speakers who sound like one person: {_grouped(groups)}; listen, and if they are, give them one name")
    return tuple(lines)


def _grouped(groups: Sequence[Sequence[str]]) -> str:
    n_more = len(groups) - _N_GROUPS
    more = f", and {n_more} more group{'s' * (n_more > 1)}" if n_more > 0 else ""
    return "; ".join(_listed(group) for group in groups[:_N_GROUPS]) + more


def _listed(names: Sequence[str]) -> str:
    if len(names) > _N_NAMES:
        return f"{', '.join(names[:_N_NAMES])} and {len(names) - _N_NAMES} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
