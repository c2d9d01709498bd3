"""Paper in Markdown that a team edits: the facts in sentences and tables, with figures as files beside it."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.nets import NETS
from cnn.runs import DataKind
from reports.documents.paper_figures import paper_figures
from reports.documents.stamped import digest_of_text
from reports.errors import NothingToReport
from reports.facts.report import ReportFacts, RunFacts
from reports.page.figures import draw_all
from reports.page.inspections import inspection_pages
from reports.page.output import write_page
from reports.page.tables import confusions, shared_versions, splits
from reports.wording.formats import NONE, magnitude, percent, score, seconds, signed, variant_name
from reports.wording.page_texts import Texts, page_texts
from reports.wording.summary import Summary, summarise

_REFERENCES = Path(__file__).parent / "templates" / "references.toml"
_STAMP = re.compile(r'^\[arena-paper\]: # "([0-9a-f]{16})"\n', flags=re.MULTILINE)
_AUGMENTATION = {DataKind.SOUND: "augmentation", DataKind.PICTURES: "erasing"}  # works
Rows = Sequence[Sequence[str]]  # the first names the columns; `#` before a name sets its column right


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """The text, and the figures that it names."""

    text: str
    figures: dict[str, str]  # SVG by file name without ending


class _Writer:
    """Markdown writer that numbers the figures and collects the references."""

    def __init__(self, facts: ReportFacts, folder: str, figures: dict[str, str]) -> None:
        self.facts, self.t, self.folder, self.figures = facts, page_texts(facts), folder, figures
        self.lines: list[str] = []
        self.cited: list[str] = []
        self.n_figures = 0

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


def compose_paper(facts: ReportFacts, folder: str) -> Paper:
    """Compose the paper of `facts`; its figures lie in `folder` beside it.

    Raises:
        NothingToReport: no finished training.
    """
    t = page_texts(facts)
    if not facts.runs:
        raise NothingToReport("a paper tells of trainings and none is finished; train with `arena train --all`")
    pages = inspection_pages(facts.inspections, t)
    w = _Writer(facts, folder, paper_figures(facts, draw_all(facts), pages, t))
    summary = summarise(facts)
    w.say(f"# {facts.title}")
    w.todo("todo_authors")
    w.head("abstract")
    about = {"models": _models(facts, t), "k": len(facts.labels), "classes": t.classes(facts.labels)}
    abstract = t.n("paper.abstract_text", len(facts.runs), **about)
    w.say(" ".join((abstract, _lead(facts, summary, t), *summary.effects[:3])))
    _data(w)
    _methods(w)
    _results(w, summary)
    _discussion(w, summary)
    _ending(w)
    _settings(w)
    body = "\n".join(w.lines).rstrip() + "\n"
    return Paper(text=f'{body}\n[arena-paper]: # "{digest_of_text(body)}"\n', figures=w.figures)


def _lead(facts: ReportFacts, summary: Summary, t: Texts) -> str:
    """Return the page's first sentence; the abstract has introduced the nets before."""
    model = facts.main_run.model if facts.main_run else ""
    return summary.lead.replace(t.introduce(model), t.model(model), 1)


def _models(facts: ReportFacts, t: Texts) -> str:
    return t.listed([t.introduce(model) for model in dict.fromkeys(run.model for run in facts.runs)])


def _data(w: _Writer) -> None:
    facts, t, main_run = w.facts, w.t, w.facts.main_run
    assert main_run, "a paper has a training"
    w.head("data")
    w.todo("todo_corpus")
    speakers = [f"#{t('data.speakers')}"] if facts.kind is DataKind.SOUND else []
    rows = [[t("data.part"), f"#{t('word.clips')}", f"#{t('data.per_digit')}", *speakers]]
    for split in splits(main_run):
        per_digit = t.count(split.most) if split.fewest == split.most else f"{split.fewest} {t('word.to')} {split.most}"
        row = [t(f"data.{split.name}"), t.count(split.n), per_digit, str(len(split.speakers) or NONE)]
        rows.append(row[: len(rows[0])])
    w.table(rows)
    corpus, kind = t.setting(main_run.config["corpus"]), t.split(main_run.config.get("split.kind"))
    w.say(t("paper.split", corpus=corpus, split=kind, heard=t("data.heard") if facts.validates_on_known_speakers else ""))


def _methods(w: _Writer) -> None:
    facts, t, main_run = w.facts, w.t, w.facts.main_run
    assert main_run, "a paper has a training"
    w.head("methods")
    tile = {name: t.setting(main_run.config.get(f"tiles.{name}")) for name in ("size", "rate_hz", "length_s")}
    tile["colour"] = t("paper.colour") if main_run.config.get("data.channels") == 3 else t("paper.grey")
    filters = t("paper.filters", cite=w.cite("bilateral")) if any(run.filter == "bilateral" for run in facts.runs) else ""
    augmented = t("paper.augmented", cite=w.cite(_AUGMENTATION[facts.kind])) if any(run.augmented for run in facts.runs) else ""
    w.say(" ".join(part for part in (t("paper.tiles", **tile), filters, augmented) if part))
    first = {
        model: next(run for run in facts.runs if run.model == model) for model in dict.fromkeys(r.model for r in facts.runs)
    }
    w.table(
        [
            [t("paper.model"), t("paper.after"), f"#{t('trainings.parameters')}", f"#{t('trainings.adds')}"],
            *(
                [t.introduce(name), _after(w, name), t.count(run.n_parameters), magnitude(run.n_multiply_adds)]
                for name, run in first.items()
            ),
        ]
    )
    chooses = t("paper.chooses") if facts.chosen and not facts.validates_on_known_speakers else ""
    w.say(t("paper.scored", chooses=chooses, cite=w.cite("bootstrap"), k=len(facts.labels)))
    if facts.sweeps:
        swept = t("paper.swept", cite=w.cite("optuna"))
        ranked = any(sweep.importances for sweep in facts.sweeps)
        w.say(f"{swept} {t('paper.importances', cite=w.cite('fanova'))}" if ranked else swept)


def _after(w: _Writer, model: str) -> str:
    return w.cite(model) if model in NETS else w.t("paper.own_net")


def _results(w: _Writer, summary: Summary) -> None:
    facts, t = w.facts, w.t
    w.head("results")
    w.table(_scores(facts.runs, t))
    w.figure("scores", t("answer.caption", heard=t("answer.caption_heard") if facts.validates_on_known_speakers else ""))
    w.points(summary.effects)
    w.figure("effects", t("effect.caption"))
    w.figure("curves-f1", t("paper.curves_f1"))
    w.figure("curves-loss", t("paper.curves_loss"))
    if (main_run := facts.main_run) and main_run.test:
        name = t.cell(main_run.model, main_run.variant)
        w.figure("confusion", t("paper.confusion", name=name))
        pairs = [t("paper.pair", truth=c.truth, predicted=c.predicted, n=c.n, of=c.n_truth) for c in confusions(main_run)[:3]]
        w.say(t("paper.confused", name=name, pairs=t.listed(pairs)) if pairs else "")
        w.figure("groups", t("group.caption", name=name))
    for inspection in facts.inspections[:1]:
        cites = {name: w.cite(name) for name in ("grad_cam", "occlusion", "tsne")}
        name = t.cell(inspection.model, inspection.variant)
        w.figure("attention", t("paper.attention", name=name, grad_cam=cites["grad_cam"], occlusion=cites["occlusion"]))
        w.figure("embedding", t("paper.embedding", name=name, n=len(inspection.embedding), cite=cites["tsne"]))
    if facts.sweeps:
        w.points([f"`{name}`: {sentence}" for name, sentence in summary.sweeps.items()])
        w.figure("studies", t("paper.studies"))
    if facts.contest:
        w.say(summary.contest)
        w.figure("contest", t("contest.caption"))


def _scores(runs: Sequence[RunFacts], t: Texts) -> Rows:
    validation, test = t("word.on_validation"), t("word.on_test")
    head = [t("word.training"), f"#F1, {validation}", f"#F1, {test}", f"#{t('word.interval')}", f"#{t('word.accuracy')}"]
    head += [f"#{t('trainings.gap')}", f"#{t('word.epoch').capitalize()}", f"#{t('word.time')}", t("trainings.verdict")]
    rows = [head]
    for run in runs:
        f1 = [score(split.macro_f1 if split else None) for split in (run.val, run.test)]
        span = t.span(run.interval.low, run.interval.high) if run.interval else NONE
        accuracy = percent(run.test.accuracy if run.test else None)
        epochs = t("word.of", n=run.best_epoch, of=run.n_epochs)
        name = f"{t.model(run.model)}, {variant_name(run.variant)}"
        verdict = t.verdict(run.verdict) or t("verdict.none")
        rows.append([name, *f1, span, accuracy, signed(run.gap), epochs, seconds(run.wall_s), verdict])
    return rows


def _discussion(w: _Writer, summary: Summary) -> None:
    t = w.t
    w.head("discussion")
    elsewhere = t("answer.fit_head")  # its sentence leads to a table of the page
    w.points([f"{head} {sentence}" for head, sentence in summary.answer if head != elsewhere])
    n = {state: sum(run.verdict == state for run in w.facts.runs) for state in ("good", "overfit", "underfit", "unsettled")}
    verdicts = t.listed([f"{t.verdict(state)} ({count})" for state, count in n.items() if count])
    w.say(t.n("paper.fits", len(w.facts.runs), told=verdicts) if verdicts else "")
    w.todo("todo_discussion")
    w.head("limitations")
    w.points([*summary.caveats, t("paper.few_nets"), *(note.text for note in w.facts.notes)])


def _ending(w: _Writer) -> None:
    t, runs = w.t, w.facts.runs
    w.head("again")
    w.say(t("paper.again_text", versions=", ".join(f"{name} {version}" for name, version in shared_versions(runs).items())))
    w.say("\n".join(["```sh", *(run.command or f"# {run.folder}: {t('lineage.no_command')}" for run in runs), "```"]))
    w.head("references")
    w.points([references()[key]["line"] for key in sorted(w.cited, key=lambda key: references()[key]["line"])])


def _settings(w: _Writer) -> None:
    facts, t = w.facts, w.t
    w.head("appendix")
    w.say(t("paper.settings"))
    w.table(
        [[t("compare.setting"), t("sweep.value")], *([f"`{row.key}`", t.setting(row.values[0])] for row in facts.same_settings)]
    )
    if facts.differing_settings:
        w.say(t("paper.differing"))
        names = [t.cell(run.model, run.variant) for run in facts.runs]
        w.table(
            [
                [t("compare.setting"), *names],
                *([f"`{row.key}`", *map(t.setting, row.values)] for row in facts.differing_settings),
            ]
        )


def is_unedited(out: Path) -> bool:
    """Return True where the paper at `out` is as it was written."""
    try:
        text = out.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    stamp = _STAMP.search(text)
    return stamp is not None and stamp[1] == digest_of_text(_STAMP.sub("", text).removesuffix("\n"))


def write_paper(paper: Paper, out: Path, folder: str) -> int:
    """Write the paper to `out` and its figures to `folder` beside it, and return their size in bytes.

    Raises:
        OutputError: it cannot be written.
    """
    size = sum(write_page(svg.encode(), out.parent / folder / f"{name}.svg") for name, svg in paper.figures.items())
    return size + write_page(paper.text.encode(), out)
