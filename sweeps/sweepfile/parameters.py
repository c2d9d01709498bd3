"""Parser of the `parameters` of a sweep file; it infers distributions as W&B does and refuses the traps of its schema."""

from __future__ import annotations

import math
from dataclasses import replace

from arena.base.suggest import did_you_mean, is_respelling, nearest
from cnn.keys import match_word
from sweeps.sweepfile.bounds import parse_bounds, parse_shape
from sweeps.sweepfile.edits import add_key_above, remove_item, rename_key, replace_value
from sweeps.sweepfile.section import Section, abbreviate, parse_number, write_number
from sweeps.sweepfile.space import Distribution, Parameter
from sweeps.sweepfile.yaml_lines import Node
from sweeps.training.configuration import key_kinds

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
_WORDS = {  # other words for a distribution
    "choice": Distribution.CATEGORICAL,
    "choices": Distribution.CATEGORICAL,
    "int": Distribution.INT_UNIFORM,
    "float": Distribution.UNIFORM,
    "uniformint": Distribution.INT_UNIFORM,
    "randint": Distribution.INT_UNIFORM,
}
_OF_VALUES = {  # distributions of values, without underscores
    "value": ("constant",),
    "values": ("categorical", "categoricalwprobabilities", "choice", "choices"),
}
_SPACES = ("value", "values", "min", "max")
_EXPONENTS = ("loguniform", "qloguniform", "invloguniform")  # without underscores
_MOST_EXPONENT = 700  # e to it is a number still
_LIKELY_EXPONENT = 14  # e to it is a million


def parse_parameters(top: Section) -> tuple[dict[str, Parameter], dict[str, Section]]:
    """Return all parameters that can be read, nested ones by their dotted name, and the sections of the file that hold them.

    Raises:
        Unreadable: there are none; the fault is reported.
    """
    section = top.sub("parameters", "parameters")
    if section is None or not section.entries:
        method = top.entries["method"].value if "method" in top.entries else ""
        top.fail(f"parameters are missing; add at least one, such as {write_example(method)}", top.find_line("parameters"))
    parameters: dict[str, Parameter] = {}
    sections: dict[str, Section] = {}
    _parse_group(section, "", parameters, sections)
    return parameters, sections


def write_example(method: object) -> str:
    """Return an entry that a search by `method` takes."""
    if method == "grid":
        return "`train.learning_rate: {values: [0.0005, 0.002, 0.008]}`"
    return "`train.learning_rate: {distribution: log_uniform_values, min: 0.0001, max: 0.1}`"


def _parse_group(group: Section, prefix: str, parameters: dict[str, Parameter], sections: dict[str, Section]) -> None:
    for key in group.entries:
        with group.faults.collect():
            section = _spell_out(group, key, prefix + key)
            nested = section.sub("parameters", section.name)
            if nested is not None:
                if len(section.entries) > 1:
                    section.fail(f"{section.name} holds nested parameters, so nothing else; move the rest below `parameters:`")
                _parse_group(nested, f"{section.name}.", parameters, sections)
                continue
            if section.name in sections:
                first = sections[section.name].line
                section.fail(f"{section.name} is given twice, first in line {first}; keep one")
            section = sections[section.name] = section.report_unknown(_KEYS, {})
            if not section.node.is_broken:
                parameters[section.name] = _parameter(section)


def _spell_out(group: Section, key: str, name: str) -> Section:
    """Return the section of a parameter; a value or a list that stands in its place is reported, and read as such."""
    node = group.entries[key]
    if isinstance(node.value, dict):
        return Section(faults=group.faults, text=group.text, name=name, node=node)
    rule = f"parameters.{name} takes lines of `key: value` below it, not {abbreviate(node.value)}"
    word = "values" if isinstance(node.value, list) else "value"
    if node.value in (None, []):
        group.fail(rule, node.line)
    number = parse_number(node.value) if isinstance(node.value, str) else None
    if number is not None:
        node = replace(node, value=number)
    better = f"{{{word}: {group.text[slice(*node.span)] if number is None else write_number(number)}}}"
    edits = [replace_value(node, better)]
    if isinstance(node.value, list) and not node.is_flow:
        better, edits = "{values: [...]}", add_key_above(group.text, node, "values")
    group.report(f"{rule}; write `{name}: {better}`", node.line, edits)
    entry = Node(value={word: node}, line=node.line, span=node.span, key=node.key, is_broken=node.is_broken)
    return Section(faults=group.faults, text=group.text, name=name, node=entry)


def _parameter(section: Section) -> Parameter:
    section, distribution = _distribution(section)
    needed, allowed = TAKES[distribution]
    missing = [key for key in needed if key not in section.entries]
    extra = [key for key in section.entries if key in _KEYS and key not in (*needed, *allowed, "distribution")]
    if missing:
        section.fail(f"{section.name}: {distribution} needs {' and '.join(missing)}")
    for key in extra:
        if key in _SPACES:  # which of the two is meant, the file does not tell
            section.report(f"{section.name}: {distribution} takes no {key!r}; keep one of them", section.find_line(key))
        else:
            edits = section.remove(key)
            section.report(f"{section.name}: {distribution} takes no {key!r}; remove it", section.find_line(key), edits)
    if distribution is Distribution.CONSTANT:
        values = (_constant(section),)
        return Parameter(name=section.name, distribution=distribution, values=values, line=section.line)
    if distribution is Distribution.CATEGORICAL:
        return Parameter(name=section.name, distribution=distribution, values=_choices(section), line=section.line)
    if distribution.is_shaped:
        return parse_shape(section, distribution, _choices(section) if "values" in needed else ())
    return parse_bounds(section, distribution)


def _distribution(section: Section) -> tuple[Section, Distribution]:
    """Return the distribution, and the section with the bounds that are meant."""
    name = section.read_word("distribution")
    if name is None:
        return section, _infer(section)
    word = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    if _lists_values(section, word):
        rule = f"{section.name}: {name} draws no {'value' if 'value' in section.entries else 'values'}"
        section.report(f"{rule}; remove `distribution`", section.find_line("distribution"), section.remove("distribution"))
        return section, _infer(section)
    if name not in list(Distribution) and word in _EXPONENTS:
        return _refuse_exponents(section, name, "q_" if word.startswith("q") else "")
    if name not in list(Distribution):
        names = {str(distribution).replace("_", ""): distribution for distribution in Distribution} | _WORDS
        spelling = nearest(word, names) or ""
        match = names.get(spelling)
        rule = f"{section.name}: unknown distribution {name!r}"
        if match is None or not is_respelling(word, spelling):
            section.fail(f"{rule}{did_you_mean(name, Distribution)}", section.find_line("distribution"))
        edits = [replace_value(section.entries["distribution"], match)]
        section.report(f"{rule}; did you mean {str(match)!r}?", section.find_line("distribution"), edits)
        return section, match
    return section, Distribution(name)


def _lists_values(section: Section, word: str) -> bool:
    """Tell whether a distribution of something else has nothing but values beside it."""
    listed = [key for key in _OF_VALUES if key in section.entries]
    others = [key for key in section.entries if key not in (*_OF_VALUES, "distribution", "q")]
    return len(listed) == 1 and not others and word not in _OF_VALUES[listed[0]]


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
        section.report(f"{section.name}: q needs `distribution: q_uniform` or q_log_uniform_values", section.find_line("q"))
        return Distribution.Q_UNIFORM
    are_ints = isinstance(section.number("min"), int) and isinstance(section.number("max"), int)
    return Distribution.INT_UNIFORM if are_ints else Distribution.UNIFORM


def _refuse_exponents(section: Section, name: str, prefix: str) -> tuple[Section, Distribution]:
    """Report a distribution whose bounds are exponents; return the one of values, and the bounds that are meant."""
    kinds = key_kinds()
    is_whole = kinds.get(match_word(section.name, kinds) or match_word(section.name.rpartition(".")[2], kinds)) is int
    better = Distribution.Q_LOG_UNIFORM_VALUES if is_whole or prefix else Distribution.LOG_UNIFORM_VALUES
    if "min" not in section.entries or "max" not in section.entries:
        return section, better
    line, (low, high) = section.find_line("distribution"), sorted((section.number("min") or 0, section.number("max") or 0))
    edits = [replace_value(section.entries["distribution"], better)]
    if is_whole and "q" not in section.entries:
        edits += section.add("q: 1")
    rule = f"{section.name}: the bounds of {name} are exponents of e"
    if low > 0 and not 1 < high < _LIKELY_EXPONENT:  # surely meant as values
        span = f": W&B would draw from {math.exp(low):.6g} to {math.exp(high):.6g}" if high < _MOST_EXPONENT else ""
        section.report(f"{rule}{span}; write `distribution: {better}` to draw from {low} to {high}", line, edits)
        return section, better
    if max(abs(low), abs(high)) >= _MOST_EXPONENT:
        section.fail(f"{rule}; write `distribution: {better}` and the values themselves", line)
    entries = dict(section.entries)
    for key, bound in (("min", low), ("max", high)):
        number = round(math.exp(bound)) if is_whole else float(f"{math.exp(bound):.3g}")
        edits.append(replace_value(entries[key], write_number(number)))
        entries[key] = replace(entries[key], value=number)
    bounds = ", ".join(f"{key}: {write_number(float(str(entries[key].value)))}" for key in ("min", "max"))
    section.report(f"{rule}; write `distribution: {better}` with the values themselves, {bounds}", line, edits)
    return replace(section, node=replace(section.node, value=entries)), better


def _constant(section: Section) -> object:
    node = section.entries["value"]
    if isinstance(node.value, list):
        return tuple(_scalar(section, item, f"{section.name}.value") for item in node.value)
    return _scalar(section, node, f"{section.name}.value")


def _choices(section: Section) -> tuple[object, ...]:
    node = section.entries["values"]
    name = f"{section.name}.values"
    if not isinstance(node.value, list) or not node.value:
        is_plain = isinstance(node.value, int | float | str) and not isinstance(node.value, bool)
        edits = [rename_key(node, "value")] if is_plain else []
        fix = f"; write `value: {abbreviate(node.value)}`" if is_plain else ""
        section.fail(f"{name} takes a list such as [32, 64, 128], not {abbreviate(node.value)}{fix}", node.line, edits)
    values: list[object] = []
    for index, item in enumerate(node.value):
        with section.faults.collect():
            value = _scalar(section, item, name)
            if any(_is_same(value, earlier) for earlier in values):
                edits = [] if "probabilities" in section.entries else remove_item(section.text, node, index)
                section.report(f"{name} names {abbreviate(value)} twice; keep one", item.line, edits)
            else:
                values.append(value)
    if not values:
        section.fail(f"{name} has no value that can be read; write one", node.line)
    return tuple(values)


def _is_same(first: object, second: object) -> bool:
    """Return True for equal values; 1 and 1.0 are one point of a search."""
    return first == second and isinstance(first, bool) == isinstance(second, bool)


def _scalar(section: Section, node: Node, name: str) -> object:
    if node.value is None or isinstance(node.value, list | dict):
        section.fail(f"{name} takes plain values, not {abbreviate(node.value)}", node.line)
    if isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return section.read_number(node, name)
    return node.value
