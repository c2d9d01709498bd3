"""Sweeps whose agents train several trials as one net: ordinary trials, exact budgets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from torch import nn
from typer.testing import CliRunner

import arena.cli
from cnn.runs.folder import RunFolder, RunState
from cnn.runs.marks import TrialMark, read_trial_mark
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import train
from sweeps.agents import fused_agent
from sweeps.agents.agent import make_context
from sweeps.agents.run import run_agent
from sweeps.pool.agent_options import AUTO, AgentOptions, AgentSignals
from sweeps.pool.plan import Locations, Search, SweepRequest, open_studies
from sweeps.results import StudyFacts, read_study
from sweeps.study import control
from sweeps.study.control import Command
from sweeps.study.folder import StudyFolder
from sweeps.training import fused_trials
from sweeps.training.trial import TrialResult, TrialState

SWEEP = """
method: random
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.01}
  train.batch_size: {values: [16, 32]}
  model.dropout: {min: 0.0, max: 0.5}
"""
NAME = "lenet5.raw"


class Folder:
    """A working folder with one study."""

    def __init__(self, path: Path, tiles: TileSet) -> None:
        self.studies, self.runs = path / "studies", path / "runs"
        self.said: list[str] = []
        (path / "s.yaml").write_text(SWEEP)
        search = Search(
            files=(str(path / "s.yaml"),),
            variants=("raw",),
            overrides=("train.epochs=2", "model.width=1"),
            budget=6,
            name=NAME,
        )
        request = SweepRequest(
            search=search,
            locations=Locations(tiles=tiles.folder, runs=self.runs),
            options=AgentOptions(studies_dir=self.studies, device="cpu"),
        )
        open_studies(request, print)

    def work(self, fuse: int) -> int:
        return run_agent(
            AgentOptions(studies_dir=self.studies, names=(NAME,), device="cpu", fuse=fuse), AgentSignals(), self.said.append
        )

    def facts(self) -> StudyFacts:
        return read_study(self.studies, NAME)


@pytest.fixture
def folder(tmp_path: Path, tiles: TileSet) -> Folder:
    return Folder(tmp_path, tiles)


def test_a_fused_study_has_its_budget_of_ordinary_trials(folder: Folder, tiles: TileSet, tmp_path: Path) -> None:
    assert folder.work(fuse=3) == 0
    facts = folder.facts()
    assert [trial.state for trial in facts.trials] == ["finished"] * 6
    for trial in facts.trials:
        run = RunFolder(folder.runs / trial.run)
        assert run.state() is RunState.FINISHED
        result = run.stored_result()
        assert result is not None
        assert set(result.scores) == {row.split for row in run.stored_predictions()} | {"train"} == {"train", "val"}
        assert read_trial_mark(run) == TrialMark(study=NAME, number=trial.number)
        rows = run.epochs()
        assert trial.epochs == {row.epoch: row.val_macro_f1 for row in rows}
        assert trial.value == max(row.val_macro_f1 for row in rows)
    first = facts.trials[0]
    alone = train(_config(RunFolder(folder.runs / first.run)), tiles, tmp_path / "alone", device="cpu")
    fused = RunFolder(folder.runs / first.run)
    assert [row.train_loss for row in fused.epochs()] == pytest.approx([row.train_loss for row in alone.epochs()], abs=0.01)
    assert folder.work(fuse=3) == 0
    assert folder.said[-1] == f"study {NAME}: its 6 trials are done; nothing is left to train"


def _config(run: RunFolder):  # type: ignore[no-untyped-def]
    from cnn.overrides import config_from_dict

    return config_from_dict(run.config())


def test_several_were_really_trained_together(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    epoch = fused_trials.FusedTrials.train_epoch

    def counted(group: fused_trials.FusedTrials) -> list[tuple[fused_trials.TrialKey, TrialResult]]:
        sizes.append(len(group))
        return epoch(group)

    monkeypatch.setattr(fused_trials.FusedTrials, "train_epoch", counted)
    folder.work(fuse=4)
    assert max(sizes) >= 2
    assert max(sizes) <= 4


def test_out_of_memory_halves_the_group_and_loses_no_trial(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    epoch = fused_trials.FusedTrials.train_epoch

    def small_device(group: fused_trials.FusedTrials) -> list[tuple[fused_trials.TrialKey, TrialResult]]:
        if len(group) <= 1:
            return epoch(group)
        keys = [key for key, _, _ in group._members.values()]
        group.pause()
        failed = TrialResult(state=TrialState.FAILED, cause="out of memory", out_of_memory=True)
        return [(key, failed) for key in keys]

    monkeypatch.setattr(fused_trials.FusedTrials, "train_epoch", small_device)
    assert folder.work(fuse=4) == 0
    assert [trial.state for trial in folder.facts().trials] == ["finished"] * 6
    halved = [line for line in folder.said if line.startswith("out of memory with")]
    assert halved
    assert len(halved) <= 2


def test_a_stopped_study_gives_all_its_trials_back(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    epoch = fused_trials.FusedTrials.train_epoch

    def then_stop(group: fused_trials.FusedTrials) -> list[tuple[fused_trials.TrialKey, TrialResult]]:
        control.write_command(StudyFolder(folder.studies / NAME), Command.STOP, datetime.now(UTC))
        return epoch(group)

    monkeypatch.setattr(fused_trials.FusedTrials, "train_epoch", then_stop)
    folder.work(fuse=4)
    trials = folder.facts().trials
    assert {trial.state for trial in trials} == {"interrupted"}
    assert len(trials) == 4
    trained = [len(trial.epochs) for trial in trials]
    assert max(trained) == 1
    assert min(trained) == 0  # one with the other stack key, whose turn had not come
    monkeypatch.setattr(fused_trials.FusedTrials, "train_epoch", epoch)
    control.write_command(StudyFolder(folder.studies / NAME), Command.RUN, datetime.now(UTC))
    assert folder.work(fuse=2) == 0
    assert [trial.state for trial in folder.facts().trials] == ["finished"] * 6


def test_auto_trains_one_by_one_on_a_cpu(folder: Folder) -> None:
    assert folder.work(fuse=AUTO) == 0
    assert "fusing does not pay here: one at a time" in folder.said
    assert folder.facts().n_completed == 6


def test_a_net_that_cannot_be_fused_is_told_and_trained_one_by_one(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_trials, "explain_unfusable", lambda _context, _params: "body.1 (GroupNorm) cannot be fused")
    monkeypatch.setattr(fused_trials.FusedTrials, "train_epoch", lambda _group: pytest.fail("trained together"))
    assert folder.work(fuse=3) == 0
    messages = [line for line in folder.said if "GroupNorm" in line]
    assert messages[0] == f"study {NAME}: body.1 (GroupNorm) cannot be fused; its trials are trained one by one"
    assert folder.facts().n_completed == 6


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(2, 4)


def test_why_not_names_the_layer(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    context = make_context(StudyFolder(folder.studies / NAME).read_spec(), "cpu")
    assert fused_trials.explain_unfusable(context, {"model.depth": 3}) == ""
    scratch = {"model.name": "scratch", "train.optimizer": "sgd", "train.epochs": 1}
    assert fused_trials.explain_unfusable(context, scratch) == "the net from scratch is NumPy and cannot be fused"
    start = folder.studies / "start.pt"
    start.write_bytes(b"weights")
    frozen = {"train.start": str(start), "train.frozen": 1}
    assert fused_trials.explain_unfusable(context, frozen) == "frozen layers (train.frozen) cannot be fused"
    monkeypatch.setattr("cnn.models.registry.build_net", lambda *_: Normed())
    assert fused_trials.explain_unfusable(context, {}).startswith("norm (GroupNorm) cannot be fused, only Conv2d")


def test_trials_that_wait_keep_their_lease(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_agent, "_RENEW_S", 0.0)
    renewed: list[int] = []
    from sweeps.engines.optuna_engine import OptunaEngine

    renew = OptunaEngine.renew
    monkeypatch.setattr(OptunaEngine, "renew", lambda engine, claim: (renewed.append(claim.number), renew(engine, claim))[1])
    folder.work(fuse=6)  # two stack keys: one trial waits while the other is trained
    assert renewed
    assert folder.facts().n_completed == 6


@pytest.mark.parametrize(
    "words", [["--fuse", "0"], ["--fuse", "many"], ["--fuse", "999"], ["--fuse", "4", "--engine", "wandb"]]
)
def test_what_cannot_be_fused_is_refused(words: list[str]) -> None:
    done = CliRunner().invoke(arena.cli.app, ["sweep", "run", "lenet5", "--variant", "raw", *words])
    assert done.exit_code == 2
    assert "--fuse" in done.output


def test_a_pool_hands_the_size_to_its_agents(tiles: TileSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SWEEP)
    words = ["run", "s.yaml", "train.epochs=1", "model.width=1", "--variant", "raw", "--tiles", str(tiles.folder)]
    options = ["--budget", "4", "--agents", "1", "--device", "cpu", "--fuse", "4", "--wandb", "off", "--no-smoke", "--json"]
    done = CliRunner().invoke(arena.cli.app, ["sweep", *words, *options])
    assert done.exit_code == 0, done.output
    (study,) = json.loads(done.stdout)
    assert len(study["trials"]) == 4
    shares = [sum(row.seconds for row in RunFolder(tmp_path / "runs" / trial["run"]).epochs()) for trial in study["trials"]]
    assert all(share > 0 for share in shares)
