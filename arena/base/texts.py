"""Texts in several languages: a folder with one TOML file per language; a further language needs only its `xx.toml`.

A folder in it, such as `pictures`, holds the texts that differ on data of that kind: `pictures/xx.toml`.

The table [language] has the language's own name and its separator of thousands. Every other table holds texts: a string, or a
list of the singular and the plural form, chosen by `n`. `str.format` fills them; `{n:,}` writes a number with the language's
separator. All languages write decimals with a point and dates as ISO 8601, as in the CSV files beside them.
"""

from __future__ import annotations

import functools
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

ENGLISH = "en"  # the language of command lines, and the default of pages
DIGIT_WORDS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
}

Forms = tuple[str, ...]  # one form, or singular and plural
_FEWEST_IN_RANGE = 3  # neighbouring numbers


class Localized(ABC):
    """A value with a text in each language, which a text may hold."""

    __slots__ = ()

    @abstractmethod
    def translate(self, language: str) -> str:
        """Return the text in that language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """Texts of one language: `words("rank")`, `words("gap", n=3)`."""

    language: str  # its code, as HTML and HTTP write it: the name of its file
    name: str  # in the language itself
    thousands: str  # between groups of three digits
    table: Mapping[str, Forms] = field(repr=False)

    @classmethod
    def read(cls, folder: Path, language: str, kind: str = "") -> Self:
        """Read the file of a language of `folder`; the keys of its texts are dotted: `head.answer`.

        Args:
            kind: the kind of data that the texts are about; those that differ on it stand in the folder of its name.
        """
        content = _read_toml(folder / f"{language}.toml")
        special = folder / kind / f"{language}.toml"
        texts = _flatten(_read_toml(special)) if kind and special.exists() else {}
        return cls(language=language, **content.pop("language"), table=_flatten(content) | texts)

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text with its placeholders filled; a list of forms is chosen from by `n`."""
        return self._fill(self._choose_form(key, values.get("n", 1)), values)

    def n(self, key: str, n: int, /, **values: object) -> str:
        """Return the text for `n` things, where `{n}` is written as the language does."""
        return self._fill(self._choose_form(key, n), {**values, "n": self.number(n)})

    def has(self, key: str) -> bool:
        return key in self.table

    def number(self, n: int) -> str:
        """Write a whole number: `2,000`."""
        return f"{n:,}".replace(",", self.thousands)

    def section(self, name: str) -> Self:
        """Return the texts of one table of the file, by their keys in it."""
        prefix = f"{name}."
        return replace(self, table={key.removeprefix(prefix): self.table[key] for key in self.table if key.startswith(prefix)})

    def _choose_form(self, key: str, n: object) -> str:
        return self.table[key][0 if n == 1 else -1]

    def _fill(self, form: str, values: Mapping[str, object]) -> str:
        return form.format_map({name: self._prepare(value) for name, value in values.items()})

    def _prepare(self, value: object) -> object:
        if isinstance(value, str):
            return value
        return value.translate(self.language) if isinstance(value, Localized) else _Number(value, self.thousands)


@dataclass(frozen=True, slots=True)
class Message(Localized):
    """A text of a folder and the values of its placeholders, translated when it is read; `str` gives it in English."""

    folder: Path = field(repr=False)
    key: str
    values: Mapping[str, object]

    def translate(self, language: str) -> str:
        return read_words(self.folder, language)(self.key, **self.values)

    def __str__(self) -> str:
        return self.translate(ENGLISH)


@functools.cache
def read_words(folder: Path, language: str) -> Words:
    """Return the texts of a language of `folder`, read once."""
    return Words.read(folder, language)


@dataclass(frozen=True, slots=True)
class _Number:
    """A number in which the format `,` sets the thousands apart as a language does."""

    value: object
    thousands: str

    def __format__(self, spec: str) -> str:
        text = format(self.value, spec)
        return text.replace(",", self.thousands) if spec == "," else text


@functools.cache
def list_languages(folder: Path) -> tuple[str, ...]:
    """Return the codes of the languages that have a file in `folder`, in alphabetical order."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


@functools.cache
def name_languages(folder: Path) -> Mapping[str, str]:
    """Return what the languages of `folder` call themselves, by code."""
    return {language: Words.read(folder, language).name for language in list_languages(folder)}


def _read_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _flatten(content: Mapping[str, Any], prefix: str = "") -> dict[str, Forms]:
    table: dict[str, Forms] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            table |= _flatten(value, f"{prefix}{key}.")
        else:
            table[prefix + key] = (value,) if isinstance(value, str) else tuple(value)
    return table


def format_labels(labels: Sequence[str], to: str = "to") -> str:
    """Return labels in their order, three or more neighbouring whole numbers as a range: `1, 5 to 9`."""
    runs: list[list[str]] = []
    for label in labels:
        is_next = runs and label.isdecimal() and runs[-1][-1].isdecimal() and int(label) == int(runs[-1][-1]) + 1
        runs[-1].append(label) if is_next else runs.append([label])
    return ", ".join(f"{run[0]} {to} {run[-1]}" if len(run) >= _FEWEST_IN_RANGE else ", ".join(run) for run in runs)


def name_labels(labels: Sequence[str], noun: str = "digit") -> str:
    """Return `digit 7 is` or `digits 5 to 9 are`, the beginning of a sentence."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{noun} {labels[0]} is" if len(labels) == 1 else f"{plural} {format_labels(labels)} are"


def note_absent(labels: Sequence[str], n_present: int, things: str = "these clips", noun: str = "digit") -> str:
    """Return the note on classes that `things` lack: the mean is over the others; empty where none is absent."""
    if not labels:
        return ""
    n_classes = f"{n_present} {'class' if n_present == 1 else 'classes'}"
    return f"{name_labels(labels, noun)} in none of {things}: macro-F1 is the mean over {n_classes}"
