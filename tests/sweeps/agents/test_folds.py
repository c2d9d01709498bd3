"""Trials of several trainings: speaker folds and seeds, one after another, and their mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest

from cnn.errors import SplitError
from cnn.overrides import config_from_dict
from cnn.runs.folder import EpochRow, RunFolder, RunState
from cnn.splits import make_split
from cnn.tiles.tile_set import TileSet
from support.studies import make_study, open_engine
from sweeps.agents.agent import make_context
from sweeps.agents.run import run_agent
from sweeps.engines.protocol import Claim
from sweeps.errors import StudyError
from sweeps.pool.agent_options import AgentOptions, AgentSignals
from sweeps.pool.plan import Locations, Search, SweepRequest, open_studies
from sweeps.results import read_study
from sweeps.study.folder import StudyFolder
from sweeps.training.trial import Step, Task, TrialHooks, TrialResult, TrialState, run_trial
from sweeps.wandb_sweeps.files import write_scheduled_sweep, write_sweep

NAME = "mlp.raw"
SWEEP = """
method: random
metric: {name: val_macro_f1, goal: maximize}
arena: {folds: 2, seeds: 2}
run_cap: 2
parameters:
  model.name: {value: mlp}
  model.width: {value: 0.25}
  train.epochs: {value: 2}
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.01}
"""
COMPARED = """
method: random
metric: {name: val_loss, goal: minimize}
arena: {folds: 4}
early_terminate: {type: wilcoxon}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}
"""


def open_study(folder: Path, tiles: TileSet, **given: int) -> None:
    (folder / "s.yaml").write_text(SWEEP)
    search = Search(files=(str(folder / "s.yaml"),), variants=("raw",), arena=given)
    locations = Locations(tiles=tiles.folder, runs=folder / "runs")
    options = AgentOptions(studies_dir=folder / "studies", device="cpu")
    open_studies(SweepRequest(search=search, locations=locations, options=options), print)


@pytest.mark.parametrize("fuse", [1, 3])
def test_a_trial_is_the_mean_over_folds_of_all_speakers_but_those_of_test_and_over_seeds(
    fuse: int, tmp_path: Path, tiles: TileSet
) -> None:
    open_study(tmp_path, tiles)
    studies = tmp_path / "studies"
    assert run_agent(AgentOptions(studies_dir=studies, names=(NAME,), device="cpu", fuse=fuse), AgentSignals(), print) == 0
    facts = read_study(studies, NAME)
    assert [trial.state for trial in facts.trials] == ["finished"] * 2
    split = make_split(tiles.clips, config_from_dict(StudyFolder(studies / NAME).read_spec().base).split)
    others = sorted({tiles.clips[index].speaker for index in (*split.train, *split.val)})
    for trial in facts.trials:
        runs = [RunFolder(tmp_path / "runs" / run) for run in trial.runs]
        configs = [config_from_dict(run.config()) for run in runs]
        assert [config.train.seed for config in configs] == [0, 0, 1, 1]
        assert sorted(name for config in configs[:2] for name in config.split.val_speakers) == others
        assert {make_split(tiles.clips, config.split).test for config in configs} == {split.test}
        assert trial.epochs == {n: max(row.val_macro_f1 for row in run.epochs()) for n, run in enumerate(runs, 1)}
        assert trial.value == pytest.approx(fmean(trial.epochs.values()))
        assert trial.run == trial.runs[0]
    assert "split." not in facts.command


def test_trainings_that_ended_are_answered_from_their_folders(tmp_path: Path, tiles: TileSet) -> None:
    open_study(tmp_path, tiles)
    context = make_context(StudyFolder(tmp_path / "studies" / NAME).read_spec(), "cpu")
    task = Task(number=0, params={"train.epochs": 2, "model.width": 0.25}, metric="val_macro_f1")
    trained: list[int] = []

    def hooks(last: int) -> TrialHooks:
        def on_epoch(row: EpochRow) -> Step:
            trained.append(row.epoch)
            return Step.PAUSE if len(trained) == last else Step.CONTINUE

        return TrialHooks(on_epoch=on_epoch)

    paused = run_trial(context, task, hooks(3))
    assert (paused.state, list(paused.epochs), trained) == (TrialState.PAUSED, [1], [1, 2, 1])
    resumed = run_trial(context, task, hooks(0))
    assert (resumed.state, list(resumed.epochs), trained[3:]) == (TrialState.FINISHED, [1, 2, 3, 4], [2, 1, 2, 1, 2])
    assert {run.state() for run in map(RunFolder, (tmp_path / "runs").glob("*"))} == {RunState.FINISHED}


def test_a_trial_that_is_worse_fold_by_fold_ends_early(tmp_path: Path) -> None:
    make_study(tmp_path, COMPARED)
    engine = open_engine(tmp_path)
    steps = []
    for losses in ([0.5, 0.9, 0.4, 0.6], [0.6, 0.8], [0.6, 1.0]):
        claim = engine.claim()
        assert isinstance(claim, Claim)
        steps.append([engine.report(claim, number, loss) for number, loss in enumerate(losses, 1)])
        engine.finish(claim, TrialResult(state=TrialState.FINISHED, epochs=dict(enumerate(losses, 1))))
    assert steps == [[Step.CONTINUE] * 4, [Step.CONTINUE] * 2, [Step.CONTINUE, Step.PRUNE]]


def test_too_few_speakers_for_the_folds_are_told_before_anything_is_written(tmp_path: Path, tiles: TileSet) -> None:
    with pytest.raises(SplitError, match=r"^5 folds need as many speakers beside the 1 of test, and there are 4 \(.*\); ask"):
        open_study(tmp_path, tiles, folds=5)
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


@pytest.mark.parametrize("write", [write_sweep, write_scheduled_sweep])
def test_a_sweep_of_wandbs_server_ends_no_trial_training_by_training(write: Callable[..., object], tmp_path: Path) -> None:
    spec = make_study(tmp_path, COMPARED).read_spec()
    rule = "early_terminate: wilcoxon is Optuna's, and W&B ends no trial of several trainings; remove it, or leave W&B out"
    with pytest.raises(StudyError, match=f"^{re.escape(f'sweep.yaml: {rule}')}$"):
        write(spec, tmp_path, tmp_path / "wandb.yaml")
    assert not list(tmp_path.glob("wandb*"))
