"""Small tables from facts: confusions, splits, shared versions. Values only; the templates round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.facts.report import RunFacts

N_CONFUSIONS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Confusion:
    """Clips of one digit that were taken for another."""

    truth: str
    predicted: str
    n: int
    n_truth: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DigitRow:
    """One digit on the test clips."""

    label: str
    n: int
    f1: float | None  # None of a digit that no clip says


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitRow:
    """One part of the split, as far as the run's files tell."""

    name: str  # train, val or test
    n: int
    fewest: int  # clips of the rarest digit
    most: int
    speakers: tuple[str, ...]


def confusions(run: RunFacts | None) -> tuple[Confusion, ...]:
    """List the most frequent test confusions, at most eight."""
    if not run or not run.test:
        return ()
    pairs = [
        Confusion(truth=run.labels[i], predicted=run.labels[j], n=n, n_truth=sum(row))
        for i, row in enumerate(run.test.confusion)
        for j, n in enumerate(row)
        if n and i != j
    ]
    return tuple(sorted(pairs, key=lambda c: (-c.n, c.truth, c.predicted))[:N_CONFUSIONS])


def digits(run: RunFacts | None) -> tuple[DigitRow, ...]:
    """List the F1 of every digit on the test clips."""
    if not run or not run.test:
        return ()
    rows = zip(run.labels, run.test.confusion, run.test.f1, strict=True)
    return tuple(DigitRow(label=label, n=sum(row), f1=f1 if any(row) else None) for label, row, f1 in rows)


def splits(run: RunFacts | None) -> tuple[SplitRow, ...]:
    """List training, validation and test of one run; all compared runs share them."""
    if not run:
        return ()
    rows = []
    for name in ("train", "val", "test"):
        if split := run.splits.get(name):
            sizes = [sum(row) for row in split.confusion] or [0]
            rows.append(SplitRow(name=name, n=split.n, fewest=min(sizes), most=max(sizes), speakers=split.speakers))
    return tuple(rows)


def shared_versions(runs: Sequence[RunFacts]) -> dict[str, str]:
    """Return each library's version, several where runs differ."""
    names = sorted({name for run in runs for name in run.versions})
    return {name: ", ".join(sorted({run.versions[name] for run in runs if name in run.versions})) for name in names}
