"""User errors of sweeps; each message is one line: the rule, the offending value, the next step.

SweepError
├── OptionError      options of a command that do not go together
├── SweepFileError   a sweep file, with its name and line
└── StudyError       a study's folder, or a command that it does not allow
    └── UnreachableError   the database of a study cannot be reached now; a retry may succeed
"""

from __future__ import annotations

from arena.base.errors import ArenaError


class SweepError(ArenaError):
    """Base of every error that sweeps reports to its user."""


class OptionError(SweepError):
    """Options of a command that do not go together."""


class SweepFileError(SweepError):
    """A sweep file that cannot be used; `line` counts from 1, None where the whole file is meant."""

    def __init__(self, message: str, *, file: str = "", line: int | None = None) -> None:
        location = file + (f" line {line}" if line is not None else "")
        text = f"{location}: {message}" if location else message
        # Messages quote the file's content: its line breaks and terminal escapes are written as text.
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))
        self.rule = message
        self.file = file
        self.line = line
        self.others: tuple[str, ...] = ()  # the file's other faults, in the same words

    def _render_traceback_(self) -> list[str]:
        return [*super()._render_traceback_(), *(f"  {other}" for other in self.others)]


class StudyError(SweepError):
    """A study that is missing, damaged, of another make, or cannot be written."""


class UnreachableError(StudyError):
    """A study's database that cannot be reached now."""
