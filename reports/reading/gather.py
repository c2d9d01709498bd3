"""All facts of one page, from run folders, studies and the contest."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.config import VARIANTS
from cnn.keys import is_setting
from cnn.runs import DataKind
from reports.analysis.effects import compute_effects
from reports.analysis.paired_bootstrap import ResampledScores, compute_interval, have_same_clips, resample_runs
from reports.errors import NothingToReport, SourceError
from reports.facts.base import Note, NoteKind
from reports.facts.contest import ContestFacts
from reports.facts.models import CellKey, Grid, infer_models
from reports.facts.report import GridCell, ReportFacts, RunFacts, SettingRow
from reports.facts.sweeps import AgentFacts
from reports.reading.autoencoders import read_autoencoders
from reports.reading.clips import add_clips
from reports.reading.evaluations import read_evaluations
from reports.reading.inspections import read_inspections
from reports.reading.learning import read_learning
from reports.reading.run import Reading, read_run
from reports.reading.selection import Selection, select_runs
from reports.reading.starts import read_starts
from reports.wording.page_texts import Texts, texts
from sweeps.results import StudyFacts
from sweeps.retraining import read_records

_NO_SETTINGS = ("model.name", "variant", "tiles.format")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """The sources of the page's numbers; every part may be absent."""

    runs: Path | None = None
    studies: Path | None = None
    contest: str | None = None
    named_runs: tuple[Path, ...] = ()
    models: tuple[str, ...] = ()  # labels of Model A and Model B; empty: inferred from what was trained
    variants: tuple[str, ...] = VARIANTS  # those that the comparison lacks where they were not trained
    tiles: Path = Path("tiles")
    title: str = ""
    lang: str = "en"
    private: bool = False  # the contest's private scores, which its host may show
    reach: float = 0.9  # validation macro-F1 that the section on learning times
    refresh_s: int = 0  # after so many seconds a browser reads the page again, as it is not final; 0: it is

    @property
    def grid(self) -> Grid:
        return Grid(self.models, self.variants)


def _list_folds(studies: Path | None, sweep: StudyFacts) -> list[str]:
    """List the runs of all retrainings on several folds."""
    records = read_records(studies / sweep.name) if studies and sweep.folds > 1 else ()
    return [run for record in records for folds in record.runs for run in folds]


def gather_facts(sources: Sources) -> ReportFacts:
    """Gather all facts of the page.

    Raises:
        NothingToReport: no finished run, no study and no contest.
        SourceError: a named run or the contest cannot be read.
    """
    neutral = texts(sources.lang)  # until the kind of data is known
    sweeps, sweep_notes = _sweeps(sources, neutral)
    contest = _contest(sources)
    evaluations = read_evaluations(sources.runs, sources.tiles, neutral)
    folds = {*evaluations.runs, *(run for sweep in sweeps or () for run in _list_folds(sources.studies, sweep))}
    selection = select_runs(sources.runs, sources.named_runs, folds, neutral, sources.grid)
    if not selection.folders and not sweeps and not contest and not read_autoencoders(sources.runs, ""):
        reasons = " ".join(note.text for note in selection.notes if note.kind is NoteKind.ERROR)
        raise NothingToReport(
            f"nothing to report: no finished run in {sources.runs or 'any folder'}; train with `arena train --all`"
            + (f" ({reasons})" if reasons else "")
        )
    if not selection.grid.models:
        evaluated = [evaluation.model for group in evaluations.groups for evaluation in group.evaluations]
        models = infer_models(evaluated or [sweep.model for sweep in sweeps or ()])
        selection = dataclasses.replace(selection, grid=dataclasses.replace(selection.grid, models=models))
    if not selection.folders:
        selection = dataclasses.replace(selection, kind=next((sweep.kind for sweep in sweeps or ()), DataKind.SOUND))
    t, grid = texts(sources.lang, selection.kind), selection.grid
    readings, notes = read_all(selection, sources, t)
    all_notes = (*selection.notes, *evaluations.notes, *notes, *sweep_notes)
    facts = assemble(readings, selection, all_notes, t)
    facts = dataclasses.replace(
        facts,
        title=sources.title or t("page.title", n=len(facts.labels), name=_name_corpus(facts)),
        evaluations=tuple(dataclasses.replace(group, evaluations=grid.sort(group.evaluations)) for group in evaluations.groups),
        sweeps=None if sweeps is None else grid.sort(sweeps),
        agents=_agents(sweeps or (), sources),
        contest=contest,
        starts=read_starts(sources.runs),
        refresh_s=sources.refresh_s,
    )
    inspections, damages = read_inspections(facts.runs, facts.main_run, t)
    corpus = str(facts.main_run.config["corpus"]) if facts.main_run else ""
    learning = read_learning(sources.runs, corpus, sources.reach)
    facts = dataclasses.replace(
        facts,
        inspections=inspections,
        learning=learning,
        autoencoders=read_autoencoders(sources.runs, corpus),
        notes=(*facts.notes, *damages),
    )
    return add_clips(facts, readings, sources.tiles)


def _name_corpus(facts: ReportFacts) -> str:
    return str(next((run.config["data.name"] for run in facts.runs if run.config.get("data.name")), ""))


def _sweeps(sources: Sources, t: Texts) -> tuple[tuple[StudyFacts, ...] | None, tuple[Note, ...]]:
    if sources.studies is None or not sources.studies.is_dir():
        return None, ()
    from reports.reading.studies import read_sweeps

    return read_sweeps(sources.studies, t)


def _agents(sweeps: Sequence[StudyFacts], sources: Sources) -> dict[str, tuple[AgentFacts, ...]]:
    from reports.reading.studies import summarise_agents

    return {sweep.name: summarise_agents(sweep.trials, sources.runs) for sweep in sweeps}


def _contest(sources: Sources) -> ContestFacts | None:
    if sources.contest is None:
        return None
    from reports.reading.contest import read_contest

    return read_contest(sources.contest, private=sources.private)


def read_all(selection: Selection, sources: Sources, t: Texts) -> tuple[dict[CellKey, Reading], list[Note]]:
    """Read every selected run; one that cannot be read becomes a remark, unless it was named.

    Raises:
        SourceError: a named run cannot be read.
    """
    readings: dict[CellKey, Reading] = {}
    notes: list[Note] = []
    for key, folder in selection.folders.items():
        try:
            readings[key] = read_run(folder, sources.tiles, t)
        except SourceError as error:
            if sources.named_runs:
                raise
            notes.append(Note(kind=NoteKind.ERROR, text=t("note.left_out", error=error)))
        else:
            notes.extend(readings[key].notes)
    return readings, notes


def assemble(readings: dict[CellKey, Reading], selection: Selection, notes: Sequence[Note], t: Texts) -> ReportFacts:
    """Return the facts of the trainings, as if there were nothing else."""
    grid, chooses = selection.grid, not selection.is_one_fold
    ranked = sorted(
        (reading.facts for reading in readings.values() if reading.facts.val and chooses),
        key=lambda run: (-run.val.macro_f1, run.val.loss, run.digest) if run.val else (0.0, 0.0, run.digest),
    )
    chosen = ranked[0].digest if ranked else ""
    runner_up = ranked[1].digest if len(ranked) > 1 else ""
    resampled, stranger_notes = _resampled(readings, chosen, t)
    runs = {key: _with_intervals(reading, resampled, chosen) for key, reading in readings.items()}
    cells = grid.order(runs) if runs else []
    settings = setting_rows([runs[key] for key in cells if key in runs], selection.kind)
    digests = {key: run.digest for key, run in runs.items()}
    return ReportFacts(
        title="",
        models=grid.models,
        cells=tuple(GridCell(model=key[0], variant=key[1], run=runs.get(key)) for key in cells),
        chosen=chosen,
        runner_up=runner_up,
        effects=compute_effects(resampled, digests, grid.models, t) if resampled else (),
        same_settings=tuple(row for row in settings if len(row.values) == 1),
        differing_settings=tuple(row for row in settings if len(row.values) > 1),
        is_one_fold=selection.is_one_fold,
        evaluations=(),
        sweeps=None,
        contest=None,
        notes=(*notes, *stranger_notes),
        lang=t.language,
        kind=selection.kind,
    )


def _resampled(readings: dict[CellKey, Reading], chosen: str, t: Texts) -> tuple[ResampledScores | None, list[Note]]:
    """Resample in pairs all runs that were tested on the chosen run's clips, and remark on each that was not."""
    tests = {reading.facts.digest: reading.test for reading in readings.values() if reading.test}
    first = tests.get(chosen)
    if first is None:
        return None, []
    comparable = {digest: clips for digest, clips in tests.items() if have_same_clips(clips, first)}
    notes = [
        Note(kind=NoteKind.REMARK, text=t("note.stranger", digest=digest)) for digest in sorted(set(tests) - set(comparable))
    ]
    return resample_runs(comparable), notes


def _with_intervals(reading: Reading, resampled: ResampledScores | None, chosen: str) -> RunFacts:
    run = reading.facts
    behind = None
    if resampled and run.digest != chosen and run.digest in resampled.scores:
        behind = resampled.pair(chosen, run.digest)
    interval = compute_interval(reading.test) if reading.test else None
    return dataclasses.replace(run, interval=interval, behind_choice=behind)


def setting_rows(runs: Sequence[RunFacts], kind: DataKind) -> list[SettingRow]:
    """List the settings: one value where all runs share it, otherwise one of each run; augmentation counts where it is used."""
    rows = []
    for key in dict.fromkeys(key for run in runs for key in run.config):
        if key in _NO_SETTINGS or not is_setting(key, kind):
            continue
        values = [run.config.get(key) if run.augmented or not key.startswith("augment.") else None for run in runs]
        used = [run.config.get(key) for run in runs if run.augmented or not key.startswith("augment.")]
        is_shared = bool(used) and all(value == used[0] for value in used)
        if used:
            rows.append(SettingRow(key=key, values=(used[0],) if is_shared else tuple(values)))
    return rows
