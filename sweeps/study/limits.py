"""Ends of a study before its budget."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sweeps.errors import OptionError


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Hours and value after which no trial begins; each `arena sweep run` sets both anew."""

    hours: float | None = None  # time of work on the study, in all calls with such a limit together
    until: float | None = None  # value of a finished trial

    def __post_init__(self) -> None:
        if self.hours is not None and not 0 < self.hours < math.inf:
            raise OptionError(f"--hours lies above 0, not {self.hours:g}")
        if self.until is not None and not math.isfinite(self.until):
            raise OptionError(f"--until is a value of the metric, such as 0.95, not {self.until:g}")

    def explain_end(self, hours: float, best: float | None, *, maximize: bool) -> str:
        """Return the reason that no trial begins after `hours` of work with this best value; empty where one may."""
        if self.until is not None and best is not None and (best >= self.until if maximize else best <= self.until):
            return f"its best, {best:.4f}, reached {self.until:g}"
        if self.hours is not None and hours >= self.hours:
            return f"its --hours {self.hours:g} are over"
        return ""
