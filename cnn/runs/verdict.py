"""Diagnosis of over- and underfitting from the learning curves and the stored weights, and its sentence with an advice."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from arena.base.texts import ENGLISH, Words
from cnn.runs.folder import EpochRow, FitVerdict
from cnn.settings.data import DataKind

TEXTS = Path(__file__).parent / "texts"

# Chosen to agree with a teacher's eye on the curves; the numbers stand in the sentence, so a reader may disagree.
FITTED = 0.90  # macro-F1 on the training clips below which the net has not learnt even those
_WIDE_GAP = 0.10  # macro-F1 between training and validation
_LOSS_TURNED = 1.25  # last validation loss against its least
_STILL_RISING = 0.01  # validation macro-F1 over the last quarter of the epochs
_FEWEST_EPOCHS = 4  # below that the last quarter is no epoch
_LOW_RATE = 1e-4  # half of the least that the shipped sweep files try
_APART = 0.3  # macro-F1 of the last batches above the stored weights': batch normalisation averages over too few steps
_ENDED = 0.1  # last learning rate against its highest: less moves the weights hardly any more


@dataclass(frozen=True, kw_only=True, slots=True)
class FitScores:
    """Macro-F1 of the stored weights on training and validation clips, and how these clips differ."""

    train: float  # without augmentation
    train_accuracy: float
    val: float
    is_balanced: bool  # rare digits weigh more, or are drawn more often
    is_augmented: bool
    hears_val: bool  # training speakers say the validation clips too
    kind: DataKind = DataKind.SOUND


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """State of a fit with the numbers behind it; `reason` and `advice` are keys of the texts."""

    state: str  # good, overfit, underfit or unsettled
    reason: str
    advice: str  # empty for a good fit
    hears_val: bool
    kind: DataKind = DataKind.SOUND
    numbers: Mapping[str, float] = field(default_factory=dict)  # that the texts name
    n_epochs: int = 0


def diagnose(rows: Sequence[EpochRow], scores: FitScores) -> Diagnosis:
    """Diagnose a finished run from every epoch, at least one, and the scores of its stored weights."""
    least, last = _least_loss(rows), rows[-1]
    state, reason, advice = _find_reason(rows, scores)
    numbers = {
        "train": scores.train,
        "accuracy": scores.train_accuracy,
        "val": scores.val,
        "gap": scores.train - scores.val,
        "rise": _late_rise(rows) or 0.0,
        "batches": last.train_macro_f1,
        "rate": _highest_rate(rows),
        "least": least.val_loss,
        "last": last.val_loss,
        "epoch": least.epoch,
    }
    return Diagnosis(
        state=state,
        reason=reason,
        advice=advice,
        hears_val=scores.hears_val,
        kind=scores.kind,
        numbers=numbers,
        n_epochs=len(rows),
    )


def _find_reason(rows: Sequence[EpochRow], scores: FitScores) -> tuple[str, str, str]:
    """Return state, reason and advice: the first that holds."""
    least, last, rise = _least_loss(rows), rows[-1], _late_rise(rows)
    has_ended = last.learning_rate <= _ENDED * _highest_rate(rows)
    if scores.train >= FITTED and scores.train - scores.val > _WIDE_GAP:
        return "overfit", "gap", "other_data" if scores.is_augmented else "augment"
    if scores.train < FITTED and _highest_rate(rows) <= _LOW_RATE:
        return "underfit", "slow", "faster"
    if last.train_macro_f1 - scores.train > _APART:
        return "unsettled", "apart", "longer"
    if rise is None:
        return "unsettled", "few", "longer"
    if scores.train < FITTED:
        if rise > _STILL_RISING:
            return "underfit", "rising", "longer"
        if scores.train_accuracy >= FITTED and not scores.is_balanced:
            return "underfit", "rare", "balance"
        return ("underfit", "ended", "longer") if has_ended and not _was_flat(rows) else ("underfit", "flat", "larger")
    if last.val_loss > _LOSS_TURNED * least.val_loss and last.train_loss < least.train_loss:
        return "overfit", "turned", "earlier" if scores.is_augmented else "earlier_or_augment"
    return ("unsettled", "moving", "longer") if rise > _STILL_RISING and not has_ended else ("good", "settled", "")


def _highest_rate(rows: Sequence[EpochRow]) -> float:
    return max(row.learning_rate for row in rows)


def _least_loss(rows: Sequence[EpochRow]) -> EpochRow:
    return min(rows, key=lambda row: row.val_loss)


def _late_rise(rows: Sequence[EpochRow]) -> float | None:
    return _rise(rows, len(rows) // 4) if len(rows) >= _FEWEST_EPOCHS else None


def _was_flat(rows: Sequence[EpochRow]) -> bool:
    """Return True if the net stopped rising while its learning rate still moved it: at the end any curve is flat."""
    fast = [row for row in rows if row.learning_rate > _ENDED * _highest_rate(rows)]
    return len(fast) >= _FEWEST_EPOCHS and _rise(fast, len(fast) // 2) <= _STILL_RISING


def _rise(rows: Sequence[EpochRow], n_late: int) -> float:
    return max(row.val_macro_f1 for row in rows[-n_late:]) - max(row.val_macro_f1 for row in rows[:-n_late])


@functools.cache
def _texts(language: str, kind: DataKind) -> Words:
    return Words.read(TEXTS, language, kind)


def explain_diagnosis(diagnosis: Diagnosis, language: str = ENGLISH) -> str:
    """Return the reason with its numbers and the advice, in one sentence."""
    t = _texts(language, diagnosis.kind)
    numbers = {name: f"{value:.3f}" for name, value in diagnosis.numbers.items()}
    numbers |= {"rate": f"{diagnosis.numbers['rate']:.3g}", "epoch": f"{diagnosis.numbers['epoch']:.0f}"}
    held_out = t("held_out.known" if diagnosis.hears_val else "held_out.new")
    values = numbers | {"scores": t("reason.scores", held_out=held_out, **numbers)}
    reason = t.n(f"reason.{diagnosis.reason}", diagnosis.n_epochs, **values)
    return f"{reason}: {t(f'advice.{diagnosis.advice}')}." if diagnosis.advice else f"{reason}."


def judge(rows: Sequence[EpochRow], scores: FitScores) -> FitVerdict:
    """Return the verdict on a finished run as result.json keeps it."""
    diagnosis = diagnose(rows, scores)
    return FitVerdict(state=diagnosis.state, reason=explain_diagnosis(diagnosis))
