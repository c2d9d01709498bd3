"""`arena train`: one training or all eight, with a progress bar and a table of scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.locks import require_posix
from arena.base.options import ConfigPath, Device, Every, Json, Overrides, Runs, Tiles, Wandb, WandbMode, Wide, variant_option
from arena.base.terminal import Column, Number, Prose, duration, print_json, print_table, progress, say
from cnn.cli.options import Models, TrainingJobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arena.base.project import Project
    from cnn.config import RunConfig
    from cnn.runs.folder import EpochRow, RunFolder
    from cnn.train.pool import TrainingPaths

app = typer.Typer()


@app.command("train", epilog="Examples: `arena train --model lenet5 --variant raw+aug train.epochs=20` · `arena train --all`")
def train_command(
    overrides: Overrides = None,
    config: ConfigPath = None,
    model: Models = None,
    variant: Annotated[list[str] | None, variant_option(show_default="raw")] = None,
    every: Every = False,
    tiles: Tiles = Path("tiles"),
    runs: Runs = Path("runs"),
    jobs: TrainingJobs = 0,
    device: Device = "auto",
    wandb: Wandb = WandbMode.AUTO,
    name: Annotated[str, typer.Option(help="Names the training: `arena predict NAME`.", show_default=False)] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Marks the trainings, for `arena runs --tag`; repeat for more.")] = None,
    keys: Annotated[bool, typer.Option("--keys", help="List every setting with its default, and stop.")] = False,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Train nets, or all eight. The same settings again are answered from their run folder; a killed training goes on."""

    from cnn.overrides import parse_assignments, spell_out
    from cnn.project import choose_cells, configure, open_project, split_cell
    from cnn.runs.config_file import read_config_file

    project, file = open_project(), read_config_file(config)
    typed, nets, variants = split_cell(spell_out(overrides or ()), model or (), variant or ())
    cells = choose_cells(project, nets or file.models, variants or file.variants, every=every)
    if keys:
        return _print_keys(project, cells[0][0], json)
    require_posix("arena train")
    from cnn.check.runs import check_own_nets
    from cnn.runs.reference import resolve_start
    from cnn.tiles.tile_set import find_tiles
    from cnn.train.pool import TrainingPaths, default_jobs

    settings = [*file.list_settings(nets), *typed]
    tile_set = find_tiles(tiles, say)
    file.check_tiles(tile_set.settings)
    configs = [resolve_start(configure(project, tile_set.info, cell, settings), runs) for cell in cells]
    configs = check_own_nets(configs, runs, say, refused=() if every else parse_assignments(typed))
    paths = TrainingPaths(tiles=tile_set.folder, runs=runs, device=device, wandb=wandb)
    label_runs(configs, runs, name, tag or ())
    folders = train_with_bar(configs, paths, jobs or default_jobs(device, len(configs)))
    print_json([run_as_json(folder) for folder in folders]) if json else print_runs(folders)


def label_runs(configs: Sequence[RunConfig], runs: Path, name: str, tags: Sequence[str]) -> None:
    """Name and tag the run folders before the first epoch, so that a name that is taken costs no training."""
    from cnn.runs.folder import RunFolder
    from cnn.runs.marks import label_run

    if name and len(configs) > 1:
        raise typer.BadParameter(f"--name names one training, and these are {len(configs)}; mark them with --tag")
    for config in configs if name or tags else ():
        label_run(RunFolder(runs / config.digest), name, tags)


def train_with_bar(configs: list[RunConfig], paths: TrainingPaths, n_jobs: int) -> list[RunFolder]:
    """Train by `cnn.train.pool.train_all`, with a progress bar over all epochs.

    Raises:
        CnnError: as `train_all` raises it, or an unknown device or W&B mode.
    """
    from cnn.runs.folder import RunFolder
    from cnn.runs.wandb_mirror import check_mode
    from cnn.train.pool import is_gpu, train_all

    check_mode(paths.wandb)
    is_gpu(paths.device)  # raises if this machine lacks the device
    n_done = {config.digest: len(RunFolder(paths.runs / config.digest).epochs()) for config in configs}
    total = sum(config.train.epochs for config in configs)
    with progress("training, epochs", total, sum(n_done.values())) as advance:

        def at(config: RunConfig, epoch: int, note: str = "") -> None:
            advance(epoch - n_done[config.digest], note)  # not 1: a kill may have left epochs.csv behind its checkpoint
            n_done[config.digest] = epoch

        def listen(config: RunConfig, row: EpochRow) -> None:
            score = f"val MSE {row.val_loss:.4f}" if config.model.is_autoencoder else f"val F1 {row.val_macro_f1:.3f}"
            at(config, row.epoch, f"{score} {config.model.label} {config.variant}")

        folders = train_all(configs, paths, n_jobs, listen, say)
        for config, folder in zip(configs, folders, strict=True):
            at(config, len(folder.epochs()))
        return folders


def run_as_json(folder: RunFolder) -> dict[str, object]:
    """Return one finished run for `--json`."""
    import dataclasses

    result = folder.result()
    assert result is not None
    return {"run": str(folder.path), "config": folder.config(), "result": dataclasses.asdict(result)}


def print_runs(folders: list[RunFolder]) -> None:
    """Print a table of finished runs, in the order of training; autoencoders in one of their own."""
    from cnn.plugin import shorten_name
    from cnn.runs import DataKind, read_kind
    from cnn.runs.index import list_notes

    autoencoders = [folder for folder in folders if folder.is_autoencoder]
    _print_autoencoders(autoencoders)
    if len(autoencoders) == len(folders):
        return
    rows = []
    for folder in (folder for folder in folders if folder not in autoencoders):
        config, result = folder.config(), folder.result()
        assert result is not None
        assert result.verdict is not None
        val, test = result.scores["val"], result.scores["test"]
        name = [shorten_name(config["model"]["name"]), config["variant"]]
        scores = [f"{val.macro_f1:.3f}", f"{test.macro_f1:.3f}", f"{test.accuracy:.3f}"]
        epochs = f"{result.best_epoch} of {result.n_epochs}"
        rows.append([*name, *scores, epochs, duration(result.wall_s), result.verdict.state, folder.digest])
    columns = (
        *(Column("model"), Column("variant"), Number("val F1"), Number("test F1"), Number("test acc.", 5)),
        *(Number("best epoch", 3), Number("time", 4), Column("verdict", 2), Column("run")),
    )
    print_table(columns, rows)
    kind = read_kind(folders[0].config())
    for note in list_notes([result for folder in folders if (result := folder.result())], kind):
        say(note)
    if kind is DataKind.SOUND and any(folder.config()["split"]["kind"] == "random" for folder in folders):
        say("split at random: the test speakers were heard in training, so these scores say nothing of a new voice")
    if any(folder.config()["split"].get("validation") == "takes" for folder in folders):
        say("validated on other takes of the training speakers: val F1 is optimistic and chooses nothing")


def _print_autoencoders(folders: list[RunFolder]) -> None:
    rows = []
    for folder in folders:
        config, result = folder.config(), folder.result()
        assert result is not None
        assert result.reconstruction is not None
        val, test = result.reconstruction.scores["val"], result.reconstruction.scores["test"]
        names = [config["model"].get("input", "same"), str(result.reconstruction.latent), config["variant"]]
        errors = [f"{val.mse:.5f}", f"{test.mse:.5f}", f"{test.psnr_db:.1f} dB", f"{test.pca_mse:.5f}"]
        epochs = f"{result.best_epoch} of {result.n_epochs}"
        rows.append([*names, *errors, epochs, duration(result.wall_s), folder.digest])
    columns = (
        *(
            Column("input"),
            Number("latent"),
            Column("variant", 4),
            Number("val MSE"),
            Number("test MSE"),
            Number("test PSNR", 3),
        ),
        *(Number("PCA's MSE", 2), Number("best epoch", 5), Number("time", 6), Column("run")),
    )
    if rows:
        print_table(columns, rows)
        say(
            "MSE: mean squared error of the cells, in 0..1; PCA's: test tiles by as many principal components of training tiles"
        )


def _print_keys(project: Project, model: str, as_json: bool) -> None:
    from cnn import config as cfg
    from cnn.keys import keys
    from cnn.nets import NETS
    from cnn.overrides import flatten
    from cnn.project import configure

    defaults = flatten(cfg.config_to_dict(configure(project, cfg.TilesInfo(), (model, "raw"), ())))
    rows = [
        {
            "key": key,
            "default": defaults[key],
            "type": entry.kind.__name__,
            "values": entry.values,
            "meaning": entry.meaning,
        }
        for key, entry in keys().items()
    ]
    if model in NETS:
        depth = next(row for row in rows if row["key"] == "model.depth")
        depth |= {"values": "{} to {}".format(*NETS[model].depths), "meaning": NETS[model].counts}
    if as_json:
        print_json(rows)
    else:
        columns = (Column("key"), Column("default"), Prose("values", 2), Prose("meaning"))
        print_table(columns, [[str(row[column.name]) for column in columns] for row in rows])
