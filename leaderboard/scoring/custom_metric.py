"""The host's own metric, a Python file with `score(solution, submission, row_id_column_name)` as on Kaggle; imports pandas.

The file is a program and runs with the host's rights in the host's process. No file of a team is ever run.
"""

from __future__ import annotations

import ast
import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from arena.base.scores import Indices
from leaderboard.errors import Fault, MetricError, SubmissionError
from leaderboard.files.solution import Solution
from leaderboard.files.submission import Submission
from leaderboard.rules import MACRO_F1, STRING_METRICS

if TYPE_CHECKING:
    import pandas


_ID = "id"
_VISIBLE_ERROR = "ParticipantVisibleError"  # its text is for the sender of the file; the name is Kaggle's


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Metric:
    """A loaded metric."""

    digest: str  # SHA-256 of the file
    module: ModuleType = field(repr=False)

    def score(self, solution: Solution, submission: Submission, rows: Indices) -> float:
        """Return the metric on the (n,) rows of one part, unrounded.

        Raises:
            SubmissionError: the metric refuses the submission with a message for its sender.
            MetricError: it failed in another way, or answered no finite number.
        """
        truth, predictions = _build_frames(solution, submission, rows)
        try:
            value = float(self.module.score(truth, predictions, _ID))
        except Exception as error:
            if any(kind.__name__ == _VISIBLE_ERROR for kind in type(error).__mro__):
                raise SubmissionError(submission.file_name, Fault(None, " ".join(str(error).split()))) from error
            raise MetricError(
                f"the metric of this contest failed ({type(error).__name__}); nothing was counted, tell its host"
            ) from error
        if not math.isfinite(value):
            raise MetricError(f"the metric of this contest answered {value}, no number; nothing was counted, tell its host")
        return value


def name_metric(file_name: str | None) -> str:
    """Return the name of the metric in a file; without one of the host, of the contest's own."""
    return MACRO_F1 if file_name is None else STRING_METRICS.get(file_name) or Path(file_name).stem


def load_metric(content: bytes, file_name: str) -> Metric:
    """Load the metric in a Python file.

    Raises:
        MetricError: the file cannot be run, or has no function `score`.
    """
    module = ModuleType("contest_metric")
    try:
        exec(compile(content, file_name, "exec"), module.__dict__)
    except Exception as error:
        raise MetricError(f"{file_name} cannot be run ({type(error).__name__}: {error}); correct it and try again") from error
    if not callable(getattr(module, "score", None)):
        rule = "a metric is a function score(solution, submission, row_id_column_name)"
        raise MetricError(f"{rule} and {file_name} has none; add it and try again")
    return Metric(digest=hashlib.sha256(content).hexdigest(), module=module)


def read_description(content: bytes) -> str | None:
    """Return the docstring of a metric's `score`, or of its file; the file is read and not run."""
    tree = ast.parse(content)
    nodes: list[ast.FunctionDef | ast.Module] = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "score"
    ]
    return next(filter(None, (ast.get_docstring(node) for node in [*nodes, tree])), None)


def check_metric(metric: Metric, solution: Solution) -> None:
    """Run a metric once on the truth itself, so that no contest is created with a broken one.

    Raises:
        MetricError: it failed.
    """
    probabilities = (solution.truth[:, None] == range(len(solution.labels))).astype(float)
    perfect = Submission(
        file_name="solution.csv", content=b"", digest="", predicted=solution.truth, probabilities=probabilities
    )
    try:
        rows = solution.scored
        metric.score(solution, perfect, rows[solution.truth[rows].argsort(kind="stable")])
    except SubmissionError as error:
        raise MetricError(f"the metric refuses the solution itself ({error.problem}); correct it and try again") from error
    except MetricError as error:
        raise MetricError(
            f"the metric fails on the solution itself ({error.__cause__ or error}); correct it and try again"
        ) from error


def _build_frames(solution: Solution, submission: Submission, rows: Indices) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    import pandas

    ids = [solution.ids[row] for row in rows]
    labels = _convert_labels(solution.labels)
    truth: dict[str, Any] = {_ID: ids, "label": [labels[index] for index in solution.truth[rows]]}
    if solution.groups:
        truth["Group"] = [solution.groups[index] for index in solution.group[rows]]
    predictions: dict[str, Any] = {_ID: ids, "label": [labels[index] for index in submission.predicted[rows]]}
    if submission.probabilities is not None:
        predictions |= {label: submission.probabilities[rows, index] for index, label in enumerate(solution.labels)}
    return pandas.DataFrame(truth), pandas.DataFrame(predictions)


def _convert_labels(labels: tuple[str, ...]) -> list[Any]:
    """Convert labels as `pandas.read_csv` would: to whole numbers if all are."""
    return [int(label) for label in labels] if all(label.isascii() and label.isdecimal() for label in labels) else list(labels)
