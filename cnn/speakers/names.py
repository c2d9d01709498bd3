"""Speakers whose names or digits suggest one person under several names. Standard library only."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import combinations

from cnn.naming.words import fold_word, label_table

_MANY = 20  # speakers from which on some may say one digit alone by chance: of crowds that speak a few words each
_SHARE = 5  # among so many or more, every fifth speaker is no chance
_FEWEST_LETTERS = 2  # fewest in a name: `a7` and `a12` are codes
_SIGNS = re.compile(r"[\W_]+")
_NUMBERED = re.compile(r"([^\W\d]*)(\d{1,3})")  # `ana2`, `07`; a longer number is a code
_DIGIT_WORDS = frozenset(word for word in label_table("") if not word.isdigit())

Spoken = Mapping[str, Set[str]]  # digits by speaker


@dataclass(frozen=True, kw_only=True, slots=True)
class _Name:
    """Parts of a speaker's name, without case, accents and signs."""

    words: tuple[str, ...]  # neither numbers nor words of digits
    numbers: tuple[int, ...]
    digit_words: tuple[str, ...]


def collect_spoken(clips: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Return the digits of each known speaker, from pairs of speaker and digit."""
    spoken: dict[str, set[str]] = defaultdict(set)
    for speaker, label in clips:
        if speaker:
            spoken[speaker].add(label)
    return dict(sorted(spoken.items()))


def find_single_digits(spoken: Spoken) -> tuple[str, ...]:
    """Return the speakers who say one digit alone, if there are more digits, and more of these speakers than chance gives."""
    single = tuple(speaker for speaker, digits in spoken.items() if len(digits) == 1)
    is_strange = len(spoken) < _MANY or len(single) * _SHARE >= len(spoken)
    return single if is_strange and len(set().union(*spoken.values())) > 1 else ()


def find_namesakes(spoken: Spoken) -> tuple[tuple[str, ...], ...]:
    """Return groups of speakers whose names differ as the spellings of one person do.

    Case, accents, signs, leading zeros and words of digits are enough. A number is not, since public corpora tell people
    apart by it: the name must also stand without one, or no two speakers of the group may say the same digit. Nor is a
    further word, unless its speaker says one digit alone, which is missing under the shorter name.
    """
    names = {speaker: _split(speaker) for speaker in spoken}
    by_words: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for speaker, name in names.items():
        by_words[name.words].append(speaker)
    pairs: list[tuple[str, str]] = []
    for group in by_words.values():
        n_each = Counter(digit for speaker in group for digit in spoken[speaker])
        is_shared_out = max(n_each.values()) == 1
        numbers = {names[speaker].numbers for speaker in group}
        if len(numbers) == len(group) and () not in numbers and not is_shared_out:
            continue  # numbered people
        pairs += [(a, b) for a, b in combinations(group, 2) if _are_namesakes(names[a], names[b], is_shared_out)]
    for speaker in find_single_digits(spoken):
        words = names[speaker].words
        for part in (part for n in range(1, len(words)) for part in (words[:n], words[-n:]) if not _is_code(part)):
            pairs += [(speaker, match) for match in by_words.get(part, ()) if not spoken[speaker] & spoken[match]]
    return join_pairs(pairs)


def find_shared_names(speakers: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return groups of speakers with one name in several corpora, `a/Ana` and `b/ana`, but for codes: `a/s01` and `b/s01`."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for speaker in sorted(speakers):
        by_name[_SIGNS.sub("", fold_word(speaker.partition("/")[2]))].append(speaker)
    names = [name for name in by_name if not _is_code((name,)) and not any(map(str.isdigit, name))]
    return tuple(tuple(by_name[name]) for name in names if len({who.partition("/")[0] for who in by_name[name]}) > 1)


def _split(speaker: str) -> _Name:
    words, numbers, digit_words = [], [], []
    for part in _SIGNS.split(fold_word(speaker)):
        word, number = match.groups() if (match := _NUMBERED.fullmatch(part)) else (part, "")
        if word in _DIGIT_WORDS:
            digit_words.append(word)
        elif word:
            words.append(word)
        if number:
            numbers.append(int(number))
    return _Name(words=tuple(words), numbers=tuple(numbers), digit_words=tuple(digit_words))


def _are_namesakes(a: _Name, b: _Name, is_shared_out: bool) -> bool:
    """Return whether two names of the same words are one person's; `is_shared_out`: no two of the group say the same digit."""
    if a == b:
        return True
    if _is_code(a.words):
        return False
    return a.numbers == b.numbers or not (a.numbers and b.numbers) or is_shared_out


def _is_code(words: tuple[str, ...]) -> bool:
    return sum(map(len, words)) < _FEWEST_LETTERS


def join_pairs(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Join pairs that share a name into groups, sorted."""
    group_of: dict[str, set[str]] = {}
    for pair in pairs:
        if pair[1] in group_of.get(pair[0], ()):
            continue
        group = set(pair).union(*(group_of.get(name, ()) for name in pair))
        group_of |= dict.fromkeys(group, group)
    return tuple(sorted({tuple(sorted(group)) for group in group_of.values()}))
