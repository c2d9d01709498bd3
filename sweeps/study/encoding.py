"""Content of study.json, and the part of it that machines with one database share."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from sweeps.study.paths import PATHS

if TYPE_CHECKING:
    from sweeps.study.folder import StudySpec

_LOCAL_KEYS = (*PATHS, "storage")


def select_shared(content: dict[str, Any]) -> dict[str, Any]:
    """Return the part that all machines share, with the first machine's paths of tiles and runs as a hint."""
    hints = {f"first_{key}": content[key] for key in PATHS}
    return {**{key: value for key, value in content.items() if key not in _LOCAL_KEYS}, **hints}


def encode_spec(spec: StudySpec) -> dict[str, Any]:
    """Return the content of study.json."""
    return {
        "engine": spec.engine,
        "budget": spec.budget,
        "seed": spec.seed,
        "points": [dataclasses.asdict(point) for point in spec.points],
        "limits": dataclasses.asdict(spec.limits),
        "storage": spec.storage,
        "tiles": str(spec.tiles),
        "runs": str(spec.runs),
        "overrides": list(spec.overrides),
        "base": spec.base,
        "arena": dataclasses.asdict(spec.settings),
        "folds": list(spec.folds),
        "file": spec.sweep.file,
        "sweep": spec.sweep.text,
    }
