"""Checks of the entries of a sweep file one by one: keys that may be tuned, and values that trainings take."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from arena.base.suggest import is_respelling
from sweeps.linting.command import check_command
from sweeps.names import explain_name, suggest_name
from sweeps.sweepfile.edits import rename_key, replace_value
from sweeps.sweepfile.parameters import write_example
from sweeps.sweepfile.section import Section, parse_number, write_number, yaml_number
from sweeps.sweepfile.space import Distribution, Parameter
from sweeps.sweepfile.sweep import Draft, Method, Sweep
from sweeps.sweepfile.yaml_lines import Node
from sweeps.training import configuration

_NEEDS = {"train.frozen": "train.start", "model.noise": "model.input"}  # keys that mean nothing without another
_SUGGESTION = re.compile(r"; did you mean '?([\w.]+)'?\?$")


def explain_fixed(key: str, example: object = "...") -> str:
    """Return the reason that no sweep may set `key`, and what to do instead; empty where one may."""
    if key.startswith("tiles."):
        return f"{key} is fixed when tiles are prepared; give it to `arena data prepare` instead"
    if key.startswith("split."):
        rule = f"{key} changes which clips are scored, and trials would not be comparable"
        return f"{rule}; remove it here and type `{key}={example}` behind `arena sweep run`, one study each"
    return "each variant is a study of its own; remove it here and give --variant, once for each" if key == "variant" else ""


def check_top(top: Section, parameters: Collection[str]) -> None:
    """Report a name that no folder can have, and a command that sets something."""
    node = top.entries.get("name")
    if node is not None and isinstance(node.value, str) and (reason := explain_name(node.value)):
        better = suggest_name(node.value)
        edits = [replace_value(node, better)] if better else []
        top.report(f"{reason}; write `name: {better}`" if better else reason, node.line, edits)
    with top.faults.collect():
        check_command(top, parameters)


def check_parameters(draft: Draft, sweep: Sweep) -> tuple[list[Parameter], set[str]]:
    """Check the parameters; return those that can be read, under the keys that are meant, and the keys of all."""
    readable = {p.name: p for p in sweep.parameters}
    net = {key: value for key, value in sweep.constants.items() if key == "model.name"}
    context = net if not configuration.explain_refusal(net) else {}
    parameters: dict[str, Parameter] = {}
    keys: set[str] = set()
    for name, section in draft.sections.items():
        parameter = readable.get(name)
        key = _resolve_key(section, parameter, {*draft.sections, *keys})
        keys.add(key)
        if parameter is None or not key:
            continue
        parameter = parameters[key] = replace(parameter, name=key)
        if not explain_fixed(key):
            with section.faults.collect():
                _check(parameter, section, sweep.method, {**context, **_list_needs(key, sweep.constants)})
    if draft.top is not None and draft.sections and all(explain_fixed(name) for name in draft.sections):
        line = max(section.line for section in draft.sections.values())
        draft.top.report(f"nothing is left to tune; add at least one parameter, such as {write_example(sweep.method)}", line)
    return [p for p in parameters.values() if not any(isinstance(value, tuple) for value in p.values)], keys


def _list_needs(key: str, constants: Mapping[str, object]) -> dict[str, object]:
    """Return the constant that a key is refused without, if the file has it."""
    need = _NEEDS.get(key, "")
    return {need: constants[need]} if need in constants else {}


def _resolve_key(section: Section, parameter: Parameter | None, earlier: Collection[str]) -> str:
    """Return the key of a parameter, or the one that is meant; empty where the file does not tell."""
    name = section.name
    if reason := explain_fixed(name, parameter.values[0] if parameter and parameter.values else "..."):
        section.report(reason)
        return name
    if name in configuration.key_kinds():
        return name
    hint = configuration.nearest_key(name)
    match = _SUGGESTION.search(hint)
    key = match[1] if match and match[1] in configuration.tunable_keys() else ""
    prefix = name[: len(name) - (section.node.key[1] - section.node.key[0])]
    is_sure = bool(key) and configuration.is_meant(name, key)
    is_free = is_sure and key not in earlier and key.startswith(prefix)
    edits = [rename_key(section.node, key.removeprefix(prefix))] if is_free else []
    if is_sure and key in earlier:
        hint = f"; it would be {key}, which is given, too: keep one of them"
    elif hint.endswith("lists them all"):
        hint = "; remove it, or write one that `arena train --keys` lists"
    section.report(f"unknown key {name!r}{hint}", edits=edits)
    return key if is_free else ""


def _check(parameter: Parameter, section: Section, method: Method, context: Mapping[str, object]) -> None:
    kind = configuration.key_kinds()[parameter.name]
    if parameter.name == "model.name" and parameter.distribution is not Distribution.CONSTANT:
        nets = [value for value in parameter.values if not configuration.explain_refusal({"model.name": value})]
        net = nets[0] if nets else configuration.models()[0]
        section.fail(f"one study tunes one model; write `model.name: {{value: {net}}}`")
    if parameter.values:
        _check_listed(parameter, section, kind, context)
    else:
        _check_kind(parameter, section, kind)
        _check_extremes(parameter, section, context)
    if parameter.distribution is Distribution.CATEGORICAL_W_PROBABILITIES and method is not Method.RANDOM:
        rule = f"{parameter.name}: probabilities need `method: random`, not {method}"
        section.report(f"{rule}; remove them", edits=section.remove("probabilities", "distribution"))
    if method is Method.GRID and parameter.n_values is None and not parameter.values:
        section.report(f"a grid cannot visit all of {parameter.distribution}; list values, or write `method: random`")
    elif method is Method.GRID and parameter.distribution.is_quantized:
        # W&B's grid visits min, min + q, ... short of max: not the multiples of q that its q_uniform draws.
        section.report(f"a grid over {parameter.distribution} differs between the engines; list values instead")


def _check_kind(parameter: Parameter, section: Section, kind: type) -> None:
    distribution = parameter.distribution
    if kind not in (int, float):
        section.fail(f"{parameter.name} takes names, not numbers; list values")
    if kind is float and distribution is Distribution.INT_UNIFORM:
        _refuse_whole(parameter, section)
    if kind is int and distribution.is_continuous:
        _refuse_continuous(parameter, section)
    if kind is int and distribution.is_quantized and not float(parameter.q).is_integer():
        section.fail(f"{parameter.name} takes whole numbers; write a whole q, not {parameter.q}", section.find_line("q"))


def _refuse_whole(parameter: Parameter, section: Section) -> None:
    """Report whole bounds of a key that takes any number."""
    rule = f"{parameter.name} takes any number, but W&B draws whole ones from min {parameter.low} and max {parameter.high}"
    if "distribution" in section.entries:
        edits = [replace_value(section.entries["distribution"], "uniform")]
        return section.report(f"{rule}; write `distribution: uniform`", edits=edits)
    better = yaml_number(section.number("min") or 0.0)
    edits = [replace_value(section.entries["min"], better)]
    section.report(f"{rule}; write `min: {better}`, or `distribution: uniform`", edits=edits)


def _refuse_continuous(parameter: Parameter, section: Section) -> None:
    """Report a distribution of any numbers for a key that takes whole ones."""
    distribution = parameter.distribution
    rule = f"{parameter.name} takes whole numbers, {distribution} draws others"
    if distribution.is_shaped or distribution.is_log:
        better = f"q_{distribution}" if distribution.is_shaped else str(Distribution.Q_LOG_UNIFORM_VALUES)
        edits = [replace_value(section.entries["distribution"], better), *section.add("q: 1")]
        return section.report(f"{rule}; write `distribution: {better}, q: 1`", edits=edits)
    bounds = {"min": parameter.low, "max": parameter.high}
    if not all(float(bound).is_integer() for bound in bounds.values()):
        return section.report(f"{rule}; write whole bounds, or list values")
    edits = [
        replace_value(section.entries[key], f"{bound:.0f}")
        for key, bound in bounds.items()
        if not isinstance(section.entries[key].value, int)
    ]
    if "distribution" in section.entries:
        edits.append(replace_value(section.entries["distribution"], "int_uniform"))
    texts = ", ".join(f"{key}: {bound:.0f}" for key, bound in bounds.items())
    section.report(
        f"{rule}; write `{'distribution: int_uniform, ' if 'distribution' in section.entries else ''}{texts}`", edits=edits
    )


def _check_listed(parameter: Parameter, section: Section, kind: type, context: Mapping[str, object]) -> None:
    """Check each value of a list, or the only one."""
    explain = configuration.make_check({})
    if isinstance(parameter.values[0], tuple):
        node = section.entries["value"]
        rule = f"{section.name}.value takes one value, not a list"
        section.fail(f"{rule}; write `values:` for several to try", node.line, [rename_key(node, "values")])
    for node in _list_nodes(section):
        value = parameter.values[0] if parameter.name == "model.name" else node.value  # a net is named from here by now
        if isinstance(value, list | dict) or value is None:
            continue
        if "min" in section.entries and isinstance(value, str):  # equal bounds, whose text is reported already
            value = parse_number(value)
        if kind in (int, float) and isinstance(value, str) and (number := parse_number(value)) is not None:
            fits = kind is float or float(number).is_integer()
            better = write_number(float(number) if kind is float else int(number)) if fits else write_number(number)
            edits = [replace_value(node, better)] if fits else []
            section.report(f"{parameter.name}: {value!r} is text in YAML; write {better}", node.line, edits)
            value = number
        if reason := explain({**context, parameter.name: value}):
            match = _SUGGESTION.search(reason)
            is_sure = match is not None and is_respelling(str(value), match[1])
            section.report(reason, node.line, [replace_value(node, match[1])] if match and is_sure else [])


def _list_nodes(section: Section) -> Sequence[Node]:
    node = next(section.entries[key] for key in ("values", "value", "min") if key in section.entries)
    return node.value if isinstance(node.value, list) else [node]


def _check_extremes(parameter: Parameter, section: Section, context: Mapping[str, object]) -> None:
    explain = configuration.make_check({})
    for value in parameter.extremes():
        reason = explain({**context, parameter.name: value})
        if reason and parameter.shape:
            reason += f", which {parameter.distribution} reaches; give it another shape, or a uniform distribution with bounds"
        elif reason and parameter.distribution.is_quantized:
            reason += f" (the nearest multiple of q {parameter.q} to a bound)"
        if reason:
            section.report(reason)
