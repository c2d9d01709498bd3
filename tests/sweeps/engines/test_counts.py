"""Counts of a study, read from its journal alone: they say what Optuna's own reading says, and go on from where they ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT
from support.studies import claim_and_die, claimed, finished, make_study, open_engine, work_off
from support.warm_python import WarmPython
from sweeps.engines import counts
from sweeps.engines.counts import DatabaseCounter, JournalCounter, StudyCounts
from sweeps.errors import StudyError
from sweeps.study.folder import StudyFolder
from sweeps.training.trial import TrialResult, TrialState

FINITE = """
method: random
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.batch_size: {values: [16, 32, 64]}
  model.depth: {min: 2, max: 3}
"""


def both(folder: StudyFolder) -> StudyCounts:
    ours = JournalCounter(folder, folder.read_spec()).read()
    assert ours == DatabaseCounter(folder, folder.read_spec()).read()
    return ours


def test_the_counts_of_every_kind_of_trial_are_those_that_optuna_reads(tmp_path: Path, warm_python: WarmPython) -> None:
    folder = make_study(tmp_path, FINITE, budget=6)
    assert both(folder) == StudyCounts()
    engine = open_engine(tmp_path)
    for result in (finished(0.1, 0.7), TrialResult(state=TrialState.PRUNED, epochs={1: 0.2}), finished(0.7)):
        engine.finish(claimed(engine), result)
    engine.finish(claimed(engine), TrialResult(state=TrialState.FAILED, cause="no disk"))
    claimed(engine)
    claim_and_die(tmp_path, warm_python, epochs=2)
    study_counts = both(folder)
    kinds = (study_counts.finished, study_counts.pruned, study_counts.failed, study_counts.running, study_counts.interrupted)
    assert kinds == (2, 1, 1, 1, 1)
    assert (study_counts.epochs, study_counts.epochs_completed, study_counts.last_cause) == (6, 4, "no disk")
    assert study_counts.best is not None
    assert (study_counts.best.number, study_counts.best.value) == (0, 0.7)
    work_off(open_engine(tmp_path))
    assert both(folder).duplicate > 0


def test_counts_go_on_from_what_an_agent_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_SAVE_EVERY_BYTES", 1)
    folder = make_study(tmp_path, budget=4)
    engine = open_engine(tmp_path)
    watcher = JournalCounter(folder, folder.read_spec())
    work_off(engine, 2)
    claimed(engine)
    assert (folder.path / "counts.json").exists()
    text = folder.journal.read_bytes()
    damaged = text.replace(b'"op_code":4', b'"op_code":9', 1)  # what was counted already is not read again
    folder.journal.write_bytes(damaged)
    later = JournalCounter(folder, folder.read_spec()).read()
    folder.journal.write_bytes(text)
    assert later == watcher.read() == both(folder)
    assert (later.finished, later.running) == (2, 1)


def test_counts_of_another_make_or_of_another_journal_are_begun_anew(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=2)
    work_off(open_engine(tmp_path))
    for content in ('{"offset": 3, "shape": "old"}', "{", '{"offset": 100000000}'):
        (folder.path / "counts.json").write_text(content)
        assert both(folder).finished == 2


def test_half_a_line_is_left_for_the_next_look_and_damage_is_told(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=2)
    work_off(open_engine(tmp_path))
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    watcher = JournalCounter(folder, folder.read_spec())
    folder.journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:9])
    assert watcher.read().finished == 1
    folder.journal.write_bytes(b"".join(lines))
    assert watcher.read().finished == 2
    folder.journal.write_bytes(lines[0] + b"{{{\n" + b"".join(lines[1:]))
    with pytest.raises(StudyError, match=r"journal\.log line 2 is damaged; delete that line"):
        JournalCounter(folder, folder.read_spec()).read()


def test_status_loads_neither_optuna_nor_torch(tmp_path: Path) -> None:
    make_study(tmp_path, budget=2)
    work_off(open_engine(tmp_path))
    code = (
        "import sys; from arena.cli import app; app(['sweep', 'status', '--studies', sys.argv[1]], standalone_mode=False); "
        "print([m for m in ('torch', 'optuna', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"
