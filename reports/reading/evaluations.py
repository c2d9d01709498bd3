"""Run folders to the facts of evaluations: every number is `arena eval`'s own, recomputed from predictions.csv."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.errors import CnnError
from cnn.runs.evaluation import evaluate
from cnn.runs.evaluation_sets import FoldRuns, find_evaluations
from reports.facts.base import Note, NoteKind
from reports.facts.evaluations import EvaluationFacts, EvaluationGroup
from reports.facts.report import order_cells
from reports.wording.page_texts import Texts, english

_ORDER = ("loso", "becker", "folds")

Recipe = tuple[tuple[str, object], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluations:
    """What a folder of runs holds of evaluations."""

    groups: tuple[EvaluationGroup, ...] = ()
    runs: frozenset[str] = frozenset()  # digests of all their folds
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """Where the evaluations lie and where remarks on them go."""

    runs_dir: Path
    tiles: Path
    notes: list[Note]
    t: Texts


def read_evaluations(runs_dir: Path | None, tiles: Path = Path("tiles"), t: Texts | None = None) -> Evaluations:
    """The evaluations whose folds lie in `runs_dir`: leave-one-speaker-out first, then in the order of the eight trainings.

    `tiles` is where the commands that complete them look for tiles.
    """
    found = find_evaluations(runs_dir) if runs_dir else []
    groups: dict[str, list[FoldRuns]] = {}
    for runs in found:
        groups.setdefault(_comparable(runs), []).append(runs)
    asked = _Asked(runs_dir=runs_dir or Path(), tiles=tiles, notes=[], t=t or english())
    read = [_group(groups[key], asked) for key in sorted(groups)]
    shown = sorted((group for group in read if group.evaluations), key=lambda g: (_ORDER.index(g.kind), g.on, g.n_folds))
    return Evaluations(
        groups=tuple(shown),
        runs=frozenset(run.digest for runs in found for run in runs.finished.values()),
        notes=tuple(asked.notes),
    )


def _comparable(runs: FoldRuns) -> str:
    same = {key: value for key, value in runs.settings.items() if key == "corpus" or key.startswith(("tiles.", "split."))}
    return json.dumps(same, sort_keys=True)


def _group(members: Sequence[FoldRuns], asked: _Asked) -> EvaluationGroup:
    order = {place: n for n, place in enumerate(order_cells([_place(runs) for runs in members]))}
    recipes = {id(runs): _recipe(runs, [other for other in members if _place(other) == _place(runs)]) for runs in members}
    evaluations = []
    for runs in sorted(members, key=lambda runs: (order[_place(runs)], str(recipes[id(runs)]))):
        try:
            evaluations.append(_evaluation(runs, recipes[id(runs)], runs.command(asked.runs_dir, asked.tiles)))
        except (CnnError, KeyError, ValueError, IndexError, TypeError, StopIteration) as error:
            text = asked.t("note.evaluation_unread", name=asked.t.cell(*_place(runs)), error=error)
            asked.notes.append(Note(kind=NoteKind.ERROR, text=text))
        else:
            asked.notes.extend(_missing(evaluations[-1], asked.t))
    first = members[0]
    n_folds = max(runs.n_folds for runs in members)
    split = first.config.split
    return EvaluationGroup(
        kind=split.kind, n_folds=n_folds, on=first.on, corpus=first.config.corpus, evaluations=tuple(evaluations)
    )


def _place(runs: FoldRuns) -> tuple[str, str]:
    return runs.config.model.name, runs.config.variant


def _recipe(runs: FoldRuns, rivals: Sequence[FoldRuns]) -> Recipe:
    """The settings of `runs` in which `rivals`, of the same model and variant, differ."""
    every = [rival.settings for rival in rivals]
    used = [key for key in runs.settings if runs.config.augmented or not key.startswith("augment.")]
    return tuple((key, runs.settings[key]) for key in used if any(other[key] != runs.settings[key] for other in every))


def _evaluation(runs: FoldRuns, recipe: Recipe, command: str) -> EvaluationFacts:
    return EvaluationFacts(
        model=runs.config.model.name,
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
    shown = t("note.folds_shown", n=len(evaluation.folds), of=evaluation.n_folds)
    if evaluation.has_all_folds:
        shown = t("note.seeds_shown")
    values = {"name": t.cell(evaluation.model, evaluation.variant), "shown": shown, "command": evaluation.command}
    return [Note(kind=NoteKind.MISSING, text=t.n("note.folds_lack", evaluation.n_missing, **values))]
