"""Cross-validations among run folders: the finished folds, and the `arena eval` that trains the rest.

Without torch.
"""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from arena.base.project import find_project
from cnn.commands import format_net, list_overrides
from cnn.config import FOLDED_KINDS, RunConfig, SplitSettings, config_to_dict
from cnn.errors import CnnError
from cnn.overrides import config_from_dict, flatten
from cnn.runs.folder import RunFolder, RunState, list_runs

_FOLD_KEYS = ("split.kind", "split.fold", "split.n_folds", "split.validation", "split.test_speakers", "split.val_speakers")
_KEYS_OF_OPTIONS = (*_FOLD_KEYS, "train.seed")


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
    return config if config.digest == run.digest else None


def _count_folds(run: RunFolder, split: SplitSettings) -> int:
    """Return the number of folds of a finished run's corpus; 0 for an unfinished or damaged run."""
    try:
        result = run.result()
    except (CnnError, KeyError, TypeError, ValueError):
        return 0
    if result is None or result.state is not RunState.FINISHED:
        return 0
    speakers = {name for names in result.speakers.values() for name in names}
    return {"becker": 5, "folds": split.n_folds}.get(split.kind, len(speakers))
