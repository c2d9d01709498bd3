"""200 agents killed by SIGKILL in the middle of real trainings: nothing is lost, nothing is done twice.

The agents are forked from one process that has loaded torch and Optuna already, so that a kill costs milliseconds. Kills come
after a drawn number of bytes was added to the journal, not after a time: a slow machine kills at the same places.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import torch
from test_sweeps_world import ROOT

from cnn.config import default_config, to_dict
from cnn.runs import RunFolder, RunState
from cnn.tiles import TileSet
from sweeps.results import read_study
from sweeps.study import StudySpec, create_or_continue
from sweeps.sweepfile import parse

N_KILLS, BUDGET, N_AGENTS = 200, 16, 3  # where the budget is reached before all kills, it is raised
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
import torch
torch.set_num_threads(1)
import cnn.train, sweeps.optuna_engine, torch._dynamo
import gc
gc.freeze()
from sweeps.agent import Order, work
from sweeps.study import StudyFolder

def fork():
    pid = os.fork()
    if pid:
        return pid
    code = 9
    try:
        code = work(Order(studies_dir=studies, names=(name,), device="cpu"), print)
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
    with folder.locked():
        spec = folder.spec()
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


def make_study(folder: Path, tiles: TileSet) -> StudySpec:
    spec = StudySpec(
        name="chaos",
        sweep=parse(SWEEP, "s.yaml"),
        base=to_dict(default_config(tiles.corpus, tiles.settings, "mlp", "raw")),
        overrides=(),
        tiles=tiles.folder,
        runs=folder / "runs",
        budget=BUDGET,
        seed=0,
    )
    create_or_continue(folder / "studies", spec)
    return spec


def test_two_hundred_kills_lose_no_trial_double_none_and_leave_every_run_folder_whole(tmp_path: Path, tiles: TileSet) -> None:
    spec = make_study(tmp_path, tiles)
    words = [str(ROOT), str(tmp_path / "studies"), spec.name, str(N_KILLS), str(N_AGENTS)]
    done = subprocess.run([sys.executable, "-c", _NURSERY, *words], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    facts = read_study(tmp_path / "studies", spec.name)
    assert facts.budget >= BUDGET
    assert [(trial.number, trial.state) for trial in facts.trials] == [(n, "finished") for n in range(facts.budget)]
    runs = {trial.run for trial in facts.trials}
    assert len(runs) == facts.budget
    assert {path.name for path in spec.runs.iterdir() if not path.name.startswith(".")} == runs
    for trial in facts.trials:
        folder = RunFolder(spec.runs / trial.run)
        assert folder.state() is RunState.FINISHED
        rows = folder.epochs()
        assert trial.epochs == {row.epoch: row.val_macro_f1 for row in rows}
        assert sorted(trial.epochs) == [1, 2]
        torch.load(folder.path / "model.pt", weights_only=True)
        with (folder.path / "predictions.csv").open(newline="") as file:
            assert len(list(csv.DictReader(file))) == 80  # the clips of two of five speakers
        assert not list(folder.path.glob(".model.pt.*"))
