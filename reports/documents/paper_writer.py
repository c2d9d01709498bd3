"""Writer of a paper's Markdown: numbers the figures, collects the references, leaves lines for the team."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Sequence
from pathlib import Path

from cnn.nets import NETS
from reports.facts.report import ReportFacts, RunFacts
from reports.wording.page_texts import Texts, page_texts
from reports.wording.summary import Summary, summarise

_REFERENCES = Path(__file__).parent / "templates" / "references.toml"
Rows = Sequence[Sequence[str]]  # the first names the columns; `#` before a name sets its column right


class PaperWriter:
    """Markdown writer that numbers the figures and collects the references; sections are written in any order."""

    def __init__(self, facts: ReportFacts, folder: str, figures: dict[str, str]) -> None:
        self.facts, self.t, self.folder, self.figures = facts, page_texts(facts), folder, figures
        self.lines: list[str] = []
        self.cited: list[str] = []
        self.n_figures = 0
        self.summary: Summary = summarise(facts)

    @property
    def main_run(self) -> RunFacts:
        run = self.facts.main_run
        assert run, "a paper has a training"
        return run

    def head(self, key: str) -> None:
        self.say(f"## {self.t(f'paper.{key}')}")

    def say(self, text: str) -> None:
        if text:
            self.lines += [text, ""]

    def todo(self, key: str) -> None:
        """Write a line for the team to replace."""
        self.say(f"> **{self.t('paper.todo')}** {self.t(f'paper.{key}')}")

    def points(self, sentences: Sequence[str]) -> None:
        self.say("\n".join(f"- {sentence}" for sentence in sentences))

    def cite(self, key: str) -> str:
        """Return the citation of a work, which then stands among the references."""
        if key not in self.cited:
            self.cited.append(key)
        return format_citation(key, self.t)

    def figure(self, name: str, caption: str) -> None:
        if name in self.figures:
            self.n_figures += 1
            words = self.t("paper.figure", n=self.n_figures, caption=caption)
            self.say(f"![{words}]({self.folder}/{name}.svg)")
            self.say(f"*{words}*")

    def table(self, rows: Rows) -> None:
        names = [name.removeprefix("#") for name in rows[0]]
        rule = ["---:" if name.startswith("#") else "---" for name in rows[0]]
        self.say("\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in (names, rule, *rows[1:])))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


@functools.cache
def references() -> dict[str, dict[str, str]]:
    """Read the citation and the line of each work, by key: the papers of the nets and those of other methods."""
    nets = {name: {"cite": net.paper, "line": net.reference} for name, net in NETS.items()}
    return nets | tomllib.loads(_REFERENCES.read_text(encoding="utf-8"))


def format_citation(key: str, t: Texts) -> str:
    """Return `Tomasi and Manduchi 1998` in the paper's language."""
    return references()[key]["cite"].replace(" and ", f" {t('word.and')} ")
