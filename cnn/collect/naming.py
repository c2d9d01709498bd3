"""Whose voice and which digit a team's own file is, read off its path by a pattern, a table, or by looking. No sound is read.

Standard library only.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cnn.config import LABELS
from cnn.corpus.metadata import parse_recording_path
from cnn.errors import CorpusError

# The digits as class folders and file names have them. Left out are languages whose words mean something else elsewhere
# (Danish `en` and `ni`, Catalan `set`): --words gives any ten.
_NUMERALS = (
    "zero one two three four five six seven eight nine",
    "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "null eins zwei drei vier fünf sechs sieben acht neun",
    "zéro un deux trois quatre cinq six sept huit neuf",
    "zero uno due tre quattro cinque sei sette otto nove",
    "zero um dois três quatro cinco seis sete oito nove",
    "nul een twee drie vier vijf zes zeven acht negen",
    "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
    "ноль один два три четыре пять шесть семь восемь девять",
)
_FIELD = re.compile(r"\{(\w*)\}")
_TOKENS = re.compile(r"[\s_.,+-]+")
_FIELDS = ("label", "speaker", "take", "any")
_MOST_LETTERS = 40
_HARMLESS = re.compile(r"[^\w.-]+|_+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """What a file's path says; each is empty where it says nothing."""

    label: str = ""
    speaker: str = ""


Namer = Callable[[PurePosixPath], Named]


def bare(word: str) -> str:
    """The word without case and accents: `Três` and `tres` are one."""
    folded = unicodedata.normalize("NFKD", word.strip().casefold())
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def label_table(words: str) -> dict[str, str]:
    """The digit of each bare word: of the languages above, or of ten `words` separated by commas, digits always.

    Raises:
        CorpusError: they are not ten different ones.
    """
    languages = [words.split(",")] if words else [line.split() for line in _NUMERALS]
    table = {label: label for label in LABELS}
    for language in languages:
        named = [bare(word) for word in language]
        if len(named) != len(LABELS) or len(set(named)) < len(LABELS) or not all(named):
            raise CorpusError(f"--words is ten different words for 0 to 9, such as nolla,yksi,.., not {words!r}")
        table |= {word: str(digit) for digit, word in enumerate(named)}
    return table


def _expression(field: str) -> str:
    return "[^/]*" if field == "any" else f"(?P<{field}>[^/]+?)"


def by_pattern(pattern: str, table: Mapping[str, str]) -> Namer:
    """Reads paths without suffix, such as `anna/7-2` by `{speaker}/{label}-{take}`.

    Raises:
        CorpusError: the pattern has an unknown or repeated field, or no {label}.
    """
    fields = _FIELD.findall(pattern)
    unknown = [name for name in fields if name not in _FIELDS]
    repeated = [name for name, n in Counter(fields).items() if n > 1 and name != "any"]
    if unknown or repeated or not {"label", "speaker"} & set(fields):
        what = (
            f"unknown {{{unknown[0]}}}" if unknown else f"{{{repeated[0]}}} twice" if repeated else "neither label nor speaker"
        )
        raise CorpusError(f"--pattern has the fields {{label}}, {{speaker}}, {{take}} and {{any}}, not {what}: {pattern!r}")
    parts = _FIELD.split(pattern.removesuffix(".wav"))
    expression = "".join(_expression(part) if place % 2 else re.escape(part) for place, part in enumerate(parts))
    compiled = re.compile(expression)

    def named(path: PurePosixPath) -> Named:
        found = compiled.fullmatch(str(path.with_suffix("")))
        groups = found.groupdict() if found else {}
        label = groups.get("label", "")
        return Named(label=table.get(bare(label), label), speaker=groups.get("speaker", ""))

    return named


def by_table(path: Path, table: Mapping[str, str]) -> Namer:
    """Reads a CSV with the columns path, label and speaker; paths are below the imported folder.

    Raises:
        CorpusError: it cannot be read, or lacks a column.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise CorpusError(f"{path} cannot be read as CSV: {error}; give a table with the columns path,label,speaker") from error
    missing = [name for name in ("path", "label", "speaker") if not rows or name not in rows[0]]
    if missing:
        raise CorpusError(f"{path} lacks the column {missing[0]!r}; its first line is path,label,speaker")
    known: dict[str, Named] = {}
    for line, row in enumerate(rows, start=2):
        key = str(PurePosixPath((row["path"] or "").replace("\\", "/")))
        label = (row["label"] or "").strip()
        one = Named(label=table.get(bare(label), label), speaker=(row["speaker"] or "").strip())
        if known.setdefault(key, one) != one:
            raise CorpusError(f"{path} line {line}: {key} stands there twice, with different labels or speakers; remove one")
    return lambda path: known.get(str(path), Named())


def by_looking(table: Mapping[str, str]) -> Namer:
    """Reads corpus names, a folder per class, a folder per speaker, and names such as `anna-seven-2` or `anna/7`."""

    def named(path: PurePosixPath) -> Named:
        known = parse_recording_path(path)
        if known.label and known.speaker:
            return Named(label=known.label, speaker=known.speaker)
        folders = list(reversed(path.parts[:-1]))
        tokens = [token for token in _TOKENS.split(path.stem) if token]
        classes = [name for name in folders if bare(name) in table]
        others = [name for name in folders if bare(name) not in table]
        if classes:
            speaker = others[0] if others else _voice(tokens, table)
            return Named(label=table[bare(classes[0])], speaker=speaker)
        spoken = [token for token in tokens if bare(token) in table and not token.isdigit()]
        spoken = spoken or [token for token in tokens if token in table]
        label = table[bare(spoken[0])] if len(spoken) == 1 else ""  # of `anna_7_2` only a pattern can tell
        return Named(label=label, speaker=others[0] if others else _voice(tokens, table))

    return named


def _voice(tokens: Sequence[str], table: Mapping[str, str]) -> str:
    """The words of a file's name that are neither digit nor number."""
    return "-".join(token for token in tokens if bare(token) not in table and not token.isdigit())


def clean_speaker(name: str) -> str:
    """The name as a file name has it: composed letters, digits, points and hyphens; empty if nothing is left."""
    cleaned = _HARMLESS.sub("-", unicodedata.normalize("NFC", name)).strip("-.")
    return cleaned[:_MOST_LETTERS].rstrip("-.")


def check_speakers(named: Mapping[str, str]) -> None:
    """Check names of speakers, each with its cleaned form.

    Raises:
        CorpusError: two different ones would share files.
    """
    first: dict[str, str] = {}
    for name, cleaned in sorted(named.items()):
        other = first.setdefault(cleaned.casefold(), name)
        if unicodedata.normalize("NFC", other) != unicodedata.normalize("NFC", name):
            raise CorpusError(
                f"the speakers {other!r} and {name!r} would both be called {cleaned!r} in file names; "
                f"rename one if they are two people, or spell them alike"
            )
