"""Studies and trials as tables in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena.base.csv_export import format_csv
from arena.base.terminal import Column, Number, Prose, duration, print_table
from cnn.keys import shorten_key
from sweeps.engines.counts import StudyCounts
from sweeps.results import StudyFacts, TrialFacts
from sweeps.study.control import Command
from sweeps.study.folder import StudySpec

if TYPE_CHECKING:
    from sweeps.importance import Importance

_STATES = ("finished", "pruned", "running", "interrupted", "failed", "duplicate")
_TROUBLES = (("pruned", 3), ("running", 2), ("interrupted", 4), ("failed", 2), ("duplicates", 5))  # by priority of the column
_LABELS = {Command.RUN: "", Command.PAUSE: "paused", Command.STOP: "stopped"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """Status of one study."""

    spec: StudySpec
    counts: StudyCounts
    command: Command
    end: str  # the reason that it ended before its budget

    @property
    def label(self) -> str:
        return _LABELS[self.command]

    @property
    def position(self) -> str:
        """Return `fold 2 of 3` of a running trial, or `folds 1, 2 of 3` of two."""
        settings, numbers = self.spec.settings, [str(n + 1) for n in self.counts.running_steps]
        if settings.n_trainings == 1 or not numbers:
            return ""
        name = "fold" if settings.seeds == 1 else "training"
        return f"{name}{'s' if numbers[1:] else ''} {', '.join(numbers)} of {settings.n_trainings}"

    def as_dict(self) -> dict[str, object]:
        spec, best = self.spec, self.counts.best
        return {
            "name": spec.name,
            "model": spec.model,
            "variant": spec.variant,
            "method": spec.sweep.method.value,
            "budget": spec.budget,
            "settled": self.counts.n_completed,
            **{state: getattr(self.counts, state) for state in _STATES},
            "epochs": self.counts.epochs,
            "trainings": spec.settings.n_trainings,
            "position": self.position,
            "asked": self.label,
            "ended": self.end,
            "metric": spec.sweep.metric,
            "goal": spec.sweep.goal.value,
            "front": list(self.counts.front),
            "best": {"trial": best.number, "value": best.value, "run": best.run, "params": best.params} if best else None,
            "last_cause": self.counts.last_cause,
        }


def print_studies(studies: Sequence[Status]) -> None:
    rows = []
    for study in studies:
        spec, best = study.spec, study.counts.best
        states = [str(getattr(study.counts, state)) for state in _STATES]
        value = f"{best.value:.4f}" if best else ""
        note = "; ".join(text for text in (study.position, study.label, study.end) if text)
        rows.append([spec.name, spec.sweep.method.value, str(spec.budget), *states, spec.sweep.metric, value, note])
    columns = (
        *(Column("study"), Column("method", 6), Number("budget"), Number("finished")),
        *(Number(*name_and_priority, silent="0") for name_and_priority in _TROUBLES),
        *(Column("metric", 5), Number("best"), Prose("", silent="")),
    )
    print_table(columns, rows)


def print_best(studies: Sequence[StudyFacts]) -> None:
    rows = []
    for facts in studies:
        varied = [p.name for p in facts.parameters if p.kind != "constant"]
        point = (
            "  ".join(f"{shorten_key(key)}={format_value(facts.best.params[key])}" for key in varied)
            if facts.best
            else "no finished trial"
        )
        trials = f"{facts.n_completed} of {facts.budget}"
        rows.append(
            [facts.name, trials, str(facts.n("pruned")), _value(facts.best), point, facts.best.run if facts.best else ""]
        )
    counts = (Number("trials"), Number("pruned", 3), Number("best"))
    print_table((Column("study"), *counts, Prose("best configuration"), Column("run", 2)), rows)


def print_trials(facts: StudyFacts) -> None:
    rows = []
    varied = [p.name for p in facts.parameters if p.kind != "constant"]
    for trial in facts.trials:
        point = [format_value(trial.params.get(key, "")) for key in varied]
        mark = ", ".join(text for text in (*_list_ranks(facts, trial), trial.cause, trial.origin) if text)
        seconds = duration(trial.seconds) if trial.seconds is not None else ""
        rows.append(
            [
                str(trial.number),
                trial.state,
                _value(trial),
                f"{len(trial.epochs)} of {facts.n_trainings}" if facts.n_trainings > 1 else str(len(trial.epochs)),
                seconds,
                *_costs(facts, trial),
                *point,
                mark,
            ]
        )
    print(f"{facts.name}: {facts.n_completed} of {facts.budget} trials, {facts.method}")
    if rows:
        outcome = (Number("trial"), Column("state"), Number(facts.metric), Number(facts.steps, 4), Number("time", 5))
        costs = [Number(name, 1) for name in facts.costs]
        print_table((*outcome, *costs, *(Number(shorten_key(key), 2) for key in varied), Prose("", 3, silent="")), rows)


def _list_ranks(facts: StudyFacts, trial: TrialFacts) -> list[str]:
    """Return what distinguishes a trial among the others of its study."""
    is_best = facts.best is not None and trial.number == facts.best.number
    is_on_front = trial.number in [other.number for other in facts.front]
    return ["best"] * is_best + ["front"] * is_on_front + ["infeasible"] * (not trial.is_feasible)


def _costs(facts: StudyFacts, trial: TrialFacts) -> list[str]:
    values = [trial.costs.get(name) for name in facts.costs]
    return ["" if value is None else f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}" for value in values]


def print_front(facts: StudyFacts) -> None:
    """Print the Pareto front of a study with several objectives, the best by the metric first."""
    varied = [p.name for p in facts.parameters if p.kind != "constant"]
    costs = [Number(name) for name in facts.costs]
    keys = [Number(shorten_key(key), 2) for key in varied]
    rows = []
    for trial in facts.front:
        point = [format_value(trial.params[key]) for key in varied]
        rows.append([str(trial.number), _value(trial), *_costs(facts, trial), *point, trial.run])
    print(
        f"Pareto front of {', '.join((facts.metric, *facts.objectives))}: {len(rows)} of {facts.n('finished')} finished trials"
    )
    print_table((Number("trial"), Number(facts.metric), *costs, *keys, Column("run", 3)), rows)


def print_csv(facts: StudyFacts) -> None:
    """Print a row for each trial, with a column for every parameter and numbers in full."""
    keys, costs = [p.name for p in facts.parameters], [name for name in facts.costs if name != "seconds"]
    header = ("study", "trial", "state", facts.metric, facts.steps, "seconds", *costs, *keys, "run", "agent", "cause")
    rows: list[tuple[object, ...]] = [
        (
            *(facts.name, t.number, t.state, t.value, len(t.epochs), t.seconds),
            *(t.costs.get(name, "") for name in costs),
            *(*(t.params.get(key, "") for key in keys), t.run, t.agent, t.cause),
        )
        for t in facts.trials
    ]
    print(format_csv([header, *rows]), end="")


def print_point(trial: TrialFacts, importances: Mapping[str, Importance]) -> None:
    """Print a trial's parameters, with their importances where the study has any, and its trainings where it has several."""
    columns = (
        Column("parameter"),
        Number("value"),
        *([Number("importance", 2), Column("90 % of trees", 3)] if importances else []),
    )
    texts = {key: [f"{i.share:.2f}", f"{i.low:.2f} to {i.high:.2f}"] for key, i in importances.items()}
    rows = [[key, format_value(value), *texts.get(key, ["", ""])][: len(columns)] for key, value in trial.params.items()]
    print_table(columns, rows)
    if len(trial.runs) > 1:
        print()
        values = [f"{trial.epochs[n]:.4f}" if n in trial.epochs else "" for n in range(1, len(trial.runs) + 1)]
        numbers = [[str(n), value, run] for n, (value, run) in enumerate(zip(values, trial.runs, strict=True), 1)]
        print_table((Number("training"), Number("value"), Column("run")), numbers)


def _value(trial: TrialFacts | None) -> str:
    return f"{trial.value:.4f}" if trial and trial.value is not None else ""


def format_value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
