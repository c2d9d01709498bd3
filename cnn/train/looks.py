"""Validations between two updates, every `train.looks_every` of them: finer than epochs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnn.runs.folder import RunFolder, Score
from cnn.runs.looks import LookRow, write_looks


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """A validation within an epoch, before the epoch's losses are known."""

    updates: int  # since the training began
    seconds: float  # since the epoch began
    duration_s: float  # the validation alone
    score: Score


class Looks:
    """The lines of a training so far, and the losses since the last."""

    def __init__(self, every: int) -> None:
        self._every = every  # updates; 0: never
        self.rows: list[LookRow] = []
        self._losses: list[float] = []

    def is_due(self, updates: int) -> bool:
        """Return whether the update of this number, from 1, is followed by a look."""
        return self._every > 0 and updates % self._every == 0

    def record(self, looks: Sequence[Look], losses: Sequence[float], n_before: int, seconds_before: float) -> None:
        """Add the looks of an epoch with these losses, after `n_before` updates and as many seconds."""
        if not self._every:
            return
        first = n_before - len(self._losses)  # updates before the first of these losses
        self._losses += losses
        for look in looks:
            since, self._losses = self._losses[: look.updates - first], self._losses[look.updates - first :]
            first = look.updates
            row = LookRow(
                updates=look.updates,
                seconds=seconds_before + look.seconds,
                train_loss=sum(since) / len(since),
                val_loss=look.score.loss,
                val_macro_f1=look.score.macro_f1,
            )
            self.rows.append(row)

    def state_dict(self) -> dict[str, Any]:
        """Return the state to resume from."""
        return {"rows": [dataclasses.asdict(row) for row in self.rows], "losses": self._losses}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from a state; that of a checkpoint of old is empty."""
        self.rows = [LookRow(**row) for row in state.get("rows", ())]
        self._losses = list(state.get("losses", ()))

    def write(self, folder: RunFolder) -> None:
        """Write looks.csv, if there are looks at all."""
        if self._every:
            write_looks(folder, self.rows)
