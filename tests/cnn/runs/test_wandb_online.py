"""The mirror and `arena wandb sync` with the real client against the loopback server: complete, and never in the way."""

from __future__ import annotations

import functools
import json
import signal
from dataclasses import replace

import pytest

from cnn.config import default_config
from cnn.overrides import override
from cnn.runs.folder import RunFolder, list_runs
from cnn.runs.wandb_mirror import Destination
from cnn.runs.wandb_record import find_id, read_copy, write_copy
from cnn.tiles.tile_set import TileSet
from cnn.train.mirrored import TrainingRequest, train_mirrored
from support.paths import ROOT
from support.wandb_server.bench import Bench, ended
from support.wandb_server.http import Fault
from support.wandb_server.state import Run

# Two trainings without a word to W&B, and one whose server goes away between its epochs.
THREE = """
import sys, time
from pathlib import Path
import cnn.runs.wandb_client
from cnn.config import default_config
from cnn.runs.wandb_mirror import Destination
from cnn.train.mirrored import TrainingRequest, train_mirrored
from cnn.overrides import override
from cnn.tiles.tile_set import open_tiles
from cnn.train.training_run import Decision

cnn.runs.wandb_client._CONNECT_S = cnn.runs.wandb_client.CLOSE_S = 2
tiles = open_tiles(Path(sys.argv[1]))

def wait(row):
    Path(f"epoch-{row.epoch}").touch()
    while row.epoch == 1 and not Path("stopped").exists():
        time.sleep(0.02)
    return Decision.CONTINUE

for seed, mode, listen in ((0, "offline", None), (1, "off", None), (2, "online", wait), (3, "online", None)):
    config = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=2", f"train.seed={seed}"])
    request = TrainingRequest(config=config, tiles=tiles, runs=Path("runs"), on_epoch=listen)
    train_mirrored(request, Destination(mode=mode), print)
"""


def find_copy(bench: Bench, folder: RunFolder, project: str) -> Run:
    copy = read_copy(folder)
    assert copy is not None
    (run,) = (run for run in bench.server.runs(project) if run.name == copy.id)
    return run


def assert_is_complete(run: Run, folder: RunFolder) -> None:
    result, rows = folder.result(), folder.epochs()
    assert result is not None
    assert [row["epoch"] for row in run.history] == [row.epoch for row in rows]
    assert run.values("val_macro_f1") == [row.val_macro_f1 for row in rows]
    assert run.summary["kept/test_macro_f1"] == result.scores["test"].macro_f1
    best = rows[result.best_epoch - 1]
    assert [run.summary[name] for name in ("epoch", "val_macro_f1")] == [best.epoch, best.val_macro_f1]
    x_axes = {metric.get("1") or metric.get("2"): metric.get("5") for metric in run.config["_wandb"]["value"]["m"]}
    assert x_axes.get("val_macro_f1", x_axes.get("*")) == 1 + list(x_axes).index("epoch")
    assert run.config["train.learning_rate"]["value"] == folder.config()["train"]["learning_rate"]
    assert (run.state, run.tags, run.group, run.summary["state"]) == ("finished", ["lenet5", "raw"], "raw", "finished")
    tables = [json.loads(content) for name, content in run.files.items() if name.startswith("media/table/test_confusion")]
    cells = {(row[0], row[1]): row[2] for row in tables[0]["data"]}
    assert [[cells[str(truth), str(label)] for label in range(10)] for truth in range(10)] == result.scores["test"].confusion


def test_a_logged_in_training_is_mirrored_whole_through_errors_of_the_server(wandb_bench: Bench) -> None:
    bench = wandb_bench
    faults = [
        Fault("upsertBucket", 500, 1),
        Fault("upsertBucket", 409, 1),
        Fault("file_stream", 429, 1),
        Fault("storage", 500, 1),
    ]
    bench.server.faults += faults
    words = ("train", "--tiles", bench.tiles.folder, "--device", "cpu", "train.epochs=2")
    ended(bench.arena(*words, WANDB_PROJECT="mirrored"))
    assert [fault.times for fault in faults] == [0] * 4
    (folder,) = list_runs(bench.folder / "runs")
    run, result = find_copy(bench, folder, "mirrored"), folder.result()
    assert result is not None
    assert_is_complete(run, folder)
    assert run.name.startswith(f"{folder.digest}-")
    assert (result.wandb_mode, result.wandb_url) == ("online", f"{bench.server.url}/tester/mirrored/runs/{run.name}")
    predictions = (folder.path / "predictions.csv").read_bytes()
    assert predictions in [file.files.get("predictions.csv") for file in bench.server.artifacts() if file.state == "COMMITTED"]
    ended(bench.arena(*words, WANDB_PROJECT="mirrored"))  # answered from its folder
    assert len(bench.server.runs("mirrored")) == 1
    _, err = ended(bench.arena("wandb", "sync"))
    assert err.splitlines() == ["1 are at W&B already", "nothing is left to send"]


def test_what_w_and_b_did_not_take_is_sent_later_and_once(wandb_bench: Bench) -> None:
    bench, server = wandb_bench, wandb_bench.server
    training = bench.start(bench.python, "-c", THREE, bench.tiles.folder, PYTHONPATH=str(ROOT))
    bench.until(lambda: (bench.folder / "epoch-1").exists() or None, "first epoch")
    server.stop()
    (bench.folder / "stopped").touch()
    out, _ = ended(training)
    server.start()
    late, unreached = out.splitlines()
    assert late == "W&B did not take all of lenet5.raw in time; `arena wandb sync` sends the rest"
    assert unreached.startswith("W&B not reached for lenet5.raw, kept offline: ")
    assert unreached.endswith("; send it later with `arena wandb sync`")
    out, err = ended(bench.arena("wandb", "sync", "--dry-run", "--json"))
    unsent = json.loads(out)["unsent"]
    assert err == "1 were trained with --wandb off: they stay here\n"
    assert len(unsent) == 3
    out, _ = ended(bench.arena("wandb", "sync", "--json"))
    urls = {file["run"]: file["url"] for file in json.loads(out)["sent"]}
    assert sorted(urls) == sorted(unsent)
    for digest, url in urls.items():
        folder = RunFolder(bench.folder / "runs" / digest)
        result = folder.result()
        assert result is not None
        assert_is_complete(find_copy(bench, folder, "arena"), folder)
        assert (result.wandb_mode, result.wandb_url) == ("online", url)
    out, _ = ended(bench.arena("wandb", "sync", "--json"))
    assert json.loads(out) == {"sent": []}


def train(bench: Bench, runs: str, project: str, **environment: str) -> RunFolder:
    """Return the folder of the one run of `runs` after a mirrored training of two epochs."""
    words = ("--tiles", bench.tiles.folder, "--runs", runs, "--device", "cpu", "train.epochs=2")
    ended(bench.arena("train", *words, WANDB_PROJECT=project, **environment))
    (folder,) = list_runs(bench.folder / runs)
    return folder


def test_two_users_who_train_the_same_in_one_project_have_a_run_each(wandb_bench: Bench) -> None:
    bench = wandb_bench
    folders = [train(bench, user, "course") for user in ("ann", "ben")]
    assert folders[0].digest == folders[1].digest
    runs = [find_copy(bench, folder, "course") for folder in folders]
    assert runs[0].name != runs[1].name
    assert [run.display_name for run in runs] == ["lenet5.raw epochs=2"] * 2
    for run, folder in zip(runs, folders, strict=True):
        assert_is_complete(run, folder)


def test_a_run_that_was_deleted_at_w_and_b_is_sent_anew_under_another_id(wandb_bench: Bench) -> None:
    bench = wandb_bench
    folder = train(bench, "runs", "deleted")
    first = find_copy(bench, folder, "deleted")
    bench.server.roots.deleteRun({"id": first.id})
    _, err = ended(bench.arena("wandb", "sync"))
    assert err.splitlines() == ["1 are at W&B already", "nothing is left to send"]
    out, _ = ended(bench.arena("wandb", "sync", "--deleted", "--json"))
    (second,) = bench.server.runs("deleted")
    assert second.name != first.name
    assert json.loads(out)["sent"] == [{"run": folder.digest, "url": f"{bench.server.url}/tester/deleted/runs/{second.name}"}]
    assert_is_complete(find_copy(bench, folder, "deleted"), folder)
    _, err = ended(bench.arena("wandb", "sync", "--deleted"))
    assert err.splitlines() == ["1 are at W&B already", "nothing is left to send"]


SYNC = """
from pathlib import Path
import cnn.runs.wandb_client
from cnn.runs.wandb_record import list_copies
from cnn.runs.wandb_mirror import send_all

cnn.runs.wandb_client._CONNECT_S = 2  # the client repeats a refused request until then
send_all(list_copies(Path("runs")).unsent, lambda n, note: None, print)
"""
KILLED = """
import os, signal, sys
from pathlib import Path
import cnn.runs.wandb_client
from cnn.config import default_config
from cnn.overrides import override
from cnn.runs.wandb_mirror import Destination
from cnn.tiles.tile_set import open_tiles
from cnn.train.mirrored import TrainingRequest, train_mirrored

cnn.runs.wandb_client._CONNECT_S = 2
tiles = open_tiles(Path(sys.argv[1]))
config = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=2"])
kill = lambda row: os.kill(os.getpid(), signal.SIGKILL)
request = TrainingRequest(config=config, tiles=tiles, runs=Path("runs"), on_epoch=kill if sys.argv[2] == "kill" else None)
train_mirrored(request, Destination(mode="auto"), print)
"""


def test_a_killed_training_goes_on_in_its_run_and_under_another_id_where_that_was_deleted(wandb_bench: Bench) -> None:
    bench, server = wandb_bench, wandb_bench.server
    start = functools.partial(bench.start, bench.python, "-c", KILLED, bench.tiles.folder, PYTHONPATH=str(ROOT))
    ended(start("kill", WANDB_PROJECT="killed"), -signal.SIGKILL)
    (run,) = server.runs("killed")
    ended(start("kill", WANDB_PROJECT="killed"), -signal.SIGKILL)
    assert server.runs("killed") == [run]
    server.roots.deleteRun({"id": run.id})
    out, _ = ended(start("on", WANDB_PROJECT="killed"))
    assert out == ""  # and not: W&B not reached
    (folder,) = list_runs(bench.folder / "runs")
    (anew,) = server.runs("killed")
    assert anew.name != run.name
    assert_is_complete(find_copy(bench, folder, "killed"), folder)


def test_a_folder_of_old_has_an_id_of_its_own_unless_all_was_sent_and_a_refused_id_is_changed(
    wandb_bench: Bench, tiles: TileSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, server = wandb_bench, wandb_bench.server
    config = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=2"])
    request = TrainingRequest(config=config, tiles=tiles, runs=bench.folder / "runs")
    folder = train_mirrored(request, Destination(mode="offline", project="old"), print)
    copy = read_copy(folder)
    assert copy
    write_copy(folder, replace(copy, id=folder.digest))  # as Arena wrote it before ids had a random end
    ended(bench.arena("wandb", "sync"))
    (run,) = server.runs("old")
    assert run.name.startswith(f"{folder.digest}-")
    write_copy(folder, replace(copy, id=folder.digest, sent=True))
    assert find_id(folder) == folder.digest
    server.roots.deleteRun({"id": run.id})
    write_copy(folder, replace(copy, id=run.name))  # begun at W&B, and gone on with offline
    ended(bench.start(bench.python, "-c", SYNC, PYTHONPATH=str(ROOT)))
    (anew,) = server.runs("old")
    assert anew.name != run.name
    assert_is_complete(find_copy(bench, folder, "old"), folder)


def test_wandb_mode_offline_keeps_a_copy_here_until_sync_is_asked_for(wandb_bench: Bench) -> None:
    bench = wandb_bench
    folder = train(bench, "runs", "later", WANDB_MODE="offline")
    assert bench.server.runs("later") == []
    out, err = ended(bench.arena("wandb", "sync", "--json", WANDB_MODE="offline"))
    assert [sent["run"] for sent in json.loads(out)["sent"]] == [folder.digest], err
    assert_is_complete(find_copy(bench, folder, "later"), folder)


def test_sync_without_an_account_says_what_to_do(wandb_bench: Bench) -> None:
    folder = wandb_bench.folder / "runs" / "0123"
    folder.mkdir(parents=True)
    copy = {"mode": "offline", "id": "0123", "project": "arena", "entity": "", "group": "raw", "job_type": "training"}
    for name, content in {"config": {}, "wandb": copy, "result": {"state": "finished"}}.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    _, err = ended(wandb_bench.arena("wandb", "sync", WANDB_API_KEY=""), 1)
    assert err == (
        "error: not logged in to W&B: run `wandb login`, or set WANDB_API_KEY (and WANDB_BASE_URL for a server of your own), "
        "and send again\n"
    )
    _, err = ended(wandb_bench.arena("wandb", "sync", "elsewhere"), 1)
    assert err == "error: no runs in elsewhere; name the folder that `arena train` or `arena sweep run` wrote into\n"
