"""Histograms of a corpus card, as SVG texts. Tests check `compute_bins`; what `draw_histogram` draws is looked at."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 400, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 22, 10, 40
_MOST_BINS = 28
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bins:
    """Histogram with bins of equal width."""

    start: float
    width: float
    counts: tuple[int, ...]
    n_above: int  # outliers beyond the last bin, which would squeeze the rest


def nice_step(span: float, most: int) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that divides `span` into at most `most` parts."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(step * power for step in _STEPS if span / (step * power) <= most * (1 + 1e-9))


def compute_bins(values: Sequence[float]) -> Bins:
    """Count `values`, at least one, in bins with round borders; 1 in 200 may lie above the last."""
    low = min(values)
    high = float(np.quantile(values, 0.995, method="higher"))
    width = nice_step(max(high - low, 1e-3, abs(high) * 1e-3), _MOST_BINS)
    start = math.floor(low / width) * width
    indices = [math.floor((value - start) / width + 1e-9) for value in values]
    n_bins = math.floor((high - start) / width + 1e-9) + 1
    counts = [0] * n_bins
    for index in indices:
        if index < n_bins:
            counts[index] += 1
    return Bins(start=start, width=width, counts=tuple(counts), n_above=sum(index >= n_bins for index in indices))


def draw_histogram(bins: Bins, axis: str, alt: str, number: Callable[[int], str]) -> str:
    """Draw the bins as SVG.

    Args:
        axis: label of the axis, with its unit.
        alt: text for screen readers.
        number: formats a count in the page's language.
    """
    most = max(bins.counts)
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    end = bins.start + bins.width * len(bins.counts)

    def x(value: float) -> float:
        return _LEFT + wide * (value - bins.start) / (end - bins.start)

    def y(n: float) -> float:
        return _TOP + high * (1 - n / most)

    step_n = max(1.0, nice_step(most, 3))
    levels = [n * step_n for n in range(int(most / step_n) + 1)]
    step = nice_step(end - bins.start, 6)
    marks = [mark * step for mark in range(math.ceil(bins.start / step - 1e-9), math.floor(end / step + 1e-9) + 1)]
    bars = "".join(
        f'<rect x="{x(bins.start + i * bins.width) + 0.5:.1f}" y="{y(n):.1f}" '
        f'width="{wide / len(bins.counts) - 1:.1f}" height="{high * n / most:.1f}"/>'
        for i, n in enumerate(bins.counts)
        if n
    )
    rules = "".join(f'<path d="M{_LEFT} {y(n):.1f}H{WIDTH - _RIGHT}"/>' for n in levels)
    y_labels = "".join(f'<text x="{_LEFT - 8}" y="{y(n) + 4:.1f}" text-anchor="end">{number(round(n))}</text>' for n in levels)
    x_labels = "".join(
        f'<text x="{x(m):.1f}" y="{HEIGHT - _BOTTOM + 17}" text-anchor="middle">{_format_mark(m, step)}</text>' for m in marks
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{alt}"><g class="rules">{rules}</g>'
        f'<g class="bars">{bars}</g>{y_labels}{x_labels}'
        f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 5}" text-anchor="end" class="axis">{axis}</text></svg>'
    )


def _format_mark(value: float, step: float) -> str:
    """Format `value` with as many decimals as `step` needs, which has at most two digits that are not 0."""
    n_decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    n_decimals += round(step * 10**n_decimals, 6) % 1 > 0
    return f"{value + 0.0:.{n_decimals}f}".replace("-", "\u2212")
