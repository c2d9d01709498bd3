"""Trials of sweeps: they see no test clips, and the part that is added later is the one that a training writes."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from cnn.config import RunConfig, default_config
from cnn.errors import ConfigError, RunError
from cnn.overrides import override
from cnn.runs.folder import BLIND_PARTS, RunFolder, RunState
from cnn.runs.marks import TrialMark, mark_trial, read_trial_mark
from cnn.runs.wandb_mirror import Destination
from cnn.tiles.tile_set import TileSet
from cnn.train.mirrored import TrainingRequest, train_mirrored
from cnn.train.training_run import Decision, complete_run, train
from support.warm_python import WarmPython

MARK = TrialMark(study="lenet5.raw", number=3)
CHANGING = ("started_at", "finished_at", "wall_s", "n_clips_per_s")


def config(tiles: TileSet, model: str = "lenet5") -> RunConfig:
    small = ["train.epochs=2", "model.width=0.25", "train.batch_size=16"]
    return override(default_config(tiles.info, model, "raw+aug"), small)


def train_trial(chosen: RunConfig, tiles: TileSet, runs: Path) -> RunFolder:
    mark_trial(RunFolder(runs / chosen.digest), MARK)
    request = TrainingRequest(config=chosen, tiles=tiles, runs=runs, device="cpu", parts=BLIND_PARTS)
    return train_mirrored(request, Destination(mode="off"), print)


def contents(run: RunFolder) -> tuple[object, ...]:
    """What a training wrote, but its times."""
    result = json.loads((run.path / "result.json").read_text())
    facts = {key: value for key, value in result.items() if key not in CHANGING}
    return facts, (run.path / "predictions.csv").read_bytes(), (run.path / "model.pt").read_bytes()


@pytest.mark.parametrize("model", ["lenet5", "resnet"])
def test_a_trial_has_no_test_part_and_the_one_that_is_added_equals_a_trainings_to_the_bit(
    model: str, tiles: TileSet, tmp_path: Path
) -> None:
    chosen = config(tiles, model)
    whole = train(chosen, tiles, tmp_path / "whole", device="cpu")
    run = train_trial(chosen, tiles, tmp_path / "runs")
    assert "test" not in (run.path / "result.json").read_text().replace("latest", "")
    assert {row.split for row in run.predictions()} == {"val"}
    assert (run.is_trial, run.is_whole) == (True, False)
    request, said = TrainingRequest(config=chosen, tiles=tiles, runs=tmp_path / "runs", device="cpu"), list[str]()
    assert train_mirrored(request, Destination(mode="off"), said.append) == run
    assert said == [f"{run.path} was trial 3 of lenet5.raw and counts as a training from now on, with its test part"]
    assert contents(run) == contents(whole)
    assert (run.is_trial, run.is_whole) == (False, True)
    assert train_trial(chosen, tiles, tmp_path / "runs") == run  # a study that asks again leaves it chosen
    assert read_trial_mark(run) == TrialMark(study=MARK.study, number=MARK.number, is_chosen=True)


KILLED = """
import os, signal, sys
from pathlib import Path
from cnn.runs.folder import RunFolder
from cnn.tiles.tile_set import open_tiles
from cnn.train.training_run import complete_run

n_left = int(sys.argv[3])

def kill(event, arguments):
    global n_left
    if event == "os.rename":
        n_left -= 1
        if n_left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
complete_run(RunFolder(Path(sys.argv[2])), open_tiles(Path(sys.argv[1])), "cpu")
"""


def test_a_kill_between_any_two_files_leaves_a_trial_that_is_completed_later(
    tiles: TileSet, tmp_path: Path, warm_python: WarmPython
) -> None:
    chosen = config(tiles)
    whole = train(chosen, tiles, tmp_path / "whole", device="cpu")
    run = train_trial(chosen, tiles, tmp_path / "runs")
    blind = run.result(), run.predictions()
    for n_renames in (0, 1, 2):
        ended = warm_python.run("-c", KILLED, str(tiles.folder), str(run.path), str(n_renames))
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert (run.result(), run.predictions()) == blind
        assert run.is_trial
    assert contents(complete_run(run, tiles, "cpu")) == contents(whole)
    assert run.is_whole


def test_what_an_older_version_scored_of_a_trial_stays_but_is_not_seen_until_it_is_chosen(
    tiles: TileSet, tmp_path: Path
) -> None:
    run = train(config(tiles), tiles, tmp_path, device="cpu")
    before = contents(run)
    run.trial_file.write_text('{"study": "lenet5.raw", "number": 3}')
    result = run.result()
    assert result is not None
    assert set(result.scores) == set(result.speakers) == {"train", "val"}
    assert {row.split for row in run.predictions()} == {"val"}
    run.update_result(wandb_mode="off")
    assert contents(run) == before
    (run.path / "model.pt").unlink()  # it is not scored again
    complete_run(run, tiles, "cpu")
    assert run.is_whole


def test_a_run_is_shown_as_that_of_whoever_finished_it(tiles: TileSet, tmp_path: Path) -> None:
    chosen = config(tiles)
    pause = TrainingRequest(
        config=chosen, tiles=tiles, runs=tmp_path, device="cpu", on_epoch=lambda row: Decision.PAUSE, parts=BLIND_PARTS
    )
    folder = RunFolder(tmp_path / chosen.digest)
    mark_trial(folder, MARK)
    train_mirrored(pause, Destination(mode="off"), print)
    assert (folder.state(), folder.is_trial) == (RunState.UNFINISHED, True)
    assert train(chosen, tiles, tmp_path, device="cpu").is_whole
    other = tmp_path / "other"
    train(chosen, tiles, other, device="cpu", on_epoch=lambda row: Decision.PAUSE)
    run = train_trial(chosen, tiles, other)
    assert (run.state(), run.is_trial, run.is_whole) == (RunState.FINISHED, True, False)


def test_other_tiles_and_damaged_weights_are_refused_and_change_nothing(tiles: TileSet, tmp_path: Path) -> None:
    run = train_trial(config(tiles), tiles, tmp_path)
    (run.path / "model.pt").write_bytes(b"nonsense")
    before = contents(run)
    with pytest.raises(RunError, match=r"model\.pt is damaged .*; delete .* and train again"):
        complete_run(run, tiles, "cpu")
    content = run.config()
    run.write_config(content | {"corpus": "another"})
    with pytest.raises(ConfigError, match="was made for other tiles"):
        complete_run(run, tiles, "cpu")
    assert contents(run) == before
    assert run.is_trial
