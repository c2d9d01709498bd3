"""Evaluations among run folders as facts: every number is `arena eval`'s own, recomputed from predictions.csv."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.errors import CnnError
from cnn.plugin import shorten_name
from cnn.runs.evaluation import evaluate
from cnn.runs.folds import FoldRuns, find_evaluations
from reports.facts.base import Note, NoteKind
from reports.facts.evaluations import EvaluationFacts, EvaluationGroup
from reports.facts.models import Grid, infer_models
from reports.wording.page_texts import Texts, english

_ORDER = ("loso", "becker", "folds")

Recipe = tuple[tuple[str, object], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluations:
    """The evaluations in a folder of runs."""

    groups: tuple[EvaluationGroup, ...] = ()
    runs: frozenset[str] = frozenset()  # digests of all their folds
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Context:
    """Folders for the commands, the texts, and the list that collects remarks."""

    runs_dir: Path
    tiles: Path
    notes: list[Note]
    t: Texts


def read_evaluations(runs_dir: Path | None, tiles: Path = Path("tiles"), t: Texts | None = None) -> Evaluations:
    """Read the evaluations whose folds lie in `runs_dir`: leave-one-speaker-out first, then in the order of the eight cells.

    `tiles` is where the commands that complete them look for tiles.
    """
    sets = find_evaluations(runs_dir) if runs_dir else []
    groups: dict[str, list[FoldRuns]] = {}
    for runs in sets:
        groups.setdefault(_comparable(runs), []).append(runs)
    context = _Context(runs_dir=runs_dir or Path(), tiles=tiles, notes=[], t=t or english())
    read = [_group(groups[key], context) for key in sorted(groups)]
    visible = sorted((group for group in read if group.evaluations), key=lambda g: (_ORDER.index(g.kind), g.on, g.n_folds))
    return Evaluations(
        groups=tuple(visible),
        runs=frozenset(run.digest for runs in sets for run in runs.finished.values()),
        notes=tuple(context.notes),
    )


def _comparable(runs: FoldRuns) -> str:
    same = {key: value for key, value in runs.settings.items() if key == "corpus" or key.startswith(("tiles.", "split."))}
    return json.dumps(same, sort_keys=True)


def _group(members: Sequence[FoldRuns], context: _Context) -> EvaluationGroup:
    recipes = {id(runs): _recipe(runs, [rival for rival in members if _cell_key(rival) == _cell_key(runs)]) for runs in members}
    evaluations = []
    for runs in sorted(members, key=lambda runs: str(recipes[id(runs)])):
        try:
            evaluations.append(_evaluation(runs, recipes[id(runs)], runs.command(context.runs_dir, context.tiles)))
        except (CnnError, KeyError, ValueError, IndexError, TypeError, StopIteration) as error:
            text = context.t("note.evaluation_unread", name=context.t.cell(*_cell_key(runs)), error=error)
            context.notes.append(Note(kind=NoteKind.ERROR, text=text))
        else:
            context.notes.extend(_missing(evaluations[-1], context.t))
    first, models = members[0], infer_models(sorted(evaluation.model for evaluation in evaluations))
    n_folds = max(runs.n_folds for runs in members)
    split = first.config.split
    return EvaluationGroup(
        kind=split.kind,
        n_folds=n_folds,
        on=first.on,
        corpus=first.config.corpus,
        tested_corpus=split.test_corpus,
        evaluations=Grid(models).sort(evaluations),
    )


def _cell_key(runs: FoldRuns) -> tuple[str, str]:
    return shorten_name(runs.config.model.name), runs.config.variant


def _recipe(runs: FoldRuns, rivals: Sequence[FoldRuns]) -> Recipe:
    """Return the settings of `runs` in which `rivals`, of the same model and variant, differ."""
    used = [key for key in runs.settings if runs.config.augmented or not key.startswith("augment.")]
    return tuple(
        (key, runs.settings[key]) for key in used if any(rival.settings[key] != runs.settings[key] for rival in rivals)
    )


def _evaluation(runs: FoldRuns, recipe: Recipe, command: str) -> EvaluationFacts:
    return EvaluationFacts(
        model=shorten_name(runs.config.model.name),
        variant=runs.config.variant,
        recipe=recipe,
        n_folds=runs.n_folds,
        folds=runs.folds,
        seeds=runs.seeds,
        n_missing=runs.n_missing,
        command=command,
        scores=evaluate(runs.by_fold(), runs.on, runs.folds),
    )


def _missing(evaluation: EvaluationFacts, t: Texts) -> list[Note]:
    if not evaluation.n_missing:
        return []
    visible = t("note.folds_shown", n=len(evaluation.folds), of=evaluation.n_folds)
    if evaluation.has_all_folds:
        visible = t("note.seeds_shown")
    values = {"name": t.cell(evaluation.model, evaluation.variant), "shown": visible, "command": evaluation.command}
    return [Note(kind=NoteKind.MISSING, text=t.n("note.folds_lack", evaluation.n_missing, **values))]
