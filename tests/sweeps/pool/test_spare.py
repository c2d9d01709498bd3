"""A process that is started before anybody knows what it will train."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli import app
from sweeps.pool.agent_process import _ARENA
from sweeps.pool.spare import SpareAgent


def test_a_spare_process_runs_the_arguments_that_it_gets_and_writes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "agent.log"
    log.touch()
    spare = SpareAgent()
    child = spare.become([str(_ARENA), "sweep", "agent", "none", "--studies", str(tmp_path), "--with-parent", "--ready"], log)
    assert child is not None
    process, ready = child
    assert process.wait(timeout=60) == 1
    process.communicate()
    os.close(ready)
    assert log.read_text().startswith(f"error: no study 'none' in {tmp_path}; ")
    assert spare.become([], log) is None
    spare.end()  # ends nothing that has become an agent


def test_a_spare_process_that_nobody_needs_is_gone() -> None:
    spare = SpareAgent()
    assert spare._child is not None
    process = spare._child[0]
    spare.end()
    assert process.poll() is not None


def test_it_ends_by_itself_when_its_pool_is_dead(tmp_path: Path) -> None:
    spare = SpareAgent()
    assert spare._child is not None
    process, ready = spare._child
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    os.close(ready)


def test_a_command_that_trains_nothing_leaves_no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ended: list[bool] = []
    end = SpareAgent.end

    def record(spare: SpareAgent) -> None:
        end(spare)
        ended.append(spare._child is None)

    monkeypatch.setattr(SpareAgent, "end", record)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["sweep", "run", "no-such-file.yaml"]).exit_code != 0
    assert ended == [True]
