"""Search engine on Optuna: claims within an exact budget, takes over trials of dead agents, answers duplicates.

Every step that reads and then writes holds the study's lock, so that all agents see one order of events. A step that a lost
connection interrupts is retried as a whole; its earlier writes count as those of an agent that died.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime

import optuna
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from sweeps.engines import optuna_space
from sweeps.engines.bands import TWIN
from sweeps.engines.counts import explain_end, open_counter
from sweeps.engines.objectives import COSTS, measure_excess
from sweeps.engines.optuna_trials import (
    CAUSE,
    COMPLETED,
    INFEASIBLE,
    PARAMS,
    RUN,
    RUNS,
    SECONDS,
    TAIL,
    compute_value,
    enqueue_known_point,
    is_abandoned,
    is_duplicate,
    list_by_run,
    open_to_write,
    read_trials,
)
from sweeps.engines.protocol import Claim, Idle
from sweeps.errors import StudyError
from sweeps.study.clock import WorkClock
from sweeps.study.folder import StudyFolder
from sweeps.study.lease import LEASE, create_lease, read_lease
from sweeps.study.limits import Limits
from sweeps.study.retry import with_retries
from sweeps.sweepfile.space import all_points, n_points
from sweeps.sweepfile.sweep import Method
from sweeps.training import configuration
from sweeps.training.configuration import Point
from sweeps.training.trial import Step, TrialResult, TrialState

Identify = Callable[[Mapping[str, object]], Point]

_MAX_LEARNT, _MAX_RANDOM = 20, 5  # duplicates in a row from the learning sampler, then from the random one
_STATES = {
    TrialState.FINISHED: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
}


class OptunaEngine:
    """One study on Optuna's journal or in a database, for one agent."""

    def __init__(self, folder: StudyFolder, agent: str, identify: Identify, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._agent = agent
        self._identify, self._say = identify, say
        self._runs: dict[tuple[object, ...], str] = {}  # run by point, of a finite space and of known points
        self._unconfirmed: set[int] = set()  # trials with a write of ours that was not confirmed
        self.spec = folder.read_spec()
        self.end = ""
        self._database = folder.find_database()
        with folder.lock_in(self._database) as now:
            self._clock = WorkClock(folder, now)
            self._study, self._storage = open_to_write(folder, self.spec, say)
        self._study_id = self._storage.get_study_id_from_name(self.spec.name)
        self._counter = open_counter(folder, self.spec)

    def share(self) -> float:
        return with_retries(self._counter.read, self._say).n_begun / self.spec.budget

    def count_work(self) -> None:
        if self.spec.limits.hours is not None:
            with_retries(self._count_work, self._say)

    def rest(self) -> None:
        self._clock.stop()

    def claim(self) -> Claim | Idle:
        return with_retries(self._claim, self._say)

    def report(self, claim: Claim, step: int, value: float) -> Step:
        return with_retries(functools.partial(self._report, claim, step, value), self._say)

    def renew(self, claim: Claim) -> Step:
        return with_retries(functools.partial(self._renew, claim), self._say)

    def finish(self, claim: Claim, result: TrialResult) -> bool:
        return with_retries(functools.partial(self._finish, claim, result), self._say)

    def release(self, claim: Claim) -> None:
        with_retries(functools.partial(self._release, claim), self._say)

    def _claim(self) -> Claim | Idle:
        with self._folder.lock_in(self._database) as now:
            self.spec = self._folder.read_spec()
            trials = self._trials()
            n_completed = sum(trial.state in COMPLETED and not is_duplicate(trial) for trial in trials)
            if n_completed >= self.spec.budget:
                return Idle.DONE
            self.end = self._find_end(now)
            if self.end:
                return Idle.ENDED
            running = [trial for trial in trials if trial.state is OptunaState.RUNNING]
            abandoned = [trial for trial in running if is_abandoned(trial, now) or self._is_half_claimed(trial)]
            n_alive = len(running) - len(abandoned)
            if n_completed + n_alive >= self.spec.budget:
                return Idle.WAIT
            for trial in abandoned:
                claim = self._claim_abandoned(trial, now)
                if claim:
                    return claim
            return self._new_point(now) or (Idle.WAIT if n_alive else Idle.EXHAUSTED)

    def _count_work(self) -> None:
        with self._folder.lock_in(self._database) as now:
            self._clock.count(now)

    def _find_end(self, now: datetime) -> str:
        if self.spec.limits.hours is not None:
            self._clock.count(now)
        return "" if self.spec.limits == Limits() else explain_end(self._folder, self.spec, self._counter.read())

    def _report(self, claim: Claim, step: int, value: float) -> Step:
        with self._folder.lock_in(self._database) as now:
            trial_id = self._id(claim.number)
            if not self._is_mine(trial_id):
                return Step.PAUSE
            self._storage.set_trial_intermediate_value(trial_id, step, value)
            self._hold(trial_id, now)
            if self.spec.settings.objectives:
                return Step.CONTINUE
            return Step.PRUNE if self._study.pruner.prune(self._study, self._storage.get_trial(trial_id)) else Step.CONTINUE

    def _renew(self, claim: Claim) -> Step:
        with self._folder.lock_in(self._database) as now:
            trial_id = self._id(claim.number)
            if not self._is_mine(trial_id):
                return Step.PAUSE
            self._hold(trial_id, now)
            return Step.CONTINUE

    def _finish(self, claim: Claim, result: TrialResult) -> bool:
        with self._folder.lock_in(self._database):
            trial_id = self._id(claim.number)
            if not self._is_mine(trial_id):
                return trial_id in self._unconfirmed and self._held_last(self._storage.get_trial(trial_id))
            reported = self._storage.get_trial(trial_id).intermediate_values
            for epoch, value in result.epochs.items():
                if epoch not in reported:  # trained by an agent that died before it could report
                    self._storage.set_trial_intermediate_value(trial_id, epoch, value)
            self._storage.set_trial_user_attr(trial_id, SECONDS, result.seconds)
            if result.state is TrialState.FAILED:
                self._storage.set_trial_user_attr(trial_id, CAUSE, result.cause)
                self._storage.set_trial_user_attr(trial_id, TAIL, list(result.tail))
                self._storage.set_trial_user_attr(trial_id, INFEASIBLE, result.out_of_memory)
            costs = self._store_costs(claim, trial_id, result)
            best = compute_value(self.spec.sweep, result.epochs) if result.state is TrialState.FINISHED else None
            values = None if best is None else [best, *(costs[name] for name in self.spec.settings.objectives)]
            self._unconfirmed.add(trial_id)
            self._study.tell(claim.number, values, _STATES[result.state])
            self._unconfirmed.remove(trial_id)
            self._counter.save()
            return True

    def _store_costs(self, claim: Claim, trial_id: int, result: TrialResult) -> dict[str, float]:
        """Store and return the costs of a trial; none where the study asks for none, or the trial has no result."""
        settings = self.spec.settings
        if result.state is TrialState.FAILED or not (settings.objectives or settings.constraints):
            return {}
        costs = {**configuration.measure_costs(self.spec.base, claim.params), "seconds": result.seconds}
        self._storage.set_trial_user_attr(trial_id, COSTS, costs)
        self._constrain(trial_id, costs)
        return costs

    def _constrain(self, trial_id: int, costs: Mapping[str, float]) -> None:
        trial = optuna.trial.Trial(self._study, trial_id)
        known = self._storage.get_trial(trial_id).constraints  # written before the connection was lost
        for name, excess in measure_excess(self.spec, costs).items():
            if name not in known:
                trial.set_constraint(name, excess)

    def _release(self, claim: Claim) -> None:
        with self._folder.lock_in(self._database):
            trial_id = self._id(claim.number)
            if self._is_mine(trial_id):
                self._storage.set_trial_user_attr(trial_id, LEASE, {})

    def _trials(self) -> list[FrozenTrial]:
        return read_trials(self._storage, self._study_id)

    def _id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)

    def _hold(self, trial_id: int, now: datetime) -> None:
        self._unconfirmed.add(trial_id)
        self._storage.set_trial_user_attr(trial_id, LEASE, create_lease(self._agent, now).as_dict())
        self._unconfirmed.remove(trial_id)

    def _is_mine(self, trial_id: int) -> bool:
        trial = self._storage.get_trial(trial_id)
        return trial.state is OptunaState.RUNNING and self._held_last(trial)

    def _held_last(self, trial: FrozenTrial) -> bool:
        lease = read_lease(trial.user_attrs)
        return lease is not None and lease.belongs_to_this_process()

    def _is_half_claimed(self, trial: FrozenTrial) -> bool:
        """Tell whether a claim of ours lost its confirmation with the connection."""
        return bool(self._unconfirmed) and self._id(trial.number) in self._unconfirmed and self._held_last(trial)

    def _claim_abandoned(self, trial: FrozenTrial, now: datetime) -> Claim | None:
        if LEASE not in trial.user_attrs:  # its agent died between asking and claiming
            unclaimed = optuna.trial.Trial(self._study, self._id(trial.number))
            return self._claim_or_answer(unclaimed, list_by_run(self._trials()), now)
        self._hold(self._id(trial.number), now)
        return Claim(number=trial.number, params=dict(trial.user_attrs[PARAMS]), run=trial.user_attrs[RUN])

    def _new_point(self, now: datetime) -> Claim | None:
        """Claim a point that no trial of the study has; return None when there is none."""
        trials_by_run = list_by_run(self._trials())
        enqueue_known_point(self._study, self.spec, self._trials(), self._find_run)
        while any(trial.state is OptunaState.WAITING for trial in self._trials()):
            self._study.sampler = self._make_sampler(learns=False)
            claim = self._claim_or_answer(self._study.ask(), trials_by_run, now)
            if claim:
                return claim
        if self.spec.sweep.method is not Method.GRID:
            for n_tries in range(_MAX_LEARNT + _MAX_RANDOM):
                self._study.sampler = self._make_sampler(learns=n_tries < _MAX_LEARNT)
                claim = self._claim_or_answer(self._study.ask(), trials_by_run, now)
                if claim:
                    return claim
        return self._claim_first_free(trials_by_run, now)

    def _make_sampler(self, *, learns: bool) -> BaseSampler:
        spec, seed, n = self.spec, optuna_space.choose_seed(self.spec), len(self._trials())
        make, sweep = optuna_space.make_sampler, spec.sweep
        return make(sweep, spec.budget, seed, n) if learns else optuna_space.make_random_sampler(seed, n)

    def _claim_first_free(self, trials_by_run: Mapping[str, FrozenTrial], now: datetime) -> Claim | None:
        parameters = self.spec.sweep.parameters
        if n_points(parameters) is None:
            return None
        for values in all_points(parameters):
            if self._find_run(values) not in trials_by_run:
                self._study.enqueue_trial(optuna_space.encode_point(parameters, values))
                return self._claim_or_answer(self._study.ask(), trials_by_run, now)
        return None

    def _find_run(self, values: Mapping[str, object]) -> str:
        key = tuple(values.values())
        if key not in self._runs:
            self._runs[key] = self._identify(values).run
        return self._runs[key]

    def _claim_or_answer(
        self, trial: optuna.trial.Trial, trials_by_run: Mapping[str, FrozenTrial], now: datetime
    ) -> Claim | None:
        """Suggest parameters for `trial`; claim it, or answer it if another trial has the same point."""
        parameters = self.spec.sweep.parameters
        draws = optuna_space.suggest(trial, parameters)
        try:
            point = self._identify(optuna_space.decode_point(parameters, draws))
        except StudyError as error:  # values that are valid each, but not together
            trial.set_user_attr(CAUSE, str(error))
            self._study.tell(trial, None, OptunaState.FAIL)
            raise
        trial.set_user_attr(PARAMS, point.params)
        trial.set_user_attr(RUN, point.run)
        if len(point.runs) > 1:
            trial.set_user_attr(RUNS, point.runs)
        twin = trials_by_run.get(point.run)
        if twin is not None:
            self._answer(trial, twin)
            return None
        self._hold(self._id(trial.number), now)
        return Claim(number=trial.number, params=point.params, run=point.run)

    def _answer(self, trial: optuna.trial.Trial, twin: FrozenTrial) -> None:
        """End a duplicate with its twin's result; one that repeats a running trial fails without a result."""
        trial.set_user_attr(TWIN, twin.number)
        for epoch, value in twin.intermediate_values.items() if twin.state in COMPLETED else ():
            self._storage.set_trial_intermediate_value(self._id(trial.number), epoch, value)
        state = twin.state if twin.state in COMPLETED else OptunaState.FAIL
        if COSTS in twin.user_attrs and state is not OptunaState.FAIL:
            trial.set_user_attr(COSTS, twin.user_attrs[COSTS])
            self._constrain(self._id(trial.number), twin.user_attrs[COSTS])
        self._study.tell(trial, twin.values if state is OptunaState.COMPLETE else None, state)
