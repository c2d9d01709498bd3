"""Page of a report: the bytes of one HTML file that needs nothing else. Equal facts give equal bytes."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from cnn.runs import DataKind
from reports.facts.report import ReportFacts, RunFacts
from reports.figures.canvas import css_variable, model_colour
from reports.figures.contest import MOST_TEAMS
from reports.figures.groups import MOST_ROWS
from reports.page.autoencoders import AutoencoderPage, autoencoder_pages
from reports.page.csv_data import csv_tables
from reports.page.evaluations import GroupPage, group_pages
from reports.page.figures import Figures, draw_all
from reports.page.inspections import InspectionPage, inspection_pages
from reports.page.learning import LearningPage, learning_pages
from reports.page.outline import PageOutline, make_outline
from reports.page.studies import StudyPage, study_pages
from reports.page.tables import Confusion, DigitRow, SplitRow, confusions, digits, shared_versions, splits
from reports.wording import formats
from reports.wording.autoencoders import describe_autoencoders
from reports.wording.fit import fit_sentence
from reports.wording.page_texts import Texts, page_texts
from reports.wording.summary import Summary, describe_tested, summarise

_GLOSSARY = ("macro_f1", "val_test", "interval", "held", "paired", "interaction", "fit", "pruned", "importance")
_MOST_LETTERS = 2  # a label that fits where a digit does
_TEMPLATES = Path(__file__).parent / "templates"
_FILTERS = (
    "variant_name", "score", "signed", "percent", "whole_percent", "magnitude", "seconds", "leaf", "moment",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportPage:
    """All values of the templates."""

    facts: ReportFacts
    outline: PageOutline
    summary: Summary
    figures: Figures
    tables: dict[str, str]  # data URIs of CSV files, by name
    evaluations: tuple[GroupPage, ...]
    inspections: tuple[InspectionPage, ...]
    autoencoders: tuple[AutoencoderPage, ...]
    autoencoder_claims: tuple[str, ...]
    learning: tuple[LearningPage, ...]
    studies: dict[str, StudyPage]
    main_run: RunFacts | None
    reasons: dict[str, str]  # reason of each verdict, by digest
    splits: tuple[SplitRow, ...]
    confusions: tuple[Confusion, ...]
    digits: tuple[DigitRow, ...]
    versions: str
    glossary: tuple[str, ...]
    models: tuple[str, ...]  # models whose source is known
    lacks_sound: bool
    has_speakers: bool
    tested: str  # sentences on whose clips validate and test, each after a space
    has_names: bool  # labels are words, which need more room than digits
    most_teams: int
    most_groups: int
    style: Markup
    script: Markup
    policy: str


def render_report(facts: ReportFacts) -> bytes:
    """Render the page."""
    t = page_texts(facts)
    style, script, policy = assets()
    main_run = facts.main_run
    page = ReportPage(
        facts=facts,
        outline=make_outline(facts, t),
        summary=summarise(facts),
        figures=draw_all(facts),
        tables=csv_tables(facts),
        evaluations=group_pages(facts.evaluations, t),
        inspections=inspection_pages(facts.inspections, t),
        autoencoders=autoencoder_pages(facts.autoencoders, t),
        autoencoder_claims=describe_autoencoders(facts, t),
        learning=learning_pages(facts.learning, t),
        studies=study_pages(facts.sweeps or ()),
        main_run=main_run,
        reasons={run.digest: fit_sentence(run, facts.runs, t) for run in facts.runs},
        splits=splits(main_run),
        confusions=confusions(main_run),
        digits=digits(main_run),
        versions=", ".join(f"{name} {version}" for name, version in shared_versions(facts.runs).items()),
        glossary=tuple(term for term in _GLOSSARY if term != "held" or facts.evaluations),
        models=tuple(name for name in dict.fromkeys(cell.model for cell in facts.cells) if t.source(name)),
        lacks_sound=facts.kind is DataKind.SOUND and not any(media.sound for media in facts.media.values()),
        has_speakers=facts.kind is DataKind.SOUND,
        tested=describe_tested(facts, t),
        has_names=max(map(len, facts.labels), default=0) > _MOST_LETTERS,
        most_teams=MOST_TEAMS,
        most_groups=MOST_ROWS,
        style=style,
        script=script,
        policy=policy,
    )
    return environment(t).get_template("report.html.j2").render(page=page).encode()


def breakable(key: str) -> Markup:
    """Let a dotted key wrap after its dots and underscores."""
    return Markup(str(escape(key)).replace(".", ".<wbr>").replace("_", "_<wbr>"))


def unbroken(sentence: str) -> Markup:
    """Keep `macro-F1` in a sentence from wrapping at its hyphen."""
    return Markup(str(escape(sentence)).replace("macro-F1", '<span class="whole">macro-F1</span>'))


def coded(sentence: str) -> Markup:
    """Set the parts of a sentence between backticks as code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(sentence))))


def assets() -> tuple[Markup, Markup, str]:
    """Return style sheet, script, and the content security policy that allows them alone."""
    style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    script = (_TEMPLATES / "script.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; media-src data:"
    return Markup(style), Markup(script), f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def environment(t: Texts) -> Environment:
    """Return the templates with their filters, and the texts of the page's language as `t`."""
    result = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    result.filters.update({name: getattr(formats, name) for name in _FILTERS})
    result.filters.update(breakable=breakable, unbroken=unbroken, coded=coded)
    result.filters["svg"] = Markup  # our own drawing, whose texts are escaped
    result.globals["t"] = t
    result.globals["variable"] = lambda model: css_variable(model_colour(model, t))
    return result
