"""Faults of a sweep file, all of them in one reading, each with the edits that mend it where there is one answer."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from sweeps.errors import SweepFileError


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters `start` to `end` of the file, without the end, become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault: the rule, what came, and what to do; `line` counts from 1, None where the whole file is meant."""

    message: str
    line: int | None
    edits: tuple[Edit, ...] = ()

    @property
    def fix(self) -> str:
        """The advice: the part of the message behind the rule."""
        return self.message.partition("; ")[2]


class Unreadable(Exception):
    """A part of the file is left out, since its fault is reported."""


class Faults:
    """The faults of one file while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._faults: dict[tuple[int | None, str], Fault] = {}

    def add(self, message: str, line: int | None, edits: Sequence[Edit] = ()) -> None:
        """Report a fault, and go on; one that an alias repeats counts once."""
        self._faults.setdefault((line, message), Fault(message=message, line=line, edits=tuple(edits)))

    def drop(self, span: tuple[int, int]) -> None:
        """Forget the faults that replace the value at `span`, which is read otherwise."""
        self._faults = {key: f for key, f in self._faults.items() if (span not in [(e.start, e.end) for e in f.edits])}

    def fail(self, message: str, line: int | None, edits: Sequence[Edit] = ()) -> NoReturn:
        """Report a fault, and leave the part of the file that `collect` is around."""
        self.add(message, line, edits)
        raise Unreadable

    def collect(self) -> contextlib.suppress:
        """Return the context that ends the reading of one part at its first fault that allows no more."""
        return contextlib.suppress(Unreadable)

    def list(self) -> tuple[Fault, ...]:
        """Return all faults in the file's order, those of the whole file last."""
        return tuple(sorted(self._faults.values(), key=lambda fault: (fault.line is None, fault.line or 0)))

    def check(self) -> None:
        """Raise SweepFileError if there is any fault; its message has the first, and `others` the rest."""
        if faults := self.list():
            raise make_error(self.file, faults)


def make_error(file: str, faults: Sequence[Fault]) -> SweepFileError:
    """Return the error that says all `faults`, of which there is at least one."""
    first, *rest = (SweepFileError(fault.message, file=file, line=fault.line) for fault in faults)
    first.others = tuple(map(str, rest))
    return first
