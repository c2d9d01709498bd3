"""Decision, for all recordings whose names have one shape, which part of the name says the digit. Standard library only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cnn.config import LABELS
from cnn.naming.items import Item, group_shapes
from cnn.naming.proposals import Claim, describe_conflict, describe_silence

_ALL = frozenset(LABELS)
_SILENT = "does not say its digit"
_MIN_VARIED = 5  # digits of a number that runs over them, rather than counts a few takes
_MIN_PADDED = 3  # digits written 00 to 09, with 00 among them, that show what they are
_ECHO = 0.5  # share of recordings in which a number repeats the class folder, from which on it is meant to


@dataclass(frozen=True, slots=True)
class _Column:
    """One number of the names of one shape."""

    group: Sequence[Item]
    spots: tuple[int, ...]  # for each item the index of its token

    @property
    def digits(self) -> list[str]:
        return [item.tokens[i].digit for item, i in zip(self.group, self.spots, strict=True)]

    @property
    def is_digit(self) -> bool:
        """Return whether the number may be a digit: never above 9, and 00 to 09 only where they run over the digits."""
        values = set(self.digits)
        is_padded = any(len(item.tokens[i].text) > 1 for item, i in zip(self.group, self.spots, strict=True))
        is_shown = len(values) >= _MIN_VARIED or ("0" in values and len(values) >= _MIN_PADDED)
        return "" not in values and (not is_padded or (is_shown and not _is_count(values)))

    def by_context(self) -> dict[object, set[str]]:
        """Return the digits of each person, as far as words say who speaks."""
        values: dict[object, set[str]] = defaultdict(set)
        for item, digit in zip(self.group, self.digits, strict=True):
            values[item.context()].add(digit)
        return values

    @property
    def is_name(self) -> bool:
        """Return whether the number is one and the same for each person, and another one for each."""
        values = list(self.by_context().values())
        return (
            len(values) > 1
            and len(self.group) > len(values)
            and sum(map(len, values)) == len(values) == len(set().union(*values))
        )

    @property
    def is_take(self) -> bool:
        return _counts(set(self.digits))

    @property
    def is_complete(self) -> bool:
        return all(values == _ALL for values in self.by_context().values())


def _is_count(values: set[str]) -> bool:
    """Return whether digits are rather the numbers of takes: 1, 2, 3 and so on."""
    return len(values) < len(LABELS) - 1 and values == {str(n) for n in range(1, len(values) + 1)}


def _counts(values: set[str]) -> bool:
    """Return whether numbers count from 0 or 1, and not up to 9."""
    return _is_count(values) or values == {str(n) for n in range(min(len(values), len(LABELS) - 1))}


def _columns(group: Sequence[Item]) -> list[_Column]:
    return [_Column(group, tuple(item.numbers()[j] for item in group)) for j in range(len(group[0].numbers()))]


def decide_digits(items: Sequence[Item], *, is_corpus: bool) -> None:
    """Fill in the label of each item, and the parts that say it, or a fault.

    Args:
        is_corpus: `{digit}_{speaker}_{take}` is how files were named, unless their names cannot mean it.
    """
    _drop_names(items)
    for group in group_shapes(items):
        if group[0].classes:
            _take_classes(group)
        elif group[0].nohash:
            for item in group:
                item.fault = "lies in no folder named by a digit, as in Speech Commands"
        elif group[0].standard:
            _take_first(group, is_corpus=is_corpus)
        elif any(item.words for item in group) or "K" in group[0].roles:
            _take_words(group)
        else:
            _take_number(group)


def _drop_names(items: Sequence[Item]) -> None:
    """Forget words for digits that belong to a name, such as `dos` in `maria dos santos 7`.

    Such a word never changes among the recordings of its person, while a number there runs over all digits, as it does for
    others in whose names there is no such word.
    """
    free = [item for item in items if not item.classes and not item.standard]
    with_words: dict[object, list[Item]] = defaultdict(list)
    for item in free:
        if item.words:
            with_words[item.context()].append(item)
    if not any(column.is_complete for group in group_shapes([i for i in free if not i.words]) for column in _columns(group)):
        return
    for members in with_words.values():
        words = {tuple(item.tokens[i].folded for i, _ in item.words) for item in members}
        columns = [column for group in group_shapes(members) for column in _columns(group)]
        if len(words) == 1 and any(column.is_complete for column in columns):
            for item in members:
                item.words = []


def _take_classes(group: Sequence[Item]) -> None:
    """Take the digit of the class folder, unless the name says another one."""
    columns = _columns(group)
    labels = [item.classes[min(item.classes)] for item in group]
    rivals = [column for column in columns if _echoes(column, labels) or _rivals_folders(column, labels)]
    for row, item in enumerate(group):
        claims = [Claim(label=label, level=level) for level, label in sorted(item.classes.items())]
        claims += [Claim(label=label, token=i) for i, label in item.words]
        claims += [_claim(item, i) for i, role in enumerate(item.roles) if role == "K"]
        claims += [_claim(item, c.spots[row]) for c in columns if c in rivals or _is_leading(item, c, row, labels)]
        _settle(item, claims)


def _rivals_folders(column: _Column, labels: Sequence[str]) -> bool:
    """Return whether folders may be numbered people, sessions or takes, and the number in the name the digit."""
    folders = [item.folders[min(item.classes)] for item in column.group]
    if not all(folder.tokens[-1].digit for folder in folders) or "" in column.digits:
        return False
    is_bare = all(len(item.tokens) == 1 for item in column.group)
    if is_bare:
        return _is_count(set(labels)) or not column.is_take
    return (column.is_complete and len(set(labels)) == 1) or (_is_count(set(labels)) and not column.is_take)


def _echoes(column: _Column, labels: Sequence[str]) -> bool:
    """Return whether a number mostly repeats the digit that is said elsewhere, so that it is meant to."""
    n_equal = sum(a == b for a, b in zip(column.digits, labels, strict=True))
    return len(set(labels)) > 1 and n_equal >= _ECHO * len(labels)


def _is_leading(item: Item, column: _Column, row: int, labels: Collection[str]) -> bool:
    """Return whether the number begins a name in which words follow, as digits do, rather than takes: `7_ana`."""
    if item.standard or column.spots[row] != 0 or len(item.tokens) == 1:
        return bool(item.standard) and column.spots[row] == 0
    values = set(column.digits)
    is_counted = column.is_take and len(values) > 1 and not set(labels) <= values
    return "" not in values and len(item.tokens[0].text) == 1 and not is_counted


def _claim(item: Item, token: int) -> Claim:
    return Claim(label=item.tokens[token].digit or item.tokens[token].text, token=token)


def _settle(item: Item, claims: Sequence[Claim]) -> None:
    """Take the first claim if all agree."""
    first = claims[0]
    rival = next((claim for claim in claims if claim.label != first.label), None)
    if rival:
        item.fault = describe_conflict(item, (first, rival))
    elif first.label not in _ALL:
        item.fault = f"names {first.label!r}, which is no digit"
    else:
        item.label = first.label
        item.said_by = tuple(claim.token for claim in claims if claim.token is not None)


def _take_first(group: Sequence[Item], *, is_corpus: bool) -> None:
    """Take the first number of `{digit}_{speaker}_{take}`, unless the corpus shows that the last one is the digit."""
    firsts = [item.tokens[0] for item in group]
    values = {token.digit for token in firsts}
    is_shown = len(values) >= _MIN_VARIED or ("0" in values and len(values) >= _MIN_PADDED)
    rival = _find_rival(group, is_corpus=is_corpus)
    for item in group:
        claims = [_claim(item, 0)] + [Claim(label=label, token=i) for i, label in item.words]
        if rival:
            claims.append(_claim(item, rival % len(item.tokens)))
        if len(item.tokens[0].text) > 1 and item.tokens[0].digit and not is_shown:
            item.fault = describe_silence(item, f"begins with {item.tokens[0].text!r}, which may be no digit", token=0)
        else:
            _settle(item, claims)


def _find_rival(group: Sequence[Item], *, is_corpus: bool) -> int | None:
    """Return the index of a token that looks more like the digit than the first number does; None if there is none.

    The first number may be that of a person, a recording or a take: one and the same for each speaker, above 9, or 1 to 3
    where the last number runs over the digits.
    """
    firsts, lasts = defaultdict(set), defaultdict(set)
    for item in group:
        assert item.standard
        firsts[item.standard["speaker"]].add(item.tokens[0].text)
        lasts[item.standard["speaker"]].add(str(int(item.standard["take"])))
    numbers, ends, middles = set().union(*firsts.values()), set().union(*lasts.values()), set(firsts)
    is_numbered = len(firsts) > 1 and sum(map(len, firsts.values())) == len(firsts) == len(numbers)
    is_indexed = len([text for text in numbers if int(text) > 9]) >= _MIN_PADDED
    if (is_indexed and ends <= _ALL) or (is_numbered and all(values == _ALL for values in lasts.values())):
        return -1
    if is_corpus or not _counts(numbers):
        return None
    if middles <= _ALL and (len(numbers) > 1 or len(middles) >= _MIN_VARIED):
        return 1
    return -1 if ends <= _ALL and max(len(ends), len(numbers)) > 1 and not _counts(ends) else None


def _take_words(group: Sequence[Item]) -> None:
    """Take the digit of a word, or of a number that a word such as `digit` announces."""
    columns = _columns(group)
    claims = [
        [_claim(item, i) for i, role in enumerate(item.roles) if role == "K"] + [Claim(label=v, token=i) for i, v in item.words]
        for item in group
    ]
    labels = [c[0].label if c else "" for c in claims]
    rivals = [column for column in columns if _echoes(column, labels)]
    for row, item in enumerate(group):
        if not claims[row]:
            item.fault = describe_silence(item, _SILENT)
            continue
        numbers = [c.spots[row] for c in columns if c in rivals or _is_leading(item, c, row, labels) or _runs_beside(item, c)]
        _settle(item, claims[row] + [_claim(item, i) for i in numbers])


def _runs_beside(item: Item, column: _Column) -> bool:
    """Return whether the number runs over the digits while the person's word for a digit never changes: `otto_7`."""
    fellows = [
        (other, digit) for other, digit in zip(column.group, column.digits, strict=True) if other.context() == item.context()
    ]
    words = {tuple(other.tokens[i].folded for i, _ in other.words) for other, _ in fellows}
    digits = {digit for _, digit in fellows}
    return len(words) == 1 and "" not in digits and len(digits) >= _MIN_VARIED and not _is_count(digits)


def _take_number(group: Sequence[Item]) -> None:
    """Take the only number that can be a digit, or the one that runs over all digits for each person."""
    columns = _columns(group)
    candidates = [column for column in columns if column.is_digit]
    if candidates:  # `ana_07_0`: 07 counts no takes
        candidates += [c for c in columns if c not in candidates and "" not in c.digits and not c.is_take]
    chosen = _choose(candidates)
    is_bare = not {"W", "A"} & set(group[0].roles)
    if chosen and len(candidates) == 1 and _is_count(set(chosen.digits)) and not (is_bare and len(columns) == 1):
        chosen = None  # `ana_1`, `ana_2` and no more may be takes
    for row, item in enumerate(group):
        if chosen:
            _settle(item, [_claim(item, chosen.spots[row])])
        elif len(candidates) > 1:
            item.fault = describe_conflict(item, [_claim(item, column.spots[row]) for column in candidates[:2]])
        else:
            item.fault = describe_silence(item, _SILENT)


def _choose(candidates: Sequence[_Column]) -> _Column | None:
    if len(candidates) < 2:
        return candidates[0] if candidates and not candidates[0].is_name else None
    first = candidates[0]
    if all(column.digits == first.digits for column in candidates):
        return first
    complete = [column for column in candidates if column.is_complete]
    if len(complete) != 1:
        return None
    rest = [column for column in candidates if column is not complete[0]]
    is_first = complete[0] is first
    return complete[0] if all(c.is_name or (is_first and _is_count(set(c.digits))) for c in rest) else None
