"""Patterns such as `{speaker}/{label}-{take}` that say how paths are made. Standard library only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from cnn.config import AUDIO_SUFFIXES
from cnn.errors import CorpusError
from cnn.naming.reading import Namer, Naming
from cnn.naming.tokens import find_tokens, read_tokens
from cnn.naming.words import fold_word, read_digit

_FIELD = re.compile(r"\{(\w*)\}")
_FIELDS = ("label", "speaker", "take", "any")
_MOST_TIMES = {"label": 1, "take": 1, "speaker": 2}


def pattern_namer(pattern: str, table: Mapping[str, str]) -> Namer:
    """Return a namer that matches paths without suffix, such as `anna/7-2` by `{speaker}/{label}-{take}`.

    Marks of copies, such as ` (1)`, need not be in the pattern. A speaker's name may have two parts, `{speaker}` twice.

    Raises:
        CorpusError: the pattern has an unknown or repeated field, or neither {label} nor {speaker}.
    """
    parts = _FIELD.split(_check_pattern(pattern))
    cut = parts.index("label") if "label" in parts[1::2] else None

    def read_name(path: PurePosixPath) -> Naming:
        stem = read_tokens(path.stem)
        for name in dict.fromkeys((stem.core, stem.text)):
            text = str(path.with_name(name + path.suffix).with_suffix("")) if name else str(path.with_suffix(""))
            for take in (r"[^\W_]+", "[^/]+?"):
                namings = set(_read_parts(text, parts, cut, take, table))
                if len({naming.label for naming in namings}) > 1:
                    labels = " or ".join(sorted(naming.label for naming in namings))
                    return Naming(label="", fault=f"fits --pattern {pattern!r} in two ways, as {labels}; give a narrower one")
                if namings:
                    return min(namings, key=lambda naming: len(naming.speaker))
        return Naming(label="", fault=f"does not fit --pattern {pattern!r}")

    return read_name


def _check_pattern(pattern: str) -> str:
    """Return the pattern without a file's suffix."""
    fields = _FIELD.findall(pattern)
    unknown = [name for name in fields if name not in _FIELDS]
    repeated = [name for name, n in Counter(fields).items() if n > _MOST_TIMES.get(name, n)]
    if unknown or repeated or not {"label", "speaker"} & set(fields):
        fault = (
            f"unknown {{{unknown[0]}}}" if unknown else f"{{{repeated[0]}}} twice" if repeated else "neither label nor speaker"
        )
        raise CorpusError(f"--pattern has the fields {{label}}, {{speaker}}, {{take}} and {{any}}, not {fault}: {pattern!r}")
    suffix = next((suffix for suffix in AUDIO_SUFFIXES if pattern.lower().endswith(suffix)), "")
    return pattern.removeprefix("./")[: -len(suffix) or None]


def _read_parts(text: str, parts: list[str], cut: int | None, take: str, table: Mapping[str, str]) -> Iterator[Naming]:
    """Yield the ways in which the pattern fits: one for each number, or word for a digit, where the label may stand."""
    if cut is None:
        if match := re.fullmatch(_expression(parts, "a", take), text):
            yield _naming("", match.groupdict(), {})
        return
    before, after = _expression(parts[:cut], "a", take), _expression(parts[cut + 1 :], "b", take)
    for token in find_tokens(text):
        if not token.text.isdecimal() and token.folded not in table:
            continue
        head, tail = re.fullmatch(before, text[: token.start]), re.fullmatch(after, text[token.end :])
        if head and tail:
            yield _naming(read_digit(token.text, table), head.groupdict(), tail.groupdict())
    match = re.fullmatch(f"{before}(?P<label>[^/]+?){after}", text)
    if match and fold_word(match["label"]) in table:  # words of more than letters
        groups = match.groupdict()
        yield _naming(table[fold_word(groups.pop("label"))], groups, {})


def _expression(parts: list[str], side: str, take: str) -> str:
    """Return the regular expression of a pattern's parts, of which every second is a field."""
    fields = {"any": "[^/]*", "take": f"(?P<take>{take})"}
    expression = ""
    for i, part in enumerate(parts):
        if i % 2 == 0:
            expression += re.escape(part)
        else:
            expression += fields.get(part) or f"(?P<speaker_{side}{i}>[^/]+?)"
    return expression


def _naming(label: str, before: dict[str, str], after: dict[str, str]) -> Naming:
    merged = before | after
    return Naming(label=label, speaker="-".join(v for k, v in merged.items() if k != "take"), take=merged.get("take", ""))
