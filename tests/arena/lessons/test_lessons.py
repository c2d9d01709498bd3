"""Lessons: every cell runs on small tiles in one process, and the figures at the end are those of this run."""

from __future__ import annotations

import math
import queue
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from arena.base.texts import read_words
from arena.lessons.notebook import TEXTS, build_lesson
from cnn.train import pool
from support.pictures import write_digit_tiles

SMALL = {  # values after the cell of parameters
    "mlp": "EPOCHS = 2",
    "scratch": "EPOCHS, HIDDEN, LOOK_EVERY = 3, (16,), 5",
    "optimisers": "EPOCHS, HIDDEN, SEEDS, BATCH_SIZES = 2, '8', (0, 1), (32, 0)",
    "autoencoder": "EPOCHS, LATENTS = 1, (2,)",
    "architectures": "EPOCHS, C, STACKS = 2, 2, dict([*STACKS.items()][:1])",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lessons")
    write_digit_tiles(folder / "tiles", 200)
    return folder


@pytest.fixture(autouse=True)
def _in_one_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train here rather than in a new process, which would load torch again."""

    def run_here(configs: Any, todo: Sequence[int], paths: Any, n_jobs: int) -> Iterator[Any]:
        tasks, events = queue.Queue[Any](), queue.Queue[Any]()
        for task in (*((number, configs[number]) for number in todo), None):
            tasks.put(task)
        pool._work(paths, tasks, events)
        while not events.empty():
            yield events.get()

    monkeypatch.setattr(pool, "_events", run_here)
    monkeypatch.setattr(pool, "follow_parent", lambda: None)
    monkeypatch.chdir(folder)
    plt.switch_backend("Agg")


def run(name: str, language: str, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    """Run the code cells with fewer steps; return their variables, and what the last one prints."""
    scope: dict[str, Any] = {"__name__": "lesson"}
    for cell in build_lesson(name, read_words(TEXTS, language))["cells"]:
        if cell["cell_type"] == "code":
            capsys.readouterr()
            exec(compile(cell["source"], f"<{cell['id']}>", "exec"), scope)
            if cell["metadata"].get("tags") == ["parameters"]:
                exec(SMALL[name], scope)
    plt.close("all")
    return scope, capsys.readouterr().out


def test_the_loop_by_hand_and_that_of_arena_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    scope, printed = run("mlp", "en", capsys)
    assert list(scope["curves"]) == ["SGD", "Adam", "arena.train, Adam"]
    for name, table in scope["curves"].items():
        assert list(table.index) == [1, 2]
        assert f"{name}: accuracy {table['val_accuracy'].iloc[-1]:.3f} after epoch 2" in printed
    assert scope["run"].config["train"]["optimizer"] == "adam"


def test_the_net_from_scratch_is_shown_checked_and_trained(capsys: pytest.CaptureFixture[str]) -> None:
    scope, printed = run("scratch", "es", capsys)
    assert scope["worst"] < 1e-6
    assert f"exactitud {scope['final']['val_accuracy']:.3f} con 40 datos de validación (al azar: 0.100)" in printed
    assert len(scope["looks"]) == 1 + scope["n_updates"] // 5


def test_optimisers_batches_and_scales_are_compared_one_thing_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    scope, printed = run("optimisers", "en", capsys)
    assert {name: len(runs) for name, runs in scope["by_optimiser"].items()} == dict.fromkeys(scope["OPTIMISERS"], 2)
    assert f"SGD {scope['sgd']['accuracy']:.3f}, Adam {scope['adam']['accuracy']:.3f}" in printed
    assert (scope["n_large"], scope["n_small"]) == (2, 8)
    means = scope["summarise"](scope["by_batch"])["accuracy"]
    assert f"largest batch: 2 updates, {means.iloc[-1]:.3f}; smallest: 8 updates, {means.iloc[0]:.3f}" in printed
    assert f"raw levels: {scope['scores']['none']:.3f}; chance: 0.100" in printed


def test_the_architectures_lesson_measures_fields_and_weights_and_looks_inside(capsys: pytest.CaptureFixture[str]) -> None:
    scope, printed = run("architectures", "es", capsys)
    assert [field[0] for field in scope["table"].query("kind == 'Conv2d'")["field"]] == [1, 3, 5, 7]
    assert list(scope["STACKS"]) == ["3 x 3, tres veces"]
    assert "tres de 3 x 3: 27 C^2 pesos; una de 7 x 7, que ve lo mismo: 49 C^2" in printed
    assert f"{scope['n_alike']} de {len(scope['truths'])} datos" in printed


def test_the_autoencoder_is_told_beside_pca_and_the_bilateral_filter(capsys: pytest.CaptureFixture[str]) -> None:
    scope, printed = run("autoencoder", "es", capsys)
    scores = scope["denoiser"].result.reconstruction.scores["val"]
    assert list(scope["table"].index) == [2]
    assert scope["gain_filter"] == pytest.approx(10 * math.log10(scores.filter_mse / scores.mse))
    assert f"{scope['gain']:+.1f} dB frente al tile con ruido" in printed
    assert f"con {len(scope['wins'])} de 1 tamaños" in printed
