"""A study whose agents are killed by SIGKILL, and what must hold of it afterwards: no trial is lost, none is done twice."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from cnn.config import config_to_json, default_config
from cnn.runs.folder import RunFolder, RunState
from cnn.tiles.tile_set import TileSet
from support.nursery import N_EPOCHS
from support.paths import ROOT
from sweeps.results import StudyFacts, read_study
from sweeps.study.folder import StudySpec, create_or_continue
from sweeps.sweepfile.sweep import parse
from sweeps.training.folds import plan_folds

_N_AGENTS = 3
_N_CLIPS = 40  # clips of each of five speakers
_NAME = "chaos"
_SWEEP = f"""
method: random
metric: {{name: val_macro_f1, goal: maximize}}
parameters:
  train.learning_rate: {{distribution: log_uniform_values, min: 0.001, max: 0.01}}
  train.batch_size: {{values: [64, 128]}}
  train.epochs: {{value: {N_EPOCHS}}}
  train.side_views: {{value: 0}}
  model.width: {{value: 0.25}}
"""


@dataclass(frozen=True, kw_only=True)
class Chaos:
    """A study below `folder`, stored there or in the database `storage`, of agents that train or play `fuse` trials at once."""

    folder: Path
    tiles: TileSet
    budget: int
    storage: str = ""
    fuse: int = 1
    played: bool = False
    folds: int = 1

    def run(self, n_kills: int, seed: int) -> StudyFacts:
        """Kill so many agents while they work, let the last ones end, and return the study; its trials are whole."""
        base = config_to_json(default_config(self.tiles.info, "mlp", "raw"))
        spec = StudySpec(
            name=_NAME,
            sweep=parse(f"{_SWEEP}arena: {{folds: {self.folds}}}\n", "s.yaml"),
            base=base,
            folds=plan_folds(self.tiles.folder, base, self.folds),
            overrides=(),
            tiles=self.tiles.folder,
            runs=self.folder / "runs",
            budget=self.budget,
            seed=seed,
            storage=self.storage,
        )
        study, _ = create_or_continue(self.folder / "studies", spec)
        options = {"--kills": n_kills, "--agents": _N_AGENTS, "--fuse": self.fuse, "--seed": seed}
        words = [str(word) for pair in options.items() for word in pair] + ["--played"] * self.played
        command = [sys.executable, str(ROOT / "tests" / "support" / "nursery.py"), str(study.path), *words]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
        facts = read_study(study.path.parent, _NAME)
        self._check(facts)
        return facts

    def _check(self, facts: StudyFacts) -> None:
        """Check that the budget, which grew where it was reached before, is exact, and every run folder whole."""
        runs_dir = self.folder / "runs"
        assert facts.budget >= self.budget
        assert [(trial.number, trial.state) for trial in facts.trials] == [(n, "finished") for n in range(facts.budget)]
        runs = {run for trial in facts.trials for run in trial.runs}
        assert len(runs) == facts.budget * self.folds
        assert {path.name for path in runs_dir.iterdir() if not path.name.startswith(".")} == runs
        for trial in facts.trials:
            folders = [RunFolder(runs_dir / run) for run in trial.runs]
            curves = [[row.val_macro_f1 for row in folder.epochs()] for folder in folders]
            assert [len(curve) for curve in curves] == [N_EPOCHS] * self.folds
            assert list(trial.epochs.values()) == (list(map(max, curves)) if self.folds > 1 else curves[0])
            for folder in folders if not self.played else ():
                _check_training(folder)


def _check_training(folder: RunFolder) -> None:
    result = folder.result()
    assert result
    assert result.state is RunState.FINISHED
    n_speakers = sum(len(names) for part, names in result.speakers.items() if part != "train")
    torch.load(folder.path / "model.pt", weights_only=True)
    with (folder.path / "predictions.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == _N_CLIPS * n_speakers
    assert not list(folder.path.glob(".model.pt.*"))
