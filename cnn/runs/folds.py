"""Cross-validation plans: a training for every fold, so that each speaker is held out once.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnn.config import RunConfig, SplitSettings, TileSettings, default_config
from cnn.errors import ConfigError, SplitError
from cnn.overrides import override, parse_assignments
from cnn.splits import SplitClip, make_split

PARTS = {"test": "test", "validation": "val"}  # value of `--split`, and the split's name in a run folder
_N_BECKER = 5
OPTIONS_OF_KEYS = {
    **dict.fromkeys(("split.kind", "split.fold", "split.n_folds", "split.test_speakers", "split.val_speakers"), "--folds"),
    "train.seed": "--n-seeds",
    "model.name": "--model",
    "variant": "--variant",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationPlan:
    """Nets, variants and folds to evaluate."""

    folds: str  # loso, becker, or a number of groups
    models: tuple[str, ...] = ("lenet5",)
    variants: tuple[str, ...] = ("raw+aug",)
    n_seeds: int = 1  # train.seed is 0 to n_seeds - 1
    on: str = "test"  # or validation: to choose a recipe without a look at the test speakers
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.on not in PARTS:
            raise ConfigError(f"--split is test or validation, not {self.on!r}")
        for key in parse_assignments(self.overrides):
            if key in OPTIONS_OF_KEYS:
                raise ConfigError(f"{key} is decided by {OPTIONS_OF_KEYS[key]} here; leave it out")


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One model on one variant, to be trained and scored on every fold."""

    model: str  # a plug-in's class name
    variant: str
    configs: tuple[tuple[RunConfig, ...], ...]  # by fold, by seed


def make_arms(plan: EvaluationPlan, corpus: str, tiles: TileSettings, n_speakers: int) -> list[Arm]:
    """Plan every model on every variant, each with its folds.

    Raises:
        ConfigError: an unknown model, variant or kind of folds, or an invalid override.
    """
    arms = []
    for model in dict.fromkeys(plan.models):
        for variant in dict.fromkeys(plan.variants):
            base = override(default_config(corpus, tiles, model, variant), plan.overrides)
            configs = tuple(
                tuple(_with_seed(replace(base, split=split), seed) for seed in range(plan.n_seeds))
                for split in _splits(plan, base.split, n_speakers)
            )
            arms.append(Arm(model=base.model.label, variant=variant, configs=configs))
    return arms


def check_folds(configs: Sequence[RunConfig], clips: Sequence[SplitClip]) -> None:
    """Refuse folds that the clips cannot give.

    Raises:
        SplitError: its text names the options of `arena eval` that would do.
    """
    for settings in dict.fromkeys(config.split for config in configs):
        try:
            make_split(clips, settings)
        except SplitError as error:
            raise SplitError(error.in_evaluation) from error


def _with_seed(config: RunConfig, seed: int) -> RunConfig:
    return replace(config, train=replace(config.train, seed=seed))


def _splits(plan: EvaluationPlan, base: SplitSettings, n_speakers: int) -> Sequence[SplitSettings]:
    validation = _validation(plan, base)
    if plan.folds == "loso":
        return [replace(base, kind="loso", fold=fold, validation=validation) for fold in range(n_speakers)]
    if plan.folds == "becker":
        return [replace(base, kind="becker", fold=fold, validation=validation) for fold in range(_N_BECKER)]
    if not (plan.folds.isascii() and plan.folds.isdecimal()):
        raise ConfigError(f"--folds is loso, becker or a number of folds, not {plan.folds!r}")
    n_folds = int(plan.folds)
    fewest = 2 if validation == "takes" else 3
    if not fewest <= n_folds <= n_speakers:
        raise ConfigError(
            f"--folds lies between {fewest} and {n_speakers} where {n_speakers} speakers are heard and {validation} validate, "
            f"not {n_folds}"
        )
    return [replace(base, kind="folds", n_folds=n_folds, fold=fold, validation=validation) for fold in range(n_folds)]


def _validation(plan: EvaluationPlan, base: SplitSettings) -> str:
    is_set = "split.validation" in parse_assignments(plan.overrides)
    free = plan.on == "test" and plan.folds != "becker"  # nobody need be held out for validation
    validation = base.validation if is_set else "takes" if free else "speakers"
    if plan.on == "validation" and validation == "takes":
        raise ConfigError(
            "--split validation needs speakers who are held out, and split.validation=takes validates on voices that were "
            "heard; leave it out"
        )
    return validation
