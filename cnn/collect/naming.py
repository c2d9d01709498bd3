"""Digit and speaker of a team's own file, read from its path by a pattern, a table, or common layouts. No sound is read.

Standard library only.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from cnn.config import LABELS
from cnn.corpus.metadata import Naming, parse_recording_path
from cnn.errors import CorpusError

# Digits in names of class folders and files. Languages whose words mean something else elsewhere are left out (Danish `en`
# and `ni`, Catalan `set`): --words gives any ten.
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


Namer = Callable[[PurePosixPath], Naming]


def fold_word(word: str) -> str:
    """Return the word without case and accents: `Três` becomes `tres`."""
    folded = unicodedata.normalize("NFKD", word.strip().casefold())
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def label_table(words: str) -> dict[str, str]:
    """Map folded words to digits: those of the languages above, or ten `words` separated by commas; digits always.

    Raises:
        CorpusError: `words` are not ten different ones.
    """
    languages = [words.split(",")] if words else [line.split() for line in _NUMERALS]
    table = {label: label for label in LABELS}
    for language in languages:
        folded = [fold_word(word) for word in language]
        if len(folded) != len(LABELS) or len(set(folded)) < len(LABELS) or not all(folded):
            raise CorpusError(f"--words is ten different words for 0 to 9, such as nolla,yksi,.., not {words!r}")
        table |= {word: str(digit) for digit, word in enumerate(folded)}
    return table


def _expression(field: str) -> str:
    return "[^/]*" if field == "any" else f"(?P<{field}>[^/]+?)"


def pattern_namer(pattern: str, table: Mapping[str, str]) -> Namer:
    """Return a namer that matches paths without suffix, such as `anna/7-2` by `{speaker}/{label}-{take}`.

    Raises:
        CorpusError: the pattern has an unknown or repeated field, or no {label}.
    """
    fields = _FIELD.findall(pattern)
    unknown = [name for name in fields if name not in _FIELDS]
    repeated = [name for name, n in Counter(fields).items() if n > 1 and name != "any"]
    if unknown or repeated or not {"label", "speaker"} & set(fields):
        fault = (
            f"unknown {{{unknown[0]}}}" if unknown else f"{{{repeated[0]}}} twice" if repeated else "neither label nor speaker"
        )
        raise CorpusError(f"--pattern has the fields {{label}}, {{speaker}}, {{take}} and {{any}}, not {fault}: {pattern!r}")
    parts = _FIELD.split(pattern.removesuffix(".wav"))
    expression = re.compile("".join(_expression(part) if i % 2 else re.escape(part) for i, part in enumerate(parts)))

    def read_name(path: PurePosixPath) -> Naming:
        match = expression.fullmatch(str(path.with_suffix("")))
        groups = match.groupdict() if match else {}
        label = groups.get("label", "")
        return Naming(label=table.get(fold_word(label), label), speaker=groups.get("speaker", ""))

    return read_name


def table_namer(path: Path, table: Mapping[str, str]) -> Namer:
    """Return a namer that looks paths up in a CSV with the columns path, label and speaker, relative to the imported folder.

    Raises:
        CorpusError: the CSV cannot be read, or lacks a column.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise CorpusError(f"{path} cannot be read as CSV: {error}; give a table with the columns path,label,speaker") from error
    missing = [name for name in ("path", "label", "speaker") if not rows or name not in rows[0]]
    if missing:
        raise CorpusError(f"{path} lacks the column {missing[0]!r}; its first line is path,label,speaker")
    names: dict[str, Naming] = {}
    for line, row in enumerate(rows, start=2):
        key = str(PurePosixPath((row["path"] or "").replace("\\", "/")))
        label = (row["label"] or "").strip()
        name = Naming(label=table.get(fold_word(label), label), speaker=(row["speaker"] or "").strip())
        if names.setdefault(key, name) != name:
            raise CorpusError(f"{path} line {line}: {key} stands there twice, with different labels or speakers; remove one")
    return lambda path: names.get(str(path), Naming(label=""))


def default_namer(table: Mapping[str, str]) -> Namer:
    """Return a namer for corpus names, folders per class or speaker, and names such as `anna-seven-2` or `anna/7`."""

    def read_name(path: PurePosixPath) -> Naming:
        standard = parse_recording_path(path)
        if standard.label and standard.speaker:
            return Naming(label=standard.label, speaker=standard.speaker)
        folders = list(reversed(path.parts[:-1]))
        tokens = [token for token in _TOKENS.split(path.stem) if token]
        classes = [name for name in folders if fold_word(name) in table]
        others = [name for name in folders if fold_word(name) not in table]
        if classes:
            speaker = others[0] if others else _voice(tokens, table)
            return Naming(label=table[fold_word(classes[0])], speaker=speaker)
        spoken = [token for token in tokens if fold_word(token) in table and not token.isdigit()]
        spoken = spoken or [token for token in tokens if token in table]
        label = table[fold_word(spoken[0])] if len(spoken) == 1 else ""  # `anna_7_2` is ambiguous and needs a pattern
        return Naming(label=label, speaker=others[0] if others else _voice(tokens, table))

    return read_name


def _voice(tokens: Sequence[str], table: Mapping[str, str]) -> str:
    """Return the words of a file's name that are neither digit nor number."""
    return "-".join(token for token in tokens if fold_word(token) not in table and not token.isdigit())


def clean_speaker(name: str) -> str:
    """Return the name for use in file names: composed letters, digits, points and hyphens; empty if none is left."""
    cleaned = _HARMLESS.sub("-", unicodedata.normalize("NFC", name)).strip("-.")
    return cleaned[:_MOST_LETTERS].rstrip("-.")


def check_speakers(speakers: Mapping[str, str]) -> None:
    """Check that the cleaned names of different speakers, given by name, differ.

    Raises:
        CorpusError: two speakers would share files.
    """
    first: dict[str, str] = {}
    for name, cleaned in sorted(speakers.items()):
        earlier = first.setdefault(cleaned.casefold(), name)
        if unicodedata.normalize("NFC", earlier) != unicodedata.normalize("NFC", name):
            raise CorpusError(
                f"the speakers {earlier!r} and {name!r} would both be called {cleaned!r} in file names; "
                f"rename one if they are two people, or spell them alike"
            )
