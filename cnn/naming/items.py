"""Paths taken apart: class folders, words and numbers of the file's name, and the part that each number may play.

Standard library only.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from cnn.naming.tokens import Kind, Name, Token, read_tokens
from cnn.naming.words import CONTAINERS, DIGIT_KEYS, FILLERS, NAMERS, TAKERS
from cnn.settings.data import DIGITS

STANDARD = re.compile(r"(?P<digit>[0-9]{1,2})_(?P<speaker>.+)_(?P<take>[0-9]+)")  # FSDD, AudioMNIST, and our own corpora
NOHASH = re.compile(r"(?P<speaker>[^_]+)_nohash_(?P<take>[0-9]+)")  # Speech Commands; its folder is the word
_MIN_REPEATED = 10  # recordings whose numbers repeat those of their folders, before that is no chance
_MIN_CLASSES = 3  # class folders beside folders of other names


@dataclass(slots=True, kw_only=True)
class Item:
    """A path taken apart; what is decided is filled in by the steps of the reader."""

    path: PurePosixPath
    folders: tuple[Name, ...]  # the nearest first
    stem: Name
    classes: dict[int, str] = field(default_factory=dict)  # labels of class folders by their index in `folders`
    standard: re.Match[str] | None = None
    nohash: re.Match[str] | None = None
    roles: list[str] = field(default_factory=list)  # a letter for each token of the stem, see `mark_roles`
    words: list[tuple[int, str]] = field(default_factory=list)  # indexes and labels of words for digits in the stem
    echoes: list[tuple[int, str]] = field(default_factory=list)  # words for digits that repeat a folder's name
    doubts: list[tuple[int, str]] = field(default_factory=list)  # words of a language that nothing else shows
    doubtful_class: tuple[int, str] | None = None  # a folder that may be a class, and its label
    label: str = ""
    said_by: tuple[int, ...] = ()  # indexes of the stem's tokens that say the digit
    words_speaker: str = ""  # who speaks by the words of the stem alone
    owner: int | None = None  # index of the folder that is named after the speaker
    speaker: str = ""
    spelling: str = ""  # with the marks of copies
    fault: str = ""  # why the digit cannot be told
    speaker_fault: str = ""

    @property
    def tokens(self) -> tuple[Token, ...]:
        return self.stem.tokens

    def numbers(self) -> list[int]:
        """Return the indexes of the numbers that might say the digit or the take."""
        return [i for i, role in enumerate(self.roles) if role == "N"]

    def context(self, *, without: frozenset[int] = frozenset()) -> tuple[object, ...]:
        """Return what is alike in all recordings of one person, if words alone say who speaks."""
        digits = {i for i, _ in self.words} | without
        words = tuple(t.folded for i, t in enumerate(self.tokens) if self.roles[i] in "WXA" and i not in digits)
        return words, tuple(folder.folded for i, folder in enumerate(self.folders) if i not in self.classes)


def take_apart(paths: Sequence[PurePosixPath]) -> list[Item]:
    """Return an item for each path."""
    items = []
    for path in paths:
        stem = read_tokens(path.stem)
        items.append(
            Item(
                path=path,
                folders=tuple(read_tokens(name) for name in reversed(path.parts[:-1])),
                stem=stem,
                standard=_match_standard(stem),
                nohash=NOHASH.fullmatch(stem.core),
            )
        )
    return items


def _match_standard(stem: Name) -> re.Match[str] | None:
    match = STANDARD.fullmatch(stem.core)
    return match if match and stem.tokens and stem.tokens[0].text == match["digit"] else None  # no date stands first


def read_class(name: Name, table: Mapping[str, str]) -> str:
    """Return the digit that a folder's name consists of, such as `7`, `07`, `siete` or `digit_7`; empty if there is none."""
    labels = [token.digit or table.get(token.folded, "") for token in name.tokens if token.folded not in DIGIT_KEYS]
    return labels[0] if labels and len(set(labels)) == 1 else ""


def mark_classes(items: Sequence[Item], table: Mapping[str, str], doubtful: Mapping[str, str]) -> None:
    """Find the class folders: those at a depth where digits stand, and no numbers above 9 or names of people."""
    n_levels = max((len(item.folders) for item in items), default=0)
    for level in range(n_levels):
        members = [item for item in items if len(item.folders) > level]
        names = {item.folders[level].core: item.folders[level] for item in members}
        labels = {core: read_class(name, table) for core, name in names.items()}
        is_speaker = all(item.standard and item.standard["speaker"] == item.folders[level].core for item in members)
        classes = {} if is_speaker else _choose_classes(names, labels)
        words = {**table, **doubtful}
        may_be = {} if is_speaker else {core: read_class(name, words) for core, name in names.items()}
        is_counted = any(not label and _is_number(names[core]) for core, label in may_be.items())
        n_may_be = sum(map(bool, may_be.values()))
        is_doubtful = not is_counted and 2 * n_may_be > len(names) and (len(names) > 1 or not _is_filler(names))
        for item in members:
            core = item.folders[level].core
            if label := classes.get(core):
                item.classes[level] = label
            elif is_doubtful and may_be.get(core) and item.doubtful_class is None:
                item.doubtful_class = (level, may_be[core])


def _is_filler(names: Mapping[str, Name]) -> bool:
    return all(token.folded in CONTAINERS for name in names.values() for token in name.tokens)


def _is_number(name: Name) -> bool:
    return bool(name.tokens) and all(token.kind is Kind.NUMBER for token in name.tokens)


def _choose_classes(names: Mapping[str, Name], labels: Mapping[str, str]) -> dict[str, str]:
    numbers = {core for core, name in names.items() if _is_number(name)}
    others = {core for core in numbers if not labels[core]}
    is_counted = bool(others) and not (others == {"10"} and set(DIGITS) <= set(labels.values()))
    padded = {core for core in numbers if labels[core] and len(core) > 1}
    is_padded = bool(padded) and ("00" not in padded or len({labels[core] for core in padded}) < _MIN_CLASSES)
    chosen = {
        core: label
        for core, label in labels.items()
        if label and not (core in numbers and is_counted) and not (core in padded and is_padded)
    }
    n_labels = len(set(chosen.values()))
    return chosen if n_labels >= _MIN_CLASSES or 2 * len(chosen) > len(names) else {}


def mark_roles(items: Sequence[Item], table: Mapping[str, str], doubtful: Mapping[str, str]) -> None:
    """Give each token of a stem its letter.

    X repeats a folder's name, W a word, F a word that is neither name nor digit (`recording`), N a number, A a number that
    belongs to a name (`man 1`), Y one that repeats a folder's, maybe by chance, T a take's (`take 2`), K a digit's (`digit 7`).
    """
    for item in items:
        tokens = item.tokens
        item.roles = [_role(tokens, i) for i in range(len(tokens))]
        for level, folder in enumerate(item.folders):
            if level not in item.classes and any(token.kind is Kind.WORD for token in folder.tokens):
                _strip(item, folder)
        item.words = [
            (i, table[token.folded])
            for i, token in enumerate(tokens)
            if token.kind is Kind.WORD and item.roles[i] != "X" and token.folded in table
        ]
        item.echoes = [(i, table[t.folded]) for i, t in enumerate(tokens) if item.roles[i] == "X" and t.folded in table]
        for i, _ in item.words:
            item.roles[i] = "W"
        item.doubts = [(i, doubtful[t.folded]) for i, t in enumerate(tokens) if item.roles[i] in "WF" and t.folded in doubtful]
    _mark_folder_numbers(items)


def _role(tokens: Sequence[Token], i: int) -> str:
    token = tokens[i]
    if token.kind is Kind.WORD:
        is_letter = len(token.text) == 1 and not (i + 1 < len(tokens) and is_glued(token, tokens[i + 1]))
        return "F" if token.folded in FILLERS and not is_letter else "W"
    before = tokens[i - 1] if i else None
    if not before or before.kind is Kind.NUMBER or (len(before.text) == 1 and not is_glued(before, token)):
        return "N"
    if before.folded in DIGIT_KEYS:
        return "K"
    is_first = i < 2 or tokens[i - 2].kind is Kind.NUMBER or tokens[i - 2].folded in FILLERS  # `ana_female_7` names no female 7
    if before.folded in NAMERS and is_first:
        return "A"
    return "T" if before.folded in TAKERS else "N"


def is_glued(word: Token, number: Token) -> bool:
    return number.kind is Kind.NUMBER and word.end == number.start


def _strip(item: Item, folder: Name) -> None:
    """Mark the tokens of the stem that repeat the folder's name."""
    name, tokens = folder.folded, item.stem.folded
    for start in range(len(tokens) - len(name) + 1):
        if tokens[start : start + len(name)] == name:
            item.roles[start : start + len(name)] = "X" * len(name)
            if start == 0:
                item.standard = None  # the number that stands first is the folder's: `1_ana/1_ana_7_2`
            return


def _mark_folder_numbers(items: Sequence[Item]) -> None:
    """Mark numbers that are, in each file of one shape, the number in the name of a folder: `man_1/1_07` has 1 for a name."""
    for group in group_shapes(items):
        for spots in [[(item, item.numbers()[j]) for item in group] for j in range(len(group[0].numbers()))]:
            numbers = [int(item.tokens[i].text) for item, i in spots]
            if all(number in _folder_numbers(item) for number, (item, _) in zip(numbers, spots, strict=True)):
                is_sure = len(set(numbers)) > 1 and len(numbers) >= _MIN_REPEATED
                for item, i in spots:
                    item.roles[i] = "X" if is_sure else "Y"


def _folder_numbers(item: Item) -> set[int]:
    named = (folder for level, folder in enumerate(item.folders) if level not in item.classes)
    return {int(token.text) for folder in named for token in folder.tokens if token.kind is Kind.NUMBER}


@functools.cache
def _shape(roles: str) -> str:
    return re.sub("W+|X+", lambda match: match[0][0], roles.replace("F", ""))


def group_shapes(items: Sequence[Item]) -> list[list[Item]]:
    """Group items whose stems consist of the same kinds of tokens; a run of words counts as one."""
    groups: dict[object, list[Item]] = defaultdict(list)
    for item in items:
        groups[bool(item.classes), _shape("".join(item.roles)), bool(item.standard), bool(item.nohash)].append(item)
    return list(groups.values())
