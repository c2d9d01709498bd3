"""The override syntax `train.learning_rate=0.01`: what is typed, read as the types of its keys."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cnn.config import TILES_FORMAT, RunConfig, describe_format, read_format
from cnn.errors import ConfigError
from cnn.keys import keys, read_assignment, suggest_key
from cnn.settings.augment import AUGMENT_DEFAULTS
from cnn.settings.data import read_data
from cnn.settings.model import ModelSettings, model_defaults
from cnn.settings.train import TrainSettings, change_net
from cnn.start import identify_start


def apply_values(config: RunConfig, values: Mapping[str, object], source: str = "") -> RunConfig:
    """Set dotted keys of `config`, all at once; text is read as the key's type, another `model.name` brings its defaults.

    Args:
        source: the digest of a plug-in's file, where it is known already; empty reads the file.

    Raises:
        ConfigError: an unknown key (names the nearest), a value of the wrong type or out of range, a plug-in that is not there.
    """
    allowed = keys()
    sections: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        if key not in allowed:
            raise ConfigError(f"unknown key {key!r}{suggest_key(key, allowed)}")
        section, _, name = key.rpartition(".")
        sections.setdefault(section, {})[name] = _as_type(key, value, allowed[key].kind)
    changes: dict[str, Any] = sections.pop("", {})
    name = sections.get("model", {}).get("name", config.model.name)
    if name != config.model.name:
        changes["model"] = model_defaults(name, source, config.data)
        changes["train"] = change_net(config.train, config.model.name, name, config.data)
    for section, fields in sections.items():
        changes[section] = dataclasses.replace(changes.get(section, getattr(config, section)), **fields)
    if "train.start" in values:
        changes["train"] = identify_start(changes["train"])
    return dataclasses.replace(config, **changes)


def override(config: RunConfig, assignments: Sequence[str]) -> RunConfig:
    """Return `config` after assignments such as `train.learning_rate=0.01`.

    Raises:
        ConfigError: not an assignment, or what `apply_values` refuses.
    """
    return apply_values(config, parse_training_assignments(assignments))


def parse_training_assignments(assignments: Sequence[str]) -> dict[str, object]:
    """Parse as `parse_assignments`; the keys of tiles are refused, too, for these are there already."""
    values = parse_assignments(assignments)
    for key, value in values.items():
        if key.startswith("tiles."):
            raise ConfigError(f"{key} is fixed when tiles are prepared; type `arena data prepare CORPUS {key}={value}`")
    return values


def parse_assignments(assignments: Sequence[str], allowed: Collection[str] = ()) -> dict[str, object]:
    """Parse `["epochs=5"]` into `{"train.epochs": "5"}`.

    Args:
        allowed: the keys that may be set; all without.

    Raises:
        ConfigError: as `read_assignment`.
    """
    allowed = allowed or keys()
    return dict(read_assignment(text, allowed) for text in assignments)


def spell_out(assignments: Sequence[str]) -> list[str]:
    """Return settings of trainings with their full keys: `train.epochs=5` for `epochs=5`.

    Raises:
        ConfigError: as `parse_training_assignments`.
    """
    return [f"{key}={value}" for key, value in parse_training_assignments(assignments).items()]


def config_from_dict(content: Mapping[str, Any]) -> RunConfig:
    """Return the configuration that `config.config_to_json` wrote, whatever the format of its tiles.

    A net that answers, and a trial of a study, need tiles of the same format: `check_format`.

    Raises:
        ConfigError: an unknown key or a value out of range.
    """
    try:
        data = read_data(content.get("data") or {})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"its tiles are of a kind that this version of Arena cannot read: {error}") from error
    values = flatten({name: value for name, value in content.items() if name != "data"})
    for name in ("tiles.format", "model.n_channels", "model.side"):
        values.pop(name, None)
    source = str(values.pop("model.source", ""))
    model = ModelSettings(n_channels=data.channels, side=data.side)
    digest, labels = str(values.pop("train.start_digest", "")), tuple(values.pop("train.start_labels", ()))
    train = TrainSettings(start=str(values.pop("train.start", "")), start_digest=digest, start_labels=labels)
    corpus, denoiser = (str(values.pop(name, "")) for name in ("corpus", "denoiser"))
    augment = AUGMENT_DEFAULTS[data.kind]
    blank = RunConfig(corpus=corpus, data=data, denoiser=denoiser, augment=augment, model=model, train=train)
    return apply_values(blank, values, source)


def check_format(content: Mapping[str, Any], name: str, remedy: str) -> None:
    """Refuse a run's config.json, or a study's base, whose tiles were of another format: a net would see other pictures."""
    if (version := read_format(content)) != TILES_FORMAT:
        rule = f"{name} was trained on tiles of {describe_format(version)}"
        raise ConfigError(f"{rule}: a net would see other pictures now; {remedy}")


def flatten(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested mappings to one of dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _as_type(key: str, value: object, kind: type) -> Any:
    if kind is tuple:
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            raise ConfigError(f"{key} takes names separated by commas, not {value!r}")
        return tuple(str(item).strip() for item in items if str(item).strip())
    if kind is str:
        return str(value)
    if isinstance(value, bool):
        raise ConfigError(f"{key} takes a number, not {value!r}")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ConfigError(f"{key} takes a number, not {value!r}") from None
    if not math.isfinite(number):
        raise ConfigError(f"{key} takes a finite number, not {value!r}")
    if kind is int:
        if not number.is_integer():
            raise ConfigError(f"{key} takes a whole number, not {value!r}")
        return int(number)
    return number
