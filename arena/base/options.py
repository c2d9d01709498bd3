"""Command-line options and arguments that several packages share: declared once, so that a word means one thing everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from arena.base.errors import ArenaError, UsageError
from arena.base.terminal import JSON_HELP, widen_tables

CONTEST_FILE = "contest.db"
ADDRESS_HELP = "The contest's page, http:// or https://."
CONTEST_HELP = "The contest: a SQLite file, or a postgresql:// URL."
CORPUS_HELP = "Folder of recordings: wav and flac."
LANG_HELP = "The language that is written."
ONNX_HELP = "The net behind it, as `arena export` writes it: the host can verify the score."
RUN_HELP = "A run: its folder, name, digest or the beginning of it, latest, best, or lenet5.raw+aug."
SOLUTION_HELP = "CSV: id,label and optionally Usage (Public, Private or Ignored) and Group (the speaker)."
SUBMISSION_HELP = "CSV: id,label and optionally one probability per class."
SWEEP_HELP = "A sweep file, a shipped one such as optimisers, or a net such as lenet5."
TEAM_HELP = "The team's name, in any case."


Function = TypeVar("Function", bound=Callable[..., Any])


class WandbMode(StrEnum):
    """Mode of the mirror at W&B."""

    AUTO = "auto"  # online when logged in, offline otherwise
    ONLINE = "online"
    OFFLINE = "offline"
    OFF = "off"


@contextmanager
def reading_line() -> Iterator[None]:
    """Turn the refusal of an option's value into a usage error, where no file was read yet.

    Raises:
        UsageError: in place of any ArenaError.
    """
    try:
        yield
    except ArenaError as error:
        raise UsageError(str(error)) from error


def panels(headings: Mapping[str, str]) -> Callable[[Function], Function]:
    """Return a decorator that puts the options of a command under headings of its help: for each, the parameters' names."""

    def decorate(function: Function) -> Function:
        names = {name: heading for heading, words in headings.items() for name in words.split()}
        vars(function)["option_panels"] = names
        return function

    return decorate


def again_option(description: str) -> Any:
    """Return the `--again` option: do it although it was done before."""
    return typer.Option("--again", help=description)


def budget_option(show_default: bool | str = "the project's, or the file's run_cap") -> Any:
    """Return the `--budget` option."""
    return typer.Option("--budget", metavar="N", min=1, help="Trials of each study.", show_default=show_default)


def contest_option(**more: Any) -> Any:
    """Return the `--contest` option; the environment variable ARENA_CONTEST sets its default."""
    return typer.Option("--contest", metavar="PATH", envvar="ARENA_CONTEST", help=CONTEST_HELP, **more)


def jobs_option(description: str = "Processes; 0 chooses.") -> Any:
    """Return the `--jobs` option."""
    return typer.Option("--jobs", min=0, help=description, show_default="one a core")


def model_option(description: str = "A net of `arena models`, or file.py:ClassName; repeat for more.", **more: Any) -> Any:
    """Return the `--model` option."""
    return typer.Option("--model", help=description, **more)


def n_clips_option(least: int = 1) -> Any:
    """Return the `--n-clips` option."""
    return typer.Option("--n-clips", metavar="N", min=least, help="How many recordings.")


def n_speakers_option(least: int = 1) -> Any:
    """Return the `--n-speakers` option."""
    return typer.Option("--n-speakers", metavar="N", min=least, help="How many voices.")


def out_option(description: str, **more: Any) -> Any:
    """Return the `--out` option: the file or folder that is written."""
    return typer.Option("--out", "-o", help=description, **more)


def port_option() -> Any:
    """Return the `--port` option."""
    return typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free one.")


def studies_option(**more: Any) -> Any:
    """Return the `--studies` option."""
    return typer.Option("--studies", help="Where studies are.", **more)


def variant_option(description: str = "raw, bilateral, raw+aug or bilateral+aug; repeat for more.", **more: Any) -> Any:
    """Return the `--variant` option."""
    return typer.Option("--variant", help=description, **more)


ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A TOML, YAML or JSON file of settings, or a run's config.json; it wins over arena.toml, what is typed over it.",
        show_default=False,
    ),
]
ContestPath = Annotated[str, contest_option()]
CorpusFolder = Annotated[Path, typer.Argument(metavar="CORPUS", help=CORPUS_HELP, show_default=False)]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Every = Annotated[
    bool, typer.Option("--all", help="The nets named (else Models A and B) times the variants named (else all four).")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file also where somebody edited it.")]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings, such as train.epochs=5 or lr=0.01.")
]
Private = Annotated[bool, typer.Option("--private", help="For the host's eyes: the contest's private scores.")]
Runs = Annotated[Path, typer.Option("--runs", help="Where run folders are.")]
Studies = Annotated[Path, studies_option()]
Tiles = Annotated[Path, typer.Option("--tiles", help="Where tiles are: their folder, or one that holds a single such folder.")]
Wandb = Annotated[
    WandbMode,
    typer.Option("--wandb", metavar="MODE", help="Mirror to W&B: auto (online when logged in), online, offline or off."),
]
Wide = Annotated[
    bool,
    typer.Option("--wide", callback=widen_tables, expose_value=False, help="Print all columns, in lines as long as needed."),
]
