"""A paper's LaTeX and its figures as PDF files, written beside its Markdown."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from reports.documents.latex import LatexWriter
from reports.documents.paper_pdf import read_paper
from reports.documents.pdf import write_pdf
from reports.documents.stamped import digest_of_text
from reports.page.output import write_page
from reports.wording.page_texts import Texts

_IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
_SIZE = re.compile(r'<svg[^>]*? width="([\d.]+)" height="([\d.]+)"')
_STAMP = re.compile(r"^% arena-paper ([0-9a-f]{16})\n")
_SAFE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"  # a figure's script does not run
_READY = (".pdf", ".png", ".jpg", ".jpeg")  # as LaTeX includes them
_UNFIT = re.compile(r"[{}\\%#\x00-\x1f\x7f]")  # in a file's name: LaTeX reads them as more than letters
_COLUMN_PX = 450  # a wider figure spans both columns, where its letters stay legible


def write_latex(paper: Path, out: Path, t: Texts, browser: str, advance: Callable[..., None]) -> None:
    """Write the LaTeX of `paper` to `out` and each of its SVG figures as a PDF beside it.

    Args:
        advance: called after each figure.

    Raises:
        OutputError: the paper cannot be read, the browser failed, or a file cannot be written.
    """
    figures = {}
    for address in find_figures(paper):
        if figure := _include(address, paper.parent, browser):
            figures[address] = figure
        advance()
    text = LatexWriter(t, figures).write(read_paper(paper))
    write_page(f"% arena-paper {digest_of_text(text)}\n{text}".encode(), out)


def find_figures(paper: Path) -> tuple[str, ...]:
    """Return the addresses of the pictures in a paper, each once.

    Raises:
        OutputError: the paper cannot be read.
    """
    return tuple(dict.fromkeys(_IMAGE.findall(read_paper(paper))))


def _include(address: str, folder: Path, browser: str) -> tuple[str, bool] | None:
    """Return the file that LaTeX includes, and True if it spans both columns; None where there is none to include."""
    path = folder / unquote(address)
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file() or _UNFIT.search(unquote(address)):
        return None
    if path.suffix.lower() in _READY:
        return unquote(address), False
    svg = path.read_text(encoding="utf-8") if path.suffix == ".svg" else ""
    size = _SIZE.search(svg)
    if size is None:
        return None
    _print_figure(svg, (float(size[1]), float(size[2])), path.with_suffix(".pdf"), browser)
    return unquote(address).removesuffix(".svg") + ".pdf", float(size[1]) > _COLUMN_PX


def _print_figure(svg: str, size: tuple[float, float], out: Path, browser: str) -> None:
    """Print a figure on a page of its own size."""
    wide, high = size
    style = f"@page {{ size: {wide:g}px {high:g}px; margin: 0; }} body {{ margin: 0; }} svg {{ display: block; }}"
    with tempfile.TemporaryDirectory(prefix="arena-figure-") as folder:
        page = Path(folder) / "figure.html"
        head = f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_SAFE}">'
        page.write_text(f"{head}<style>{style}</style>{svg}", encoding="utf-8")
        write_pdf(page, out, browser)


def is_latex_unedited(out: Path) -> bool:
    """Return True where the LaTeX at `out` is as it was written."""
    try:
        text = out.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    stamp = _STAMP.match(text)
    return stamp is not None and stamp[1] == digest_of_text(text[stamp.end() :])
