"""Training of a trial's settings with other seeds, beside whatever else is to be different."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sweeps.errors import SweepError
from sweeps.training.trial import TrialContext

if TYPE_CHECKING:
    from cnn.config import RunConfig
    from cnn.runs.folder import RunFolder

_N_SEEDS = 2**31


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrainingPlan:
    """Trainings to do."""

    configs: tuple[tuple[RunConfig, ...], ...]  # by seed and fold
    overrides: tuple[str, ...]  # as key=value, with whole keys
    split: str  # as `arena runs` shows it
    is_equal: bool  # to the trial in all but the seed, so that their values can be compared

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(configs[0].train.seed for configs in self.configs)


def plan_retraining(
    context: TrialContext, params: Mapping[str, object], n_seeds: int, overrides: Sequence[str], n_passed: int = 1
) -> RetrainingPlan:
    """Plan trainings of a trial's settings on each base of the context, with the seeds after the `n_passed` of its own.

    Raises:
        CnnError: an override that no training takes, or a study of tiles of another format.
        SweepError: an override gives a seed.
    """
    from dataclasses import asdict

    from arena.base.terminal import say
    from cnn.check.runs import check_own_nets
    from cnn.overrides import check_format, override, parse_assignments, spell_out
    from cnn.runs.index import describe_split
    from cnn.runs.reference import resolve_start

    check_format(context.bases[0], f"study {context.study}", "begin another with --name")
    words = spell_out(overrides)
    if "train.seed" in parse_assignments(words):
        raise SweepError("the seeds are those after the trial's own, --seeds of them; leave train.seed out")
    if len(context.bases) > 1 and any(word.startswith("split.") for word in words):
        raise SweepError(f"{context.study} has folds of its own, on which it trains anew; leave the settings of split out")
    if context.configure(params).model.is_autoencoder:
        raise SweepError("an autoencoder has no macro-F1 to compare seeds by; train its settings with `arena train`")
    trials = [context.configure(params, fold) for fold in range(len(context.bases))]
    chosen = [resolve_start(override(trial, words), context.runs) for trial in trials]
    seeds = [(trials[0].train.seed + n_passed + n) % _N_SEEDS for n in range(n_seeds)]
    every = [replace(config, train=replace(config.train, seed=seed)) for seed in seeds for config in chosen]
    configs = check_own_nets(every, context.runs, say, refused=parse_assignments(words))
    return RetrainingPlan(
        configs=tuple(tuple(configs[n : n + len(chosen)]) for n in range(0, len(configs), len(chosen))),
        overrides=tuple(words),
        split=describe_split(asdict(chosen[0].split)) if len(chosen) == 1 else f"{len(chosen)} folds of the study",
        is_equal=trials == chosen,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingWorkers:
    """Processes, device and W&B mode of the trainings."""

    n_jobs: int = 0  # 0 chooses
    device: str = "auto"
    wandb: str = "auto"

    def check_device(self) -> None:
        """Raise ConfigError if there is no such device here."""
        from cnn.train.pool import is_gpu

        is_gpu(self.device)


def retrain(context: TrialContext, configs: Sequence[RunConfig], workers: TrainingWorkers) -> list[RunFolder]:
    """Train as `arena train` does: with a bar, answered from the folders of finished runs, and resumed after a kill.

    Raises:
        CnnError: as `cnn.train.pool.train_all`.
    """
    from cnn.cli.train import train_with_bar
    from cnn.train.pool import TrainingPaths, default_jobs

    paths = TrainingPaths(tiles=context.tiles, runs=context.runs, device=workers.device, wandb=workers.wandb)
    return train_with_bar(list(configs), paths, workers.n_jobs or default_jobs(workers.device, len(configs)))
