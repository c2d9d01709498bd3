"""`arena new`: a team's folder."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from arena.base.project import FILE_NAME, find_project, read_project
from arena.base.terminal import JSON_HELP, print_json, say
from arena.base.texts import ENGLISH, list_languages
from arena.starter.folder import TEXTS, Options, write_folder


class Language(StrEnum):
    """Languages of a team's files: those that have a file of texts."""

    vars().update({code.upper(): code for code in list_languages(TEXTS)})


IN_ENGLISH = Language(ENGLISH)
Lang = Annotated[Language, typer.Option(help="The language of texts and comments.")]


def new(
    folder: Annotated[Path, typer.Argument(help="The team's folder, new or without these files; . is this one.")],
    lang: Lang = IN_ENGLISH,
    corpus: Annotated[str, typer.Option(help="Folder of recordings.", show_default="recordings, in the new folder")] = "",
    address: Annotated[str, typer.Option(help="The contest's page, or its file.", show_default=False)] = "",
    team: Annotated[str, typer.Option(help="The team's name.", show_default=False)] = "",
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Make a team's folder: arena.toml, two nets to change, a sweep file for each, a notebook, a README of one page.

    Made within a project, such as a contest's pack, it takes over recordings, contest and settings.
    """
    options = Options(language=lang.value, corpus=corpus, address=address, team=team)
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
    return f"put your recordings into {corpus}, or name their folder in {project.file}; then {enter}arena data prepare"
