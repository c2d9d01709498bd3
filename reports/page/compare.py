"""Page of a comparison: the bytes of one HTML file, in the look of the report."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from reports.page.csv_data import csv_uri
from reports.page.render import assets, environment
from reports.reading.compare import CompareFacts
from reports.wording.formats import score, signed, whole_percent
from reports.wording.page_texts import Texts, page_texts
from reports.wording.summary import units


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparePage:
    """All values of the template."""

    facts: CompareFacts
    lead: str
    table: str  # data URI
    style: Markup
    script: Markup
    policy: str


def render_comparison(facts: CompareFacts) -> bytes:
    """Render the page."""
    t = page_texts(facts)
    style, script, policy = assets()
    page = ComparePage(
        facts=facts, lead=comparison_lead(facts, t), table=csv_uri(_rows(facts)), style=style, script=script, policy=policy
    )
    return environment(t).get_template("compare.html.j2").render(page=page).encode()


def comparison_lead(facts: CompareFacts, t: Texts) -> str:
    """Name the better side with the difference and its interval; or state that there is none."""
    mean = facts.mean
    if mean is None:
        return t("compare.lead_none")
    interval = mean.interval
    over, level = t.n("compare.over", len(mean.parts)), whole_percent(interval.level)
    if not mean.is_clear:
        span = t.signed_span(interval.low, interval.high)
        sides = {"a": facts.a, "b": facts.b, "value": signed(mean.value)}
        return t("compare.lead_level", units=units(interval, t), over=over, level=level, span=span, **sides)
    better, worse = (facts.a, facts.b) if mean.value > 0 else (facts.b, facts.a)
    ends = sorted((abs(interval.low), abs(interval.high)))
    value = score(abs(mean.value))
    return t("compare.lead_clear", better=better, worse=worse, value=value, over=over, level=level, span=t.span(*ends))


def _rows(facts: CompareFacts) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [("model", "variant", "run_a", "run_b", "f1_a", "f1_b", "a_minus_b", "low", "high")]
    for pair in facts.pairs:
        runs = (pair.a.digest if pair.a else None, pair.b.digest if pair.b else None)
        f1 = (side.test.macro_f1 if side and side.test else None for side in (pair.a, pair.b))
        difference = pair.difference
        rows.append(
            (pair.model, pair.variant, *runs, *f1)
            + ((difference.value, difference.interval.low, difference.interval.high) if difference else (None, None, None))
        )
    return rows
