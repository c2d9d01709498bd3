"""The score of a submission against a solution, as a contest computes it."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from arena.api.arguments import Location
from arena.base.scores import Interval

if TYPE_CHECKING:
    import pandas as pd

    from leaderboard.files.solution import Solution
    from leaderboard.files.submission import Submission
    from leaderboard.scoring.grading import PartGrade
    from leaderboard.standings import Part


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Score:
    """Macro-F1 with its interval (95 %), and what a contest shows beside it."""

    macro_f1: float
    interval: Interval  # over speakers where the solution names five, else over clips
    metrics: dict[str, float]  # accuracy, and log_loss where probabilities were sent
    confusion: pd.DataFrame  # counts, rows: truth, columns: prediction
    private: Score | None = None  # on the private rows of a solution with a Usage column
    notes: tuple[str, ...] = ()  # on what is odd in the submission

    def __float__(self) -> float:
        return self.macro_f1

    def __repr__(self) -> str:
        ends = f"{self.interval.low:.4f} to {self.interval.high:.4f} over {self.interval.n_units:,} {self.interval.unit}"
        more = "".join(f", {name} {value:.4f}" for name, value in self.metrics.items())
        private = "" if self.private is None else f"; private: {self.private!r}"
        notes = "".join(f"; {note}" for note in self.notes)
        return f"Score(macro-F1 {self.macro_f1:.4f}, {self.interval.level:.0%} interval {ends}{more}{private}{notes})"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>{self.confusion.to_html()}"


def score(submission: Location | pd.DataFrame, solution: Location) -> Score:
    """Score a submission against the true labels, as often as you like: no contest and no attempt is involved.

    Args:
        submission: a CSV, or a table with id, label and, if you like, a probability for each class.
        solution: a CSV with id, label and, if you like, Usage and Group.

    Raises:
        Error: a file that cannot be scored; names its first line that is wrong.
    """
    from leaderboard.errors import Fault, SolutionError, SubmissionError
    from leaderboard.files.contradictions import list_oddities
    from leaderboard.files.csv_table import read_file
    from leaderboard.files.solution import parse_solution
    from leaderboard.files.submission import parse_submission
    from leaderboard.scoring.grading import grade
    from leaderboard.standings import Part

    path = Path(solution)
    truth = parse_solution(read_file(path, SolutionError), path.name)
    if truth.strings:
        advice = "has strings; score them by `arena predict RUN --strings FOLDER --truth FILE`"
        raise SolutionError(path.name, Fault(None, advice))
    if isinstance(submission, str | os.PathLike):
        content, name = read_file(Path(submission), SubmissionError), Path(submission).name
    else:
        content, name = submission.to_csv(index=False, lineterminator="\n").encode(), "the table"
    answers = parse_submission(content, name, truth)
    grades = grade(truth, answers)
    private = None if grades.private is None else _score_part(truth, answers, grades.private, Part.PRIVATE, None)
    score = _score_part(truth, answers, grades.public, Part.PUBLIC, private)
    return replace(score, notes=tuple(map(str, list_oddities(answers, truth))))


def _score_part(truth: Solution, answers: Submission, grades: PartGrade, part: Part, private: Score | None) -> Score:
    import pandas as pd

    from leaderboard.scoring.grading import draw_resamples
    from leaderboard.standings import compute_metrics

    draws, labels = draw_resamples(truth, part), list(truth.labels)
    values = compute_metrics(grades.confusion, grades.log_loss, grades.metric_name)
    return Score(
        macro_f1=grades.score,
        interval=draws.interval(draws.macro_f1(np.stack([answers.predicted]))[:, 0]),
        metrics={key: value for key, value in values.items() if value is not None},
        confusion=pd.DataFrame(
            grades.confusion, index=pd.Index(labels, name="truth"), columns=pd.Index(labels, name="predicted")
        ),
        private=private,
    )
