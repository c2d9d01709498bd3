"""`arena data prepare`, `show` and `solution`: what is made of recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena_terminal import JSON_HELP, print_json, progress, say
from cnn.data_cli import app, scan_with_bar

if TYPE_CHECKING:
    from cnn.config import RunConfig
    from cnn.tiles import TileSet

__all__ = ["app"]

Tiles = Annotated[Path, typer.Option("--tiles", help="A folder of tiles, or one that holds a single such folder.")]


@app.command(epilog="Examples: `arena data prepare corpus` · `arena data prepare corpus tiles.size=32 tiles.length_s=1`")
def prepare(
    folder: Annotated[Path, typer.Argument(help="Folder of wav and flac recordings.", show_default=False)],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Such as tiles.size=32.")] = None,
    tiles: Annotated[Path, typer.Option("--tiles", help="Where the folder of tiles is made.")] = Path("tiles"),
    json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Turn recordings into tiles, raw and bilateral-filtered: once, since the same recordings and settings are kept."""
    import cnn.tiles

    settings = _config(overrides, "tiles.").tiles
    corpus = scan_with_bar(folder)
    for problem in corpus.problems[:5]:
        say(f"left out: {problem.path} {problem.reason}")
    if len(corpus.problems) > 5:
        say(f"left out: {len(corpus.problems) - 5} more; `arena data scan {folder}` lists them")
    if cnn.tiles.folder_of(corpus, settings, tiles).exists():
        say("these tiles were made before")
        made = cnn.tiles.prepare(corpus, settings, tiles)
    else:
        with progress("making tiles", len(corpus.clips)) as advance:
            made = cnn.tiles.prepare(corpus, settings, tiles, advance)
    summary = {"tiles": str(made.folder), "n_clips": len(made.clips), "n_left_out": len(corpus.problems)}
    said = f"{made.folder}: {len(made.clips):,} clips of {settings.size} x {settings.size} cells, raw and bilateral"
    print_json(summary) if json else print(said)


@app.command(epilog="Example: `arena data show --out tiles.png --per-digit 3`")
def show(
    overrides: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Such as augment.shift=8.")] = None,
    tiles: Tiles = Path("tiles"),
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("tiles.png"),
    per_digit: Annotated[int, typer.Option(min=1, max=6, help="Clips of each digit.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Which clips, and which augmentation.")] = 0,
) -> None:
    """Draw some clips of each digit: raw, filtered, and both as augmentation would draw them."""
    import cnn.show

    n_shown = cnn.show.show(_tiles(tiles), out, per_digit, _config(overrides, "augment.").augment, seed)
    print(f"{out}: {n_shown} clips on the four variants")


@app.command(epilog="Example: `arena data solution --out solution.csv`, then `arena contest init solution.csv --name Digits`")
def solution(
    overrides: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Such as split.fold=1.")] = None,
    tiles: Tiles = Path("tiles"),
    out: Annotated[Path, typer.Option(help="The file to write; keep it from the teams.")] = Path("solution.csv"),
) -> None:
    """Write the true labels and speakers of the test clips, for the host of a contest."""
    from cnn.solution import write_solution

    n_clips = write_solution(out, _tiles(tiles), _config(overrides, "split.").split)
    print(f"{out}: {n_clips} test clips; make the contest with `arena contest init {out} --name ...`")


def _tiles(folder: Path) -> TileSet:
    from cnn.tiles import find_tiles

    return find_tiles(folder)


def _config(overrides: list[str] | None, section: str) -> RunConfig:
    """A configuration of which only `section` may have been set."""
    from cnn.config import RunConfig
    from cnn.errors import ConfigError
    from cnn.overrides import keys, nearest, parse_assignments, with_values

    values = parse_assignments(overrides or [])
    known = [key for key in keys() if key.startswith(section)]
    for key in values:
        if key not in known:
            raise ConfigError(f"unknown key {key!r} here{nearest(key, known)}")
    return with_values(RunConfig(corpus=""), values)
