"""Context of a team's pages: its attempts as matrices, bars and intervals. Values only, from the public rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from arena.base.scores import Counts
from arena.base.texts import Words
from leaderboard.contest.disclosure import Digits, ShownDetails
from leaderboard.pages.board_cache import BoardLine, PublicBoard
from leaderboard.rules import STRING_METRICS
from leaderboard.standings import AttemptModel, format_metrics, list_metrics

_N_MISTAKES = 5
_N_SHADES = 4
AXIS_WIDTH = 144.0  # width of the axis in the SVG's units
_DIGITS = 3  # decimals of a position in an SVG


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixCell:
    n: int
    shade: str  # CSS class: zero, right-1 to right-4, wrong-1 to wrong-4


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassLine:
    label: str
    n: int  # public clips of this class
    f1: float
    width: float  # width of its bar, 0..100


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    truth: str
    predicted: str
    n: int
    n_truth: int  # public clips of the true class


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptView:
    """An attempt as its team sees it; labels, cells, classes and mistakes are empty while they are hidden."""

    number: int
    metric: str
    digits: Digits
    score: float
    low: float
    high: float
    metrics: Sequence[tuple[str, str]]  # key and rounded value of each
    arrived_at: datetime  # UTC
    file_name: str
    note: str | None  # the team's own words
    is_voided: bool
    counts: bool  # the standings show this attempt
    model: AttemptModel | None
    labels: Sequence[str]
    cells: Sequence[Sequence[MatrixCell]]  # row: truth
    classes: Sequence[ClassLine]
    mistakes: Sequence[Mistake]
    later: str  # key of the text on what follows at the close; empty where all is shown


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgressLine:
    number: int
    score: float
    low: float
    high: float
    x: float
    low_x: float
    high_x: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """All attempts of a team on one axis."""

    lines: Sequence[ProgressLine]
    low: float  # ends of the axis
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamView:
    name: str
    pseudonym: str | None  # its public name
    rank: int | None
    n_ranked: int
    best: float | None
    n_left: int
    digits: Digits
    remaining: str  # sentence on the attempts left; empty where the end of the contest took them
    final: Sequence[str]  # sentences on what was final, once the host has closed the contest
    takes_models: bool  # for attempts that are not verified
    attempts: Sequence[AttemptView]
    progress: Progress


def shade_cells(confusion: Counts) -> list[list[MatrixCell]]:
    """Return (K, K) cells, each shaded by its share of its row."""
    rows = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, rows, out=np.zeros(confusion.shape), where=rows > 0)
    steps = np.ceil(shares * _N_SHADES).astype(int)
    return [
        [MatrixCell(n=int(n), shade=_shade(int(steps[i, j]), i == j)) for j, n in enumerate(row)]
        for i, row in enumerate(confusion)
    ]


def _shade(step: int, is_right: bool) -> str:
    return f"{'right' if is_right else 'wrong'}-{step}" if step else "zero"


def build_attempt_view(details: ShownDetails, metric: str, digits: Digits, *, is_best: bool) -> AttemptView:
    """Return the view of an attempt; `metric` names its score."""
    classes = details.classes or ()
    labels = [line.label for line in classes]
    confusion = np.array(details.confusion or (), dtype=np.int64).reshape(len(labels), len(labels))
    attempt, has_strings = details.attempt, metric in STRING_METRICS.values()
    metrics = list_metrics(attempt.metrics)
    return AttemptView(
        number=attempt.number,
        metric=metric,
        digits=digits,
        score=attempt.score,
        low=details.interval.low,
        high=details.interval.high,
        metrics=[(m.key, text) for m, text in zip(metrics, format_metrics(attempt.metrics, metrics), strict=True)],
        arrived_at=attempt.arrived_at,
        file_name=attempt.file_name,
        note=attempt.note,
        is_voided=attempt.voided_at is not None,
        counts=is_best,
        model=attempt.model,
        labels=labels,
        cells=shade_cells(confusion),
        classes=[ClassLine(label=c.label, n=c.n_rows, f1=c.f1, width=round(100 * c.f1, 1)) for c in classes],
        mistakes=find_mistakes(confusion, labels),
        later="" if labels or attempt.metrics else "string_details_later" if has_strings else "details_later",
    )


def find_mistakes(confusion: Counts, labels: Sequence[str]) -> list[Mistake]:
    """Return the most frequent confusions of two classes, most frequent first."""
    wrong = confusion - np.diag(np.diagonal(confusion))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_N_MISTAKES]
    pairs = [divmod(int(index), len(labels)) for index in order]
    return [
        Mistake(truth=labels[i], predicted=labels[j], n=int(wrong[i, j]), n_truth=int(confusion[i].sum()))
        for i, j in pairs
        if wrong[i, j]
    ]


def axis_ends(lows: Sequence[float], highs: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis for all intervals: hundredths, at least one hundredth apart."""
    low, high = (np.floor(100 * min(lows)) / 100, np.ceil(100 * max(highs)) / 100) if lows else (0.0, 1.0)
    return float(low), float(max(high, low + 0.01))


def project(value: float, ends: tuple[float, float]) -> float:
    """Return the position of a value on an axis, 0 to `AXIS_WIDTH`; values beyond an end are clipped to it."""
    share = (value - ends[0]) / (ends[1] - ends[0])
    return round(AXIS_WIDTH * min(1.0, max(0.0, share)), _DIGITS)


def build_progress(attempts: Sequence[AttemptView]) -> Progress:
    """Return a line for each attempt, in order of number."""
    ends = axis_ends([attempt.low for attempt in attempts], [attempt.high for attempt in attempts])
    lines = [
        ProgressLine(
            number=attempt.number,
            score=attempt.score,
            low=attempt.low,
            high=attempt.high,
            x=project(attempt.score, ends),
            low_x=project(attempt.low, ends),
            high_x=project(attempt.high, ends),
        )
        for attempt in attempts
    ]
    return Progress(lines=lines, low=ends[0], high=ends[1])


def describe_result(board: PublicBoard, line: BoardLine, number: int, words: Words) -> list[str]:
    """Return sentences on a team's final result: rank, attempt that counted, its scores; none before the host's close.

    Args:
        number: number of the attempt that counts.
    """
    if not board.is_closed or line.rank is None:
        return []
    sentences = [words("final_rank", rank=line.rank, n=sum(other.rank is not None for other in board.lines))]
    if line.rank_low is not None and line.rank_low != line.rank_high:
        sentences.append(words("final_range", unit=words(f"unit_{line.unit}"), low=line.rank_low, high=line.rank_high))
    public = f"{line.score:.{board.digits.score}f}"
    if line.final is None:
        return [*sentences, words("final_score", number=number, metric=board.metric, score=public)]
    private = f"{line.final:.{board.digits.score}f}"
    return [*sentences, words(f"final_{board.final_part}", number=number, public=public, metric=board.metric, private=private)]
