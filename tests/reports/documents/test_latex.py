"""A paper as LaTeX: whole documents compared, special characters, citations and figures, compiled where TeX is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports.cli.documents import app
from reports.documents.latex import LatexWriter
from reports.documents.latex_text import code, escape
from reports.documents.paper import compose_paper
from reports.documents.paper_latex import write_latex
from reports.errors import OutputError
from reports.reading.gather import Sources, gather_facts
from reports.wording.page_texts import texts
from support.browser import needs_chromium
from support.report_facts import OWN, write_eight

MARKDOWN = """# Señales & ruido

> **To do.** Names

## Abstract

A filter (Tomasi and Manduchi 1998), 95\u202f% of *it*.

## Data

Compare Efron 1979; `train.lr=0.1 --all`.

| Net | F1 |
| --- | ---: |
| My_Net | 0.9 |

- one
- two

![Figure 1. What it “is”.](figures/a.svg)

*Figure 1. What it “is”.*

```sh
arena train --all
```

## References

- B. Efron: Bootstrap methods: another look at the jackknife. The Annals of Statistics 7(1), 1979.
- C. Tomasi, R. Manduchi: Bilateral filtering for gray and color images. ICCV 1998.
- A work of our own, 2026.
"""
BODY = r"""\title{Señales \& ruido}

\author{\IEEEauthorblockN{\textbf{To do.} Names}}

\begin{document}

\maketitle

\begin{abstract}

A filter~\cite{bilateral}, 95\,\% of \emph{it}.

\end{abstract}

\section{Data}

Compare Efron 1979~\cite{bootstrap}; \texttt{train.\allowbreak{}lr=\allowbreak{}0.\allowbreak{}1 -{}-\allowbreak{}all}.

\begin{center}
\footnotesize
\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%
\begin{tabular}{lr}
\toprule
Net & F1 \\
\midrule
My\_Net & 0.9 \\
\bottomrule
\end{tabular}}
\end{center}

\begin{itemize}
\item one
\item two
\end{itemize}

\begin{figure}[!t]
\centering
\includegraphics[width=\linewidth]{\detokenize{figures/a.pdf}}
\caption{What it ``is''.}
\label{fig:a}
\end{figure}

{\footnotesize\raggedright\setlength{\parskip}{2pt}\noindent
\texttt{arena train -{}-\allowbreak{}all}\par
}

\begin{thebibliography}{3}

\bibitem{bootstrap} B. Efron: Bootstrap methods: another look at the jackknife. The Annals of Statistics 7(1), 1979.

\bibitem{bilateral} C. Tomasi, R. Manduchi: Bilateral filtering for gray and color images. ICCV 1998.

\bibitem{work3} A work of our own, 2026.

\end{thebibliography}

\end{document}
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 40" width="90" height="40"><text y="20">F1</text></svg>'


def test_a_paper_becomes_ieees_two_columns() -> None:
    document = LatexWriter(texts("en"), {"figures/a.svg": ("figures/a.pdf", False)}).write(MARKDOWN)
    assert document.startswith("\\documentclass[conference]{IEEEtran}\n")
    assert document[document.index("\\title") :] == BODY


def test_what_latex_would_read_as_commands_is_escaped() -> None:
    assert escape(r"\a{b}$c&d#e%f_g~h^i") == (r"\textbackslash{}a\{b\}\$c\&d\#e\%f\_g\textasciitilde{}h\textasciicircum{}i")
    assert escape("−0.1 × “ñ” ’ 中\x07") == "$-$0.1 $\\times$ ``ñ'' ' {[}U+4E2D]{[}U+0007]"  # noqa: RUF001
    assert escape("[1] *") == "{[}1] {*}"  # after \\\\ and \\item they would be options
    assert code("nets.py:My_Net") == r"\texttt{nets.\allowbreak{}py:\allowbreak{}My\_\allowbreak{}Net}"


@pytest.mark.parametrize("lang", ["en", "es"])
def test_environments_nest_and_citations_have_their_works(tmp_path: Path, lang: str) -> None:
    write_eight(tmp_path, OWN, n_takes=4)
    paper = compose_paper(gather_facts(Sources(runs=tmp_path, lang=lang, title="50 % & _")), "figures")
    figures = {f"figures/{name}.svg": (f"figures/{name}.pdf", True) for name in paper.figures}
    document = LatexWriter(texts(lang), figures).write(paper.text)
    depth: list[str] = []
    for way, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", document):
        assert way == "begin" or depth.pop() == name
        depth += [name] * (way == "begin")
    assert depth == []
    words = re.sub(r"\\(detokenize|cite|bibitem|label)\{[^}]*\}|\$[^$\n]*\$|\\[A-Za-z]+|\\.", "", document)
    assert words.count("{") == words.count("}")
    assert not set("#_^$") & set(words)
    assert set(re.findall(r"\\cite\{(\w+)\}", document)) == set(re.findall(r"\\bibitem\{(\w+)\}", document)) != set()
    assert len(re.findall(r"\\includegraphics", document)) == len(figures)
    assert ("{babel}" in document) == (lang == "es")


@needs_chromium
def test_an_edited_paper_is_turned_into_latex_and_an_edited_latex_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "paper.md").write_text(MARKDOWN, encoding="utf-8")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.svg").write_text(SVG)
    result = CliRunner().invoke(app, ["paper", "--latex"], catch_exceptions=False)
    assert result.stdout.splitlines() == ["paper.tex", "paper.md"]
    assert (tmp_path / "figures" / "a.pdf").read_bytes().startswith(b"%PDF")
    assert "paper.md was edited: it stays as it is" in result.stderr
    if shutil.which("pdflatex") and subprocess.run(["kpsewhich", "IEEEtran.cls"], capture_output=True).stdout:
        subprocess.run(["pdflatex", "-halt-on-error", "paper.tex"], check=True, capture_output=True, timeout=120)
        assert (tmp_path / "paper.pdf").stat().st_size > 10_000
    (tmp_path / "paper.tex").write_text((tmp_path / "paper.tex").read_text().replace("ruido", "voz"))
    with pytest.raises(OutputError, match=r"^paper\.tex was edited"):
        CliRunner().invoke(app, ["paper", "--latex"], catch_exceptions=False)


def test_a_figure_whose_name_latex_would_obey_is_not_included(tmp_path: Path) -> None:
    (tmp_path / "a}b.png").touch()
    (tmp_path / "paper.md").write_text("# A\n\n![Words](a%7Db.png)\n", encoding="utf-8")
    write_latex(tmp_path / "paper.md", tmp_path / "paper.tex", texts("en"), "", lambda: None)
    assert "includegraphics" not in (tmp_path / "paper.tex").read_text()
