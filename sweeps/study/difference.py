"""Difference between a study and another of its name, which cannot go on as it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnn.config import config_to_dict, describe_format, read_format
from cnn.errors import CnnError
from cnn.overrides import config_from_dict
from sweeps.sweepfile.settings import KEYS

if TYPE_CHECKING:
    from sweeps.study.folder import StudySpec


def _complete(base: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with the defaults of keys that are newer than the study, and the net by its label."""
    try:
        config = config_from_dict(base)
    except CnnError:
        return base
    content = config_to_dict(config)
    content["model"]["name"] = config.model.label
    return content


def describe_difference(old: StudySpec, new: StudySpec) -> str:
    """Return what the two searches differ in, or an empty text."""
    if (version := read_format(old.base)) != read_format(new.base):
        return f"format of tiles ({describe_format(version)})"
    if old.engine != new.engine:
        return f"engine ({old.engine}, not {new.engine})"
    if not old.sweep.searches_like(new.sweep):
        return "sweep file"
    for key in KEYS:
        if getattr(old.settings, key) != getattr(new.settings, key):
            return f"{key} ({getattr(old.settings, key)}, not {getattr(new.settings, key)})"
    old_base, new_base = _complete(old.base), _complete(new.base)
    for section in sorted({*old_base, *new_base}):
        before, after = old_base.get(section), new_base.get(section)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            key = next(key for key in sorted({*before, *after}) if before.get(key) != after.get(key))
            return f"{section}.{key} ({before.get(key)}, not {after.get(key)})"
        return f"{section} ({before}, not {after})"
    return f"seed ({old.seed}, not {new.seed})" if old.seed != new.seed else ""
