"""Every run as one row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cnn.runs.folder import RunFolder, RunResult, RunState
from cnn.runs.marks import label_run
from reports.documents.run_table import read_run_table, write_table
from reports.errors import NothingToReport
from support.report_facts import make_config, write_eight, write_run


def test_the_table_holds_every_run_and_comes_back_from_its_csv(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    eight = write_eight(runs)
    for name, state in (("00ff", None), ("00fe", RunState.FAILED)):
        (runs / name).mkdir()
        RunFolder(runs / name).write_config(make_config("lenet5", "raw"))
        if state:
            RunFolder(runs / name).write_result(RunResult(state=state, cause="out of memory"))
    label_run(eight[0], "first", ("wide", "old"))
    write_table(read_run_table(runs), tmp_path / "runs.csv")
    table = pd.read_csv(tmp_path / "runs.csv", dtype={"run": str}).set_index("run")
    assert list(table.columns[:5]) == ["name", "tags", "state", "model.name", "variant"]
    assert list(table.loc[eight[0].digest, ["name", "tags"]]) == ["first", "wide old"]
    assert table["state"].value_counts().to_dict() == {"finished": 8, "unfinished": 1, "failed": 1}
    for run in eight:
        result = run.result()
        assert result is not None
        assert table.loc[run.digest, "test_macro_f1"] == result.scores["test"].macro_f1
        assert table.loc[run.digest, "train.learning_rate"] == run.config()["train"]["learning_rate"]


def test_a_net_of_ones_own_goes_by_its_class(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("team/nets.py:Mine", "raw"))
    assert list(read_run_table(tmp_path)["model.name"]) == ["Mine"]


def test_a_cause_that_a_spreadsheet_would_run_is_set_apart_and_nothing_else_changes(tmp_path: Path) -> None:
    table = pd.DataFrame({"cause": ["=1+1", None, "-x", "fine"], "n": [-1, 2, None, 4], "flag": [True, None, False, True]})
    plain = table.to_csv(index=False, lineterminator="\n")
    write_table(table, tmp_path / "runs.csv")
    assert (tmp_path / "runs.csv").read_text() == plain.replace("=1+1", "'=1+1").replace("-x", "'-x")


def test_no_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NothingToReport, match=r"no run folder in .*; train with `arena train --all`"):
        read_run_table(tmp_path)
