"""`arena sweep best --train`: the chosen settings with other seeds, and what they are worth."""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import arena.cli
from cnn.runs.folder import RunFolder
from cnn.tiles.tile_set import TileSet
from reports.reading.gather import Sources, gather_facts
from reports.wording.page_texts import texts
from reports.wording.studies import sweep_sentence
from support.studies import claimed, finished, make_study, open_engine
from support.warm_python import WarmPython
from sweeps.agents.run import run_agent
from sweeps.pool.agent_options import AgentOptions, AgentSignals
from sweeps.pool.plan import Locations, Search, SweepRequest, open_studies
from sweeps.results import read_study
from sweeps.retraining import read_records

NAME = "lenet5.raw"
SWEEP = """
method: grid
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.learning_rate: {values: [0.002, 0.01]}
"""


@pytest.fixture
def folder(tmp_path: Path, tiles: TileSet, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a study of two finished trials."""
    monkeypatch.chdir(tmp_path)
    run_study(tiles, SWEEP, 2)
    return tmp_path


def run_study(tiles: TileSet, sweep: str, budget: int) -> None:
    """Run a study in the working folder."""
    tmp_path = Path.cwd()
    Path("s.yaml").write_text(sweep)
    overrides = ("train.epochs=1", "train.batch_size=16", "model.width=0.25", "train.side_views=0", "train.schedule=constant")
    search = Search(files=("s.yaml",), variants=("raw",), overrides=overrides, budget=budget, name=NAME)
    locations = Locations(tiles=tiles.folder, runs=tmp_path / "runs")
    options = AgentOptions(studies_dir=tmp_path / "studies", device="cpu")
    open_studies(SweepRequest(search=search, locations=locations, options=options), print)
    agent = AgentOptions(studies_dir=tmp_path / "studies", names=(NAME,), device="cpu")
    assert run_agent(agent, AgentSignals(), print) == 0


def call(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(arena.cli.app, ["sweep", "best", *words])
    assert result.exit_code == code, result.output
    return result.stdout


def train(*words: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(call(NAME, "--train", "--device", "cpu", "--wandb", "off", *words, "--json"))
    return content


def test_the_best_is_trained_with_other_seeds_and_told_with_its_optimism(folder: Path) -> None:
    trials = read_study(folder / "studies", NAME).trials
    for trial in trials:
        run = RunFolder(folder / "runs" / trial.run)
        assert run.is_trial
        assert "test" not in (run.path / "result.json").read_text().split('"scores"')[1].split('"versions"')[0]
    shown = call(NAME)
    assert shown.splitlines()[-1] == f"arena sweep best {NAME} --train"

    content = train("--seeds", "2")
    best, retraining = content["best"], content["retraining"]
    runs = [RunFolder(folder / "runs" / run["runs"][0]) for run in retraining["runs"]]
    assert [run.config()["train"]["seed"] for run in runs] == retraining["record"]["seeds"] == [1, 2]
    assert {run.config()["train"]["learning_rate"] for run in runs} == {best["params"]["train.learning_rate"]}
    values = [max(row.val_macro_f1 for row in run.epochs()) for run in runs]
    results = [run.result() for run in runs]
    tests = [result.scores["test"].macro_f1 for result in results if result]
    assert (retraining["mean"], retraining["sd"]) == pytest.approx((statistics.mean(values), statistics.stdev(values)))
    assert retraining["optimism"] == pytest.approx(best["value"] - statistics.mean(values))
    assert (retraining["test_mean"], retraining["test_sd"]) == pytest.approx((statistics.mean(tests), statistics.stdev(tests)))
    interval = retraining["test_interval"]
    assert interval["low"] <= retraining["test_mean"] <= interval["high"]
    assert all(RunFolder(folder / "runs" / trial.run).is_trial for trial in trials)

    written = [(run.path / "result.json").stat().st_mtime_ns for run in runs]
    assert train("--seeds", "2") == content
    assert [(run.path / "result.json").stat().st_mtime_ns for run in runs] == written

    changed = train("--seeds", "1", "epochs=2", "--trial", "0")["retraining"]
    assert changed["record"]["overrides"] == ["train.epochs=2"]
    assert changed["optimism"] is None
    record = read_records(folder / "studies" / NAME)[-1]
    facts = read_study(folder / "studies", NAME, record=record)
    sentence = sweep_sentence(facts, texts("en"))
    assert "The settings of trial 0 (but epochs 2), trained with another seed, have validation macro-F1 " in sentence
    assert "Its test macro-F1 is " in sentence
    assert facts.retraining_command.endswith("--train --seeds 1 train.epochs=2")
    train("--seeds", "1", "epochs=2")
    assert json.loads(call(NAME, "--json")) == content  # the retraining that tells the optimism of the best
    assert len(read_records(folder / "studies" / NAME)) == 3 - (best["number"] == 0)


def test_the_best_of_folds_is_trained_on_the_same_folds(
    tmp_path: Path, tiles: TileSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_study(tiles, f"{SWEEP}arena: {{folds: 2}}\n", 1)
    content = train("--seeds", "1")
    best, (run,) = content["best"], content["retraining"]["runs"]
    trained, trials = ([RunFolder(tmp_path / "runs" / name) for name in names] for names in (run["runs"], best["runs"]))
    assert [folder.config()["split"] for folder in trained] == [folder.config()["split"] for folder in trials]
    assert [folder.config()["train"]["seed"] for folder in trained] == [1, 1]
    value = statistics.mean(folder.epochs()[0].val_macro_f1 for folder in trained)
    assert (content["retraining"]["mean"], content["retraining"]["optimism"]) == pytest.approx((value, best["value"] - value))
    printed = call(NAME).splitlines()
    assert (printed[0].split(", ")[-1], printed[-1]) == ("mean of 2 trainings", content["command"])
    train("--seeds", "1", "epochs=2")
    sources = Sources(runs=Path("runs"), studies=Path("studies"), tiles=tiles.folder)
    assert gather_facts(sources).is_one_fold  # the folds of both retrainings
    path = tmp_path / "studies" / NAME / "retraining.json"
    path.write_text(json.dumps(json.loads(path.read_text())["retrainings"][0]))  # as it was written for one alone
    assert train("--seeds", "1") == content


def test_ctrl_c_is_one_line_and_the_same_command_goes_on(folder: Path, warm_python: WarmPython) -> None:
    words = ("sweep", "best", NAME, "--train", "--seeds", "1", "train.epochs=5000", "--device", "cpu", "--wandb", "off")

    def interrupt_after(n_epochs: int) -> list[str]:
        with warm_python.start("-m", "arena", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while process.poll() is None:
                records = read_records(folder / "studies" / NAME)
                if records and len(RunFolder(folder / "runs" / records[0].runs[0][0]).epochs()) > n_epochs:
                    process.send_signal(signal.SIGINT)
                    break
                time.sleep(0.02)
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (130, "")
        return str(err).splitlines()

    line = "interrupted; nothing is lost: the same command goes on where it stopped"
    assert interrupt_after(0)[-1] == line
    n_before = len(RunFolder(folder / "runs" / read_records(folder / "studies" / NAME)[0].runs[0][0]).epochs())
    lines = interrupt_after(n_before)
    assert lines[-1] == line
    assert any(": going on after epoch " in text for text in lines)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("train.epochs=2",), 2, "settings and --seeds need --train"),
        (("--seeds", "3"), 2, "settings and --seeds need --train"),
        (("--trial", "7"), 1, f"trial 7 of {NAME} is not there; `arena sweep trials {NAME}` lists them"),
        (("--train", "train.seed=3"), 1, "the seeds are those after the trial's own, --seeds of them; leave train.seed out"),
        (("--train", "epoch=3"), 1, "train.epochs"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...], code: int, message: str, tmp_path: Path) -> None:
    make_study(tmp_path)
    engine = open_engine(tmp_path)
    engine.finish(claimed(engine), finished(0.25, 0.75))
    result = CliRunner().invoke(arena.cli.app, ["sweep", "best", NAME, "--studies", str(tmp_path), *words])
    assert result.exit_code == code
    assert message in (result.output or str(result.exception)) + str(result.exception)
