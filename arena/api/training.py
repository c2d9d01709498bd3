"""Trainings from Python: nets by name, by `file.py:ClassName`, or as a class of a module, a script or a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena.api.arguments import Location, Setting, choose_folder, format_settings
from arena.api.own_nets import list_several, name_net
from arena.api.runs import Run, Runs
from arena.base.locks import require_posix
from arena.base.terminal import say
from arena.command_line.defaults import export_wandb
from cnn.cli.train import label_runs, train_with_bar
from cnn.project import choose_cells, configure, open_project

if TYPE_CHECKING:
    from torch import nn

_SECTIONS = ("split", "augment", "model", "train")


def train(
    net: str | type[nn.Module] | None = None,
    variant: str = "raw",
    *,
    tiles: Location | None = None,
    runs: Location | None = None,
    device: str = "auto",
    wandb: str = "auto",
    name: str = "",
    tags: Sequence[str] = (),
    **settings: Setting,
) -> Run:
    """Train a net on a variant and return its run. The same settings again are answered at once; a stopped training goes on.

    Args:
        net: a name such as `lenet5`, `nets.py:MyNet`, or the class itself; the project's Model A if none is given.
        variant: raw, bilateral, raw+aug or bilateral+aug.
        tiles, runs: folders; the project's if none are given.
        device: auto, cpu, cuda, cuda:1.
        wandb: auto (online when logged in), online, offline or off.
        name, tags: of the run: `Run(name)` finds it again.
        settings: such as `epochs=8, learning_rate=0.003, split_kind="loso"`; `arena train --keys` lists them.

    Raises:
        Error: no such net, variant, tiles or setting, or a net that cannot be trained.
    """
    nets = () if net is None else (net,)
    options = _Options(tiles, runs, device, wandb, name=name, tags=tuple(tags))
    (run,) = _train(nets, (variant,), options, settings, every=False)
    return run


def train_all(
    nets: Sequence[str | type[nn.Module]] = (),
    variants: Sequence[str] = (),
    *,
    tiles: Location | None = None,
    runs: Location | None = None,
    jobs: int = 0,
    device: str = "auto",
    wandb: str = "auto",
    tags: Sequence[str] = (),
    **settings: Setting,
) -> Runs:
    """Train each of several nets on each of several variants and return the runs in that order.

    Args:
        nets: as in `train`; the project's Models A and B if none are given.
        variants: the project's, or all four, if none are given.
        jobs: trainings at once; 0 chooses.
        tiles, runs, device, wandb, tags, settings: as in `train`.

    Raises:
        Error: as `train`; where one training fails, the others are done first.
    """
    return _train(
        list_several(nets),
        list_several(variants),
        _Options(tiles, runs, device, wandb, jobs, tags=tuple(tags)),
        settings,
        every=True,
    )


@dataclass(frozen=True, slots=True)
class _Options:
    tiles: Location | None
    runs: Location | None
    device: str
    wandb: str
    jobs: int = 1
    name: str = ""
    tags: tuple[str, ...] = ()


def _train(
    nets: Sequence[str | type[nn.Module]],
    variants: Sequence[str],
    options: _Options,
    settings: Mapping[str, Setting],
    *,
    every: bool,
) -> Runs:
    require_posix("arena.train")
    from cnn.check.runs import check_own_nets
    from cnn.overrides import parse_assignments
    from cnn.runs.reference import resolve_start
    from cnn.tiles.tile_set import find_tiles
    from cnn.train.pool import TrainingPaths, default_jobs

    project, runs = open_project(), choose_folder("runs", options.runs)
    export_wandb(project)
    cells = choose_cells(project, [name_net(net, runs) for net in nets], variants, every=every)
    tiles = find_tiles(choose_folder("tiles", options.tiles), say)
    assignments = format_settings(settings, _SECTIONS)
    configs = [resolve_start(configure(project, tiles.info, cell, assignments), runs) for cell in cells]
    configs = check_own_nets(configs, runs, say, refused=() if every else parse_assignments(assignments))
    paths = TrainingPaths(tiles=tiles.folder, runs=runs, device=options.device, wandb=options.wandb)
    label_runs(configs, runs, options.name, options.tags)
    n_jobs = options.jobs or default_jobs(options.device, len(configs))
    return Runs(Run(folder.path) for folder in train_with_bar(configs, paths, n_jobs))
