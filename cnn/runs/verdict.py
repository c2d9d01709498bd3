"""Diagnosis of over- and underfitting from the learning curves and the stored weights, and its sentence with an advice."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from arena.base.texts import ENGLISH, Words
from cnn.runs.folder import EpochRow, FitVerdict

TEXTS = Path(__file__).parent / "texts"

# Chosen to agree with a teacher's eye on the curves; the numbers stand in the sentence, so a reader may disagree.
_FITTED = 0.90  # macro-F1 on the training clips below which the net has not learnt even those
_WIDE_GAP = 0.10  # macro-F1 between training and validation
_LOSS_TURNED = 1.25  # last validation loss against its least
_STILL_RISING = 0.01  # validation macro-F1 over the last quarter of the epochs
_FEWEST_EPOCHS = 4  # below that the last quarter is no epoch
_LOW_RATE = 1e-4  # half of the least that the shipped sweep files try
_ENDED = 0.1  # last learning rate against its highest: less moves the weights hardly any more


@dataclass(frozen=True, kw_only=True, slots=True)
class FitScores:
    """Macro-F1 of the stored weights on training and validation clips, and how these clips differ."""

    train: float  # without augmentation
    val: float
    is_augmented: bool
    hears_val: bool  # training speakers say the validation clips too


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """What the curves say; `reason` and `advice` are keys of the texts."""

    state: str  # good, overfit, underfit or unsettled
    reason: str
    advice: str  # empty for a good fit
    hears_val: bool
    numbers: Mapping[str, float] = field(default_factory=dict)  # that the texts name
    n_epochs: int = 0


def diagnose(rows: Sequence[EpochRow], scores: FitScores) -> Diagnosis:
    """Diagnose a finished run from every epoch, at least one, and the scores of its stored weights."""
    least, last = min(rows, key=lambda row: row.val_loss), rows[-1]
    peak = max(row.learning_rate for row in rows)
    rise = _late_rise(rows)
    numbers = {
        "train": scores.train,
        "val": scores.val,
        "gap": scores.train - scores.val,
        "rise": rise or 0.0,
        "rate": peak,
        "least": least.val_loss,
        "last": last.val_loss,
        "epoch": least.epoch,
    }

    def say(state: str, reason: str, advice: str) -> Diagnosis:
        return Diagnosis(
            state=state, reason=reason, advice=advice, hears_val=scores.hears_val, numbers=numbers, n_epochs=len(rows)
        )

    if scores.train >= _FITTED and numbers["gap"] > _WIDE_GAP:
        return say("overfit", "gap", "other_data" if scores.is_augmented else "augment")
    if scores.train < _FITTED and peak <= _LOW_RATE:
        return say("underfit", "slow", "faster")
    if rise is None:
        return say("unsettled", "few", "longer")
    has_ended = last.learning_rate <= _ENDED * peak
    if scores.train < _FITTED:
        if rise > _STILL_RISING:
            return say("underfit", "rising", "longer")
        if has_ended and not _was_flat([row for row in rows if row.learning_rate > _ENDED * peak]):
            return say("underfit", "ended", "longer")
        return say("underfit", "flat", "larger")
    if last.val_loss > _LOSS_TURNED * least.val_loss and last.train_loss < least.train_loss:
        return say("overfit", "turned", "earlier" if scores.is_augmented else "earlier_or_augment")
    if rise > _STILL_RISING and not has_ended:
        return say("unsettled", "moving", "longer")
    return say("good", "settled", "")


def _late_rise(rows: Sequence[EpochRow]) -> float | None:
    return _rise(rows, len(rows) // 4) if len(rows) >= _FEWEST_EPOCHS else None


def _was_flat(fast: Sequence[EpochRow]) -> bool:
    """Return True if the net stopped rising while its learning rate still moved it: at the end any curve is flat."""
    return len(fast) >= _FEWEST_EPOCHS and _rise(fast, len(fast) // 2) <= _STILL_RISING


def _rise(rows: Sequence[EpochRow], n_late: int) -> float:
    return max(row.val_macro_f1 for row in rows[-n_late:]) - max(row.val_macro_f1 for row in rows[:-n_late])


@functools.cache
def _texts(language: str) -> Words:
    return Words.read(TEXTS, language)


def explain(diagnosis: Diagnosis, language: str = ENGLISH) -> str:
    """Return the reason with its numbers and the advice, in one sentence."""
    t = _texts(language)
    numbers = {name: f"{value:.3f}" for name, value in diagnosis.numbers.items()}
    numbers |= {"rate": f"{diagnosis.numbers['rate']:.3g}", "epoch": f"{diagnosis.numbers['epoch']:.0f}"}
    held_out = t("held_out.known" if diagnosis.hears_val else "held_out.new")
    values = numbers | {"scores": t("reason.scores", held_out=held_out, **numbers)}
    reason = t.n(f"reason.{diagnosis.reason}", diagnosis.n_epochs, **values)
    return f"{reason}: {t(f'advice.{diagnosis.advice}')}." if diagnosis.advice else f"{reason}."


def judge(rows: Sequence[EpochRow], scores: FitScores) -> FitVerdict:
    """Return the verdict on a finished run as result.json keeps it."""
    diagnosis = diagnose(rows, scores)
    return FitVerdict(state=diagnosis.state, reason=explain(diagnosis))
