"""`arena sweep agent`: train trials of studies that stand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.base.locks import require_posix
from arena.base.options import Device, Studies, Wandb, WandbMode
from arena.base.terminal import say
from sweeps.cli.options import Fuse, MaxFailures, SomeStudies, Storage, parse_fuse_option

app = typer.Typer()


@app.command(
    epilog="Examples: `arena sweep agent lenet5.raw`, in another terminal or on another machine that sees the folder · "
    "`arena sweep agent lenet5.raw --storage postgresql+psycopg://me@db/arena --tiles tiles --runs runs`, on any machine"
)
def agent(
    names: SomeStudies,
    studies: Studies = Path("studies"),
    storage: Storage = "",
    tiles: Annotated[
        Path | None,
        typer.Option("--tiles", help="With --storage: this machine's tiles.", show_default="where the study was made"),
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option("--runs", help="With --storage: this machine's run folders.", show_default="where the study was made"),
    ] = None,
    device: Device = "auto",
    max_failures: MaxFailures = 3,
    fuse: Fuse = "off",
    smoke: Annotated[bool, typer.Option("--smoke", help="Try one batch of each net first.")] = False,
    shared: Annotated[bool, typer.Option("--shared", hidden=True)] = False,
    wandb: Wandb = WandbMode.AUTO,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
    ready: Annotated[int | None, typer.Option("--ready", hidden=True)] = None,
) -> None:
    """Join: train trials of these studies until their budgets are reached. Ctrl-C ends after the epoch, twice at once."""
    require_posix("arena sweep agent")
    from sweeps.agents.run import run_agent
    from sweeps.pool.agent_options import AgentOptions, AgentSignals

    if (tiles or runs) and not storage:
        raise typer.BadParameter("--tiles and --runs of an agent belong to --storage; without it they are the study's own")
    options = AgentOptions(
        studies_dir=studies,
        names=tuple(dict.fromkeys(names)),
        device=device,
        max_failures=max_failures,
        wandb=wandb.value,
        fuse=parse_fuse_option(fuse),
        smoke=smoke,
        shared=shared,
    )
    if storage:
        from sweeps.study.database import strip_password
        from sweeps.study.join import LocalPaths, join_studies

        join_studies(studies, strip_password(storage), options.names, LocalPaths(tiles=tiles, runs=runs), say)
    signals = AgentSignals(is_alone=not shared, ready_fd=ready)
    signals.install()
    if with_parent:
        signals.watch_parent()
    if code := run_agent(options, signals, say):
        raise typer.Exit(code)
