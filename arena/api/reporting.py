"""The report from Python."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from arena.api.arguments import Location, choose_folder
from arena.base.project import find_project
from arena.base.texts import ENGLISH, list_languages
from arena.command_line.defaults import is_there, locate_contest
from cnn.settings.fields import check_choice
from reports.cli.report import build_with_bar, resolve_sources
from reports.wording.page_texts import TEXTS


def report(
    out: Location = "report.html",
    named_runs: Sequence[Location] = (),
    *,
    title: str = "",
    lang: str = ENGLISH,
    pdf: bool = False,
    tiles: Location | None = None,
    runs: Location | None = None,
    studies: Location | None = None,
    contest: str | None = None,
) -> Path:
    """Write the page that compares trainings, sweeps and the contest, and return its path.

    Args:
        out: the file to write; replaced when it exists.
        named_runs: the runs to compare; the newest of each net and variant if none are given.
        title, lang: what the page is called, and its language.
        pdf: print a PDF beside it, by the Chromium that is installed.
        tiles, runs, studies, contest: the project's if none are given.

    Raises:
        Error: nothing to report, or something that was named and cannot be read or written.
    """
    check_choice("lang", lang, list_languages(TEXTS))
    project = find_project()
    folder, store = choose_folder("studies", studies), contest or locate_contest(project)
    sources = resolve_sources(
        choose_folder("runs", runs),
        folder if studies is not None or folder.is_dir() else None,
        store if contest or is_there(store) else None,
        named_runs=tuple(os.fspath(run) for run in named_runs),
        tiles=choose_folder("tiles", tiles),
        title=title,
        lang=lang,
    )
    build_with_bar(sources, Path(out), pdf=pdf)
    return Path(out)
