"""Speaker folds of a study: who validates in each, while the test speakers stay unheard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def plan_folds(tiles: Path, base: Mapping[str, Any], n_folds: int) -> tuple[dict[str, Any], ...]:
    """Return the split of each fold as a part of a configuration; none for a single fold, which is the study's own split.

    Raises cnn's errors: the clips cannot give so many folds.
    """
    from cnn.config import config_to_dict
    from cnn.errors import SplitError
    from cnn.overrides import config_from_dict
    from cnn.splits import make_folds, make_split
    from cnn.tiles.tile_set import open_tiles

    if n_folds == 1:
        return ()
    clips, settings = open_tiles(tiles).clips, config_from_dict(base).split
    try:
        folds = make_folds(clips, settings, n_folds)
        for fold in folds:
            make_split(clips, fold)
    except SplitError as error:
        raise SplitError(error.in_evaluation) from error
    return tuple(config_to_dict(fold) for fold in folds)
