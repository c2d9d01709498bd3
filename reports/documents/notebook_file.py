"""Notebooks as files: cells of a template, the file in nbformat 4.5, stamped with its text, and its execution."""

from __future__ import annotations

import importlib.util
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.base.install import install_command
from reports.documents.stamped import check_unedited, digest_of_text
from reports.errors import OutputError
from reports.page.output import write_page

_NEEDS = ("nbformat", "nbclient", "ipykernel")
_LIMIT_S = 600  # limit of a cell
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


@dataclass(frozen=True, kw_only=True, slots=True)
class NotebookCell:
    """One cell before it is run."""

    kind: str  # code, markdown, or source: code that is not run when the notebook is written
    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


def check_notebook_packages(*, runs: bool) -> None:
    """Check the packages that run a notebook, before any work is done.

    Raises:
        OutputError: the packages of the extra `notebook` are not installed.
    """
    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if runs and missing:
        rule = f"running a notebook needs {', '.join(missing)}"
        raise OutputError(f"{rule}: {install_command('notebook')}, or write it with --no-run")


def read_cells(template: Path) -> Iterator[tuple[NotebookCell, str]]:
    """Yield the cells of a template with their names; a line `%% code NAME` begins one, and the name may be empty."""
    for piece in re.split(r"^%% ", template.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, text = piece.partition("\n")
        kind, _, name = head.partition(" ")
        yield NotebookCell(kind=kind, text=text.strip("\n")), name


def build_notebook(cells: list[NotebookCell], **about: str) -> dict[str, Any]:
    """Return the notebook before it is run, in nbformat 4.5, stamped with the digest of its text and with `about`."""
    blocks: list[dict[str, Any]] = []
    for number, cell in enumerate(cells, start=1):
        kind = "markdown" if cell.kind == "markdown" else "code"
        more: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
        metadata = {**cell.metadata, **({"tags": ["skip-execution"]} if cell.kind == "source" else {})}  # nbclient obeys it
        blocks.append({"cell_type": kind, "id": f"cell-{number:02d}", "metadata": metadata, "source": cell.text, **more})
    metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}, "arena": {"text": text_digest(blocks), **about}}
    return {"cells": blocks, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


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


def format_notebook(notebook: dict[str, Any]) -> str:
    """Return the text of the file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def write_notebook(notebook: dict[str, Any], out: Path) -> int:
    """Write the notebook to `out` and return its size in bytes.

    Raises:
        OutputError: it cannot be written.
    """
    return write_page(format_notebook(notebook).encode(), out)
