"""Studies and the contest as facts: the one place that reads sweeps and the leaderboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cnn.errors import RunError
from cnn.runs import RunFolder
from leaderboard.errors import LeaderboardError
from leaderboard.standings import Standing
from reports.base_facts import Note, NoteKind
from reports.contest_facts import AttemptFacts, ContestFacts, StandingFacts
from reports.errors import SourceError
from reports.selection import places
from reports.sweep_facts import AgentFacts, ParameterSpan, SweepFacts, TrialPoint
from reports.texts import Texts, english
from sweeps.errors import SweepError
from sweeps.results import ParameterFacts, StudyFacts, TrialFacts, list_studies, read_study

_SAME = 1e-9


def read_sweeps(
    studies_dir: Path, runs_dir: Path | None = None, t: Texts | None = None
) -> tuple[tuple[SweepFacts, ...], tuple[Note, ...]]:
    """The studies in the order of the eight trainings, and what could not be read.

    Args:
        runs_dir: where the trials' run folders are, for the device of each agent.
    """
    t = t or english()
    sweeps: list[SweepFacts] = []
    notes: list[Note] = []
    for name in list_studies(studies_dir):
        try:
            study = read_study(studies_dir, name)
        except (SweepError, RunError) as error:
            notes.append(Note(kind=NoteKind.ERROR, text=t("note.study_unread", name=name, error=error)))
            continue
        sweeps.append(_sweep(study, runs_dir))
    order = {place: n for n, place in enumerate(places([(sweep.model, sweep.variant) for sweep in sweeps]))}
    sweeps.sort(key=lambda sweep: (order[sweep.model, sweep.variant], sweep.name))
    return tuple(sweeps), tuple(notes)


def _sweep(study: StudyFacts, runs_dir: Path | None) -> SweepFacts:
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
        agents=agents_of(trials, runs_dir),
    )


def agents_of(trials: Sequence[TrialFacts], runs_dir: Path | None) -> tuple[AgentFacts, ...]:
    """Each agent's trials, time and device, the first to begin a trial first."""
    by_agent: dict[str, list[TrialFacts]] = {}
    for trial in trials:
        if trial.agent:
            by_agent.setdefault(trial.agent, []).append(trial)
    return tuple(
        AgentFacts(
            name=name,
            device=_device(own, runs_dir),
            counts=dict(sorted(Counter(str(trial.state) for trial in own).items())),
            seconds=sum(trial.seconds or 0.0 for trial in own),
        )
        for name, own in by_agent.items()
    )


def _device(trials: Sequence[TrialFacts], runs_dir: Path | None) -> str:
    """Of the newest finished trial; an agent keeps its device."""
    run = next((trial.run for trial in reversed(trials) if trial.run and str(trial.state) == "finished"), "")
    if not run or runs_dir is None:
        return ""
    try:
        result = RunFolder(runs_dir / run).result()
    except (RunError, ValueError, KeyError, TypeError):
        return ""
    return result.device if result else ""


def _trial(trial: TrialFacts) -> TrialPoint:
    return TrialPoint(
        number=trial.number,
        state=str(trial.state),
        value=trial.value,
        params=dict(trial.params),
        cause=trial.cause,
        run=trial.run,
        seconds=trial.seconds,
        agent=trial.agent,
        n_epochs=len(trial.epochs),
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


def read_contest(contest: str, *, private: bool = False) -> ContestFacts:
    """The standings of a contest, a file or a database's address: what everybody may see now, or the private ones for the host.

    Raises:
        SourceError: there is no such contest, or it has no private part.
    """
    from leaderboard.grading import Part
    from leaderboard.store import open_contest

    try:
        with open_contest(contest) as board:
            seen = board.board()
            lines = board.standings(Part.PRIVATE) if private else seen.lines
            return ContestFacts(
                name=board.name,
                deadline=board.deadline,
                standings=tuple(_standing(line, line.team if private else line.shown_as) for line in lines),
                n_waiting=len(board.teams()) - len(lines),
                is_private=private and not seen.is_final,
                is_final=seen.is_final,
            )
    except LeaderboardError as error:
        raise SourceError(str(error)) from error


def _standing(standing: Standing, name: str) -> StandingFacts:
    return StandingFacts(
        rank=standing.rank,
        team=name,
        macro_f1=standing.macro_f1,
        metrics=standing.metrics,
        interval=standing.interval,
        best=standing.best,
        is_tied_with_above=standing.is_tied_with_above,
        could_be_first=standing.could_be_first,
        score=_other_score(standing.score, standing.macro_f1),
        attempts=tuple(
            AttemptFacts(
                number=attempt.number,
                macro_f1=attempt.macro_f1,
                metrics=attempt.metrics,
                arrived_at=attempt.arrived_at,
                digest=attempt.digest,
                score=_other_score(attempt.score, attempt.macro_f1),
            )
            for attempt in standing.attempts
        ),
    )


def _other_score(score: float, macro_f1: float) -> float | None:
    return score if abs(score - macro_f1) > _SAME else None
