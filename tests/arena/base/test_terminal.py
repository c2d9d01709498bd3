"""Output of the command lines: whole tables at any width."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
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
        advance(note="[red]\\x1b[2J" + " and so on" * 9)
"""
TABLE = """
from arena.base.terminal import Column, Number, Prose, print_table
columns = (Column("model"), Number("score", 2), Prose("team"), Column("state", silent="finished"), Column("run"))
row = ("lenet5", "0.9", "Los Formantes de la Universidad", "finished", "0123456789abcdef")
print_table(columns, [row, ("resnet", "0.1", "\u58f0" * 14, "finished", "fedcba9876543210")], title="Scores")
"""
WHOLE = """\
Scores
model    score   team                              run
───────────────────────────────────────────────────────────────────
lenet5     0.9   Los Formantes de la Universidad   0123456789abcdef
resnet     0.1   声声声声声声声声声声声声声声      fedcba9876543210
"""
CLOSER = """\
Scores
model   score  team                             run
────────────────────────────────────────────────────────────────
lenet5    0.9  Los Formantes de la Universidad  0123456789abcdef
resnet    0.1  声声声声声声声声声声声声声声     fedcba9876543210
"""
FOLDED = """\
Scores
model   score  team                 run
────────────────────────────────────────────────────
lenet5    0.9  Los Formantes de la  0123456789abcdef
               Universidad
resnet    0.1  声声声声声声声声声   fedcba9876543210
               声声声声声
"""
FEWER = """\
Scores
model   team                run
────────────────────────────────────────────
lenet5  Los Formantes de    0123456789abcdef
        la Universidad
resnet  声声声声声声声声声  fedcba9876543210
        声声声声声
1 column more with --wide
"""
NARROWEST = """\
Scores
model   team         run
─────────────────────────────────────
lenet5  Los          0123456789abcdef
        Formantes
        de la
        Universidad
resnet  声声声声声   fedcba9876543210
        声声声声声
        声声声声
1 column more with --wide
"""


def run_on_a_terminal(width: int, program: str = TABLE, **variables: str) -> str:
    """What a program prints on a terminal of that many columns."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (25, width))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb", **variables}
    env.pop("COLUMNS", None)
    subprocess.run([sys.executable, "-c", program], stdout=theirs, stderr=theirs, env=env, check=True)
    os.close(theirs)
    text = os.read(ours, 65_536).decode()
    os.close(ours)
    return text.replace("\r\n", "\n")


def run_in_a_pipe(program: str, **variables: str) -> str:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "FORCE_COLOR": "1", **variables}
    if "COLUMNS" not in variables:
        env.pop("COLUMNS", None)
    return subprocess.run([sys.executable, "-c", program], stdout=-1, stderr=-2, text=True, env=env, check=True).stdout


@pytest.mark.parametrize(("width", "text"), [(67, WHOLE), (65, CLOSER), (52, FOLDED), (44, FEWER), (20, NARROWEST)])
def test_a_table_moves_together_then_folds_prose_then_drops_columns_and_never_cuts_a_word(
    width: int, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    exec(TABLE)
    assert "".join(capsys.readouterr()) == text


def test_a_terminal_has_a_width_a_pipe_and_wide_have_none() -> None:
    wide = "from arena.base.terminal import widen_tables; widen_tables(True)" + TABLE
    assert run_on_a_terminal(52, TERM="xterm", NO_COLOR="1") == FOLDED
    assert run_in_a_pipe(TABLE) == run_on_a_terminal(52, wide) == WHOLE


def test_the_header_is_bold_on_a_terminal_that_has_styles() -> None:
    assert re.findall(r"\x1b\[1m(.*?)\s*\x1b\[0m", run_on_a_terminal(80, TERM="xterm"))[0].split()[0] == "model"
    assert "\x1b" not in run_on_a_terminal(80, TERM="dumb")


def test_a_note_is_wrapped_at_blanks_on_a_terminal_but_a_command_in_it_stays_whole_and_a_pipe_has_one_line() -> None:
    note = "a net of your own: `arena train --model nets.py:MyNet` takes it, and everything else as well"
    program = f"from arena.base.terminal import print_text, say\nsay({note!r}); print_text('  ' + {note!r})"
    lines = [
        *("a net of your own:", "`arena train --model nets.py:MyNet` takes", "it, and everything else as well"),
        *("  a net of your own:", "  `arena train --model nets.py:MyNet`", "  takes it, and everything else as well"),
    ]
    assert run_on_a_terminal(42, program).splitlines() == lines
    assert sorted(run_in_a_pipe(program, COLUMNS="42").splitlines()) == ["  " + note, note]


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
    assert redraw in run_on_a_terminal(80, PROGRESS, TERM="xterm", MPLBACKEND="agg")
    frames = re.sub(r"\x1b\[[\d;]*m", "", run_on_a_terminal(80, PROGRESS, TERM="xterm", MPLBACKEND="agg")).split(redraw)
    assert "[red]\\x1b[2J and" in frames[-1]  # no markup, and nothing that a terminal obeys
    assert max(len(line.rstrip("\r")) for frame in frames for line in frame.split("\n")) <= 80
    assert redraw not in run_on_a_terminal(80, PROGRESS, TERM="dumb")
    assert re.fullmatch(r"training: 3 of 3 done in \d\.\d s\n", run_in_a_pipe(PROGRESS))


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
    assert re.search(r"model .* variant .* test F1 .* run", re.sub(r"\x1b\[\d*m", "", text))
    done = re.fullmatch(r"training, epochs: 10 of 10 done in (\d+\.\d) s", lines[-1])
    assert done
    assert len(lines) <= 1 + float(done[1]) // 10


def test_a_terminal_obeys_nothing_that_a_name_holds() -> None:
    name = "'\\x1b[2Kñ\\u202e'"
    program = (
        f"from arena.base.terminal import Column, print_table, say\nprint_table([Column({name})], [[{name}]]); say({name})"
    )
    text = run_on_a_terminal(80, program)
    assert text.count("\\x1b[2Kñ\\u202e") == 3
    assert not {"\x1b", "\u202e"} & set(text)
