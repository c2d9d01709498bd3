"""Sentences on digits that are nowhere said, on those that training had few of, and on the balance that made up for it."""

from __future__ import annotations

from arena.base.texts import format_labels
from cnn.config import SKEWED
from reports.facts.report import RunFacts, SplitFacts
from reports.wording.formats import percent
from reports.wording.page_texts import Texts

_PARTS = ("train", "val", "test")


def digits_sentence(run: RunFacts, t: Texts) -> str:
    """Say which digits a part lacks, over how many the mean is then, and how the rare digits of training are recognised."""
    parts: dict[tuple[str, ...], list[str]] = {}
    for name in _PARTS:
        if (split := run.splits.get(name)) and (absent := list_absent(run, split)):
            parts.setdefault(absent, []).append(t(f"digits.{name}"))
    sentences = [absent_sentence(absent, len(run.labels), t.listed(names), t) for absent, names in parts.items()]
    return " ".join([*sentences, *_rare(run, t)])


def list_absent(run: RunFacts, split: SplitFacts) -> tuple[str, ...]:
    """Return the labels that no clip of a part has."""
    return tuple(label for label, row in zip(run.labels, split.confusion, strict=True) if not any(row))


def absent_sentence(absent: tuple[str, ...], n_labels: int, clips: str, t: Texts) -> str:
    """Say that some clips, such as `the test clips`, lack digits, and over how many the mean is."""
    return t.n("digits.absent", len(absent), labels=format_labels(absent, t("word.to")), clips=clips, of=n_labels - len(absent))


def _rare(run: RunFacts, t: Texts) -> list[str]:
    """State the recall of each digit that has at most 1 / SKEWED of the training clips of the most frequent one."""
    train, scored = run.splits.get("train"), run.test or run.val
    if not train or not scored:
        return []
    sizes = [sum(row) for row in train.confusion]
    rare = [k for k, n in enumerate(sizes) if 0 < n * SKEWED <= max(sizes)]
    if not rare:
        return []
    recalls = t.listed([t("digits.recall", digit=run.labels[k], recall=_recall(scored, k), n=sizes[k]) for k in rare])
    others = [k for k, n in enumerate(sizes) if n and k not in rare and sum(scored.confusion[k])]
    mean = sum(scored.confusion[k][k] / sum(scored.confusion[k]) for k in others) / len(others) if others else None
    part = t("digits.test" if run.test else "digits.val")
    balance = t(f"digits.balance_{run.config.get('train.balance', 'none')}")
    return [t("digits.rare", recalls=recalls, part=part, others=percent(mean), most=max(sizes), balance=balance)]


def _recall(split: SplitFacts, k: int) -> str:
    n = sum(split.confusion[k])
    return percent(split.confusion[k][k] / n if n else None)
