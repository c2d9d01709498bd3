"""Sweep files as strangers write them: refused by the very commands, with fixes that then pass."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena.cli
from sweeps.linting.lint import examine, mend

TOP = "method: random\nmetric: {name: val_macro_f1, goal: maximize}\nrun_cap: 6\n"
RATE = "  train.learning_rate: {distribution: log_uniform_values, min: 0.0005, max: 0.01}\n"


def run_lint(folder: Path, text: str, *words: str) -> tuple[int, str]:
    path = folder / "sweep.yaml"
    path.write_text(text)
    result = CliRunner().invoke(arena.cli.app, ["sweep", "lint", str(path), *words])
    errors = [str(result.exception), *getattr(result.exception, "others", ())] if result.exception else []
    output = result.stdout if "--json" in words else "\n".join([result.output, *errors])
    return result.exit_code, output.replace(f"{folder}/", "")


def test_a_sweep_over_the_split_is_refused(tmp_path: Path) -> None:
    code, output = run_lint(tmp_path, f"{TOP}parameters:\n  split.kind:\n    values: [speaker, random]\n{RATE}")
    assert code == 1
    assert "sweep.yaml line 5: split.kind changes which clips are scored" in output
    assert "type `split.kind=speaker` behind `arena sweep run`, one study each" in output


def test_a_point_of_a_grid_that_no_training_takes_is_refused(tmp_path: Path) -> None:
    text = "method: grid\nmetric: {name: val_macro_f1, goal: maximize}\nparameters:\n"
    text += "  split.kind:\n    values: [speaker, random]\n  split.validation:\n    values: [speakers, takes]\n"
    code, output = run_lint(tmp_path, text)
    assert code == 1
    assert "line 6: no training can take split.kind=random with split.validation=takes" in output
    assert "line 4: split.kind changes" in output
    assert "nothing is left to tune; add at least one parameter" in output


def test_a_command_with_settings_is_refused_with_the_lines_to_write(tmp_path: Path) -> None:
    words = "".join(
        f"  - {word}\n" for word in ("${env}", "python", "t.py", "--train.epochs=50", "--model.name=resnet", "${args}")
    )
    text = f"program: t.py  # ours\n{TOP}command:\n{words}parameters:\n{RATE}"
    code, output = run_lint(tmp_path, text)
    assert code == 1
    assert (
        "line 5: command is W&B's and is not read here, so `--train.epochs=50`, `--model.name=resnet` would be dropped; "
        in output
    )
    assert "write `train.epochs: {value: 50}` and `model.name: {value: resnet}` below parameters, and remove command" in output
    code, output = run_lint(tmp_path, text, "--fix")
    assert code == 0
    assert "+  train.epochs: {value: 50}" in output
    written = (tmp_path / "sweep.yaml").read_text()
    assert (
        written
        == f"program: t.py  # ours\n{TOP}parameters:\n{RATE}  train.epochs: {{value: 50}}\n  model.name: {{value: resnet}}\n"
    )
    assert run_lint(tmp_path, written)[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        "['${env}', '${interpreter}', '${program}', '${args}']",
        "[python3, -u, train.py, '${args_no_hyphens}']",
        "[python, -m, project.train, '${args}']",
        "[arena, train, '${args}']",
    ],
)
def test_a_command_that_sets_nothing_is_harmless(tmp_path: Path, words: str) -> None:
    assert run_lint(tmp_path, f"{TOP}command: {words}\nparameters:\n{RATE}")[0] == 0


def test_s_beside_min_iter_is_named_as_useless_and_bands_are_printed(tmp_path: Path) -> None:
    early = "early_terminate: {type: hyperband, min_iter: 15, eta: 3, s: 2}\n"
    text = f"{TOP}{early}parameters:\n  train.epochs: {{value: 60}}\n{RATE}"
    code, output = run_lint(tmp_path, text)
    assert (code, "line 4: s 2 counts the bands below max_iter, and min_iter 15 sets its own; remove s" in output) == (1, True)
    code, output = run_lint(tmp_path, text, "--fix")
    assert (code, "hyperband: the best 1/3 of trials go on at epochs 15 and 45 of 60" in output) == (0, True)
    code, output = run_lint(tmp_path, text.replace("min_iter: 15, eta: 3, s: 2", "max_iter: 9, s: 2"))
    assert (code, "at epochs 1 and 3 of 60" in output) == (0, True)


def test_numbers_of_other_bases_are_refused_as_they_look(tmp_path: Path) -> None:
    code, output = run_lint(tmp_path, f"{TOP}parameters:\n  train.batch_size: {{values: [032, 064]}}\n{RATE}", "--json")
    assert code == 1
    content = json.loads(output)
    assert [(fault["line"], fault["fix"]) for fault in content["faults"]] == [(5, "write 32"), (5, "write 64")]
    assert "032 is read as 26 (base 8); write 32" in content["error"]


FAULTY = {  # each mends itself, whatever the top of the file has
    "keys by their last part": "  lr: {min: 0.001, max: 0.1}\n  batch_size: {values: [32, 64]}\n  epochs: {value: 9}\n",
    "values without their word": "  lr: 0.01\n  batch_size: [16, 32]\n  train.epochs: {value: 9}\n",
    "text for numbers": "  lr: {values: [1e-3, 5E-4, '0.01']}\n  batch_size: {values: ['32', 064]}\n",
    "block of values": "  train.learning_rate:  # a rate\n    values:\n      - 1e-3\n      - 1e-3\n      - 0.1  # large\n",
    "bounds": "  model.dropout: {min: 0, max: 0.5}\n  train.epochs: {min: 20, max: 5}\n",
    "whole bounds of a fraction": "  model.dropout: {min: 0, max: 0}\n  train.weight_decay: {min: 0, max: 1}\n",
    "equal bounds": "  train.warmup:\n    distribution: uniform\n    min: 0.1  # least\n    max: 0.1\n  lr: {value: 1}\n",
    "whole numbers": "  train.epochs: {min: 3.0, max: 9.0}\n  batch_size: {distribution: uniform, min: 16, max: 64}\n",
    "exponents": "  lr:\n    distribution: log_uniform\n    min: 0.0001\n    max: 0.1\n",
    "exponents of e": "  lr:\n    distribution: log_uniform\n    min: -9.2\n    max: -2.3\n",
    "exponents of whole numbers": "  batch_size: {distribution: q_log_uniform, min: 2.77, max: 5.55, q: 1}\n",
    "log of whole numbers": "  batch_size: {distribution: log_uniform_values, min: 8, max: 99}\n",
    "other words": "  optimizer: {distribution: Choice, values: [Adam, SGD]}\n",
    "a distribution in another spelling": "  lr:\n    distribution: loguniform\n    min: 0.01\n    max: 0.1\n",
    "a distribution beside values": "  lr: {distribution: uniform, values: [0.01, 0.1]}\n  epochs: {value: 3, q: 1}\n",
    "tabs": "\ttrain.learning_rate:\n\t\tmin: 0.001\n\t\tmax: 0.1\n",
    "misspelt": "  train.lerning_rate:\n    mim: 0.001\n    max: 0.1\n",
    "nested": "  train:\n    parameters:\n      lr: {value: 1e-3}\n      epochs: {min: 1, max: 9}\n",
    "of W&B": "  lr: {value: 1e-3}\n  epochs: {min: 1, max: 9}\ncontroller:\n  type: local\nname: my sweep\n",
    "early": "  lr: {min: 0.001, max: 0.1}\nearly_terminate:\n  typ: hyperband\n  min_iter: 03\n  s: 2  # bands\n",
    "median": "  lr: {min: 0.001, max: 0.1}\nearly_terminate: {type: Median, min_itr: 2.0}\n",
    "flow": "  {lr: {min: 1e-3, max: 1e-1}, epochs: 5}\n",
}


@pytest.mark.parametrize("text", FAULTY.values(), ids=FAULTY)
def test_each_fix_passes_and_leaves_comments_alone(text: str) -> None:
    text = f"methd: Random\nmetric: {{name: val_acc, goal: minimise}}\nparameters:\n{text}"
    assert examine(text, "s.yaml").faults
    mended = mend(text, "s.yaml")
    assert examine(mended, "s.yaml").faults == ()
    comments = [re.findall("#.*", content) for content in (text, mended)]
    assert comments[1] == [comment for comment in comments[0] if comment != "# bands"]


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        "method: bayesian\nmetric: {name: val_acc}\nrun_cap: 1e1\nearly_terminate: {type: hyperbnd, min_iter: 3, s: 1}\n"
        "parameters:\n  lr: {min: 1e-4, max: 0.1}\n  train.epochs: {min: 9, max: 3}\n  split.kind: {values: [random]}\n"
        "  model.dropout: {values: [0.1, 1.5]}\n  zzz: {value: 1}\n"
    )
    code, output = run_lint(tmp_path, text)
    lines = [int(line) for line in re.findall(r"sweep.yaml line (\d+):", output)]
    assert code == 1
    assert lines == [1, 2, 2, 3, 4, 4, 6, 6, 7, 8, 9, 10]
    assert "`arena sweep lint sweep.yaml --fix` mends 9 of the 12" in output
    code, output = run_lint(tmp_path, text, "--fix", "--dry-run")
    assert (tmp_path / "sweep.yaml").read_text() == text
    assert [int(line) for line in re.findall(r"sweep.yaml line (\d+):", output)] == [8, 9, 10]


def test_line_ends_and_encoding_stay(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    text = "method: random\nparameters:\n  lr: {value: 1e-3}  # año\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert CliRunner().invoke(arena.cli.app, ["sweep", "lint", str(path), "--fix"]).exit_code == 0
    mended = text.replace("lr: {value: 1e-3}", "train.learning_rate: {value: 0.001}")
    assert path.read_bytes() == b"\xef\xbb\xbf" + mended.replace("\n", "\r\n").encode()


def test_seeds_and_training_metrics_are_notes(tmp_path: Path) -> None:
    text = TOP.replace("val_macro_f1", "train_macro_f1") + "parameters:\n  train.seed: {min: 0, max: 9}\n"
    code, output = run_lint(tmp_path, text)
    assert code == 0
    words = " ".join(output.split())
    assert "line 5: train.seed is tuned, and the best seed is luck" in words
    assert "chooses by train_macro_f1, so the trial that learns its clips by heart wins" in words
