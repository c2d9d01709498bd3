"""Agents as real processes on real trainings: exact budgets, kills, signals, failures."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cnn.errors import ConfigError
from cnn.runs.folder import RunFolder, RunState
from cnn.runs.marks import TrialMark, read_trial_mark
from cnn.tiles.tile_set import TileSet
from support.paths import ARENA
from support.studies import agent_pid, hold_trial, read_process_state
from support.warm_python import WarmPython
from sweeps.results import StudyFacts, TrialFacts, read_outline
from sweeps.training.trial import Task, TrialContext, TrialHooks, check_context, run_trial

NAME = "lenet5.raw"
SWEEP = """
method: bayes
metric: {name: val_macro_f1, goal: maximize}
early_terminate: {type: median, min_iter: 2, startup_trials: 3}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.01}
  train.batch_size: {values: [32, 64]}
"""


class Bench:
    """A working folder with a sweep file; what is started in it ends with the test."""

    def __init__(self, folder: Path, tiles: TileSet, warm: WarmPython) -> None:
        self.warm = warm
        self.folder = folder
        self.tiles = tiles
        self.studies = folder / "studies"
        self.processes: list[subprocess.Popen[str]] = []
        (folder / "s.yaml").write_text(SWEEP)

    def start(self, *words: str, most_bytes: int = resource.RLIM_INFINITY) -> subprocess.Popen[str]:
        """`arena sweep` in a process none of whose files grows beyond `most_bytes`."""
        process = self.warm.start(
            ARENA,
            "sweep",
            *words,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY)),
        )
        self.processes.append(process)
        return process

    def sweep(self, budget: int, agents: int, *more: str, **limit: int) -> subprocess.Popen[str]:
        where = ["--variant", "raw", "--tiles", str(self.tiles.folder), "--device", "cpu"]
        small = ("--wandb", "off", "model.width=0.25", "train.side_views=0")
        return self.start("run", "s.yaml", *where, "--budget", str(budget), "--agents", str(agents), *small, *more, **limit)

    def facts(self) -> StudyFacts:
        return read_outline(self.studies, NAME)

    def until(self, holds: Callable[[StudyFacts], Any]) -> StudyFacts:
        """The study once `holds`."""
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline:
            if (self.studies / NAME / "study.json").exists() and holds(facts := self.facts()):
                return facts
            time.sleep(0.05)
        raise AssertionError("nothing came of it in 200 seconds")

    def hold_trials(self, n_epochs: int, n_agents: int = 1, n_all: int = 30) -> list[TrialFacts]:
        """The running trials of so many agents after `n_epochs`, at most about half of `n_all`, the agents stopped there."""

        def find(stopped: set[int]) -> TrialFacts | None:
            fitting = [trial for trial in self.facts().trials if trial.state == "running" and trial.number not in stopped]
            return next((trial for trial in fitting if len(trial.epochs) <= n_all // 2 + 1), None)

        stopped_trials: list[TrialFacts] = []

        def hold(_facts: StudyFacts) -> bool:
            if trial := hold_trial(lambda: find({item.number for item in stopped_trials}), n_epochs):
                stopped_trials.append(trial)
            return len(stopped_trials) == n_agents

        self.until(hold)
        return stopped_trials


def ended(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=250)
    assert process.returncode == code, err
    return out, err


@pytest.fixture
def bench(tmp_path: Path, tiles: TileSet, warm_python: WarmPython) -> Iterator[Bench]:
    bench = Bench(tmp_path, tiles, warm_python)
    yield bench
    for process in bench.processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_two_agents_reach_the_budgets_of_two_studies_exactly(bench: Bench) -> None:
    out, err = ended(bench.sweep(3, 2, "--variant", "bilateral", "train.epochs=3"))
    assert "6 of 6" in err
    for name in (NAME, "lenet5.bilateral"):
        facts = read_outline(bench.studies, name)
        assert facts.n_completed == len(facts.trials) == 3
        assert facts.best is not None
        assert facts.best.run in out
        for trial in facts.trials:
            folder = RunFolder(bench.folder / "runs" / trial.run)
            assert read_trial_mark(folder) == TrialMark(study=name, number=trial.number)
            rows = folder.epochs()
            assert trial.epochs == {row.epoch: row.val_macro_f1 for row in rows}
            assert trial.value == max(row.val_macro_f1 for row in rows)
            assert trial.seconds == pytest.approx(sum(row.seconds for row in rows))
            assert folder.state() is (RunState.FINISHED if trial.state == "finished" else RunState.PRUNED)
    before = bench.facts()
    again, _ = ended(bench.sweep(3, 2, "--variant", "bilateral", "train.epochs=3"))
    assert bench.facts() == before
    assert again == out


def test_after_kill_9_another_agent_goes_on_from_the_last_epoch_within_the_budget(bench: Bench) -> None:
    sweep = bench.sweep(2, 2, "train.epochs=30")
    (victim,) = bench.hold_trials(3)
    os.kill(agent_pid(victim), signal.SIGKILL)
    before = RunFolder(bench.folder / "runs" / victim.run).epochs()
    assert 3 <= len(before) < 30
    _, err = ended(sweep)
    assert "was killed by signal 9 (9: often for want of memory)" in err
    facts = bench.facts()
    assert [trial.state for trial in facts.trials] == ["finished", "finished"]
    after = facts.trials[victim.number]
    assert (after.params, after.run) == (victim.params, victim.run)
    assert after.agent != victim.agent
    rows = RunFolder(bench.folder / "runs" / victim.run).epochs()
    assert rows[: len(before)] == before  # their seconds are of a clock: trained again, they would differ
    assert sorted(after.epochs) == list(range(1, 31))


def test_the_death_of_all_needs_no_repair(bench: Bench) -> None:
    sweep = bench.sweep(2, 2, "train.epochs=60")  # many: while one is caught the other goes on
    trials = bench.hold_trials(1, n_agents=2, n_all=60)
    sweep.kill()
    for trial in trials:
        os.kill(agent_pid(trial), signal.SIGKILL)
    sweep.communicate()
    with (bench.studies / NAME / "journal.log").open("ab") as file:
        file.write(b'{"op_code":8,"worker')
    _, err = ended(bench.sweep(2, 1, "train.epochs=60"))
    assert "a damaged tail of 20 bytes (a kill or a full disk) is set aside in journal.damaged-" in err
    assert [(trial.number, trial.run, trial.state) for trial in bench.facts().trials] == [
        (trial.number, trial.run, "finished") for trial in sorted(trials, key=lambda trial: trial.number)
    ]


def test_ctrl_c_ends_after_the_epoch_and_gives_the_trial_up(bench: Bench) -> None:
    sweep = bench.sweep(1, 1, "train.epochs=500")
    bench.until(lambda facts: facts.trials and len(facts.trials[0].epochs) >= 2)
    sweep.send_signal(signal.SIGINT)
    _, err = ended(sweep, 130)
    assert "stopping: every agent ends after its epoch; once more ends them at once" in err
    assert "0 of 1 trials are done; the same command goes on with the rest" in err
    (paused,) = bench.facts().trials
    folder = RunFolder(bench.folder / "runs" / paused.run)
    assert (paused.state, paused.agent) == ("interrupted", "")
    assert folder.state() is RunState.UNFINISHED
    assert sorted(paused.epochs) == [row.epoch for row in folder.epochs()]


def test_agents_end_with_whoever_started_them_and_the_same_command_goes_on(bench: Bench) -> None:
    sweep = bench.sweep(1, 1, "train.epochs=30")
    (stopped,) = bench.hold_trials(1)
    sweep.kill()
    sweep.communicate()
    os.kill(agent_pid(stopped), signal.SIGCONT)
    (paused,) = bench.until(lambda facts: facts.trials[0].agent == "").trials  # the agent has given its trial up
    folder = RunFolder(bench.folder / "runs" / paused.run)
    before = folder.epochs()
    assert len(before) < 30
    bench.until(lambda _facts: read_process_state(agent_pid(stopped)) == "Z")
    ended(bench.sweep(1, 1, "train.epochs=30"))
    assert len(list(bench.studies.glob("agent-*-1.log"))) == 1  # the second agent had nothing to say
    (trial,) = bench.facts().trials
    assert (trial.number, trial.run, trial.state) == (paused.number, paused.run, "finished")
    assert folder.epochs()[: len(before)] == before


def test_three_failures_in_a_row_stop_an_agent_loudly_and_another_joins_later(bench: Bench) -> None:
    sweep = bench.sweep(2, 1, "train.epochs=1", most_bytes=100_000)  # no checkpoint can be written: every trial fails
    _, err = ended(sweep, 1)
    assert re.search(r"^agent 1 ended with exit code 1; the end of studies/agent-\d+-1\.log:$", err, re.MULTILINE)
    assert "  error: 3 trials in a row failed, the last of lenet5.raw: cannot write " in err
    assert "0 of 2 trials are done; the same command goes on with the rest" in err
    assert [trial.state for trial in bench.facts().trials] == ["failed"] * 3
    assert all("checkpoint.pt: File too large" in trial.cause for trial in bench.facts().trials)
    ended(bench.start("agent", NAME, "--device", "cpu", "--wandb", "off"))
    assert bench.facts().n_completed == 2
    _, err = ended(bench.start("agent", NAME, "--device", "cpu", "--wandb", "off"))
    assert err == "study lenet5.raw: its 2 trials are done; nothing is left to train\n"


def test_a_study_of_tiles_of_another_format_gets_no_further_trials(tmp_path: Path, tiles: TileSet) -> None:
    context = TrialContext(bases=({"tiles": {"format": 3}},), tiles=tiles.folder, runs=tmp_path, device="cpu", study="old")
    with pytest.raises(ConfigError, match=r"^study old was trained on tiles of format 3, not 4, .* begin another with --name$"):
        check_context(context)


def test_a_fault_in_a_trial_is_kept_with_its_last_lines(tmp_path: Path, tiles: TileSet) -> None:
    context = TrialContext(
        bases=({"corpus": tiles.corpus, "model": {"depth": 3}},), tiles=tiles.folder, runs=tmp_path, device="cpu"
    )

    def stumble(_row: object) -> Any:
        raise ZeroDivisionError("a fault\nof two lines")

    hooks = TrialHooks(on_epoch=stumble)
    # The default base is of 64 x 64 tiles: refused in the words of cnn, without a traceback.
    refused = run_trial(context, Task(number=0, params={}, metric="val_loss"), hooks)
    assert refused.cause.startswith("the configuration was made for other tiles")
    assert refused.tail == ()
    good = TrialContext(bases=({**context.bases[0], "tiles": {"size": 32}},), tiles=tiles.folder, runs=tmp_path, device="cpu")
    failed = run_trial(good, Task(number=1, params={"train.epochs": 1}, metric="val_loss"), hooks)
    assert failed.cause == "ZeroDivisionError: a fault of two lines"
    assert 'raise ZeroDivisionError("a fault\\nof two lines")' in failed.tail[-3]


def test_a_stopped_pool_says_that_resuming_comes_before_the_same_command(bench: Bench) -> None:
    sweep = bench.sweep(1, 1, "train.epochs=500")
    bench.until(lambda facts: facts.trials and facts.trials[0].epochs)
    ended(bench.start("stop", NAME))
    _, err = ended(sweep, 1)
    assert f"0 of 1 trials are done; `arena sweep resume {NAME}`, and after it the same command, goes on with the rest" in err
    _, err = ended(bench.sweep(1, 1, "train.epochs=500"), 1)
    assert f"study {NAME} is stopped; `arena sweep resume {NAME}` undoes it" in err
    assert err.splitlines()[-1].endswith("goes on with the rest")
    ended(bench.start("resume", NAME))
    again = bench.sweep(1, 1, "train.epochs=500")
    before = len(bench.facts().trials[0].epochs)
    bench.until(lambda facts: len(facts.trials[0].epochs) > before)
    again.send_signal(signal.SIGINT)
    _, err = ended(again, 130)
    assert err.splitlines()[-1] == "0 of 1 trials are done; the same command goes on with the rest"
