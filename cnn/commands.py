"""Commands that train a run again, and settings as their words."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from cnn.config import RunConfig, config_to_dict, default_config, model_defaults
from cnn.errors import CnnError
from cnn.overrides import config_from_dict, flatten, override

_NO_OVERRIDES = ("corpus", "variant", "model.name", "model.source")


def format_train_command(digest: str, content: dict[str, Any], tiles: Path, runs: Path) -> str:
    """Return the `arena train` of that configuration; empty where this version of Arena would train another one, or none."""
    try:
        config = config_from_dict(content)
        default = default_config(config.corpus, config.tiles, config.model.name, config.variant)
        words = list_overrides(config, default)
        if override(default, words).digest != digest:
            return ""
    except (CnnError, KeyError, TypeError, ValueError):
        return ""
    folders = [] if tiles == Path("tiles") else ["--tiles", str(tiles)]
    folders += [] if runs == Path("runs") else ["--runs", str(runs)]
    return shlex.join(["arena", "train", "--model", config.model.name, "--variant", config.variant, *folders, *words])


def restore_defaults(config: RunConfig) -> RunConfig:
    """Return the default configuration of the same net, variant and tiles; a plug-in's file is not read."""
    model = model_defaults(config.model.name, config.model.source)
    return RunConfig(corpus=config.corpus, variant=config.variant, tiles=config.tiles, model=model)


def list_overrides(config: RunConfig, default: RunConfig) -> list[str]:
    """List the settings of `config` that differ from `default`, as `key=value`."""
    before = flatten(config_to_dict(default))
    return [
        f"{key}={_text(value)}"
        for key, value in flatten(config_to_dict(config)).items()
        if key not in _NO_OVERRIDES and not key.startswith("tiles.") and value != before.get(key)
    ]


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
