"""`arena report`: one HTML file from run folders, studies and the contest."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena_terminal import JSON_HELP, print_json, print_table, progress, say

if TYPE_CHECKING:
    from reports.facts import ReportFacts

app = typer.Typer(no_args_is_help=True)

_CONTEST = "contest.db"
_EXAMPLES = """
Examples:

- `arena report build`
- `arena report build --title "Team Formantes" --out formantes.html`
- `arena report build --contest postgresql://host/contest 0123 fedc`
"""


@app.callback()
def _group() -> None:
    """One HTML file that compares trainings, sweeps and the contest."""


@app.command(epilog=_EXAMPLES)
def build(
    run: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN]...", help="Runs to compare (folders, or how their names begin), not the newest eight."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Where run folders are.")] = Path("runs"),
    studies: Annotated[Path | None, typer.Option(help="Where studies are; studies if it exists.", show_default=False)] = None,
    contest: Annotated[
        str | None,
        typer.Option(metavar="PATH", help=f"The contest: a file, or a database URL; {_CONTEST} if it exists."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The file to write; replaced when it exists.")] = Path("report.html"),
    title: Annotated[str, typer.Option(help="What the page is called.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Compare the eight trainings, the sweeps and the contest on one page that needs no network.

    What is not there is named on the page, and the rest is shown.
    """
    from reports.errors import SourceError
    from reports.gather import Sources, gather
    from reports.output import as_plain, write_report

    if studies is not None and not studies.is_dir():
        raise SourceError(f"there is no folder {studies}; name the one that `arena sweep run` made, or leave --studies out")
    found = contest or (_CONTEST if Path(_CONTEST).exists() else None)
    sources = Sources(runs=runs, studies=studies or Path("studies"), contest=found, named_runs=tuple(run or ()), title=title)
    with progress("reading and drawing", 2) as advance:
        facts = gather(sources)
        advance(1, f"{len(facts.runs)} trainings read")
        size = write_report(facts, out)
        advance()
    for note in facts.notes:
        say(f"{note.kind}: {note.text}")
    say(f"wrote {out} ({size / 1e6:.1f} MB); open it in any browser")
    print_json(as_plain(dataclasses.asdict(facts))) if as_json else _print_summary(facts, out)


def _print_summary(facts: ReportFacts, out: Path) -> None:
    from reports.formats import NONE, model_name, score, span, variant_name, verdict_word

    rows = []
    for cell in facts.cells:
        run = cell.run
        name = [model_name(cell.model), variant_name(cell.variant)]
        if run is None:
            rows.append([*name, "missing", "", "", ""])
            continue
        interval = span(run.interval.low, run.interval.high) if run.interval else NONE
        val, test = (score(split.macro_f1 if split else None) for split in (run.val, run.test))
        chosen = ", the choice" if run.digest == facts.chosen else ""
        rows.append([*name, val, test, interval, f"{verdict_word(run.verdict) or NONE}{chosen}"])
    if rows:
        print_table(["model", "variant", "#val F1", "#test F1", "#interval", "verdict"], rows)
    _print_evaluations(facts)
    print(out)


def _print_evaluations(facts: ReportFacts) -> None:
    from reports.evaluation_summary import group_title, name_of
    from reports.formats import score, span

    for group in facts.evaluations:
        rows = [
            [name_of(one), f"{len(one.folds)} of {one.n_folds}", str(len(one.seeds)), score(one.mean), span(one.low, one.high)]
            for one in group.evaluations
        ]
        print_table(["evaluation", "#folds", "#seeds", "#mean F1", "#pooled interval"], rows, title=group_title(group))


@app.command(epilog="Example: `arena report table --out runs.csv`, then `pandas.read_csv('runs.csv')` in a notebook")
def table(
    runs: Annotated[Path, typer.Option(help="Where run folders are.")] = Path("runs"),
    out: Annotated[Path, typer.Option(help="The CSV to write; replaced when it exists.")] = Path("runs.csv"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON, and write no file.")] = False,
) -> None:
    """Write every run as one row of a CSV: settings, scores, costs; for a notebook or a spreadsheet."""
    from reports.table import records, table_of, write_table

    rows = table_of(runs)
    if as_json:
        return print_json(records(rows))
    write_table(rows, out)
    print(f"{out}: {len(rows)} runs, {len(rows.columns)} columns")
