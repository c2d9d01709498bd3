"""A whole sweep by `arena sweep run --fuse`: eight studies, in a folder in which the command goes on where it was ended."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.gpu.budget import TimeBudget
from benchmarks.gpu.ceiling import H200, count_step
from cnn.config import VARIANTS, default_config
from cnn.overrides import override
from cnn.runs.folder import RunState, list_runs
from cnn.splits import make_split
from cnn.tiles.batches import count_steps
from cnn.tiles.tile_set import TileSet

MODELS = ("lenet5", "resnet")
LIMIT_S, HOPE_S = 480, 300
# What differs between trials is what members of one net may differ in; nothing ends early, so that the work is a known one.
_SWEEP = """\
method: bayes
metric:
  name: val_macro_f1
  goal: maximize
parameters:
  model.name:
    value: {model}
  train.learning_rate:
    distribution: log_uniform_values
    min: 0.0002
    max: 0.02
  train.weight_decay:
    distribution: log_uniform_values
    min: 0.001
    max: 0.1
  model.dropout:
    min: 0.0
    max: 0.5
  train.label_smoothing:
    min: 0.0
    max: 0.2
"""
_ENDING_S = 30.0  # for the agents to end their epoch


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeSize:
    """Amounts of work of the whole sweep."""

    n_speakers: int  # a tenth validates and a tenth tests
    n_takes: int
    n_trials: int  # in each study
    n_epochs: int
    fuse: str
    settings: tuple[str, ...] = ()  # other than the defaults


FULL = WholeSize(n_speakers=60, n_takes=50, n_trials=64, n_epochs=20, fuse="64")
TINY = WholeSize(n_speakers=10, n_takes=1, n_trials=2, n_epochs=1, fuse="2", settings=("model.width=0.5", "train.side_views=0"))


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeReport:
    """Work that was done, over all starts of the command, and in how many seconds."""

    n_epochs: int
    n_planned: int
    n_trials: int  # finished
    n_clips: int  # that an epoch trains on
    seconds: float
    ceiling_s: float  # training steps alone, by arithmetic

    @property
    def is_finished(self) -> bool:
        return self.n_epochs >= self.n_planned

    @property
    def whole_s(self) -> float | None:
        """Return the seconds of the whole sweep: measured, or extrapolated from the epochs that are done."""
        return self.seconds * self.n_planned / self.n_epochs if self.n_epochs else None


def run_whole(tiles: TileSet, device: torch.device, size: WholeSize, folder: Path, budget: TimeBudget) -> WholeReport:
    """Start or continue the sweep in `folder` until it is finished or the time is over."""
    names = sorted({clip.speaker for clip in tiles.clips})
    n = max(1, len(names) // 10)
    split = [f"split.val_speakers={','.join(names[:n])}", f"split.test_speakers={','.join(names[n : 2 * n])}"]
    words = [*(f"--variant={variant}" for variant in VARIANTS), f"--budget={size.n_trials}", f"--fuse={size.fuse}"]
    words += [f"--tiles={tiles.folder.resolve()}", "--runs=runs", "--studies=studies", "--wandb=off", f"--device={device}"]
    words += ["--agents=1", f"train.epochs={size.n_epochs}", *split, *size.settings]
    before = budget.spent_s
    for model in MODELS:
        file = folder / f"whole-{model}.yaml"
        file.write_text(_SWEEP.format(model=model), encoding="utf-8")
        if not budget.is_over:
            _run_sweep([file.name, *words], folder, budget)
    seconds = _add_seconds(folder / "seconds.json", budget.spent_s - before)
    config = override(default_config(tiles.info, MODELS[0], VARIANTS[0]), split)
    n_clips = len(make_split(tiles.clips, config.split).train)
    runs = list_runs(folder / "runs")
    return WholeReport(
        n_epochs=sum(len(run.epochs()) for run in runs),
        n_planned=len(MODELS) * len(VARIANTS) * size.n_trials * size.n_epochs,
        n_trials=sum(run.state() is RunState.FINISHED for run in runs),
        n_clips=n_clips,
        seconds=seconds,
        ceiling_s=_predict_s(tiles, size, n_clips),
    )


def _run_sweep(words: list[str], folder: Path, budget: TimeBudget) -> None:
    command = [sys.executable, str(Path(__file__).parents[2] / "arena" / "__main__.py"), "sweep", "run", *words]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        code = process.wait(timeout=budget.limit_s - budget.spent_s)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(timeout=_ENDING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return
    if code:
        sys.exit(f"error: `arena sweep run` ended with exit code {code}; its words stand above")


def _add_seconds(path: Path, seconds: float) -> float:
    """Add to the seconds of earlier starts, and return all."""
    total = seconds + (json.loads(path.read_text(encoding="utf-8")) if path.exists() else 0.0)
    path.write_text(json.dumps(total), encoding="utf-8")
    return total


def _predict_s(tiles: TileSet, size: WholeSize, n_clips: int) -> float:
    """Return the least time of all training steps: all augmented, `size.fuse` nets at once."""
    n_members, total = int(size.fuse), 0.0
    for model in MODELS:
        config = override(default_config(tiles.info, model, "raw+aug"), size.settings)
        n_steps = count_steps(n_clips, config.train.batch_size) * size.n_epochs * size.n_trials / n_members
        total += len(VARIANTS) * n_steps * count_step(config, n_members).predict_graph_s(H200)
    return total
