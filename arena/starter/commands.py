"""`arena new` and `arena notebook`: a team's folder, and its notebook."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from arena.base.options import (
    ADDRESS_HELP,
    CONTEST_HELP,
    CORPUS_HELP,
    TEAM_HELP,
    Force,
    Json,
    out_option,
    reading_line,
)
from arena.base.project import FILE_NAME, MODEL_KEYS, ProjectError, check_address, find_project, read_project
from arena.base.terminal import print_json, say
from arena.base.texts import Words
from arena.starter.folder import Options, write_folder
from arena.starter.languages import IN_ENGLISH, Lang
from arena.starter.notebook import NAME, build_project_notebook, read_files
from arena.starter.wording import TEXTS
from reports.documents.notebook_file import check_notebook, write_notebook

app = typer.Typer(no_args_is_help=True, epilog="Examples: `arena notebook mlp` · `arena notebook project`")


def new(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The team's folder, new or without these files; . is this one.")
    ],
    lang: Lang = IN_ENGLISH,
    corpus: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help=CORPUS_HELP, show_default="recordings, in the new folder")
    ] = None,
    address: Annotated[str, typer.Option(metavar="URL", help=ADDRESS_HELP, show_default=False)] = "",
    contest_file: Annotated[str, typer.Option("--contest", metavar="PATH", help=CONTEST_HELP, show_default=False)] = "",
    team: Annotated[str, typer.Option(metavar="TEAM", help=TEAM_HELP, show_default=False)] = "",
    as_json: Json = False,
) -> None:
    """Make a team's folder: arena.toml, two nets to change, a sweep file for each, a notebook, a README of one page.

    Made within a project, such as a contest's pack, it takes over recordings, contest and settings.
    """
    if address and contest_file:
        raise typer.BadParameter("give --address, the contest's page, or --contest, its file; not both")
    with reading_line():
        check_address(address)
    options = Options(language=lang.value, corpus=str(corpus or ""), address=address or contest_file, team=team)
    files = write_folder(folder, options, find_project())
    if as_json:
        return print_json({"folder": str(folder), "files": [path.name for path in files]})
    print(f"{folder}: {', '.join(path.name for path in files)}")
    say(f"next: {_advise(folder)}")


def _advise(folder: Path) -> str:
    project = read_project(folder / FILE_NAME)
    enter = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))}; "
    corpus = project.text("corpus")
    if Path(corpus).is_dir():
        return f"{enter}arena data prepare"
    return f"{corpus} is no folder yet: fill it, or name another in {project.file}; then {enter}arena data prepare"


@app.callback()
def _group() -> None:
    """Notebooks to work in: lessons on any tiles, and the whole project. `arena report notebook` tells of what was done."""


@app.command("project", epilog="Examples: `arena notebook project` · `arena notebook project --lang es --out proyecto.ipynb`")
def project_notebook(
    lang: Lang = IN_ENGLISH,
    out: Annotated[Path, out_option("The notebook to write; one that was edited is not replaced.")] = Path(NAME),
    force: Force = False,
) -> None:
    """Write a notebook of the whole project, for this machine or Colab: data, nets as code, trainings, sweeps, contest, report.

    It brings the project's files, and the code of its nets as it is now.
    """
    from cnn.nets import PAIR

    project = find_project()
    if not project.exists:
        raise ProjectError(
            f"there is no {FILE_NAME} here or above, and the notebook is that of a project; begin with `arena new`"
        )
    check_notebook(out, force=force)
    name, files = project.folder.resolve().name, read_files(project)
    first, second = (str(project.values.get(key, net)) for key, net in zip(MODEL_KEYS, PAIR, strict=True))
    title, words = project.text("contest.team") or name, Words.read(TEXTS, lang.value)
    write_notebook(build_project_notebook(title, name, files, (first, second), words), out)
    say(f"wrote {out}; open it in Jupyter, or upload it to Colab")
    print(out)
