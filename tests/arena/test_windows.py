"""Windows: a team's commands work without what only Linux and macOS have; the others name WSL in one line.

The child runs each command once as it is, so that other packages are loaded for this system. Then our modules are forgotten,
the modules and names that Python lacks on Windows are taken away, and the commands run again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT

CHILD = """
import contextlib, io, json, os, signal, sys

MISSING = ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")
NAMES = {os: ("fork", "geteuid", "getuid", "killpg", "pread", "sched_getaffinity"), signal: ("SIGHUP", "SIGKILL", "SIGXCPU")}
OURS = ("cnn", "sweeps", "leaderboard", "reports")


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def run(words):
    import arena.__main__

    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.argv = ["arena", *words]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            arena.__main__.main()
        except SystemExit as ended:
            code = ended.code or 0
    return code, out.getvalue(), err.getvalue()


def become_windows():
    for name in [name for name in sys.modules if name.startswith("arena") or name.split(".")[0] in OURS or name in MISSING]:
        del sys.modules[name]
    for module, names in NAMES.items():
        for name in names:
            delattr(module, name)
    sys.meta_path.insert(0, Blocker())
    sys.platform = "win32"


before, after = json.load(sys.stdin)
for words in before:
    code, out, err = run(words)
    assert code == 0, (words, out, err)
become_windows()
json.dump([run(words) for words in after], sys.stdout)
"""
BEFORE = [
    ["contest", "init", "solution.csv", "--name", "Digits"],
    ["contest", "team", "add", "Alpha"],
    ["contest", "validate", "other.csv"],
    ["contest", "submit", "other.csv", "--team", "Alpha"],
    ["contest", "standings"],
    ["sweep", "lint", "resnet"],
]


def run_on_windows(commands: list[list[str]], folder: Path) -> list[tuple[int, str, str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "USERNAME": "student"}  # Windows always names the account
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps([BEFORE, commands]),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(ended) for ended in json.loads(done.stdout)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "".join(f"c{n},{n % 2}\n" for n in range(20))
    for name, last in {"solution": "", "good": "", "other": "\n"}.items():
        (tmp_path / f"{name}.csv").write_text(f"id,label\n{rows}{last}")
    return tmp_path


def test_a_team_validates_submits_looks_and_lints_on_windows(folder: Path) -> None:
    commands = [
        ["contest", "validate", "good.csv"],
        ["contest", "submit", "good.csv", "--team", "Alpha", "--again"],
        *BEFORE[-2:],
    ]
    validated, submitted, ranked, linted = run_on_windows(commands, folder)
    assert validated == (0, "good.csv can be sent: 20 rows, without probabilities\n", "")
    assert submitted[0] == 0
    assert submitted[1].startswith("Alpha, attempt 2: macro-F1 1.000 (")
    assert (ranked[0], "Alpha" in ranked[1]) == (0, True)
    assert (linted[0], "resnet.yaml is good" in linted[1]) == (0, True)


def test_what_cannot_run_on_windows_names_wsl_in_one_line(folder: Path) -> None:
    commands = {
        "arena train": ["train"],
        "arena eval": ["eval"],
        "arena demo": ["demo"],
        "arena sweep run": ["sweep", "run", "lenet5", "--variant", "raw"],
        "arena sweep agent": ["sweep", "agent", "lenet5.raw"],
        "arena contest serve": ["contest", "serve"],
        "arena contest verify": ["contest", "verify", "--all-teams"],
    }
    ended = run_on_windows(list(commands.values()), folder)
    expected = "error: {} needs Linux or macOS; on Windows run Arena in WSL (`wsl --install`)\n"
    assert ended == [(1, "", expected.format(name)) for name in commands]
