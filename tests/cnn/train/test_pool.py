"""Several trainings in processes: the numbers of one at a time, failures that stop nobody else, kills that lose an epoch."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena
from arena.base.locks import open_locked, sign_lock
from arena.base.project import Project
from cnn.cli.train import app, train_with_bar
from cnn.config import RunConfig, default_config
from cnn.errors import RunError, SplitError
from cnn.overrides import override
from cnn.project import choose_cells, configure
from cnn.runs.folder import EpochRow, RunFolder, RunState, list_runs
from cnn.runs.marks import RunLabel, read_label
from cnn.tiles.tile_set import TileSet
from cnn.train.pool import TrainingPaths, train_all
from cnn.train.training_run import Decision, train
from support.paths import ROOT


def all_eight(tiles: TileSet, overrides: list[str]) -> list[RunConfig]:
    project = Project(folder=tiles.folder)
    cells = choose_cells(project, [], [], every=True)
    return [configure(project, tiles.info, cell, overrides) for cell in cells]


def test_two_processes_give_the_numbers_of_one(tiles: TileSet, tmp_path: Path) -> None:
    configs = all_eight(tiles, ["train.epochs=2"])
    assert len({config.digest for config in configs}) == 8
    heard: list[tuple[str, int]] = []
    folders = train_all(
        configs,
        TrainingPaths(tiles=tiles.folder, runs=tmp_path / "many"),
        2,
        lambda config, row: heard.append((config.digest, row.epoch)),
        print,
    )
    assert [folder.digest for folder in folders] == [config.digest for config in configs]
    assert sorted(heard) == sorted((config.digest, epoch) for config in configs for epoch in (1, 2))
    for config, folder in list(zip(configs, folders, strict=True))[::3]:
        alone = train(config, tiles, tmp_path / "alone")
        assert [replace(row, seconds=0) for row in folder.epochs()] == [replace(row, seconds=0) for row in alone.epochs()]
        assert folder.predictions() == alone.predictions()


def test_a_failed_training_stops_no_other_and_is_reported(tiles: TileSet, tmp_path: Path) -> None:
    good = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=1"])
    wild = ["train.learning_rate=10", "train.optimizer=sgd", "train.schedule=constant", "train.warmup=0", "train.epochs=9"]
    bad = override(good, wild)
    said: list[str] = []
    named = re.escape(f"lenet5 on raw ({tmp_path / bad.digest}):")
    with pytest.raises(RunError, match=rf"1 of 2 trainings failed, first: {named} the (validation )?loss became"):
        train_all([bad, good], TrainingPaths(tiles=tiles.folder, runs=tmp_path), 1, lambda _c, _r: None, said.append)
    assert RunFolder(tmp_path / good.digest).state() is RunState.FINISHED
    assert re.match(rf"failed: {named} the (validation )?loss became", said[0])


def test_a_training_that_another_process_does_is_waited_for_with_a_word_and_named_from_its_folder(
    tiles: TileSet, tmp_path: Path
) -> None:
    config = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=1"])
    folder = RunFolder(tmp_path / config.digest)
    lock = open_locked(folder.lock_file)
    sign_lock(lock)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        lock.close()

    train_all([config], TrainingPaths(tiles=tiles.folder, runs=tmp_path), 1, lambda _c, _r: None, say)
    (line,) = said
    assert line.startswith(f"lenet5 on raw: {folder.path} is in use by process {os.getpid()} since 20")
    words = [
        "--tiles",
        str(tiles.folder),
        "--runs",
        str(tmp_path),
        "train.epochs=1",
        "--name",
        "first",
        "--tag",
        "a",
        "--tag",
        "b",
    ]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    assert read_label(folder) == RunLabel(name="first", tags=("a", "b"))
    run = arena.train("lenet5", tiles=tiles.folder, runs=tmp_path, epochs=1, name="second", tags=["c"])
    assert (run.folder, run.line.name, run.line.tags) == (folder.path, "second", ("a", "b", "c"))
    several = CliRunner().invoke(app, [*words, "--all"])
    assert several.exit_code == 2
    assert "--name names one training, and these are 8" in re.sub(r"[\s│]+", " ", several.stderr)


FAULTY = """
from torch import nn

class Faulty(nn.Module):
    def __init__(self, settings, size, n_classes):
        super().__init__()
        self.last = nn.Linear(size * size, n_classes)

    def forward(self, x):
        if self.training and len(x) == 12:
            raise RuntimeError("boom")
        return self.last(x.flatten(1))
"""


def test_what_a_net_of_ones_own_raises_while_it_trains_is_one_line(tiles: TileSet, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(FAULTY)
    config = default_config(tiles.info, f"{path}:Faulty", "raw")
    config = override(config, ["train.epochs=1", "train.batch_size=12"])
    said: list[str] = []
    with pytest.raises(RunError) as raised:
        train_all([config], TrainingPaths(tiles=tiles.folder, runs=tmp_path / "runs"), 1, lambda _c, _r: None, said.append)
    assert str(raised.value) == (
        f"Faulty on raw ({tmp_path / 'runs' / config.digest}): {path} line 11: "
        "RuntimeError at step 1 (epoch 1, batch 1 of 10): boom; mend it and train again"
    )
    assert said == []


def test_a_training_that_goes_on_says_after_which_epoch(tiles: TileSet, tmp_path: Path) -> None:
    old, new = (override(default_config(tiles.info, "lenet5", variant), ["train.epochs=3"]) for variant in ("raw", "bilateral"))
    train(old, tiles, tmp_path, on_epoch=lambda row: Decision.PAUSE if row.epoch == 2 else Decision.CONTINUE)
    said: list[str] = []
    train_all([old, new], TrainingPaths(tiles=tiles.folder, runs=tmp_path), 1, lambda _c, _r: None, said.append)
    assert said == [f"lenet5 on raw: going on after epoch 2 of 3 ({tmp_path / old.digest})"]


def test_the_bar_ends_full_though_tables_of_epochs_were_lost(
    tiles: TileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configs = []
    for variant, n_trained in (("raw", 1), ("bilateral", 3)):  # the second was killed before its result was written
        config = override(default_config(tiles.info, "lenet5", variant), ["train.epochs=3"])

        def end(row: EpochRow, last: int = n_trained) -> Decision:
            if row.epoch == last:
                raise KeyboardInterrupt
            return Decision.CONTINUE

        with pytest.raises(KeyboardInterrupt):
            train(config, tiles, tmp_path, on_epoch=end)
        (tmp_path / config.digest / "epochs.csv").unlink()
        configs.append(config)
    train_with_bar(configs, TrainingPaths(tiles=tiles.folder, runs=tmp_path), 1)
    assert "training, epochs: 6 of 6 done" in capsys.readouterr().err


SCRIPT = """
import sys
from pathlib import Path
from cnn.config import default_config
from cnn.overrides import override
from cnn.tiles.tile_set import open_tiles
from cnn.train.pool import TrainingPaths, train_all

if __name__ == "__main__":
    tiles = open_tiles(Path(sys.argv[1]))
    bases = [default_config(tiles.info, "lenet5", variant) for variant in ("raw", "bilateral")]
    configs = [override(base, ["train.epochs=400"]) for base in bases]
    say = lambda c, row: print(row.epoch, flush=True)
    train_all(configs, TrainingPaths(tiles=tiles.folder, runs=Path(sys.argv[2])), 2, say, print)
"""


def test_children_end_with_a_killed_parent_and_leave_checkpoints(tiles: TileSet, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    runs = tmp_path / "runs"
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(script), str(tiles.folder), str(runs)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
    assert parent.stdout is not None
    while len([run for run in list_runs(runs) if run.epochs()]) < 2:
        assert parent.stdout.readline()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.read()  # ends when the last child has ended
    parent.stdout.close()
    n_epochs = [len(run.epochs()) for run in list_runs(runs)]
    time.sleep(0.5)
    assert [len(run.epochs()) for run in list_runs(runs)] == n_epochs
    assert all(run.state() is RunState.UNFINISHED for run in list_runs(runs))
    # A kill may fall between the two renames of a save: the checkpoint before it then goes on.
    assert all(list(run.path.glob("checkpoint*.pt")) for run in list_runs(runs))


def test_a_split_that_cannot_be_is_refused_before_anything_is_trained(tiles: TileSet, tmp_path: Path) -> None:
    good = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=1"])
    bad = override(good, ["split.kind=loso", "split.fold=5"])
    with pytest.raises(SplitError, match=r"split\.fold lies between 0 and 4 for 5 speakers, not 5"):
        train_all([good, bad], TrainingPaths(tiles=tiles.folder, runs=tmp_path), 1, lambda _c, _r: None, print)
    assert list(tmp_path.iterdir()) == []


def test_a_fold_that_fails_is_named(tiles: TileSet, tmp_path: Path) -> None:
    base = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=1", "split.kind=loso"])
    configs = [override(base, [f"split.fold={fold}", "train.seed=3"]) for fold in (1, 2)]
    train(configs[0], tiles, tmp_path)
    (tmp_path / configs[1].digest).write_text("in the way")
    said: list[str] = []
    with pytest.raises(RunError, match="1 of 2 trainings failed, first: lenet5 on raw, loso fold 2, seed 3: cannot"):
        train_all(configs, TrainingPaths(tiles=tiles.folder, runs=tmp_path), 1, lambda _c, _r: None, said.append)
    assert said[0].startswith("failed: lenet5 on raw, loso fold 2, seed 3: cannot write the run folder")


def test_nothing_is_heard_of_finished_runs(tiles: TileSet, tmp_path: Path) -> None:
    config = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=1"])
    heard: list[EpochRow] = []
    for _ in range(2):
        train_all([config], TrainingPaths(tiles=tiles.folder, runs=tmp_path), 1, lambda _c, row: heard.append(row), print)
    assert [row.epoch for row in heard] == [1]
