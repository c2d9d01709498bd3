"""Agents killed by SIGKILL: a slice of what `make soak` does a thousand times."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnn.tiles.tile_set import TileSet
from support.kills import Chaos

SEED = 20


@pytest.mark.parametrize(("storage", "n_kills"), [("journal", 40), ("postgres", 8)])
def test_kills_between_any_two_writes_lose_no_trial_and_double_none(
    storage: str, n_kills: int, tmp_path: Path, tiles: TileSet, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if storage == "postgres" else ""
    Chaos(folder=tmp_path, tiles=tiles, budget=8, storage=url, played=True).run(n_kills, SEED)


def test_kills_in_the_middle_of_real_trainings_leave_every_run_folder_whole(tmp_path: Path, tiles: TileSet) -> None:
    Chaos(folder=tmp_path, tiles=tiles, budget=3).run(8, SEED)
