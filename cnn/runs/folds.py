"""Cross-validations: their plan, a training for every fold, and the finished folds among run folders with the rest's command.

Without torch.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from arena.base.project import find_project
from cnn.commands import format_net, list_overrides
from cnn.config import RunConfig, TilesInfo, config_to_dict, default_config
from cnn.errors import CnnError, ConfigError, SplitError
from cnn.overrides import config_from_dict, flatten, override, parse_assignments
from cnn.runs.folder import RunFolder, RunState, list_runs
from cnn.settings.split import FOLDED_KINDS, SplitSettings
from cnn.splits import make_split
from cnn.splitting.corpora import select_tested
from cnn.splitting.parts import SplitClip

PARTS = {"test": "test", "validation": "val"}  # value of `--split`, and the split's name in a run folder
_N_BECKER = 5
_MOST_GROUPS = 100  # groups of pictures, each with a training of its own
OPTIONS_OF_KEYS = {
    **dict.fromkeys(("split.kind", "split.fold", "split.n_folds", "split.test_speakers", "split.val_speakers"), "--folds"),
    "train.seed": "--n-seeds",
    "model.name": "--model",
    "variant": "--variant",
}
_KEYS_OF_OPTIONS = (*OPTIONS_OF_KEYS, "split.validation")


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


def count_tested_speakers(plan: EvaluationPlan, clips: Sequence[SplitClip]) -> int:
    """Return how many speakers are there to be held out: of several corpora, those of the tested one.

    Raises:
        SplitError: several corpora and none of them chosen.
    """
    test_corpus = str(parse_assignments(plan.overrides).get("split.test_corpus", ""))
    tested = clips if not clips[0].is_sound else select_tested(clips, SplitSettings(test_corpus=test_corpus))
    return len({clip.speaker for clip in tested})


def make_arms(plan: EvaluationPlan, tiles: TilesInfo, n_speakers: int) -> list[Arm]:
    """Plan every model on every variant, each with its folds.

    Raises:
        ConfigError: an unknown model, variant or kind of folds, or an invalid override.
    """
    arms = []
    for model in dict.fromkeys(plan.models):
        for variant in dict.fromkeys(plan.variants):
            base = override(default_config(tiles, model, variant), plan.overrides)
            if base.model.is_autoencoder:
                rule = "arena eval scores answers by macro-F1, and an autoencoder answers with pictures"
                raise ConfigError(f"{rule}; train it on a fold: `arena train --model autoencoder split.kind=loso split.fold=0`")
            configs = tuple(
                tuple(_with_seed(replace(base, split=split), seed) for seed in range(plan.n_seeds))
                for split in _splits(plan, base, n_speakers)
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


def _splits(plan: EvaluationPlan, config: RunConfig, n_speakers: int) -> Sequence[SplitSettings]:
    base, is_number = config.split, plan.folds.isascii() and plan.folds.isdecimal()
    validation = _validation(plan, base)
    if not config.data.is_sound:
        fewest = 2 if validation == "takes" else 3
        if not (is_number and fewest <= int(plan.folds) <= _MOST_GROUPS):
            rule = f"--folds is a number of groups of pictures, {fewest} to {_MOST_GROUPS:,}, not {plan.folds!r}"
            raise ConfigError(f"{rule}; pictures have no speakers to hold out: --folds 5 is usual")
        n_folds = int(plan.folds)
        return [replace(base, kind="folds", n_folds=n_folds, fold=fold, validation=validation) for fold in range(n_folds)]
    if plan.folds == "loso":
        return [replace(base, kind="loso", fold=fold, validation=validation) for fold in range(n_speakers)]
    if plan.folds == "becker":
        return [replace(base, kind="becker", fold=fold, validation=validation) for fold in range(_N_BECKER)]
    if not is_number:
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
            "--split validation needs speakers, or a group of pictures, that are held out, and split.validation=takes holds "
            "none out; leave it out"
        )
    return validation


@dataclass(kw_only=True, slots=True)
class FoldRuns:
    """The runs that are equal in everything but the fold and the seed."""

    config: RunConfig  # fold 0, seed 0
    n_folds: int = 0  # folds of the corpus; 0 before the first run is finished
    finished: dict[tuple[int, int], RunFolder] = field(default_factory=dict)  # by fold and seed
    pairs: set[tuple[int, int]] = field(default_factory=set)  # fold and seed of every run, also unfinished or failed

    @property
    def on(self) -> str:
        """test, or validation where speakers are held out for it: a recipe is chosen by them."""
        split = self.config.split
        return "validation" if split.kind != "becker" and split.validation == "speakers" else "test"

    @property
    def folds(self) -> tuple[int, ...]:
        """The finished folds of the seed that has most of them."""
        n_of_seed = Counter(sorted(seed for _, seed in self.finished))
        fullest = max(n_of_seed, key=n_of_seed.__getitem__)
        return tuple(sorted(fold for fold, seed in self.finished if seed == fullest))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that have all of `folds`."""
        every = sorted({seed for _, seed in self.finished})
        return tuple(seed for seed in every if all((fold, seed) in self.finished for fold in self.folds))

    @property
    def n_missing(self) -> int:
        """Trainings that are missing from every fold with every seed."""
        return self.n_folds * len({seed for _, seed in self.pairs}) - len(self.finished)

    @property
    def settings(self) -> dict[str, object]:
        """The whole configuration but fold and seed, as dotted keys."""
        return {
            key: value for key, value in flatten(config_to_dict(self.config)).items() if key not in ("split.fold", "train.seed")
        }

    def by_fold(self) -> list[list[RunFolder]]:
        """Return the runs of `folds`, each by `seeds`."""
        return [[self.finished[fold, seed] for seed in self.seeds] for fold in self.folds]

    def command(self, runs_dir: Path, tiles: Path) -> str:
        """Return the `arena eval` that trains the missing folds; finished runs cost it no time."""
        project, split, n_seeds = find_project(), self.config.split, 1 + max(seed for _, seed in self.pairs)
        words = ["arena", "eval", "--folds", str(split.n_folds) if split.kind == "folds" else split.kind]
        words += ["--model", format_net(self.config.model.name, project), "--variant", self.config.variant]
        words += ["--n-seeds", str(n_seeds)] if n_seeds > 1 else []
        words += ["--split", self.on] if self.on != "test" else []
        words += [*project.folder_option("tiles", tiles), *project.folder_option("runs", runs_dir)]
        overrides = list_overrides(self.config, project)
        return shlex.join([*words, *(word for word in overrides if word.partition("=")[0] not in _KEYS_OF_OPTIONS)])


def find_evaluations(runs_dir: Path) -> list[FoldRuns]:
    """Find every set of two folds or more, ordered by the digest of its settings.

    Left out are trials of sweeps, damaged runs, and runs whose name is not the digest of their configuration (another
    version of Arena made them): `arena eval` would train them anew.
    """
    sets: dict[str, FoldRuns] = {}
    for run in list_runs(runs_dir):
        if (config := _read_fold(run)) is None:
            continue
        split, train = config.split, config.train
        shared = replace(config, split=replace(split, fold=0), train=replace(train, seed=0))
        runs = sets.setdefault(shared.digest, FoldRuns(config=shared))
        runs.pairs.add((split.fold, train.seed))
        if n_folds := _count_folds(run, split):
            runs.n_folds = max(runs.n_folds, n_folds)
            runs.finished[split.fold, train.seed] = run
    return [sets[key] for key in sorted(sets) if sets[key].n_folds and len({fold for fold, _ in sets[key].pairs}) > 1]


def _read_fold(run: RunFolder) -> RunConfig | None:
    try:
        content = run.config()
        if content["split"]["kind"] not in FOLDED_KINDS or run.is_trial:
            return None
        config = config_from_dict(content)
    except (CnnError, KeyError, TypeError, ValueError):
        return None  # `arena runs` reports damage
    return config if config.digest == run.digest and not config.model.is_autoencoder else None


def _count_folds(run: RunFolder, split: SplitSettings) -> int:
    """Return the number of folds of a finished run's corpus; 0 for an unfinished or damaged run."""
    try:
        result = run.result()
    except (CnnError, KeyError, TypeError, ValueError):
        return 0
    if result is None or result.state is not RunState.FINISHED:
        return 0
    speakers = {name for names in result.speakers.values() for name in names if name.startswith(split.prefix)}
    return {"becker": _N_BECKER, "folds": split.n_folds}.get(split.kind, len(speakers))
