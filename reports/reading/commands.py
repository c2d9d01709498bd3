"""The command that trains a run again, shown only where it asks for exactly that run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from cnn.config import config_to_dict, default_config
from cnn.errors import CnnError
from cnn.overrides import config_from_dict, flatten, override

_SAID_OTHERWISE = ("corpus", "variant", "model.name", "model.source")


def train_command(digest: str, content: dict[str, Any], tiles: Path, runs: Path) -> str:
    """`arena train` of that configuration; empty where this version of Arena would train another one, or none."""
    try:
        config = config_from_dict(content)
        name = config.model.name
        usual = default_config(config.corpus, config.tiles, name, config.variant)
        before = flatten(config_to_dict(usual))
        words = [
            f"{key}={_text(value)}"
            for key, value in flatten(config_to_dict(config)).items()
            if key not in _SAID_OTHERWISE and not key.startswith("tiles.") and value != before.get(key)
        ]
        if override(usual, words).digest != digest:
            return ""
    except (CnnError, KeyError, TypeError, ValueError):
        return ""
    places = [] if tiles == Path("tiles") else ["--tiles", str(tiles)]
    places += [] if runs == Path("runs") else ["--runs", str(runs)]
    return shlex.join(["arena", "train", "--model", name, "--variant", config.variant, *places, *words])


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
