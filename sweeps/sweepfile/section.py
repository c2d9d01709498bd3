"""One mapping of a sweep file with typed access to its entries; every error carries the file and the line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from arena.base.suggest import did_you_mean
from sweeps.errors import SweepFileError
from sweeps.sweepfile.yaml_lines import Node

_EXPONENT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """The entries of one mapping; messages call it `name`."""

    file: str
    name: str
    entries: Mapping[str, Node]
    line: int

    def refuse_unknown(self, keys: Iterable[str], foreign: Mapping[str, str]) -> None:
        """Refuse the first key that is none of `keys`; `foreign` holds W&B's other keys and the reasons against them."""
        names = list(keys)
        for key, node in self.entries.items():
            if key in foreign:
                self.fail(f"{self.name}: {key!r} {foreign[key]}", node.line)
            if key not in names:
                self.fail(f"{self.name}: unknown key {key!r}{did_you_mean(key, names)}", node.line)

    def text(self, key: str) -> str | None:
        node = self.entries.get(key)
        if node is None:
            return None
        if not isinstance(node.value, str) or not node.value:
            self.fail(f"{self._at(key)} takes text, not {abbreviate(node.value)}", node.line)
        return node.value

    def option(self, key: str, allowed: Iterable[str]) -> str | None:
        value = self.text(key)
        names = list(allowed)
        if value is not None and value not in names:
            self.fail(
                f"{self._at(key)} is one of {', '.join(names)}, not {value!r}{did_you_mean(value, names, '')}",
                self.find_line(key),
            )
        return value

    def number(self, key: str) -> int | float | None:
        node = self.entries.get(key)
        return None if node is None else self.read_number(node, self._at(key))

    def read_number(self, node: Node, name: str) -> int | float:
        """Return the finite number in `node`, an int where the file has one."""
        value = node.value
        if isinstance(value, str) and _EXPONENT.fullmatch(value):
            better = yaml_number(float(value))
            self.fail(f"{name} is {value!r}, which YAML reads as text (it wants a point and a sign); write {better}", node.line)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(f"{name} takes a number, not {abbreviate(value)}", node.line)
        if abs(value) > 1e300 or math.isnan(value):
            self.fail(f"{name} takes a finite number, not {abbreviate(value)}", node.line)
        return value

    def integer(self, key: str, *, least: int) -> int | None:
        value = self.number(key)
        if value is None:
            return None
        if not isinstance(value, int) or value < least:
            self.fail(f"{self._at(key)} takes a whole number of at least {least}, not {value}", self.find_line(key))
        return value

    def sub(self, key: str, name: str) -> Section | None:
        """Return the mapping under `key`; messages call it `name`."""
        node = self.entries.get(key)
        if node is None:
            return None
        if not isinstance(node.value, dict):
            self.fail(f"{self._at(key)} takes lines of `key: value` below it, not {abbreviate(node.value)}", node.line)
        return Section(file=self.file, name=name, entries=node.value, line=node.line)

    def find_line(self, key: str) -> int:
        return self.entries[key].line if key in self.entries else self.line

    def fail(self, message: str, line: int | None = None) -> NoReturn:
        raise SweepFileError(message, file=self.file, line=self.line if line is None else line)

    def _at(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name != "sweep file" else key


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
