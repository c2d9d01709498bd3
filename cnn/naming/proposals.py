"""Patterns that decide between two readings of a path, as a person would type them. Standard library only."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cnn.errors import CorpusError
from cnn.naming.items import Item, is_glued
from cnn.naming.pattern import pattern_namer
from cnn.naming.tokens import Kind
from cnn.naming.words import CONTAINERS, DIGIT_KEYS, NAMERS, label_table

_WORDS = label_table("")


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One of several readings of a digit: by a folder, or by a token of the file's name."""

    label: str
    level: int | None = None  # index of the folder
    token: int | None = None  # index of the stem's token


def describe_conflict(item: Item, claims: Sequence[Claim]) -> str:
    """Return a fault that names the readings, and for each the pattern that takes it."""
    readings = " and ".join(f"{claim.label} by {_where(item, claim)}" for claim in claims)
    choices = [f"{option} for {claim.label}" for claim in claims if (option := propose_pattern(item, claim))]
    return f"says {readings}; " + (f"give {' or '.join(choices)}" if choices else "say which by --table")


def describe_owners(fault: str, options: Sequence[str]) -> str:
    """Return a fault on who speaks, with the patterns that decide."""
    choices = list(dict.fromkeys(filter(None, options)))
    return f"{fault}; give {' or '.join(choices)}" if choices else f"{fault}; say who speaks by --table"


def describe_silence(item: Item, fault: str, token: int | None = None) -> str:
    """Return the fault, with the pattern that makes a digit of the token, or else of the last number, if there is one."""
    numbers = [i for i, t in enumerate(item.tokens) if t.digit and token in (None, i)]
    option = propose_pattern(item, Claim(label=item.tokens[numbers[-1]].digit, token=numbers[-1])) if numbers else ""
    return f"{fault}; if {item.tokens[numbers[-1]].text} is the digit, give {option}" if option else fault


def _where(item: Item, claim: Claim) -> str:
    if claim.level is not None:
        return f"its folder {item.folders[claim.level].text!r}"
    assert claim.token is not None
    return f"{item.tokens[claim.token].text!r} in its name"


def is_container(item: Item, level: int) -> bool:
    """Return whether the folder's name says nothing on who speaks: `recordings`, `session 2`, a date."""
    tokens = item.folders[level].tokens
    words = [token for token in tokens if token.kind is Kind.WORD]
    is_person = len(words) < len(tokens) and any(token.folded in NAMERS for token in words)  # `male 2`
    return not tokens or (bool(words) and not is_person and all(token.folded in CONTAINERS for token in words))


def propose_pattern(item: Item, claim: Claim, owner: int | None = None, through: int = -1) -> str:
    """Return the option of a pattern that reads the claim's digit from this path, in the quotes of a shell; empty if none does.

    Args:
        owner: index of the folder that says who speaks; -1: the name does; None: a folder does, if there is one.
        through: index of a number in the stem that belongs to the speaker's name.
    """
    if owner is None:
        free = [i for i in range(len(item.folders)) if i != claim.level and not is_container(item, i)]
        named = [i for i in free if i not in item.classes]
        owner = next(iter(named or (free if "W" not in item.roles else [])), -1)
    for fill in (_fill, str):
        pattern = _compose(item, claim, owner, through, fill)
        if _is_read(item, claim, pattern):
            return f"--pattern {shlex.quote(pattern)}"
    return ""


def _is_read(item: Item, claim: Claim, pattern: str) -> bool:
    """Return whether the pattern reads the claim's digit from the item's path, and no other."""
    folder = () if claim.level is None else item.folders[claim.level].tokens
    tokens = folder if claim.token is None else (item.tokens[claim.token],)
    words = _WORDS | {token.folded: claim.label for token in tokens if token.kind is Kind.WORD}
    try:
        naming = pattern_namer(pattern, words)(item.path)
    except CorpusError:
        return False
    return not naming.fault and naming.label == claim.label


def _compose(item: Item, claim: Claim, owner: int, through: int, fill: Callable[[str], str]) -> str:
    parts = []
    for level in reversed(range(len(item.path.parts) - 1)):
        folder = item.folders[level]
        if level == claim.level:
            token = next(token for token in folder.tokens if token.digit or token.folded not in DIGIT_KEYS)
            parts.append(folder.text[: token.start] + "{label}" + folder.text[token.end :])
        else:
            parts.append("{speaker}" if level == owner else "{any}")
    return "/".join([*parts, _propose_stem(item, claim, through, fill, with_speaker=owner < 0)])


def _propose_stem(item: Item, claim: Claim, through: int, fill: Callable[[str], str], *, with_speaker: bool) -> str:
    spans: list[tuple[int, int, str]] = []
    if claim.token is not None:
        spans.append((item.tokens[claim.token].start, item.tokens[claim.token].end, "{label}"))
    words = [i for i, role in enumerate(item.roles) if role in "WXA" and i != claim.token and not _is_digit_word(item, i)]
    if with_speaker and words:
        run = [words[0]]
        for i in words[1:]:
            if i == run[-1] + 1:
                run.append(i)
        last = max(run[-1], through)
        if last + 1 < len(item.tokens) and last + 1 != claim.token and is_glued(item.tokens[last], item.tokens[last + 1]):
            last += 1  # `ana1` and `ana2` stay two
        spans.append((item.tokens[run[0]].start, item.tokens[last].end, "{speaker}"))
    used = [(start, end) for start, end, _ in spans]
    free = [t for t in item.tokens if t.kind is Kind.NUMBER and not any(a <= t.start < b for a, b in used)]
    if free:
        spans.append((free[-1].start, free[-1].end, "{take}"))
    text, position = "", 0
    for start, end, name in sorted(spans):
        text += fill(item.stem.text[position:start]) + name
        position = end
    return text + fill(item.stem.text[position : item.stem.end])


def _is_digit_word(item: Item, index: int) -> bool:
    return any(i == index for i, _ in item.words)


def _fill(text: str) -> str:
    """Return a text between fields with `{any}` for all but the separators at its ends."""
    match = re.search(r"[^\W_](?:.*[^\W_])?", text)
    return text if not match else text[: match.start()] + "{any}" + text[match.end() :]
