"""Agent that trains several trials at once as one net; its studies see ordinary trials."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sweeps.agents.agent import Agent
from sweeps.engines.protocol import Claim, Engine
from sweeps.pool.agent_options import AUTO, WAIT_S, AgentOptions, AgentSignals, Say
from sweeps.study.control import Command
from sweeps.training import fused_trials
from sweeps.training.fused_trials import FusedTraining, FusedTrials
from sweeps.training.trial import Repeats, Task, TrialContext, TrialResult

if TYPE_CHECKING:
    from sweeps.training.fused_trials import FusionPlan


_MAX_TRIALS = 128  # upper bound for the search of the fastest number
_RENEW_S = 60.0  # well within the grace time of a lease


@dataclass(kw_only=True, slots=True)
class _ClaimedTrial:
    """A trial of this agent, in training or waiting for a turn of its stack key."""

    engine: Engine
    claim: Claim
    repeats: Repeats
    context: TrialContext
    task: Task  # the training that comes next
    training: FusedTraining

    @property
    def stack_key(self) -> Hashable:
        return self.training.stack_key


class FusedAgent(Agent):
    """Agent that trains trials with equal stack keys together, the most numerous first.

    Each trial that ends makes room for another, which joins the net if its stack key fits.
    """

    def __init__(self, engines: Sequence[Engine], options: AgentOptions, signals: AgentSignals, say: Say) -> None:
        super().__init__(engines, options, signals, say)
        self._max_trials = options.fuse
        self._fusing: FusionPlan | None = None  # decided with the first trial
        self._waiting: list[_ClaimedTrial] = []
        self._refused: set[Hashable] = set()  # stack keys of nets that cannot be fused
        self._renewed_at = time.monotonic()

    def run(self) -> int:
        try:
            while not self._signals.signal and not self._exit_code and (self._engines or self._waiting):
                self._fill()
                if self._waiting:
                    self._train_next()
                elif self._engines:
                    time.sleep(WAIT_S)
        finally:
            for trial in self._waiting:
                trial.engine.release(trial.claim)
        return self._exit_code

    def _fill(self, n_in_work: int = 0) -> None:
        """Claim trials up to the limit, those in work included; release those of paused and stopped studies."""
        for trial in [trial for trial in self._waiting if self._read_command(trial.engine) is not Command.RUN]:
            self._waiting.remove(trial)
            trial.engine.release(trial.claim)
        while len(self._waiting) + n_in_work < (self._max_trials or 1):
            pair = self._claim()
            if not pair:
                return
            engine, claim = pair
            trial = self._open_trial(engine, claim)
            if self._fusing is None:
                limit = min(_MAX_TRIALS, engine.spec.budget)
                self._fusing = fused_trials.choose_fusing(trial.context, claim.params, self._max_trials, limit)
                n, self._max_trials = self._max_trials, self._fusing.n_members
                if n == AUTO:
                    self._say(
                        f"{self._max_trials} trials are fused"
                        if self._max_trials > 1
                        else "fusing does not pay here: one at a time"
                    )
            self._waiting.append(trial)

    def _open_trial(self, engine: Engine, claim: Claim) -> _ClaimedTrial:
        context, task = self._context(engine), self._task(engine, claim)
        return _ClaimedTrial(
            engine=engine,
            claim=claim,
            repeats=Repeats(n=len(context.bases), is_maximized=task.is_maximized),
            context=context,
            task=task,
            training=fused_trials.describe_training(context, task),
        )

    def _train_next(self) -> None:
        stack_key, n = Counter(trial.stack_key for trial in self._waiting).most_common(1)[0]
        first = next(trial for trial in self._waiting if trial.stack_key == stack_key)
        if n > 1 and stack_key not in self._refused:
            reason = fused_trials.explain_unfusable(first.context, first.claim.params)
            if not reason:
                return self._train_together(stack_key, first)
            self._refused.add(stack_key)
            self._say(f"study {first.engine.spec.name}: {reason}; its trials are trained one by one")
        self._waiting.remove(first)
        self._train(first.engine, first.claim)
        self._renew()

    def _train_together(self, stack_key: Hashable, first: _ClaimedTrial) -> None:
        assert self._fusing is not None
        group = FusedTrials(first.context, first.task, self._fusing)
        in_work: dict[fused_trials.TrialKey, _ClaimedTrial] = {}
        try:
            self._join(group, stack_key, in_work)
            while len(group):
                results = group.train_epoch()
                if len(results) > 1 and all(result.out_of_memory for _, result in results):
                    self._max_trials = max(1, len(results) // 2)
                    self._say(f"out of memory with {len(results)} trials in one net: {self._max_trials} from now on")
                    break  # all go on from their last epoch
                for key, result in results:
                    self._end_training(in_work.pop(key), result)
                if not self._signals.signal and not self._exit_code:
                    self._fill(len(in_work))
                    self._join(group, stack_key, in_work)
                self._renew()
        finally:
            group.pause()
            for trial in in_work.values():
                trial.engine.release(trial.claim)

    def _join(self, group: FusedTrials, stack_key: Hashable, in_work: dict[fused_trials.TrialKey, _ClaimedTrial]) -> None:
        for trial in [trial for trial in self._waiting if trial.stack_key == stack_key and not group.has(trial.training.run)]:
            self._waiting.remove(trial)
            engine, claim = trial.engine, trial.claim
            result = group.join(trial.context, trial.task, self._hooks(engine, claim).on_epoch)
            if result is None:
                in_work[(engine.spec.name, claim.number)] = trial
            else:
                self._end_training(trial, result)

    def _end_training(self, trial: _ClaimedTrial, training: TrialResult) -> None:
        """Finish a trial after its last training; one that has more waits for its turn again."""
        result = trial.repeats.add(training, self._hooks(trial.engine, trial.claim).on_training)
        if result is not None:
            return self._finish(trial.engine, trial.claim, result)
        trial.task = replace(trial.task, training=trial.repeats.index)
        trial.training = fused_trials.describe_training(trial.context, trial.task)
        self._waiting.append(trial)

    def _renew(self) -> None:
        """Renew the leases of waiting trials: an agent on another host would take them over."""
        if time.monotonic() - self._renewed_at < _RENEW_S:
            return
        self._renewed_at = time.monotonic()
        for trial in self._waiting:
            trial.engine.renew(trial.claim)
