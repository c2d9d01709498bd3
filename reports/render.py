"""Facts to the bytes of one HTML file that needs nothing else. Equal facts give equal bytes."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reports import formats
from reports.evaluation_page import GroupPage, group_pages
from reports.facts import ReportFacts, RunFacts
from reports.figures import Figures, draw_all
from reports.summary import Summary, summarise
from reports.tables import Confusion, DigitRow, SplitRow, confusions, digits, shared_versions, splits

_TEMPLATES = Path(__file__).parent / "templates"
_FILTERS = (
    "model_name", "model_source", "variant_name", "cell_name", "verdict_word", "score", "signed", "span", "signed_span",
    "percent", "whole_percent", "count", "magnitude", "seconds", "setting", "leaf", "metric_name", "moment", "plural", "listed",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Everything that the templates place."""

    facts: ReportFacts
    summary: Summary
    figures: Figures
    evaluations: tuple[GroupPage, ...]
    shown: RunFacts | None
    splits: tuple[SplitRow, ...]
    confusions: tuple[Confusion, ...]
    digits: tuple[DigitRow, ...]
    versions: dict[str, str]
    style: Markup
    script: Markup
    policy: str


def render(facts: ReportFacts) -> bytes:
    """The page."""
    script = (_TEMPLATES / "script.js").read_text(encoding="utf-8")
    shown = facts.shown
    page = Page(
        facts=facts,
        summary=summarise(facts),
        figures=draw_all(facts),
        evaluations=group_pages(facts.evaluations),
        shown=shown,
        splits=splits(shown),
        confusions=confusions(shown),
        digits=digits(shown),
        versions=shared_versions(facts.runs),
        style=Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8")),
        script=Markup(script),
        policy=_policy(script),
    )
    return _environment().get_template("report.html.j2").render(page=page).encode()


def breakable(key: str) -> Markup:
    """A dotted key that may wrap after its dots and underscores."""
    return Markup(str(escape(key)).replace(".", ".<wbr>").replace("_", "_<wbr>"))


def unbroken(sentence: str) -> Markup:
    """A sentence whose `macro-F1` does not wrap at its hyphen."""
    return Markup(str(escape(sentence)).replace("macro-F1", '<span class="whole">macro-F1</span>'))


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update({name: getattr(formats, name) for name in _FILTERS})
    environment.filters["breakable"] = breakable
    environment.filters["unbroken"] = unbroken
    environment.filters["svg"] = Markup  # our own drawing, whose texts matplotlib has escaped
    return environment
