"""Labels that contradict the probabilities beside them: in a few rows a choice, in most rows nearly always shifted columns.

A threshold or a prior that was set on purpose moves some labels away from the most probable class, hence only most rows are
refused, and a clear yes sends these too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arena.base.scores import Indices, Values
from arena.base.texts import Localized, Message
from leaderboard.errors import ContradictoryLabels, Fault
from leaderboard.files.csv_table import quote_short
from leaderboard.files.solution import Solution
from leaderboard.files.submission import Submission
from leaderboard.messages import message

_TOLERANCE = 1e-9  # equal probabilities, which rounding makes, contradict nothing
_LARGE_SHARE = 0.8  # least share of the rows that a cause explains
_MAX_DISTANCE = 0.1  # between the frequencies of classes, as total variation, of columns that hold the same answers


@dataclass(frozen=True, kw_only=True, slots=True)
class Contradiction:
    """Rows whose label is not their most probable class."""

    n_rows: int
    n_contradictory: int
    text: Message

    @property
    def is_most(self) -> bool:
        return 2 * self.n_contradictory > self.n_rows


def find_contradiction(submission: Submission, solution: Solution) -> Contradiction | None:
    """Return the rows that contradict themselves, with an example and the likely cause; None where none does."""
    if submission.probabilities is None:
        return None
    labels, probabilities = submission.predicted, submission.probabilities
    rows = np.arange(len(labels))
    top = probabilities.argmax(axis=1)
    is_contradictory = probabilities[rows, labels] < probabilities[rows, top] - _TOLERANCE
    if not is_contradictory.any():
        return None
    row = min(np.flatnonzero(is_contradictory).tolist(), key=solution.ids.__getitem__)  # not by the order of the hidden file
    n = int(is_contradictory.sum())
    text = message(
        "contradiction",
        n=n,
        of=len(labels),
        id=quote_short(solution.ids[row]),
        label=quote_short(solution.labels[labels[row]]),
        top=quote_short(solution.labels[top[row]]),
        cause=_find_cause(labels, top, probabilities, solution.labels, is_most=2 * n > len(labels)),
    )
    return Contradiction(n_rows=len(labels), n_contradictory=n, text=text)


def check_labels(submission: Submission, solution: Solution) -> None:
    """Refuse labels that contradict their own probabilities in most rows.

    Raises:
        ContradictoryLabels: they do; the text names an example and the likely cause.
    """
    contradiction = find_contradiction(submission, solution)
    if contradiction is not None and contradiction.is_most:
        text = message("contradiction_refused", contradiction=contradiction.text)
        raise ContradictoryLabels(submission.file_name, Fault(None, text))


def list_oddities(submission: Submission, solution: Solution) -> tuple[Message, ...]:
    """Return what is odd in a submission that is taken."""
    contradiction = find_contradiction(submission, solution)
    if contradiction is not None:
        return (contradiction.text,)
    labels = set() if solution.strings else set(submission.predicted.tolist())  # errors tell about the truth
    return (message("one_label", label=quote_short(solution.labels[labels.pop()])),) if len(labels) == 1 else ()


def _find_cause(
    labels: Indices, top: Indices, probabilities: Values, names: tuple[str, ...], *, is_most: bool
) -> Localized | str:
    n_classes = len(names)
    order = _find_order(labels, top, n_classes)
    if not is_most and order is None:
        return ""
    if len(set(top.tolist())) == 1:
        return message("contradiction_one_top", top=quote_short(names[top[0]]))
    if len(set(labels.tolist())) == 1:
        return message("contradiction_one_label", label=quote_short(names[labels[0]]))
    if n_classes > 2 and _share(probabilities.argmin(axis=1) == labels) >= _LARGE_SHARE:
        return message("contradiction_least")
    if n_classes > 2 and _share((top + 1) % n_classes == labels) >= _LARGE_SHARE:
        return message("contradiction_from_one")
    if n_classes > 2 and _share((top - 1) % n_classes == labels) >= _LARGE_SHARE:
        return message("contradiction_shifted")
    if order is not None:
        column, label = order
        return message("contradiction_order", column=quote_short(names[column]), label=quote_short(names[label]))
    by_label, by_top = (np.bincount(values, minlength=n_classes) for values in (labels, top))
    if np.abs(by_label - by_top).sum() / (2 * len(labels)) <= _MAX_DISTANCE:
        return message("contradiction_rows")
    return message("contradiction_two_files")


def _share(values: np.ndarray) -> float:
    return float(np.mean(values))


def _find_order(labels: Indices, top: Indices, n_classes: int) -> tuple[int, int] | None:
    """Return a column and the other label that most of its rows have, if each column has its own and they explain the file."""
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (top, labels), 1)
    columns = np.flatnonzero(counts.sum(axis=1))
    best = counts[columns].argmax(axis=1)
    if len(set(best.tolist())) < len(columns) or counts[columns, best].sum() < _LARGE_SHARE * len(labels):
        return None
    return next((pair for pair in zip(columns.tolist(), best.tolist(), strict=True) if pair[0] != pair[1]), None)
