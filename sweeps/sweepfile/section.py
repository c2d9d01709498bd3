"""One mapping of a sweep file with typed access to its entries; every error carries the file and the line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from arena.base.suggest import did_you_mean, is_respelling, nearest
from sweeps.sweepfile.edits import add_entry, remove_entries, rename_key, replace_value
from sweeps.sweepfile.faults import Edit, Faults
from sweeps.sweepfile.yaml_lines import Node

# 1e-3 and 08 are text in YAML 1.1; 0,001 is a decimal comma, while 1,000 may be either
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|0,\d+)")

_LEAST_OF_KEY = 3  # letters of a key that one slip leaves the same: there are few keys


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """The entries of one mapping; messages call it `name`."""

    faults: Faults
    text: str  # the whole file, which edits count from
    name: str
    node: Node

    @property
    def entries(self) -> Mapping[str, Node]:
        assert isinstance(self.node.value, dict)
        return self.node.value

    @property
    def line(self) -> int:
        return self.node.line

    def report_unknown(self, keys: Iterable[str], foreign: Mapping[str, str]) -> Section:
        """Report the keys that are none of `keys`, and return the section with those that are meant.

        Args:
            foreign: W&B's other keys, with the reasons against them.
        """
        names, entries = list(keys), {}
        for key, node in self.entries.items():
            meant = key
            if key in foreign:
                self.report(f"{self.name}: {key!r} {foreign[key]}", node.line, self.remove(key))
            elif key not in names:
                match = nearest(key, names)
                meant = match if match and match not in self.entries and is_respelling(key, match, _LEAST_OF_KEY) else key
                edits = [rename_key(node, meant)] if meant != key else []
                self.report(f"{self.name}: unknown key {key!r}{did_you_mean(key, names)}", node.line, edits)
            entries[meant] = node
        return replace(self, node=replace(self.node, value=entries))

    def read_text(self, key: str) -> str | None:
        node = self.entries.get(key)
        if node is None or node.is_broken:
            return None
        if not isinstance(node.value, str) or not node.value:
            is_plain = isinstance(node.value, int | float)
            self.faults.drop(node.span)  # 0123 is a text here
            edits = [replace_value(node, f'"{self.text[slice(*node.span)]}"')] if is_plain else []
            rule = f"{self._at(key)} takes text, not {self.text[slice(*node.span)] if is_plain else abbreviate(node.value)}"
            self.fail(f"{rule}; put it in quotes" if is_plain else f"{rule}; write one, or remove {key}", node.line, edits)
        return node.value

    def read_word(self, key: str) -> str | None:
        """Return a value that stands for something, as it is written; for none of the words is a number."""
        node = self.entries.get(key)
        if node is None or node.is_broken:
            return None
        if node.value is None or isinstance(node.value, list | dict):
            self.fail(f"{self._at(key)} takes a word, not {abbreviate(node.value)}", node.line)
        return str(node.value)

    def option(self, key: str, allowed: Iterable[str]) -> str | None:
        """Return a value of `allowed`; for another one the nearest, which is reported."""
        value = self.read_word(key)
        names = [str(name) for name in allowed]
        if value is None or value in names:
            return value
        match = next((name for name in names if _begins_alike(value.lower(), name)), None) or nearest(value.lower(), names)
        rule = f"{self._at(key)} is one of {', '.join(names)}, not {value!r}"
        if match is None:
            self.fail(rule, self.find_line(key))
        is_sure = is_respelling(value, match) or _begins_alike(value.lower(), match)
        edits = [replace_value(self.entries[key], match)] if is_sure else []
        self.report(f"{rule}; did you mean {match!r}?", self.find_line(key), edits)
        return match

    def number(self, key: str) -> int | float | None:
        node = self.entries.get(key)
        return None if node is None or node.is_broken else self.read_number(node, self._at(key))

    def read_number(self, node: Node, name: str) -> int | float:
        """Return the finite number in `node`, an int where the file has one; one that YAML reads as text is reported."""
        value = node.value
        if isinstance(value, str) and (number := parse_number(value)) is not None:
            better = write_number(number)
            reason = " (it wants a point and a sign)" if "e" in value.lower() else ""
            rule = f"{name} is {value!r}, which YAML reads as text{reason}"
            self.report(f"{rule}; write {better}", node.line, [replace_value(node, better)])
            return number
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(f"{name} takes a number, not {abbreviate(value)}", node.line)
        if abs(value) > 1e300 or math.isnan(value):
            self.fail(f"{name} takes a finite number, not {abbreviate(value)}", node.line)
        return value

    def integer(self, key: str, *, least: int) -> int | None:
        node = self.entries.get(key)
        if node is None or node.is_broken:
            return None
        number = parse_number(node.value) if isinstance(node.value, str) else None
        value = self.read_number(node, self._at(key)) if number is None else number
        if isinstance(value, float) and value.is_integer():
            number = value
        if (number is None and not isinstance(value, int)) or value < least or value != int(value):
            self.fail(f"{self._at(key)} takes a whole number of at least {least}, not {value}", node.line)
        if number is not None:
            rule = f"{self._at(key)} takes a whole number of at least {least}, not {abbreviate(node.value)}"
            self.report(f"{rule}; write {number:.0f}", node.line, [replace_value(node, f"{number:.0f}")])
        return int(value)

    def boolean(self, key: str) -> bool | None:
        node = self.entries.get(key)
        if node is None or node.is_broken:
            return None
        if not isinstance(node.value, bool):
            word = str(node.value).lower()
            edits = [replace_value(node, word)] if word in ("true", "false") else []
            self.fail(f"{self._at(key)} is true or false, not {abbreviate(node.value)}", node.line, edits)
        return node.value

    def sub(self, key: str, name: str) -> Section | None:
        """Return the mapping under `key`; messages call it `name`."""
        node = self.entries.get(key)
        if node is None:
            return None
        if not isinstance(node.value, dict):
            self.fail(f"{self._at(key)} takes lines of `key: value` below it, not {abbreviate(node.value)}", node.line)
        return Section(faults=self.faults, text=self.text, name=name, node=node)

    def find_line(self, key: str) -> int:
        return self.entries[key].line if key in self.entries else self.line

    def remove(self, *keys: str) -> list[Edit]:
        """Return the edits that take entries away."""
        return remove_entries(self.text, self.node, keys)

    def add(self, entry: str) -> list[Edit]:
        """Return the edit that adds an entry, written `key: value`."""
        return [add_entry(self.text, self.node, entry)]

    def report(self, message: str, line: int | None = None, edits: Sequence[Edit] = ()) -> None:
        self.faults.add(message, self.line if line is None else line, edits)

    def fail(self, message: str, line: int | None = None, edits: Sequence[Edit] = ()) -> NoReturn:
        self.faults.fail(message, self.line if line is None else line, edits)

    def _at(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name != "sweep file" else key


def _begins_alike(word: str, name: str) -> bool:
    """Return whether one of both is the other's beginning, as of max and maximize, or random_search and random."""
    return len(word) > 2 and (word.startswith(name) or name.startswith(word))


def parse_number(text: str) -> int | float | None:
    """Return the number that `text` looks like, such as 1e-3 or 08; None where it looks like none."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text.replace(",", "."))
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and not set(text) & set(".,eE") else number


def write_number(number: int | float) -> str:
    """Write a number as YAML reads it back."""
    return str(number) if isinstance(number, int) else yaml_number(number)


def yaml_number(value: float) -> str:
    """Write a float so that YAML 1.1 reads it back: 1.0e-05, not 1e-05."""
    text = repr(float(value))
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent if exponent[0] in '+-' else '+' + exponent}"


def abbreviate(value: object) -> str:
    """Write a value of the file, shortened for a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**300:
        return "a number of more than 300 digits"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
