"""Options that several commands of cnn share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.terminal import JSON_HELP, say

if TYPE_CHECKING:
    from cnn.runs.folder import RunFolder

Overrides = Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings, such as train.epochs=5.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="A net of `arena models`, or file.py:ClassName; repeat for more.", show_default="Model A"),
]
Every = Annotated[
    bool, typer.Option("--all", help="The nets named (else Models A and B) times the variants named (else all four).")
]
Tiles = Annotated[Path, typer.Option("--tiles", help="A folder of tiles, or one that holds a single such folder.")]
Runs = Annotated[Path, typer.Option("--runs", help="Where run folders are.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1.")]
Wandb = Annotated[str, typer.Option("--wandb", help="Mirror to W&B: auto (online when logged in), online, offline or off.")]
Jobs = Annotated[int, typer.Option("--jobs", min=0, help="Processes; 0 chooses.", show_default="one a core")]
Cache = Annotated[
    Path | None,
    typer.Option("--cache", help="Folder that remembers what unchanged recordings hold.", show_default="~/.cache/arena"),
]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


def say_run(reference: str, run: RunFolder) -> None:
    """Say which run a name, `latest`, `best`, or net and variant is; a digest says so itself."""
    from cnn.runs.index import read_line

    if not run.digest.startswith(Path(reference).name):
        line = read_line(run)
        score = "" if line.val_macro_f1 is None else f", validation macro-F1 {line.val_macro_f1:.3f}"
        say(f"{reference} is {run.path}: {line.net}{score}")
