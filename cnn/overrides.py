"""The override syntax `train.learning_rate=0.01`: keys, their types, and a hint for an unknown key."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from arena.base.suggest import did_you_mean
from cnn.config import TILES_FORMAT, RunConfig, model_defaults
from cnn.errors import ConfigError
from cnn.fields import describe_values

_SYNONYMS = {"lr": "train.learning_rate", "bs": "train.batch_size", "optim": "train.optimizer", "seed": "train.seed"}


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """A configuration key."""

    kind: type  # `tuple` for a list of names
    values: str  # in words
    meaning: str


def keys() -> dict[str, Key]:
    """Return every key that may be set; `model.source` is read, not set."""
    fields = {field.name: field for field in dataclasses.fields(RunConfig)}
    result = {"variant": _key(fields["variant"], str)}
    for section in ("tiles", "split", "augment", "model", "train"):
        settings = typing.get_type_hints(RunConfig)[section]
        hints = typing.get_type_hints(settings)
        result |= {f"{section}.{field.name}": _key(field, hints[field.name]) for field in dataclasses.fields(settings)}
    del result["model.source"]
    return result


def _key(field: dataclasses.Field[Any], hint: Any) -> Key:
    kind = tuple if isinstance(hint, types.GenericAlias) else hint
    return Key(kind, describe_values(field), field.metadata["meaning"])


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
    for section, fields in sections.items():
        base = getattr(config, section)
        if section == "model" and fields.get("name", base.name) != base.name:
            base = model_defaults(fields["name"], source)
        changes[section] = dataclasses.replace(base, **fields)
    return dataclasses.replace(config, **changes)


def override(config: RunConfig, assignments: Sequence[str]) -> RunConfig:
    """Return `config` after assignments such as `train.learning_rate=0.01`.

    Raises:
        ConfigError: not an assignment, or what `apply_values` refuses.
    """
    values = parse_assignments(assignments)
    for key in values:
        if key.startswith("tiles.") and key in keys():
            raise ConfigError(f"{key} is fixed when tiles are prepared; give it to `arena data prepare` instead")
    return apply_values(config, values)


def parse_assignments(assignments: Sequence[str]) -> dict[str, object]:
    """Parse `["train.epochs=5"]` into `{"train.epochs": "5"}`.

    Raises:
        ConfigError: a text without `=`.
    """
    values: dict[str, object] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"an override is written key=value, such as train.epochs=5, not {text!r}")
        values[key.strip()] = value.strip()
    return values


def config_from_dict(content: Mapping[str, Any]) -> RunConfig:
    """Return the configuration that `config.config_to_dict` or `config.config_to_json` wrote.

    Raises:
        ConfigError: an unknown key, a value out of range, or tiles of another format.
    """
    values = flatten(content)
    if (version := values.pop("tiles.format", TILES_FORMAT)) != TILES_FORMAT:  # runs before December 2026 do not say it
        rule = f"it was trained on tiles of format {version}, and this version of Arena makes format {TILES_FORMAT}"
        raise ConfigError(f"{rule}: its net would see other pictures; train it again")
    source = str(values.pop("model.source", ""))
    return apply_values(RunConfig(corpus=str(values.pop("corpus", ""))), values, source)


def flatten(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested mappings to one of dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def suggest_key(key: str, allowed: Iterable[str]) -> str:
    """Return a hint such as `; did you mean 'train.learning_rate'?`, or the command that lists all keys."""
    leaf = key.rpartition(".")[2]
    names = {**{name.rpartition(".")[2]: name for name in allowed}, **_SYNONYMS, **{name: name for name in allowed}}
    texts = {key: repr(name) for key, name in names.items()}
    return did_you_mean(key, texts, "", cutoff=0.75) or did_you_mean(leaf, texts, "`arena train --keys` lists them all")


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
