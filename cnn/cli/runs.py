"""`arena runs`: the list of runs in a folder, newest first; one of them; names, tags, and removal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import RUN_HELP, DryRun, Json, Runs, Studies, Tiles, Wide, model_option, variant_option
from arena.base.terminal import Column, Number, Prose, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from cnn.runs.folder import RunFolder
    from cnn.runs.index import RunLine
    from cnn.runs.removal import Removal


app = typer.Typer()

_SORTS = ("changed", "val", "test", "epochs", "name", "model", "variant", "state")
_FEWEST_DIGITS = 8  # by which the table names a run
_N_NAMED = 6  # runs in a note

Run = Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP, show_default=False)]
State = Annotated[str, typer.Option(help="Only finished, unfinished, running, pruned, failed or damaged ones.")]


@app.callback(
    invoke_without_command=True,
    epilog="Examples: `arena runs --state finished --sort val --limit 5` · `arena runs show best` · "
    "`arena runs rm --state failed`",
)
def runs(
    context: typer.Context,
    folder: Runs = Path("runs"),
    model: Annotated[list[str] | None, model_option("Only runs of this net, or of these.")] = None,
    variant: Annotated[list[str] | None, variant_option("Only runs on this variant, or on these.")] = None,
    state: State = "",
    tags: Annotated[list[str] | None, typer.Option("--tag", help="Only runs with this tag, or with all of these.")] = None,
    sort: Annotated[str, typer.Option(help=f"By {', '.join(_SORTS)}; the newest or the best first.")] = "changed",
    limit: Annotated[int, typer.Option(min=0, help="List so many at most; 0: all.")] = 0,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """List runs, trainings and trials of sweeps alike, newest first."""
    if context.invoked_subcommand:
        return _check_no_options(context)
    import dataclasses

    from cnn.config import check_variants
    from cnn.plugin import shorten_name
    from cnn.runs.index import list_newest_first

    check_variants(variant or ())
    _check_choice("state", state, _list_states())
    _check_choice("sort", sort, _SORTS)
    every_line = list_newest_first(folder)
    lines = [
        line
        for line in every_line
        if (not model or {line.model, shorten_name(line.model)} & set(model))
        and (not variant or line.variant in variant)
        and state in ("", line.state)
        and set(tags or ()) <= set(line.tags)
    ]
    lines = _sort(lines, sort)
    shown_lines = lines[: limit or None]
    if json:
        return print_json([dataclasses.asdict(line) for line in shown_lines])
    if not lines:
        of_these = f" of these among {len(every_line)}" if every_line else "; `arena train` makes one"
        return say(f"no run in {folder}{of_these}")
    _print_lines(shown_lines)
    if len(shown_lines) < len(lines):
        say(f"{len(shown_lines)} of {len(lines)}; --limit {len(lines)} lists all")


def _check_no_options(context: typer.Context) -> None:
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source and source.name == "COMMANDLINE":
            word = context.invoked_subcommand
            raise typer.BadParameter(f"{parameter.opts[0]} before {word!r} is for the list; see `arena runs {word} -h`")


def _list_states() -> tuple[str, ...]:
    from cnn.runs.index import STATES

    return STATES


def _check_choice(option: str, value: str, choices: Sequence[str]) -> None:
    from arena.base.suggest import did_you_mean

    if value and value not in choices:
        raise typer.BadParameter(f"--{option} is one of {', '.join(choices)}, not {value!r}{did_you_mean(value, choices, '')}")


def _sort(lines: list[RunLine], by: str) -> list[RunLine]:
    """Sort lines that are newest first; runs without that value come last."""
    keys: dict[str, Callable[[RunLine], Any]] = {
        "val": lambda line: _rank(line.val_macro_f1, line.val_mse),
        "test": lambda line: _rank(line.test_macro_f1, line.test_mse),
        "epochs": lambda line: line.n_epochs,
        "name": lambda line: (not line.name, line.name),
        "model": lambda line: line.net,
        "variant": lambda line: line.variant,
        "state": lambda line: line.state,
    }
    return sorted(lines, key=keys[by], reverse=by in ("val", "test", "epochs")) if by in keys else lines


def _rank(f1: float | None, mse: float | None) -> tuple[int, float]:
    """Return what sorts classifiers by macro-F1 before autoencoders by error, and runs without either last."""
    return (2, f1) if f1 is not None else (1, -mse) if mse is not None else (0, 0.0)


def _print_lines(lines: Sequence[RunLine]) -> None:
    """Print a table that fits 80 columns where names are short; a digest is cut, but stays the beginning of that run alone."""
    from cnn.config import TILES_FORMAT, describe_format

    n_digits = next(n for n in range(_FEWEST_DIGITS, 65) if len({line.digest[:n] for line in lines}) == len(lines))
    rows = []
    for line in lines:
        state = line.state + (f" {line.n_epochs}/{line.epochs}" if line.state != "finished" and line.epochs else "")
        scores = ["" if f1 is None else f"{f1:.3f}" for f1 in (line.val_macro_f1, line.test_macro_f1)]
        scores += ["" if mse is None else f"{mse:.5f}" for mse in (line.val_mse, line.test_mse)]
        origin = line.trial if line.is_trial else None
        trial = f"trial {origin.number}" if origin and origin.study == line.net else str(origin or "")
        marks = " ".join([line.name, *(f"#{tag}" for tag in line.tags), trial]).strip()
        split = re.sub(r"folds fold=(\d+) n_folds=(\d+)( validation=\w+)?", r"fold \1 of \2", line.split)
        rows.append([line.digest[:n_digits], line.net, split, state, *scores, _format_time(line.changed_at), marks])
    errors = (Number("val MSE", silent=""), Number("test MSE", 2, silent=""))  # columns that a list without autoencoders lacks
    columns = (
        *(Column("run"), Column("net and variant"), Column("split", 3, silent="speaker"), Column("state", silent="finished")),
        *(Number("val F1"), Number("test F1", 2), *errors, Column("changed", 3), Prose("name", 2, silent="")),
    )
    print_table(columns, rows)
    for line in lines:
        if line.cause:
            say(f"{line.digest[:n_digits]} {line.state}: {line.cause}")
    for version in sorted({line.tiles_format for line in lines} - {TILES_FORMAT}):
        digests = [line.digest[:n_digits] for line in lines if line.tiles_format == version]
        names = ", ".join(digests[:_N_NAMED]) + (f" and {len(digests) - _N_NAMED} more" if len(digests) > _N_NAMED else "")
        say(f"note: {names} saw tiles of {describe_format(version)}; their scores are of other pictures")


def _format_time(changed_at: str) -> str:
    """Format a time of today as `08:05`, one of this year as `30 Nov`, others by their date; in local time."""
    from datetime import UTC, datetime

    time, today = (moment.astimezone() for moment in (datetime.fromisoformat(changed_at), datetime.now(UTC)))
    if time.date() == today.date():
        return f"{time:%H:%M}"
    return f"{time.day} {time:%b}" if time.year == today.year else f"{time:%Y-%m-%d}"


@app.command("show", epilog="Examples: `arena runs show latest` · `arena runs show lenet5.raw+aug --json`")
def show_command(run: Run, runs: Runs = Path("runs"), tiles: Tiles = Path("tiles"), json: Json = False) -> None:
    """Show one run: settings, scores, curves, files, and the command that trains it again."""
    from cnn.cli.run_page import print_page, read_page
    from cnn.runs.reference import find_run

    page = read_page(find_run(run, runs), tiles)
    print_json(page) if json else print_page(page)


@app.command("rm", epilog="Examples: `arena runs rm 3fe2 first` · `arena runs rm --state failed --dry-run`")
def remove_command(
    run: Annotated[list[str] | None, typer.Argument(metavar="RUN", help=RUN_HELP)] = None,
    state: State = "",
    runs: Runs = Path("runs"),
    studies: Studies = Path("studies"),
    wide: Wide = False,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete runs, after a list and a question. What a study or an unfinished evaluation needs stays, and what trains now."""
    import sys

    from cnn.errors import RunError
    from cnn.runs.removal import plan_removals, remove_run

    if bool(run) == bool(state):
        raise typer.BadParameter("name runs, or choose them by --state")
    _check_choice("state", state, _list_states())
    removals = plan_removals(_choose_runs(run or (), state, runs), studies)
    needed = [removal for removal in removals if removal.need]
    if needed and run:
        more = f", and {len(needed) - 1} more" if len(needed) > 1 else ""
        raise RunError(f"nothing is removed: {needed[0].run.path} is {needed[0].need}{more}")
    for removal in needed:
        say(f"stays: {removal.run.path} is {removal.need}")
    removals = [removal for removal in removals if not removal.need]
    _print_removals(removals)
    if dry_run or not removals:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise RunError("`arena runs rm` asks before it deletes, and this is no terminal to ask in; add --yes, or --dry-run")
        typer.confirm(f"Delete {_count(len(removals))} for good?", abort=True)
    for removal in removals:
        remove_run(removal.run)
    say(f"{_count(len(removals))} deleted")


def _choose_runs(references: Sequence[str], state: str, folder: Path) -> list[RunFolder]:
    from cnn.runs.folder import RunFolder
    from cnn.runs.index import list_newest_first
    from cnn.runs.reference import find_run

    if state:
        return [RunFolder(folder / line.digest) for line in list_newest_first(folder) if line.state == state]
    return list({run.path.resolve(): run for run in (find_run(text, folder) for text in references)}.values())


def _print_removals(removals: Sequence[Removal]) -> None:
    rows = []
    for removal in removals:
        line = removal.line
        mark = line.name or str(line.trial or "")
        rows.append([str(removal.run.path), line.net, line.state, f"{removal.size_bytes / 1e6:.1f} MB", mark])
    if rows:
        columns = (Column("run"), Column("net and variant"), Column("state"), Number("size", 2), Prose("name", 3, silent=""))
        print_table(columns, rows)
    total = sum(removal.size_bytes for removal in removals) / 1e6
    say(f"{_count(len(removals))}, {total:.1f} MB" if rows else "no run to delete")


def _count(n: int) -> str:
    return f"{n} run{'s' * (n != 1)}"


@app.command("name", epilog="Examples: `arena runs name 3fe2 baseline` · `arena runs name baseline --remove`")
def name_command(
    run: Run,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, - and _.", show_default=False)] = "",
    runs: Runs = Path("runs"),
    remove: Annotated[bool, typer.Option("--remove", help="Take its name away.")] = False,
) -> None:
    """Give a run a name, in place of the one that it has; every command finds the run by it."""
    from cnn.runs.marks import label_run, remove_name
    from cnn.runs.reference import find_run

    if bool(name) == remove:
        raise typer.BadParameter("give a name, or --remove")
    target = find_run(run, runs)
    if remove:
        before = remove_name(target)
        return print(f"{target.path}: no longer {before}" if before else f"{target.path} has no name")
    print(f"{target.path}: {label_run(target, name).name}")


@app.command("tag", epilog="Examples: `arena runs tag 3fe2 baseline wide` · `arena runs tag 3fe2 wide --remove`")
def tag_command(
    run: Run,
    tags: Annotated[list[str], typer.Argument(metavar="TAG", help="Letters, digits, - and _.", show_default=False)],
    runs: Runs = Path("runs"),
    remove: Annotated[bool, typer.Option("--remove", help="Take these tags away.")] = False,
) -> None:
    """Give a run tags beside those that it has; `arena runs --tag` lists by them."""
    from cnn.runs.marks import label_run, remove_tags
    from cnn.runs.reference import find_run

    target = find_run(run, runs)
    label = remove_tags(target, tags) if remove else label_run(target, tags=tags)
    print(f"{target.path}: {', '.join(label.tags) or 'no tags'}")
