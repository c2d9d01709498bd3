"""Commands that train a run again, with paths from the project's folder, and settings as their words."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from arena.base.project import Project, find_project
from cnn.config import RunConfig, config_to_dict, default_config, reset_config
from cnn.errors import CnnError
from cnn.keys import READ_ONLY
from cnn.overrides import config_from_dict, flatten, override
from cnn.plugin import is_plugin, parse_path, shorten_name

_NO_OVERRIDES = ("corpus", "variant", "model.name", "model.source", *READ_ONLY)


def format_train_command(digest: str, content: dict[str, Any], tiles: Path, runs: Path) -> str:
    """Return the `arena train` of that configuration; empty where this version of Arena would train another one, or none."""
    project = find_project()
    try:
        config = config_from_dict(content)
        words = list_overrides(config, project)
        net = _locate_net(config.model.name, project)
        if override(default_config(config.tiles_info, net, config.variant), words).digest != digest:
            return ""
    except (CnnError, KeyError, TypeError, ValueError):
        return ""
    folders = [*project.folder_option("tiles", tiles), *project.folder_option("runs", runs)]
    cell = ["--model", format_net(net, project), "--variant", config.variant]
    return shlex.join(["arena", "train", *cell, *folders, *words])


def format_retraining(run: Path) -> str:
    """Return the `arena train` that trains the settings of a run on the tiles of this version of Arena."""
    return shlex.join(["arena", "train", "--config", str(find_project().shorten(run / "config.json"))])


def format_net(name: str, project: Project) -> str:
    """Return a net, which was typed in the working folder or in the project's, as a command in the latter takes it."""
    net = _locate_net(name, project)
    return f"{project.shorten(parse_path(net))}:{shorten_name(net)}" if is_plugin(net) else net


def _locate_net(name: str, project: Project) -> str:
    """Return a net as the working folder takes it: as it was typed, or from the project's folder, or as the project has it."""
    if not is_plugin(name):
        return name
    label = shorten_name(name)
    nets = [name, f"{project.locate(str(parse_path(name)))}:{label}"]
    nets += [net for net in project.models if shorten_name(net) == label]
    return next((net for net in nets if parse_path(net).is_file()), name)


def list_overrides(config: RunConfig, project: Project) -> list[str]:
    """List as `key=value` the settings that differ from the net's defaults, or that the project would set."""
    before = {key: value for key, value in flatten(config_to_dict(reset_config(config))).items() if key not in project.settings}
    return [
        f"{key}={_text(value)}"
        for key, value in flatten(config_to_dict(config)).items()
        if key not in _NO_OVERRIDES
        and not key.startswith(("tiles.", "data."))
        and (config.augmented or not key.startswith("augment."))
        and (key not in before or value != before[key])
    ]


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
