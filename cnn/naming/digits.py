"""Decision, for all recordings whose names have one shape, which part of the name says the digit. Standard library only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set

from cnn.naming.columns import (
    ALL_LABELS,
    MIN_PADDED,
    MIN_VARIED,
    Column,
    counts_takes,
    is_count,
    list_columns,
    runs_over,
    shows_digits,
)
from cnn.naming.items import Item, group_shapes
from cnn.naming.proposals import Claim, describe_conflict, describe_silence

_SILENT = "does not say its digit"
_ECHO = 0.5  # share of recordings in which a number repeats the class folder, from which on it is meant to


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
    _refuse_echoes(items)


def _refuse_echoes(items: Sequence[Item]) -> None:
    """Refuse a number where the folder's name in the stem is a word for another digit, and words say the digit of others."""
    for item in items if any(item.words for item in items) else ():
        rival = next(((i, label) for i, label in item.echoes if label != item.label), None)
        if rival and item.label and item.said_by and not item.words and not item.classes and not item.standard:
            item.fault = describe_conflict(
                item, (Claim(label=item.label, token=item.said_by[0]), Claim(label=rival[1], token=rival[0]))
            )
            item.label = ""


def _drop_names(items: Sequence[Item]) -> None:
    """Forget words for digits that are somebody's name: `dos` in `maria dos santos 7`, `otto` in `otto_sette`.

    Beside such a word a number runs over all digits, as it does for others in whose names there is no such word, or the class
    folder or another word runs over them.
    """
    for attribute in ("words", "doubts"):
        beside: dict[object, set[str]] = defaultdict(set)
        for item in items:
            for i, _ in getattr(item, attribute):
                beside[item.context(), item.tokens[i].folded] |= _list_others(item, i)
        for item in items:
            pairs = getattr(item, attribute)
            is_name = [len(beside[item.context(), item.tokens[i].folded]) >= MIN_VARIED for i, _ in pairs]
            if len(pairs) > 1 and all(is_name):  # `maria dos santos dos`
                inner = [item.roles[i - 1 : i + 2] == ["W", "W", "W"] for i, _ in pairs]
                is_name = inner if any(inner) else [pair is not pairs[-1] for pair in pairs]
            if (any(is_name) and not all(is_name)) or (is_name and item.classes) or attribute == "doubts":
                setattr(item, attribute, [pair for pair, is_so in zip(pairs, is_name, strict=True) if not is_so])
    free = [item for item in items if not item.classes and not item.standard]
    if any(column.is_complete for group in group_shapes([i for i in free if not i.words]) for column in list_columns(group)):
        _drop_constant_words([item for item in free if item.words])


def _list_others(item: Item, index: int) -> set[str]:
    """Return the digits that class folder and words say, without the word at `index`."""
    return set(item.classes.values()) | {label for i, label in item.words if i != index}


def _drop_constant_words(items: Sequence[Item]) -> None:
    members_by_context: dict[object, list[Item]] = defaultdict(list)
    for item in items:
        members_by_context[item.context()].append(item)
    for members in members_by_context.values():
        words = {tuple(item.tokens[i].folded for i, _ in item.words) for item in members}
        columns = [column for group in group_shapes(members) for column in list_columns(group)]
        if len(words) == 1 and any(column.is_complete for column in columns):
            for item in members:
                item.words = []


def _take_classes(group: Sequence[Item]) -> None:
    """Take the digit of the class folder, unless the name says another one."""
    columns = [] if group[0].nohash else list_columns(group)
    labels = [item.classes[min(item.classes)] for item in group]
    distinct = set(labels)
    rivals = [column for column in columns if _echoes(column, labels) or _rivals_folders(column, labels)]
    for row, item in enumerate(group):
        claims = [Claim(label=label, level=level) for level, label in sorted(item.classes.items())]
        claims += [Claim(label=label, token=i) for i, label in item.words]
        claims += [_claim(item, i) for i, role in enumerate(item.roles) if role == "K"]
        claims += [Claim(label=label, token=i) for i, label in item.doubts] if len(distinct) < MIN_PADDED else []
        claims += [_claim(item, c.spots[row]) for c in columns if c in rivals or _is_leading(item, c, row, distinct)]
        _settle(item, claims)


def _rivals_folders(column: Column, labels: Sequence[str]) -> bool:
    """Return whether folders may be people, sessions or takes, and the number in the name the digit."""
    if "" in column.values:
        return False
    if column.is_bare and column.has_numbered_folders:
        return is_count(set(labels)) or not column.is_take
    n_labels = len(set(labels))
    is_counted = column.has_numbered_folders and is_count(set(labels)) and not column.is_take
    is_wider = counts_takes(set(labels)) or n_labels < MIN_VARIED
    is_wider &= len(column.values) >= max(MIN_VARIED, n_labels + 1) and runs_over(column.values)
    return is_counted or is_wider or (n_labels == 1 and runs_over(column.values))


def _echoes(column: Column, labels: Sequence[str]) -> bool:
    """Return whether a number mostly repeats the digit that is said elsewhere, so that it is meant to."""
    n_equal = sum(a == b for a, b in zip(column.digits, labels, strict=True))
    return len(set(labels)) > 1 and n_equal >= _ECHO * len(labels)


def _is_leading(item: Item, column: Column, row: int, labels: Set[str]) -> bool:
    """Return whether the number begins a name in which words follow, as digits do, rather than takes: `7_ana`."""
    if item.standard or column.spots[row] != 0 or len(item.tokens) == 1:
        return bool(item.standard) and column.spots[row] == 0
    values, n_labels = column.values, len(labels)
    is_counted = column.is_take and not labels <= values and (len(values) > 1 or n_labels >= MIN_PADDED)
    return "" not in values and len(item.tokens[0].text) == 1 and not is_counted


def _claim(item: Item, token: int) -> Claim:
    return Claim(label=item.tokens[token].digit or item.tokens[token].text, token=token)


def _settle(item: Item, claims: Sequence[Claim]) -> None:
    """Take the first claim if all agree."""
    first = claims[0]
    rival = next((claim for claim in claims if claim.label != first.label), None)
    if rival:
        item.fault = describe_conflict(item, (first, rival))
    elif first.label not in ALL_LABELS:
        item.fault = f"names {first.label!r}, which is no digit"
    else:
        item.label = first.label
        item.said_by = tuple(claim.token for claim in claims if claim.token is not None)


def _take_first(group: Sequence[Item], *, is_corpus: bool) -> None:
    """Take the first number of `{digit}_{speaker}_{take}`, unless the corpus shows that the last one is the digit."""
    firsts = [item.tokens[0] for item in group]
    values = {token.digit for token in firsts}
    is_shown = shows_digits(values)
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
    is_indexed = len([text for text in numbers if int(text) > 9]) >= MIN_PADDED
    if (is_indexed and ends <= ALL_LABELS) or (is_numbered and all(values == ALL_LABELS for values in lasts.values())):
        return -1
    if is_corpus or not counts_takes(numbers):
        return None
    if middles <= ALL_LABELS and (len(numbers) > 1 or len(middles) >= MIN_VARIED):
        return 1
    return -1 if ends <= ALL_LABELS and max(len(ends), len(numbers)) > 1 and not counts_takes(ends) else None


def _take_words(group: Sequence[Item]) -> None:
    """Take the digit of a word, or of a number that a word such as `digit` announces."""
    columns = list_columns(group)
    claims = [
        [_claim(item, i) for i, role in enumerate(item.roles) if role == "K"] + [Claim(label=v, token=i) for i, v in item.words]
        for item in group
    ]
    labels = [c[0].label if c else "" for c in claims]
    distinct = set(labels)
    is_rare = len(distinct) <= MIN_PADDED and sum(map(bool, claims)) < len(group) / 2  # a name among others
    rivals = [column for column in columns if _echoes(column, labels) or (is_rare and "" not in column.values)]
    constant = _find_constant(group, columns)
    for row, item in enumerate(group):
        if not claims[row]:
            item.fault = describe_silence(item, _SILENT)
            continue
        numbers = [
            column.spots[row]
            for column, people in zip(columns, constant, strict=True)
            if column in rivals or _is_leading(item, column, row, distinct) or item.context() in people
        ]
        doubts = [Claim(label=label, token=i) for i, label in item.doubts]
        doubts += _doubt_folder(item) if len(distinct) < MIN_PADDED else []  # words that vary are sure
        _settle(item, claims[row] + [_claim(item, i) for i in numbers] + doubts)


def _find_constant(group: Sequence[Item], columns: Sequence[Column]) -> list[set[object]]:
    """Return for each number the people whose word for a digit never changes, while the number is none of a take: `otto_7`."""
    words: dict[object, set[tuple[str, ...]]] = defaultdict(set)
    inner: set[object] = set()
    for item in group:
        words[item.context()].add(tuple(item.tokens[i].folded for i, _ in item.words))
        if _is_inner(item):
            inner.add(item.context())
    return [
        {
            context
            for context, digits in column.by_context.items()
            if len(words[context] - {()}) == 1 and "" not in digits and (runs_over(digits) or context in inner)
        }
        for column in columns
    ]


def _is_inner(item: Item) -> bool:
    """Return whether words stand on both sides of the word for the digit, as in `maria dos santos`."""
    return all(item.roles[i - 1 : i + 2] == ["W", "W", "W"] for i, _ in item.words)


def _take_number(group: Sequence[Item]) -> None:
    """Take the only number that can be a digit, or the one that runs over all digits for each person."""
    columns = list_columns(group)
    candidates = [column for column in columns if column.is_digit]
    if candidates:  # `ana_07_0`: 07 counts no takes
        candidates += [c for c in columns if c not in candidates and "" not in c.digits and not c.is_take]
    chosen = _choose(candidates)
    is_bare = not {"W", "A"} & set(group[0].roles)
    if chosen and len(candidates) == 1 and is_count(set(chosen.digits)) and not (is_bare and len(columns) == 1):
        chosen = None  # `ana_1`, `ana_2` and no more may be takes
    for row, item in enumerate(group):
        if chosen:
            _settle(item, [_claim(item, chosen.spots[row]), *_find_doubts(item, chosen)])
        elif len(candidates) > 1:
            item.fault = describe_conflict(item, [_claim(item, column.spots[row]) for column in candidates[:2]])
        else:
            item.fault = describe_silence(item, _SILENT)


def _find_doubts(item: Item, column: Column) -> list[Claim]:
    """Return other readings: words and folders that are digits elsewhere, and numbers that are a folder's, maybe by chance.

    They are none where the number runs over the digits for this person.
    """
    if len(column.by_context[item.context()]) >= MIN_VARIED:
        item.doubtful_class = None
        return []
    doubts = [Claim(label=label, token=i) for i, label in item.doubts]
    doubts += [_claim(item, i) for i, role in enumerate(item.roles) if role == "Y"]
    return doubts + _doubt_folder(item)


def _doubt_folder(item: Item) -> list[Claim]:
    if not item.doubtful_class:
        return []
    level, label = item.doubtful_class
    is_class = "W" in item.roles or not item.folders[level].core.isdecimal()
    return [Claim(level=level, label=label)] if is_class else []


def _choose(candidates: Sequence[Column]) -> Column | None:
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
    return complete[0] if all(c.is_name or (is_first and is_count(set(c.digits))) for c in rest) else None
