"""Numbers of a parameter: bounds, steps, shapes and probabilities, read and checked."""

from __future__ import annotations

import math

from sweeps.sweepfile.distributions import EDGE
from sweeps.sweepfile.edits import rename_key, replace_value
from sweeps.sweepfile.section import Section
from sweeps.sweepfile.space import Distribution, Parameter

_MOST_STEPS = 1e9  # multiples of q between zero and a bound
_SUM_SLACK = 1e-6  # for probabilities written with few digits


def parse_shape(section: Section, distribution: Distribution, values: tuple[object, ...]) -> Parameter:
    """Return a parameter of a normal, beta or weighted distribution; `values` are those of the last.

    Raises:
        Unreadable: a fault that is reported.
    """
    shape = _probabilities(section, len(values)) if values else _shape(section, distribution)
    q = section.number("q")
    if q is not None and q <= 0:
        section.fail(f"{section.name}: q lies above 0, not {q}", section.find_line("q"))
    return Parameter(
        name=section.name,
        distribution=distribution,
        values=values,
        low=EDGE,
        high=1 - EDGE,
        shape=shape,
        q=1.0 if q is None else q,
        line=section.line,
    )


def _shape(section: Section, distribution: Distribution) -> tuple[float, float]:
    """Return mu and sigma, or a and b; by W&B's defaults a standard normal, or a uniform beta distribution."""
    names, default = (("a", "b"), (1.0, 1.0)) if distribution.endswith("beta") else (("mu", "sigma"), (0.0, 1.0))
    first, second = (
        float(value) if (value := section.number(key)) is not None else fallback
        for key, fallback in zip(names, default, strict=True)
    )
    for name, value in zip(names, (first, second), strict=True):
        if name != "mu" and not 1e-6 <= value <= 1e6:
            section.fail(f"{section.name}.{name} lies between 1.0e-06 and 1.0e+06, not {value:g}", section.find_line(name))
    if distribution.is_spread_in_log and abs(first) + 7 * second > 600:
        section.fail(f"{section.name}: mu and sigma are of the logarithm; e to the {first:g} is no size of anything")
    return first, second


def _probabilities(section: Section, n_values: int) -> tuple[float, ...]:
    node = section.entries["probabilities"]
    name = f"{section.name}.probabilities"
    if not isinstance(node.value, list) or len(node.value) != n_values:
        section.fail(f"{name} takes one number for each of the {n_values} values, such as [0.5, 0.25, 0.25]", node.line)
    probabilities = tuple(float(section.read_number(item, name)) for item in node.value)
    if min(probabilities) <= 0 or abs(math.fsum(probabilities) - 1) > _SUM_SLACK:
        section.fail(f"{name} are above 0 and sum to 1, not to {math.fsum(probabilities):g}", node.line)
    return probabilities


def parse_bounds(section: Section, distribution: Distribution) -> Parameter:
    """Return a parameter of a distribution between `min` and `max`.

    Raises:
        Unreadable: a fault that is reported.
    """
    low, high, q = section.number("min"), section.number("max"), section.number("q")
    assert low is not None
    assert high is not None
    if distribution is Distribution.INT_UNIFORM:
        low, high = _read_whole(section, "min", low), _read_whole(section, "max", high)
    if low == high:
        edits = [rename_key(section.entries["min"], "value"), *section.remove("max", "q", "distribution")]
        rule = f"{section.name}: min {low} is not below max {high}"
        section.report(f"{rule}; write `value: {low}`", section.find_line("min"), edits)
        return Parameter(name=section.name, distribution=Distribution.CONSTANT, values=(low,), line=section.line)
    if low > high:
        low, high = _exchange_bounds(section, low, high)
    if distribution.is_log and low <= 0:
        section.fail(f"{section.name}: {distribution} needs a min above 0, not {low}", section.find_line("min"))
    if q is not None and not 0 < q <= high - low:
        section.fail(f"{section.name}: q lies above 0 and is at most max - min, not {q}", section.find_line("q"))
    largest = max(abs(low), abs(high))
    if distribution.is_quantized and largest > (q or 1) * _MOST_STEPS:
        section.fail(f"{section.name}: q {q or 1} is too fine for numbers as large as {largest}; write a larger q")
    return Parameter(
        name=section.name,
        distribution=distribution,
        low=low,
        high=high,
        q=1.0 if q is None else q,
        line=section.line,
    )


def _read_whole(section: Section, key: str, bound: float) -> int:
    if isinstance(bound, int):
        return bound
    rule = f"{section.name}.{key}: int_uniform takes whole numbers, not {bound}"
    if not bound.is_integer():
        section.fail(rule, section.find_line(key))
    fix = f"{bound:.0f}"
    section.report(f"{rule}; write {fix}", section.find_line(key), [replace_value(section.entries[key], fix)])
    return int(bound)


def _exchange_bounds(section: Section, low: float, high: float) -> tuple[float, float]:
    """Report bounds in the wrong order, and return them in the right one."""
    texts = {key: section.text[slice(*section.entries[key].span)] for key in ("min", "max")}
    edits = [replace_value(section.entries["min"], texts["max"]), replace_value(section.entries["max"], texts["min"])]
    rule = f"{section.name}: min {low} is not below max {high}"
    section.report(f"{rule}; exchange them", section.find_line("min"), edits)
    return high, low
