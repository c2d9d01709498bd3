"""`make soak ARGS="--kills 1000"`: agents killed by SIGKILL, over both storages, with trials alone, fused, and of two folds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cnn.tiles.tile_set import TileSet
from support.kills import Chaos

# Share of all kills. Played trainings are nearly all storage, real ones nearly all training: kills hit what takes longest.
_SHARES = {
    ("journal", "played"): 0.3,
    ("postgres", "played"): 0.3,
    ("journal", "alone"): 0.06,
    ("postgres", "alone"): 0.06,
    ("journal", "fused"): 0.06,
    ("postgres", "fused"): 0.06,
    ("journal", "folds"): 0.04,
    ("postgres", "folds"): 0.04,
    ("journal", "fused folds"): 0.04,
    ("postgres", "fused folds"): 0.04,
}


@pytest.mark.parametrize(("storage", "kind"), _SHARES)
def test_killed_agents_lose_no_trial_and_double_none(
    storage: str,
    kind: str,
    seed: int,
    tmp_path: Path,
    tiles: TileSet,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    n_kills = round(_SHARES[storage, kind] * request.config.getoption("--kills"))
    url = request.getfixturevalue("postgres_url") if storage == "postgres" else ""
    fuse, folds = 3 if "fused" in kind else 1, 2 if "folds" in kind else 1
    chaos = Chaos(folder=tmp_path, tiles=tiles, budget=8, storage=url, fuse=fuse, folds=folds, played=kind == "played")
    facts = chaos.run(n_kills, seed)
    record_property("kills", n_kills)
    record_property("trials", len(facts.trials))
