"""Non-uniform distributions by inverse-CDF sampling: a sampler proposes `share` in (0, 1), and the value is F^-1(share).

A uniform share gives W&B's distribution exactly; samplers that learn, such as TPE, may learn over the share.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from statistics import NormalDist

EDGE = 1e-9  # smallest share, and 1 minus the largest: one in five hundred million of W&B's draws lies beyond


def normal(share: float, mu: float, sigma: float) -> float:
    """Return the value that `share` of all draws lies below."""
    return NormalDist(mu, sigma).inv_cdf(share)


def normal_share(value: float, mu: float, sigma: float) -> float:
    """Return the share of all draws that lies below `value`."""
    return NormalDist(mu, sigma).cdf(value)


def log_normal(share: float, mu: float, sigma: float) -> float:
    """Return the same for a value whose natural logarithm is normal."""
    return math.exp(normal(share, mu, sigma))


def log_normal_share(value: float, mu: float, sigma: float) -> float:
    return normal_share(math.log(value), mu, sigma) if value > 0 else 0.0


def beta(share: float, a: float, b: float) -> float:
    """Return the same for the beta distribution between 0 and 1."""
    from scipy.special import betaincinv  # takes a tenth of a second to load

    return float(betaincinv(a, b, share))


def beta_share(value: float, a: float, b: float) -> float:
    from scipy.special import betainc

    return float(betainc(a, b, min(max(value, 0.0), 1.0)))


def category(share: float, probabilities: Sequence[float]) -> int:
    """Return the index of the category that `share` falls on."""
    return min(bisect_right(list(accumulate(probabilities)), share), len(probabilities) - 1)


def category_share(index: int, probabilities: Sequence[float]) -> float:
    """Return a share that falls on the category `index`."""
    return math.fsum(probabilities[:index]) + probabilities[index] / 2
