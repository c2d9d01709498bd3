"""Sentences on how trainings learnt: each only where the trainings show it, with the lowest and highest of the seeds."""

from __future__ import annotations

from reports.facts.learning import LearningCurve, LearningFacts, LearningPoint, Spread
from reports.wording.formats import score
from reports.wording.page_texts import Texts

_LEARNS_NOTHING = 0.5  # share of the normalised trainings' score


def name_value(facts: LearningFacts, value: str, t: Texts) -> str:
    """Name a value for people: `all` for a batch of 0, `plain SGD` for sgd."""
    key = f"learning.value.{value}"
    if facts.axis == "batch_size":
        key = "learning.value.all" if value == "0" else ""
    return t(key) if key and t.has(key) else value


def tell_learning(facts: LearningFacts, t: Texts) -> tuple[str, ...]:
    """Tell what the trainings show of what the course claims."""
    tell = {"optimizer": _tell_optimizers, "batch_size": _tell_batches, "normalise": _tell_raw}[facts.axis]
    return tell(facts, t)


def _tell_optimizers(facts: LearningFacts, t: Texts) -> tuple[str, ...]:
    sentences = []
    for value in ("adam", "adamw"):
        adam = next((curve for curve in facts.best if curve.value == value), None)
        plain = facts.at("sgd", adam.rate) if adam else None
        if adam and adam.last and plain and plain.last and plain.last.high < adam.last.low:
            words = {"epochs": facts.n_epochs, "rate": t.setting(adam.rate), "adam": name_value(facts, value, t)}
            sentences.append(t("learning.optimizers", plain=_span(plain.last, t), other=_span(adam.last, t), **words))
            best = next(curve for curve in facts.best if curve.value == "sgd")
            if best.last and best.rate != adam.rate:
                sentences.append(t("learning.own_rate", rate=t.setting(best.rate), plain=_span(best.last, t)))
        if adam and adam.least_loss and adam.least_loss.high < facts.n_epochs:
            least = adam.least_loss
            epochs = {"mean": f"{least.mean:.1f}", "low": f"{least.low:g}", "high": f"{least.high:g}"}
            sentences.append(t("learning.least_loss", name=name_value(facts, value, t), n=least.n, **epochs))
        if sentences:
            return tuple(sentences)
    return ()


def _tell_raw(facts: LearningFacts, t: Texts) -> tuple[str, ...]:
    for curve in facts.best:
        raw = facts.at("none", curve.rate)
        if curve.value == "none" or not curve.last or raw is None:
            continue
        words = {"rate": t.setting(curve.rate), "name": name_value(facts, curve.value, t), "other": _span(curve.last, t)}
        if not raw.last:
            return (t.n("learning.raw_fails", raw.n_failed, **words), *_tell_own_rate(facts, curve.rate, t))
        if raw.last.high < _LEARNS_NOTHING * curve.last.low:
            return (t("learning.raw", raw=_span(raw.last, t), **words), *_tell_own_rate(facts, curve.rate, t))
    return ()


def _tell_own_rate(facts: LearningFacts, rate: float, t: Texts) -> tuple[str, ...]:
    """Say what raw levels come to at a learning rate that suits them."""
    raw = next(curve for curve in facts.best if curve.value == "none")
    if not raw.last or raw.rate == rate:
        return ()
    return (t("learning.raw_own", rate=t.setting(raw.rate), raw=_span(raw.last, t)),)


def _tell_batches(facts: LearningFacts, t: Texts) -> tuple[str, ...]:
    """Compare the two values furthest apart of which one was validated after as many updates as the other made in all."""
    for large in sorted(facts.best, key=lambda curve: curve.n_updates or 1):
        for curve in sorted(facts.best, key=lambda each: -each.n_updates):
            small = facts.at(curve.value, large.rate)
            if small and small.n_updates > large.n_updates > 0 and (sentences := _compare_batches(facts, large, small, t)):
                return sentences
    return ()


def _find_point(curve: LearningCurve, updates: int) -> LearningPoint | None:
    return next((point for point in curve.points if point.updates == updates), None)


def _compare_batches(facts: LearningFacts, large: LearningCurve, small: LearningCurve, t: Texts) -> tuple[str, ...]:
    early = _find_point(small, large.points[-1].updates)
    if not early or not (large.last and small.last) or large.last.high >= small.last.low or large.last.mean < early.f1.low:
        return ()
    words = {
        "large": name_value(facts, large.value, t),
        "small": name_value(facts, small.value, t),
        "epochs": facts.n_epochs,
        "few": t.count(large.points[-1].updates),
        "many": t.count(small.points[-1].updates),
        "rate": t.setting(large.rate),
    }
    return (
        t("learning.batches", at_large=_span(large.last, t), at_small=_span(small.last, t), early=_span(early.f1, t), **words),
    )


def _span(value: Spread, t: Texts) -> str:
    """Return `0.973 (0.970 to 0.975 over 3 seeds)`."""
    return t.n("learning.span", value.n, mean=score(value.mean), span=t.span(value.low, value.high))
