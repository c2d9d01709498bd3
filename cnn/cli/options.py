"""Options that several commands of cnn share; those of several packages stand in `arena.base.options`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.base.options import CORPUS_HELP, jobs_option, model_option
from arena.base.terminal import say

if TYPE_CHECKING:
    from cnn.runs.folder import RunFolder


class SplitName(StrEnum):
    """Part of the held-out clips."""

    TEST = "test"
    VALIDATION = "validation"


Models = Annotated[list[str] | None, model_option(show_default="Model A")]
CorpusNames = Annotated[
    list[str] | None,
    typer.Option("--name", help="Of several corpora, each one's name, in their order.", show_default="their folders'"),
]
FurtherCorpora = Annotated[list[Path] | None, typer.Argument(metavar="CORPUS", help=CORPUS_HELP, show_default=False)]
Jobs = Annotated[int, jobs_option()]
TrainingJobs = Annotated[int, jobs_option("Trainings at once; 0 chooses.")]
Cache = Annotated[
    Path | None,
    typer.Option("--cache", help="Folder that remembers what unchanged recordings hold.", show_default="~/.cache/arena"),
]


def split_option() -> Any:
    """Return the `--split` option."""
    description = "Held-out clips: test, or validation, which choose a recipe without a look at the test."
    return typer.Option("--split", help=description, show_default="test")


def recordings_option(**more: Any) -> Any:
    """Return the `--recordings` option, which for a run on pictures is better called `--pictures`."""
    return typer.Option("--recordings", "--pictures", metavar="FOLDER", help="Folder of files of any name.", **more)


def say_run(reference: str, run: RunFolder) -> None:
    """Say which run a name, `latest`, `best`, or net and variant is; a digest says so itself."""
    from cnn.runs.index import read_line
    from cnn.runs.marks import BEST
    from cnn.runs.reference import list_seeds

    if not run.digest.startswith(Path(reference).name):
        line = read_line(run)
        score = "" if line.val_macro_f1 is None else f", validation macro-F1 {line.val_macro_f1:.3f}"
        seeds = [seed.val_macro_f1 or 0.0 for seed in list_seeds(run)] if Path(reference).name == BEST else []
        luck = f"; the luckiest of {len(seeds)} seeds, whose mean is {mean(seeds):.3f}" if len(seeds) > 1 else ""
        say(f"{reference} is {run.path}: {line.net}{score}{luck}")
