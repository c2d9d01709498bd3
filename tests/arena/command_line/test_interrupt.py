"""Ctrl-C and closed pipes at any moment: a line or silence, the exit code of a shell, and no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.paths import ROOT

# The console script; it prints a dot once Ctrl-C is guarded, which is before anything large is imported.
SCRIPT = """
import sys
sys.argv[0] = "/bin/arena"
import arena
print(".", end="", flush=True)
from arena.__main__ import main
main()
"""


def start(*words: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("words", "delay_s"),
    [("--help", 0.0), ("--help", 0.12), ("doctor", 0.3), ("train --keys --json", 0.05), ("sweep run lenet5", 0.2)],
)
def test_a_signal_while_a_command_starts_gives_no_traceback(words: str, delay_s: float, number: int, tmp_path: Path) -> None:
    with start(*words.split(), folder=tmp_path) as process:
        assert process.stdout
        assert process.stdout.read(1) == "."
        time.sleep(delay_s)
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    assert "KeyboardInterrupt" not in out + err
    if number == signal.SIGINT and process.returncode > 1:  # or it had ended before
        assert process.returncode == 130
        assert err.splitlines()[-1].startswith("interrupted")
        assert not out or out.endswith("}\n") or not words.endswith("--json")


@pytest.mark.parametrize("words", ["--help", "train --help", "train --keys --json", "runs --json"])
def test_a_reader_that_leaves_ends_a_command_in_silence(words: str, tmp_path: Path) -> None:
    with start(*words.split(), folder=tmp_path) as process:
        assert process.stdout
        assert process.stdout.read(1) == "."
        process.stdout.close()
        assert process.stderr
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, "")
