"""The command that trains a run again, given only where it leads to exactly that run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from cnn.config import config_to_dict, default_config
from cnn.errors import CnnError
from cnn.overrides import config_from_dict, flatten, override

_NO_OVERRIDES = ("corpus", "variant", "model.name", "model.source")


def format_train_command(digest: str, content: dict[str, Any], tiles: Path, runs: Path) -> str:
    """Return the `arena train` of that configuration; empty where this version of Arena would train another one, or none."""
    try:
        config = config_from_dict(content)
        name = config.model.name
        default = default_config(config.corpus, config.tiles, name, config.variant)
        before = flatten(config_to_dict(default))
        words = [
            f"{key}={_text(value)}"
            for key, value in flatten(config_to_dict(config)).items()
            if key not in _NO_OVERRIDES and not key.startswith("tiles.") and value != before.get(key)
        ]
        if override(default, words).digest != digest:
            return ""
    except (CnnError, KeyError, TypeError, ValueError):
        return ""
    folders = [] if tiles == Path("tiles") else ["--tiles", str(tiles)]
    folders += [] if runs == Path("runs") else ["--runs", str(runs)]
    return shlex.join(["arena", "train", "--model", name, "--variant", config.variant, *folders, *words])


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
