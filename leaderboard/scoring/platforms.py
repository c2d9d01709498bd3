"""Score files of other platforms: Codabench, EvalAI, Gradescope. For contests that run there with our scoring.

Codabench:  `scores.json` of a scoring program, one flat object of numbers (docs.codabench.org, "Competition Bundle Structure").
EvalAI:     the result of `evaluate`: `result`, one object per split, and `submission_result` (evalai.readthedocs.io,
            "Writing an Evaluation Script").
Gradescope: `results.json` of an autograder (gradescope-autograders.readthedocs.io, "Autograder Specifications").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena.base.scores import f1, macro_f1
from leaderboard.errors import SolutionError, SubmissionError
from leaderboard.files.contradictions import check_labels
from leaderboard.files.csv_table import read_file
from leaderboard.files.solution import parse_solution
from leaderboard.files.submission import parse_submission
from leaderboard.rules import EXACT_MATCH, MACRO_F1
from leaderboard.scoring.grading import PartGrade, grade
from leaderboard.standings import METRICS, compute_metrics

_DIGITS = 10  # after the point; below the last bit that two machines may differ in


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """Metrics of a file on the public rows and, where the solution splits, on the private ones."""

    public: Mapping[str, float]  # metric to value
    private: Mapping[str, float] | None


def score_submission(solution: Path, submission: Path, platform: str, *, yes: bool = False) -> dict[str, Any]:
    """Score a file and return the object that `platform` reads; for Gradescope a refusal too is such an object.

    Args:
        yes: score labels that contradict their own probabilities.

    Raises:
        SolutionError: the solution is invalid.
        SubmissionError: the submission cannot be scored.
    """
    truth = parse_solution(read_file(solution, SolutionError), solution.name)
    try:
        parsed = parse_submission(read_file(submission, SubmissionError), submission.name, truth)
        if not yes:
            check_labels(parsed, truth)
    except SubmissionError as error:
        if platform == "gradescope":
            return gradescope_refusal(error)
        raise
    graded = grade(truth, parsed, metric_name=EXACT_MATCH if truth.strings else MACRO_F1)
    private = None if graded.private is None else _metrics(graded.private)
    return FORMATS[platform](Scores(public=_metrics(graded.public), private=private))


def _metrics(part: PartGrade) -> dict[str, float]:
    confusion = part.confusion
    others = compute_metrics(confusion, part.log_loss, part.metric_name)
    if part.metric_name == EXACT_MATCH:
        return {
            name: round(value, _DIGITS) for name, value in {"exact_match": part.score, **others}.items() if value is not None
        }
    by_class = f1(confusion)
    rows = confusion.sum(axis=1)
    weighted = float(np.average(by_class, weights=rows)) if rows.any() else 0.0
    values = {
        "macro_f1": macro_f1(confusion),
        "weighted_f1": weighted,
        **others,
    }
    return {name: round(value, _DIGITS) for name, value in values.items() if value is not None}


def codabench(scores: Scores) -> dict[str, Any]:
    """Return `scores.json`; private metrics have their own columns."""
    return {**scores.public, **{f"private_{name}": value for name, value in (scores.private or {}).items()}}


def evalai(scores: Scores) -> dict[str, Any]:
    """Return `result`: the splits that a challenge's configuration shows and hides."""
    splits: list[dict[str, Mapping[str, float]]] = [{"public_split": scores.public}]
    if scores.private is not None:
        splits.append({"private_split": scores.private})
    return {"result": splits, "submission_result": scores.public}


def gradescope(scores: Scores) -> dict[str, Any]:
    """Return `results.json`: the first public score out of 100; private ones are visible after the due date."""
    names = {"macro_f1": MACRO_F1, "exact_match": EXACT_MATCH, "weighted_f1": "weighted F1"}
    names |= {metric.key: metric.name for metric in METRICS}
    first = next(iter(scores.public))
    tests = [_gradescope_test(names[first], scores.public[first], "visible")]
    if scores.private is not None:
        tests.append({**_gradescope_test(f"private {names[first]}", scores.private[first], "after_published"), "max_score": 0})
        tests[-1]["score"] = 0
    falling = {metric.key for metric in METRICS if metric.is_lower_better}
    return {
        "score": round(100 * scores.public[first], 4),
        "tests": tests,
        "leaderboard": [
            {"name": names[name], "value": value, "order": "asc" if name in falling else "desc"}
            for name, value in scores.public.items()
        ],
    }


def gradescope_refusal(error: SubmissionError) -> dict[str, Any]:
    """Return `results.json` for a file that cannot be scored."""
    return {"score": 0, "output": str(error), "tests": []}


def _gradescope_test(name: str, value: float, visibility: str) -> dict[str, Any]:
    return {
        "name": name,
        "score": round(100 * value, 4),
        "max_score": 100,
        "output": f"{name} {value:.4f}",
        "visibility": visibility,
    }


FORMATS: Mapping[str, Callable[[Scores], dict[str, Any]]] = {
    "codabench": codabench,
    "evalai": evalai,
    "gradescope": gradescope,
}
