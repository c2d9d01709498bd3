"""Distributions that are not even: drawn as a share between 0 and 1, which the inverse of their distribution function turns
into a value. Whoever draws the share evenly draws the value exactly as W&B means it, and a sampler that learns may do so too.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from statistics import NormalDist

EDGE = 1e-9  # shares beyond it are never drawn: one in five hundred million of W&B's draws lies there


def normal(share: float, mu: float, sigma: float) -> float:
    """The value that `share` of all draws lies below."""
    return NormalDist(mu, sigma).inv_cdf(share)


def normal_share(value: float, mu: float, sigma: float) -> float:
    """The share of all draws that lies below `value`."""
    return NormalDist(mu, sigma).cdf(value)


def log_normal(share: float, mu: float, sigma: float) -> float:
    """As `normal`, of a value whose natural logarithm is normal."""
    return math.exp(normal(share, mu, sigma))


def log_normal_share(value: float, mu: float, sigma: float) -> float:
    return normal_share(math.log(value), mu, sigma) if value > 0 else 0.0


def beta(share: float, a: float, b: float) -> float:
    """As `normal`, of the beta distribution between 0 and 1."""
    from scipy.special import betaincinv  # takes a tenth of a second to load

    return float(betaincinv(a, b, share))


def beta_share(value: float, a: float, b: float) -> float:
    from scipy.special import betainc

    return float(betainc(a, b, min(max(value, 0.0), 1.0)))


def choice(share: float, probabilities: Sequence[float]) -> int:
    """Which of the values with these probabilities `share` falls on."""
    return min(bisect_right(list(accumulate(probabilities)), share), len(probabilities) - 1)


def choice_share(place: int, probabilities: Sequence[float]) -> float:
    """A share that falls on `place`."""
    return math.fsum(probabilities[:place]) + probabilities[place] / 2
