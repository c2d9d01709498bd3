"""Options that several commands of `arena sweep` share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

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


Storage = Annotated[
    str, typer.Option("--storage", metavar="URL", help="A PostgreSQL database instead of files, for many machines.")
]
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
Study = Annotated[str, typer.Argument(metavar="STUDY", help="A study; `arena sweep status` lists them.")]
SomeStudies = Annotated[list[str], typer.Argument(metavar="STUDY", help="Studies; `arena sweep status` lists them.")]
AnyStudies = Annotated[
    list[str] | None, typer.Argument(metavar="STUDY", help="Studies; `arena sweep status` lists them.", show_default="all")
]
