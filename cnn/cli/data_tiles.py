"""`arena data prepare`, `strings`, `pictures`, `denoise`, `show`, `solution`: tiles, a picture of some, a contest's labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import RUN_HELP, ConfigPath, CorpusFolder, Device, Json, Overrides, Runs, Tiles, out_option
from arena.base.project import find_project
from arena.base.terminal import print_json, progress, say
from cnn.cli.data import ScanOptions, plural, say_left_out, scan_together
from cnn.cli.options import Cache, CorpusNames, Jobs, say_run

if TYPE_CHECKING:
    from cnn.config import RunConfig, TilesInfo
    from cnn.corpus.scan import Corpus
    from cnn.settings.tiles import TileSettings
    from cnn.tiles.tile_set import TileSet


app = typer.Typer()

_LENGTH = re.compile(r"(\d+)(?:-(\d+))?")
_LONGEST = 40


@app.command(
    "prepare",
    epilog="Examples: `arena data prepare corpus` · `arena data prepare corpus tiles.size=32 tiles.length_s=1` · "
    "`arena data prepare fsdd audiomnist`, then `arena train split.test_corpus=fsdd`",
)
def prepare_command(
    folder: CorpusFolder,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings, such as tiles.size=32; also further corpora.")
    ] = None,
    name: CorpusNames = None,
    config: ConfigPath = None,
    tiles: Tiles = Path("tiles"),
    jobs: Jobs = 0,
    cache: Cache = None,
    json: Json = False,
) -> None:
    """Turn recordings into tiles, raw and bilateral-filtered: once, since what is made is kept, also after a kill.

    Of several corpora one is tested and the others only train: split.test_corpus says which.
    """
    folders, typed = _divide_words([str(folder), *(overrides or [])])
    if not folders and (corpus_folder := find_project().text("corpus")):
        folders = [Path(corpus_folder)]
    from cnn.runs.config_file import read_config_file

    settings = _config([*read_config_file(config).list_tiles(), *typed], "tiles").tiles
    corpus, prepared = prepare_with_bar(folders or [folder], settings, tiles, ScanOptions(n_jobs=jobs, cache=cache, names=name))
    summary = {"tiles": str(prepared.folder), "n_clips": len(prepared.clips), "n_left_out": len(corpus.problems)}
    summary["doubts"] = corpus.doubts.as_json()
    summary |= {"corpora": list(corpus.parts)} if corpus.parts else {}
    line = f"{plural(len(prepared.clips), 'clip')} of {settings.size} x {settings.size} cells, raw and bilateral"
    if json:
        return print_json(summary)
    print(f"{prepared.folder}: {line}")
    if corpus.parts:
        first = next(name for name, path in corpus.parts.items() if path == folders[0].resolve())
        choice = f"`arena train split.test_corpus={first}`"
        print(f"corpora {', '.join(corpus.parts)}; one is tested, the others only train: {choice}")


def _divide_words(words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return the folders of corpora and the settings among the words of a command."""
    settings = [word for word in words if "=" in word and not Path(word).exists()]
    return [Path(word) for word in words if word not in settings], settings


def prepare_with_bar(
    folders: Sequence[Path], settings: TileSettings, tiles: Path, scanning: ScanOptions
) -> tuple[Corpus, TileSet]:
    """Scan corpora and prepare their tiles below `tiles`, with progress bars and a line for what is left out.

    Raises:
        CnnError: as `scan` and `prepare` raise it.
    """
    from cnn.processes import WorkOptions
    from cnn.speakers.doubts import describe_doubts
    from cnn.tiles.prepare import prepare

    corpus = scan_together(folders, scanning)
    say_left_out(corpus)
    for doubt in describe_doubts(corpus.doubts):
        say(f"warning: {doubt}")
    options = WorkOptions(n_jobs=scanning.n_jobs, bar=lambda n: progress("making tiles", n), log=say)
    return corpus, prepare(corpus, settings, tiles, options)


@app.command(
    epilog="Examples: `arena data pictures fashion-mnist` · `arena data pictures mnist.npz --name MNIST` · "
    "`arena data pictures photos --size 64`"
)
def pictures(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="PICTURES",
            help="IDX files, CIFAR batches, an .npz of keras or MedMNIST, or a folder of picture files per class.",
            show_default=False,
        ),
    ],
    size: Annotated[int, typer.Option("--size", metavar="32|64", help="Cells of a tile's side.")] = 32,
    tiles: Tiles = Path("tiles"),
    name: Annotated[str, typer.Option("--name", help="The corpus's name.", show_default="its own, or the folder's")] = "",
    labels: Annotated[str, typer.Option("--labels", help="Names of the classes, with commas, in their order.")] = "",
    json: Json = False,
) -> None:
    """Turn pictures into tiles, raw and bilateral-filtered; the published parts for training and test are kept apart."""
    from cnn.pictures.open import open_source
    from cnn.pictures.prepare import prepare_pictures
    from cnn.processes import WorkOptions
    from cnn.settings.tiles import TileSettings

    settings = TileSettings(size=size)
    opened = open_source(source, name, [label.strip() for label in labels.split(",")] if labels else ())
    options = WorkOptions(bar=lambda n: progress("making tiles", n), log=say)
    tile_set = prepare_pictures(opened, settings, tiles, options)
    parts = {part: sum(clip.part == part for clip in tile_set.clips) for part in ("train", "val", "test")}
    summary = {"tiles": str(tile_set.folder), "name": tile_set.data.name, "n_pictures": len(tile_set.clips), "parts": parts}
    summary |= {
        "labels": list(tile_set.data.labels),
        "channels": tile_set.data.channels,
        "n_left_out": len(opened.rows) - len(tile_set.clips),
    }
    kind = f"{'colour' if tile_set.data.channels == 3 else 'grey'}, {tile_set.data.n_classes} classes"
    line = f"{tile_set.data.name}, {len(tile_set.clips):,} pictures ({kind}) of {size} x {size} cells, raw and bilateral"
    print_json(summary) if json else print(f"{tile_set.folder}: {line}")


@app.command("show", epilog="Example: `arena data show --out tiles.png --per-digit 3`")
def show_command(
    overrides: Overrides = None,
    tiles: Tiles = Path("tiles"),
    out: Annotated[Path, out_option("The picture to write.")] = Path("tiles.png"),
    per_digit: Annotated[int, typer.Option(min=1, max=6, help="Clips or pictures of each class.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Which clips, and which augmentation.")] = 0,
) -> None:
    """Draw some clips or pictures of each class: raw, filtered, and both as augmentation would draw them."""
    tile_set = _tiles(tiles)
    augment = _config(overrides, "augment", tile_set.info).augment
    import cnn.tiles.preview  # matplotlib, which a mistake above need not wait for

    with progress("drawing", 1) as advance:
        n_shown = cnn.tiles.preview.draw_preview(tile_set, out, per_digit, augment, seed)
        advance()
    print(f"{out}: {n_shown} {'clips' if tile_set.data.is_sound else 'pictures'} on the four variants")


@app.command(epilog="Example: `arena data solution --out solution.csv`, then `arena contest init solution.csv --name Digits`")
def solution(
    overrides: Overrides = None,
    tiles: Tiles = Path("tiles"),
    out: Annotated[Path, out_option("The file to write; keep it from the teams.")] = Path("solution.csv"),
) -> None:
    """Write the true labels and speakers of the test clips, for the host of a contest."""
    from cnn.pack.solution import write_solution

    tile_set = _tiles(tiles)
    n_clips = write_solution(out, tile_set, _config(overrides, "split", tile_set.info).split)
    print(f"{out}: {n_clips} test clips; make the contest with `arena contest init {out} --name ...`")


@app.command(epilog="Example: `arena data denoise latest`, then `arena train --model lenet5 --variant denoised`")
def denoise(
    run: Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP)],
    runs: Runs = Path("runs"),
    tiles: Tiles = Path("tiles"),
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Make denoised tiles by an autoencoder of model.input=noisy, for the variants denoised and denoised+aug on its split."""
    from cnn.inference.denoise import denoise_tiles, find_denoiser
    from cnn.tiles.tile_set import find_tiles

    folder = find_denoiser(run, runs)
    say_run(run, folder)
    with progress("denoising, tiles", len(find_tiles(tiles).clips)) as advance:
        tile_set = denoise_tiles(folder, tiles, device, advance)
    summary = {"tiles": str(tile_set.folder), "run": str(folder.path), "n_clips": len(tile_set.clips)}
    print_json(summary) if json else print(
        f"{tile_set.folder}: {plural(len(tile_set.clips), 'tile')} denoised by {folder.path}"
    )


@app.command(
    epilog="Examples: `arena data strings cheques --length 1-6` · `arena data strings phones --length 9 --n 500`, "
    "then `arena contest init strings.csv --name Cheques`"
)
def strings(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder for the strips or recordings.", show_default=False)],
    overrides: Overrides = None,
    length: Annotated[str, typer.Option(help="Digits of a string: a number, or from-to.")] = "1-6",
    n: Annotated[int, typer.Option(min=1, max=100_000, help="Strings to draw.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal files.")] = 0,
    truth: Annotated[Path, typer.Option("--truth", help="The CSV for their true strings; keep it from the teams.")] = Path(
        "strings.csv"
    ),
    tiles: Tiles = Path("tiles"),
    json: Json = False,
) -> None:
    """Draw strings of digits, as on cheques or in telephone numbers, from the test clips of the tiles."""
    from cnn.files import check_output
    from cnn.strings.draw import SOLUTION_HEADER, StringPlan, draw_strings

    shortest, longest = _read_length(length)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise typer.BadParameter(f"{out} is there already and not empty; give a new folder")
    check_output(truth, SOLUTION_HEADER)
    tile_set = _tiles(tiles)
    split = _config(overrides, "split", tile_set.info).split
    plan = StringPlan(n=n, shortest=shortest, longest=longest, seed=seed)
    with progress("drawing strings", n) as advance:
        draw_strings(tile_set, split, plan, out, truth, advance)
    if json:
        return print_json({"folder": str(out), "truth": str(truth), "n": n})
    print(f"{out}: {n} strings of {length} digits; {truth} has the true ones: `arena contest init {truth} --name ...`")


def _read_length(text: str) -> tuple[int, int]:
    match = _LENGTH.fullmatch(text)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= low <= high <= _LONGEST:
        raise typer.BadParameter(f"a length is a number or a range of 1 to {_LONGEST}, such as 9 or 1-6, not {text!r}")
    return low, high


def _tiles(folder: Path) -> TileSet:
    from cnn.tiles.tile_set import find_tiles

    return find_tiles(folder, say)


def _config(overrides: list[str] | None, section: str, tiles: TilesInfo | None = None) -> RunConfig:
    from cnn.project import configure_sections, open_project

    return configure_sections(open_project(), [section], overrides or (), tiles)
