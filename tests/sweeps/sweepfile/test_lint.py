"""Refusals of a whole sweep: an early stop that stops nothing; and samplers by Optuna's names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import arena.cli
from support.studies import make_study, open_engine, work_off
from sweeps.engines.optuna_space import choose_first_point
from sweeps.engines.protocol import Idle
from sweeps.errors import SweepFileError
from sweeps.linting.lint import check_stopping
from sweeps.results import read_outline
from sweeps.sweepfile.sweep import parse

STOPPING = """
method: METHOD
metric: {name: val_macro_f1, goal: maximize}
early_terminate: EARLY
run_cap: 5
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}
  train.batch_size: {values: [16, 32, 64]}
"""


@pytest.mark.parametrize(
    ("early", "epochs", "law"),
    [
        ("{type: hyperband, min_iter: 3}", 4, ""),
        ("{type: hyperband, min_iter: 3}", 3, "it looks first at epoch 3, and trials have 3; lower min_iter"),
        (
            "{type: hyperband, max_iter: 27, s: 1}",
            8,
            "it looks first at epoch 9, and trials have 8; raise s, raise train.epochs",
        ),
        ("{type: median, min_iter: 5}", 5, "it looks first at epoch 5, and trials have 5; lower min_iter"),
        ("{type: median, startup_trials: 5}", 9, "5 finish before, and run_cap is 5; lower startup_trials"),
    ],
)
def test_an_early_stop_that_ends_no_trial_is_refused_with_its_line(early: str, epochs: int, law: str) -> None:
    sweep = parse(STOPPING.replace("EARLY", early).replace("METHOD", "bayes"), "s.yaml")
    if not law:
        return check_stopping(sweep, epochs)
    with pytest.raises(SweepFileError) as caught:
        check_stopping(sweep, epochs)
    assert str(caught.value).startswith(f"s.yaml line 4: early_terminate never ends a trial: {law}")


def test_folds_too_few_for_wilcoxons_p_are_refused() -> None:
    text = STOPPING.replace("EARLY", "{type: wilcoxon, p: 0.2}\narena: {folds: 3}").replace("METHOD", "random")
    with pytest.raises(SweepFileError) as caught:
        check_stopping(parse(text, "s.yaml"), 9)
    assert str(caught.value) == (
        "s.yaml line 4: early_terminate never ends a trial: of 3 trainings those before the last give no p below 0.25, "
        "and it asks for one below 0.2; add folds or seeds, or remove it"
    )
    check_stopping(parse(text.replace("0.2}", "0.26}"), "s.yaml"), 9)


def test_lint_counts_the_epochs_that_the_file_sets(tmp_path: Path) -> None:
    text = STOPPING.replace("EARLY", "{type: hyperband, min_iter: 4}").replace("METHOD", "random")
    path = tmp_path / "s.yaml"
    for last, is_good in (("{min: 3, max: 5}", True), ("{value: 4}", False)):
        path.write_text(f"{text}  train.epochs: {last}\n")
        result = CliRunner().invoke(arena.cli.app, ["sweep", "lint", str(path)])
        assert (result.exit_code == 0) is is_good
        assert is_good or "it looks first at epoch 4, and trials have 4" in str(result.exception)


@pytest.mark.parametrize("method", ["random", "tpe", "gp", "qmc"])
def test_optunas_samplers_fill_a_budget_by_name(tmp_path: Path, method: str) -> None:
    text = STOPPING.replace("METHOD", method).replace("early_terminate: EARLY\n", "")
    folder = make_study(tmp_path, text, budget=6)
    first = choose_first_point(folder.read_spec())
    assert not folder.journal.exists()
    assert work_off(open_engine(tmp_path)) is Idle.DONE
    own = [trial for trial in read_outline(tmp_path, "lenet5.raw").trials if trial.state == "finished"]
    assert own[0].params == first
    assert len({trial.run for trial in own}) == len(own) == 6


def test_a_sobol_sequence_spreads_its_points_evenly(tmp_path: Path) -> None:
    text = "method: qmc\nparameters:\n  model.dropout: {min: 0.0, max: 0.8}\n  train.warmup: {min: 0.0, max: 0.8}\n"
    make_study(tmp_path, text, budget=17)
    for _ in range(17):  # each time a new process could be the one that asks
        work_off(open_engine(tmp_path), 1)
    points = [tuple(trial.params.values()) for trial in read_outline(tmp_path, "lenet5.raw").trials]
    cells = {(int(x / 0.2), int(y / 0.2)) for x, y in points[1:]}  # the first is drawn before the space is known
    assert len(cells) == 16


@pytest.mark.parametrize(
    ("varied", "need", "reason"),
    [
        ("train.frozen: {values: [0, 1]}", "train.start: {value: START}", "train.frozen=1 needs train.start"),
        ("model.noise: {values: [0.1, 0.3]}", "model.input: {value: noisy}", "model.noise=0.3 needs model.input=noisy"),
    ],
)
def test_a_key_that_needs_another_is_taken_with_it_and_refused_without(
    varied: str, need: str, reason: str, tmp_path: Path
) -> None:
    torch.save({"fc.weight": torch.ones(1, 1)}, tmp_path / "start.pt")
    head = "method: grid\nmetric: {name: val_loss, goal: minimize}\nparameters:\n"
    net = "autoencoder" if "noise" in varied else "lenet5"
    for lines, expected in ((f"  {need}\n  {varied}\n", ""), (f"  {varied}\n", reason)):
        text = f"{head}  model.name: {{value: {net}}}\n{lines}".replace("START", str(tmp_path / "start.pt"))
        (tmp_path / "s.yaml").write_text(text)
        ended = CliRunner().invoke(arena.cli.app, ["sweep", "lint", str(tmp_path / "s.yaml")])
        assert bool(ended.exit_code) is bool(expected), ended.exception
        assert expected in str(ended.exception)
