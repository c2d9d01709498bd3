"""docs/how-to/machines.md: every command of the page does what it says, on two machines with one database too.

Slurm's and Ray's are tried where these are installed: tests/sweeps/pool and tests/soak.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from cnn.tiles.tile_set import TileSet
from support.paths import ARENA, ROOT
from support.studies import agent_pid, read_process_state, states
from support.warm_python import WarmPython
from sweeps.results import StudyFacts, read_outline
from sweeps.study.database import close_databases
from sweeps.study.folder import StudyFolder

NAME = "lenet5.raw"
BUDGET = 5
PAGE = (ROOT / "docs" / "how-to" / "machines.md").read_text().replace("\\\n", "")
DATABASE = "postgresql+psycopg://arena@db.example.org/arena"
_BUSY = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory'
UNION SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
"""
TINY = "[settings]\ntrain.epochs = 1\ntrain.side_views = 0\nmodel.width = 0.25\n"  # beside the page's words


def list_commands(title: str) -> list[str]:
    """Return the lines of a section's code blocks that begin with `arena`, without comments."""
    section = f"{PAGE}\n## ".split(f"# {title}\n")[1].partition("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("arena ")]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A folder that has tiles of its own, and a user who types lines of the page in it."""

    folder: Path
    warm: WarmPython
    words: dict[str, str]  # in place of words of the page

    def start(self, line: str) -> subprocess.Popen[str]:
        for old, new in {r"--budget \d+": f"--budget {BUDGET}", **self.words}.items():
            line = re.sub(old, new, line)
        environment = {**os.environ, "PGPASSWORD": "secret", "CUDA_VISIBLE_DEVICES": "", "COLUMNS": "200"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        return self.warm.start(ARENA, *line.split()[1:], cwd=self.folder, env=environment, **pipes)

    def run(self, line: str, code: int = 0) -> str:
        return finish(self.start(line), code)

    def facts(self) -> StudyFacts:
        return read_outline(self.folder / "studies", NAME)

    def list_runs(self) -> set[str]:
        return {path.name for path in (self.folder / "runs").glob("[0-9a-f]*")}


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Return what a process prints until it ends with `code`."""
    out, _ = process.communicate(timeout=250)
    assert process.returncode == code, out
    return out


def wait_until(condition: Callable[[], bool], *processes: subprocess.Popen[str]) -> None:
    """Wait for what the processes do, as long as they live."""
    while not condition():
        for process in processes:
            assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def stop_outside_locks(pid: int, url: str) -> None:
    """Stop an agent where it holds no lock of the database: others would wait for it."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        while True:
            os.kill(pid, signal.SIGSTOP)
            while read_process_state(pid) != "T":
                time.sleep(0.001)
            if not connection.execute(_BUSY).fetchall():
                return
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.01)


@pytest.fixture
def make_machine(tmp_path: Path, tiles: TileSet, warm_python: WarmPython) -> Callable[..., Machine]:
    def make(name: str, **words: str) -> Machine:
        folder = tmp_path / name
        shutil.copytree(tiles.folder, folder / "tiles" / tiles.folder.name)
        (folder / "arena.toml").write_text(TINY)
        return Machine(folder=folder, warm=warm_python, words=words)

    return make


def test_one_machine_runs_a_study_goes_on_with_it_and_is_told_that_it_has_no_gpus(make_machine: Callable[..., Machine]) -> None:
    here = make_machine("here")
    first, on_gpus, agent = list_commands("Sweeps on one machine and on many")
    assert f"{BUDGET} of {BUDGET}" in here.run(first)
    assert here.run(on_gpus, 1).splitlines()[-1].startswith("error: --gpus")
    assert here.run(agent) == f"study {NAME}: its {BUDGET} trials are done; nothing is left to train\n"


def test_a_notebook_with_a_mounted_drive_goes_on_after_a_restart(make_machine: Callable[..., Machine]) -> None:
    notebook = make_machine("notebook")
    (cell,) = list_commands("A free notebook with a mounted drive that dies every few hours")
    notebook.words.update({"/content/drive/MyDrive/arena/": "drive/", "/content/tiles": "tiles"})
    assert f"{BUDGET} of {BUDGET}" in notebook.run(cell)
    shutil.move(notebook.folder / "drive", notebook.folder / "drive2")
    (notebook.folder / "drive2").rename(notebook.folder / "drive")
    assert f"study {NAME} goes on" in notebook.run(cell)


def test_two_machines_share_a_database_and_nobody_changes_paths_under_agents_at_work(
    make_machine: Callable[..., Machine], postgres_url: str
) -> None:
    first, second, third = (make_machine(name, **{re.escape(DATABASE): postgres_url}) for name in ("first", "second", "third"))
    run, agent, status = list_commands("Several machines with PostgreSQL")
    pool = first.start(f"{run} --agents 1")
    wait_until((first.folder / "studies" / NAME / "study.json").exists, pool)
    wait_until(lambda: "running" in states(first.facts()), pool)
    held = agent_pid(first.facts().trials[0])
    stop_outside_locks(held, postgres_url)
    other = second.start(agent)
    wait_until(lambda: bool(second.list_runs()), pool, other)
    content = StudyFolder(first.folder / "studies" / NAME).read_content()
    shutil.copytree(first.folder / "tiles", first.folder / "elsewhere")
    assert "give the same, or end them first" in first.run(agent.replace("--tiles tiles", "--tiles elsewhere"), 1)
    assert StudyFolder(first.folder / "studies" / NAME).read_content() == content
    assert "error: no tiles in " in third.run(agent.replace("--tiles tiles", "--tiles nowhere"), 1)
    assert not (third.folder / "studies").exists()
    os.kill(held, signal.SIGCONT)
    finish(other)
    assert f"{BUDGET} of {BUDGET}" in finish(pool)
    assert re.search(rf"{NAME} +bayes +{BUDGET} +{BUDGET} ", third.run(status))
    assert first.run(agent) == f"study {NAME}: its {BUDGET} trials are done; nothing is left to train\n"
    assert states(first.facts()) == ["finished"] * BUDGET
    assert first.list_runs() | second.list_runs() == {trial.run for trial in first.facts().trials}
    close_databases()
