"""Studies of sweeps as facts, and the part that each agent had in them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cnn.errors import RunError
from cnn.plugin import shorten_name
from cnn.runs.folder import RunFolder
from reports.facts.base import Note, NoteKind
from reports.facts.models import Grid, infer_models
from reports.facts.sweeps import AgentFacts
from reports.wording.page_texts import Texts, english
from sweeps.errors import SweepError
from sweeps.results import StudyFacts, TrialFacts, list_studies, read_study


def read_sweeps(studies_dir: Path, t: Texts | None = None) -> tuple[tuple[StudyFacts, ...], tuple[Note, ...]]:
    """Read the studies, in the order of the eight trainings, and remark on those that cannot be read."""
    t = t or english()
    sweeps: list[StudyFacts] = []
    notes: list[Note] = []
    for name in list_studies(studies_dir):
        try:
            sweep = read_study(studies_dir, name)
            sweeps.append(dataclasses.replace(sweep, model=shorten_name(sweep.model)))
        except (SweepError, RunError) as error:
            notes.append(Note(kind=NoteKind.ERROR, text=t("note.study_unread", name=name, error=error)))
    sweeps.sort(key=lambda sweep: sweep.name)
    return Grid(infer_models(sweep.model for sweep in sweeps)).sort(sweeps), tuple(notes)


def summarise_agents(trials: Sequence[TrialFacts], runs_dir: Path | None) -> tuple[AgentFacts, ...]:
    """Count each agent's trials, time and device, the first to begin a trial first."""
    by_agent: dict[str, list[TrialFacts]] = {}
    for trial in trials:
        if trial.agent:
            by_agent.setdefault(trial.agent, []).append(trial)
    return tuple(
        AgentFacts(
            name=name,
            device=_device(group, runs_dir),
            counts=dict(sorted(Counter(str(trial.state) for trial in group).items())),
            seconds=sum(trial.seconds or 0.0 for trial in group),
        )
        for name, group in by_agent.items()
    )


def _device(trials: Sequence[TrialFacts], runs_dir: Path | None) -> str:
    """Return the device of the newest finished trial; an agent keeps its device."""
    run = next((trial.run for trial in reversed(trials) if trial.run and str(trial.state) == "finished"), "")
    if not run or runs_dir is None:
        return ""
    try:
        result = RunFolder(runs_dir / run).result()
    except (RunError, ValueError, KeyError, TypeError):
        return ""
    return result.device if result else ""
