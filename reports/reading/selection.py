"""Selection of the trainings to compare among many run folders: one per model and variant, all on the same clips."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.base.project import find_project
from cnn.commands import format_net, format_retraining
from cnn.config import read_format
from cnn.errors import RunError
from cnn.nets import NETS, PAIR
from cnn.plugin import shorten_name
from cnn.runs import DataKind, read_kind
from cnn.runs.folder import RunFolder, RunResult, RunState, list_runs
from cnn.runs.reference import find_run
from reports.errors import SourceError
from reports.facts.base import Note, NoteKind
from reports.facts.models import INFERRED, CellKey, Grid, infer_models
from reports.reading.run import damage_error
from reports.wording.formats import variant_name
from reports.wording.page_texts import Texts, english, texts


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A finished run with what decides whether it is compared."""

    folder: RunFolder
    key: CellKey
    name: str  # the model as it was typed
    source: str  # digest of the file of a net of one's own
    kind: DataKind
    comparable: str  # equal where corpus, tiles and split are equal
    settings: str  # equal where the model and all of its settings are, whatever the variant and the version of its file
    started_at: str
    finished_at: str
    is_trial: bool  # a sweep made it
    val_macro_f1: float

    @property
    def age(self) -> tuple[str, str]:
        return self.finished_at, self.folder.digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The chosen folder of each model and variant that has one, and remarks on what was left out."""

    folders: dict[CellKey, RunFolder]
    notes: tuple[Note, ...]
    grid: Grid  # without runs its models may be missing
    kind: DataKind = DataKind.SOUND
    is_one_fold: bool = False  # all runs are folds of evaluations: there were no others


def select_runs(
    runs_dir: Path | None, named: Sequence[Path], folds: Collection[str] = (), t: Texts | None = None, grid: Grid = INFERRED
) -> Selection:
    """Select the trainings to compare.

    Out of the finished runs of `runs_dir` (or out of `named` alone) the largest comparable group counts, the newest of
    equally large ones, and of each model and variant the run that `_choose` takes; a sweep's trial only where there is no
    other, and a group of folds of evaluations only where there is no other group.

    Args:
        named: runs as `cnn.runs.reference` names them.
        folds: digests of the runs that the page shows as folds of an evaluation or of a sweep's retraining.
        grid: the comparison; its models are inferred from the runs where it has none.

    Raises:
        SourceError: a run in `named` cannot be found or read, or is not finished.
    """
    t = t or english()
    notes: list[Note] = []
    candidates = [_named(path, runs_dir) for path in named] if named else _scan(runs_dir, notes, t)
    if not candidates:
        return Selection(folders={}, notes=tuple(notes), grid=grid)
    apart = [run for run in candidates if named or not run.is_trial]
    fold_digests = () if named else folds
    group = _largest_group(apart or candidates, fold_digests, notes, t)
    t = texts(t.language, group[0].kind)
    chosen = _choose(group)
    if n_passed := sum(run.folder.digest not in fold_digests and chosen[run.key] is not run for run in group):
        notes.append(Note(kind=NoteKind.REMARK, text=t.n("note.passed_over", n_passed)))
    group_trials = [run for run in candidates if run.comparable == group[0].comparable and run.is_trial]
    is_inferred = not grid.models
    grid = _infer_models(grid, (*group, *group_trials)) if is_inferred else grid
    notes += _stand_ins(chosen, group_trials if not named else [], grid, t)
    cells = grid.order(chosen)  # a fixed order: same bytes
    notes += _unequal_trainings([chosen[key] for key in cells if key in chosen], t)
    if not (is_one_fold := all(run.folder.digest in fold_digests for run in group)):
        notes += _missing(chosen, grid, t, is_inferred=is_inferred)
    folders = {key: chosen[key].folder for key in cells if key in chosen}
    return Selection(folders=folders, notes=tuple(notes), grid=grid, kind=group[0].kind, is_one_fold=is_one_fold)


def _choose(group: Sequence[Candidate]) -> dict[CellKey, Candidate]:
    """Choose a run of each model and variant: of the settings that cover most variants, of equal ones the newest.

    So a short try of one variant does not stand beside full trainings of the others, as the newest run would.
    """
    series: dict[tuple[str, str, str], list[Candidate]] = {}
    for run in group:
        series.setdefault((run.key[0], run.source, run.settings), []).append(run)
    ranks = {
        run.folder: (len({other.key for other in runs}), max(other.age for other in runs), run.age)
        for runs in series.values()
        for run in runs
    }
    return {run.key: run for run in sorted(group, key=lambda run: ranks[run.folder])}


def _infer_models(grid: Grid, runs: Sequence[Candidate]) -> Grid:
    first_trained = sorted(runs, key=lambda run: (run.started_at, run.folder.digest))
    return dataclasses.replace(grid, models=infer_models(run.key[0] for run in first_trained))


def _stand_ins(chosen: dict[CellKey, Candidate], trials: Sequence[Candidate], grid: Grid, t: Texts) -> list[Note]:
    """Fill the gaps with trials: those whose settings most variants share, for no sampler drew them; else the best."""
    variants: dict[tuple[str, str], set[CellKey]] = {}
    for run in (*chosen.values(), *trials):
        variants.setdefault((run.source, run.settings), set()).add(run.key)
    empty = {run.key for run in trials if run.key not in chosen or chosen[run.key] in trials}
    for key in empty:
        rivals = [run for run in trials if run.key == key]
        chosen[key] = max(rivals, key=lambda run: (len(variants[run.source, run.settings]), run.val_macro_f1, run.age))
    if not empty:
        return []
    cells = [key for key in grid.order(empty) if key in empty]
    names = t.listed([t.cell(*key) for key in cells])
    commands = t.listed([f"`{format_retraining(chosen[key].folder.path)}`" for key in cells])
    return [Note(kind=NoteKind.REMARK, text=t.n("note.stand_ins", len(cells), names=names, commands=commands))]


def _named(name: Path, runs_dir: Path | None) -> Candidate:
    if name.is_dir() and not (name / "config.json").exists():
        raise SourceError(f"{name} is no run folder: it has no config.json; give folders such as runs/0123456789abcdef")
    try:
        folder = find_run(str(name), runs_dir or Path("runs"))
    except RunError as error:
        raise SourceError(str(error)) from error
    try:
        result = folder.result()
        if result is None or result.state is not RunState.FINISHED:
            state = result.state.value if result else RunState.UNFINISHED.value
            raise SourceError(
                f"{folder.path} is {state}, not finished; train it to the end with `arena train`, or leave it out"
            )
        if result.reconstruction:
            rule = f"{folder.path} is an autoencoder, and --run names trainings that are compared by macro-F1"
            raise SourceError(f"{rule}; leave it out: its section is on every report of its folder")
        return _candidate(folder, result)
    except (RunError, ValueError, KeyError, TypeError) as error:
        raise damage_error(folder, error) from error


def _scan(runs_dir: Path | None, notes: list[Note], t: Texts) -> list[Candidate]:
    candidates: list[Candidate] = []
    n_unfinished = 0
    for folder in list_runs(runs_dir) if runs_dir else []:
        try:
            result = folder.result()
            if result and result.state is RunState.FINISHED and not result.reconstruction:
                candidates.append(_candidate(folder, result))
            n_unfinished += result is None
        except (RunError, ValueError, KeyError, TypeError) as error:
            notes.append(Note(kind=NoteKind.ERROR, text=t("note.left_out", error=damage_error(folder, error))))
    if n_unfinished:
        notes.append(Note(kind=NoteKind.REMARK, text=t.n("note.unfinished", n_unfinished)))
    return candidates


def _candidate(folder: RunFolder, result: RunResult) -> Candidate:
    config: dict[str, Any] = folder.config()
    comparable = {key: config.get(key) for key in ("corpus", "split")}
    comparable["tiles"] = {**(config.get("tiles") or {}), "format": read_format(config)}
    name = str(config["model"]["name"])
    label = shorten_name(name)
    if label not in NETS and not label.isidentifier():  # as names of classes are: pages, papers and notebooks write them
        raise ValueError(f"its net is called {label!r}")
    return Candidate(
        folder=folder,
        key=(label, str(config["variant"])),
        name=name,
        source=str(config["model"].get("source", "")),
        kind=read_kind(config),
        comparable=json.dumps(comparable, sort_keys=True),
        settings=json.dumps([config["model"] | {"name": label, "source": ""}, config.get("train")], sort_keys=True),
        started_at=result.started_at,
        finished_at=result.finished_at,
        is_trial=folder.is_trial,
        val_macro_f1=result.scores["val"].macro_f1 if "val" in result.scores else 0.0,
    )


def _largest_group(candidates: Sequence[Candidate], folds: Collection[str], notes: list[Note], t: Texts) -> list[Candidate]:
    groups: dict[str, list[Candidate]] = {}
    for run in candidates:
        groups.setdefault(run.comparable, []).append(run)
    of_their_own = [runs for runs in groups.values() if any(run.folder.digest not in folds for run in runs)]
    largest = max(
        of_their_own or groups.values(), key=lambda runs: (len({run.key for run in runs}), max(run.age for run in runs))
    )
    if n_others := sum(run.folder.digest not in folds and run not in largest for run in candidates):
        notes.append(Note(kind=NoteKind.REMARK, text=t.n("note.others", n_others)))
    return largest


def _unequal_trainings(chosen: Sequence[Candidate], t: Texts) -> list[Note]:
    """Remark on each net whose trainings are of different versions of its file, or of different settings."""
    notes = []
    for label in dict.fromkeys(run.key[0] for run in chosen):
        runs = [run for run in chosen if run.key[0] == label and not run.is_trial]
        for key, values in (("note.edited", [run.source for run in runs]), ("note.unequal", [run.settings for run in runs])):
            if len(set(values)) > 1:
                variants = [
                    t.listed([variant_name(run.key[1]) for run, other in zip(runs, values, strict=True) if other == value])
                    for value in dict.fromkeys(values)
                ]
                notes.append(Note(kind=NoteKind.REMARK, text=t(key, name=t.model(label), versions="; ".join(variants))))
    return notes


def _missing(chosen: Mapping[CellKey, Candidate], grid: Grid, t: Texts, *, is_inferred: bool) -> list[Note]:
    absent = [key for key in grid.order(()) if key not in chosen]
    if not absent:
        return []
    project = find_project()
    nets = {run.key[0]: format_net(run.name, project) for run in chosen.values()}
    is_named = is_inferred and not set(grid.models) <= set(PAIR)
    words = [word for label in grid.models for word in ("--model", nets.get(label, label))] if is_named else []
    command = shlex.join(["arena", "train", "--all", *words])
    names = "; ".join(t.cell(*key) for key in absent)
    return [Note(kind=NoteKind.MISSING, text=t.n("note.missing", len(absent), all=grid.n_cells, names=names, command=command))]
