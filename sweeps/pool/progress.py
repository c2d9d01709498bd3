"""What a pool's studies come to while agents work: counts, speed and time left, from what was added to their files."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeps.engines import counts
from sweeps.engines.counts import StudyCounts
from sweeps.study import control
from sweeps.study.control import Wish
from sweeps.study.folder import StudyFolder, StudySpec

_WINDOW_S = 60.0  # over which clips per second are told


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyLine:
    """One study of the pool."""

    name: str
    budget: int
    metric: str
    wish: Wish
    counts: StudyCounts
    n_clips: int  # trained in an epoch
    epochs: int  # of a trial that nothing ends early

    @property
    def n_settled(self) -> int:
        """Up to the budget, so that one study can not stand in for another."""
        return min(self.counts.n_completed, self.budget)

    @property
    def clips_left(self) -> float:
        """To train until the budget is reached, if trials go on taking as many epochs as they did."""
        if self.wish is Wish.STOP:
            return 0.0
        a_trial = self.counts.epochs_completed / self.counts.n_completed if self.counts.n_completed else float(self.epochs)
        begun = min(self.counts.epochs - self.counts.epochs_completed, a_trial * self.counts.running)
        return max(a_trial * (self.budget - self.n_settled) - begun, 0.0) * self.n_clips


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """The pool at one moment."""

    lines: tuple[StudyLine, ...]
    elapsed_s: float
    clips_per_s: float  # trained by all agents; 0 before the first epoch
    left_s: float | None  # None where nothing tells yet

    @property
    def n_settled(self) -> int:
        return sum(line.n_settled for line in self.lines)

    @property
    def budget(self) -> int:
        return sum(line.budget for line in self.lines)

    def total(self, name: str) -> int:
        """One of the counts over all studies."""
        return sum(int(getattr(line.counts, name)) for line in self.lines)


class Watch:
    """Looks at studies again and again."""

    def __init__(
        self, specs: Sequence[StudySpec], studies_dir: Path, n_clips: Sequence[int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        folders = [StudyFolder(studies_dir / spec.name) for spec in specs]
        self._studies = [
            (spec, folder, counts.open_counter(folder, spec.sweep.goal), n)
            for spec, folder, n in zip(specs, folders, n_clips, strict=True)
        ]
        self._clock = clock
        self._started = clock()
        self._seen: deque[tuple[float, int]] = deque()  # when, and how many clips were trained by then

    def look(self) -> View:
        """The pool now.

        Raises:
            StudyError: a study's files are damaged.
        """
        at = self._clock()
        lines = tuple(
            StudyLine(
                name=spec.name,
                budget=spec.budget,
                metric=spec.sweep.metric,
                wish=control.wish_of(folder),
                counts=counter.read(),
                n_clips=n,
                epochs=int(spec.base["train"]["epochs"]),
            )
            for spec, folder, counter, n in self._studies
        )
        speed = self._speed(at, sum(line.counts.epochs * line.n_clips for line in lines))
        left = sum(line.clips_left for line in lines)
        left_s = 0.0 if not left else left / speed if speed else None
        return View(lines=lines, elapsed_s=at - self._started, clips_per_s=speed, left_s=left_s)

    def _speed(self, at: float, n_clips: int) -> float:
        self._seen.append((at, n_clips))
        while len(self._seen) > 2 and self._seen[1][0] <= at - _WINDOW_S:
            self._seen.popleft()
        first_at, first = self._seen[0]
        return (n_clips - first) / (at - first_at) if at > first_at else 0.0
