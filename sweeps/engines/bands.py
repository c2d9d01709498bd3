"""W&B's rule of hyperband: at each band of epochs the best 1/eta of the trials go on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from optuna.pruners import BasePruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from sweeps.sweepfile.stopping import EarlyTerminate

TWIN = "duplicate_of"  # attribute of a trial that repeats another's point


class BandPruner(BasePruner):
    """Ends a trial that is worse, at the last band it has passed, than the best 1/eta of all that came so far."""

    def __init__(self, early: EarlyTerminate) -> None:
        self._early = early

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Tell whether `trial` ends now. Fewer than eta trials at a band let its best go on alone, as in W&B's server."""
        sign = -1 if study.direction is StudyDirection.MAXIMIZE else 1
        histories = [_list_values(each, sign) for each in study.get_trials(deepcopy=False) if TWIN not in each.user_attrs]
        return is_weak(_list_values(trial, sign), histories, self._early)


def _list_values(trial: FrozenTrial, sign: int) -> list[float]:
    """List what a trial reported, epoch by epoch, smaller being better; W&B counts no value that is not finite."""
    values = trial.intermediate_values
    return [sign * values[epoch] for epoch in sorted(values) if math.isfinite(values[epoch])]


def is_weak(values: Sequence[float], histories: Sequence[Sequence[float]], early: EarlyTerminate) -> bool:
    """Tell whether a trial that reported `values` ends now, `histories` being those of all trials; smaller is better."""
    band = max((band for band in early.bands if band <= len(values)), default=None)
    if band is None:
        return False
    threshold = find_threshold([history[band - 1] for history in histories if len(history) >= band], early.eta)
    return (values[band - 1] if early.strict else min(values)) > threshold


def find_threshold(values: Sequence[float], eta: float) -> float:
    """Return the worst value that goes on."""
    return sorted(values)[int(1 / eta * len(values))] if values else math.inf
