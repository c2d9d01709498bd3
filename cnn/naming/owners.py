"""Decision which part of a path says who speaks: a folder, or words of the file's name. Standard library only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from cnn.naming.items import Item, group_shapes
from cnn.naming.proposals import Claim, describe_owners, is_container, propose_pattern
from cnn.naming.tokens import Kind, Token
from cnn.naming.words import CONTAINERS, NAMERS, PARTICLES

_SHARE = 0.8  # share of recordings in which a word that changes with the digit stands beside several speakers


def decide_speakers(items: Sequence[Item]) -> None:
    """Fill in the speaker of each item, or a fault; both are empty if the path names nobody."""
    for group in group_shapes(items):
        _drop_spellings(group)
    levels = _varying_levels(items)
    for group in group_shapes(items):
        for item, words in zip(group, _read_words(group), strict=True):
            item.words_speaker = words
        _refuse_inner_numbers(group)
    owners = {id(item): next((level for level in _named_levels(item) if level in levels), None) for item in items}
    words_by_folder: dict[str, set[str]] = defaultdict(set)
    folders_by_words: dict[str, set[str]] = defaultdict(set)
    for item in items:
        level = owners[id(item)]
        if level is not None and item.words_speaker:
            words_by_folder[_key(item, level)].add(item.words_speaker.casefold())
            folders_by_words[item.words_speaker.casefold()].add(_key(item, level))
    homeless = [item for item in items if owners[id(item)] is None]
    are_words_names = 2 * sum(bool(item.words_speaker) for item in homeless) > len(homeless)
    for item in homeless:
        _choose_alone(item, are_words_names=are_words_names)
    for item in items:
        if (level := owners[id(item)]) is not None:
            _choose_owner(item, level, words_by_folder, folders_by_words)
    _refuse_shared_folders([item for item in items if item.owner is not None], levels)


def _named_levels(item: Item) -> list[int]:
    return [level for level in range(len(item.folders)) if level not in item.classes and not is_container(item, level)]


def _key(item: Item, level: int) -> str:
    return item.folders[level].core.casefold()


def _varying_levels(items: Sequence[Item]) -> set[int]:
    """Return the depths at which folders of several names stand."""
    names: dict[int, set[str]] = defaultdict(set)
    for item in items:
        for level in _named_levels(item):
            names[level].add(_key(item, level))
    return {level for level, keys in names.items() if len(keys) > 1}


def _drop_spellings(group: Sequence[Item]) -> None:
    """Forget words that change with the digit and beside every speaker: the digit in another language or spelling."""
    for position in (0, -1):
        by_value: dict[str, list[tuple[Item, int]]] = defaultdict(list)
        for item in group:
            words = [i for i, role in enumerate(item.roles) if role == "W" and item.tokens[i].kind is Kind.WORD]
            if not item.label or not words or item.standard:
                break
            by_value[item.tokens[words[position]].folded].append((item, words[position]))
        else:
            if len(by_value) > 1 and _follows_digit(by_value):
                for item, i in (pair for pairs in by_value.values() for pair in pairs):
                    item.roles[i] = "F"


def _follows_digit(by_value: Mapping[str, Sequence[tuple[Item, int]]]) -> bool:
    labels = {value: {item.label for item, _ in pairs} for value, pairs in by_value.items()}
    if any(len(digits) > 1 for digits in labels.values()) or len(set().union(*labels.values())) < 2:
        return False
    n_files = sum(map(len, by_value.values()))
    n_shared = 0
    for pairs in by_value.values():
        if len({_others(item, i) for item, i in pairs}) > 1:
            n_shared += len(pairs)
    return n_shared >= _SHARE * n_files


def _others(item: Item, index: int) -> tuple[object, ...]:
    return item.context(without=frozenset({index}))


def _read_words(group: Sequence[Item]) -> list[str]:
    """Return for each item who speaks by the words of its name; empty if they do not say it, a fault if they may not."""
    if group[0].nohash:
        return [item.nohash["speaker"] if item.nohash else "" for item in group]
    if group[0].standard:
        return [_read_middle(item) for item in group]
    runs = [_runs(item) for item in group]
    n_runs = max(map(len, runs))
    if n_runs < 2 or any(len(run) != n_runs for run in runs):
        return ["-".join(run) for run in runs]
    n_values = [len({run[j].casefold() for run in runs}) for j in range(n_runs)]
    n_joint = len({tuple(text.casefold() for text in run) for run in runs})
    if n_joint > 1 and min(n_values) < n_joint:
        for item, run in zip(group, runs, strict=True):
            claim = _claim(item)
            option = propose_pattern(item, claim, owner=-1) if claim else ""
            advice = f"if {run[0]!r} speaks, give {option}, else say it" if option else "say who speaks"
            item.speaker_fault = f"names {' and '.join(map(repr, run))}, of which one may be no speaker; {advice} by --table"
    return ["-".join(run) for run in runs]


def _read_middle(item: Item) -> str:
    """Return the speaker of `{digit}_{speaker}_{take}`; a word that repeats the digit is nobody."""
    assert item.standard
    inner = range(1, len(item.tokens) - 1)
    if inner and all(i in item.said_by or item.roles[i] == "F" for i in inner):
        return ""
    middle = item.standard["speaker"]
    if middle.casefold() in NAMERS and len(middle) > 1:
        item.speaker_fault = (
            f"may be take {item.standard['take']} of {middle!r}, or {middle} {item.standard['take']}; "
            "give --pattern '{label}_{speaker}_{take}' or --pattern '{label}_{speaker}'"
        )
    return middle


def _runs(item: Item) -> list[str]:
    """Return the names within the stem, cut where a number, a digit or a filler stands."""
    runs: list[list[Token]] = []
    last = None
    for i, token in enumerate(item.tokens):
        is_digit = i in item.said_by or any(i == j for j, _ in item.words)
        if item.roles[i] not in "WA" or is_digit:
            continue
        if last is not None and i == last + 1:
            runs[-1].append(token)
        else:
            runs.append([token])
        last = i
    while runs and len(runs) > 1 and all(token.folded in CONTAINERS for token in runs[0]):
        runs.pop(0)
    return [text for run in runs if (text := _join(item.stem.text, run))]


def _join(text: str, run: Sequence[Token]) -> str:
    while run and run[0].folded in PARTICLES:
        run = run[1:]
    joined = ""
    for i, token in enumerate(run):
        gap = text[run[i - 1].end : token.start] if i else ""
        joined += ("-" if any(letter.isalnum() for letter in gap) else gap) + token.text
    return joined


def _refuse_inner_numbers(group: Sequence[Item]) -> None:
    """Refuse `ana_2_7`, where 2 is a take or belongs to the name, unless it never changes for that name."""
    for j in range(len(group[0].numbers())):
        values: dict[object, set[str]] = defaultdict(set)
        for item in group:
            i = item.numbers()[j]
            if _is_inner(item, i):
                values[item.context()].add(item.tokens[i].text)
        for item in group:
            i = item.numbers()[j]
            if len(values[item.context()]) > 1 and _is_inner(item, i):
                item.speaker_fault = _describe_number(item, i)


def _describe_number(item: Item, i: int) -> str:
    fault, claim = f"has {item.tokens[i].text!r} for a take or for part of the speaker's name", _claim(item)
    options = [propose_pattern(item, claim), propose_pattern(item, claim, owner=-1, through=i)] if claim else []
    return describe_owners(fault, options)


def _claim(item: Item) -> Claim | None:
    """Return the decision on the digit; None if there is none."""
    if item.classes:
        return Claim(label=item.label, level=min(item.classes))
    return Claim(label=item.label, token=item.said_by[0]) if item.said_by else None


def _is_inner(item: Item, i: int) -> bool:
    if item.standard or i in item.said_by or i == 0 or item.roles[i - 1] not in "WX":
        return False
    is_before_digit = any(i < j for j in item.said_by)
    return is_before_digit or (not item.said_by and any(j > i for j in item.numbers()))


def _choose_alone(item: Item, *, are_words_names: bool) -> None:
    """Take the words of the stem, or the folder that holds all if most names have no words beside the digit."""
    named = _named_levels(item)
    if item.words_speaker and (are_words_names or not named or item.standard or item.nohash):
        item.speaker = item.spelling = item.words_speaker
    elif named and not are_words_names:
        _take_folder(item, named[0])


def _choose_owner(
    item: Item, level: int, words_by_folder: Mapping[str, set[str]], folders_by_words: Mapping[str, set[str]]
) -> None:
    words = item.words_speaker
    if words and not _is_repeated(item, level):
        fellows, homes = words_by_folder[_key(item, level)], folders_by_words[words.casefold()]
        if item.standard or item.nohash:
            if len(folders_by_words) > 1 or item.nohash or len(words_by_folder) == 1:
                item.speaker = item.spelling = words
                return
            _refuse_both(item, level, words)
            return
        if len(folders_by_words) > 1 and (len(fellows) > 1 or len(homes) > 1):
            _refuse_both(item, level, words)
            return
    _take_folder(item, level)


def _take_folder(item: Item, level: int) -> None:
    if item.doubtful_class == (level, item.label):
        item.speaker_fault = f"lies in {item.folders[level].core!r}, which may be digit or speaker; say which with --pattern"
    item.owner = level
    item.speaker, item.spelling = item.folders[level].core, item.folders[level].text


def _is_repeated(item: Item, level: int) -> bool:
    """Return whether the stem repeats the folder's name, which shows that it is the speaker's."""
    return not item.standard and "X" in item.roles and set(item.folders[level].folded) <= set(item.stem.folded)


def _refuse_both(item: Item, level: int, words: str) -> None:
    claim = _claim(item)
    fault = f"may be spoken by {item.folders[level].core!r}, its folder, or {words!r}, in its name"
    options = [propose_pattern(item, claim, owner=owner) for owner in (level, -1)] if claim else []
    item.speaker_fault = describe_owners(fault, options)


def _refuse_shared_folders(items: Sequence[Item], levels: set[int]) -> None:
    """Refuse speakers' folders of one name in several folders, which may be several people: `group_a/01` and `group_b/01`."""
    outer: dict[str, set[str]] = defaultdict(set)
    for item in items:
        outer[_key(item, item.owner or 0)].add(_outer(item, levels))
    for item in items:
        homes = sorted(outer[_key(item, item.owner or 0)])
        if len(homes) > 1:
            name = item.folders[item.owner or 0].core
            item.speaker_fault = (
                f"lies in {name!r}, as others do in {homes[0]!r} and {homes[1]!r}: one person or two, or no person; "
                "say who speaks with --pattern, such as '{speaker}/{any}/{label}' or '{any}/{speaker}/{label}'"
            )


def _outer(item: Item, levels: set[int]) -> str:
    return next((_key(item, level) for level in _named_levels(item) if level > (item.owner or 0) and level in levels), "")
