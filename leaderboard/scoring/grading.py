"""Grading of a checked submission on the public and on the private rows of the solution."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from arena.base.resamples import Resamples, Truth, resample_rows
from arena.base.scores import N_REPLICATES, Counts, Indices, confusion_matrix, log_loss
from leaderboard.files.solution import Solution
from leaderboard.files.submission import Submission
from leaderboard.rules import MACRO_F1
from leaderboard.scoring.custom_metric import Metric
from leaderboard.standings import Part
from leaderboard.string_scores import score_counts

SCORER = "macro_f1/1"  # stored with each attempt; a change of a definition of the score is a new number


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PartGrade:
    """Scores of a submission on the rows of one part."""

    confusion: Counts  # (K, K)
    value: float | None  # by the host's own metric; None with macro-F1, which is read from the integers
    log_loss: float | None  # None without probabilities
    metric_name: str

    @property
    def score(self) -> float:
        """Return the score by the contest's metric."""
        return score_counts(self.confusion, self.metric_name) if self.value is None else self.value


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Grade:
    """Scores of a submission on both parts."""

    solution_digest: str
    scorer: str
    public: PartGrade
    private: PartGrade | None  # None without a Usage column


def grade(solution: Solution, submission: Submission, metric: Metric | None = None, metric_name: str = MACRO_F1) -> Grade:
    """Grade a submission by macro-F1 or a score of strings, and by the host's `metric` where there is one.

    Raises:
        SubmissionError: the metric refuses the submission with a message for its sender.
        MetricError: the metric failed.
    """
    return Grade(
        solution_digest=solution.digest,
        scorer=SCORER if metric is None else f"metric/{metric.digest}",
        public=_grade_part(solution, submission, metric, metric_name, Part.PUBLIC),
        private=_grade_part(solution, submission, metric, metric_name, Part.PRIVATE) if solution.has_private else None,
    )


def _grade_part(solution: Solution, submission: Submission, metric: Metric | None, metric_name: str, part: Part) -> PartGrade:
    rows = find_rows(solution, part)
    truth, predicted = solution.truth[rows], submission.predicted[rows]
    probabilities = submission.probabilities
    return PartGrade(
        confusion=confusion_matrix(truth, predicted, len(solution.labels)),
        value=None if metric is None else metric.score(solution, submission, rows),
        log_loss=None if probabilities is None else log_loss(probabilities[rows, truth]),
        metric_name=metric_name,
    )


def find_rows(solution: Solution, part: Part) -> Indices:
    """Return the (n,) row numbers of a part; the hidden part has a solution of its own, all of which counts."""
    return np.flatnonzero(solution.is_private if part is Part.PRIVATE else solution.is_public)


def count_speakers(solution: Solution, part: Part) -> int:
    """Return the number of speakers that the solution names among the rows of a part; 0 without a Group column."""
    return len(np.unique(solution.group[find_rows(solution, part)])) if solution.groups else 0


def draw_resamples(solution: Solution, part: Part, *, n_replicates: int = N_REPLICATES, seed: int = 0) -> Resamples:
    """Return the draws for a part: of speakers where at least five have rows in it, of rows otherwise."""
    rows = find_rows(solution, part)
    truth = Truth(classes=solution.truth[rows], groups=solution.group[rows], n_classes=len(solution.labels))
    result = resample_rows(truth, n_replicates=n_replicates, seed=seed)
    return dataclasses.replace(result, rows=rows[result.rows])
