"""Likeness of two submissions: how often they agree in the rows that other teams contest, beyond what chance explains.

A attempts of T teams, N scored rows, K classes. Answers to easy rows say nothing: all nets share them. In a contested row two
attempts agree by chance with a probability that follows from how hard the row is for everybody, from how good both are, and
from how common the mistake is (Wesolowsky, J. Appl. Statistics 27, 2000): an attempt errs in a row with the odds of the row
times one factor that makes up its own number of errors. Nets of one recipe agree more often than that, so the excess is
compared with that of all pairs of teams (an empirical null, Efron, J. Am. Stat. Assoc. 99, 2004), and with what either team
shares with its third nearest other team.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arena.base.scores import Indices, Values

ALPHA = 0.01  # probability of one false alarm in a contest, if the spread of the honest pairs is normal
_AGREEMENT = 0.9  # agreement in contested rows that the weights are best at telling from chance
_N_KIN = 3  # teams as near to one of the two, less the gap, from which on they are of one family of nets and not a pair
_KIN_GAP = 2.0  # standard deviations
_LEAST_SAME = 5  # shared wrong answers below which nothing is said
_LEAST_PAIRS = 10  # pairs of teams that a spread is estimated from
_UNSURE = 15.0  # widens the spread by this over the number of pairs: a few of them may all be of one family of nets
_FEW_SPREAD = 3.0  # standard deviations in place of one where there are fewer
_PRIOR = 2.0  # teams' worth of the mean rate of errors in each row's rate
_N_STEPS = 40  # halvings of the interval of an attempt's factor

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Likeness:
    """Two attempts of different teams, the most alike of theirs."""

    first: int  # index of the attempt
    second: int
    n_rows: int
    n_equal: int  # rows with the same answer, right or wrong
    n_wrong: tuple[int, int]
    n_same_wrong: int  # rows with the same wrong answer
    n_expected: float  # the same, of two who know nothing of each other
    p: float  # chance of such agreement in any pair of the contest, if all worked alone
    is_alike: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Model:
    """Probabilities of attempts that know nothing of each other."""

    wrong: Values  # (A, N) an attempt errs in a row
    same_label: Values  # (N,) two who err in a row give the same answer
    weight: Values  # (N,) information of an agreement in a row: 0 where nearly all agree


def compare_attempts(predicted: Indices, truth: Indices, teams: Sequence[int], n_classes: int) -> list[Likeness]:
    """Return the most alike pair of attempts of each two teams, the most alike first.

    Args:
        predicted: (A, N) classes.
        truth: (N,) classes.
        teams: (A,) the team of each attempt.
    """
    team = np.asarray(teams)
    if len(np.unique(team)) < 2:
        return []
    is_wrong = predicted != truth
    model = _fit_model(predicted, is_wrong, team, n_classes)
    excess = _compute_excess(predicted, model, n_classes)
    pairs = _choose_pairs(excess, team)
    level, spread = _estimate_null(np.array([excess[pair] for pair in pairs]))
    nearest = _rank_partners(excess, pairs, team)
    lines = []
    for i, j in pairs:
        kin = max(_find_kin(nearest[int(team[i])], float(excess[i, j])), _find_kin(nearest[int(team[j])], float(excess[i, j])))
        stands_out = excess[i, j] - kin >= _KIN_GAP * spread
        p = min(1.0, len(pairs) * 0.5 * math.erfc((excess[i, j] - level) / spread / math.sqrt(2)))
        is_equal = predicted[i] == predicted[j]
        n_same = int((is_equal & is_wrong[i]).sum())
        lines.append(
            Likeness(
                first=i,
                second=j,
                n_rows=len(truth),
                n_equal=int(is_equal.sum()),
                n_wrong=(int(is_wrong[i].sum()), int(is_wrong[j].sum())),
                n_same_wrong=n_same,
                n_expected=float((model.wrong[i] * model.wrong[j] * model.same_label).sum()),
                p=p,
                is_alike=(n_same > 0 and bool(is_equal.all())) or (p < ALPHA and n_same >= _LEAST_SAME and stands_out),
            )
        )
    return sorted(lines, key=lambda line: (not line.is_alike, line.p, -line.n_same_wrong, line.first, line.second))


def _fit_model(predicted: Indices, is_wrong: Flags, team: Indices, n_classes: int) -> _Model:
    shares = np.array([1 / (team == other).sum() for other in team])  # (A,) every team counts as one
    n_teams = shares.sum()
    n_wrong = shares @ is_wrong  # (N,) teams that err in each row
    rate = (n_wrong + _PRIOR * n_wrong.mean() / n_teams) / (n_teams + _PRIOR)
    by_label = np.stack([shares @ ((predicted == label) & is_wrong) for label in range(n_classes)])  # (K, N)
    same_label = np.where(n_wrong > 0, (by_label**2).sum(axis=0) / np.maximum(n_wrong, 1e-9) ** 2, 1.0)
    agreement = (1 - rate) ** 2 + rate**2 * same_label
    weight = np.maximum(_AGREEMENT - agreement, 0) / np.maximum(agreement * (1 - agreement), 1e-9)
    return _Model(wrong=_fit_rates(rate, is_wrong.sum(axis=1)), same_label=same_label, weight=weight)


def _fit_rates(rate: Values, n_wrong: Indices) -> Values:
    """Return (A, N) probabilities of an error: the odds of each row times one factor for each attempt, found by bisection."""
    odds = rate / (1 - np.minimum(rate, 1 - 1e-9))
    low, high = np.full(len(n_wrong), -30.0), np.full(len(n_wrong), 30.0)
    for _ in range(_N_STEPS):
        middle = (low + high) / 2
        weighted = np.exp(middle)[:, None] * odds
        is_below = (weighted / (1 + weighted)).sum(axis=1) < n_wrong
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    weighted = np.exp(low)[:, None] * odds
    fitted: Values = weighted / (1 + weighted)
    return fitted


def _compute_excess(predicted: Indices, model: _Model, n_classes: int) -> Values:
    """Return the (A, A) weighted agreement, less its mean, over its standard deviation."""
    wrong, right, weight = model.wrong, 1 - model.wrong, model.weight
    agreement = np.zeros((len(predicted), len(predicted)))
    for label in range(n_classes):
        marks = (predicted == label).astype(float)
        agreement += (marks * weight) @ marks.T
    same, square = model.same_label, weight**2
    mean = (right * weight) @ right.T + (wrong * weight * same) @ wrong.T
    raw = (right * square) @ right.T + (wrong * square * same) @ wrong.T
    both = (right**2 * square) @ (right**2).T + (wrong**2 * square * same**2) @ (wrong**2).T
    both += 2 * (right * wrong * square * same) @ (right * wrong).T
    return (agreement - mean) / np.sqrt(np.maximum(raw - both, 1e-9))


def _choose_pairs(excess: Values, team: Indices) -> list[tuple[int, int]]:
    """Return the attempts with the greatest excess for each two teams."""
    best: dict[tuple[int, int], tuple[int, int]] = {}
    rows, columns = np.nonzero(np.triu(team[:, None] != team[None, :]))
    for n in np.argsort(excess[rows, columns], kind="stable").tolist():
        i, j = int(rows[n]), int(columns[n])
        best[min(team[i], team[j]), max(team[i], team[j])] = (i, j)
    return list(best.values())


def _rank_partners(excess: Values, pairs: Sequence[tuple[int, int]], team: Indices) -> dict[int, list[float]]:
    """Return the excess of each team with every other one, the greatest first."""
    partners: dict[int, list[float]] = {}
    for pair in pairs:
        for index in pair:
            partners.setdefault(int(team[index]), []).append(float(excess[pair]))
    return {number: sorted(values, reverse=True) for number, values in partners.items()}


def _find_kin(partners: list[float], excess: float) -> float:
    """Return the excess with the third nearest of the other teams; minus infinity where there are fewer."""
    others = list(partners)
    others.remove(excess)
    return others[_N_KIN - 1] if len(others) >= _N_KIN else -math.inf


def _estimate_null(excess: Values) -> tuple[float, float]:
    """Return the level and the spread of the excess of honest pairs, at least 0 and 1."""
    if len(excess) < _LEAST_PAIRS:
        return 0.0, _FEW_SPREAD
    middle = float(np.median(excess))
    spread = 1.4826 * float(np.median(np.abs(excess - middle)))  # standard deviation of a normal distribution
    return max(0.0, middle), max(1.0, spread) * (1 + _UNSURE / len(excess))
