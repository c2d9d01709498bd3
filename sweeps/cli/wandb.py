"""`arena wandb trial`, which W&B's own agents start, and `sweep-file`, which writes files for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from arena.base.locks import require_posix
from arena.base.options import (
    SWEEP_HELP,
    Device,
    Overrides,
    Runs,
    Studies,
    Tiles,
    budget_option,
    model_option,
    out_option,
    variant_option,
)
from arena.base.terminal import say
from sweeps.cli.options import Folds, Seeds, Study, collect_settings, folds_option, seeds_option

app = typer.Typer()


@app.command(
    context_settings={"ignore_unknown_options": True},
    epilog="Example: `wandb agent ENTITY/PROJECT/SWEEP`, on any machine that has the tiles; it starts this for each run.",
)
def trial(
    study: Study,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings of all trials; --KEY=VALUE: of this one.")
    ] = None,
    model: Annotated[str, model_option("A net of `arena models`.")] = "lenet5",
    variant: Annotated[str, variant_option("raw, bilateral, raw+aug or bilateral+aug.")] = "raw",
    tiles: Tiles = Path("tiles"),
    runs: Runs = Path("runs"),
    studies: Studies = Path("studies"),
    device: Device = "auto",
    stops: Annotated[bool, typer.Option("--stops", help="The sweep stops weak runs: SIGTERM prunes, else it pauses.")] = False,
    folds: Annotated[str, folds_option("1")] = "",
    seeds: Annotated[int | None, seeds_option("1")] = None,
) -> None:
    """One run of a W&B sweep, as plain `wandb agent` starts it."""
    require_posix("arena wandb trial")
    from sweeps.wandb_sweeps.command import WandbTrialOptions, split_arguments, train_wandb_run

    overrides, params = split_arguments(words or [])
    options = WandbTrialOptions(
        study=study,
        model=model,
        variant=variant,
        tiles=tiles,
        runs=runs,
        studies=studies,
        device=device,
        stops=stops,
        settings=collect_settings(folds, seeds, paired=False),
        overrides=overrides,
        params=params,
    )
    if code := train_wandb_run(options, os.environ, say):
        raise typer.Exit(code)


@app.command(
    "sweep-file",
    epilog="Examples: `arena wandb sweep-file lenet5 --variant raw` · `arena wandb sweep-file my.yaml --scheduler`",
)
def sweep_file(
    file: Annotated[str, typer.Argument(metavar="SWEEP", help=SWEEP_HELP)],
    overrides: Overrides = None,
    variant: Annotated[str, variant_option("raw, bilateral, raw+aug or bilateral+aug.")] = "raw",
    scheduler: Annotated[
        bool, typer.Option("--scheduler", help="For `wandb sweep-scheduler`, with Optuna's samplers.")
    ] = False,
    budget: Annotated[int | None, budget_option()] = None,
    folds: Folds = "",
    seeds: Seeds = None,
    out: Annotated[Path | None, out_option("The file to write.", show_default="wandb-STUDY.yaml")] = None,
    tiles: Tiles = Path("tiles"),
    runs: Runs = Path("runs"),
    studies: Studies = Path("studies"),
) -> None:
    """Write the sweep for W&B's own commands: `wandb sweep`, `wandb agent` and, if wished, `wandb sweep-scheduler`."""
    from cnn.config import check_variants
    from cnn.project import open_project, select_settings
    from sweeps.pool.plan import Locations, Search, SweepRequest, plan
    from sweeps.wandb_sweeps.files import write_scheduled_sweep, write_sweep

    check_variants([variant])
    project = open_project()
    search = Search(
        files=(file,),
        variants=(variant,),
        budget=budget or project.budget,
        settings=select_settings(project),
        overrides=tuple(overrides or ()),
        arena=collect_settings(folds, seeds, paired=False),
        engine="wandb",
    )
    (spec,), notes = plan(SweepRequest(search=search, locations=Locations(tiles=tiles, runs=runs)))
    for note in notes:
        say(note)
    write = write_scheduled_sweep if scheduler else write_sweep
    written = write(spec, studies, out or Path(f"wandb-{spec.name}.yaml"))
    say(f"written: {', '.join(map(str, written.files))}; then")
    print("\n".join(written.commands))
