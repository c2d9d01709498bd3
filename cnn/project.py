"""Nets, variants and settings of a project, and of the command line that wins over it.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arena.base.project import Project, ProjectError, find_project
from cnn.config import EVERY_VARIANT, VARIANTS, RunConfig, TilesInfo, check_variants, default_config
from cnn.errors import ConfigError
from cnn.keys import keys, suggest_key
from cnn.nets import PAIR
from cnn.overrides import apply_values, override, parse_assignments
from cnn.plugin import shorten_name
from cnn.settings.fields import check_choice
from cnn.settings.model import model_defaults

_OPTIONS = {"model.name": "--model", "variant": "--variant"}
_ELSEWHERE = {"model.name": "[models]", "variant": "variants"}


def open_project() -> Project:
    """Return the project of the working folder, its nets, variants and settings checked.

    Raises:
        ProjectError: an arena.toml that cannot be used.
    """
    project = find_project()
    try:
        for variant in project.variants:
            check_choice("variants", variant, EVERY_VARIANT)
        _refuse_repeated(project.variants, "variants")
        for net in project.models:
            model_defaults(net)
        _refuse_autoencoders(project.models, "[models] names")
        _check_settings(project.settings)
    except ConfigError as error:
        raise ProjectError(f"{project.file}: {error}") from error
    labels = [shorten_name(net) for net in project.models]
    if len(set(labels)) < len(labels):
        raise ProjectError(f"{project.file}: both models are called {labels[0]}; give their classes two names")
    return project


def _check_settings(settings: Mapping[str, object]) -> None:
    for key in settings:
        if key in _ELSEWHERE:
            raise ConfigError(f"{key} does not belong to [settings]; write it as {_ELSEWHERE[key]}")
        if key not in keys():
            raise ConfigError(f"unknown key {key!r} in [settings]{suggest_key(key, keys())}")
    own = {key: value for key, value in settings.items() if not key.startswith("model.")}  # each net has its own ranges
    apply_values(RunConfig(corpus=""), own)


def choose_models(project: Project) -> tuple[str, str]:
    """Return Model A and Model B, as `--model` takes them: the project's, or `PAIR`."""
    first, second = project.models or PAIR
    return first, second


def choose_cells(
    project: Project, models: Sequence[str], variants: Sequence[str], *, every: bool, variant: str = "raw"
) -> list[tuple[str, str]]:
    """Return nets and variants to train, each net on each variant.

    Args:
        models, variants: those that were named; none means Model A on `variant`.
        every: none means both models, and the project's variants or all four.

    Raises:
        ConfigError: a net or a variant is named twice.
        UsageError: a variant that there is not.
    """
    _refuse_repeated([shorten_name(model) for model in models], "--model")
    _refuse_repeated(variants, "--variant")
    if every:
        _refuse_autoencoders(models, "--all trains")
    check_variants(variants)
    pair = choose_models(project)
    chosen_models = models or (pair if every else pair[:1])
    chosen_variants = variants or (project.variants or VARIANTS if every else (variant,))
    return [(model, name) for model in chosen_models for name in chosen_variants]


def split_cell(
    settings: Sequence[str], models: Sequence[str], variants: Sequence[str]
) -> tuple[list[str], Sequence[str], Sequence[str]]:
    """Return settings without net and variant, nets and variants: `model=resnet` chooses as `--model resnet` does.

    Args:
        settings: as `spell_out` returns them.
        models, variants: those of the options.

    Raises:
        ConfigError: a net or a variant is chosen both ways.
    """
    chosen = {"model.name": models, "variant": variants}
    rest = []
    for key, value in parse_assignments(settings).items():
        if key not in chosen:
            rest.append(f"{key}={value}")
        elif chosen[key]:
            raise ConfigError(f"{key}={value} and {_OPTIONS[key]} {chosen[key][0]} choose both; leave one of them out")
        else:
            chosen[key] = (str(value),)
    return rest, chosen["model.name"], chosen["variant"]


def configure(project: Project, tiles: TilesInfo, cell: tuple[str, str], overrides: Sequence[str]) -> RunConfig:
    """Return the configuration of a net on a variant: its defaults, the project's settings, then `overrides`.

    Raises:
        ConfigError: an unknown net, variant or key, or a value out of range.
    """
    return override(default_config(tiles, *cell), [*select_settings(project), *overrides])


def configure_sections(
    project: Project, sections: Sequence[str], overrides: Sequence[str] = (), tiles: TilesInfo | None = None
) -> RunConfig:
    """Return a configuration with the project's settings of these sections, such as `tiles`, then `overrides` of them alone.

    Raises:
        ConfigError: an override of another section, an unknown key, or a value out of range.
    """
    names = [key for key in keys() if key.partition(".")[0] in sections]
    values = parse_assignments(overrides, names)
    settings = {key: value for key, value in project.settings.items() if key in names}
    return apply_values(default_config(tiles or TilesInfo(), PAIR[0], VARIANTS[0]), {**settings, **values})


def select_settings(project: Project, without: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the project's settings of trainings as `key=value`, without those of tiles and the keys of `without`."""
    return tuple(
        f"{key}={','.join(value) if isinstance(value, list) else value}"
        for key, value in project.settings.items()
        if not key.startswith("tiles.") and key not in without
    )


def _refuse_autoencoders(models: Sequence[str], subject: str) -> None:
    for model in models:
        if model_defaults(model).is_autoencoder:
            rule = f"{subject} the nets that are compared by macro-F1, and {model} answers with pictures"
            raise ConfigError(f"{rule}; train it by itself: `arena train --model {model}`")


def _refuse_repeated(names: Sequence[str], option: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{option} has {name} twice; give each once")
