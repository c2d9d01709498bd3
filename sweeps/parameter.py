"""The `parameters` of a sweep file: which distribution is meant, and the traps of W&B's schema."""

from __future__ import annotations

import math

from sweeps.section import Section, did_you_mean, shown, yaml_number
from sweeps.space import Distribution, Parameter
from sweeps.yaml_tree import Node

_KEYS = ("value", "values", "min", "max", "distribution", "q", "parameters")
_FOREIGN = dict.fromkeys(("mu", "sigma", "a", "b", "probabilities"), "belongs to a distribution that only W&B has; remove it")
_TAKES = {
    Distribution.CONSTANT: (("value",), ()),
    Distribution.CATEGORICAL: (("values",), ()),
    Distribution.INT_UNIFORM: (("min", "max"), ()),
    Distribution.UNIFORM: (("min", "max"), ()),
    Distribution.LOG_UNIFORM_VALUES: (("min", "max"), ()),
    Distribution.Q_UNIFORM: (("min", "max"), ("q",)),
    Distribution.Q_LOG_UNIFORM_VALUES: (("min", "max"), ("q",)),
}
_MOST_STEPS = 1e9  # of q between zero and a bound
_EXPONENTS = ("log_uniform", "q_log_uniform", "inv_log_uniform")
_ONLY_WANDB = (
    "inv_log_uniform_values",
    "normal",
    "q_normal",
    "log_normal",
    "q_log_normal",
    "beta",
    "q_beta",
    "categorical_w_probabilities",
)


def parse_parameters(top: Section) -> tuple[Parameter, ...]:
    """All parameters, nested ones by their dotted name.

    Raises:
        SweepFileError: with the line and the fix.
    """
    example = "`train.learning_rate: {distribution: log_uniform_values, min: 0.0001, max: 0.1}`"
    section = top.sub("parameters", "parameters")
    if section is None or not section.entries:
        top.fail(f"parameters are missing; add at least one, such as {example}", top.line_of("parameters"))
    found: dict[str, Parameter] = {}
    for parameter in _of_group(section, ""):
        if parameter.name in found:
            section.fail(
                f"{parameter.name} is given twice, first in line {found[parameter.name].line}; keep one", parameter.line
            )
        found[parameter.name] = parameter
    return tuple(found.values())


def _of_group(group: Section, prefix: str) -> list[Parameter]:
    found: list[Parameter] = []
    for key in group.entries:
        name = prefix + key
        section = group.sub(key, name)
        assert section is not None
        section.refuse_unknown(_KEYS, _FOREIGN)
        nested = section.sub("parameters", name)
        if nested is None:
            found.append(_parameter(section))
        elif len(section.entries) > 1:
            section.fail(f"{name} holds nested parameters, so nothing else; move the rest below `parameters:`")
        else:
            found += _of_group(nested, f"{name}.")
    return found


def _parameter(section: Section) -> Parameter:
    distribution = _distribution(section)
    needed, allowed = _TAKES[distribution]
    missing = [key for key in needed if key not in section.entries]
    extra = [key for key in section.entries if key not in (*needed, *allowed, "distribution")]
    if missing:
        section.fail(f"{section.name}: {distribution} needs {' and '.join(missing)}")
    if extra:
        section.fail(f"{section.name}: {distribution} takes no {extra[0]!r}; remove it", section.line_of(extra[0]))
    if distribution is Distribution.CONSTANT:
        values = (_constant(section),)
        return Parameter(name=section.name, distribution=distribution, values=values, line=section.line)
    if distribution is Distribution.CATEGORICAL:
        return Parameter(name=section.name, distribution=distribution, values=_choices(section), line=section.line)
    return _numeric(section, distribution)


def _distribution(section: Section) -> Distribution:
    given = section.text("distribution")
    if given is None:
        return _inferred(section)
    if given in _EXPONENTS:
        _refuse_exponents(section, given)
    if given in _ONLY_WANDB:
        better = ", ".join(Distribution)
        section.fail(
            f"{section.name}: distribution {given} has no exact counterpart in Optuna; use one of {better}",
            section.line_of("distribution"),
        )
    if given not in list(Distribution):
        hint = did_you_mean(given, Distribution)
        section.fail(f"{section.name}: unknown distribution {given!r}{hint}", section.line_of("distribution"))
    return Distribution(given)


def _inferred(section: Section) -> Distribution:
    """As W&B infers it: whole bounds give whole numbers."""
    for key, distribution in (("value", Distribution.CONSTANT), ("values", Distribution.CATEGORICAL)):
        if key in section.entries:
            return distribution
    if "min" not in section.entries or "max" not in section.entries:
        section.fail(f"{section.name} needs `value`, `values`, or `min` and `max`")
    if "q" in section.entries:
        section.fail(f"{section.name}: q needs `distribution: q_uniform` or q_log_uniform_values", section.line_of("q"))
    whole = isinstance(section.number("min"), int) and isinstance(section.number("max"), int)
    return Distribution.INT_UNIFORM if whole else Distribution.UNIFORM


def _refuse_exponents(section: Section, given: str) -> None:
    low, high = section.number("min"), section.number("max")
    better = "q_log_uniform_values" if given.startswith("q_") else "log_uniform_values"
    line = section.line_of("distribution")
    law = f"{section.name}: the bounds of {given} are exponents of e"
    if low is None or high is None or not max(abs(low), abs(high)) < 700:
        section.fail(f"{law}; write `distribution: {better}` and the values themselves", line)
    if low > 0:  # surely meant as values
        drawn = f"{math.exp(low):.6g} to {math.exp(high):.6g}"
        section.fail(f"{law}: W&B would draw from {drawn}; write `distribution: {better}` to draw from {low} to {high}", line)
    bounds = f"min: {yaml_number(float(f'{math.exp(low):.3g}'))}, max: {yaml_number(float(f'{math.exp(high):.3g}'))}"
    section.fail(f"{law}; write `distribution: {better}` with the values themselves, {bounds}", line)


def _constant(section: Section) -> object:
    node = section.entries["value"]
    if isinstance(node.value, list):
        return tuple(_scalar(section, item, f"{section.name}.value") for item in node.value)
    return _scalar(section, node, f"{section.name}.value")


def _choices(section: Section) -> tuple[object, ...]:
    node = section.entries["values"]
    if not isinstance(node.value, list) or not node.value:
        section.fail(f"{section.name}.values takes a list such as [32, 64, 128], not {shown(node.value)}", node.line)
    values: list[object] = []
    for item in node.value:
        value = _scalar(section, item, f"{section.name}.values")
        if any(value == other and type(value) is type(other) for other in values):
            section.fail(f"{section.name}.values names {shown(value)} twice; keep one", item.line)
        values.append(value)
    return tuple(values)


def _scalar(section: Section, node: Node, what: str) -> object:
    if node.value is None or isinstance(node.value, list | dict):
        section.fail(f"{what} takes plain values, not {shown(node.value)}", node.line)
    if isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return section.number_in(node, what)
    return node.value


def _numeric(section: Section, distribution: Distribution) -> Parameter:
    low, high, q = section.number("min"), section.number("max"), section.number("q")
    assert low is not None
    assert high is not None
    if distribution is Distribution.INT_UNIFORM:
        for key, bound in (("min", low), ("max", high)):
            if not isinstance(bound, int):
                section.fail(f"{section.name}.{key}: int_uniform takes whole numbers, not {bound}", section.line_of(key))
    if low >= high:
        fix = f"write `value: {low}`" if low == high else "exchange them"
        section.fail(f"{section.name}: min {low} is not below max {high}; {fix}", section.line_of("min"))
    if distribution.is_log and low <= 0:
        section.fail(f"{section.name}: {distribution} needs a min above 0, not {low}", section.line_of("min"))
    if q is not None and not 0 < q <= high - low:
        section.fail(f"{section.name}: q lies above 0 and is at most max - min, not {q}", section.line_of("q"))
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
