"""Scores as teams and the public see them: rounded, and without further metrics, while every digit helps to find the labels.

docs/explanation/oracles.md has what each digit gave an attacker.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from arena.base.scores import Interval
from leaderboard.contest.attempt_details import ClassScores, Details
from leaderboard.rules import Rules, shows_details
from leaderboard.standings import Attempt, AttemptModel, Board, Standing

_SAME = 1e-9  # an end at a step is not moved to the next by the order of summation


@dataclass(frozen=True, kw_only=True, slots=True)
class Digits:
    """Decimals that are shown."""

    score: int
    interval: int  # ends of an interval


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownDetails:
    """An attempt as its team sees it; None where it may not see that yet."""

    attempt: Attempt
    interval: Interval
    weighted_f1: float | None = None
    classes: tuple[ClassScores, ...] | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None


FULL, COARSE = Digits(score=4, interval=4), Digits(score=3, interval=2)


def choose_digits(rules: Rules) -> Digits:
    """Return the decimals of scores and intervals that teams may see now."""
    return FULL if shows_details(rules) else COARSE


def disclose_attempt(attempt: Attempt, rules: Rules) -> Attempt:
    """Return the attempt as its team may see it now."""
    model = None if attempt.model is None else _disclose_model(attempt.model, rules)
    if shows_details(rules):
        return dataclasses.replace(attempt, model=model)
    score, f1 = _round_score(attempt.score), _round_score(attempt.macro_f1)
    return dataclasses.replace(attempt, score=score, macro_f1=f1, metrics={}, model=model)


def _round_score(value: float) -> float:
    """Return the score with three decimals; of a host's own metric beyond 1, with three digits."""
    return round(value, COARSE.score) if abs(value) < 1 else float(f"{value:.{COARSE.score}g}")


def _disclose_model(model: AttemptModel, rules: Rules) -> AttemptModel:
    """Return the model, until the close without scores: a team may send any number of models, each one attempt more."""
    if rules.is_closed:
        return model
    return AttemptModel(file_name=model.file_name, digest=model.digest, state=model.state, remark=model.remark)


def disclose_interval(interval: Interval, rules: Rules) -> Interval:
    """Return the interval as teams may see it now."""
    if shows_details(rules):
        return interval
    n = choose_digits(rules).interval
    low, high = _round_outwards(interval.low, interval.high, 10**n)
    return dataclasses.replace(interval, low=low, high=high)


def _round_outwards(low: float, high: float, steps: int) -> tuple[float, float]:
    return math.floor(low * steps + _SAME) / steps, math.ceil(high * steps - _SAME) / steps


def disclose_details(details: Details, rules: Rules) -> ShownDetails:
    """Return an attempt in full where its team may see that, else its score and interval alone."""
    attempt, interval = disclose_attempt(details.attempt, rules), disclose_interval(details.interval, rules)
    if not shows_details(rules) or rules.has_strings:
        return ShownDetails(attempt=attempt, interval=interval)
    return ShownDetails(
        attempt=attempt,
        interval=interval,
        weighted_f1=details.weighted_f1,
        classes=details.classes,
        confusion=details.confusion,
    )


def disclose_standing(line: Standing, rules: Rules) -> Standing:
    """Return a line of the ranking as everybody may see it now."""
    best = disclose_attempt(next(attempt for attempt in line.attempts if attempt.number == line.best), rules)
    return dataclasses.replace(
        line,
        score=best.score,
        macro_f1=best.macro_f1,
        metrics=best.metrics,
        interval=disclose_interval(line.interval, rules),
        model=best.model,
        attempts=tuple(disclose_attempt(attempt, rules) for attempt in line.attempts),
    )


def disclose_board(board: Board) -> Board:
    """Return the board as everybody may see it now."""
    difference = board.smallest_difference
    if difference is not None and not shows_details(board.rules):
        difference = _round_outwards(0, difference, 10**COARSE.interval)[1]
    lines = tuple(disclose_standing(line, board.rules) for line in board.lines)
    return dataclasses.replace(board, lines=lines, smallest_difference=difference)
