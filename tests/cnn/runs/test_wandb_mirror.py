"""The W&B mirror: complete offline, never asking, never in the way of a training."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import socket
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from cnn.cli.wandb import view
from cnn.config import RunConfig, default_config
from cnn.errors import ConfigError, RunError
from cnn.overrides import override
from cnn.runs.folder import EpochRow, RunFolder, RunState
from cnn.runs.marks import TrialMark, mark_trial
from cnn.runs.wandb_client import view_runs
from cnn.runs.wandb_mirror import Destination
from cnn.tiles.tile_set import TileSet
from cnn.train.mirrored import TrainingRequest, train_mirrored
from cnn.train.training_run import Decision, Listener, TrainingRun
from support.paths import ARENA, ROOT
from support.warm_python import WarmPython

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def config(tiles: TileSet, *assignments: str) -> RunConfig:
    return override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=2", *assignments])


def training(tiles: TileSet, runs: Path, **more: Any) -> TrainingRequest:
    return TrainingRequest(config=config(tiles), tiles=tiles, runs=runs, **more)


def history(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the rows and the summary of a W&B file once it is whole: the client's service may write on after the run's end."""
    deadline = time.monotonic() + 100
    while (content := read_history(path)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return content


def read_history(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
    """Read with the client's own messages (LevelDB log framing: 7 bytes a chunk); None where the run's end is not there yet."""
    from wandb.proto import wandb_internal_pb2

    data, offset, record, rows, summary = path.read_bytes(), 7, b"", [], {}
    is_whole = False
    while offset + 7 <= len(data):
        if 32768 - offset % 32768 < 7:
            offset += 32768 - offset % 32768
            continue
        size, kind = int.from_bytes(data[offset + 4 : offset + 6], "little"), data[offset + 6]
        if offset + 7 + size > len(data):
            return None
        record += data[offset + 7 : offset + 7 + size]
        offset += 7 + size
        if kind in (1, 4):
            message = wandb_internal_pb2.Record.FromString(record)
            record = b""
            is_whole = is_whole or message.WhichOneof("record_type") == "exit"
            if message.WhichOneof("record_type") == "history":
                rows.append({item.key or ".".join(item.nested_key): item.value_json for item in message.history.item})
            if message.WhichOneof("record_type") == "summary":
                summary.update({item.key or ".".join(item.nested_key): item.value_json for item in message.summary.update})
    return (rows, summary) if is_whole else None


def test_offline_every_epoch_and_the_result_are_in_the_runs_own_folder(tiles: TileSet, tmp_path: Path) -> None:
    run = train_mirrored(training(tiles, tmp_path), Destination(mode="auto"), print)
    (path,) = run.path.glob("wandb/offline-run-*/run-*.wandb")
    rows, summary = history(path)
    assert [float(row["val_macro_f1"]) for row in rows] == [row.val_macro_f1 for row in run.epochs()]
    result = run.result()
    assert result is not None
    assert (result.wandb_mode, result.wandb_url) == ("offline", "")
    assert float(summary["kept/test_macro_f1"]) == result.scores["test"].macro_f1


def test_the_viewer_of_w_and_b_shows_the_runs_of_a_folder_by_their_names(
    tiles: TileSet, tmp_path: Path, warm_python: WarmPython
) -> None:
    mark_trial(RunFolder(tmp_path / "runs" / config(tiles).digest), TrialMark(study="lenet5.raw", number=7))
    train_mirrored(training(tiles, tmp_path / "runs"), Destination(mode="offline"), print)
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    environment = {**os.environ, "HOME": str(tmp_path), "TERM": "xterm-256color"}
    words = (str(ARENA), "wandb", "view", str(tmp_path / "runs"))
    with warm_python.start(*words, env=environment, stdin=end, stdout=end, stderr=subprocess.PIPE) as process:
        os.close(end)
        output = b""
        while b"trial 7 of" not in output or "╭".encode() not in output:  # the list, and the frame of a chart
            output += os.read(terminal, 65536)  # raises where the viewer ended
        os.write(terminal, b"q")
        with contextlib.suppress(OSError):
            while os.read(terminal, 65536):
                pass
        assert process.wait() == 0
    os.close(terminal)


def test_a_folder_without_copies_and_no_terminal_are_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "0123").mkdir()
    RunFolder(tmp_path / "0123").write_config({})
    with pytest.raises(RunError, match=r"no run in .* has a copy in W&B's format: --wandb off keeps none"):
        view_runs(tmp_path)
    with pytest.raises(RunError, match="`arena wandb view` draws in a terminal, and this is none"):
        view(tmp_path)


def test_off_writes_nothing(tiles: TileSet, tmp_path: Path) -> None:
    run = train_mirrored(training(tiles, tmp_path), Destination(mode="off"), print)
    assert not (run.path / "wandb").exists()


def test_an_answered_run_is_not_mirrored_again(tiles: TileSet, tmp_path: Path) -> None:
    for _ in range(2):
        run = train_mirrored(training(tiles, tmp_path), Destination(mode="offline"), print)
    assert len(list(run.path.glob("wandb/offline-run-*"))) == 1


def test_a_run_that_was_killed_after_its_last_epoch_is_mirrored_when_it_is_finished(tiles: TileSet, tmp_path: Path) -> None:
    def die(row: EpochRow) -> Decision:
        if row.epoch == 2:
            raise KeyboardInterrupt
        return Decision.CONTINUE

    with pytest.raises(KeyboardInterrupt):
        train_mirrored(training(tiles, tmp_path, on_epoch=die), Destination(mode="off"), print)
    run = train_mirrored(training(tiles, tmp_path), Destination(mode="offline"), print)
    (path,) = run.path.glob("wandb/offline-run-*/run-*.wandb")
    rows, summary = history(path)
    result = run.result()
    assert result is not None
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(summary["kept/test_macro_f1"]) == result.scores["test"].macro_f1
    assert result.wandb_mode == "offline"


def is_held(run: RunFolder) -> bool:
    """Return whether another process holds the run folder's lock."""
    with (run.path / ".lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_disk_that_is_full_after_training_leaves_a_finished_run_and_one_line(
    tiles: TileSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    run_work = TrainingRun.run

    def run_and_fill(work: TrainingRun, listener: Listener) -> None:
        run_work(work, listener)
        monkeypatch.setattr(os, "fsync", full)

    monkeypatch.setattr(TrainingRun, "run", run_and_fill)
    output: list[tuple[str, bool]] = []
    folder = RunFolder(tmp_path / config(tiles).digest)
    say = lambda text: output.append((text, is_held(folder)))  # noqa: E731
    run = train_mirrored(training(tiles, tmp_path), Destination(mode="offline"), say)
    ((text, was_held),) = output
    assert text.startswith("W&B mirror of lenet5.raw not closed: ")
    assert "No space left on device" in text
    assert was_held
    assert not is_held(folder)
    assert run.state() is RunState.FINISHED


ONLINE = """
import sys
from pathlib import Path
import cnn.runs.wandb_mirror
import cnn.train.mirrored
import cnn.runs.wandb_client
from cnn.config import default_config
from cnn.overrides import override
from cnn.tiles.tile_set import open_tiles

cnn.runs.wandb_client._CONNECT_S = 2
tiles = open_tiles(Path(sys.argv[1]))
config = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=2"])
training = cnn.train.mirrored.TrainingRequest(config=config, tiles=tiles, runs=Path(sys.argv[2]))
cnn.train.mirrored.train_mirrored(training, cnn.runs.wandb_mirror.Destination(mode=sys.argv[3]), print)
"""


def alone(warm: WarmPython, code: str, *arguments: object, **environment: str) -> str:
    """Return the output of a new process: wandb caches the servers and accounts that it reads first."""
    words = ("-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}", *map(str, arguments))
    ended = warm.run(*words, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_server_that_never_answers_does_not_stop_a_training(tiles: TileSet, tmp_path: Path, warm_python: WarmPython) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes connections and says nothing
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        output = alone(warm_python, ONLINE, tiles.folder, tmp_path, "online", WANDB_BASE_URL=url, WANDB_API_KEY="a" * 40)
    run = RunFolder(tmp_path / config(tiles).digest)
    result = run.result()
    assert result is not None
    assert (result.state, result.wandb_mode) == (RunState.FINISHED, "offline")
    assert output.startswith("W&B not reached for lenet5.raw, kept offline: ")
    assert output.endswith("; send it later with `arena wandb sync`\n")
    (path,) = run.path.glob("wandb/offline-run-*/run-*.wandb")
    assert len(history(path)[0]) == 2


def test_online_without_an_account_asks_nothing_and_is_kept_offline(
    tiles: TileSet, tmp_path: Path, warm_python: WarmPython
) -> None:
    output = alone(warm_python, ONLINE, tiles.folder, tmp_path, "online")
    assert output.startswith("W&B not reached for lenet5.raw, kept offline: ")
    assert RunFolder(tmp_path / config(tiles).digest).state() is RunState.FINISHED


def test_login_is_found_without_a_question(warm_python: WarmPython) -> None:
    code = "import cnn.runs.wandb_client; print(cnn.runs.wandb_client.is_logged_in())"
    assert alone(warm_python, code) == "False\n"
    assert alone(warm_python, code, WANDB_API_KEY="a" * 40, WANDB_MODE="offline") == "True\n"


def test_an_unknown_mode_is_refused(tiles: TileSet, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--wandb is one of auto, online, offline, off, not 'on'"):
        train_mirrored(training(tiles, tmp_path), Destination(mode="on"), print)
