"""`arena report`: one HTML file from run folders, studies and the contest."""

from __future__ import annotations

import contextlib
import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.base.options import (
    CONTEST_FILE,
    LANG_HELP,
    RUN_HELP,
    Json,
    Private,
    Runs,
    Tiles,
    Wide,
    contest_option,
    out_option,
    port_option,
    studies_option,
)
from arena.base.terminal import Column, Number, Prose, print_json, print_table, print_text, progress, say
from arena.base.texts import ENGLISH, list_languages
from reports.wording.page_texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.facts.report import ReportFacts
    from reports.reading.compare import PairFacts
    from reports.reading.gather import Sources
    from reports.wording.page_texts import Texts


app = typer.Typer(
    no_args_is_help=True,
    help="Reports of trainings, sweeps and a contest: pages, notebooks, papers.",
    epilog="Example: `arena report build --out report.html`",
)


class Language(StrEnum):
    """Languages of the page: those that have a file of texts."""

    vars().update({code.upper(): code for code in list_languages(TEXTS)})


IN_ENGLISH = Language(ENGLISH)
_EXAMPLES = """
Examples:

- `arena report build`
- `arena report build --title "Team Formantes" --out formantes.html`
- `arena report build --lang es --pdf`
- `arena report build --contest postgresql://host/contest 0123 fedc`
"""


@app.callback()
def _group() -> None:
    """One HTML file that compares trainings, sweeps and the contest."""


StudiesIfAny = Annotated[Path | None, studies_option(show_default="studies if it exists")]
ContestAt = Annotated[str | None, contest_option(show_default=f"{CONTEST_FILE} if it exists")]
Title = Annotated[str, typer.Option(help="What the page is called.")]
Lang = Annotated[Language, typer.Option("--lang", help=LANG_HELP)]


def resolve_sources(runs: Path, studies: Path | None, contest: str | None, **more: Any) -> Sources:
    """Return the sources of a command; those that were not named have their default paths.

    Raises:
        SourceError: the named folder of studies is not there.
        ProjectError: an arena.toml that cannot be used.
    """
    from reports.errors import SourceError
    from reports.reading.gather import Sources

    if studies is not None and not studies.is_dir():
        raise SourceError(f"there is no folder {studies}; name the one that `arena sweep run` made, or leave --studies out")
    contest = contest or (CONTEST_FILE if Path(CONTEST_FILE).exists() else None)
    return Sources(runs=runs, studies=studies or Path("studies"), contest=contest, **_read_project(), **more)


def _read_project() -> dict[str, Any]:
    """Return what the project says of the comparison: Models A and B by label, and variants."""
    from cnn.config import VARIANTS
    from cnn.plugin import shorten_name
    from cnn.project import open_project

    project = open_project()
    return {"models": tuple(map(shorten_name, project.models)), "variants": project.variants or VARIANTS}


@app.command("build", epilog=_EXAMPLES)
def build_command(
    run: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN", help=f"Runs to compare instead of the eight. {RUN_HELP}"),
    ] = None,
    runs: Runs = Path("runs"),
    studies: StudiesIfAny = None,
    tiles: Tiles = Path("tiles"),
    contest: ContestAt = None,
    out: Annotated[Path, out_option("The file to write; replaced when it exists.")] = Path("report.html"),
    title: Title = "",
    lang: Lang = IN_ENGLISH,
    private: Private = False,
    refresh: Annotated[
        int, typer.Option(min=0, help="The page is not final: it says so, and loads itself again every so many seconds.")
    ] = 0,
    reach: Annotated[float, typer.Option(min=0, max=1, help="Validation macro-F1 whose time “How it learnt” gives.")] = 0.9,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print a PDF beside the page, by the Chromium that is installed.")] = False,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Compare the eight trainings, the sweeps and the contest on one page that needs no network.

    What is not there is named on the page, and the rest is shown.
    """
    from reports.page.output import as_plain

    more = {"named_runs": tuple(map(Path, run or ())), "tiles": tiles, "title": title, "lang": lang.value, "private": private}
    more |= {"refresh_s": refresh, "reach": reach}
    facts = build_with_bar(resolve_sources(runs, studies, contest, **more), out, pdf=pdf)
    print_json(as_plain(plain_facts(facts))) if as_json else print_summary(facts, out)


def build_with_bar(sources: Sources, out: Path, *, pdf: bool) -> ReportFacts:
    """Write the page of these sources, and a PDF beside it if asked for, with a progress bar; return its facts.

    Raises:
        ReportError: nothing to report, a source that cannot be read, or a file that cannot be written.
    """
    import reports.page.render  # noqa: F401 - a missing package is named before any reading
    from reports.documents.pdf import find_browser, write_pdf
    from reports.page.output import write_report
    from reports.reading.gather import gather_facts

    browser = find_browser() if pdf else ""
    with progress("reading and drawing", 3 if pdf else 2) as advance:
        facts = gather_facts(sources)
        advance(1, f"{len(facts.runs)} trainings read")
        size = write_report(facts, out)
        advance()
        if pdf:
            write_pdf(out, out.with_suffix(".pdf"), browser)
            advance()
    for note in facts.notes:
        say(f"{note.kind}: {note.text}")
    beside = f" and {out.with_suffix('.pdf')}" if pdf else ""
    say(f"wrote {out} ({size / 1e6:.1f} MB){beside}; open it in any browser")
    return facts


def plain_facts(facts: ReportFacts) -> dict[str, Any]:
    """Return the facts without pictures and sounds of single clips, and without the arrays of inspections."""
    bare = tuple(dataclasses.replace(inspection, arrays={}) for inspection in facts.inspections)
    return dataclasses.asdict(dataclasses.replace(facts, media={}, inspections=bare))


@app.command("compare", epilog="Example: `arena report compare runs-before runs --out wider.html`")
def compare_command(
    a: Annotated[Path, typer.Argument(metavar="A", help=f"A folder of runs, or a run. {RUN_HELP}")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The same, to be subtracted from A.")],
    runs: Runs = Path("runs"),
    out: Annotated[Path, out_option("The file to write; replaced when it exists.")] = Path("comparison.html"),
    title: Title = "",
    wide: Wide = False,
    lang: Lang = IN_ENGLISH,
) -> None:
    """Compare two sets of runs, or two runs: the same model and variant in pairs, on the same test clips."""
    from reports.page.compare import comparison_lead, render_comparison
    from reports.page.output import write_page
    from reports.reading.compare import compare_runs
    from reports.reading.gather import Sources
    from reports.wording.page_texts import page_texts, texts

    sources = Sources(runs=runs, title=title, lang=lang.value, **_read_project())
    facts = compare_runs(a, b, sources, texts(lang.value))
    t = page_texts(facts)
    write_page(render_comparison(facts), out)
    for note in facts.notes:
        say(f"{note.kind}: {note.text}")
    print_pairs(facts.pairs, t, title=f"A is {a}, B is {b}")
    print_text(comparison_lead(facts, t))
    print(out)


def print_pairs(pairs: Sequence[PairFacts], t: Texts, title: str) -> None:
    from reports.wording.formats import NONE, score, signed, variant_name

    rows = []
    for pair in pairs:
        f1 = [score(side.test.macro_f1 if side and side.test else None) for side in (pair.a, pair.b)]
        value, span = None, NONE
        if pair.difference:
            value, span = pair.difference.value, t.signed_span(pair.difference.interval.low, pair.difference.interval.high)
        rows.append([t.model(pair.model), variant_name(pair.variant), *f1, signed(value), span])
    columns = (Column("model"), Column("variant"), Number("A"), Number("B"), Number("A minus B"), Number("interval", 2))
    print_table(columns, rows, title)


@app.command("serve", epilog="Example: `arena report serve` beside `arena sweep run`; Ctrl+C ends it")
def serve_report_command(
    runs: Runs = Path("runs"),
    studies: StudiesIfAny = None,
    tiles: Tiles = Path("tiles"),
    contest: ContestAt = None,
    title: Title = "",
    lang: Lang = IN_ENGLISH,
    private: Private = False,
    port: Annotated[int, port_option()] = 8410,
) -> None:
    """Show the page in a browser of this machine, and keep it up to date while a sweep runs."""
    from reports.page.serve import open_server

    sources = resolve_sources(runs, studies, contest, tiles=tiles, title=title, lang=lang.value, private=private)
    with open_server(sources, port) as server:
        say("built anew when runs, studies or the contest change; the page asks again by itself; Ctrl+C ends it")
        print(server.address, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


def print_summary(facts: ReportFacts, out: Path) -> None:
    from reports.wording.formats import NONE, score, variant_name
    from reports.wording.page_texts import english

    t = english(facts.kind)  # the language of the terminal
    rows = []
    for cell in facts.cells:
        run = cell.run
        name = [t.model(cell.model), variant_name(cell.variant)]
        if run is None:
            rows.append([*name, "missing", "", "", ""])
            continue
        interval = t.span(run.interval.low, run.interval.high) if run.interval else NONE
        val, test = (score(split.macro_f1 if split else None) for split in (run.val, run.test))
        chosen = ", the choice" if run.digest == facts.chosen else ""
        rows.append([*name, val, test, interval, f"{t.verdict(run.verdict) or NONE}{chosen}"])
    if rows:
        names = (Column("model"), Column("variant"))
        print_table((*names, Number("val F1", 3), Number("test F1"), Number("interval"), Prose("verdict", 2)), rows)
    _print_evaluations(facts)
    print(out)


def _print_evaluations(facts: ReportFacts) -> None:
    from reports.wording.evaluations import evaluation_name, group_title
    from reports.wording.formats import score
    from reports.wording.page_texts import english

    t = english(facts.kind)
    for group in facts.evaluations:
        rows = [
            [
                evaluation_name(evaluation, t),
                f"{len(evaluation.folds)} of {evaluation.n_folds}",
                str(len(evaluation.seeds)),
                score(evaluation.mean),
                t.span(evaluation.scores.interval.low, evaluation.scores.interval.high),
            ]
            for evaluation in group.evaluations
        ]
        counts = (Number("folds", 2), Number("seeds", 3))
        columns = (Prose("evaluation"), *counts, Number("mean F1"), Number("pooled interval"))
        print_table(columns, rows, title=group_title(group, t))


@app.command("table", epilog="Example: `arena report table --out runs.csv`, then `pandas.read_csv('runs.csv')` in a notebook")
def table_command(
    runs: Runs = Path("runs"),
    out: Annotated[Path, out_option("The CSV to write; replaced when it exists.")] = Path("runs.csv"),
    as_json: Json = False,
) -> None:
    """Write every run as one row of a CSV: settings, scores, costs; for a notebook or a spreadsheet."""
    from reports.documents.run_table import read_run_table, records, write_table

    rows = read_run_table(runs)
    if as_json:
        return print_json(records(rows))
    write_table(rows, out)
    print(f"{out}: {len(rows)} runs, {len(rows.columns)} columns")
