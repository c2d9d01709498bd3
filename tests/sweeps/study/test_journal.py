"""The journal survives kills in the middle of a write, full disks and readers beside writers."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.studies import claimed, finished, make_study, open_engine, states, work_off
from sweeps.engines.optuna_engine import OptunaEngine
from sweeps.engines.optuna_trials import TrialReader
from sweeps.engines.protocol import Idle
from sweeps.errors import StudyError
from sweeps.results import read_study
from sweeps.study.folder import StudyFolder
from sweeps.study.journal import Journal

NAME = "lenet5.raw"


def asides(folder: StudyFolder) -> list[Path]:
    return sorted(folder.path.glob("journal.damaged-*.log"))


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Limit the size of this process's files to `size` bytes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "tail",
    [b'{"op_code":8,"worker_id":"x","trial_id":0,"user_at', b"\0" * 5000, b"garbage\n", b'"text"\n[1]\n{"half'],
    ids=["half a line", "zeros after a power cut", "a line of garbage", "several lines"],
)
def test_a_damaged_tail_is_set_aside_and_named_and_nothing_else_is_lost(tmp_path: Path, tail: bytes) -> None:
    folder = make_study(tmp_path, budget=3)
    assert work_off(open_engine(tmp_path), 2) is None
    sound = folder.journal.read_bytes()
    folder.journal.write_bytes(sound + tail)
    assert states(read_study(tmp_path, NAME)) == ["finished"] * 2  # a reader is not disturbed, and repairs nothing
    assert folder.journal.read_bytes() == sound + tail
    messages: list[str] = []
    Journal(folder.journal, messages.append)
    assert folder.journal.read_bytes() == sound
    (aside,) = asides(folder)
    assert aside.read_bytes() == tail
    message = f"a damaged tail of {len(tail)} bytes (a kill or a full disk) is set aside in {aside.name}"
    assert messages == [f"{folder.journal}: {message}"]
    assert work_off(open_engine(tmp_path)) is Idle.DONE
    assert states(read_study(tmp_path, NAME)) == ["finished"] * 3


def test_half_a_line_left_while_others_work_is_set_aside_by_the_next_writer(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=2)
    engine = open_engine(tmp_path)
    claim = claimed(engine)
    with folder.journal.open("ab") as file:
        file.write(b'{"op_code":')  # by an agent that was killed
    assert engine.finish(claim, finished(0.5))
    assert work_off(engine) is Idle.DONE
    assert [aside.read_bytes() for aside in asides(folder)] == [b'{"op_code":']
    assert states(read_study(tmp_path, NAME)) == ["finished"] * 2


def test_a_writer_reads_what_others_append_and_what_takes_the_place_of_a_damaged_tail(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    one, other = Journal(path, print), Journal(path, print)
    one.append_logs([{"n": 0}])
    assert [list(one.read_logs(0)), list(one.read_logs(1)), list(other.read_logs(0))] == [[{"n": 0}], [], [{"n": 0}]]
    other.append_logs([{"n": 1}])
    assert [list(one.read_logs(1)), list(one.read_logs(2)), list(one.read_logs(0))] == [[{"n": 1}], [], [{"n": 0}, {"n": 1}]]
    with path.open("ab") as file:
        file.write(b'{"n":')
    assert list(one.read_logs(2)) == []
    other.append_logs([{"n": 2}])
    assert [list(one.read_logs(2)), list(one.read_logs(3))] == [[{"n": 2}], []]
    path.write_bytes(path.read_bytes()[:-3] + b"4}\n")  # a file of equal size is another file
    os.utime(path, ns=(1, 1))
    assert list(one.read_logs(2)) == [{"n": 4}]


def test_damage_in_the_middle_is_named_by_its_line(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=2)
    work_off(open_engine(tmp_path))
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    folder.journal.write_bytes(b"".join([*lines[:3], b"#" + lines[3], *lines[4:]]))
    message = f"{folder.journal} line 4 is damaged; delete that line, or the folder {folder.path} to begin again"
    for look in (lambda: read_study(tmp_path, NAME), lambda: open_engine(tmp_path)):
        with pytest.raises(StudyError) as caught:
            look()
        assert str(caught.value) == message


def test_a_full_disk_leaves_no_half_line_and_the_sweep_goes_on_later(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=2)
    engine = open_engine(tmp_path)
    claim = claimed(engine)
    before = folder.journal.read_bytes()
    with no_file_larger_than(len(before) + 20), pytest.raises(StudyError) as caught:
        engine.finish(claim, finished(0.5))
    reason = "File too large; free some space and run the sweep again"
    assert str(caught.value) == f"cannot write {folder.journal}: {reason}"
    assert folder.journal.read_bytes() == before
    assert work_off(open_engine(tmp_path)) is Idle.WAIT  # it is still ours
    assert engine.finish(claim, finished(0.5))
    assert work_off(engine) is Idle.DONE
    assert asides(folder) == []


def test_a_reader_follows_what_is_added(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=2)
    reader = TrialReader(folder)
    assert reader.trials() == []
    engine: OptunaEngine = open_engine(tmp_path)
    claim = claimed(engine)
    assert [trial.state.name for trial in reader.trials()] == ["RUNNING"]
    engine.finish(claim, finished(0.5))
    assert [trial.state.name for trial in reader.trials()] == ["COMPLETE"]


def test_a_long_last_line_is_seen_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    line = b'{"x":"' + b"y" * 200_000 + b'"}\n'
    path.write_bytes(b'{"a":1}\n' + line)
    Journal(path, print)
    assert path.read_bytes() == b'{"a":1}\n' + line
    path.write_bytes(b'{"a":1}\n' + line[:-2])
    Journal(path, print)
    assert path.read_bytes() == b'{"a":1}\n'
