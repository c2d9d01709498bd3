"""A file of settings, given as `--config FILE`: read as if its keys were typed first, so that what is typed wins.

It is TOML, YAML or JSON, with the keys of `arena train --keys`, nested or dotted; a run's config.json is one.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.base.project import FILE_NAME
from cnn.config import config_to_dict
from cnn.errors import ConfigError
from cnn.keys import READ_ONLY, keys, read_assignment
from cnn.settings.tiles import TileSettings
from cnn.yaml_scalars import explain_misreading

_OF_RUNS = ("corpus", "tiles.format", "model.source", *READ_ONLY)  # in a run's config.json, and no settings
_MOST_BYTES = 2**20
_OF_WANDB = ("_wandb", "wandb_version")
_OF_PROJECTS = ("settings", "models", "variants", "contest", "folders")


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigFile:
    """Settings of a file by their full keys; without a file there are none."""

    path: Path = Path()
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(value for key, value in self.values.items() if key == "model.name")

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(value for key, value in self.values.items() if key == "variant")

    def list_settings(self, models: Collection[str] = (), without: Collection[str] = ()) -> list[str]:
        """List the settings of trainings as `key=value`, without net and variant, which are chosen like those of options.

        Args:
            models: the nets that are trained, where others than the file's: its settings of a net are left out then.
            without: keys that are left out.
        """
        is_other = bool(self.models) and any(model != self.models[0] for model in models)
        return [
            f"{key}={value}"
            for key, value in self.values.items()
            if key not in ("model.name", "variant", *without)
            and not key.startswith("tiles.")
            and not (is_other and key.startswith("model."))
        ]

    def list_tiles(self) -> list[str]:
        """List the settings of tiles as `key=value`."""
        return [f"{key}={value}" for key, value in self.values.items() if key.startswith("tiles.")]

    def check_tiles(self, tiles: TileSettings) -> None:
        """Check that the tiles are those of the file; raises ConfigError."""
        for key, value in config_to_dict(tiles).items():
            text = self.values.get(f"tiles.{key}", str(value))
            if text != str(value) and float(text) != value:
                rule = f"{self.path} asks for tiles.{key}={text}, and the tiles have {value}"
                raise ConfigError(f"{rule}; make others with `arena data prepare CORPUS --config {self.path}`")


def read_config_file(path: Path | None) -> ConfigFile:
    """Return the settings of the file; none without a file.

    Raises:
        ConfigError: a file that cannot be read or holds something else, an unknown key, several values at once.
    """
    if path is None:
        return ConfigFile()
    content = _read_mapping(path)
    if "parameters" in content:
        raise ConfigError(f"{path} is a sweep file; tune with it: `arena sweep run {path}`")
    if any(key in content for key in _OF_PROJECTS):
        rule = f"{path} is a project's {FILE_NAME}, which is read by itself in its folder"
        raise ConfigError(f"{rule}; a file for --config has settings alone, such as train.epochs")
    content = {key: _unwrap(value) for key, value in content.items() if key not in (*_OF_WANDB, "data")}
    try:
        settings = [(key, value) for key, value in _list_settings(content) if key not in _OF_RUNS]
        pairs = [read_assignment(_as_text(key, value), keys()) for key, value in settings]
        _refuse_two_names([key for key, _ in pairs])
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return ConfigFile(path=path, values=dict(pairs))


def _list_settings(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """List all settings with their dotted keys; one that is nested and dotted, too, comes twice."""
    pairs: list[tuple[str, Any]] = []
    for key, value in content.items():
        pairs += _list_settings(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return pairs


def _refuse_two_names(names: list[str]) -> None:
    """Refuse a setting that is given twice, such as by lr and by train.learning_rate."""
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ConfigError(f"{twice} is given twice, in two ways of writing it; keep one of them")


def _unwrap(value: Any) -> Any:
    """Return the value of a key of W&B's config.yaml, which has it below `value`."""
    return value["value"] if isinstance(value, dict) and set(value) in ({"value"}, {"value", "desc"}) else value


def _as_text(key: str, value: object) -> str:
    if value is None:
        raise ConfigError(f"{key} has no value; write one, or leave the key out")
    return f"{key}={','.join(map(str, value)) if isinstance(value, list) else value}"


def _read_mapping(path: Path) -> dict[str, Any]:
    if path.suffix not in _READERS:
        raise ConfigError(f"{path} is no file of settings; its name ends in {', '.join(_READERS)}")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{path} is larger than 1 MB, so hardly a file of settings; choose another")
        content = _READERS[path.suffix](path.read_text(encoding="utf-8"))
    except ConfigError as error:
        raise ConfigError(f"{path} {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); the path is read from {Path.cwd()}") from error
    except (ValueError, RecursionError) as error:  # each reader's own error is a ValueError
        text = " ".join(str(error).split())
        raise ConfigError(f"{path} is not {path.suffix[1:].upper()}: {text}; mend that line") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ConfigError(f"{path} holds no settings; write keys with values, such as train.epochs")
    return content


def _read_yaml(text: str) -> Any:
    import yaml

    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_misreadings(loader, node)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _refuse_misreadings(loader: Any, node: Any) -> None:
    """Refuse keys that stand twice, and values that YAML reads as something else than they look, such as 032."""
    line = f"line {node.start_mark.line + 1}"
    if isinstance(node.value, str):
        if misreading := explain_misreading(node.tag, node.value, loader.construct_object(node)):
            raise ConfigError(f"{line}: {misreading.message}")
        return
    for item in node.value:
        for child in item if isinstance(item, tuple) else (item,):
            _refuse_misreadings(loader, child)
    keys = [item[0].value for item in node.value if isinstance(item, tuple)]
    if twice := next((key for key in keys if keys.count(key) > 1), ""):
        raise ConfigError(f"{line}: {twice} stands there twice; keep one of them")


def _read_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_refuse_repetition)


def _refuse_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if twice := next((key for key in keys if keys.count(key) > 1), ""):
        raise ConfigError(f"has {twice} twice; keep one of them")
    return dict(pairs)


_READERS: dict[str, Callable[[str], Any]] = {
    ".toml": tomllib.loads,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".json": _read_json,
}
