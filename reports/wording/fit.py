"""Sentence on a training's fit: its diagnosis with the advice, and how its gap stands among the others."""

from __future__ import annotations

from collections.abc import Sequence

from cnn.runs.verdict import FITTED, explain_diagnosis
from reports.facts.report import RunFacts
from reports.wording.formats import score
from reports.wording.page_texts import Texts

_FEWEST_GAPS = 3  # fewer have no widest and narrowest worth a word


def fit_sentence(run: RunFacts, runs: Sequence[RunFacts], t: Texts) -> str:
    """Return the diagnosis of `run`, and what tells its gap from those of `runs`: augmentation, and being an extreme."""
    if run.diagnosis is None:
        return ""
    sentences = [explain_diagnosis(run.diagnosis, t.language)]
    if run.diagnosis.numbers["train"] >= FITTED:
        sentences += [_twin(run, runs, t), _extreme(run, runs, t)]
    return " ".join(sentence for sentence in sentences if sentence)


def _twin(run: RunFacts, runs: Sequence[RunFacts], t: Texts) -> str:
    """State the gap of the same model on the same tiles, with augmentation or without."""
    cell = (run.model, run.filter, not run.augmented)
    twin = next((peer for peer in runs if (peer.model, peer.filter, peer.augmented) == cell), None)
    if twin is None or twin.gap is None:
        return ""
    return t("trainings.gap_with" if twin.augmented else "trainings.gap_without", gap=score(twin.gap))


def _extreme(run: RunFacts, runs: Sequence[RunFacts], t: Texts) -> str:
    gaps = sorted(peer.gap for peer in runs if peer.gap is not None)
    if len(gaps) < _FEWEST_GAPS:
        return ""
    if run.gap == gaps[-1] > gaps[-2]:
        return t("trainings.widest", n=len(gaps))
    return t("trainings.narrowest", n=len(gaps)) if run.gap == gaps[0] < gaps[1] else ""
