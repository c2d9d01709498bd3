"""Builders for tests of sweeps: a study without tiles, and processes that claim and die."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

import arena.cli
from cnn.config import TilesInfo, config_to_json, default_config
from cnn.settings.tiles import TileSettings
from support.paths import ROOT
from support.warm_python import WarmPython
from sweeps.engines.optuna_engine import OptunaEngine
from sweeps.engines.protocol import Claim, Idle
from sweeps.results import StudyFacts, TrialFacts, read_study
from sweeps.study.folder import StudyFolder, StudySpec, create_or_continue
from sweeps.sweepfile.sweep import parse
from sweeps.training import configuration
from sweeps.training.trial import TrialResult, TrialState

BAYES = """
method: bayes
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}
  train.batch_size: {values: [16, 32, 64]}
"""

# Runs in a process of its own: claims, reports some epochs, prints its claim, and ends without releasing it.
_DYING = """
import json, sys
from datetime import timedelta
from pathlib import Path
sys.path[:0] = [sys.argv[5], sys.argv[5] + "/tests"]
from sweeps.study import lease
if sys.argv[4] == "elsewhere":
    lease._find_space = lambda: "another host"
    lease.GRACE = timedelta(0)
from support.studies import open_engine
engine = open_engine(Path(sys.argv[1]), sys.argv[2], agent="the dead")
claim = engine.claim()
for epoch in range(1, int(sys.argv[3]) + 1):
    engine.report(claim, epoch, 0.1 * epoch)
print(json.dumps({"number": claim.number, "params": claim.params, "run": claim.run}))
"""


def make_study(
    studies: Path, text: str = BAYES, *, budget: int = 4, name: str = "lenet5.raw", seed: int = 0, storage: str = ""
) -> StudyFolder:
    """Create a study whose trials nobody can train: it has no tiles."""
    base = config_to_json(default_config(TilesInfo(corpus="none", settings=TileSettings(size=32)), "lenet5", "raw"))
    spec = StudySpec(
        name=name,
        sweep=parse(text, "sweep.yaml"),
        base=base,
        overrides=(),
        tiles=studies / "tiles",
        runs=studies / "runs",
        budget=budget,
        seed=seed,
        storage=storage,
    )
    return create_or_continue(studies, spec)[0]


def open_engine(
    studies: Path, name: str = "lenet5.raw", *, agent: str = "tester", messages: list[str] | None = None
) -> OptunaEngine:
    folder = StudyFolder(studies / name)
    say = messages.append if messages is not None else print
    return OptunaEngine(folder, agent, partial(configuration.make_point, folder.read_spec().bases), say)


def claim_and_die(studies: Path, warm: WarmPython, *, epochs: int = 0, elsewhere: bool = False) -> dict[str, Any]:
    """Return the claim of a process that then died; `elsewhere`: of one on another host, where all leases are over."""
    words = [str(studies), "lenet5.raw", str(epochs), "elsewhere" if elsewhere else "here", str(ROOT)]
    process = warm.run("-c", _DYING, *words)
    assert process.returncode == 0, process.stderr
    return dict(json.loads(process.stdout))


def agent_pid(trial: TrialFacts) -> int:
    return int(trial.agent.rpartition("-")[2])


def read_process_state(pid: int) -> str:
    """Return the kernel's letter for the state of a process; Z also for one that has ended."""
    stat = Path(f"/proc/{pid}/stat")
    with contextlib.suppress(OSError):
        return stat.read_text().rpartition(")")[2].split()[0]
    return "Z"


def hold_trial(find: Callable[[], TrialFacts | None], n_epochs: int) -> TrialFacts | None:
    """Stop the agent of the running trial that `find` returns, after `n_epochs`, and return that trial; None without one.

    Until then the agent runs in short steps: however slow this process is, it misses no epoch.
    """
    trial = find()
    if trial is None:
        return None
    pid = agent_pid(trial)
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.kill(pid, signal.SIGSTOP)
            while read_process_state(pid) not in "TZ":
                time.sleep(0.001)
            again = find()
            same = again is not None and (again.number, again.agent) == (trial.number, trial.agent)
            if again and same and len(again.epochs) >= n_epochs:
                return again
            os.kill(pid, signal.SIGCONT)
            if not same:
                return None
            time.sleep(0.02)
    return None


@dataclass(frozen=True, kw_only=True)
class World:
    """Studies below `studies`, stored there or in the database `storage`."""

    studies: Path
    storage: str
    warm: WarmPython

    def make(self, text: str = BAYES, *, budget: int = 4, seed: int = 0, name: str = "lenet5.raw") -> StudyFolder:
        return make_study(self.studies, text, budget=budget, seed=seed, name=name, storage=self.storage)

    def engine(self, *, agent: str = "tester", messages: list[str] | None = None) -> OptunaEngine:
        return open_engine(self.studies, agent=agent, messages=messages)

    def claim_and_die(self, *, epochs: int = 0, elsewhere: bool = False) -> dict[str, Any]:
        return claim_and_die(self.studies, self.warm, epochs=epochs, elsewhere=elsewhere)

    def facts(self, name: str = "lenet5.raw") -> StudyFacts:
        return read_study(self.studies, name)


def finished(*values: float) -> TrialResult:
    return TrialResult(state=TrialState.FINISHED, epochs=dict(enumerate(values, 1)), seconds=1.5)


def claimed(engine: OptunaEngine) -> Claim:
    claim = engine.claim()
    assert isinstance(claim, Claim)
    return claim


def work_off(engine: OptunaEngine, n: int = 10**6) -> Idle | None:
    """Finish up to `n` trials; return the reason that there are no more."""
    for _ in range(n):
        claim = engine.claim()
        if isinstance(claim, Idle):
            return claim
        assert engine.finish(claim, finished(0.1 * claim.number, 0.05))
    return None


def states(facts: StudyFacts) -> list[str]:
    return [trial.state for trial in facts.trials]


TERMINAL = {"terminal_width": 240, "env": {"COLUMNS": "240", "TERM": "dumb", "NO_COLOR": "1"}}


def call(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(arena.cli.app, ["sweep", *words], **TERMINAL)
    assert result.exit_code == code, result.output
    return result.output
