"""A search space: parameters with W&B's distributions, the conversion of draws to values, and the number of points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sweeps.sweepfile import distributions as shapes

_DUST = 1e-9  # 0.55 / 0.1 is 5.500000000000001


class Distribution(StrEnum):
    """W&B's distributions that mean exactly the same in both engines."""

    CONSTANT = "constant"
    CATEGORICAL = "categorical"
    INT_UNIFORM = "int_uniform"
    UNIFORM = "uniform"
    Q_UNIFORM = "q_uniform"
    LOG_UNIFORM_VALUES = "log_uniform_values"
    Q_LOG_UNIFORM_VALUES = "q_log_uniform_values"
    INV_LOG_UNIFORM_VALUES = "inv_log_uniform_values"  # log(1/x) is uniform, so log(x) is: another name for the same
    NORMAL = "normal"
    Q_NORMAL = "q_normal"
    LOG_NORMAL = "log_normal"
    Q_LOG_NORMAL = "q_log_normal"
    BETA = "beta"
    Q_BETA = "q_beta"
    CATEGORICAL_W_PROBABILITIES = "categorical_w_probabilities"

    @property
    def is_log(self) -> bool:
        """Return whether the logarithm is uniform."""
        return self in (
            Distribution.LOG_UNIFORM_VALUES,
            Distribution.Q_LOG_UNIFORM_VALUES,
            Distribution.INV_LOG_UNIFORM_VALUES,
        )

    @property
    def is_spread_in_log(self) -> bool:
        """Return whether values are best plotted on a logarithmic axis."""
        return self.is_log or self in (Distribution.LOG_NORMAL, Distribution.Q_LOG_NORMAL)

    @property
    def is_shaped(self) -> bool:
        """Return whether a draw is a share between 0 and 1 (sweeps.sweepfile.distributions)."""
        return self in _SHAPES or self is Distribution.CATEGORICAL_W_PROBABILITIES

    @property
    def is_quantized(self) -> bool:
        return self.startswith("q_")

    @property
    def is_continuous(self) -> bool:
        reals = (Distribution.UNIFORM, Distribution.LOG_UNIFORM_VALUES, Distribution.INV_LOG_UNIFORM_VALUES)
        return self in (*reals, Distribution.NORMAL, Distribution.LOG_NORMAL, Distribution.BETA)


_SHAPES = {
    Distribution.NORMAL: (shapes.normal, shapes.normal_share),
    Distribution.Q_NORMAL: (shapes.normal, shapes.normal_share),
    Distribution.LOG_NORMAL: (shapes.log_normal, shapes.log_normal_share),
    Distribution.Q_LOG_NORMAL: (shapes.log_normal, shapes.log_normal_share),
    Distribution.BETA: (shapes.beta, shapes.beta_share),
    Distribution.Q_BETA: (shapes.beta, shapes.beta_share),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One configuration key and the distribution of its values."""

    name: str
    distribution: Distribution
    values: tuple[object, ...] = ()  # all values of a categorical, the only one of a constant
    low: float = 0.0  # lowest draw, inclusive: an int for int_uniform, a share for shaped ones
    high: float = 0.0  # inclusive
    shape: tuple[float, ...] = ()  # mu and sigma, a and b, or the probabilities of `values`
    q: float = 1.0  # an int gives ints, as in W&B
    line: int = field(default=0, compare=False)

    @property
    def draws_ints(self) -> bool:
        quantized = self.distribution.is_quantized and isinstance(self.q, int)
        return quantized or self.distribution is Distribution.INT_UNIFORM

    @property
    def _steps(self) -> range:
        """Return the multiples of q that draws round to, without those that only a bound itself rounds to."""
        lowest, highest = math.floor(self.low / self.q + 0.5 + _DUST), math.ceil(self.high / self.q - 0.5 - _DUST)
        return range(lowest, max(lowest, highest) + 1)

    @property
    def n_values(self) -> int | None:
        """Return the number of distinct values; None where it is not finite."""
        if self.values:
            return len(self.values)
        if self.distribution.is_continuous or self.distribution.is_shaped:
            return None
        if self.distribution is Distribution.INT_UNIFORM:
            return int(self.high) - int(self.low) + 1
        return len(self._steps)

    def all_values(self) -> Iterator[object]:
        """Yield every distinct value, in order; only where `n_values` is a number."""
        assert self.n_values is not None
        if self.values:
            yield from self.values
        elif self.distribution is Distribution.INT_UNIFORM:
            yield from range(int(self.low), int(self.high) + 1)
        else:
            yield from (self.to_value(step * self.q) for step in self._steps)

    def extremes(self) -> tuple[object, ...]:
        """Return the values that a check of ranges needs: all listed ones, or the lowest and the highest."""
        return self.values or (self.to_value(self.low), self.to_value(self.high))

    @property
    def bounds(self) -> tuple[object, object]:
        """Return the lowest and the highest number: the file's, or the extremes of a shaped distribution."""
        if self.distribution.is_shaped:
            return self.to_value(self.low), self.to_value(self.high)
        return self.low, self.high

    def to_value(self, draw: float) -> object:
        """Convert a (log-)uniform draw between `low` and `high`: W&B rounds to multiples of q after drawing."""
        if self.distribution.is_shaped:
            return self._shaped(draw)
        if self.distribution.is_quantized:
            steps = min(max(round(draw / self.q), self._steps[0]), self._steps[-1])
            # 12 digits: 3 * 0.1 is 0.3 in the configuration and in the digest, not 0.30000000000000004
            return int(steps * self.q) if isinstance(self.q, int) else float(f"{steps * self.q:.12g}")
        return int(draw) if self.distribution is Distribution.INT_UNIFORM else draw

    def _shaped(self, share: float) -> object:
        if self.values:
            return self.values[shapes.category(share, self.shape)]
        value = _SHAPES[self.distribution][0](share, *self.shape)
        if self.distribution.is_quantized:
            steps = round(value / self.q)
            return int(steps * self.q) if isinstance(self.q, int) else float(f"{steps * self.q:.12g}")
        return float(f"{value:.7g}")  # few enough digits that converting a value to its share and back is exact

    def explain_outside(self, value: object) -> str:
        """Return the reason that `value` is none of these, with the numbers; empty where it is one."""
        if self.values:
            is_listed = any(value == own and isinstance(value, bool) == isinstance(own, bool) for own in self.values)
            return "" if is_listed else f"{value} is none of {', '.join(map(str, self.values))}"
        low, high = self.bounds
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:  # type: ignore[operator]
            return f"{value} lies outside {low} to {high}"
        if self.distribution.is_quantized and self.to_value(self.to_draw(value)) != value:  # type: ignore[arg-type]
            return f"{value} is no multiple of {self.q} from {self.to_value(self.low)} to {self.to_value(self.high)}"
        return ""

    def to_draw(self, value: object) -> object:
        """Return a draw that `to_value` converts to `value`."""
        if self.distribution.is_shaped and self.values:
            return shapes.category_share(self.values.index(value), self.shape)
        if self.distribution.is_shaped:
            assert isinstance(value, int | float)
            return min(max(_SHAPES[self.distribution][1](value, *self.shape), self.low), self.high)
        if not self.distribution.is_quantized:
            return value
        assert isinstance(value, int | float)
        return min(max(float(value), self.low), self.high)


def n_points(parameters: Sequence[Parameter]) -> int | None:
    """Return the number of distinct points; None where a parameter is continuous."""
    counts = [parameter.n_values for parameter in parameters]
    return None if None in counts else math.prod(count for count in counts if count is not None)


def all_points(parameters: Sequence[Parameter]) -> Iterator[dict[str, object]]:
    """Yield every point of a finite space, the last parameter running fastest, as in W&B's grid."""
    if not parameters:
        yield {}
        return
    for value in parameters[0].all_values():
        for rest in all_points(parameters[1:]):
            yield {parameters[0].name: value, **rest}
