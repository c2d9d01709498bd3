"""Two sets of runs against each other: the same model and variant on both sides, paired on the same test clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.analysis.paired_bootstrap import Contrast, have_same_clips, resample_runs
from reports.analysis.scores import ClipAnswers
from reports.errors import SourceError
from reports.facts.base import DifferenceFacts, Note
from reports.facts.report import CellKey, RunFacts, order_cells
from reports.reading.gather import Sources, read_all
from reports.reading.run import Reading
from reports.reading.selection import select
from reports.wording.page_texts import Texts


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
    pairs: tuple[PairFacts, ...]
    mean: DifferenceFacts | None  # over all pairs on the same clips
    settings: tuple[DifferingSetting, ...]
    notes: tuple[Note, ...]
    lang: str


def compare(a: Path, b: Path, sources: Sources, t: Texts) -> CompareFacts:
    """The facts of `a` (a folder of runs, a run folder, or how a digest begins) minus those of `b`.

    Raises:
        SourceError: a side holds no finished run, or cannot be read.
    """
    (ours, notes_a), (theirs, notes_b) = (_side(side, sources, t) for side in (a, b))
    couples = _couples(ours, theirs)
    differences, mean = _differences([(one, other) for _, one, other in couples])
    pairs = tuple(
        PairFacts(
            model=place[0],
            variant=place[1],
            a=one.facts if one else None,
            b=other.facts if other else None,
            difference=differences.get(n),
        )
        for n, (place, one, other) in enumerate(couples)
    )
    names = str(a), str(b)
    return CompareFacts(
        title=sources.title or t("compare.title", a=names[0], b=names[1]),
        a=names[0],
        b=names[1],
        pairs=pairs,
        mean=mean,
        settings=_settings(pairs),
        notes=(*notes_a, *notes_b),
        lang=t.language,
    )


def _side(side: Path, sources: Sources, t: Texts) -> tuple[dict[CellKey, Reading], tuple[Note, ...]]:
    is_folder_of_runs = side.is_dir() and not (side / "config.json").exists()
    selection = select(side, (), (), t) if is_folder_of_runs else select(sources.runs, (side,), (), t)
    if not selection.folders:
        raise SourceError(f"each side of a comparison holds a finished run and {side} holds none; train with `arena train`")
    readings, notes = read_all(selection, sources, t)
    kept = tuple(note for note in selection.notes if note.kind != "missing")
    return readings, (*kept, *notes)


Couple = tuple[CellKey, Reading | None, Reading | None]


def _couples(ours: dict[CellKey, Reading], theirs: dict[CellKey, Reading]) -> list[Couple]:
    """By model and variant; two single runs are a couple whatever they are."""
    if len(ours) == len(theirs) == 1:
        (place, one), (_, other) = next(iter(ours.items())), next(iter(theirs.items()))
        return [(place, one, other)]
    every = {**ours, **theirs}
    return [(place, ours.get(place), theirs.get(place)) for place in order_cells(every) if place in every]


def _differences(
    couples: Sequence[tuple[Reading | None, Reading | None]],
) -> tuple[dict[int, DifferenceFacts], DifferenceFacts | None]:
    """Of each couple on the same clips, and the mean over those that share their clips with the first such couple."""
    found: dict[int, DifferenceFacts] = {}
    together: list[tuple[str, str]] = []
    clips: dict[str, ClipAnswers] = {}
    first: ClipAnswers | None = None
    for n, (one, other) in enumerate(couples):
        if not one or not other or not one.test or not other.test or not have_same_clips(one.test, other.test):
            continue
        found[n] = resample_runs({"a": one.test, "b": other.test}).pair("a", "b")
        first = first or one.test
        if have_same_clips(first, one.test):
            clips |= {f"a{n}": one.test, f"b{n}": other.test}
            together.append((f"a{n}", f"b{n}"))
    if not together:
        return found, None
    contrasts = [Contrast(name=a[1:], terms=((1.0, a), (-1.0, b))) for a, b in together]
    return found, resample_runs(clips).mean(contrasts)


def _settings(pairs: Sequence[PairFacts]) -> tuple[DifferingSetting, ...]:
    """Keys in which a whole pair differs; augmentation counts only where both use it."""
    whole = [(pair.a, pair.b) for pair in pairs if pair.a and pair.b]
    keys = dict.fromkeys(key for a, b in whole for run in (a, b) for key in run.config)
    rows = []
    for key in keys:
        used = [(a, b) for a, b in whole if not key.startswith("augment.") or (a.augmented and b.augmented)]
        if all(a.config.get(key) == b.config.get(key) for a, b in used):
            continue
        values = [{str(run.config.get(key)): run.config.get(key) for run in side} for side in zip(*used, strict=True)]
        rows.append(DifferingSetting(key=key, a=tuple(values[0].values()), b=tuple(values[1].values())))
    return tuple(rows)
