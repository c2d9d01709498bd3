"""Known points of a new or continued study, read from the default recipe, `--try` and `--from`, and checked before a write."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.errors import CnnError
from sweeps.errors import StudyError
from sweeps.results import TrialFacts, read_outline
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.study.points import DEFAULT, KnownPoint
from sweeps.sweepfile.space import Parameter
from sweeps.sweepfile.sweep import Method
from sweeps.training import configuration

_N_BEST = 3  # points of another study
_COMMA = re.compile(r",(?=\s*[\w.]+\s*=)")  # between two settings, not within the value of one


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """Points that the command line names, and the settings of the default recipe."""

    tries: Sequence[str]
    source: str  # a study
    studies_dir: Path
    settings: Sequence[str]  # the project's


def choose_points(spec: StudySpec, wishes: Wishes) -> tuple[tuple[KnownPoint, ...], list[str]]:
    """Return the points that `spec` tries first, and notes for the user.

    Raises:
        StudyError: a point that lies outside the space, or a study without one that lies within.
        CnnError: a key that there is not, or a value that no training takes.
    """
    varied = {p.name: p for p in spec.sweep.parameters if p.name not in spec.sweep.constants}
    tuned = [text for text in wishes.settings if text.partition("=")[0] in varied]
    recipe = configuration.read_values(spec.base, tuned, varied)
    points, notes = _choose_default(spec, recipe, varied)
    points += [_parse_try(spec, text, recipe, varied) for text in wishes.tries]
    if wishes.source:
        best, more = _read_best(spec, wishes, recipe, varied)
        points, notes = points + best, notes + more
    unique = [point for n, point in enumerate(points) if point.values not in [other.values for other in points[:n]]]
    if len(unique) > spec.budget:
        notes.append(f"note: study {spec.name} has {len(unique)} points to try first, and a budget of {spec.budget}")
    return tuple(unique), notes


def _choose_default(
    spec: StudySpec, recipe: Mapping[str, object], varied: Mapping[str, Parameter]
) -> tuple[list[KnownPoint], list[str]]:
    if spec.sweep.method is Method.GRID:
        return [], []
    reason = _explain_outside(spec, recipe, varied)
    if reason:
        return [], [f"note: the default recipe is not tried first: {reason} of {spec.sweep.file}"]
    return [KnownPoint(values=dict(recipe), origin=DEFAULT)], []


def _explain_outside(spec: StudySpec, values: Mapping[str, object], varied: Mapping[str, Parameter]) -> str:
    reasons = [f"{key} {reason}" for key in varied if (reason := varied[key].explain_outside(values[key]))]
    return "; ".join(reasons) or configuration.make_check(spec.base)({**spec.sweep.constants, **values})


def _parse_try(spec: StudySpec, text: str, recipe: Mapping[str, object], varied: Mapping[str, Parameter]) -> KnownPoint:
    """Return the point of `--try`; keys that it does not name are those of the default recipe."""
    words = [word.strip() for word in _COMMA.split(text)]
    try:
        keys = configuration.override_keys(words)
        typed = configuration.read_values(spec.base, words, keys)
    except CnnError as error:
        raise StudyError(f"--try {text}: {error}") from error
    if len(keys) < len(words):
        raise StudyError(f"--try {text} names a key twice; give each once")
    for key in keys:
        if key not in varied and key not in spec.sweep.constants:
            raise StudyError(f"--try {text}: {spec.sweep.file} does not tune {key}, only {', '.join(varied)}")
    for key, value in typed.items():
        if key in spec.sweep.constants and (reason := _find(spec, key).explain_outside(value)):
            raise StudyError(f"--try {text}: {key} {reason} of {spec.sweep.file}")
    values = {key: typed.get(key, recipe[key]) for key in varied}
    for key, value in values.items():
        if reason := varied[key].explain_outside(value):
            hint = "" if key in typed else f", and it is the default; name {key} too"
            raise StudyError(f"--try {text}: {key} {reason} of {spec.sweep.file}{hint}")
    if reason := _explain_outside(spec, values, varied):
        raise StudyError(f"--try {text}: {reason}")
    return KnownPoint(values=values, origin="--try")


def _find(spec: StudySpec, key: str) -> Parameter:
    return next(p for p in spec.sweep.parameters if p.name == key)


def _read_best(
    spec: StudySpec, wishes: Wishes, recipe: Mapping[str, object], varied: Mapping[str, Parameter]
) -> tuple[list[KnownPoint], list[str]]:
    """Return the best points of another study that lie within this space; its values are not taken over.

    They were measured on other clips, nets or epochs: they are no values of this study.
    """
    folder = _find_folder(wishes)
    if folder.path.resolve() == (wishes.studies_dir / spec.name).resolve():
        raise StudyError(f"--from {wishes.source} is the study itself; its trials count already")
    base = configuration.flatten_base(folder.read_spec().base)
    facts = read_outline(folder.path.parent, folder.name)
    sign = -1 if facts.is_maximized else 1
    finished = [trial for trial in facts.trials if trial.state == "finished" and trial.value is not None]
    best: list[tuple[TrialFacts, KnownPoint]] = []
    reasons: list[str] = []
    for trial in sorted(finished, key=lambda trial: (not trial.is_feasible, sign * (trial.value or 0.0), trial.number)):
        values = {key: trial.params.get(key, base.get(key, recipe[key])) for key in varied}
        if reason := _explain_outside(spec, values, varied):
            reasons.append(f"trial {trial.number}: {reason}")
        elif len(best) < _N_BEST and values not in [point.values for _, point in best]:
            best.append((trial, KnownPoint(values=values, origin=f"--from {folder.name}")))
    if not best:
        reason = (
            f"none of its {len(finished)} finished trials lies within {spec.sweep.file}"
            if finished
            else "it has no finished trial"
        )
        raise StudyError(f"--from {wishes.source}: {reason}{f', such as {reasons[0]}' if reasons else ''}")
    numbers = ", ".join(str(trial.number) for trial, _ in best)
    note = f"study {spec.name} tries first the points of {folder.name}'s best trials, {numbers}"
    outside = f"; {len(reasons)} of its trials lie outside the space" if reasons else ""
    return [point for _, point in best], [f"{note}{outside}"]


def _find_folder(wishes: Wishes) -> StudyFolder:
    """Return the folder of the study that `--from` names: of this name, or at this path."""
    elsewhere = StudyFolder(Path(wishes.source).resolve())
    named = StudyFolder(wishes.studies_dir / wishes.source)
    return elsewhere if elsewhere.exists and not named.exists else named
