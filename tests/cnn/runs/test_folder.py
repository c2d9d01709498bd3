"""The run folder: written whole, read back as it was."""

from __future__ import annotations

import errno
import multiprocessing
import os
import re
import time
from pathlib import Path

import pytest

from cnn.errors import RunError
from cnn.files import read_json, write_json, write_whole
from cnn.runs.folder import EpochRow, FitVerdict, Prediction, RunFolder, RunResult, RunState, Score, list_runs
from cnn.runs.marks import lock_run

ROW = EpochRow(
    epoch=1,
    train_loss=1.25,
    train_accuracy=0.5,
    train_macro_f1=1 / 3,
    val_loss=2e-17,
    val_accuracy=0.25,
    val_macro_f1=0.1,
    learning_rate=1e-4,
    seconds=0.75,
)


def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


def test_epochs_come_back_as_they_were(tmp_path: Path) -> None:
    run = folder(tmp_path)
    assert run.epochs() == []
    run.write_epochs([ROW])
    assert run.epochs() == [ROW]


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    run = folder(tmp_path)
    result = RunResult(
        state=RunState.FINISHED,
        labels=("0", "1"),
        scores={"val": Score(n=2, loss=0.5, accuracy=0.5, macro_f1=1 / 3, confusion=[[1, 0], [1, 0]])},
        verdict=FitVerdict(state="good", reason="because"),
        versions={"torch": "2.11.0"},
        tail=("a", "b"),
    )
    assert run.result() is None
    assert run.state() is RunState.UNFINISHED
    run.write_result(result)
    assert run.result() == result
    assert run.state().is_finished


def test_predictions_come_back_with_awkward_names(tmp_path: Path) -> None:
    run = folder(tmp_path)
    rows = [
        Prediction(id='a,"b"\n', label="1", probabilities=(0.25, 0.75), truth="0", speaker="Zoë, the 2nd", split="val"),
        Prediction(id="c", label="0", probabilities=(1.0, 1e-30), truth="0", speaker="", split="test"),
    ]
    run.write_predictions(("0", "1"), rows)
    assert run.predictions() == rows


def test_lists_of_numbers_stay_on_one_line_and_mean_the_same(tmp_path: Path) -> None:
    content = {"confusion": [[1, 2], [3, 4]], "text": "[1,  2]", "none": []}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    assert "[1, 2]" in (tmp_path / "a.json").read_text()


def test_a_missing_damaged_or_strange_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    with pytest.raises(RunError, match="does not exist"):
        read_json(path)
    path.write_text('{"a": ')
    with pytest.raises(RunError, match="cannot be read"):
        read_json(path)
    path.write_text("[]")
    with pytest.raises(RunError, match="holds no object"):
        read_json(path)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        RunError, match=r"cannot write .*a\.txt: No space left on device; free some space or choose another folder"
    ):
        write_whole(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == b"old"


def test_a_folder_in_the_place_of_a_file_is_named_as_that(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(RunError, match=r"cannot write .*a\.txt: Is a directory; name a file in it$"):
        write_whole(tmp_path / "a.txt", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(RunError, match=r"cannot write the run folder .*: Not a directory; choose another with --runs"),
        lock_run(RunFolder(tmp_path / "file" / "run")),
    ):
        pass


def test_only_folders_with_a_configuration_are_runs(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "none") == []
    (tmp_path / "b").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "other").mkdir()
    for name in "ab":
        RunFolder(tmp_path / name).write_config({"corpus": "x"})
    assert [run.digest for run in list_runs(tmp_path)] == ["a", "b"]


def _hold(path: Path, held: object, seconds: float) -> None:
    with lock_run(RunFolder(path)):
        held.set()  # type: ignore[attr-defined]
        time.sleep(seconds)


def test_a_second_process_says_for_whom_it_waits_and_a_killed_one_frees_the_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold, args=(tmp_path / "run", held, 60.0))
    holder.start()
    assert held.wait(30)
    lines: list[str] = []

    def on_wait(line: str) -> None:
        lines.append(line)
        holder.kill()

    with lock_run(RunFolder(tmp_path / "run"), on_wait):
        holder.join()
    by = rf"process {os.getpid()} since 20\d\d-\d\d-\d\d \d\d:\d\d UTC"  # a worker signs for the command that began it
    assert [re.sub(by, "PROCESS", line) for line in lines] == [
        f"{tmp_path / 'run'} is in use by PROCESS; waiting until it ends"
    ]
