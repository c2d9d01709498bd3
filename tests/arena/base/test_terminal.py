"""Output of the command lines: whole tables at any width."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from arena.base.terminal import progress
from support.paths import ROOT

TABLE = """
from arena.base.terminal import print_table
print_table(("model", "#score", "run"), [["lenet5", "0.1234", "0123456789abcdef"], ["resnet", "0.9876", "fedcba9876543210"]])
"""


def printed_on_a_terminal(width: int) -> str:
    """What TABLE prints on a terminal of that many columns."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(width), "LINES": "25", "TERM": "dumb"}
    subprocess.run([sys.executable, "-c", TABLE], stdout=theirs, env=env, check=True)
    os.close(theirs)
    text = os.read(ours, 65_536).decode()
    os.close(ours)
    return text


@pytest.mark.parametrize("width", [20, 25, 30, 40, 80])
def test_no_cell_is_ever_cut(width: int) -> None:
    text = printed_on_a_terminal(width)
    for cell in ("lenet5", "0.1234", "0123456789abcdef", "resnet", "0.9876", "fedcba9876543210"):
        assert cell in text
    assert max(len(line) for line in text.splitlines()) <= width or width < 25


def test_a_wide_terminal_gets_columns_a_narrow_one_closer_columns_and_a_very_narrow_one_paragraphs() -> None:
    assert printed_on_a_terminal(80).splitlines()[1].split() == ["model", "score", "run"]
    assert printed_on_a_terminal(30).splitlines()[0].split() == ["model", "score", "run"]
    assert "model lenet5" in printed_on_a_terminal(25)


def test_plain_progress_says_how_long_it_still_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 5.0, 12.0, 30.0, 40.0])
    monkeypatch.setattr("arena.base.terminal.time.monotonic", lambda: next(clock))
    with progress("training", 100, done=40) as advance:  # 40 were done before: they say nothing of the speed
        advance(5)
        advance(5, "F1 0.9")
        advance(50)
    assert capsys.readouterr().err.splitlines() == [
        "training: 50 of 100 after 12 s, about 1 min 00 s left, F1 0.9",
        "training: 100 of 100 after 30 s, about 0.0 s left",
        "training: 100 of 100 done in 40.0 s",
    ]
