"""`arena sweep best --train`: a trial's settings trained with other seeds, and what they are worth."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from arena.base.terminal import Number, Prose, print_table, print_text
from sweeps.cli.tables import print_front, print_point
from sweeps.errors import StudyError
from sweeps.importance import explain_absence
from sweeps.results import StudyFacts, TrialFacts, read_outline, read_study
from sweeps.retraining import Retraining, RetrainingRecord, format_best_command, write_retraining
from sweeps.study.folder import StudyFolder
from sweeps.training.retraining import TrainingWorkers, plan_retraining, retrain
from sweeps.training.trial import TrialContext

_INDENT = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrainingRequest:
    """Trainings of a trial's settings."""

    trial: int | None  # None: the best
    n_seeds: int
    overrides: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenTrial:
    """The best trial of a study, or another one, with the command that trains its settings anew."""

    facts: StudyFacts
    trial: TrialFacts
    retraining_command: str

    @property
    def note(self) -> str:
        """Return the reason why there are no importances."""
        return "" if self.facts.importances else explain_absence(self.facts.n_completed)

    def as_dict(self) -> dict[str, object]:
        facts, retraining = self.facts, self.facts.retraining
        return {
            "best": dataclasses.asdict(self.trial),
            **({"front": [dataclasses.asdict(trial) for trial in facts.front]} if facts.objectives else {}),
            "importances": {name: dataclasses.asdict(importance) for name, importance in self.facts.importances.items()},
            "importances_note": self.note,
            "command": self.facts.command,
            "retraining_command": self.retraining_command,
            "retraining": dataclasses.asdict(retraining) if retraining else None,
        }


def read_best(studies: Path, name: str, number: int | None, record: RetrainingRecord | None = None) -> ChosenTrial:
    """Read a study's best trial, or that of a number, with the retraining of a record.

    Raises:
        StudyError: there is no such study, or no such trial with a result.
    """
    facts = read_study(studies, name, number, record)
    trial = _check_chosen(facts, number)
    chosen = trial.number if facts.objectives else number  # --train asks which trial of a front is meant
    return ChosenTrial(facts=facts, trial=trial, retraining_command=format_best_command(studies, name, chosen))


def print_chosen(best: ChosenTrial) -> None:
    """Print the trial, its settings, and what came of their training anew, or the commands that train them."""
    facts, trial = best.facts, best.trial
    origin = f"mean of {len(trial.runs)} trainings" if len(trial.runs) > 1 else f"run {trial.run}"
    print(f"{facts.name}: trial {trial.number}, {facts.metric} {trial.value:.4f}, {origin}")
    print_point(trial, facts.importances)
    if best.note:
        print(best.note)
    if facts.objectives:
        print_front(facts)
    retraining = facts.retraining
    if retraining:
        _print_retraining(facts, retraining)
    is_answered = retraining is not None and retraining.record.trial == trial.number
    if not is_answered or facts.folds > 1:  # trainings on folds leave no net trained on the study's own split
        print(facts.command)
    if not is_answered:
        print(best.retraining_command)


def _check_chosen(facts: StudyFacts, number: int | None) -> TrialFacts:
    if facts.best:
        return facts.best
    if number is None:
        raise StudyError(f"study {facts.name!r} has no finished trial yet; run it with `arena sweep agent {facts.name}`")
    states = [trial.state for trial in facts.trials if trial.number == number]
    state = f"is {states[0]} and has no result" if states else "is not there"
    raise StudyError(f"trial {number} of {facts.name} {state}; `arena sweep trials {facts.name}` lists them")


def retrain_trial(studies: Path, name: str, request: RetrainingRequest, workers: TrainingWorkers) -> RetrainingRecord:
    """Train a trial's settings with the seeds after its own; return the record in the study's folder of these trainings.

    Raises:
        StudyError: as `read_best`.
        CnnError: a setting that no training takes, or a training that fails.
    """
    folder = StudyFolder(studies / name)
    spec = folder.read_spec()
    facts = read_outline(studies, name, request.trial)
    trial = _check_chosen(facts, request.trial)
    if facts.objectives and request.trial is None:
        numbers = ", ".join(str(rival.number) for rival in facts.front)
        raise StudyError(f"study {name!r} has several objectives; choose a trial of its front with --trial: {numbers}")
    bases = tuple({**spec.base, "split": split} for split in spec.folds) or (spec.base,)
    context = TrialContext(bases=bases, tiles=spec.tiles, runs=spec.runs, study=name)
    plan = plan_retraining(context, trial.params, request.n_seeds, request.overrides, n_passed=spec.settings.seeds)
    record = RetrainingRecord(
        trial=trial.number,
        overrides=plan.overrides,
        split=plan.split,
        is_equal=plan.is_equal and trial.state == "finished",
        seeds=plan.seeds,
        runs=tuple(tuple(config.digest for config in configs) for configs in plan.configs),
    )
    workers.check_device()
    write_retraining(folder.path, record)
    every = [config for configs in plan.configs for config in configs]
    retrain(context, every, workers)
    return record


def _print_retraining(facts: StudyFacts, retraining: Retraining) -> None:
    """Print each training, and the sentences that its mean, spread and test score are worth."""
    rows = [[str(run.seed), f"{run.value:.4f}", f"{run.test_macro_f1:.3f}", " ".join(run.runs)] for run in retraining.runs]
    print_table((Number("seed"), Number(facts.metric), Number("test F1"), Prose("run", 2)), rows)
    for title, text in _describe_retraining(facts, retraining):
        print_text(f"{title:<{_INDENT}}{text}", hang=_INDENT)


def _describe_retraining(facts: StudyFacts, retraining: Retraining) -> list[tuple[str, str]]:
    """Return what came of the trainings, each line under its title."""
    record, n, interval = retraining.record, len(retraining.runs), retraining.test_interval
    settings = f", {' '.join(record.overrides)}" if record.overrides else ""
    of = f" of {len(record.runs)}" if n < len(record.runs) else ""
    test = f"macro-F1 {retraining.test_mean:.3f} on average{_spread(retraining.test_sd, 3)}, {interval.level:.0%} interval "
    return [
        ("trained", f"trial {record.trial} anew, {n}{of} seed{'s' * (len(record.runs) != 1)}{settings}; split: {record.split}"),
        ("validation", f"{facts.metric} {retraining.mean:.4f} on average{_spread(retraining.sd, 4)}"),
        ("the trial", _describe_optimism(facts, retraining)),
        ("test", f"{test}{interval.low:.3f} to {interval.high:.3f} over {interval.n_units} {interval.unit}"),
    ]


def _spread(sd: float | None, digits: int) -> str:
    return "" if sd is None else f", standard deviation {sd:.{digits}f}"


def _describe_optimism(facts: StudyFacts, retraining: Retraining) -> str:
    if retraining.trial_value is None:
        return "is not in the study any more"
    had = f"had {retraining.trial_value:.4f}"
    if retraining.record.trial in facts.pruned:
        return f"{had} when it was pruned"
    if retraining.optimism is None:
        return f"{had}, by other settings: its optimism is told by the same command without settings"
    return f"{had}: its optimism is {retraining.optimism:+.4f}"
