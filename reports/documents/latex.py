"""LaTeX of a paper in Markdown, edited or not, in IEEE's two columns (IEEEtran), with its figures as PDF.

Headings, lists, tables and figures become LaTeX's own; what the list of references names is cited by number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from reports.documents.latex_text import code, escape
from reports.documents.paper_writer import format_citation, references
from reports.wording.page_texts import Texts

_PREAMBLE = r"""\documentclass[conference]{IEEEtran}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[utf8]{inputenc}
  \usepackage[T1]{fontenc}
\fi
\usepackage{graphicx}
\usepackage{booktabs}
"""
_BABEL = {"es": r"\usepackage[spanish,es-noshorthands,es-tabla]{babel}" + "\n"}
_FIGURE_NUMBER = re.compile(r"^[^\W\d]+ \d+\. ")
_WIDE_COLUMNS = 5  # a table of as many columns spans both of the page's
_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
Node = SyntaxTreeNode


class LatexWriter:
    """Writer of one paper."""

    def __init__(self, t: Texts, figures: dict[str, tuple[str, bool]]) -> None:
        self.t = t
        self.figures = figures  # by address in the Markdown: the file to include, and True if it spans both columns
        self.cited: dict[str, str] = {}  # key by citation in the text

    def write(self, markdown: str) -> str:
        """Return the whole document."""
        title, front, sections = _divide(_parse(markdown))
        listed = next((nodes for head, nodes in sections if _text(head) == self.t("paper.references")), [])
        lines = [_text(item) for node in listed if node.type == "bullet_list" for item in node.children]
        keys = {work["line"]: key for key, work in references().items()}
        self.cited = {format_citation(keys[line], self.t): keys[line] for line in lines if line in keys}
        parts = [
            rf"\title{{{self._inline(title) if title else ''}}}",
            rf"\author{{\IEEEauthorblockN{{{' '.join(map(self._inline, front))}}}}}",
            r"\begin{document}",
            r"\maketitle",
        ]
        for head, nodes in sections:
            if _text(head) == self.t("paper.abstract"):
                parts += [r"\begin{abstract}", *self._blocks(nodes), r"\end{abstract}"]
            elif _text(head) == self.t("paper.references"):
                parts += self._bibliography(lines, keys)
            else:
                parts += [rf"\section{{{self._inline(head)}}}", *self._blocks(nodes)]
        return _PREAMBLE + _BABEL.get(self.t.language, "") + "\n" + "\n\n".join(parts) + "\n\n\\end{document}\n"

    def _bibliography(self, lines: Sequence[str], keys: dict[str, str]) -> list[str]:
        works = [rf"\bibitem{{{keys.get(line, f'work{number}')}}} {escape(line)}" for number, line in enumerate(lines, start=1)]
        return [rf"\begin{{thebibliography}}{{{len(works)}}}", *works, r"\end{thebibliography}"] if works else []

    def _blocks(self, nodes: Sequence[Node]) -> list[str]:
        blocks: list[str] = []
        caption = ""
        for node in nodes:
            if caption and _text(node) == caption:
                continue  # the caption that stands below a figure in Markdown
            image = _only_image(node)
            caption = _text(image) if image else ""
            blocks.append(self._figure(image) if image else self._block(node))
        return [block for block in blocks if block]

    def _block(self, node: Node) -> str:
        writers: dict[str, Callable[[Node], str]] = {
            "heading": lambda head: rf"\subsection{{{self._inline(head)}}}",
            "paragraph": self._inline,
            "bullet_list": lambda items: self._list(items, "itemize"),
            "ordered_list": lambda items: self._list(items, "enumerate"),
            "blockquote": lambda quote: _environment("quote", self._blocks(quote.children)),
            "table": self._table,
            "fence": _listing,
            "code_block": _listing,
        }
        return writers[node.type](node) if node.type in writers else ""

    def _list(self, items: Node, name: str) -> str:
        return _environment(name, [r"\item " + "\n\n".join(self._blocks(item.children)) for item in items.children])

    def _figure(self, image: Node) -> str:
        words = _FIGURE_NUMBER.sub("", self._inline(image))
        if str(image.attrs["src"]) not in self.figures:
            return rf"\textit{{{words}}}"
        file, is_wide = self.figures[str(image.attrs["src"])]
        name = "figure*" if is_wide else "figure"
        label = re.sub(r"[^A-Za-z0-9-]", "-", PurePosixPath(file).stem)
        picture = rf"\includegraphics[width=\linewidth]{{\detokenize{{{file}}}}}"
        return _environment(name, [r"\centering", picture, rf"\caption{{{words}}}", rf"\label{{fig:{label}}}"], "[!t]")

    def _table(self, table: Node) -> str:
        rows = [row for part in table.children for row in part.children]
        sides = "".join("r" if "right" in str(cell.attrs.get("style", "")) else "l" for cell in rows[0].children)
        lines = [" & ".join(map(self._inline, row.children)) + r" \\" for row in rows]
        lines = [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
        body = [rf"\begin{{tabular}}{{{sides}}}", *lines, r"\end{tabular}}"]
        if len(sides) < _WIDE_COLUMNS:
            return _environment("center", [r"\footnotesize", _FIT, *body])
        return _environment("table*", [r"\centering", r"\footnotesize", _FIT, *body], "[!t]")

    def _inline(self, node: Node) -> str:
        if node.type == "text":
            return self._cite(node.content)
        if node.type == "code_inline":
            return code(node.content)
        if node.type in ("softbreak", "hardbreak"):
            return "\n" if node.type == "softbreak" else r"\\" + "\n"
        inner = "".join(map(self._inline, node.children))
        if node.type == "link":
            return rf"{inner} ({code(str(node.attrs['href']))})"
        commands = {"strong": "textbf", "em": "emph"}
        return rf"\{commands[node.type]}{{{inner}}}" if node.type in commands else inner

    def _cite(self, text: str) -> str:
        """Escape the text; a citation that stands alone between brackets becomes its number, others get it beside them."""
        if not self.cited:
            return escape(text)
        works = "|".join(re.escape(work) for work in sorted(self.cited, key=len, reverse=True))
        parts = re.split(rf"( \((?:{works})\)|{works})", text)
        for n in range(1, len(parts), 2):
            work = parts[n].strip(" ()")
            number = rf"~\cite{{{self.cited[work]}}}"
            parts[n] = number if parts[n] != work else escape(work) + number
        return "".join(part if n % 2 else escape(part) for n, part in enumerate(parts))


def _environment(name: str, lines: Sequence[str], option: str = "") -> str:
    return "\n".join([rf"\begin{{{name}}}{option}", *lines, rf"\end{{{name}}}"])


def _parse(markdown: str) -> Node:
    return SyntaxTreeNode(MarkdownIt("commonmark", {"html": False}).enable("table").parse(markdown))


def _divide(root: Node) -> tuple[Node | None, list[Node], list[tuple[Node, list[Node]]]]:
    """Return the title, the blocks before the first section, and the sections with their headings."""
    title: Node | None = None
    front: list[Node] = []
    sections: list[tuple[Node, list[Node]]] = []
    for node in root.children:
        if node.type == "heading" and node.tag == "h1" and title is None:
            title = node
        elif node.type == "heading" and node.tag in ("h1", "h2"):
            sections.append((node, []))
        else:
            (sections[-1][1] if sections else front).append(node)
    return title, front, sections


def _only_image(node: Node) -> Node | None:
    """Return the image that a paragraph consists of."""
    inline = node.children[0] if node.type == "paragraph" and node.children else None
    images = inline.children if inline else []
    return images[0] if len(images) == 1 and images[0].type == "image" else None


def _text(node: Node) -> str:
    """Return the words of a node without their markup."""
    if node.type in ("text", "code_inline"):
        return node.content
    return "".join(map(_text, node.children)) if node.children else ""


def _listing(node: Node) -> str:
    lines = [code(line) + r"\par" for line in node.content.rstrip("\n").split("\n")]
    return "\n".join([r"{\footnotesize\raggedright\setlength{\parskip}{2pt}\noindent", *lines, "}"])
