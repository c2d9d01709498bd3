"""Training: to the same numbers every time, also after a kill at any moment; complete folders; early ends."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnn.config import VARIANTS, RunConfig, default_config
from cnn.errors import ConfigError, RunError
from cnn.models.registry import build_net
from cnn.overrides import override
from cnn.runs.folder import EpochRow, RunFolder, RunState
from cnn.tiles.batches import Clips
from cnn.tiles.tile_set import TileSet
from cnn.train.trainer import EpochStats, Trainer
from cnn.train.training_run import Decision, train
from support import sklearn_reference as reference
from support.tones import SPEAKERS


def config(tiles: TileSet, *assignments: str, model: str = "lenet5", variant: str = "raw+aug") -> RunConfig:
    return override(default_config(tiles.info, model, variant), ["train.epochs=4", *assignments])


def without_seconds(run: RunFolder) -> list[EpochRow]:
    return [replace(row, seconds=0.0) for row in run.epochs()]


def numbers(run: RunFolder) -> tuple[object, ...]:
    """Everything of a finished run that must not depend on when and how it was trained."""
    result = run.result()
    assert result is not None
    weights = torch.load(run.path / "model.pt", weights_only=True)
    digests = {name: value.sum().item() for name, value in weights.items()}
    return without_seconds(run), run.predictions(), result.scores, result.best_epoch, result.verdict, digests


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("model", ["lenet5", "resnet"])
def test_a_finished_folder_is_complete_and_its_numbers_follow_from_its_predictions(
    model: str, variant: str, tiles: TileSet, tmp_path: Path
) -> None:
    run = train(config(tiles, "train.epochs=2", model=model, variant=variant), tiles, tmp_path)
    names = {path.name for path in run.path.iterdir()}
    assert names == {".lock", "config.json", "epochs.csv", "result.json", "predictions.csv", "model.pt"}
    result = run.result()
    assert result is not None
    for split in ("val", "test"):
        rows = [row for row in run.predictions() if row.split == split]
        truth, label = [row.truth for row in rows], [row.label for row in rows]
        score = result.scores[split]
        assert len(rows) == score.n == 40
        assert reference.confusion_matrix(truth, label, labels=result.labels).tolist() == score.confusion
        expected = reference.f1_score(truth, label, average="macro", labels=result.labels, zero_division=0)
        assert score.macro_f1 == pytest.approx(expected, abs=1e-12)
        loss = reference.log_loss(truth, [row.probabilities for row in rows], labels=result.labels)
        assert score.loss == pytest.approx(loss, abs=1e-4)
    best = run.epochs()[result.best_epoch - 1]
    assert best.val_macro_f1 == result.scores["val"].macro_f1 == max(row.val_macro_f1 for row in run.epochs())


def test_nobody_is_heard_in_two_splits(tiles: TileSet, tmp_path: Path) -> None:
    run = train(config(tiles, "train.epochs=1"), tiles, tmp_path)
    speakers = {split: {row.speaker for row in run.predictions() if row.split == split} for split in ("val", "test")}
    assert not speakers["val"] & speakers["test"]
    result = run.result()
    assert result is not None
    assert {split: set(names) for split, names in result.speakers.items() if split != "train"} == speakers
    assert set(result.speakers["train"]) == set(SPEAKERS) - speakers["val"] - speakers["test"]
    assert result.scores["train"].n == 200 - 40 - 40


def test_the_tones_are_learnt(tiles: TileSet, tmp_path: Path) -> None:
    run = train(config(tiles, "train.epochs=15", "train.batch_size=16", variant="raw"), tiles, tmp_path)
    result = run.result()
    assert result is not None
    assert result.scores["test"].macro_f1 > 0.9
    assert run.epochs()[-1].train_loss < run.epochs()[0].train_loss / 2


def test_the_same_configuration_gives_the_same_numbers_whatever_came_before(tiles: TileSet, tmp_path: Path) -> None:
    first = train(config(tiles), tiles, tmp_path / "a")
    torch.manual_seed(time.time_ns() % 1000)
    torch.set_num_threads(2)
    second = train(config(tiles), tiles, tmp_path / "b")
    assert numbers(first) == numbers(second)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_another_seed_gives_other_numbers(tiles: TileSet, tmp_path: Path) -> None:
    runs = [train(config(tiles, "train.epochs=1", f"train.seed={seed}"), tiles, tmp_path) for seed in (0, 1)]
    assert without_seconds(runs[0]) != without_seconds(runs[1])


def test_a_finished_run_is_answered_from_its_folder(tiles: TileSet, tmp_path: Path) -> None:
    run = train(config(tiles), tiles, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in run.path.iterdir() if path.name != ".lock"}
    heard: list[EpochRow] = []
    (run.path / "checkpoint-before.pt").write_bytes(b"left by a kill after the result")

    def listen(row: EpochRow) -> Decision:
        heard.append(row)
        return Decision.CONTINUE

    assert train(config(tiles), tiles, tmp_path, on_epoch=listen) == run
    assert heard == []
    assert {path.name: path.stat().st_mtime_ns for path in run.path.iterdir() if path.name != ".lock"} == before


KILLED = """
import os, signal, sys, threading
from pathlib import Path
from cnn.config import default_config
from cnn.overrides import override
from cnn.tiles.tile_set import open_tiles
from cnn.train.training_run import Decision, train

tiles = open_tiles(Path(sys.argv[1]))
config = override(default_config(tiles.info, "lenet5", "raw+aug"), ["train.epochs=4"])

def die(row):
    if row.epoch == int(sys.argv[3]):
        delay = float(sys.argv[4])
        kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
        threading.Timer(delay, kill).start() if delay else kill()
    return Decision.CONTINUE

train(config, tiles, Path(sys.argv[2]), on_epoch=die)
"""


@pytest.mark.parametrize(("epoch", "delay_s"), [(1, 0), (2, 0.02), (4, 0)])
def test_a_run_killed_at_any_moment_goes_on_to_the_same_numbers(
    epoch: int, delay_s: float, tiles: TileSet, tmp_path: Path
) -> None:
    whole = train(config(tiles), tiles, tmp_path / "whole")
    arguments = [str(tiles.folder), str(tmp_path / "killed"), str(epoch), str(delay_s)]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert ended.returncode == -signal.SIGKILL
    killed = RunFolder(tmp_path / "killed" / config(tiles).digest)
    assert killed.state() is RunState.UNFINISHED
    n_done = len(killed.epochs())
    heard: list[int] = []

    def listen(row: EpochRow) -> Decision:
        heard.append(row.epoch)
        return Decision.CONTINUE

    assert numbers(train(config(tiles), tiles, tmp_path / "killed", on_epoch=listen)) == numbers(whole)
    assert epoch <= n_done
    assert heard == list(range(n_done + 1, 5))


def at(epoch: int, decision: Decision) -> Callable[[EpochRow], Decision]:
    return lambda row: decision if row.epoch == epoch else Decision.CONTINUE


def test_a_pruned_run_is_a_result_without_a_test_score_and_may_be_trained_anew(tiles: TileSet, tmp_path: Path) -> None:
    whole = train(config(tiles), tiles, tmp_path / "whole")
    run = train(config(tiles), tiles, tmp_path / "pruned", on_epoch=at(2, Decision.PRUNE))
    result = run.result()
    assert result is not None
    assert (result.state, result.n_epochs, set(result.scores)) == (RunState.PRUNED, 2, {"train", "val"})
    assert not (run.path / "checkpoint.pt").exists()
    with pytest.raises(RunError, match="only a finished run has predictions"):
        run.predictions()
    assert numbers(train(config(tiles), tiles, tmp_path / "pruned")) == numbers(whole)


def test_a_paused_run_goes_on(tiles: TileSet, tmp_path: Path) -> None:
    whole = train(config(tiles), tiles, tmp_path / "whole")
    run = train(config(tiles), tiles, tmp_path / "paused", on_epoch=at(3, Decision.PAUSE))
    assert (run.state(), len(run.epochs())) == (RunState.UNFINISHED, 3)
    assert numbers(train(config(tiles), tiles, tmp_path / "paused")) == numbers(whole)


def test_the_wall_time_is_summed_over_resumptions(tiles: TileSet, tmp_path: Path) -> None:
    for epoch in (1, 3):
        train(config(tiles), tiles, tmp_path, on_epoch=at(epoch, Decision.PAUSE))
    run = train(config(tiles), tiles, tmp_path)
    result = run.result()
    assert result is not None
    assert result.wall_s == pytest.approx(sum(row.seconds for row in run.epochs()))


def test_takes_are_validated_on_voices_that_were_heard_and_the_verdict_says_so(tiles: TileSet, tmp_path: Path) -> None:
    run = train(config(tiles, "split.kind=loso", "split.validation=takes"), tiles, tmp_path)
    result = run.result()
    assert result is not None
    assert (result.speakers["test"], result.speakers["val"]) == ([SPEAKERS[0]], sorted(SPEAKERS[1:]))
    assert result.speakers["train"] == result.speakers["val"]
    assert result.scores["val"].n == 40
    assert result.verdict is not None
    assert "on other clips of the same speakers" in result.verdict.reason


def test_patience_ends_a_training_that_no_longer_improves(tiles: TileSet, tmp_path: Path) -> None:
    run = train(config(tiles, "train.epochs=60", "train.patience=2", "train.batch_size=16"), tiles, tmp_path)
    result = run.result()
    assert result is not None
    assert result.n_epochs == result.best_epoch + 2 < 60


def test_a_loss_that_is_no_number_fails_loudly_and_is_recorded(tiles: TileSet, tmp_path: Path) -> None:
    wild = config(tiles, "train.learning_rate=10", "train.optimizer=sgd", "train.schedule=constant", "train.warmup=0")
    words = r"the (validation )?loss became (nan|inf) .*learning rate (of )?10.*; lower train\.learning_rate"
    with pytest.raises(RunError, match=words):
        train(wild, tiles, tmp_path)
    result = RunFolder(tmp_path / wild.digest).result()
    assert result is not None
    assert result.state is RunState.FAILED
    assert "lower train.learning_rate" in result.cause


def test_the_step_at_which_the_loss_is_lost_is_named(tiles: TileSet) -> None:
    chosen = config(tiles, "train.batch_size=10", "train.schedule=constant", "train.warmup=0", "train.learning_rate=0.001")
    fit = Trainer(chosen, torch.device("cpu"))
    clips = Clips(tiles.pictures("raw"), tiles.labels(), range(50), torch.device("cpu"))
    fit.run_epoch(clips, clips)
    forward, n_calls = fit.net.forward, 0

    def lose_the_third(x: torch.Tensor) -> torch.Tensor:
        nonlocal n_calls
        n_calls += 1
        logits: torch.Tensor = forward(x)
        return logits * math.nan if n_calls == 3 else logits

    fit.net.forward = lose_the_third  # type: ignore[method-assign]
    with pytest.raises(RunError, match=r"became nan at step 8 \(epoch 2, batch 3 of 5\) at a learning rate of 0\.001; lower"):
        fit.run_epoch(clips, clips)


def test_weights_that_blow_up_in_the_last_step_are_no_result(tiles: TileSet, tmp_path: Path) -> None:
    fit = Trainer(config(tiles), torch.device("cpu"))
    clips = Clips(tiles.pictures("raw"), tiles.labels(), range(50), torch.device("cpu"))
    whole = fit.train_epoch

    def blow_up(train: Clips, val: Clips) -> tuple[float, torch.Tensor]:
        learnt = whole(train, val)
        next(fit.net.parameters()).data.fill_(math.inf)
        return learnt

    fit.train_epoch = blow_up  # type: ignore[method-assign]
    with pytest.raises(RunError, match=r"the validation loss became (nan|inf) after epoch 1, at a learning rate of .*; lower"):
        fit.run_epoch(clips, clips)
    assert not fit.rows


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_offered(tiles: TileSet, tmp_path: Path) -> None:
    whole = train(config(tiles), tiles, tmp_path / "whole")
    run = train(config(tiles), tiles, tmp_path, on_epoch=at(2, Decision.PAUSE))
    (run.path / "checkpoint.pt").write_bytes(b"nonsense")
    with pytest.raises(RunError, match=r"checkpoint\.pt is damaged .*; `mv .*` goes on after epoch 1, deleting both starts"):
        train(config(tiles), tiles, tmp_path)
    (run.path / "checkpoint-before.pt").rename(run.path / "checkpoint.pt")
    assert numbers(train(config(tiles), tiles, tmp_path)) == numbers(whole)


def test_without_a_whole_checkpoint_before_it_a_damaged_one_starts_anew(tiles: TileSet, tmp_path: Path) -> None:
    run = train(config(tiles), tiles, tmp_path, on_epoch=at(1, Decision.PAUSE))
    for name in ("checkpoint.pt", "checkpoint-before.pt"):  # the second alone is what a kill between two renames leaves
        (run.path / name).write_bytes(b"nonsense")
        with pytest.raises(RunError, match=rf"{name} is damaged .*; delete it to train this run from its start"):
            train(config(tiles), tiles, tmp_path)
        (run.path / name).unlink()
    assert train(config(tiles), tiles, tmp_path).state() is RunState.FINISHED


def test_a_checkpoint_with_zeros_in_its_middle_is_refused(tiles: TileSet, tmp_path: Path) -> None:
    run = train(config(tiles), tiles, tmp_path, on_epoch=at(2, Decision.PAUSE))
    path = run.path / "checkpoint.pt"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2**16] = bytes(2**16)
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"checkpoint\.pt is damaged \(its SHA-256 is not .*\); `mv .*` goes on after epoch 1"):
        train(config(tiles), tiles, tmp_path)


def test_with_both_checkpoints_damaged_one_line_says_how_to_start_anew(tiles: TileSet, tmp_path: Path) -> None:
    runs = tmp_path / "my runs"
    run = train(config(tiles), tiles, runs, on_epoch=at(2, Decision.PAUSE))
    for name in ("checkpoint.pt", "checkpoint-before.pt"):
        (run.path / name).write_bytes((run.path / name).read_bytes()[:-1])
    with pytest.raises(RunError, match=r"^[^\n]*checkpoint\.pt is damaged .*from its start$") as refused:
        train(config(tiles), tiles, runs)
    subprocess.run(["sh", "-c", str(refused.value).split("`")[1]], check=True)
    heard: list[int] = []
    train(config(tiles), tiles, runs, on_epoch=lambda row: heard.append(row.epoch) or Decision.CONTINUE)  # type: ignore[func-returns-value]
    assert heard == [1, 2, 3, 4]


def test_a_checkpoint_of_another_training_is_refused(tiles: TileSet, tmp_path: Path) -> None:
    run = train(config(tiles), tiles, tmp_path, on_epoch=at(1, Decision.PAUSE))
    other = train(config(tiles, model="resnet"), tiles, tmp_path, on_epoch=at(1, Decision.PAUSE))
    (other.path / "checkpoint.pt").replace(run.path / "checkpoint.pt")
    with pytest.raises(RunError, match=r"checkpoint\.pt is of another training \(RuntimeError\); delete it"):
        train(config(tiles), tiles, tmp_path)


def test_what_ends_an_epoch_stands_in_the_run_folder_with_its_step(
    tiles: TileSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Trainer.train_epoch

    def with_a_fault(fit: Trainer, clips: Clips, val: Clips | None) -> EpochStats:
        if len(fit.rows) == 1:
            fit.net.forward = no_forward  # type: ignore[method-assign]
        return whole(fit, clips, val)

    def no_forward(_batch: torch.Tensor) -> torch.Tensor:
        raise ValueError("no\nnet")

    monkeypatch.setattr(Trainer, "train_epoch", with_a_fault)
    with pytest.raises(ValueError, match="no\nnet"):
        train(config(tiles, "train.batch_size=20"), tiles, tmp_path)
    result = RunFolder(tmp_path / config(tiles, "train.batch_size=20").digest).result()
    assert result is not None
    assert result.state is RunState.FAILED
    assert result.cause == (
        "ValueError at step 7 (epoch 2, batch 1 of 6): no net; this is a fault of Arena: report it with its traceback"
    )
    assert result.tail[-2].endswith("in no_forward")
    monkeypatch.undo()
    assert train(config(tiles, "train.batch_size=20"), tiles, tmp_path).state() is RunState.FINISHED


def test_a_kill_between_the_two_renames_of_a_save_loses_nothing_but_that_epoch(tiles: TileSet, tmp_path: Path) -> None:
    whole = train(config(tiles), tiles, tmp_path / "whole")
    run = train(config(tiles), tiles, tmp_path, on_epoch=at(2, Decision.PAUSE))
    (run.path / "checkpoint.pt").unlink()
    (run.path / ".checkpoint.pt.abcd").write_bytes(b"half")
    heard: list[int] = []
    again = train(config(tiles), tiles, tmp_path, on_epoch=lambda row: heard.append(row.epoch) or Decision.CONTINUE)  # type: ignore[func-returns-value]
    assert heard[0] == 2
    assert numbers(again) == numbers(whole)
    assert not [path.name for path in again.path.iterdir() if "checkpoint" in path.name]


def test_voices_heard_in_training_choose_nothing(tiles: TileSet, tmp_path: Path) -> None:
    takes = config(tiles, "split.validation=takes", "train.epochs=6", "train.learning_rate=0.02", "train.schedule=constant")
    run = train(takes, tiles, tmp_path)
    result = run.result()
    assert result is not None
    assert result.best_epoch == result.n_epochs == 6
    assert result.scores["val"].macro_f1 == run.epochs()[-1].val_macro_f1


def test_a_configuration_for_other_tiles_is_refused(tiles: TileSet, tmp_path: Path) -> None:
    other = replace(config(tiles), corpus="another")
    with pytest.raises(ConfigError, match="made for other tiles"):
        train(other, tiles, tmp_path)
    with pytest.raises(ConfigError, match="--device cuda:99 is not here; this machine has cpu"):
        train(config(tiles), tiles, tmp_path, device="cuda:99")


def test_weights_load_safely_into_a_new_net(tiles: TileSet, tmp_path: Path) -> None:
    chosen = config(tiles, "train.epochs=1")
    run = train(chosen, tiles, tmp_path)
    net = build_net(chosen.model, 32, 10)
    net.load_state_dict(torch.load(run.path / "model.pt", weights_only=True))


def test_importing_training_brings_neither_optuna_nor_wandb() -> None:
    code = "import sys, cnn.train.training_run; print(sorted({'optuna', 'wandb', 'pandas', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
