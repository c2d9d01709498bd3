"""Configurations of trials: the base of a study and the keys that a point sets."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.errors import StudyError

if TYPE_CHECKING:
    from cnn.runs.config_file import ConfigFile
    from cnn.settings.model import ModelSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One point of a search space as a training sees it."""

    params: dict[str, object]  # with the types of the configuration
    runs: tuple[str, ...]  # digests of its run folders, one for each training

    @property
    def run(self) -> str:
        return self.runs[0]


def key_kinds() -> dict[str, type]:
    """Return the configuration keys that a sweep may set, with the type of their values."""
    from cnn.keys import keys

    return {key: setting.kind for key, setting in keys().items() if not key.startswith("tiles.")}


def tunable_keys() -> list[str]:
    """Return the keys whose values may differ between the trials of a study: none that choose the clips."""
    return [key for key in key_kinds() if key != "variant" and not key.startswith("split.")]


def nearest_key(key: str) -> str:
    """Return `; did you mean 'train.learning_rate'?`, or a hint to the list of all keys."""
    from cnn.keys import suggest_key

    hint = suggest_key(key, tunable_keys())
    return suggest_key(key, key_kinds()) if hint.endswith("lists them all") else hint


def is_meant(word: str, key: str) -> bool:
    """Return whether `word` of a sweep file is surely `key`."""
    from cnn import keys

    return keys.is_meant(word, key)


def models() -> tuple[str, ...]:
    from cnn.settings.model import MODELS

    return MODELS


def model_label(model: str) -> str:
    """Return a model's name for people: `MyNet` for `team/net.py:MyNet`."""
    from cnn.plugin import shorten_name

    return shorten_name(model)


def variants() -> tuple[str, ...]:
    from cnn.config import EVERY_VARIANT

    return EVERY_VARIANT


def explain_refusal(values: Mapping[str, object]) -> str:
    """Return the reason that the configuration refuses `values`, or an empty text."""
    return make_check({})(values)


def make_check(base: Mapping[str, Any]) -> Callable[[Mapping[str, object]], str]:
    """Return the check of values on a study's configuration, on the defaults where `base` is empty."""
    from cnn.config import RunConfig
    from cnn.errors import ConfigError
    from cnn.overrides import apply_values, config_from_dict
    from cnn.start import check_start

    config = config_from_dict(base) if base else RunConfig(corpus="")

    def explain(values: Mapping[str, object]) -> str:
        try:
            check_start(apply_values(config, values).train)
        except ConfigError as error:
            return str(error)
        return ""

    return explain


def find_tiles_folder(path: Path, say: Callable[[str], None]) -> Path:
    """Return the only folder of tiles in or below `path`; `say` names one below. Raises cnn's TilesError."""
    from cnn.tiles.tile_set import find_tiles

    return find_tiles(path, say).folder


def check_study_tiles(study: str, base: Mapping[str, Any], tiles: Path) -> None:
    """Check that a study with the configuration `base` can be trained on `tiles`; raises StudyError and cnn's errors."""
    from cnn.overrides import check_format, config_from_dict
    from cnn.tiles.tile_set import open_tiles

    check_format(base, f"study {study}", "begin another with --name")
    config, tile_set = config_from_dict(base), open_tiles(tiles)
    if (config.corpus, config.tiles) == (tile_set.corpus, tile_set.settings):
        return
    what = "recordings" if config.tiles == tile_set.settings else "settings"
    rule = f"study {study!r} was made for tiles of other {what} than those in {tiles}"
    raise StudyError(f"{rule}; prepare them here as on the first machine, and choose them with --tiles")


def check_tiles(file: ConfigFile, tiles: Path) -> None:
    """Check that the tiles are those that a file of `--config` asks for; raises cnn's errors."""
    from cnn.tiles.tile_set import find_tiles

    if file.list_tiles():
        file.check_tiles(find_tiles(tiles, lambda _: None).settings)


def base_configuration(tiles: Path, model: str, variant: str, overrides: Sequence[str]) -> dict[str, Any]:
    """Return the configuration that a study's parameters override.

    Raises cnn's errors, also where the clips cannot be split.
    """
    from cnn.config import config_to_json, default_config
    from cnn.overrides import override
    from cnn.splits import make_split
    from cnn.start import check_start
    from cnn.tiles.tile_set import open_tiles

    tile_set = open_tiles(tiles)
    config = override(default_config(tile_set.info, model, variant), overrides)
    check_start(config.train)
    make_split(tile_set.clips, config.split)
    return config_to_json(config)


def check_objective(base: Mapping[str, Any], metric: str) -> None:
    """Refuse a metric that the trainings of a study do not have; raises StudyError."""
    from cnn.overrides import config_from_dict

    if config_from_dict(base).model.is_autoencoder and not metric.endswith("loss"):
        rule = f"an autoencoder has losses alone, and metric.name is {metric}"
        raise StudyError(f"{rule}; write `metric: {{name: val_loss, goal: minimize}}`")


def note_digits(tiles: Path, bases: Sequence[dict[str, Any]]) -> list[str]:
    """Return a note on digits that all trials are scored without, and a warning of those scored and never trained on."""
    from arena.base.texts import note_absent
    from cnn.overrides import config_from_dict
    from cnn.splits import list_untrained, make_split
    from cnn.tiles.tile_set import open_tiles

    tile_set = open_tiles(tiles)
    clips, splits = tile_set.clips, list(dict.fromkeys(config_from_dict(base).split for base in bases))
    present = {clips[index].label for settings in splits for index in make_split(clips, settings).val}
    absent = [label for label in tile_set.data.labels if label not in present]
    kind = tile_set.data.kind
    note = note_absent(absent, len(present), f"the validation {kind.items}", kind.label)
    return [*list_untrained(clips, splits), *filter(None, [note])]


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnNet:
    """A team's own net that was tried: words for the user, and keys such as `model.depth` that it does not read."""

    warnings: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()


def try_own_net(tiles: Path, model: str, variant: str, overrides: Sequence[str]) -> OwnNet:
    """Try `model` on random pictures if it is a team's own, which loads torch; nothing is said of a net of ours.

    Raises cnn's errors: the net cannot be trained.
    """
    from cnn.plugin import is_plugin

    if not is_plugin(model):
        return OwnNet()
    from cnn.check.net import try_net
    from cnn.overrides import config_from_dict

    config = config_from_dict(base_configuration(tiles, model, variant, overrides))
    report = try_net(config.model, config.tiles.size, config.data.n_classes)
    return OwnNet(
        warnings=tuple(f"warning: {text}" for text in report.warnings),
        unread=frozenset(f"model.{key}" for key in report.unread),
    )


def explain_unread_key(model: str, key: str) -> str:
    """Return the line that refuses a key of `model.` that a team's own net does not read."""
    from cnn.check.settings import explain_unread

    return explain_unread(model, [key.removeprefix("model.")])


def count_training_clips(tiles: Path, base: Mapping[str, Any]) -> int:
    """Return the number of clips that one epoch of `base` trains on; raises cnn's errors."""
    from cnn.overrides import config_from_dict
    from cnn.splits import make_split
    from cnn.tiles.tile_set import open_tiles

    return len(make_split(open_tiles(tiles).clips, config_from_dict(base).split).train)


def read_values(base: Mapping[str, Any], settings: Sequence[str], keys: Collection[str]) -> dict[str, object]:
    """Return the values of `keys` in a study's configuration after settings such as `lr=0.01`.

    Raises cnn's errors: an unknown key, or a value that no training takes.
    """
    from cnn.config import config_to_dict
    from cnn.overrides import config_from_dict, flatten, override

    values = flatten(config_to_dict(override(config_from_dict(base), settings)))
    return {key: values[key] for key in keys}


def measure_costs(base: Mapping[str, Any], params: Mapping[str, object]) -> dict[str, float]:
    """Return the multiply-adds of one clip and the parameters of the net that `params` on `base` train; loads torch."""
    from cnn.overrides import apply_values, config_from_dict

    config = apply_values(config_from_dict(base), params)
    n_parameters, n_multiply_adds = _measure(config.model, config.tiles.size)
    return {"multiply_adds": n_multiply_adds, "parameters": n_parameters}


@functools.lru_cache(maxsize=256)
def _measure(settings: ModelSettings, size: int) -> tuple[int, int]:
    import torch

    from cnn.summary.costs import measure

    with torch.random.fork_rng():  # other trials of the agent may be in training
        return measure(settings, size)


def flatten_base(base: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study's configuration by dotted keys."""
    from cnn.overrides import flatten

    return flatten(base)


def default_epochs() -> int:
    from cnn.config import RunConfig

    return RunConfig(corpus="").train.epochs


def override_keys(overrides: Sequence[str]) -> list[str]:
    """Return the keys that `key=value` texts set."""
    from cnn.overrides import parse_assignments

    return list(parse_assignments(overrides))


def make_point(bases: Sequence[Mapping[str, Any]], params: Mapping[str, object]) -> Point:
    """Return the runs that `params` on each of `bases` stand for.

    Raises:
        StudyError: the configuration takes no such values together.
    """
    from cnn.config import config_to_dict
    from cnn.errors import ConfigError
    from cnn.overrides import apply_values, config_from_dict, flatten

    try:
        configs = [apply_values(config_from_dict(base), params) for base in bases]
        runs = tuple(config.digest for config in configs)
    except ConfigError as error:
        raise StudyError(f"point {dict(params)} cannot be trained: {error}") from error
    values = flatten(config_to_dict(configs[0]))
    return Point(params={key: values[key] for key in params}, runs=runs)


def check_runs(runs: Path) -> None:
    """Check that run folders can be written, before a study is created; raises cnn's RunError."""
    from cnn.runs.index import check_writable

    check_writable(runs)
