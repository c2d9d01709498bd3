"""`arena report notebook` and `arena report paper`: what a team hands in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import RUN_HELP, Force, Runs, Tiles, out_option
from arena.base.terminal import progress, say
from reports.cli.report import IN_ENGLISH, ContestAt, Lang, Language, StudiesIfAny, Title, resolve_sources

if TYPE_CHECKING:
    from reports.reading.gather import Sources

app = typer.Typer()


class Outline(StrEnum):
    """Chapters of a paper: those of `reports.documents.paper_sections.OUTLINES`."""

    ARTICLE = "article"
    CRISP_DM = "crisp-dm"


Latex = Annotated[
    bool, typer.Option("--latex", help="Write it as LaTeX (IEEEtran) too, figures as PDF, also if it was edited.")
]
Named = Annotated[
    list[str] | None,
    typer.Argument(metavar="RUN", help=f"Runs to tell of instead. {RUN_HELP}"),
]


@app.command(epilog="Examples: `arena report notebook --with-code` · `arena report notebook --out story.ipynb --no-run`")
def notebook(
    run: Named = None,
    runs: Runs = Path("runs"),
    studies: StudiesIfAny = None,
    tiles: Tiles = Path("tiles"),
    contest: ContestAt = None,
    out: Annotated[Path, out_option("The notebook to write; one that was edited is not replaced.")] = Path("story.ipynb"),
    title: Title = "",
    with_code: Annotated[
        bool, typer.Option("--with-code", help="Put each net's source and commands above its results.")
    ] = False,
    no_run: Annotated[bool, typer.Option("--no-run", help="Write it without running it.")] = False,
    force: Force = False,
) -> None:
    """Write the whole story as a Jupyter notebook, and run it: data, models, trainings, evaluation, sweeps, contest.

    Its cells are plain pandas and matplotlib over the run folders, for a team to read, change and run again.
    """
    from reports.documents import notebook_file as file
    from reports.documents.notebook import build_story
    from reports.errors import OutputError
    from reports.reading.gather import gather_facts

    file.check_notebook_packages(runs=not no_run)
    file.check_notebook(out, force=force)
    sources = resolve_sources(runs, studies, contest, named_runs=tuple(map(Path, run or ())), tiles=tiles, title=title)
    cells = build_story(gather_facts(sources), sources, out, with_code=with_code)
    document, cause = file.build_notebook(cells), ""
    out.parent.mkdir(parents=True, exist_ok=True)
    if not no_run:
        with progress("running the notebook", sum(cell.kind == "code" for cell in cells)) as advance:
            document, cause = file.run_notebook(document, out.resolve().parent, advance)
    size = file.write_notebook(document, out)
    if cause:
        raise OutputError(f"a cell of {out} failed: {cause}; it was written as far as it ran, open it to see where")
    say(f"wrote {out} ({size / 1e6:.1f} MB, {len(cells)} cells{', not run' if no_run else ''}); open it in Jupyter")
    print(out)


@app.command(
    epilog="Examples: `arena report paper --latex` · `arena report paper --outline crisp-dm --lang es` · "
    "edit paper.md, then `arena report paper --pdf` prints what you wrote"
)
def paper(
    run: Named = None,
    runs: Runs = Path("runs"),
    studies: StudiesIfAny = None,
    tiles: Tiles = Path("tiles"),
    contest: ContestAt = None,
    out: Annotated[Path, out_option("The Markdown to write; one that was edited is not replaced.")] = Path("paper.md"),
    title: Title = "",
    lang: Lang = IN_ENGLISH,
    outline: Annotated[
        Outline, typer.Option("--outline", help="Chapters of an article, or the six phases of CRISP-DM.")
    ] = Outline.ARTICLE,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print a PDF beside it, also of a paper that was edited.")] = False,
    latex: Latex = False,
    force: Force = False,
) -> None:
    """Write a paper in Markdown with figures, tables and references, for a team to edit.

    It says what the numbers say; where it needs you, it has a line that says so.
    """
    from reports.documents.paper import is_unedited
    from reports.documents.paper_latex import is_latex_unedited
    from reports.documents.paper_pdf import print_paper
    from reports.documents.pdf import find_browser
    from reports.documents.stamped import check_unedited

    browser = find_browser() if pdf or latex else ""
    if latex:
        check_unedited(out.with_suffix(".tex"), is_latex_unedited(out.with_suffix(".tex")), force=force)
    if browser and out.is_file() and not force and not is_unedited(out):
        say(f"{out} was edited: it stays as it is; --force writes it anew")
    else:
        check_unedited(out, is_unedited(out), force=force)
        more = {"named_runs": tuple(map(Path, run or ())), "tiles": tiles, "title": title, "lang": lang.value}
        _write_markdown(resolve_sources(runs, studies, contest, **more), out, outline)
    if latex:
        _write_latex(out, lang, browser)
    if pdf:
        print_paper(out, out.with_suffix(".pdf"), lang.value, browser)
        print(out.with_suffix(".pdf"))
    print(out)


def _write_markdown(sources: Sources, out: Path, outline: str) -> None:
    from reports.documents.paper import compose_paper, write_paper
    from reports.reading.gather import gather_facts

    folder = f"{out.stem}-figures"
    document = compose_paper(gather_facts(sources), folder, outline)
    size = write_paper(document, out, folder)
    say(f"wrote {out} and {len(document.figures)} figures in {out.parent / folder} ({size / 1e6:.1f} MB)")


def _write_latex(paper: Path, lang: Language, browser: str) -> None:
    from reports.documents.paper_latex import find_figures, write_latex
    from reports.wording.page_texts import texts

    out = paper.with_suffix(".tex")
    with progress("figures as PDF", len(find_figures(paper))) as advance:
        write_latex(paper, out, texts(lang.value), browser, advance)
    say(f"compile it with `latexmk -pdf {out.name}`, or put it and its figures on Overleaf")
    print(out)
