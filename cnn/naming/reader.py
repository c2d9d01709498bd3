"""Reader of names: digit, speaker and take of all recordings of an import at once, since the whole corpus decides.

Standard library only.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from cnn.naming.columns import runs_over
from cnn.naming.digits import decide_digits
from cnn.naming.items import Item, mark_classes, mark_roles, read_class, take_apart
from cnn.naming.owners import decide_speakers
from cnn.naming.pattern import pattern_namer
from cnn.naming.proposals import Claim, describe_conflict
from cnn.naming.reading import NameReading, NameRules, Naming
from cnn.naming.speakers import clean_speaker, compose_speaker, merge_spellings
from cnn.naming.table import table_namer
from cnn.naming.tokens import Kind, Name, read_tokens
from cnn.naming.words import doubtful_table, find_glued, label_table
from cnn.settings.data import DIGITS

_MIN_COMMON = 10  # recordings of one outline, or a tenth of all, from which on it is no accident
_LETTERS = re.compile(r"[^\W_]+")
_HOW = "say how with --pattern, --table or --words"


def read_names(paths: Sequence[PurePosixPath], rules: NameRules) -> tuple[NameReading, ...]:
    """Return the reading of each path, in their order; the paths are those of one corpus, relative to its folder.

    Raises:
        CorpusError: a rule cannot be used; not for a single path.
    """
    table = label_table(rules.words, _find_words(paths, rules))
    if rules.pattern or rules.table is not None:
        namer = pattern_namer(rules.pattern, table) if rules.table is None else table_namer(rules.table, table)
        readings = [_to_reading(path, namer(path), rules) for path in paths]
    else:
        readings = [_read_item(item, rules) for item in _decide(paths, table, rules)]
    return _merge(readings, rules)


def describe_merges(readings: Sequence[NameReading]) -> tuple[str, ...]:
    """Return a sentence for each speaker whom names spell differently."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for reading in readings:
        if not reading.fault:
            spellings[reading.speaker][unicodedata.normalize("NFC", reading.spelling)] += 1
    return tuple(
        f"speaker {speaker} is spelled in {len(counts)} ways and taken for one person: "
        + ", ".join(f"{spelling!r} ({n:,})" for spelling, n in counts.most_common())
        for speaker, counts in sorted(spellings.items())
        if len(counts) > 1
    )


def _find_words(paths: Sequence[PurePosixPath], rules: NameRules) -> set[str]:
    names = {name for path in paths for name in (*path.parts[:-1], path.stem)} | {rules.folder}
    return {token.folded for name in names for token in read_tokens(name).tokens}


def _decide(paths: Sequence[PurePosixPath], table: dict[str, str], rules: NameRules) -> list[Item]:
    items = take_apart(paths)
    rare = [] if rules.is_corpus or not rules.has_digit else _unveil_numbers(items, table)
    doubtful = doubtful_table(rules.words, table)
    mark_classes(items, table, doubtful)
    mark_roles(items, table, doubtful)
    _mark_root([item for item in items if not item.classes], rules.folder, table)
    for item in rare:
        _refuse_second_digit(item)
    regular = [item for item in items if not item.fault]
    decide_digits(regular, is_corpus=rules.is_corpus)
    _refuse_glued([item for item in regular if not item.fault], rules)
    decide_speakers(regular)
    return items


def _mark_root(items: Sequence[Item], folder: str, table: Mapping[str, str]) -> None:
    """Take the folder that holds all for a class folder, if most names in it say no digit of their own."""
    root = read_tokens(folder)
    label = read_class(root, table) if len(folder) != 2 else ""
    n_silent = sum(not item.words and not item.standard for item in items)
    if label and 2 * n_silent > len(items):
        for item in items:
            item.folders += (root,)
            item.classes[len(item.folders) - 1] = label


def _unveil_numbers(items: Sequence[Item], table: Mapping[str, str]) -> list[Item]:
    """Return the items whose names are like few others; in these, numbers of one digit count whatever stands beside them.

    They count in all names of one kind where they run over the digits, `7s_ana_1` has no length of 7 s, or begin names whose
    other numbers do not, and neither words nor folders say the digit: `1x_0`.
    """
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[_outline(item.stem)].append(item)
    rare = []
    for group in groups.values():
        is_rare = len(group) < min(_MIN_COMMON, len(items) / _MIN_COMMON)
        hidden = [[t.digit for t in item.stem.all_tokens if t not in item.stem.tokens and t.digit] for item in group]
        is_shown = any(runs_over(set(column)) for column in zip(*hidden, strict=False))
        if is_rare or is_shown or _begins_with_hidden(group, table):
            for item in group:
                item.stem = replace(item.stem, tokens=item.stem.all_tokens)
        rare += group if is_rare else []
    return rare


def _begins_with_hidden(group: Sequence[Item], table: Mapping[str, str]) -> bool:
    """Return whether a number that does not count comes before all that do, while nothing shows the digit."""
    begun = [item for item in group if _has_hidden_start(item) and not _says_digit(item, table)]
    numbers = [[token.digit for token in item.stem.tokens if token.digit] for item in begun]
    return any(numbers) and not any(runs_over(set(column)) for column in zip(*numbers, strict=False))


def _has_hidden_start(item: Item) -> bool:
    stem = item.stem
    return any(token.digit and token.start < stem.tokens[0].start for token in stem.all_tokens if stem.tokens)


def _says_digit(item: Item, table: Mapping[str, str]) -> bool:
    is_word = any(token.folded in table for token in item.stem.tokens)
    return is_word or any(read_class(folder, table) for folder in item.folders)


def _outline(stem: Name) -> str:
    """Return the name with one letter for each number, word and date, and all that stands between."""
    text, position = "", 0
    for token in stem.all_tokens:
        text += _LETTERS.sub("~", stem.text[position : token.start]) + token.kind[0]
        position = token.end
    return text + _LETTERS.sub("~", stem.text[position : stem.end])


def _refuse_second_digit(item: Item) -> None:
    """Refuse a name like no other that holds two digits: `3 y 4` among `3_1`, `3_2`."""
    claims = [Claim(label=t.digit, token=i) for i, t in enumerate(item.tokens) if t.digit and item.roles[i] in "NKTY"]
    claims += [Claim(label=label, token=i) for i, label in [*item.words, *([] if item.classes else item.doubts)]]
    if len({claim.label for claim in claims}) > 1:
        claims = [Claim(label=label, level=level) for level, label in sorted(item.classes.items())] + claims
        rival = next(claim for claim in claims if claim.label != claims[0].label)
        item.fault = describe_conflict(item, (claims[0], rival))


def _refuse_glued(items: Sequence[Item], rules: NameRules) -> None:
    """Refuse names that hold words of other digits without a sign before or after: `anaseven0` among `anaeight0`."""
    glued = find_glued({token.folded for item in items for token in item.tokens if token.kind is Kind.WORD}, rules.words)
    pairs = [(item, *glued[token.folded], token.text) for item in items for token in item.tokens if token.folded in glued]
    if any(label != item.label for item, _, label, _ in pairs):
        for item, word, _, text in pairs:
            item.fault = f"says {item.label} by a number, unless {word!r} in {text!r} is the digit; say which by --table"


def _read_item(item: Item, rules: NameRules) -> NameReading:
    fault, speaker, spelling = "", item.speaker or rules.speaker, item.spelling or rules.speaker
    if rules.is_corpus:
        speaker = spelling = item.words_speaker if item.standard or item.nohash else ""
    if rules.has_digit and item.fault:
        fault = item.fault if "--" in item.fault else f"{item.fault}; {_HOW}"
    elif not rules.is_corpus:
        fault = item.speaker_fault
    return NameReading(path=item.path, label=item.label, speaker=speaker, spelling=spelling, take=_read_take(item), fault=fault)


def _read_take(item: Item) -> str:
    takes = [match["take"] for match in (item.standard, item.nohash) if match]
    free = [i for i, role in enumerate(item.roles) if role in "NT" and i not in item.said_by]
    takes = takes or [item.tokens[i].text for i in free if item.tokens[i].text.isdecimal()]
    return "-".join([*takes, *([item.stem.copy] if item.stem.copy else [])])


def _to_reading(path: PurePosixPath, naming: Naming, rules: NameRules) -> NameReading:
    fault = naming.fault
    if rules.has_digit and naming.label not in DIGITS and not fault:
        fault = f"names {naming.label!r}, which is no digit" if naming.label else "does not say its digit"
        fault += f"; {_HOW}"
    speaker = naming.speaker or rules.speaker
    return NameReading(path=path, label=naming.label, speaker=speaker, spelling=speaker, take=naming.take, fault=fault)


def _merge(readings: Sequence[NameReading], rules: NameRules) -> tuple[NameReading, ...]:
    """Give each speaker one clean name."""
    clean = compose_speaker if rules.is_corpus else clean_speaker
    cleaned = merge_spellings((reading.speaker for reading in readings if not reading.fault), rules.speakers, clean)
    merged = []
    for reading in readings:
        speaker = cleaned.get(reading.speaker, "")
        fault = reading.fault
        if not speaker and not fault and not rules.is_corpus:
            fault = "does not say who speaks; say it with --speaker, --pattern or --table"
            if clean_speaker(reading.speaker):
                fault = (
                    f"has the speaker {reading.speaker!r}, whose name in a file would be that of another; rename one of them"
                )
        merged.append(replace(reading, speaker=speaker, fault=fault))
    return tuple(merged)
