"""Score of answered strings, as a contest of strings has it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arena.base.scores import count_errors, digit_error_rate, exact_match
from cnn.errors import CorpusError


@dataclass(frozen=True, kw_only=True, slots=True)
class StringScore:
    """Both scores over all strings."""

    n: int
    exact_match: float
    digit_error_rate: float


def read_strings(path: Path) -> dict[str, str]:
    """Read the true strings by id from a CSV with the columns id and string.

    Raises:
        CorpusError: it cannot be read, has other columns, or a row without a string or of an id that came before.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, strict=True))
            truth = {(row["id"] or "").strip(): (row["string"] or "").strip() for row in rows}
    except KeyError as error:
        raise CorpusError(
            f"{path} has no column {error}; give a file with id and string, as `arena data strings` writes"
        ) from error
    except (OSError, ValueError, csv.Error) as error:
        raise CorpusError(f"{path} cannot be read: {error}") from error
    if not truth or len(truth) < len(rows) or not all((*truth, *truth.values())):
        raise CorpusError(f"{path} gives every id once, with its string, and some row does not; correct it")
    return truth


def score_strings(answers: Mapping[str, str], truth: Mapping[str, str]) -> StringScore:
    """Score the answers to all strings of `truth`.

    Raises:
        CorpusError: one was not answered.
    """
    if missing := sorted(set(truth) - set(answers)):
        raise CorpusError(
            f"{len(missing)} of {len(truth)} strings have no file, such as {missing[0]}; give the folder with all"
        )
    most = max(map(len, truth.values()), default=0)
    counts = np.zeros((most + 1, most + 1), dtype=np.int64)
    for name, string in truth.items():
        counts[len(string), count_errors(answers[name], string)] += 1
    return StringScore(n=len(truth), exact_match=exact_match(counts), digit_error_rate=digit_error_rate(counts))
