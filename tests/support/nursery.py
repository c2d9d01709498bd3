"""Process that forks the agents of a study and kills them by SIGKILL, each time after a drawn number of bytes was written.

Bytes of the journal, or of PostgreSQL's write-ahead log, not seconds: a slow machine kills as deep in the work. What agents
load is loaded before they are forked, so that a kill costs milliseconds. The budget grows where it is reached before all kills.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import sweeps.engines.optuna_engine  # noqa: F401
from cnn.runs.folder import EpochRow, RunFolder
from cnn.runs.marks import lock_run
from sweeps.agents.run import run_agent
from sweeps.pool.agent_options import AgentOptions, AgentSignals
from sweeps.study.folder import StudyFolder
from sweeps.training import configuration, trial
from sweeps.training.trial import Step, Task, TrialContext, TrialHooks, TrialResult, TrialState

N_EPOCHS = 2
_GROWTH = 4  # trials


def play(context: TrialContext, task: Task, hooks: TrialHooks) -> TrialResult:
    """Write the epochs of a trial as a training does, without training; go on after the last that is there."""
    folder = RunFolder(context.runs / configuration.make_point(context.bases, task.params).run)
    folder.path.mkdir(parents=True, exist_ok=True)
    with lock_run(folder):
        folder.write_config(dict(task.params))
        rows = folder.epochs()
        for epoch in range(len(rows) + 1, N_EPOCHS + 1):
            score = float(str(task.params["train.learning_rate"])) * epoch
            scores = {key: score for key in EpochRow.__annotations__ if key not in ("epoch", "seconds")}
            rows.append(EpochRow(epoch=epoch, seconds=time.time(), **scores))
            folder.write_epochs(rows)
            if hooks.on_epoch(rows[-1]) is Step.PAUSE:
                return TrialResult(state=TrialState.PAUSED)
    return TrialResult(state=TrialState.FINISHED, epochs={row.epoch: row.val_macro_f1 for row in rows})


class Nursery:
    """The agents of one study."""

    def __init__(self, folder: StudyFolder, n_agents: int, fuse: int) -> None:
        self._folder = folder
        self._options = AgentOptions(studies_dir=folder.path.parent, names=(folder.name,), device="cpu", fuse=fuse)
        self._agents = [self._fork() for _ in range(n_agents)]

    def kill_some(self, n_kills: int, rng: random.Random, step_bytes: int, measure: Callable[[], int]) -> list[int]:
        """Kill `n_kills` agents, each replaced by a new one; return the exit codes of those that were left at the end."""
        n_killed, until = 0, measure() + rng.randrange(step_bytes)
        while n_killed < n_kills:
            self._replace_ended()
            if measure() < until:
                time.sleep(0.001)
                continue
            n_killed += self._kill(rng.randrange(len(self._agents)))
            until = measure() + rng.randrange(step_bytes)
        return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in self._agents]

    def _replace_ended(self) -> None:
        for index, pid in enumerate(self._agents):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._grow()
                self._agents[index] = self._fork()

    def _kill(self, index: int) -> bool:
        """Kill an agent and fork another; return False where it had ended by itself."""
        os.kill(self._agents[index], signal.SIGKILL)
        status = os.waitpid(self._agents[index], 0)[1]
        self._agents[index] = self._fork()
        return os.waitstatus_to_exitcode(status) == -signal.SIGKILL

    def _fork(self) -> int:
        if pid := os.fork():
            return pid
        code = 9
        try:
            code = run_agent(self._options, AgentSignals(), print)
        finally:
            sys.stdout.flush()
            os._exit(code)

    def _grow(self) -> None:
        with self._folder.lock():
            spec = self._folder.read_spec()
            self._folder.write(dataclasses.replace(spec, budget=spec.budget + _GROWTH))
        _forget_databases()


def _forget_databases() -> None:
    """Close this process's connections and forget them: agents that are forked later open their own."""
    if "sweeps.study.database" in sys.modules:
        from sweeps.study.database import close_databases, open_database

        close_databases()
        open_database.cache_clear()


def _make_meter(folder: StudyFolder) -> tuple[Callable[[], int], int]:
    """Return a function that measures the bytes written, and the most that a draw waits for."""
    storage = str(folder.read_content()["storage"])
    if not storage:
        return lambda: folder.journal.stat().st_size if folder.journal.exists() else 0, 1200
    import psycopg

    connection = psycopg.connect(storage.replace("+psycopg", ""), autocommit=True)
    query = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
    return lambda: int(connection.execute(query).fetchone()[0]), 3000  # type: ignore[index]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    for option in ("--kills", "--agents", "--fuse", "--seed"):
        parser.add_argument(option, type=int, required=True)
    parser.add_argument("--played", action="store_true", help="write epochs instead of training them")
    words = parser.parse_args()
    folder = StudyFolder(words.study)
    if words.played:
        trial.run_trial, trial.check_context = play, lambda _context: None
    else:
        import torch
        import torch._dynamo

        import cnn.train.fused.group
        import cnn.train.training_run  # noqa: F401

        torch.set_num_threads(1)
    folder.read_spec()  # loads what a database needs
    _forget_databases()
    measure, step_bytes = _make_meter(folder)
    gc.freeze()
    nursery = Nursery(folder, words.agents, words.fuse)
    codes = nursery.kill_some(words.kills, random.Random(words.seed), step_bytes, measure)
    sys.exit(0 if codes == [0] * words.agents else f"agents ended with {codes}")


if __name__ == "__main__":
    main()
