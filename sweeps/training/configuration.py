"""Configurations of trials: the base of a study and the keys that a point sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.errors import StudyError

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One point of a search space as a training sees it."""

    params: dict[str, object]  # with the types of the configuration
    run: str  # digest of its run folder


def key_kinds() -> dict[str, type]:
    """The configuration keys that a sweep may set, with the type of their values."""
    from cnn.overrides import keys

    return {key: known.kind for key, known in keys().items() if not key.startswith("tiles.")}


def nearest_key(key: str) -> str:
    """`; did you mean 'train.learning_rate'?`, or where all keys are listed."""
    from cnn.overrides import nearest

    return nearest(key, key_kinds())


def models() -> tuple[str, ...]:
    from cnn.config import MODELS

    return MODELS


def model_label(model: str) -> str:
    """A model's name for people: `MyNet` for `team/net.py:MyNet`."""
    from cnn.plugin import label_of

    return label_of(model)


def variants() -> tuple[str, ...]:
    from cnn.config import VARIANTS

    return VARIANTS


def why_refused(values: Mapping[str, object]) -> str:
    """Why the configuration takes no such values; empty where it does."""
    from cnn.config import RunConfig
    from cnn.errors import ConfigError
    from cnn.overrides import with_values

    try:
        with_values(RunConfig(corpus=""), values)
    except ConfigError as error:
        return str(error)
    return ""


def find_tiles_folder(path: Path, say: Callable[[str], None]) -> Path:
    """The one folder of tiles in or below `path`, which `say` hears of where it was chosen; raises cnn's TilesError."""
    from cnn.tiles.tile_set import find_tiles

    return find_tiles(path, say).folder


def base_configuration(tiles: Path, model: str, variant: str, overrides: Sequence[str]) -> dict[str, Any]:
    """The configuration that a study's parameters are set on; raises cnn's errors, also where the clips cannot be split."""
    from cnn.config import default_config, to_dict
    from cnn.overrides import override
    from cnn.splits import make_split
    from cnn.tiles.tile_set import open_tiles

    opened = open_tiles(tiles)
    config = override(default_config(opened.corpus, opened.settings, model, variant), overrides)
    make_split(opened.clips, config.split)
    return to_dict(config)


def n_training_clips(tiles: Path, base: Mapping[str, Any]) -> int:
    """How many clips one epoch of `base` trains on; raises cnn's errors."""
    from cnn.overrides import from_dict
    from cnn.splits import make_split
    from cnn.tiles.tile_set import open_tiles

    return len(make_split(open_tiles(tiles).clips, from_dict(base).split).train)


def default_epochs() -> int:
    from cnn.config import RunConfig

    return RunConfig(corpus="").train.epochs


def override_keys(overrides: Sequence[str]) -> list[str]:
    """The keys that `key=value` texts set."""
    from cnn.overrides import parse_assignments

    return list(parse_assignments(overrides))


def point_of(base: Mapping[str, Any], params: Mapping[str, object]) -> Point:
    """The run that `params` on `base` name.

    Raises:
        StudyError: the configuration takes no such values together.
    """
    from cnn.config import to_dict
    from cnn.errors import ConfigError
    from cnn.overrides import flatten, from_dict, with_values

    try:
        config = with_values(from_dict(base), params)
    except ConfigError as error:
        raise StudyError(f"point {dict(params)} cannot be trained: {error}") from error
    values = flatten(to_dict(config))
    return Point(params={key: values[key] for key in params}, run=config.digest)


def check_device_name(name: str) -> None:
    """Refuse a device that no training takes; raises cnn's ConfigError."""
    from cnn.hardware import check_device_name

    check_device_name(name)


def n_processes(*, on_gpu: bool, n_tasks: int) -> int:
    """How many trainings at once suit this machine."""
    from cnn.hardware import n_processes

    return n_processes(on_gpu=on_gpu, n_tasks=n_tasks)


def check_runs(runs: Path) -> None:
    """Find out before a study is made that its run folders cannot be; raises cnn's RunError."""
    from cnn.runs.index import check_writable

    check_writable(runs)
