"""Languages of the files that are written for a team: those that have a file of texts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from arena.base.options import LANG_HELP
from arena.base.texts import ENGLISH, list_languages
from arena.starter.wording import TEXTS


class FileLanguage(StrEnum):
    """Languages of a team's files: those that have a file of texts."""

    vars().update({code.upper(): code for code in list_languages(TEXTS)})


IN_ENGLISH = FileLanguage(ENGLISH)
Lang = Annotated[FileLanguage, typer.Option("--lang", help=LANG_HELP)]
