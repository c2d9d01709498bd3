"""A notebook of the whole project, complete by itself: it brings the project's files and the source of the team's nets."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from arena.base.project import FILE_NAME, Project, ProjectError
from arena.base.texts import Words
from arena.starter.wording import TEMPLATES, list_texts
from reports.documents.notebook_file import NotebookCell, build_notebook, read_cells

NAME = "project.ipynb"
_UNFIT = re.compile(r"[{}$\"'\x00-\x1f\x7f]")  # in a file's name: the line of a cell magic is expanded, then split


def build_project_notebook(
    title: str, folder: str, files: Mapping[str, str], models: tuple[str, str], words: Words
) -> dict[str, Any]:
    """Return the notebook, not run.

    Args:
        folder: name of the project's folder, also on a drive.
        files: content of the project's files by name, those of its nets included.
        models: Model A and Model B, as `--model` takes them in the project's folder.
    """
    nets = {name: text for name, text in files.items() if name.endswith(".py")}
    values = list_texts(words) | {
        "title": " ".join(title.split()),
        "folder": json.dumps(folder),
        "files": "\n".join(f"    {json.dumps(name)}: {_quote(files[name])}," for name in files if name not in nets),
        "names": json.dumps(list(nets)),
        "models": json.dumps(list(models)),
        "language": words.language,
    }
    return build_notebook(list(_fill_cells(values, nets)))


def _fill_cells(values: Mapping[str, str], nets: Mapping[str, str]) -> Iterator[NotebookCell]:
    for cell, needs in read_cells(TEMPLATES / "notebook.txt"):
        if needs == "own" and not nets:
            continue
        if cell.kind == "nets":
            for name, text in nets.items():
                word = name if re.fullmatch(r"[\w/][\w./-]*", name) else f'"{name}"'
                yield NotebookCell(kind="code", text=f"%%writefile {word}\n{text}".rstrip())
        else:
            yield dataclasses.replace(cell, text=Template(cell.text).substitute(values))


def read_files(project: Project) -> dict[str, str]:
    """Return the content of arena.toml, of the sweep files, and of the files of the team's nets, by their names in the folder.

    Files that lie outside the project's folder, also by a link, are left out: a notebook elsewhere cannot write them.

    Raises:
        ProjectError: a file that is no text, or whose name a cell cannot write.
    """
    nets = [str(project.values[key]).rpartition(":")[0] for key in ("models.A", "models.B") if key in project.values]
    sweeps = [str(project.values[key]) for key in ("sweep.A", "sweep.B") if key in project.values]
    names = dict.fromkeys((FILE_NAME, *nets, *sweeps))
    inside = [name for name in names if name and not Path(name).is_absolute() and ".." not in Path(name).parts]
    root = project.folder.resolve()
    paths = {name: path for name in inside if (path := (root / name).resolve()).is_relative_to(root) and path.is_file()}
    return {name: _read_file(name, path) for name, path in paths.items()}


def _read_file(name: str, path: Path) -> str:
    if _UNFIT.search(name):
        raise ProjectError(f"a notebook cannot write a file called {name!r}; rename it, without braces, quotes or $")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{path} is no text in UTF-8, and the notebook brings it; save it as UTF-8") from error
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}; look who owns it") from error


def _quote(text: str) -> str:
    """Return a text as a Python literal: over several lines where it can be read so."""
    is_plain = "\\" not in text and '"""' not in text and not text.endswith('"')
    return f'"""{text}"""' if is_plain else repr(text)
