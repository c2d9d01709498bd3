"""`arena sweep best --train`: a trial's settings trained with other seeds, and what they are worth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from arena.base.options import WandbMode
from arena.base.terminal import Column, Number, print_table, print_text
from sweeps.errors import StudyError
from sweeps.results import StudyFacts, TrialFacts, read_outline, read_study
from sweeps.retraining import Retraining, RetrainingRecord, write_record
from sweeps.study.folder import StudyFolder
from sweeps.training.retraining import Workers, plan_retraining, retrain
from sweeps.training.trial import TrialContext

_INDENT = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrainingRequest:
    """A trial to train anew, and how."""

    trial: int | None  # None: the best
    n_seeds: int
    overrides: tuple[str, ...]
    n_jobs: int
    device: str
    wandb: WandbMode


def read_chosen(studies: Path, name: str, number: int | None) -> tuple[StudyFacts, TrialFacts]:
    """Read a study and its best trial, or that of a number.

    Raises:
        StudyError: there is no such study, or no such trial with a result.
    """
    facts = read_study(studies, name, number)
    return facts, _check_chosen(facts, number)


def _check_chosen(facts: StudyFacts, number: int | None) -> TrialFacts:
    if facts.best:
        return facts.best
    if number is None:
        raise StudyError(f"study {facts.name!r} has no finished trial yet; run it with `arena sweep agent {facts.name}`")
    states = [trial.state for trial in facts.trials if trial.number == number]
    state = f"is {states[0]} and has no result" if states else "is not there"
    raise StudyError(f"trial {number} of {facts.name} {state}; `arena sweep trials {facts.name}` lists them")


def retrain_trial(studies: Path, name: str, request: RetrainingRequest) -> None:
    """Train a trial's settings with the seeds after its own, and record in the study's folder which trainings these are.

    Raises:
        StudyError: as `read_chosen`.
        CnnError: a setting that no training takes, or a training that fails.
    """
    folder = StudyFolder(studies / name)
    spec = folder.read_spec()
    trial = _check_chosen(read_outline(studies, name, request.trial), request.trial)
    context = TrialContext(bases=(spec.base,), tiles=spec.tiles, runs=spec.runs, study=name)
    plan = plan_retraining(context, trial.params, request.n_seeds, request.overrides, n_passed=spec.settings.seeds)
    record = RetrainingRecord(
        trial=trial.number,
        overrides=plan.overrides,
        split=plan.split,
        n_epochs=plan.n_epochs if spec.settings.folds == 1 else 0,
        seeds=plan.seeds,
        runs=tuple(config.digest for config in plan.configs),
        folds=spec.settings.folds,
    )
    write_record(folder.path, record)
    retrain(context, plan.configs, Workers(n_jobs=request.n_jobs, device=request.device, wandb=request.wandb))


def print_retraining(facts: StudyFacts, retraining: Retraining) -> None:
    """Print each training, and the sentences that its mean, spread and test score are worth."""
    rows = [[str(run.seed), f"{run.value:.4f}", f"{run.test_macro_f1:.3f}", run.run] for run in retraining.runs]
    print_table((Number("seed"), Number(facts.metric), Number("test F1"), Column("run", 2)), rows)
    for title, text in describe_retraining(facts, retraining):
        print_text(f"{title:<{_INDENT}}{text}", hang=_INDENT)


def describe_retraining(facts: StudyFacts, retraining: Retraining) -> list[tuple[str, str]]:
    """Return what came of the trainings, each line under its title."""
    record, n, interval = retraining.record, len(retraining.runs), retraining.test_interval
    settings = f", {' '.join(record.overrides)}" if record.overrides else ""
    of = f" of {len(record.runs)}" if n < len(record.runs) else ""
    test = f"macro-F1 {retraining.test_mean:.3f} on average{_spread(retraining.test_sd, 3)}, {interval.level:.0%} interval "
    return [
        ("trained", f"trial {record.trial} anew, {n}{of} seed{'s' * (len(record.runs) != 1)}{settings}; split {record.split}"),
        ("validation", f"{facts.metric} {retraining.mean:.4f} on average{_spread(retraining.sd, 4)}"),
        ("the trial", _describe_optimism(retraining)),
        ("test", f"{test}{interval.low:.3f} to {interval.high:.3f} over {interval.n_units} {interval.unit}"),
    ]


def _spread(sd: float | None, digits: int) -> str:
    return "" if sd is None else f", standard deviation {sd:.{digits}f}"


def _describe_optimism(retraining: Retraining) -> str:
    if retraining.trial_value is None:
        return "is not in the study any more"
    had = f"had {retraining.trial_value:.4f}"
    if retraining.record.folds > 1:
        return f"{had} as the mean of {retraining.record.folds} folds, these of one split: no optimism can be told"
    if retraining.optimism is None:
        return f"{had}, by other settings: its optimism is told by the same command without settings"
    return f"{had}: its optimism, as the best of many, is {retraining.optimism:+.4f}"
