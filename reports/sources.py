"""Studies and the contest as facts: the one place that reads sweeps and the leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cnn.errors import RunError
from leaderboard.errors import LeaderboardError
from leaderboard.standings import Standing
from reports.errors import SourceError
from reports.facts import (
    AttemptFacts,
    ContestFacts,
    Note,
    NoteKind,
    ParameterSpan,
    StandingFacts,
    SweepFacts,
    TrialPoint,
)
from reports.resampling import interval_facts
from reports.selection import places
from sweeps.errors import SweepError
from sweeps.results import ParameterFacts, StudyFacts, TrialFacts, list_studies, read_study


def read_sweeps(studies_dir: Path) -> tuple[tuple[SweepFacts, ...], tuple[Note, ...]]:
    """The studies in the order of the eight trainings, and what could not be read."""
    sweeps: list[SweepFacts] = []
    notes: list[Note] = []
    for name in list_studies(studies_dir):
        try:
            study = read_study(studies_dir, name)
        except (SweepError, RunError) as error:
            notes.append(Note(kind=NoteKind.ERROR, text=f"study {name}: {error}. It is left out."))
            continue
        sweeps.append(_sweep(study))
    order = {place: n for n, place in enumerate(places([(sweep.model, sweep.variant) for sweep in sweeps]))}
    sweeps.sort(key=lambda sweep: (order[sweep.model, sweep.variant], sweep.name))
    return tuple(sweeps), tuple(notes)


def _sweep(study: StudyFacts) -> SweepFacts:
    trials = sorted(study.trials, key=lambda trial: trial.number)
    return SweepFacts(
        name=study.name,
        model=study.model,
        variant=study.variant,
        metric=study.metric,
        maximize=str(study.goal) != "minimize",
        method=str(study.method),
        budget=study.budget,
        counts=dict(sorted(Counter(str(trial.state) for trial in trials).items())),
        trials=tuple(_trial(trial) for trial in trials),
        parameters=_parameters(study.parameters, study.importances),
        best=_trial(study.best) if study.best else None,
        best_run=study.best.run if study.best else "",
        total_s=sum(trial.seconds or 0.0 for trial in trials),
        n_agents=len({trial.agent for trial in trials if trial.agent}),
        command=study.command,
    )


def _trial(trial: TrialFacts) -> TrialPoint:
    return TrialPoint(
        number=trial.number,
        state=str(trial.state),
        value=trial.value,
        params=dict(trial.params),
        cause=trial.cause,
    )


def _parameters(parameters: Sequence[ParameterFacts], importances: dict[str, float]) -> tuple[ParameterSpan, ...]:
    varied = [
        ParameterSpan(
            name=parameter.name,
            is_log=parameter.log,
            is_categorical=str(parameter.kind) == "categorical",
            importance=importances.get(parameter.name),
        )
        for parameter in parameters
        if str(parameter.kind) != "constant"
    ]
    return tuple(sorted(varied, key=lambda span: (-(span.importance or 0.0), span.name)))


def read_contest(contest: str) -> ContestFacts:
    """The standings of a contest, a file or a database's address.

    Raises:
        SourceError: there is no such contest.
    """
    from leaderboard.store import open_contest

    try:
        with open_contest(contest) as board:
            standings = tuple(_standing(standing) for standing in board.standings())
            n_waiting = len(board.teams()) - len(standings)
            return ContestFacts(name=board.name, deadline=board.deadline, standings=standings, n_waiting=n_waiting)
    except LeaderboardError as error:
        raise SourceError(str(error)) from error


def _standing(standing: Standing) -> StandingFacts:
    return StandingFacts(
        rank=standing.rank,
        team=standing.team,
        macro_f1=standing.macro_f1,
        accuracy=standing.accuracy,
        interval=interval_facts(standing.interval),
        best=standing.best,
        attempts=tuple(
            AttemptFacts(
                number=attempt.number,
                macro_f1=attempt.macro_f1,
                accuracy=attempt.accuracy,
                arrived_at=attempt.arrived_at,
                digest=attempt.digest,
            )
            for attempt in standing.attempts
        ),
    )
