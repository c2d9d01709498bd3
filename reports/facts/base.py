"""Values that every part of the facts uses: notes and paired differences."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from arena.base.scores import Interval


class NoteKind(StrEnum):
    """Severity of a note."""

    ERROR = "error"  # a number of a run contradicts its own predictions, or something cannot be read
    WARNING = "warning"  # the numbers may say something else than they seem to
    MISSING = "missing"
    REMARK = "remark"


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A warning or remark to the page's reader; `text` is in the page's language."""

    kind: NoteKind
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DifferenceFacts:
    """A difference of test macro-F1 on the same resamples of the same test clips."""

    value: float
    interval: Interval
    parts: tuple[tuple[str, float], ...] = ()  # the differences it is the mean of, each with its name
    speakers: tuple[tuple[str, float], ...] = ()  # the same of each speaker's own clips, by name

    @property
    def is_clear(self) -> bool:
        """Return whether the interval lies on one side of zero."""
        return self.interval.low > 0 or self.interval.high < 0

    @property
    def n_higher(self) -> int:
        """Return the number of speakers whose difference is above zero."""
        return sum(value > 0 for _, value in self.speakers)
