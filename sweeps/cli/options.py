"""Options that several commands of `arena sweep` share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from arena.base.terminal import JSON_HELP

_MAX_FUSED = 256


class EngineName(StrEnum):
    """Server or library that chooses points."""

    OPTUNA = "optuna"
    WANDB = "wandb"


class ClusterName(StrEnum):
    """System that places agents on machines."""

    LOCAL = "local"
    SLURM = "slurm"
    RAY = "ray"


class WandbMode(StrEnum):
    """Mode of the mirror at W&B."""

    AUTO = "auto"  # online when logged in, offline otherwise
    ONLINE = "online"
    OFFLINE = "offline"
    OFF = "off"


Studies = Annotated[Path, typer.Option("--studies", help="Where studies are.")]
Storage = Annotated[
    str, typer.Option("--storage", help="postgresql+psycopg://USER@HOST/DATABASE instead of files, for many machines.")
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1.")]
MaxFailures = Annotated[
    int, typer.Option("--max-failures", min=1, max=10_000, help="An agent ends after so many failed trials in a row.")
]


def parse_fuse_option(text: str) -> int:
    """Return the number of trials to train as one net: 1 for off, 0 for auto."""
    from sweeps.pool.agent_options import parse_fuse

    if text not in ("off", "auto") and not (text.isdecimal() and 1 <= int(text) <= _MAX_FUSED):
        raise typer.BadParameter(f"--fuse is off, auto or a number up to {_MAX_FUSED}, not {text!r}")
    return parse_fuse(text)


Fuse = Annotated[
    str,
    typer.Option("--fuse", metavar="off|auto|M", help="Train M trials as one net; auto: as many as suit a GPU, one on a CPU."),
]
Wandb = Annotated[WandbMode, typer.Option("--wandb", help="Mirror each trial to W&B; auto is online when logged in.")]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
