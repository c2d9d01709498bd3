"""Progress of a pool on terminals of any size, and without a terminal."""

from __future__ import annotations

import io
import re
import sys
from itertools import count
from pathlib import Path

import pytest
from rich.console import Console

from arena.base.install import install_command
from support.studies import claimed, finished, make_study, open_engine
from sweeps.cli import live
from sweeps.engines.counts import BestTrial, StudyCounts
from sweeps.pool.progress import PoolProgress, ProgressReader, StudyProgress
from sweeps.study.control import Command, write_command
from sweeps.study.lease import utc_now


def line(name: str, n: int, command: Command = Command.RUN) -> StudyProgress:
    best = BestTrial(number=1, value=0.5 + n / 1000, run="r", params={})
    counts = StudyCounts(
        finished=n, pruned=2, running=1, failed=3, duplicate=4, best=best, epochs=5 * n, epochs_completed=4 * n
    )
    return StudyProgress(name=name, budget=64, metric="val_macro_f1", command=command, counts=counts, n_clips=100, epochs=8)


EIGHT = PoolProgress(
    studies=tuple(
        line(f"{model}.{variant}", n)
        for n, (model, variant) in enumerate(
            [(m, v) for m in ("lenet5", "resnet") for v in ("raw", "bilateral", "raw+aug", "bilateral+aug")], 10
        )
    ),
    elapsed_s=75.0,
    clips_per_s=12_345.6,
    remaining_s=3725.0,
)


def draw(progress: PoolProgress, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(live.draw_table(progress, width, height))
    assert isinstance(console.file, io.StringIO)
    return [text.rstrip() for text in console.file.getvalue().splitlines()]


def test_eight_studies_fit_eighty_columns() -> None:
    lines = draw(EIGHT, 80, 24)
    assert lines[0].split() == ["study", "trials", "finished", "running", "pruned", "failed", "dup.", "best"]
    assert lines[8].split() == ["resnet.bilateral+aug", "19/64", "17", "1", "2", "3", "4", "0.5170"]
    assert lines[9] == "124 of 512 trials \u00b7 about 1 h 02 min left \u00b7 12,346 tiles/s \u00b7 1 min 15 s so far"
    assert len(lines) == 10


@pytest.mark.parametrize(("width", "height"), [(200, 60), (80, 24), (60, 9), (40, 6), (30, 4), (20, 2), (8, 1), (1, 1)])
def test_no_terminal_is_too_small(width: int, height: int) -> None:
    lines = draw(EIGHT, width, height)
    assert max(map(len, lines)) <= width
    assert len(lines) <= max(height - 1, 1)
    assert lines[-1].startswith("124 of 512 trials"[: width - 1])


def test_studies_that_do_not_fit_are_counted() -> None:
    lines = draw(EIGHT, 80, 9)
    names = [text.split()[0] for text in lines[1:5]]
    assert names == ["lenet5.raw", "lenet5.bilateral", "lenet5.raw+aug", "lenet5.bilateral+aug"]
    assert len(lines) == 7
    assert lines[5] == "and 4 more"


def test_a_paused_study_is_marked() -> None:
    progress = PoolProgress(
        studies=(line("a", 1, Command.PAUSE), line("b", 1, Command.STOP)), elapsed_s=1.0, clips_per_s=0.0, remaining_s=None
    )
    assert [text.split("  ")[0] for text in draw(progress, 80, 24)[1:3]] == ["a (paused)", "b (stopped)"]
    assert draw(progress, 80, 24)[-1] == "6 of 128 trials \u00b7 1.0 s so far"


def test_a_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_PLAIN_EVERY_S", 0.0)
    with live.live_progress("8 studies") as show:
        show(EIGHT)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "8 studies: 124 of 512 trials, 8 running, 16 pruned, 24 failed, after 1 min 15 s, about 1 h 02 min left, "
        "12,346 tiles/s",
        "8 studies: 124 of 512 trials, 1 min 15 s, 12,346 tiles/s",
    ]
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", err)


def test_speed_and_time_left_follow_from_epochs(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=4)
    spec = folder.read_spec()
    ticks = count(step=10)
    reader = ProgressReader([spec], tmp_path, [50], clock=lambda: float(next(ticks)))  # the 0th tick begins
    first = reader.read()
    assert (first.n_completed, first.clips_per_s, first.remaining_s) == (0, 0.0, None)
    engine = open_engine(tmp_path)
    engine.finish(claimed(engine), finished(0.1, 0.2))
    running = claimed(engine)
    engine.report(running, 1, 0.3)
    progress = reader.read()
    assert progress.clips_per_s == 3 * 50 / 10
    assert progress.remaining_s == pytest.approx(
        (3 * 2 - 1) * 50 / progress.clips_per_s
    )  # three trials of two epochs, one epoch is done
    write_command(folder, Command.STOP, utc_now())
    assert reader.read().remaining_s == 0.0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_command_of_the_live_page_is_said_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live.say_live_page(["lenet5.raw"], Path("studies"))
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    live.say_live_page(["lenet5.raw"], Path("studies"))
    live.say_live_page(["a", "b"], Path("my studies"))
    monkeypatch.setattr(sys.modules["importlib.util"], "find_spec", lambda _: None)
    live.say_live_page(["lenet5.raw"], Path("studies"))
    one, several, missing = terminal.getvalue().splitlines()
    assert one == "all learning curves, live: `arena sweep dashboard lenet5.raw` in another terminal"
    assert several == "all learning curves, live: `arena sweep dashboard --studies 'my studies'` in another terminal"
    assert missing == f"{one} (first `{install_command('dashboard')}`)"
