"""Output of the command lines: whole tables at any width."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from arena.base.terminal import progress
from cnn.tiles.tile_set import TileSet
from reports.documents.notebook_file import NotebookCell, build_notebook, run_notebook
from support.paths import ROOT
from support.warm_python import WarmPython

PROGRESS = """
from arena.base.terminal import progress
with progress("training", 3) as advance:
    for _ in range(3):
        advance()
"""
TABLE = """
from arena.base.terminal import print_table
print_table(("model", "#score", "run"), [["lenet5", "0.1234", "0123456789abcdef"], ["resnet", "0.9876", "fedcba9876543210"]])
"""


def printed_on_a_terminal(width: int, program: str = TABLE, **variables: str) -> str:
    """What a program prints on a terminal of that many columns."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(width), "LINES": "25", "TERM": "dumb", **variables}
    subprocess.run([sys.executable, "-c", program], stdout=theirs, stderr=theirs, env=env, check=True)
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
        "training: 100 of 100 done in 40.0 s",
    ]


def test_progress_is_redrawn_on_a_terminal_alone() -> None:
    redraw = "\x1b[2K"
    assert redraw in printed_on_a_terminal(80, PROGRESS, TERM="xterm", MPLBACKEND="agg")
    assert redraw not in printed_on_a_terminal(80, PROGRESS, TERM="dumb")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "FORCE_COLOR": "1"}
    run = subprocess.run([sys.executable, "-c", PROGRESS + TABLE], capture_output=True, text=True, env=env, check=True)
    assert re.fullmatch(r"training: 3 of 3 done in \d\.\d s\n", run.stderr)
    assert "\x1b" not in run.stdout


def test_a_command_in_a_notebook_prints_few_lines_and_redraws_none(
    tiles: TileSet, tmp_path: Path, warm_python: WarmPython
) -> None:
    pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")
    words = f"-m arena train --model mlp --tiles {tiles.folder} --runs {tmp_path}/runs train.epochs=10"
    cells = [
        NotebookCell(kind="code", text=f"%env PYTHONPATH={ROOT}"),
        NotebookCell(kind="code", text=f"!{warm_python.python} {words}"),
    ]
    notebook, cause = run_notebook(build_notebook(cells), tmp_path, lambda: None)
    text = "".join("".join(output["text"]) for output in notebook["cells"][1]["outputs"])
    lines = [line for line in text.splitlines() if line.startswith("training, epochs: ")]
    assert (cause, text.count("\x1b[2K")) == ("", 0)
    assert re.search(r"model .* variant .* test F1 .* run", re.sub(r"\x1b\[\d*m", "", text))  # a table, not paragraphs
    done = re.fullmatch(r"training, epochs: 10 of 10 done in (\d+\.\d) s", lines[-1])
    assert done
    assert len(lines) <= 1 + float(done[1]) // 10


def test_a_terminal_obeys_nothing_that_a_name_holds() -> None:
    name = "'\\x1b[2Kñ\\u202e'"
    program = f"from arena.base.terminal import print_table, say\nprint_table(('net',), [[{name}]]); say({name})"
    text = printed_on_a_terminal(80, program)
    assert text.count("\\x1b[2Kñ\\u202e") == 2
    assert not {"\x1b", "\u202e"} & set(text)
