"""Sweep files: what is read, and what it means."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from support.nets import WRITTEN
from support.paths import ROOT
from support.sweepfiles import GOOD, read
from sweeps.errors import SweepFileError
from sweeps.linting.lint import compute_budget, examine, mend, read_sweep
from sweeps.sweepfile.metric import Goal
from sweeps.sweepfile.settings import SweepSettings
from sweeps.sweepfile.space import Distribution, n_points
from sweeps.sweepfile.stopping import EarlyTerminate, Stopping
from sweeps.sweepfile.sweep import Method, Sweep


def read_or_refuse(text: str) -> Sweep | None:
    message = ""
    try:
        return read(text)
    except SweepFileError as error:
        message = str(error)
    assert message
    assert message.isprintable()
    return None


def test_shipped_files_are_good_and_tune_rate_batch_and_depth() -> None:
    for model in WRITTEN:
        depths = {"lenet5": (2, 3, 4), "densenet": (2, 4, 6)}.get(model, (1, 2, 3))
        sweep = read_sweep(model)
        assert sweep.constants == {"model.name": model}
        varied = {p.name: p.values or (p.low, p.high) for p in sweep.parameters if p.distribution is not Distribution.CONSTANT}
        assert varied == {"train.learning_rate": (0.0002, 0.02), "train.batch_size": (32, 64, 128, 256), "model.depth": depths}
        assert (sweep.method, sweep.metric, sweep.goal, sweep.run_cap) == (Method.BAYES, "val_macro_f1", Goal.MAXIMIZE, 16)
        assert sweep.early_terminate == EarlyTerminate(type=Stopping.HYPERBAND, min_iter=3, eta=3)


def test_the_shipped_file_of_stacks_has_five_and_those_of_spelled_nets_have_no_depth() -> None:
    stacks = read_sweep("stack")
    assert (stacks.method, stacks.settings) == (Method.GRID, SweepSettings(seeds=2, objectives={"multiply_adds": "minimize"}))
    assert len({value for p in stacks.parameters if p.name == "model.stack" for value in p.values}) == 5
    vgg = read_sweep("vgg16")
    assert [p.name for p in vgg.parameters] == ["model.name", "train.learning_rate", "train.batch_size"]


@pytest.mark.parametrize(
    ("name", "axis"), [("optimisers", "optimizer"), ("batch_sizes", "batch_size"), ("normalisation", "normalise")]
)
def test_shipped_studies_of_learning_vary_one_setting_and_the_learning_rate_over_three_seeds(name: str, axis: str) -> None:
    sweep = read_sweep(name)
    varied = {p.name for p in sweep.parameters if p.distribution is not Distribution.CONSTANT}
    assert varied == {f"train.{axis}", "train.learning_rate"}
    assert (sweep.name, sweep.method, sweep.settings.seeds) == (name, Method.GRID, 3)
    assert sweep.constants["train.momentum"] == 0


def test_a_net_added_by_the_two_steps_of_the_readme_has_a_sweep_file(tmp_path: Path) -> None:
    for name in ("arena", "cnn", "sweeps", "leaderboard", "reports"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "cnn" / "models" / "newnet.py").write_text(
        (ROOT / "cnn" / "models" / "mlp.py").read_text().replace("MLP", "NewNet")
    )
    table = tmp_path / "cnn" / "nets.py"
    entry = (
        'NETS = {\n    "newnet": Net(\n        "NewNet", BASELINE, "Nobody 2026", reference="A. Nobody: Nets. 2026.",\n'
        '        origin={"en": "after nobody", "es": "según nadie"}, depth=3, depths=(2, 12), counts="layers in all",\n    ),'
    )
    table.write_text(table.read_text().replace("NETS = {", entry, 1))
    words = [sys.executable, "-m", "arena", "sweep", "lint", "newnet", "--json"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    values = {parameter["name"]: parameter["values"] for parameter in json.loads(done.stdout)["parameters"]}
    assert (values["model.name"], values["model.depth"]) == (["newnet"], [3, 6, 9])


def test_a_whole_file_is_read() -> None:
    sweep = read(
        """\
program: arena
command: [arena, train]
name: first-try
description: of many
project: digits
entity: us
method: random
metric:
  name: val_loss
run_cap: 5
early_terminate: {type: median, min_iter: 2, startup_trials: 3}
arena: {paired: true}
parameters:
  train:
    parameters:
      batch_size: {distribution: q_log_uniform_values, min: 16, max: 256, q: 16}
      epochs: {min: 3, max: 9}
  model.dropout: {min: 0, max: 0.5}
  train.optimizer: {values: [adamw, sgd]}
"""
    )
    assert [(p.name, p.distribution.value, p.values, p.low, p.high, p.q, p.line) for p in sweep.parameters] == [
        ("train.batch_size", "q_log_uniform_values", (), 16, 256, 16, 16),
        ("train.epochs", "int_uniform", (), 3, 9, 1.0, 17),
        ("model.dropout", "uniform", (), 0, 0.5, 1.0, 18),
        ("train.optimizer", "categorical", ("adamw", "sgd"), 0.0, 0.0, 1.0, 19),
    ]
    assert (sweep.metric, sweep.goal, sweep.name) == ("val_loss", Goal.MINIMIZE, "first-try")
    assert sweep.early_terminate == EarlyTerminate(type=Stopping.MEDIAN, min_iter=2, startup_trials=3)
    assert sweep.settings == SweepSettings(folds=1, seeds=1, paired=True)


def test_equal_searches_are_equal_whatever_stands_beside_them() -> None:
    assert read(GOOD) == read("# a comment\nname: other\nrun_cap: 3\narena: {folds: 3}\n" + GOOD)
    assert read(GOOD) != read(GOOD.replace("0.001", "0.002"))


def test_max_iter_and_s_give_wandbs_bands_and_no_more() -> None:
    text = GOOD + "early_terminate: {type: hyperband, max_iter: 27, s: 2}\n"
    early = read(text).early_terminate
    assert early == EarlyTerminate(type=Stopping.HYPERBAND, min_iter=3, eta=3, max_iter=27, s=2)
    assert early.bands == (3, 9)


def test_a_byte_order_mark_and_crlf_are_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("dos") / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read_sweep(str(path)) == read(GOOD)


def test_a_grid_cuts_the_budget_to_its_points_with_a_note() -> None:
    grid = read("method: grid\nparameters:\n  train.epochs: {min: 1, max: 3}\n  train.optimizer: {values: [sgd, adam]}\n")
    assert n_points(grid.parameters) == 6
    assert compute_budget(grid, None) == (6, "")
    assert compute_budget(grid, 4) == (4, "")
    assert compute_budget(grid, 64) == (6, "s.yaml: the grid has 6 points, so the budget is 6, not 64")


def test_without_run_cap_a_budget_is_asked_for() -> None:
    with pytest.raises(SweepFileError) as caught:
        compute_budget(read(GOOD), None)
    assert str(caught.value) == "s.yaml: no budget: give --budget, or add `run_cap: 16` to the file"


yaml_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["uniform", "raw", "adamw"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
parameter_bodies = st.dictionaries(
    st.sampled_from(["value", "values", "min", "max", "distribution", "q", "parameters", "mu"]), yaml_values, max_size=4
)
keys = st.sampled_from(["train.learning_rate", "train.batch_size", "model.depth", "model.name", "train.optimizer", "x"])
sections = st.fixed_dictionaries(
    {"method": st.sampled_from(["random", "grid", "bayes", "tpe"]) | yaml_values},
    optional={
        "metric": yaml_values | st.just({"name": "val_loss"}),
        "parameters": st.dictionaries(keys, parameter_bodies | yaml_values, max_size=3) | yaml_values,
        "early_terminate": yaml_values | st.just({"type": "hyperband", "min_iter": 2}),
        "run_cap": yaml_values,
    },
)


@settings(max_examples=200, deadline=None)
@given(sections)
def test_whatever_a_file_holds_it_is_read_or_refused_in_one_line_and_mended_to_the_end(content: dict[str, object]) -> None:
    text = yaml.safe_dump(content, allow_unicode=True)
    sweep = read_or_refuse(text)
    assert sweep is None or (sweep.parameters and read(text) == sweep)
    mended = mend(text, "s.yaml")
    assert not any(fault.edits or "not valid YAML" in fault.message for fault in examine(mended, "s.yaml").faults)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_is_read_or_refused_in_one_line(text: str) -> None:
    read_or_refuse(text)
