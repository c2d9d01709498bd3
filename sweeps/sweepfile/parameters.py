"""Parser of the `parameters` of a sweep file; it infers distributions as W&B does and refuses the traps of its schema."""

from __future__ import annotations

import math

from arena.base.suggest import did_you_mean
from sweeps.sweepfile.distributions import EDGE
from sweeps.sweepfile.section import Section, abbreviate, yaml_number
from sweeps.sweepfile.space import Distribution, Parameter
from sweeps.sweepfile.yaml_lines import Node

_KEYS = ("value", "values", "min", "max", "distribution", "q", "mu", "sigma", "a", "b", "probabilities", "parameters")
TAKES = {  # keys that a distribution needs, and those that it may have
    Distribution.CONSTANT: (("value",), ()),
    Distribution.CATEGORICAL: (("values",), ()),
    Distribution.INT_UNIFORM: (("min", "max"), ()),
    Distribution.UNIFORM: (("min", "max"), ()),
    Distribution.LOG_UNIFORM_VALUES: (("min", "max"), ()),
    Distribution.Q_UNIFORM: (("min", "max"), ("q",)),
    Distribution.Q_LOG_UNIFORM_VALUES: (("min", "max"), ("q",)),
    Distribution.INV_LOG_UNIFORM_VALUES: (("min", "max"), ()),
    Distribution.NORMAL: ((), ("mu", "sigma")),
    Distribution.Q_NORMAL: ((), ("mu", "sigma", "q")),
    Distribution.LOG_NORMAL: ((), ("mu", "sigma")),
    Distribution.Q_LOG_NORMAL: ((), ("mu", "sigma", "q")),
    Distribution.BETA: ((), ("a", "b")),
    Distribution.Q_BETA: ((), ("a", "b", "q")),
    Distribution.CATEGORICAL_W_PROBABILITIES: (("values", "probabilities"), ()),
}
_MOST_STEPS = 1e9  # multiples of q between zero and a bound
_EXPONENTS = ("log_uniform", "q_log_uniform", "inv_log_uniform")
_SUM_SLACK = 1e-6  # for probabilities written with few digits


def parse_parameters(top: Section) -> tuple[Parameter, ...]:
    """Return all parameters, nested ones by their dotted name.

    Raises:
        SweepFileError: with the line and the fix.
    """
    example = "`train.learning_rate: {distribution: log_uniform_values, min: 0.0001, max: 0.1}`"
    section = top.sub("parameters", "parameters")
    if section is None or not section.entries:
        top.fail(f"parameters are missing; add at least one, such as {example}", top.find_line("parameters"))
    parameters: dict[str, Parameter] = {}
    for parameter in _parse_group(section, ""):
        if parameter.name in parameters:
            section.fail(
                f"{parameter.name} is given twice, first in line {parameters[parameter.name].line}; keep one", parameter.line
            )
        parameters[parameter.name] = parameter
    return tuple(parameters.values())


def _parse_group(group: Section, prefix: str) -> list[Parameter]:
    parameters: list[Parameter] = []
    for key in group.entries:
        name = prefix + key
        section = group.sub(key, name)
        assert section is not None
        section.refuse_unknown(_KEYS, {})
        nested = section.sub("parameters", name)
        if nested is None:
            parameters.append(_parameter(section))
        elif len(section.entries) > 1:
            section.fail(f"{name} holds nested parameters, so nothing else; move the rest below `parameters:`")
        else:
            parameters += _parse_group(nested, f"{name}.")
    return parameters


def _parameter(section: Section) -> Parameter:
    distribution = _distribution(section)
    needed, allowed = TAKES[distribution]
    missing = [key for key in needed if key not in section.entries]
    extra = [key for key in section.entries if key not in (*needed, *allowed, "distribution")]
    if missing:
        section.fail(f"{section.name}: {distribution} needs {' and '.join(missing)}")
    if extra:
        section.fail(f"{section.name}: {distribution} takes no {extra[0]!r}; remove it", section.find_line(extra[0]))
    if distribution is Distribution.CONSTANT:
        values = (_constant(section),)
        return Parameter(name=section.name, distribution=distribution, values=values, line=section.line)
    if distribution is Distribution.CATEGORICAL:
        return Parameter(name=section.name, distribution=distribution, values=_choices(section), line=section.line)
    return _shaped(section, distribution) if distribution.is_shaped else _numeric(section, distribution)


def _distribution(section: Section) -> Distribution:
    name = section.text("distribution")
    if name is None:
        return _infer(section)
    if name in _EXPONENTS:
        _refuse_exponents(section, name)
    if name not in list(Distribution):
        hint = did_you_mean(name, Distribution)
        section.fail(f"{section.name}: unknown distribution {name!r}{hint}", section.find_line("distribution"))
    return Distribution(name)


def _infer(section: Section) -> Distribution:
    """Infer the distribution as W&B does: whole bounds give whole numbers."""
    for key, distribution in (
        ("value", Distribution.CONSTANT),
        ("probabilities", Distribution.CATEGORICAL_W_PROBABILITIES),
        ("values", Distribution.CATEGORICAL),
    ):
        if key in section.entries:
            return distribution
    if "min" not in section.entries or "max" not in section.entries:
        section.fail(f"{section.name} needs `value`, `values`, or `min` and `max`")
    if any(key in section.entries for key in ("mu", "sigma", "a", "b")):
        section.fail(f"{section.name}: mu and sigma, or a and b, need a `distribution`, such as log_normal or beta")
    if "q" in section.entries:
        section.fail(f"{section.name}: q needs `distribution: q_uniform` or q_log_uniform_values", section.find_line("q"))
    are_ints = isinstance(section.number("min"), int) and isinstance(section.number("max"), int)
    return Distribution.INT_UNIFORM if are_ints else Distribution.UNIFORM


def _refuse_exponents(section: Section, distribution: str) -> None:
    low, high = section.number("min"), section.number("max")
    better = "q_log_uniform_values" if distribution.startswith("q_") else "log_uniform_values"
    line = section.find_line("distribution")
    rule = f"{section.name}: the bounds of {distribution} are exponents of e"
    if low is None or high is None or not max(abs(low), abs(high)) < 700:
        section.fail(f"{rule}; write `distribution: {better}` and the values themselves", line)
    if low > 0:  # surely meant as values
        span = f"{math.exp(low):.6g} to {math.exp(high):.6g}"
        section.fail(f"{rule}: W&B would draw from {span}; write `distribution: {better}` to draw from {low} to {high}", line)
    bounds = f"min: {yaml_number(float(f'{math.exp(low):.3g}'))}, max: {yaml_number(float(f'{math.exp(high):.3g}'))}"
    section.fail(f"{rule}; write `distribution: {better}` with the values themselves, {bounds}", line)


def _constant(section: Section) -> object:
    node = section.entries["value"]
    if isinstance(node.value, list):
        return tuple(_scalar(section, item, f"{section.name}.value") for item in node.value)
    return _scalar(section, node, f"{section.name}.value")


def _choices(section: Section) -> tuple[object, ...]:
    node = section.entries["values"]
    if not isinstance(node.value, list) or not node.value:
        section.fail(f"{section.name}.values takes a list such as [32, 64, 128], not {abbreviate(node.value)}", node.line)
    values: list[object] = []
    for item in node.value:
        value = _scalar(section, item, f"{section.name}.values")
        if any(value == earlier and type(value) is type(earlier) for earlier in values):
            section.fail(f"{section.name}.values names {abbreviate(value)} twice; keep one", item.line)
        values.append(value)
    return tuple(values)


def _scalar(section: Section, node: Node, name: str) -> object:
    if node.value is None or isinstance(node.value, list | dict):
        section.fail(f"{name} takes plain values, not {abbreviate(node.value)}", node.line)
    if isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return section.read_number(node, name)
    return node.value


def _shaped(section: Section, distribution: Distribution) -> Parameter:
    values = _choices(section) if distribution is Distribution.CATEGORICAL_W_PROBABILITIES else ()
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


def _numeric(section: Section, distribution: Distribution) -> Parameter:
    low, high, q = section.number("min"), section.number("max"), section.number("q")
    assert low is not None
    assert high is not None
    if distribution is Distribution.INT_UNIFORM:
        for key, bound in (("min", low), ("max", high)):
            if not isinstance(bound, int):
                section.fail(f"{section.name}.{key}: int_uniform takes whole numbers, not {bound}", section.find_line(key))
    if low >= high:
        fix = f"write `value: {low}`" if low == high else "exchange them"
        section.fail(f"{section.name}: min {low} is not below max {high}; {fix}", section.find_line("min"))
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
