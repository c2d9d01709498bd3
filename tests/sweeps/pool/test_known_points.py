"""Points that `arena sweep run` lets a study try first: the default recipe, `--try`, `--from`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnn.tiles.tile_set import TileSet
from support.studies import BAYES, claimed, finished, make_study, open_engine
from sweeps.errors import StudyError
from sweeps.pool.agent_options import AgentOptions
from sweeps.pool.plan import Locations, Search, SweepRequest, plan
from sweeps.study.points import DEFAULT, KnownPoint

RATE, SIZE = "train.learning_rate", "train.batch_size"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "s.yaml"
    path.write_text(f"{BAYES}  model.depth: {{value: 3}}\n".replace("[16, 32, 64]", "[16, 64]"))
    return str(path)


def choose(tiles: TileSet, file: str, **search: Any) -> tuple[tuple[KnownPoint, ...], list[str]]:
    request = SweepRequest(
        search=Search(files=(file,), variants=("raw",), budget=9, **search),
        locations=Locations(tiles=tiles.folder),
        options=AgentOptions(studies_dir=Path(file).parent),
    )
    (spec,), notes = plan(request)
    return spec.points, notes


def test_the_default_recipe_is_what_arena_train_would_train_with_the_projects_settings(tiles: TileSet, file: str) -> None:
    points, _ = choose(tiles, file)
    assert points == (KnownPoint(values={RATE: 0.002, SIZE: 64}, origin=DEFAULT),)
    points, _ = choose(tiles, file, settings=(f"{RATE}=0.05",))
    assert points == (KnownPoint(values={RATE: 0.05, SIZE: 64}, origin=DEFAULT),)


def test_a_default_recipe_outside_the_space_is_named_and_not_tried(tiles: TileSet, file: str) -> None:
    points, notes = choose(tiles, file, settings=(f"{SIZE}=128",))
    assert points == ()
    assert notes[-1] == f"note: the default recipe is not tried first: {SIZE} 128 is none of 16, 64 of {file}"


def test_a_grid_has_no_default_recipe(tiles: TileSet, tmp_path: Path) -> None:
    path = tmp_path / "g.yaml"
    path.write_text("method: grid\nparameters:\n  train.batch_size: {values: [32, 64]}\n")
    assert choose(tiles, str(path))[0] == ()


def test_points_of_try_take_the_rest_from_the_default_recipe_and_each_counts_once(tiles: TileSet, file: str) -> None:
    points, _ = choose(tiles, file, tries=("lr=0.01", "batch_size=16, lr=0.03", "lr=0.002", "learning_rate=0.01,batch_size=64"))
    assert [(point.origin, *point.values.values()) for point in points] == [
        (DEFAULT, 0.002, 64),
        ("--try", 0.01, 64),
        ("--try", 0.03, 16),
    ]


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("lr=0.5", (), f"--try lr=0.5: {RATE} 0.5 lies outside 0.001 to 0.1 of FILE"),
        ("batch_size=48", (), f"--try batch_size=48: {SIZE} 48 is none of 16, 64 of FILE"),
        (
            "lr=0.01",
            (f"{SIZE}=128",),
            f"--try lr=0.01: {SIZE} 128 is none of 16, 64 of FILE, and it is the default; name {SIZE} too",
        ),
        ("depth=4", (), "--try depth=4: model.depth 4 is none of 3 of FILE"),
        ("epochs=4", (), f"--try epochs=4: FILE does not tune train.epochs, only {RATE}, {SIZE}"),
        ("lr=0.01,lr=0.02", (), "--try lr=0.01,lr=0.02 names a key twice; give each once"),
        ("lr=fast", (), f"--try lr=fast: {RATE} takes a number, not 'fast'"),
    ],
)
def test_a_point_that_the_space_does_not_have_is_refused_with_the_numbers(
    tiles: TileSet, file: str, text: str, settings: tuple[str, ...], message: str
) -> None:
    with pytest.raises(StudyError) as caught:
        choose(tiles, file, tries=(text,), settings=settings)
    assert str(caught.value) == message.replace("FILE", file)


def test_from_takes_the_three_best_points_of_another_study_that_lie_in_the_space(
    tiles: TileSet, file: str, tmp_path: Path
) -> None:
    make_study(tmp_path / "old", BAYES.replace("bayes", "random"), budget=9)
    engine = open_engine(tmp_path / "old")
    sizes = []
    for _ in range(9):
        claim = claimed(engine)
        sizes.append(claim.params[SIZE])
        engine.finish(claim, finished(0.1 * claim.number))
    best = [number for number in range(8, -1, -1) if sizes[number] != 32][:3]
    points, notes = choose(tiles, file, source=str(tmp_path / "old" / "lenet5.raw"))
    assert [point.origin for point in points] == [DEFAULT, *["--from lenet5.raw"] * len(best)]
    assert [point.values[SIZE] for point in points[1:]] == [sizes[number] for number in best]
    assert f"the points of lenet5.raw's best trials, {', '.join(map(str, best))}" in notes[-1]


def test_from_takes_feasible_points_first(tiles: TileSet, file: str, tmp_path: Path) -> None:
    make_study(tmp_path, BAYES.replace("[16, 32, 64]", "[16, 64]") + "arena: {constraints: {seconds: 2}}\n", name="other")
    engine = open_engine(tmp_path, "other")
    for seconds, value in ((1.0, 0.1), (3.0, 0.9)):
        engine.finish(claimed(engine), replace(finished(value), seconds=seconds))
    assert "best trials, 0, 1" in choose(tiles, file, source="other")[1][-1]


def test_from_refuses_a_study_without_a_point_for_this_one(tiles: TileSet, file: str, tmp_path: Path) -> None:
    make_study(tmp_path, BAYES.replace("[16, 32, 64]", "[128, 256]"), name="other")
    with pytest.raises(StudyError, match="--from other: it has no finished trial"):
        choose(tiles, file, source="other")
    engine = open_engine(tmp_path, "other")
    engine.finish(claimed(engine), finished(0.5))
    with pytest.raises(
        StudyError, match=r"--from other: none of its 1 finished trials lies within .* such as trial 0: train.batch_size"
    ):
        choose(tiles, file, source="other")
    with pytest.raises(StudyError, match=r"no study 'otter' in .*; did you mean 'other'"):
        choose(tiles, file, source="otter")
