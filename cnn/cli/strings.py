"""`arena data strings`: strings of digits from test clips; and `arena predict RUN --strings FOLDER`."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import Json, Overrides, Tiles, out_option
from arena.base.terminal import Column, Number, print_json, print_table, progress, say

if TYPE_CHECKING:
    from cnn.runs.folder import RunFolder

app = typer.Typer()

_LENGTH = re.compile(r"(\d+)(?:-(\d+))?")
_LONGEST = 40


def _read_length(text: str) -> tuple[int, int]:
    match = _LENGTH.fullmatch(text)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= low <= high <= _LONGEST:
        raise typer.BadParameter(f"a length is a number or a range of 1 to {_LONGEST}, such as 9 or 1-6, not {text!r}")
    return low, high


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
    solution: Annotated[Path, out_option("Their true strings; keep them from the teams.")] = Path("strings.csv"),
    tiles: Tiles = Path("tiles"),
    json: Json = False,
) -> None:
    """Draw strings of digits, as on cheques or in telephone numbers, from the test clips of the tiles."""
    from cnn.files import check_output
    from cnn.project import configure_sections, open_project
    from cnn.strings.draw import SOLUTION_HEADER, StringPlan, draw_strings
    from cnn.tiles.tile_set import find_tiles

    shortest, longest = _read_length(length)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise typer.BadParameter(f"{out} is there already and not empty; give a new folder")
    check_output(solution, SOLUTION_HEADER)
    tile_set, split = find_tiles(tiles, say), configure_sections(open_project(), ["split"], overrides or ()).split
    plan = StringPlan(n=n, shortest=shortest, longest=longest, seed=seed)
    with progress("drawing strings", n) as advance:
        draw_strings(tile_set, split, plan, out, solution, advance)
    if json:
        return print_json({"folder": str(out), "solution": str(solution), "n": n})
    print(f"{out}: {n} strings of {length} digits; their solution is {solution}: `arena contest init {solution} --name ...`")


@dataclass(frozen=True, kw_only=True, slots=True)
class StringFiles:
    """The CSV to write, and the one with the true strings; None for none."""

    out: Path | None
    solution: Path | None


def answer(run: RunFolder, folder: Path, files: StringFiles, device: str, *, json: bool) -> None:
    """Print the answers to a folder of strings, or write them; score them where the true strings are given."""
    from cnn.files import check_output
    from cnn.strings.answer import answer_strings, find_strings, write_strings
    from cnn.strings.draw import SOLUTION_HEADER
    from cnn.strings.score import read_strings, score_strings

    if files.out is not None:
        check_output(files.out, SOLUTION_HEADER)
    truth = None if files.solution is None else read_strings(files.solution)
    paths = find_strings(run, folder)
    with progress("reading strings", len(paths)) as advance:
        answers = answer_strings(run, paths, device, advance)
    for line in answers:
        if line.problem or not line.string:
            say(f"no digit: {line.id} {line.problem or 'shows none'}; its answer is empty")
    score = None if truth is None else score_strings({a.id: a.string for a in answers}, truth)
    if files.out is not None:
        write_strings(files.out, answers)
    if json:
        rows = [{"file": a.id, "string": a.string, "probability": a.probability, "problem": a.problem} for a in answers]
        return print_json({"answers": rows, "score": None if score is None else asdict(score), "run": str(run.path)})
    if files.out is not None:
        print(f"{files.out}: {len(answers)} strings, from {run.path}")
    elif score is None:
        columns = (Column("file"), Column("string"), Number("least sure"))
        print_table(columns, [[a.id, a.string, f"{a.probability:.3f}"] for a in answers])
    if score is not None:
        print(f"exact match {score.exact_match:.3f}, digit error rate {score.digit_error_rate:.3f}, {score.n} strings")
