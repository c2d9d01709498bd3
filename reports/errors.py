"""Mistakes of a user of reports; each message is one line: the rule, what came, what to do.

ReportError
├── NothingToReport   no finished run, no study, no contest
├── SourceError       a run folder, study or contest that was asked for and cannot be read
└── OutputError       the page cannot be written
"""

from __future__ import annotations

from arena.base.errors import ArenaError


class ReportError(ArenaError):
    """Base of every mistake that reports tells its user."""


class NothingToReport(ReportError):
    """There is no finished run, no study and no contest."""


class SourceError(ReportError):
    """A run folder, study or contest that was named cannot be read."""


class OutputError(ReportError):
    """The page cannot be written where it was asked for."""
