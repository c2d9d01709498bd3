"""The edits that `lint --fix` writes by itself, and those that it leaves to the author."""

from __future__ import annotations

import pytest

from arena.base.suggest import is_respelling
from sweeps.linting.lint import examine, mend
from sweeps.sweepfile.sweep import parse

TUNED = "parameters:\n  train.learning_rate: {values: [0.001, 0.01]}\n"


@pytest.mark.parametrize(
    ("word", "name"),
    [("AdamW", "adamw"), ("adam_w", "adamw"), ("weight", "weights"), ("optimzer", "optimizer"), ("metohd", "method")],
)
def test_case_separators_number_and_one_slip_leave_a_word_the_same(word: str, name: str) -> None:
    assert is_respelling(word, name)


@pytest.mark.parametrize(
    "entry",
    [
        *(f"train.optimizer: {{values: [sgd, {name}]}}" for name in ("nadam", "radam", "adamax")),
        *(f"model.activation: {{values: [tanh, {name}]}}" for name in ("mish", "selu", "celu")),
        "train.schedule: {values: [constant, none]}",
        "model.name: {value: resnet50}",
        *(f"train.{name}: {{values: [0, 0.5]}}" for name in ("mixup", "amp", "rate", "eps", "lr_decay", "size", "weights")),
        *(f"{name}: {{values: [1, 2]}}" for name in ("speed", "train_size", "dropout1", "decay", "noise_level")),
        "train.dropout: {distribution: log_uniform_10, min: 0.1, max: 0.2}",
        "train.weight_decay: {values: [0,001, 0,01]}",
        "train.weight_decay: {values: [0,001]}",
        "train.weight_decay: {values: [0,1, 0,2]}",
        "train.weight_decay: {values: [1,5, 0.1]}",
    ],
)
def test_another_thing_of_a_like_name_is_refused_and_left_to_its_author(entry: str) -> None:
    text = f"method: random\n{TUNED}  {entry}\n"
    assert mend(text, "my.yaml").splitlines()[3:] == [f"  {entry}"] or "dropout" in entry
    assert examine(mend(text, "my.yaml"), "my.yaml").faults


@pytest.mark.parametrize(
    "name", ["val_auc", "val_mae", "val_acc1", "val_macro_recall", "val_balanced_accuracy", "score", "test_f1"]
)
def test_a_metric_of_another_meaning_is_refused_and_left_to_its_author(name: str) -> None:
    text = f"method: random\nmetric: {{name: {name}, goal: maximize}}\n{TUNED}"
    assert mend(text, "my.yaml") == text
    assert [fault.line for fault in examine(text, "my.yaml").faults] == [2]


@pytest.mark.parametrize(
    ("name", "metric"),
    [("eval/loss", "val_loss"), ("best_val_acc", "val_accuracy"), ("f1", "val_macro_f1"), ("train_acc", "train_accuracy")],
)
def test_a_metric_as_other_tools_write_it_is_mended(name: str, metric: str) -> None:
    goal = "minimize" if "loss" in metric else "maximize"
    text = f"method: random\nmetric: {{name: {name}, goal: {goal}}}\n{TUNED}"
    assert mend(text, "my.yaml") == text.replace(name, metric)


def test_a_folded_metric_and_a_comment_within_a_list_survive_the_fix() -> None:
    text = (
        "method: random\nmetric:\n  name: >\n    val_loss\n  goal: minimize\nparameters:\n"
        "  train.optimizer:\n    values: [adam,\n             sgd,  # classic\n             adam]\n  lr: {value: 1e-3}\n"
    )
    mended = mend(text, "my.yaml")
    assert mended.splitlines()[2:5] == ["  name: val_loss", "  goal: minimize", "parameters:"]
    assert "sgd,  # classic" in mended
    assert [p.values for p in parse(mended, "my.yaml").parameters] == [("adam", "sgd"), (0.001,)]


def test_a_text_of_digits_keeps_its_zeros() -> None:
    text = f"method: random\nproject: 0123\ndescription: 3.10\n{TUNED}"
    assert mend(text, "my.yaml") == text.replace("0123", '"0123"').replace("3.10", '"3.10"')


def test_all_faults_of_early_terminate_are_told_at_once() -> None:
    stopping = '{type: Hyperband, min_iter: "3", eta: 1, strict: "false"}'
    text = f"method: random\nmetric: {{name: val_loss, goal: minimize}}\nearly_terminate: {stopping}\n{TUNED}"
    faults = "\n".join(fault.message for fault in examine(text, "my.yaml").faults)
    assert all(word in faults for word in ("Hyperband", "min_iter", "eta", "strict"))


def test_epochs_under_another_name_count_for_early_terminate() -> None:
    text = (
        "method: random\nmetric: {name: val_loss, goal: minimize}\nearly_terminate: {type: hyperband, max_iter: 27, s: 2}\n"
        f"{TUNED}  num_train_epochs: {{value: 3}}\n"
    )
    messages = [fault.message for fault in examine(text, "my.yaml").faults]
    assert any("it looks first at epoch 3, and trials have 3; raise s, raise train.epochs" in message for message in messages)


def test_a_second_document_is_refused_by_that_name() -> None:
    text = f"method: random\n{TUNED}---\nmethod: grid\n{TUNED}"
    assert [(f.line, f.message) for f in examine(text, "my.yaml").faults] == [
        (4, "a second document begins here, and a file holds one sweep; put it into a file of its own")
    ]


def test_a_decimal_comma_between_bounds_is_refused_by_that_name() -> None:
    text = "method: random\nparameters:\n  train.warmup: {min: 0,1, max: 0,5}\n"
    assert mend(text, "my.yaml") == text
    assert ["write a decimal with a point" in fault.message for fault in examine(text, "my.yaml").faults] == [True]


@pytest.mark.parametrize(
    ("entry", "mended"),
    [
        ("folds: 3", "arena: {folds: 3}"),
        ("arena: {fold: 3.0, seed: 2, Paired: True}", "arena: {folds: 3, seeds: 2, paired: True}"),
        ("arena: {folds: 3, turns: 2}", ""),
        (
            "arena: {folds: 3}\nmetric: {name: val_loss}\nearly_terminate:\n  type: hyperband\n  min_iter: 3",
            "arena: {folds: 3}\nmetric: {name: val_loss}\nearly_terminate:\n  type: wilcoxon",
        ),
        ("arena: 3", ""),
    ],
)
def test_arenas_own_key_is_mended_like_any_other(entry: str, mended: str) -> None:
    text = f"method: random\n{TUNED}{entry}\n"
    assert mend(text, "my.yaml") == f"method: random\n{TUNED}{mended or entry}\n"
    assert bool(examine(mend(text, "my.yaml"), "my.yaml").faults) is not bool(mended)
