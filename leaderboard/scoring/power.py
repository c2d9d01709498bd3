"""The smallest difference of two scores that a test set tells from chance, before any team has sent anything.

The difference of two nets on U speakers of m clips has the standard error s / sqrt(U), where s**2 = SPREAD**2 + DISCORD / m:
nets gain and lose whole speakers, and are right on different clips of each. It is told from chance beyond Student's t with
U - 1 degrees of freedom at 5 % (the paired t-test, Student 1908), which nets that truly differ by that limit pass half of the
time: the difference that is named here passes in 80 % (Cohen 1988, "Statistical power analysis", chapter 2).
"""

from __future__ import annotations

import math

from arena.base.scores import MIN_GROUPS
from leaderboard.files.solution import Solution
from leaderboard.scoring.grading import count_speakers, find_rows
from leaderboard.scoring.student_t import find_t_limit
from leaderboard.standings import FEWEST_UNITS, Part

# Differences between nets over FSDD's six speakers, of three trainings each on about 500 clips a speaker, have standard
# deviations of 0.015 to 0.021 (docs/explanation/experiments.md, "What came of it", four pairs, 2026-11).
SPREAD = 0.02  # between speakers, of the difference between two nets
DISCORD = 0.07  # share of the clips that one of two nets alone has right: half of the errors of two nets at 0.93
_ALPHA = 0.05
_MISSED = 0.2  # share of the contests that do not tell the difference
_N_TEAMS = 25  # a class
_ROUND = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
_MOST_SPEAKERS = 2000


def compute_smallest_difference(n_speakers: int, clips_each: float, *, n_pairs: int = 1) -> float:
    """Return the true difference that is told in four contests of five; of many pairs each has its share of 5 %."""
    spread = math.sqrt(SPREAD**2 + DISCORD / clips_each)
    return _sum_limits(_ALPHA / n_pairs, n_speakers - 1) * spread / math.sqrt(n_speakers)


def _sum_limits(alpha: float, n_degrees: int) -> float:
    """Return the standard errors between no difference and one that passes the limit in 80 %."""
    return find_t_limit(alpha, n_degrees) + find_t_limit(2 * _MISSED, n_degrees)


def describe_power(solution: Solution) -> str:
    """Describe in one line how well the rows that decide tell teams apart, and how many speakers would do better."""
    part = Part.PRIVATE if solution.has_private else Part.PUBLIC
    n_clips, n_speakers = len(find_rows(solution, part)), count_speakers(solution, part)
    clips = f"{n_clips:,} {'private ' if solution.has_private else ''}{'clips' if n_speakers else 'rows'}"
    if n_speakers < MIN_GROUPS:
        size = _sum_limits(_ALPHA, max(1, n_clips - 1)) * math.sqrt(DISCORD / n_clips)
        named = f"of {n_speakers} speaker{'s' * (n_speakers > 1)}" if n_speakers else "without a Group column"
        more = (
            f"; name {FEWEST_UNITS} speakers or more"
            if n_speakers
            else f"; where speakers are known, name {FEWEST_UNITS} or more"
        )
        others = ", and say nothing of other speakers" if n_speakers else ""
        told = f"tell two teams apart, four times in five, that truly differ by {_round_up(size)} or more"
        return f"{clips} {named} {told}{others}{more}"
    clips_each, n_pairs = n_clips / n_speakers, _N_TEAMS * (_N_TEAMS - 1) // 2
    size = compute_smallest_difference(n_speakers, clips_each)
    of_many = compute_smallest_difference(n_speakers, clips_each, n_pairs=n_pairs)
    text = (
        f"{clips} of {n_speakers} speakers tell two teams apart, four times in five, that truly differ by {_round_up(size)} "
        f"or more (each pair of {_N_TEAMS} teams at once: {_round_up(of_many)})"
    )
    finer = next((value for value in _ROUND if value < 0.75 * size), 0.0)
    needed = _count_needed(finer, clips_each)
    text += f"; for {finer:g} take {needed} speakers" if needed else ""
    few = f"; below {FEWEST_UNITS} speakers the board names no single leader" if n_speakers < FEWEST_UNITS else ""
    return text + few


def _count_needed(difference: float, clips_each: float) -> int | None:
    """Return the speakers, in fives, that tell such a difference; None where thousands would not."""
    counts = range(FEWEST_UNITS, _MOST_SPEAKERS, 5)
    return next((n for n in counts if compute_smallest_difference(n, clips_each) <= difference), None)


def _round_up(value: float) -> str:
    return f"{math.ceil(1000 * value) / 1000:g}"
