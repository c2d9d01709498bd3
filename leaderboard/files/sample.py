"""Check of a submission by the sample that lies beside the recordings, where there is no service to ask or no token yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leaderboard.errors import SubmissionError
from leaderboard.files.contradictions import check_labels, list_oddities
from leaderboard.files.csv_table import read_file
from leaderboard.files.onnx_check import check_form
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.files.submission import parse_submission

_N_DIGITS = 10  # a sample has one wrong label in each row, so the digits are taken for the labels


def check_by_sample(path: Path, sample: Path, model: Path | None, *, yes: bool) -> dict[str, Any]:
    """Check the ids, labels and columns of a file and the form of a model; return what a service answers to a check.

    Raises:
        SubmissionError: the file or the sample cannot be read, or the file is no submission.
        ModelRefused: the model is none.
        OSError: the model cannot be read.
    """
    solution = _read_sample(sample)
    submission = parse_submission(read_file(path, SubmissionError), path.name, solution)
    if not yes:
        check_labels(submission, solution)
    if model is not None:
        check_form(model.read_bytes(), model.name)
    return {
        "file_name": path.name,
        "n_rows": len(submission.predicted),
        "has_probabilities": submission.probabilities is not None,
        "repeats": None,
        "model_name": None if model is None else model.name,
        "notes": [str(note) for note in list_oddities(submission, solution)],
    }


def _read_sample(sample: Path) -> Solution:
    """Return a solution with the sample's ids and all ten digits, or strings of one."""
    header, *lines = read_file(sample, SubmissionError).decode("utf-8-sig").splitlines() or [""]
    answer = "string" if "string" in header.casefold().split(",") else "label"
    rows = [f"{line.partition(',')[0]},{number % _N_DIGITS}" for number, line in enumerate(line for line in lines if line)]
    return parse_solution("\n".join([f"id,{answer}", *rows]).encode(), sample.name)
