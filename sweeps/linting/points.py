"""Points of a search space that no training can take, although each of their values is good by itself."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sweeps.sweepfile.space import Parameter

_MOST_POINTS = 4096  # tenths of a second
_MOST_VALUES = 1000  # for each parameter

Explain = Callable[[Mapping[str, object]], str]  # the reason that a training refuses values; empty where it takes them


@dataclass(frozen=True, kw_only=True, slots=True)
class Impossible:
    """Values that no training can take together, and the reason."""

    values: dict[str, object]
    reason: str

    def __str__(self) -> str:
        point = " with ".join(f"{key}={value}" for key, value in self.values.items())
        return f"no training can take {point}: {self.reason}"


def find_impossible(
    parameters: Sequence[Parameter], explain: Explain, explain_alone: Explain, *, is_grid: bool
) -> list[Impossible]:
    """Return one example for each reason.

    Args:
        explain_alone: the reason against a value by itself that the user is told already; such a value is in no point.
        is_grid: check every point, and not the corners of the space alone; of either a sample where there are many.
    """
    constants = {p.name: p.values[0] for p in parameters if len(p.values) == 1}
    varied = [p for p in parameters if p.name not in constants]
    constants = {key: value for key, value in constants.items() if not explain_alone({key: value})}
    values = [_list_good(p, constants, explain_alone, is_grid=is_grid) for p in varied]
    examples: dict[str, Impossible] = {}
    for point in _list_points(values):
        tried = constants | dict(zip([p.name for p in varied], point, strict=True))
        reason = explain(tried)
        if reason and reason not in examples:
            examples[reason] = Impossible(values=_shorten(tried, reason, explain), reason=reason)
    return list(examples.values())


def _list_good(parameter: Parameter, constants: Mapping[str, object], explain_alone: Explain, *, is_grid: bool) -> list[object]:
    is_countable = is_grid and parameter.n_values is not None
    values = itertools.islice(parameter.all_values(), _MOST_VALUES) if is_countable else parameter.extremes()
    net = {key: value for key, value in constants.items() if key == "model.name"}
    return [v for v in values if not all(explain_alone({**context, parameter.name: v}) for context in (net, constants))]


def _list_points(values: Sequence[Sequence[object]]) -> Iterator[tuple[object, ...]]:
    n_points = math.prod(map(len, values))
    if n_points <= _MOST_POINTS:
        yield from itertools.product(*values)
        return
    draw = random.Random(0)  # the same sample each time
    for _ in range(_MOST_POINTS):
        yield tuple(draw.choice(several) for several in values)


def _shorten(point: Mapping[str, object], reason: str, explain: Explain) -> dict[str, object]:
    """Return the values of a refused point that are refused without the others."""
    values = dict(point)
    for key in point:
        fewer = {name: value for name, value in values.items() if name != key}
        if explain(fewer) == reason:
            values = fewer
    return values
