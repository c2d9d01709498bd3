"""Completion as somebody at a terminal gets it: bash, zsh and fish, with quotes, blanks, `+`, `:` and `=`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT
from support.shells import complete

LINES = {
    "arena train --vari": ["arena", "train", "--variant"],
    "arena train --variant=bilateral+": ["arena", "train", "--variant=bilateral+aug"],
    "arena train --model nets.py:Wi": ["arena", "train", "--model", "nets.py:Wide"],
    "arena train train.learn": ["arena", "train", "train.learning_rate="],
    "arena train split.kind=spe": ["arena", "train", "split.kind=speaker"],
    "arena data scan my": ["arena", "data", "scan", "my recordings/"],
    "arena data scan 'my": ["arena", "data", "scan", "my recordings/"],
    "arena data scan my\\ rec": ["arena", "data", "scan", "my recordings/"],
}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_tab_completes_a_line_and_the_shell_passes_it_on_whole(shell: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    folder, home = tmp_path / "project", tmp_path / "home"
    (folder / "my recordings").mkdir(parents=True)
    (home / "voices").mkdir(parents=True)
    (folder / "nets.py").write_text("class Wide(nn.Module):\n    pass\n")
    lines = {**LINES, "arena data scan ~/voi": ["arena", "data", "scan", f"{home}/voices/"]}
    assert dict(zip(lines, complete(shell, list(lines), folder, home), strict=True)) == lines
    assert sorted(path.name for path in folder.iterdir()) == ["my recordings", "nets.py"]


def ask(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "_ARENA_COMPLETE": "bash", "COMP_LINE": line, "COMP_WORDBREAKS": "=:"}
    command = [sys.executable, "-X", "importtime", "-m", "arena"]
    return subprocess.run(command, cwd=folder, env={**env, **environment}, capture_output=True, text=True, check=True)


def test_a_completion_imports_nothing_heavy(tmp_path: Path) -> None:
    asked = ask("arena train --variant raw", tmp_path)
    assert asked.stdout == "raw \nraw+aug \n"
    heavy = {"torch", "numpy", "pydantic", "rich", "sqlalchemy", "leaderboard", "sweeps", "reports", "importlib.metadata"}
    assert {line.split("|")[-1].strip() for line in asked.stderr.splitlines()} & heavy == set()


@pytest.mark.parametrize("shell", ["complete_bash", "tcsh", ""])
def test_another_shell_gets_no_proposal_and_no_error(shell: str, tmp_path: Path) -> None:
    assert ask("arena train", tmp_path, _ARENA_COMPLETE=shell).stdout == ""


@pytest.mark.parametrize(
    ("shell", "file", "line"),
    [
        ("bash", ".bash_completions/arena.sh", "source "),
        ("zsh", ".zfunc/_arena", "fpath="),
        ("fish", ".config/fish/completions/arena.fish", ""),
    ],
)
def test_completion_is_installed_where_the_shell_looks_and_once(shell: str, file: str, line: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "SHELL": f"/bin/{shell}"}
    startup = tmp_path / f".{shell}rc"
    startup.write_text("alias a=arena")
    for _ in range(2):
        command = [sys.executable, "-m", "arena", "--install-completion"]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    script = (ROOT / "arena" / "shells" / "scripts" / f"arena.{shell}").read_text()
    assert (tmp_path / file).read_text() == script
    assert startup.read_text().splitlines()[0] == "alias a=arena"
    assert sum(bool(line) and text.startswith(line) for text in startup.read_text().splitlines()) == bool(line)


def test_a_shell_without_completion_is_told_so(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "SHELL": "/bin/tcsh"}
    command = [sys.executable, "-m", "arena", "--show-completion"]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "error: completion is for bash, zsh, fish, and SHELL is 'tcsh'; type SHELL=bash before the command\n"
