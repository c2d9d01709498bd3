"""Jupyter notebook on runs, studies and a contest: cells of plain pandas and matplotlib, executed when it is written.

Its cells stand in templates/story.txt: a line `%% code NAME` or `%% markdown NAME` begins one, which is left out where there
is nothing of that name; at `%% nets NAME` are the chapters on the nets.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arena.base.install import install_command
from arena.base.texts import ENGLISH
from reports.documents.net_chapters import NotebookCell, build_net_chapters
from reports.documents.stamped import check_unedited, digest_of_text
from reports.errors import NothingToReport, OutputError
from reports.facts.report import ReportFacts
from reports.page.output import write_page
from reports.reading.gather import Sources
from reports.reading.tiles import find_tile_folder
from reports.wording.page_texts import page_texts

_STORY = Path(__file__).parent / "templates" / "story.txt"
_NEEDS = ("nbformat", "nbclient", "ipykernel")
_LIMIT_S = 600  # limit of a cell
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def check_notebook_packages(*, runs: bool) -> None:
    """Check the packages that run a notebook, before any work is done.

    Raises:
        OutputError: the packages of the extra `notebook` are not installed.
    """
    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if runs and missing:
        rule = f"running a notebook needs {', '.join(missing)}"
        raise OutputError(f"{rule}: {install_command('notebook')}, or write it with --no-run")


def build_story(facts: ReportFacts, sources: Sources, out: Path, *, with_code: bool = False) -> list[NotebookCell]:
    """Return the cells for the parts of `facts`; paths in them are relative to the folder of `out`, where the notebook runs.

    Args:
        with_code: have a chapter on each net, with its source.

    Raises:
        NothingToReport: no finished training.
    """
    if not facts.runs:
        raise NothingToReport("a notebook tells of trainings and none is finished; train with `arena train --all`")
    runs = Path(facts.runs[0].folder).parent
    tiles = find_tile_folder(sources.tiles, _config(facts))
    parts = {
        "tiles": tiles is not None,
        "weights": all((Path(run.folder) / "model.pt").exists() for run in facts.runs),
        "tested": any(run.test for run in facts.runs),
        "factors": {run.model for run in facts.runs} >= set(facts.models) and len({run.variant for run in facts.runs}) >= 2,
        "inspected": bool(facts.inspections),
        "evaluated": bool(facts.evaluations),
        "sweeps": bool(facts.sweeps),
        "contest": facts.contest is not None,
        "code": with_code,
    }
    folder = out.resolve().parent
    settings = [f"RUNS = {_path(runs, folder)}", f"TRAININGS = {json.dumps([Path(run.folder).name for run in facts.runs])}"]
    settings += [f"MODELS = {json.dumps(facts.models)}  # Model A and Model B"]
    settings += [f"TILES_DIR = {_path(sources.tiles, folder)}"]
    settings += [f"TILES = {_path(tiles.folder, folder)}"] if tiles else []
    settings += [f"INSPECTED = {json.dumps(facts.inspections[0].run)}"] if facts.inspections else []
    settings += [f"STUDIES = {_path(sources.studies, folder)}"] if facts.sweeps and sources.studies else []
    if facts.contest and sources.contest:
        settings += [
            f"CONTEST = {json.dumps(sources.contest if '://' in sources.contest else _relative(Path(sources.contest), folder))}"
        ]
    chapters = "".join(f", {name}" for name in ("sweeps", "contest") if parts[name])
    values = {"title": facts.title, "places": "\n".join(settings), "parts": chapters, "models": _models(facts)}
    cells: list[NotebookCell] = []
    for cell in cells_for({name for name, is_on in parts.items() if is_on}):
        cells += build_net_chapters(facts) if cell.kind == "nets" else [_filled(cell, values)]
    return cells


def cells_for(parts: set[str]) -> list[NotebookCell]:
    """Return the cells of the story that need nothing, or something in `parts`."""
    cells = []
    for piece in re.split(r"^%% ", _STORY.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, text = piece.partition("\n")
        kind, _, needs = head.partition(" ")
        if not needs or needs in parts:
            cells.append(NotebookCell(kind=kind, text=text.strip("\n")))
    return cells


def _models(facts: ReportFacts) -> str:
    """Introduce the nets: `Model A: lenet5 (after LeNet-5), Model B: MyNet.`"""
    t = page_texts(dataclasses.replace(facts, lang=ENGLISH))
    trained = dict.fromkeys(run.model for run in facts.runs)
    return ", ".join(t.introduce(net) + (f" ({t.source(net)})" if t.source(net) else "") for net in trained) + "."


def _filled(cell: NotebookCell, values: dict[str, str]) -> NotebookCell:
    text = cell.text
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return NotebookCell(kind=cell.kind, text=text)


def _config(facts: ReportFacts) -> dict[str, Any]:
    from cnn.runs.folder import RunFolder

    return RunFolder(Path(facts.runs[0].folder)).config()


def _path(path: Path, folder: Path) -> str:
    return f"Path({json.dumps(_relative(path, folder))})"


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path.resolve(), folder)


def build_notebook(cells: list[NotebookCell]) -> dict[str, Any]:
    """Return the notebook before it is run, in nbformat 4.5, stamped with the digest of its text."""
    blocks: list[dict[str, Any]] = []
    for number, cell in enumerate(cells, start=1):
        kind = "markdown" if cell.kind == "markdown" else "code"
        more: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
        metadata = {"tags": ["skip-execution"]} if cell.kind == "source" else {}  # nbclient obeys it
        blocks.append({"cell_type": kind, "id": f"cell-{number:02d}", "metadata": metadata, "source": cell.text, **more})
    about = {"kernelspec": _KERNEL, "language_info": {"name": "python"}, "arena": {"text": text_digest(blocks)}}
    return {"cells": blocks, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def text_digest(cells: list[dict[str, Any]]) -> str:
    """Return the digest of the cells' text without their outputs: running a notebook again is no edit."""
    return digest_of_text("\0".join(f"{cell['cell_type']} {''.join(cell['source'])}" for cell in cells))


def check_notebook(out: Path, *, force: bool) -> None:
    """Check that `out` may be written, before any work is done.

    Raises:
        OutputError: `out` is a folder, or a notebook that somebody edited.
    """
    try:
        notebook = json.loads(out.read_bytes())
        is_unedited = notebook["metadata"]["arena"]["text"] == text_digest(notebook["cells"])
    except (OSError, ValueError, KeyError, TypeError):
        is_unedited = False
    check_unedited(out, is_unedited, force=force)


def run_notebook(notebook: dict[str, Any], folder: Path, advance: Callable[..., None]) -> tuple[dict[str, Any], str]:
    """Return the notebook with its outputs, and the cause where a cell failed: then the rest has none.

    Args:
        folder: the working directory of its cells.
        advance: called after each code cell.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    cells: Any = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    cause = ""
    with tempfile.TemporaryDirectory(prefix="arena-") as sockets:
        client = NotebookClient(
            cells,
            timeout=_LIMIT_S,
            startup_timeout=_LIMIT_S,
            kernel_name=_KERNEL["name"],
            config=Config({"ConnectionFileMixin": {"transport": "ipc", "ip": f"{sockets}/k"}}),  # no port is opened
            extra_arguments=["--log-level=50"],
            resources={"metadata": {"path": str(folder)}},
            record_timing=False,
            on_cell_complete=lambda **_: advance(),
        )
        try:
            client.execute()
        except CellExecutionError as error:
            cause = f"{error.ename}: {error.evalue}".splitlines()[0]
        except (CellTimeoutError, DeadKernelError) as error:
            cause = str(error).strip().splitlines()[0]
    result: dict[str, Any] = json.loads(nbformat.writes(cells))  # type: ignore[no-untyped-call]
    result["metadata"]["language_info"] = {"name": "python"}
    return result, cause


def write_notebook(notebook: dict[str, Any], out: Path) -> int:
    """Write the notebook to `out` and return its size in bytes.

    Raises:
        OutputError: it cannot be written.
    """
    return write_page((json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode(), out)
