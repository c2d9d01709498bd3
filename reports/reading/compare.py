"""Comparison of two sets of runs: the same model and variant on both sides, paired on the same test clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.keys import is_setting
from cnn.runs import DataKind
from reports.analysis.paired_bootstrap import Contrast, have_same_clips, resample_runs
from reports.analysis.scores import ClipAnswers
from reports.errors import SourceError
from reports.facts.base import DifferenceFacts, Note
from reports.facts.models import CellKey, Grid, infer_models, order_nets
from reports.facts.report import RunFacts
from reports.reading.gather import Sources, read_all
from reports.reading.run import Reading
from reports.reading.selection import select_runs
from reports.wording.page_texts import Texts, texts


@dataclass(frozen=True, kw_only=True, slots=True)
class PairFacts:
    """One model and variant; a side that lacks it is None."""

    model: str
    variant: str
    a: RunFacts | None
    b: RunFacts | None
    difference: DifferenceFacts | None  # a minus b; None where they were tested on different clips, or one is missing

    @property
    def is_whole(self) -> bool:
        return self.a is not None and self.b is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class DifferingSetting:
    """One key, with every value that it has on a side."""

    key: str
    a: tuple[object, ...]
    b: tuple[object, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareFacts:
    """All that the page says."""

    title: str
    a: str
    b: str
    models: tuple[str, ...]  # labels of Model A and Model B
    pairs: tuple[PairFacts, ...]
    mean: DifferenceFacts | None  # over all pairs on the same clips
    settings: tuple[DifferingSetting, ...]
    notes: tuple[Note, ...]
    lang: str
    kind: DataKind

    @property
    def nets(self) -> tuple[str, ...]:
        """Return the labels of all nets on the page: Model A, Model B, then the others."""
        return order_nets(self.models, [pair.model for pair in self.pairs])


def compare_runs(a: Path, b: Path, sources: Sources, t: Texts) -> CompareFacts:
    """Compare `a` (a folder of runs, or a run as `cnn.runs.reference` names it) with `b`, which is subtracted.

    Raises:
        SourceError: a side holds no finished run, or cannot be read.
    """
    (ours, notes_a, kind), (theirs, notes_b, _) = (_side(side, sources, t) for side in (a, b))
    models = sources.models or infer_models(model for model, _ in (*ours, *theirs))
    couples = _couples(ours, theirs, Grid(models))
    differences, mean = _differences([couple[1:] for couple in couples])
    pairs = tuple(
        PairFacts(
            model=model,
            variant=variant,
            a=ours_run.facts if ours_run else None,
            b=their_run.facts if their_run else None,
            difference=differences.get(n),
        )
        for n, ((model, variant), ours_run, their_run) in enumerate(couples)
    )
    names = str(a), str(b)
    return CompareFacts(
        title=sources.title or t("compare.title", a=names[0], b=names[1]),
        a=names[0],
        b=names[1],
        models=models,
        pairs=pairs,
        mean=mean,
        settings=_settings(pairs, kind),
        notes=(*notes_a, *notes_b),
        lang=t.language,
        kind=kind,
    )


def _side(side: Path, sources: Sources, t: Texts) -> tuple[dict[CellKey, Reading], tuple[Note, ...], DataKind]:
    is_folder_of_runs = side.is_dir() and not (side / "config.json").exists()
    runs_dir, named = (side, ()) if is_folder_of_runs else (sources.runs, (side,))
    selection = select_runs(runs_dir, named, (), t, sources.grid)
    if not selection.folders:
        raise SourceError(f"each side of a comparison holds a finished run and {side} holds none; train with `arena train`")
    readings, notes = read_all(selection, sources, texts(t.language, selection.kind))
    side_notes = tuple(note for note in selection.notes if note.kind != "missing")
    return readings, (*side_notes, *notes), selection.kind


Couple = tuple[CellKey, Reading | None, Reading | None]


def _couples(ours: dict[CellKey, Reading], theirs: dict[CellKey, Reading], grid: Grid) -> list[Couple]:
    """Couple the runs by model and variant; two single runs are a couple whatever they are."""
    if len(ours) == len(theirs) == 1:
        (key, a), (_, b) = next(iter(ours.items())), next(iter(theirs.items()))
        return [(key, a, b)]
    every = {**ours, **theirs}
    return [(key, ours.get(key), theirs.get(key)) for key in grid.order(every) if key in every]


def _differences(
    couples: Sequence[tuple[Reading | None, Reading | None]],
) -> tuple[dict[int, DifferenceFacts], DifferenceFacts | None]:
    """Return the difference of each couple on the same clips, and the mean over the couples on the first one's clips."""
    differences: dict[int, DifferenceFacts] = {}
    together: list[tuple[str, str]] = []
    clips: dict[str, ClipAnswers] = {}
    first: ClipAnswers | None = None
    for n, (a_run, b_run) in enumerate(couples):
        if not a_run or not b_run or not a_run.test or not b_run.test or not have_same_clips(a_run.test, b_run.test):
            continue
        differences[n] = resample_runs({"a": a_run.test, "b": b_run.test}).pair("a", "b")
        first = first or a_run.test
        if have_same_clips(first, a_run.test):
            clips |= {f"a{n}": a_run.test, f"b{n}": b_run.test}
            together.append((f"a{n}", f"b{n}"))
    if not together:
        return differences, None
    contrasts = [Contrast(name=a[1:], terms=((1.0, a), (-1.0, b))) for a, b in together]
    return differences, resample_runs(clips).mean(contrasts)


def _settings(pairs: Sequence[PairFacts], kind: DataKind) -> tuple[DifferingSetting, ...]:
    """List the keys in which a complete pair differs; augmentation counts only where both use it."""
    complete = [(pair.a, pair.b) for pair in pairs if pair.a and pair.b]
    keys = dict.fromkeys(key for a, b in complete for run in (a, b) for key in run.config if is_setting(key, kind))
    rows = []
    for key in keys:
        used = [(a, b) for a, b in complete if not key.startswith("augment.") or (a.augmented and b.augmented)]
        if all(a.config.get(key) == b.config.get(key) for a, b in used):
            continue
        values = [{str(run.config.get(key)): run.config.get(key) for run in side} for side in zip(*used, strict=True)]
        rows.append(DifferingSetting(key=key, a=tuple(values[0].values()), b=tuple(values[1].values())))
    return tuple(rows)
