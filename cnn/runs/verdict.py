"""Diagnosis of over- and underfitting from the learning curves and the stored weights, as a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from cnn.runs.folder import EpochRow, FitVerdict, Score

# Chosen to agree with a teacher's eye on the curves; the numbers stand in the sentence, so a reader may disagree.
_FITTED = 0.90  # macro-F1 on the training clips below which the net has not learnt even those
_WIDE_GAP = 0.10  # macro-F1 between training and validation
_LOSS_TURNED = 1.25  # last validation loss against its least
_STILL_RISING = 0.01  # validation macro-F1 over the last quarter of the epochs
_FEWEST_EPOCHS = 4  # below that the last quarter is no epoch


def judge(rows: Sequence[EpochRow], train: Score, val: Score, held_out: str, remedy: str) -> FitVerdict:
    """Judge a finished run.

    Args:
        rows: every epoch, at least one.
        train: the stored weights on the training clips, without augmentation.
        val: the stored weights on the validation clips.
        held_out: how validation differs, `speakers never heard in training` for instance.
        remedy: what may close a wide gap and has not been tried, `more speakers` for instance.
    """
    gap = train.macro_f1 - val.macro_f1
    rise = _late_rise(rows)
    scores = f"macro-F1 {train.macro_f1:.3f} on the training clips, {val.macro_f1:.3f} on {held_out}"
    if train.macro_f1 >= _FITTED and gap > _WIDE_GAP:
        return FitVerdict(
            state="overfit",
            reason=f"{scores}: a gap of {gap:.3f}, it knows its own clips better than the task; {remedy}.",
        )
    if rise is None:
        epochs = "1 epoch is" if len(rows) == 1 else f"{len(rows)} epochs are"
        return FitVerdict(state="unsettled", reason=f"{scores}: {epochs} too few to say more; train longer.")
    if train.macro_f1 < _FITTED:
        more = "still rising: train longer" if rise > _STILL_RISING else "no longer rising: try a larger net"
        return FitVerdict(state="underfit", reason=f"{scores}: it has not learnt even what it was shown, and is {more}.")
    least = min(rows, key=lambda row: row.val_loss)
    if rows[-1].val_loss > _LOSS_TURNED * least.val_loss and rows[-1].train_loss < least.train_loss:
        return FitVerdict(
            state="overfit",
            reason=f"validation loss turned up from {least.val_loss:.3f} (epoch {least.epoch}) to {rows[-1].val_loss:.3f} "
            "while training loss went on falling; stop earlier or augment.",
        )
    if rise > _STILL_RISING and rows[-1].learning_rate > 0.1 * max(row.learning_rate for row in rows):
        return FitVerdict(state="unsettled", reason=f"{scores}: it rose by {rise:.3f} in the last quarter; train longer.")
    return FitVerdict(state="good", reason=f"{scores}: a gap of {gap:.3f}, and both curves have settled.")


def _late_rise(rows: Sequence[EpochRow]) -> float | None:
    if len(rows) < _FEWEST_EPOCHS:
        return None
    n_late = len(rows) // 4
    return max(row.val_macro_f1 for row in rows[-n_late:]) - max(row.val_macro_f1 for row in rows[:-n_late])
