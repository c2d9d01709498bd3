"""A search space: parameters with W&B's distributions, what a draw means, and how many points there are."""

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
        """Uniform in the logarithm."""
        return self in (
            Distribution.LOG_UNIFORM_VALUES,
            Distribution.Q_LOG_UNIFORM_VALUES,
            Distribution.INV_LOG_UNIFORM_VALUES,
        )

    @property
    def is_spread_in_log(self) -> bool:
        """Best shown on a logarithmic axis."""
        return self.is_log or self in (Distribution.LOG_NORMAL, Distribution.Q_LOG_NORMAL)

    @property
    def is_shaped(self) -> bool:
        """Drawn as a share between 0 and 1 (sweeps.sweepfile.distributions)."""
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
    """One configuration key and where its values come from."""

    name: str
    distribution: Distribution
    values: tuple[object, ...] = ()  # of a constant the one, of a categorical all
    low: float = 0.0  # of what is drawn: inclusive, int for int_uniform, a share for shaped ones
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
        """The multiples of q that draws round to; one that only a bound itself rounds to is none."""
        lowest, highest = math.floor(self.low / self.q + 0.5 + _DUST), math.ceil(self.high / self.q - 0.5 - _DUST)
        return range(lowest, max(lowest, highest) + 1)

    @property
    def n_values(self) -> int | None:
        """How many distinct values it has; None where that is no finite number."""
        if self.values:
            return len(self.values)
        if self.distribution.is_continuous or self.distribution.is_shaped:
            return None
        if self.distribution is Distribution.INT_UNIFORM:
            return int(self.high) - int(self.low) + 1
        return len(self._steps)

    def all_values(self) -> Iterator[object]:
        """Every distinct value, in order; only where `n_values` is a number."""
        assert self.n_values is not None
        if self.values:
            yield from self.values
        elif self.distribution is Distribution.INT_UNIFORM:
            yield from range(int(self.low), int(self.high) + 1)
        else:
            yield from (self.value_of(step * self.q) for step in self._steps)

    def extremes(self) -> tuple[object, ...]:
        """The values that a check of ranges must see: all listed ones, or the lowest and the highest."""
        return self.values or (self.value_of(self.low), self.value_of(self.high))

    @property
    def bounds(self) -> tuple[object, object]:
        """The lowest and the highest number: as the file has them, or what a shaped distribution reaches."""
        if self.distribution.is_shaped:
            return self.value_of(self.low), self.value_of(self.high)
        return self.low, self.high

    def value_of(self, draw: float) -> object:
        """What a uniform (or log-uniform) draw between `low` and `high` gives: W&B rounds to multiples of q after drawing."""
        if self.distribution.is_shaped:
            return self._shaped(draw)
        if self.distribution.is_quantized:
            steps = min(max(round(draw / self.q), self._steps[0]), self._steps[-1])
            # 12 digits: 3 * 0.1 is 0.3 in the configuration and in the digest, not 0.30000000000000004
            return int(steps * self.q) if isinstance(self.q, int) else float(f"{steps * self.q:.12g}")
        return int(draw) if self.distribution is Distribution.INT_UNIFORM else draw

    def _shaped(self, share: float) -> object:
        if self.values:
            return self.values[shapes.choice(share, self.shape)]
        value = _SHAPES[self.distribution][0](share, *self.shape)
        if self.distribution.is_quantized:
            steps = round(value / self.q)
            return int(steps * self.q) if isinstance(self.q, int) else float(f"{steps * self.q:.12g}")
        return float(f"{value:.7g}")  # so that a value turned into its share comes back as it was

    def draw_of(self, value: object) -> object:
        """A draw that gives `value`."""
        if self.distribution.is_shaped and self.values:
            return shapes.choice_share(self.values.index(value), self.shape)
        if self.distribution.is_shaped:
            assert isinstance(value, int | float)
            return min(max(_SHAPES[self.distribution][1](value, *self.shape), self.low), self.high)
        if not self.distribution.is_quantized:
            return value
        assert isinstance(value, int | float)
        return min(max(float(value), self.low), self.high)


def n_points(parameters: Sequence[Parameter]) -> int | None:
    """How many distinct points the space has; None where a parameter is continuous."""
    counts = [parameter.n_values for parameter in parameters]
    return None if None in counts else math.prod(count for count in counts if count is not None)


def all_points(parameters: Sequence[Parameter]) -> Iterator[dict[str, object]]:
    """Every point of a finite space, the last parameter running fastest, as W&B's grid does."""
    if not parameters:
        yield {}
        return
    for value in parameters[0].all_values():
        for rest in all_points(parameters[1:]):
            yield {parameters[0].name: value, **rest}
