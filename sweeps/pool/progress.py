"""Progress of a running pool: trial counts, throughput and time left. Reads studies incrementally."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeps.engines import counts
from sweeps.engines.counts import StudyCounter, StudyCounts
from sweeps.study import control
from sweeps.study.control import Command
from sweeps.study.folder import StudyFolder, StudySpec

_WINDOW_S = 60.0  # for the average of clips per second


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyProgress:
    """Progress of one study of the pool."""

    name: str
    budget: int
    metric: str
    command: Command
    counts: StudyCounts
    n_clips: int  # clips in an epoch, or in a training of a trial that has several
    epochs: int  # epochs of a trial that is not ended early, or its trainings
    end: str = ""  # the reason that no trial begins any more before the budget is reached

    @property
    def n_completed(self) -> int:
        """Completed trials, at most the budget: one study's surplus is not another's progress."""
        return min(self.counts.n_completed, self.budget)

    @property
    def is_unfinished(self) -> bool:
        return self.n_completed < self.budget and not self.end

    @property
    def remaining_clips(self) -> float:
        """Clips to train until the budget is reached, if trials go on taking as many epochs as they did."""
        if self.command is Command.STOP or self.end:
            return 0.0
        mean_epochs = self.counts.epochs_completed / self.counts.n_completed if self.counts.n_completed else float(self.epochs)
        n_begun = min(self.counts.epochs - self.counts.epochs_completed, mean_epochs * self.counts.running)
        return max(mean_epochs * (self.budget - self.n_completed) - n_begun, 0.0) * self.n_clips


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolProgress:
    """Progress of all studies of a pool at one moment."""

    studies: tuple[StudyProgress, ...]
    elapsed_s: float
    clips_per_s: float  # trained by all agents; 0 before the first epoch
    remaining_s: float | None  # None before the first epoch

    @property
    def n_completed(self) -> int:
        return sum(study.n_completed for study in self.studies)

    @property
    def budget(self) -> int:
        return sum(study.budget for study in self.studies)

    def sum_counts(self, state: str) -> int:
        """Return the number of trials in `state`, over all studies."""
        return sum(int(getattr(study.counts, state)) for study in self.studies)


def _read_study(spec: StudySpec, folder: StudyFolder, counter: StudyCounter, n_clips: int) -> StudyProgress:
    study_counts = counter.read()
    return StudyProgress(
        name=spec.name,
        budget=spec.budget,
        metric=spec.sweep.metric,
        command=control.read_command(folder),
        counts=study_counts,
        n_clips=n_clips,
        epochs=spec.settings.n_trainings if spec.settings.n_trainings > 1 else int(spec.base["train"]["epochs"]),
        end=counts.explain_end(folder, spec, study_counts),
    )


class ProgressReader:
    """Reader of a pool's progress, called again and again."""

    def __init__(
        self, specs: Sequence[StudySpec], studies_dir: Path, n_clips: Sequence[int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        folders = [StudyFolder(studies_dir / spec.name) for spec in specs]
        self._studies = [
            (spec, folder, counts.open_counter(folder, spec), n)
            for spec, folder, n in zip(specs, folders, n_clips, strict=True)
        ]
        self._clock = clock
        self._started = clock()
        self._samples: deque[tuple[float, int]] = deque()  # time, and clips trained by then

    def read(self) -> PoolProgress:
        """Return the progress now.

        Raises:
            StudyError: a study's files are damaged.
        """
        time_s = self._clock()
        studies = tuple(_read_study(*study) for study in self._studies)
        speed = self._speed(time_s, sum(study.counts.epochs * study.n_clips for study in studies))
        remaining = sum(study.remaining_clips for study in studies)
        remaining_s = 0.0 if not remaining else remaining / speed if speed else None
        return PoolProgress(studies=studies, elapsed_s=time_s - self._started, clips_per_s=speed, remaining_s=remaining_s)

    def _speed(self, time_s: float, n_clips: int) -> float:
        self._samples.append((time_s, n_clips))
        while len(self._samples) > 2 and self._samples[1][0] <= time_s - _WINDOW_S:
            self._samples.popleft()
        first_s, first = self._samples[0]
        return (n_clips - first) / (time_s - first_s) if time_s > first_s else 0.0
