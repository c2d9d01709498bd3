"""Options that several commands of cnn share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.terminal import JSON_HELP

if TYPE_CHECKING:
    pass


Overrides = Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings, such as train.epochs=5.")]
Tiles = Annotated[Path, typer.Option("--tiles", help="A folder of tiles, or one that holds a single such folder.")]
Runs = Annotated[Path, typer.Option("--runs", help="Where run folders are.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1.")]
Wandb = Annotated[str, typer.Option("--wandb", help="Mirror to W&B: auto (online when logged in), online, offline or off.")]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
