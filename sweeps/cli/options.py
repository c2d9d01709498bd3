"""Options that several commands of `arena sweep` share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

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
RUN_PANELS = {
    "What to search": "config variants models every",
    "How many trials": "budget hours until folds seeds",
    "Which points": "tries source engine seed paired",
    "Where": "tiles runs studies storage name",
    "Who trains": "agents device gpus per_gpu on cluster_options fuse smoke max_failures",
    "W&B": "project entity wandb",
    "Output": "wide json help",
}
MaxFailures = Annotated[
    int, typer.Option("--max-failures", min=1, max=10_000, help="An agent ends after so many failed trials in a row.")
]


def collect_settings(folds: str, seeds: int | None, *, paired: bool) -> dict[str, object]:
    """Return what the command line gives of `arena:` in a sweep file."""
    if folds and not (folds.isdecimal() and int(folds) >= 1):
        raise typer.BadParameter(f"--folds of a sweep is a number of groups of speakers, such as 3, not {folds!r}")
    values = {"folds": int(folds) if folds else None, "seeds": seeds, "paired": paired or None}
    return {key: value for key, value in values.items() if value is not None}


def parse_fuse_option(text: str) -> int:
    """Return the number of trials to train as one net: 1 for off, 0 for auto."""
    from sweeps.pool.agent_options import parse_fuse

    if text not in ("off", "auto") and not (text.isdecimal() and 1 <= int(text) <= _MAX_FUSED):
        raise typer.BadParameter(f"--fuse is off, auto or a number up to {_MAX_FUSED}, not {text!r}")
    return parse_fuse(text)


def folds_option(default: str) -> Any:
    """Return `--folds`, with the words for its default in the help."""
    words = "Train each point on K groups of speakers in turn, and average."
    return typer.Option("--folds", metavar="K", help=words, show_default=default)


def seeds_option(default: str) -> Any:
    """Return `--seeds`, with the words for its default in the help."""
    words = "Train each point with N seeds, and average."
    return typer.Option("--seeds", metavar="N", min=1, help=words, show_default=default)


Folds = Annotated[str, folds_option("the file's, or 1")]
Seeds = Annotated[int | None, seeds_option("the file's, or 1")]
Hours = Annotated[
    float | None,
    typer.Option(
        "--hours", help="Begin no trial after so many hours of work, earlier calls included.", show_default="no limit"
    ),
]
Until = Annotated[
    float | None, typer.Option("--until", help="Begin no trial once one has this value.", show_default="no limit")
]
Tries = Annotated[
    list[str] | None,
    typer.Option(
        "--try", metavar="KEY=VALUE,..", help="A point to try first, such as lr=0.003,batch_size=64; repeat for more."
    ),
]
Source = Annotated[
    str, typer.Option("--from", metavar="STUDY", help="Try first the best points of another study: its name, or its folder.")
]
Paired = Annotated[
    bool, typer.Option("--paired", help="Studies of one seed draw the same points, as far as they learn nothing.")
]
Fuse = Annotated[
    str,
    typer.Option("--fuse", metavar="off|auto|M", help="Train M trials as one net; auto: as many as suit a GPU, one on a CPU."),
]
Study = Annotated[str, typer.Argument(metavar="STUDY", help="A study; `arena sweep status` lists them.")]
SomeStudies = Annotated[list[str], typer.Argument(metavar="STUDY", help="Studies; `arena sweep status` lists them.")]
AnyStudies = Annotated[
    list[str] | None, typer.Argument(metavar="STUDY", help="Studies; `arena sweep status` lists them.", show_default="all")
]
