"""PDF of a paper in Markdown, edited or not: its figures are inlined, raw HTML in it is escaped."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markupsafe import escape

from arena.base.media import data_uri
from reports.documents.pdf import write_pdf
from reports.errors import OutputError

_KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}
_STYLE = """
@page { size: A4; margin: 20mm 18mm; }
body { font: 10pt/1.45 "Liberation Serif", "Times New Roman", serif; margin: 0; font-variant-numeric: tabular-nums; }
h1 { font-size: 19pt; line-height: 1.2; margin: 0 0 10pt; }
h2 { font-size: 13pt; margin: 16pt 0 5pt; }
h1, h2, h3 { break-after: avoid; }
p, ul { margin: 0 0 7pt; orphans: 3; widows: 3; }
ul { padding-left: 14pt; }
p:has(> img) { break-after: avoid; margin: 8pt 0 4pt; }
img { max-width: 100%; max-height: 150mm; }
p:has(> img) + p { font-size: 8.5pt; color: #444; margin-bottom: 12pt; }
table { border-collapse: collapse; font: 8pt/1.35 "Liberation Sans", Arial, sans-serif; margin: 4pt 0 10pt; }
th, td { padding: 2pt 8pt 2pt 0; border-bottom: 0.4pt solid #ccc; text-align: left; vertical-align: top; }
th { border-bottom: 0.8pt solid #333; }
tr { break-inside: avoid; }
pre { font-size: 7.5pt; white-space: pre-wrap; overflow-wrap: anywhere; }
code { font-size: 0.88em; overflow-wrap: anywhere; }
blockquote { margin: 0 0 8pt; padding: 3pt 8pt; border-left: 2pt solid #b35c00; color: #7a3f00; }
"""


def paper_html(markdown: str, folder: Path, lang: str) -> str:
    """Return the HTML of a paper whose figures lie below `folder`; a missing picture leaves its words."""
    body = str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))
    body = re.sub(r'<img src="([^"]*)"', lambda match: f'<img src="{_inlined(match[1], folder)}"', body)
    title = re.search(r"^# (.+)$", markdown, flags=re.MULTILINE)
    head = f'<meta charset="utf-8"><title>{escape(title[1] if title else "")}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="{lang}"><head>{head}</head><body>{body}</body></html>\n'


def _inlined(address: str, folder: Path) -> str:
    path = (folder / unquote(address)).resolve()
    kind = _KINDS.get(path.suffix.lower())
    if kind is None or not path.is_relative_to(folder.resolve()) or not path.is_file():
        return ""
    return data_uri(kind, path.read_bytes())


def read_paper(paper: Path) -> str:
    """Read the Markdown of a paper.

    Raises:
        OutputError: it cannot be read.
    """
    try:
        return paper.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise OutputError(f"{paper} cannot be read as text: {error}; save it as UTF-8") from error


def print_paper(paper: Path, out: Path, lang: str, browser: str) -> int:
    """Print `paper` to the PDF `out` and return its size in bytes.

    Raises:
        OutputError: the paper cannot be read, or the browser failed.
    """
    text = read_paper(paper)
    with tempfile.TemporaryDirectory(prefix="arena-paper-") as folder:
        page = Path(folder) / "paper.html"
        page.write_text(paper_html(text, paper.parent, lang), encoding="utf-8")
        return write_pdf(page, out, browser)
