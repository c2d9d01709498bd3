"""Sweeps whose agents a cluster places, started and watched as a user does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cnn.runs.folder import RunFolder, RunState
from cnn.tiles.tile_set import TileSet
from support.paths import ARENA
from sweeps.errors import StudyError
from sweeps.results import StudyFacts, read_outline

NAME = "lenet5.raw"
SWEEP = """\
method: random
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.01}
"""
_WAIT_S = 600.0


@dataclass(kw_only=True)
class ClusterSweep:
    """One study in a folder of its own, and the process of `arena sweep run` that watches its agents."""

    folder: Path
    tiles: TileSet
    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    sweep: str = SWEEP
    process: subprocess.Popen[str] | None = None

    def start(self, budget: int, *words: str) -> None:
        """Run `arena sweep run s.yaml` with these words."""
        (self.folder / "s.yaml").write_text(self.sweep)
        where = ["--variant", "raw", "--tiles", str(self.tiles.folder), "--device", "cpu", "--wandb", "off"]
        self.process = subprocess.Popen(
            [self.python, ARENA, "sweep", "run", "s.yaml", *where, "--budget", str(budget), *words],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def call(self, *words: str) -> str:
        """Run `arena sweep` with these words to its end and return its output."""
        command = [self.python, ARENA, "sweep", *words]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def finish(self, meanwhile: Callable[[], None] = lambda: None, limit_s: float = _WAIT_S) -> tuple[int, str]:
        """Return the exit code and the messages, without those on progress; call `meanwhile` once a second."""
        assert self.process is not None
        deadline = time.monotonic() + limit_s
        while True:
            try:
                out, err = self.process.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                assert time.monotonic() < deadline, self.describe()
                meanwhile()
        assert "Traceback" not in out + err, out + err
        lines = [line for line in err.splitlines() if not re.match(r"study \S+: \d+ of \d+ trials, ", line)]
        return self.process.returncode, "\n".join(lines)

    def read(self) -> StudyFacts | None:
        """Return the study; None before it is made."""
        try:
            return read_outline(self.folder / "studies", NAME)
        except StudyError:
            return None

    def wait_for(self, holds: Callable[[StudyFacts], bool], meanwhile: Callable[[], None] = lambda: None) -> StudyFacts:
        """Wait until `holds` is true of the study, and return it; call `meanwhile` before each look."""
        deadline = time.monotonic() + _WAIT_S
        while time.monotonic() < deadline:
            meanwhile()
            facts = self.read()
            if facts is not None and holds(facts):
                return facts
            time.sleep(0.2)
        raise AssertionError(self.describe())

    def wait_for_epochs(self, n: int) -> StudyFacts:
        """Wait until a trial in work has `n` epochs or more."""
        return self.wait_for(lambda facts: any(trial.state == "running" and len(trial.epochs) >= n for trial in facts.trials))

    def wait_for_agent(self, besides: str) -> str:
        """Wait until a trial is in work by another agent than this one, and return that agent."""
        facts = self.wait_for(lambda facts: any(trial.state == "running" and trial.agent != besides for trial in facts.trials))
        return next(trial.agent for trial in facts.trials if trial.state == "running")

    def check_all_trained(self, budget: int, n_epochs: int) -> StudyFacts:
        """Check that every trial was trained once, with all of its epochs."""
        facts = self.read()
        assert facts is not None
        assert [trial.state for trial in facts.trials] == ["finished"] * budget
        assert all(sorted(trial.epochs) == list(range(1, n_epochs + 1)) for trial in facts.trials)
        assert all(RunFolder(self.folder / "runs" / trial.run).state() is RunState.FINISHED for trial in facts.trials)
        return facts

    def describe(self) -> str:
        """Return the study and the ends of the jobs' logs."""
        logs = sorted(self.folder.glob("studies/jobs-*/*log*"))
        return "\n".join([str(self.read()), *(f"{path.name}: {path.read_text(errors='replace')[-1500:]}" for path in logs)])

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def read_parent(pid: int) -> int:
    """Return the number of a process's parent; raises ProcessLookupError where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except FileNotFoundError:
        raise ProcessLookupError from None
