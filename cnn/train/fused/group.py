"""A group of trainings as one stacked net: each ends as if it had trained alone, in a run folder like any other.

M members, B clips each. docs/explanation/fused.md has what can be fused, and why.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from cnn.config import RunConfig
from cnn.errors import CnnError, RunError
from cnn.hardware import n_cores
from cnn.runs.folder import EpochRow, RunFolder, RunState, Score
from cnn.runs.marks import lock_run
from cnn.train.device import limit_threads
from cnn.train.fused.stack import FusedStack, compute_stack_key
from cnn.train.fused.stacked_layers import Formulation
from cnn.train.trainer import EpochStats, EpochTimes
from cnn.train.training_run import Decision, SplitData, TrainingRun, drop_checkpoints


class Outcome(Enum):
    """Outcome of a member of a group."""

    FINISHED = "finished"
    PRUNED = "pruned"
    PAUSED = "paused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberResult:
    """Result of a member that has left."""

    config: RunConfig
    folder: RunFolder
    how: Outcome
    error: CnnError | None = None


_ENDS = {RunState.FINISHED: Outcome.FINISHED, RunState.PRUNED: Outcome.PRUNED}


class TrainingGroup:
    """Trainings with the same stack key, one epoch of all at a time. Members join and leave between epochs."""

    def __init__(
        self,
        material: SplitData,
        runs_dir: Path,
        formulation: Formulation = Formulation.GROUPED,
        on_close: Callable[[RunConfig, RunFolder], None] | None = None,
    ) -> None:
        """`on_close` is called with every run that leaves, while its folder is still locked."""
        self._formulation = formulation
        self._material = material
        self._runs_dir = runs_dir
        self._on_close = on_close
        self._members: list[_Member] = []
        self._stack: FusedStack | None = None

    def __len__(self) -> int:
        return len(self._members)

    def join(self, config: RunConfig, listener: Callable[[EpochRow], Decision]) -> MemberResult | None:
        """Add a training, new or resumed; return its result at once if nothing remains to be trained.

        Raises:
            CnnError: the run folder cannot be used.
        """
        assert not self._members or compute_stack_key(config) == compute_stack_key(self._members[0].training.config)
        folder = RunFolder(self._runs_dir / config.digest)
        with contextlib.ExitStack() as lock:
            lock.enter_context(lock_run(folder))
            if folder.state() is RunState.FINISHED:
                drop_checkpoints(folder)
                return MemberResult(config=config, folder=folder, how=Outcome.FINISHED)
            training = TrainingRun(config, self._material, folder)
            member = _Member(training=training, listener=listener, lock=lock.pop_all())
        if training.trainer.is_finished:
            return self._leave(member, RunState.FINISHED)
        self._members.append(member)
        self._stack = None
        return None

    def run_epoch(self) -> list[MemberResult]:
        """Train one epoch of all members; return the results of those that leave the group here."""
        val = self._material.clips["val"]
        with limit_threads(self._material.device):
            fits = [member.training.trainer for member in self._members]
            started = time.perf_counter()
            if self._stack is None:
                self._stack = FusedStack(fits)
                self._stack.set_formulation(self._formulation)
            learnt = self._stack.train_epoch(self._material.learnt, val=val)
            training_s = time.perf_counter() - started
            scores = self._stack.score(val)
            share = 1 / len(fits)
            times = EpochTimes(training_s=training_s * share, epoch_s=(time.perf_counter() - started) * share)
            with ThreadPoolExecutor(n_cores()) as pool:  # checkpoints: hashing and the disk take longer than the epoch did
                saves = [pool.submit(_save, *results, times) for results in zip(self._members, learnt, scores, strict=True)]
            ended = []
            for member, save in zip(list(self._members), saves, strict=True):
                end = self._after(member, save)
                if end is not None:
                    ended.append(end)
                    self._members.remove(member)
                    self._stack = None
            return ended

    def pause(self) -> list[MemberResult]:
        """Release all members, unfinished; each resumes after its last epoch when it joins again."""
        ended = [self._leave(member, RunState.UNFINISHED) for member in self._members]
        self._members, self._stack = [], None
        return ended

    def _after(self, member: _Member, save: Future[EpochRow]) -> MemberResult | None:
        training = member.training
        try:
            state = training.decide(save.result(), member.listener)
        except RunError as error:  # concerns this member alone
            training.fail(error)
            result = self._leave(member, RunState.UNFINISHED)
            return replace(result, how=Outcome.FAILED, error=error)
        if state is RunState.UNFINISHED and not training.is_paused:
            return None
        return self._leave(member, state)

    def _leave(self, member: _Member, state: RunState) -> MemberResult:
        with member.lock:
            if state is not RunState.UNFINISHED:
                member.training.finish(state)
            if self._on_close:
                self._on_close(member.training.config, member.training.folder)
        how = _ENDS.get(state, Outcome.PAUSED)
        return MemberResult(config=member.training.config, folder=member.training.folder, how=how)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Member:
    training: TrainingRun
    listener: Callable[[EpochRow], Decision]
    lock: contextlib.ExitStack


def _save(member: _Member, learnt: EpochStats, score: Score, times: EpochTimes) -> EpochRow:
    row = member.training.trainer.record_epoch(learnt, score, times)
    member.training.write_epoch()
    return row
