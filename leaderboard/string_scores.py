"""Scores of contests whose answers are strings of digits, such as sums on cheques.

In such a contest the class of a row is the length of its string, and the class that is counted as predicted is the number of
wrong digits: one integer matrix (length, errors) has both scores.
"""

from __future__ import annotations

import numpy as np

from arena.base.resamples import Resamples
from arena.base.scores import Counts, Indices, Values, digit_error_rate, exact_match, macro_f1
from leaderboard.rules import DIGIT_ERROR_RATE, EXACT_MATCH


def score_counts(counts: Counts, metric_name: str) -> float:
    """Return the score that a contest reads from an attempt's counts: macro-F1, or one of the scores of strings."""
    if metric_name == EXACT_MATCH:
        return exact_match(counts)
    return digit_error_rate(counts) if metric_name == DIGIT_ERROR_RATE else macro_f1(counts)


def replicate_scores(draws: Resamples, truth: Indices, predicted: Indices, metric_name: str) -> Values:
    """Return the (R, T) score of each resample, from (N,) true and (T, N) predicted classes."""
    if metric_name == EXACT_MATCH:
        return draws.ratio(predicted == 0, np.ones_like(truth))
    return draws.ratio(predicted, truth) if metric_name == DIGIT_ERROR_RATE else draws.macro_f1(predicted)
