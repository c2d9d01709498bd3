"""Run folders back to the evaluations whose folds they are: what `arena eval` trained, and what it still would. No torch."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cnn.config import FOLDED_KINDS, RunConfig, SplitSettings, TrainSettings, config_to_dict, model_defaults
from cnn.errors import CnnError
from cnn.overrides import config_from_dict, flatten
from cnn.runs.folder import RunFolder, RunState, list_runs
from cnn.runs.index import trial_of

_OF_FOLDS = ("split.kind", "split.fold", "split.n_folds", "split.validation", "split.test_speakers", "split.val_speakers")
_SAID_OTHERWISE = (*_OF_FOLDS, "corpus", "variant", "model.name", "model.source", "train.seed")


@dataclass(kw_only=True, slots=True)
class FoldRuns:
    """The runs that are equal in everything but the fold and the seed."""

    config: RunConfig  # fold 0, seed 0
    n_folds: int = 0  # that the corpus has; 0 before one run is finished
    finished: dict[tuple[int, int], RunFolder] = field(default_factory=dict)  # by fold and seed
    begun: set[tuple[int, int]] = field(default_factory=set)  # these, and the unfinished or failed

    @property
    def on(self) -> str:
        """Who is scored, test or validation: where speakers are kept for validation, it is to choose a recipe by them."""
        split = self.config.split
        return "validation" if split.kind != "becker" and split.validation == "speakers" else "test"

    @property
    def folds(self) -> tuple[int, ...]:
        """The folds that can be shown: those of the seed with most of them."""
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
        """Trainings that every fold with every seed that was begun would still take."""
        return self.n_folds * len({seed for _, seed in self.begun}) - len(self.finished)

    @property
    def settings(self) -> dict[str, object]:
        """The whole configuration but fold and seed, as dotted keys."""
        values = flatten(config_to_dict(self.config))
        return {key: value for key, value in values.items() if key not in ("split.fold", "train.seed")}

    def by_fold(self) -> list[list[RunFolder]]:
        """The runs of `folds`, each by `seeds`."""
        return [[self.finished[fold, seed] for seed in self.seeds] for fold in self.folds]

    def command(self, runs_dir: Path, tiles: Path = Path("tiles")) -> str:
        """The `arena eval` that trains what is missing on `tiles`; finished runs are answered at once."""
        split, n_seeds = self.config.split, 1 + max(seed for _, seed in self.begun)
        words = ["arena", "eval", "--folds", str(split.n_folds) if split.kind == "folds" else split.kind]
        words += ["--model", self.config.model.name, "--variant", self.config.variant]
        words += ["--seeds", str(n_seeds)] if n_seeds > 1 else []
        words += ["--on", self.on] if self.on != "test" else []
        words += ["--tiles", str(tiles)] if tiles != Path("tiles") else []
        words += ["--runs", str(runs_dir)] if runs_dir != Path("runs") else []
        return shlex.join([*words, *_overrides(self.config)])


def _overrides(config: RunConfig) -> Iterator[str]:
    usual = replace(
        config, split=SplitSettings(), model=model_defaults(config.model.name, config.model.source), train=TrainSettings()
    )
    content = flatten(config_to_dict(replace(usual, augment=type(config.augment)())))
    for key, value in flatten(config_to_dict(config)).items():
        if key in _SAID_OTHERWISE or key.startswith("tiles.") or (key.startswith("augment.") and not config.augmented):
            continue
        if value != content[key]:
            yield f"{key}={value}"


def evaluations_in(runs_dir: Path) -> list[FoldRuns]:
    """Every set of two folds or more, ordered by its settings' digest; trials of sweeps and damaged runs are no part of one.

    A run whose name is not the digest of its configuration, as of another version of Arena, is left out: `arena eval` would
    train it anew.
    """
    found: dict[str, FoldRuns] = {}
    for run in list_runs(runs_dir):
        if (config := _folded(run)) is None:
            continue
        split, train = config.split, config.train
        alike = replace(config, split=replace(split, fold=0), train=replace(train, seed=0))
        runs = found.setdefault(alike.digest, FoldRuns(config=alike))
        runs.begun.add((split.fold, train.seed))
        if n_folds := _n_folds(run, split):
            runs.n_folds = max(runs.n_folds, n_folds)
            runs.finished[split.fold, train.seed] = run
    return [found[key] for key in sorted(found) if found[key].n_folds and len({fold for fold, _ in found[key].begun}) > 1]


def _folded(run: RunFolder) -> RunConfig | None:
    try:
        content = run.config()
        if content["split"]["kind"] not in FOLDED_KINDS or trial_of(run):
            return None
        config = config_from_dict(content)
    except (CnnError, KeyError, TypeError, ValueError):
        return None  # whoever lists runs says so
    return config if config.digest == run.digest else None


def _n_folds(run: RunFolder, split: SplitSettings) -> int:
    """How many folds the corpus of a finished run has; 0 of one that is not finished or is damaged."""
    try:
        result = run.result()
    except (CnnError, KeyError, TypeError, ValueError):
        return 0
    if result is None or result.state is not RunState.FINISHED:
        return 0
    heard: Sequence[str] = [name for names in result.speakers.values() for name in names]
    return {"becker": 5, "folds": split.n_folds}.get(split.kind, len(set(heard)))
