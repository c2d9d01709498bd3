"""Student's t: its two-sided tail, and the limit that belongs to a tail."""

from __future__ import annotations

import math

_MOST_DEGREES = 1000  # the normal differs by less than 0.1 % there
_N_HALVINGS = 80


def compute_t_tail(t: float, n_degrees: int) -> float:
    """Return the two-sided tail of Student's t at `t` >= 0, by Abramowitz and Stegun 26.7.3 and 26.7.4."""
    if n_degrees > _MOST_DEGREES:
        return math.erfc(t / math.sqrt(2))
    theta = math.atan(t / math.sqrt(n_degrees))
    cosine = math.cos(theta)
    is_odd = n_degrees % 2 == 1
    term = total = (cosine if is_odd else 1.0) if n_degrees > 1 else 0.0
    for k in range(3 if is_odd else 2, n_degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    inside = (theta + math.sin(theta) * total) * 2 / math.pi if is_odd else math.sin(theta) * total
    return max(0.0, 1 - inside)


def find_t_limit(tail: float, n_degrees: int) -> float:
    """Return the t whose two-sided tail is `tail`, by bisection; infinite where floating point holds no such tail."""
    low, high = 0.0, 1.0
    while compute_t_tail(high, n_degrees) > tail:
        low, high = high, 2 * high
        if high > 2.0**40:
            return math.inf
    for _ in range(_N_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if compute_t_tail(middle, n_degrees) > tail else (low, middle)
    return high
