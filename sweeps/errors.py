"""Mistakes of a user of sweeps; each message is one line: the rule, what came, what to do.

SweepError
├── OptionError      options of a command that do not go together
├── SweepFileError   a sweep file, with its name and line
└── StudyError       a study's folder, or what was asked of it
    └── UnreachableError   the database of a study is not to be reached now; asked again, it may be
"""

from __future__ import annotations


class SweepError(Exception):
    """Base of every mistake that sweeps reports to its user."""


class OptionError(SweepError):
    """Options of a command that do not go together."""


class SweepFileError(SweepError):
    """A sweep file that cannot be used; `line` counts from 1, None where the whole file is meant."""

    def __init__(self, message: str, *, file: str = "", line: int | None = None) -> None:
        place = file + (f" line {line}" if line is not None else "")
        text = f"{place}: {message}" if place else message
        # What the file holds is quoted in messages: no line break or terminal escape of it gets through.
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))
        self.file = file
        self.line = line


class StudyError(SweepError):
    """A study that is missing, damaged, of another make, or cannot be written."""


class UnreachableError(StudyError):
    """A study's database that cannot be reached now."""
