"""200 agents killed by SIGKILL: nothing is lost, nothing is done twice. 30 more are killed in the middle of real trainings.

The agents are forked from one process that has loaded what they need, so that a kill costs milliseconds. Kills come after a
drawn number of bytes was added to the journal, not after a time: a slow machine kills at the same places. Of the 200, the
trainings are played: the journal, the leases, the locks and the files of the run folders are real.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import torch

from cnn.config import config_to_json, default_config
from cnn.runs.folder import RunFolder, RunState
from cnn.tiles.tile_set import TileSet
from support.paths import ROOT
from support.warm_python import WarmPython
from sweeps.results import StudyFacts, read_study
from sweeps.study.folder import StudySpec, create_or_continue
from sweeps.sweepfile.sweep import parse

N_AGENTS = 3
SWEEP = """
method: random
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.01}
  train.batch_size: {values: [64, 128]}
  train.epochs: {value: 2}
  train.side_views: {value: 0}
  model.width: {value: 0.25}
"""

_NURSERY = """
import dataclasses, os, random, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
studies, name, n_kills, n_agents = Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
import gc
import sweeps.engines.optuna_engine
from cnn.runs.folder import EpochRow, RunFolder, lock_run
from sweeps.training import trial
from sweeps.training import configuration
from sweeps.agents.run import run_agent
from sweeps.pool.agent_options import AgentOptions, AgentSignals
from sweeps.study.folder import StudyFolder
from sweeps.training.trial import Step, TrialResult, TrialState

def play(context, task, hooks):
    folder = RunFolder(context.runs / configuration.make_point(context.bases, task.params).run)
    folder.path.mkdir(parents=True, exist_ok=True)
    with lock_run(folder):
        folder.write_config(dict(task.params))
        rows = folder.epochs()
        for epoch in range(len(rows) + 1, 3):
            score = task.params["train.learning_rate"] * epoch
            scores = {key: score for key in EpochRow.__annotations__ if key not in ("epoch", "seconds")}
            rows.append(EpochRow(epoch=epoch, seconds=time.time(), **scores))
            folder.write_epochs(rows)
            if hooks.on_epoch(rows[-1]) is Step.PAUSE:
                return TrialResult(state=TrialState.PAUSED)
    return TrialResult(state=TrialState.FINISHED, epochs={row.epoch: row.val_macro_f1 for row in rows})

if sys.argv[6] == "played":
    trial.run_trial, trial.check_context = play, lambda _context: None
else:
    import torch
    import torch._dynamo
    import cnn.train.training_run
    torch.set_num_threads(1)
gc.freeze()

def fork():
    pid = os.fork()
    if pid:
        return pid
    code = 9
    try:
        code = run_agent(AgentOptions(studies_dir=studies, names=(name,), device="cpu"), AgentSignals(), print)
    finally:
        sys.stdout.flush()
        os._exit(code)

rng, folder = random.Random(20), StudyFolder(studies / name)
size = lambda: folder.journal.stat().st_size if folder.journal.exists() else 0
agents = [fork() for _ in range(n_agents)]

def kill(victim):
    os.kill(agents[victim], signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(agents[victim], 0)[1]) == -9

def grow():
    with folder.lock():
        spec = folder.read_spec()
        folder.write(dataclasses.replace(spec, budget=spec.budget + 4))

n_done = 0
until = rng.randrange(1200)
while n_done < n_kills:
    for place, pid in enumerate(agents):
        if os.waitpid(pid, os.WNOHANG)[0]:  # the budget is reached before all kills
            grow()
            agents[place] = fork()
    if size() < until:
        time.sleep(0.001)
        continue
    victim = rng.randrange(n_agents)
    n_done += kill(victim)
    agents[victim] = fork()
    until = size() + rng.randrange(1200)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in agents]
sys.exit(0 if codes == [0] * n_agents else f"agents ended with {codes}")
"""


def make_study(folder: Path, tiles: TileSet, budget: int) -> StudySpec:
    spec = StudySpec(
        name="chaos",
        sweep=parse(SWEEP, "s.yaml"),
        base=config_to_json(default_config(tiles.corpus, tiles.settings, "mlp", "raw")),
        overrides=(),
        tiles=tiles.folder,
        runs=folder / "runs",
        budget=budget,
        seed=0,
    )
    create_or_continue(folder / "studies", spec)
    return spec


def facts_after(n_kills: int, spec: StudySpec, python: Callable[..., CompletedProcess[str]], how: str) -> StudyFacts:
    """The study after so many kills: its budget, which grew where it was reached before, is exact and its trials are whole."""
    studies = spec.runs.parent / "studies"
    done = python("-c", _NURSERY, str(ROOT), str(studies), spec.name, str(n_kills), str(N_AGENTS), how)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    facts = read_study(studies, spec.name)
    assert facts.budget >= spec.budget
    assert [(trial.number, trial.state) for trial in facts.trials] == [(n, "finished") for n in range(facts.budget)]
    runs = {trial.run for trial in facts.trials}
    assert len(runs) == facts.budget
    assert {path.name for path in spec.runs.iterdir() if not path.name.startswith(".")} == runs
    for trial in facts.trials:
        rows = RunFolder(spec.runs / trial.run).epochs()
        assert [row.epoch for row in rows] == [1, 2]
        assert trial.epochs == {row.epoch: row.val_macro_f1 for row in rows}
    return facts


def cold(*words: str) -> CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)


def test_two_hundred_kills_lose_no_trial_and_double_none(tmp_path: Path, tiles: TileSet) -> None:
    facts_after(200, make_study(tmp_path, tiles, 40), cold, "played")  # without torch: a fork costs less


def test_kills_in_the_middle_of_real_trainings_leave_every_run_folder_whole(
    tmp_path: Path, tiles: TileSet, warm_python: WarmPython
) -> None:
    spec = make_study(tmp_path, tiles, 6)
    for trial in facts_after(30, spec, warm_python.run, "real").trials:
        folder = RunFolder(spec.runs / trial.run)
        assert folder.state() is RunState.FINISHED
        torch.load(folder.path / "model.pt", weights_only=True)
        with (folder.path / "predictions.csv").open(newline="") as file:
            assert len(list(csv.DictReader(file))) == 80  # the clips of two of five speakers
        assert not list(folder.path.glob(".model.pt.*"))
