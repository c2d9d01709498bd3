"""Sweep files that are refused: each mistake with its line and fix, in whole messages."""

from __future__ import annotations

import pytest

from support.sweepfiles import GOOD, refusal, with_parameter
from sweeps.errors import SweepFileError
from sweeps.linting.lint import read_sweep
from sweeps.sweepfile.shipped import list_shipped

TOP = "method, metric, parameters, early_terminate, run_cap, arena, name, description, program, command, project, entity"
REFUSED = {
    "empty": ("", "s.yaml: empty; begin with `method: bayes`, or copy a shipped file: `arena sweep lint lenet5`"),
    "comment only": ("# x\n", "s.yaml: empty; begin with `method: bayes`, or copy a shipped file: `arena sweep lint lenet5`"),
    "list": ("- a\n", "s.yaml line 1: a sweep file is lines of `key: value`, such as `method: bayes`"),
    "broken": (
        "method: bayes\nmetric: {name: val_loss\nparameters:\n",
        "s.yaml line 3: not valid YAML: expected ',' or '}', but got ':'; "
        "check indentation, colons and brackets around this line",
    ),
    "tab": (
        "method: bayes\nparameters:\n\ttrain.epochs: {value: 3}\n",
        "s.yaml line 3: a tab indents this line, and YAML takes spaces alone; write two spaces for each tab",
    ),
    "control": ("method: \x07\n", "s.yaml line 1: character '\\x07' is not allowed in YAML; remove it"),
    "tag": ("method: !!python/name:os.system\n", "s.yaml line 1: not valid YAML: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/name:os.system'; check indentation, colons and brackets around this line"),
    "twice": (GOOD + "method: grid\n", "s.yaml line 5: 'method' stands here a second time; keep one of them"),
    "unknown key": (GOOD + "methd: grid\n", "s.yaml line 5: sweep file: unknown key 'methd'; did you mean 'method'?"),
    "strange key": (GOOD + "zzz: 1\n", f"s.yaml line 5: sweep file: unknown key 'zzz'; known are {TOP}"),
    "wandb's key": (GOOD + "controller: {type: local}\n",
        "s.yaml line 5: sweep file: 'controller' lets W&B's package `sweeps` choose the points, which Arena's replaces; "
        "remove it and choose by --engine"),
    "wandb's launch": (GOOD + "image_uri: x\n", "s.yaml line 5: sweep file: 'image_uri' belongs to W&B Launch, and Arena "
        "starts the agents itself (`--on slurm`, `--on ray`); remove it"),
    "no method": ("parameters:\n  train.epochs: {value: 3}\n",
        "s.yaml line 1: method is missing; add `method: bayes` (or random, grid, tpe, gp, qmc)"),
    "method": (GOOD.replace("bayes", "bayesian"),
        "s.yaml line 1: method is one of random, grid, bayes, tpe, gp, qmc, not 'bayesian'; did you mean 'bayes'?"),
    "custom": (GOOD.replace("bayes", "custom"),
        "s.yaml line 1: method 'custom' belongs to W&B's own scheduler; write `method: bayes`"),
    "bayes without metric": (GOOD.replace("metric: {name: val_macro_f1, goal: maximize}\n", ""),
        "s.yaml line 1: method bayes needs a metric; add `metric: {name: val_macro_f1, goal: maximize}`"),
    "stopping without metric": (with_parameter("train.epochs: {min: 1, max: 9}\nearly_terminate: {type: median}"),
        "s.yaml line 4: early_terminate needs a metric; add `metric: {name: val_macro_f1, goal: maximize}`"),
    "metric": (GOOD.replace("val_macro_f1", "val_f1"),
        "s.yaml line 2: metric.name 'val_f1' is no metric of a training; did you mean 'val_macro_f1'?"),
    "no goal": (GOOD.replace(", goal: maximize", ""),
        "s.yaml line 2: metric.goal is missing, and W&B would minimize val_macro_f1; add `goal: maximize`"),
    "wrong goal": (GOOD.replace("maximize", "minimize"),
        "s.yaml line 2: metric.goal minimize does not fit val_macro_f1; write `goal: maximize`"),
    "goal of a loss": (GOOD.replace("val_macro_f1", "val_loss"),
        "s.yaml line 2: metric.goal maximize does not fit val_loss; write `goal: minimize`"),
    "target in percent": (GOOD.replace("goal: maximize", "goal: maximize, target: 95"),
        "s.yaml line 2: metric.target 95 is out of reach: val_macro_f1 lies from 0 to 1; write 0.95"),
    "target of a loss": (GOOD.replace("val_macro_f1, goal: maximize", "val_loss, goal: minimize, target: -1"),
        "s.yaml line 2: metric.target -1 is out of reach: val_loss lies from 0 up; write another"),
    "impute": (GOOD.replace("goal: maximize", "goal: maximize, impute: last"),
        "s.yaml line 2: metric.impute is one of latest, best, worst, not 'last'; did you mean 'latest'?"),
    "no parameters": ("method: random\n",
        "s.yaml line 1: parameters are missing; add at least one, such as "
        "`train.learning_rate: {distribution: log_uniform_values, min: 0.0001, max: 0.1}`"),
    "empty parameters": ("method: random\nparameters: {}\n",
        "s.yaml line 2: parameters are missing; add at least one, such as "
        "`train.learning_rate: {distribution: log_uniform_values, min: 0.0001, max: 0.1}`"),
    "no mapping": (with_parameter("train.epochs: 3"),
        "s.yaml line 3: parameters.train.epochs takes lines of `key: value` below it, not 3; "
        "write `train.epochs: {value: 3}`"),
    "misspelt key": (with_parameter("train.lerning_rate: {value: 0.1}"),
        "s.yaml line 3: unknown key 'train.lerning_rate'; did you mean train.learning_rate?"),
    "nested misspelt": (with_parameter("train: {parameters: {lr: {value: 0.1}}}"),
        "s.yaml line 3: unknown key 'train.lr'; did you mean train.learning_rate?"),
    "tiles": (with_parameter("tiles.size: {values: [32, 64]}"),
        "s.yaml line 3: tiles.size is fixed when tiles are prepared; give it to `arena data prepare` instead"),
    "variant": (with_parameter("variant: {values: [raw, bilateral]}"),
        "s.yaml line 3: each variant is a study of its own; remove it here and give --variant, once for each"),
    "two models": (with_parameter("model.name: {values: [lenet5, resnet]}"),
        "s.yaml line 3: one study tunes one model; write `model.name: {value: lenet5}`"),
    "given twice": (with_parameter("train: {parameters: {epochs: {value: 3}}}\n  train.epochs: {value: 4}"),
        "s.yaml line 4: train.epochs is given twice, first in line 3; keep one"),
    "mixed nesting": (with_parameter("train: {parameters: {epochs: {value: 3}}, value: 1}"),
        "s.yaml line 3: train holds nested parameters, so nothing else; move the rest below `parameters:`"),
    "parameter key": (with_parameter("train.epochs: {mim: 3, max: 4}"),
        "s.yaml line 3: train.epochs: unknown key 'mim'; did you mean 'min'?"),
    "mu": (with_parameter("train.learning_rate: {min: 0.1, max: 0.2, mu: 1}"),
        "s.yaml line 3: train.learning_rate: mu and sigma, or a and b, need a `distribution`, such as log_normal or beta"),
    "normal": (with_parameter("train.learning_rate: {distribution: normal}"),
        "s.yaml line 3: train.learning_rate lies between 1e-07 and 10, not -5.99781, which normal reaches; "
        "give it another shape, or a uniform distribution with bounds"),
    "normal of an int": (with_parameter("train.epochs: {distribution: normal, mu: 40, sigma: 2}"),
        "s.yaml line 3: train.epochs takes whole numbers, normal draws others; write `distribution: q_normal, q: 1`"),
    "sigma": (with_parameter("model.dropout: {distribution: beta, sigma: 1}"),
        "s.yaml line 3: model.dropout: beta takes no 'sigma'; remove it"),
    "no spread": (with_parameter("model.dropout: {distribution: normal, mu: 0.2, sigma: 0}"),
        "s.yaml line 3: model.dropout.sigma lies between 1.0e-06 and 1.0e+06, not 0"),
    "exponent as mu": (with_parameter("train.learning_rate: {distribution: log_normal, mu: 900}"),
        "s.yaml line 3: train.learning_rate: mu and sigma are of the logarithm; e to the 900 is no size of anything"),
    "probabilities": (with_parameter("train.optimizer: {values: [adam, sgd], probabilities: [0.5, 0.4]}"),
        "s.yaml line 3: train.optimizer.probabilities are above 0 and sum to 1, not to 0.9"),
    "too few probabilities": (with_parameter("train.optimizer: {values: [adam, sgd], probabilities: [1.0]}"),
        "s.yaml line 3: train.optimizer.probabilities takes one number for each of the 2 values, such as [0.5, 0.25, 0.25]"),
    "probabilities that are learnt": ("method: tpe\nmetric: {name: val_loss}\nparameters:\n"
        "  train.optimizer: {values: [adam, sgd], probabilities: [0.5, 0.5]}\n",
        "s.yaml line 4: train.optimizer: probabilities need `method: random`, not tpe; remove them"),
    "sampler that needs more": (GOOD.replace(GOOD.split("\n")[0], "method: cmaes"),
        "s.yaml line 1: method 'cmaes' needs a package that Arena does not install; write `method: tpe` (or gp, qmc)"),
    "distribution": (with_parameter("train.learning_rate: {distribution: unifrom, min: 0.1, max: 0.2}"),
        "s.yaml line 3: train.learning_rate: unknown distribution 'unifrom'; did you mean 'uniform'?"),
    "exponents meant as values": (with_parameter("train.learning_rate: {distribution: log_uniform, min: 0.0001, max: 0.1}"),
        "s.yaml line 3: train.learning_rate: the bounds of log_uniform are exponents of e: W&B would draw from 1.0001 to "
        "1.10517; write `distribution: log_uniform_values` to draw from 0.0001 to 0.1"),
    "exponents": (with_parameter("train.learning_rate: {distribution: log_uniform, min: -9.21, max: -2.3}"),
        "s.yaml line 3: train.learning_rate: the bounds of log_uniform are exponents of e; write "
        "`distribution: log_uniform_values` with the values themselves, min: 0.0001, max: 0.1"),
    "whole bounds of a float": (with_parameter("model.dropout: {min: 0, max: 1}"),
        "s.yaml line 3: model.dropout takes any number, but W&B draws whole ones from min 0 and max 1; "
        "write `min: 0.0`, or `distribution: uniform`"),
    "float bounds of an int": (with_parameter("train.epochs: {min: 1.0, max: 9}"),
        "s.yaml line 3: train.epochs takes whole numbers, uniform draws others; write `min: 1, max: 9`"),
    "log of an int": (with_parameter("train.batch_size: {distribution: log_uniform_values, min: 8, max: 99}"),
        "s.yaml line 3: train.batch_size takes whole numbers, log_uniform_values draws others; "
        "write `distribution: q_log_uniform_values, q: 1`"),
    "fraction of an int": (with_parameter("train.batch_size: {distribution: q_uniform, min: 8, max: 99, q: 0.5}"),
        "s.yaml line 3: train.batch_size takes whole numbers; write a whole q, not 0.5"),
    "numbers for names": (with_parameter("train.optimizer: {min: 0.5, max: 1}"),
        "s.yaml line 3: train.optimizer takes names, not numbers; list values"),
    "text number": (with_parameter("train.learning_rate: {distribution: uniform, min: 1e-5, max: 0.1}"),
        "s.yaml line 3: train.learning_rate.min is '1e-5', which YAML reads as text (it wants a point and a sign); "
        "write 1.0e-05"),
    "text value": (with_parameter("train.learning_rate: {values: [1e-3, 0.1]}"),
        "s.yaml line 3: train.learning_rate: '1e-3' is text in YAML; write 0.001"),
    "infinite": (with_parameter("train.learning_rate: {min: 0.1, max: .inf}"),
        "s.yaml line 3: train.learning_rate.max takes a finite number, not inf"),
    "bool": (with_parameter("train.learning_rate: {min: 0.1, max: yes}"),
        "s.yaml line 3: yes is read as true; write true, or put it in quotes if it is a word"),
    "no max": (with_parameter("train.epochs: {min: 1}"),
        "s.yaml line 3: train.epochs needs `value`, `values`, or `min` and `max`"),
    "no max of a distribution": (with_parameter("train.epochs: {distribution: int_uniform, min: 1}"),
        "s.yaml line 3: train.epochs: int_uniform needs max"),
    "both": (with_parameter("train.epochs: {value: 1, values: [1, 2]}"),
        "s.yaml line 3: train.epochs: constant takes no 'values'; keep one of them"),
    "q alone": (with_parameter("train.epochs: {min: 1, max: 9, q: 2}"),
        "s.yaml line 3: train.epochs: q needs `distribution: q_uniform` or q_log_uniform_values"),
    "q too large": (with_parameter("train.epochs: {distribution: q_uniform, min: 1, max: 9, q: 20}"),
        "s.yaml line 3: train.epochs: q lies above 0 and is at most max - min, not 20"),
    "reversed": (with_parameter("train.epochs: {min: 9, max: 1}"),
        "s.yaml line 3: train.epochs: min 9 is not below max 1; exchange them"),
    "same": (with_parameter("train.epochs: {min: 3, max: 3}"),
        "s.yaml line 3: train.epochs: min 3 is not below max 3; write `value: 3`"),
    "log of zero": (with_parameter("train.learning_rate: {distribution: log_uniform_values, min: 0, max: 1}"),
        "s.yaml line 3: train.learning_rate: log_uniform_values needs a min above 0, not 0"),
    "half an int": (with_parameter("train.epochs: {distribution: int_uniform, min: 1.5, max: 3}"),
        "s.yaml line 3: train.epochs.min: int_uniform takes whole numbers, not 1.5"),
    "no values": (with_parameter("train.epochs: {values: []}"),
        "s.yaml line 3: train.epochs.values takes a list such as [32, 64, 128], not a list"),
    "same value": (with_parameter("train.epochs: {values: [3, 4, 3]}"),
        "s.yaml line 3: train.epochs.values names 3 twice; keep one"),
    "nothing": (with_parameter("train.epochs: {value: }"),
        "s.yaml line 3: train.epochs.value takes plain values, not nothing"),
    "out of range": (with_parameter("model.dropout: {values: [0.1, 1.5]}"),
        "s.yaml line 3: model.dropout lies between 0 and 0.9, not 1.5"),
    "bound out of range": (with_parameter("train.epochs: {distribution: q_uniform, min: 0, max: 64, q: 1}"),
        "s.yaml line 3: train.epochs lies between 1 and 10000, not 0 (the nearest multiple of q 1 to a bound)"),
    "bound rounded out of range": (with_parameter("train.epochs: {distribution: q_uniform, min: 1, max: 9, q: 3}"),
        "s.yaml line 3: train.epochs lies between 1 and 10000, not 0 (the nearest multiple of q 3 to a bound)"),
    "depth of another model": (with_parameter("model.name: {value: resnet}\n  model.depth: {values: [1, 5]}"),
        "s.yaml line 4: model.depth of resnet (residual blocks in each of three stages) lies between 1 and 4, not 5"),
    "depth of lenet5": (with_parameter("model.depth: {values: [1, 2]}"),
        "s.yaml line 3: model.depth of lenet5 (stages of convolution and pooling) lies between 2 and 4, not 1"),
    "no such value": (with_parameter("train.optimizer: {values: [adamw, adan]}"),
        "s.yaml line 3: train.optimizer is one of adamw, adam, sgd, rmsprop, not 'adan'; did you mean 'adam'?"),
    "grid": ("method: grid\nparameters:\n  train.epochs: {min: 1, max: 3}\n  model.dropout: {min: 0.0, max: 0.5}\n",
        "s.yaml line 4: a grid cannot visit all of uniform; list values, or write `method: random`"),
    "quantized grid": ("method: grid\nparameters:\n  train.epochs: {distribution: q_uniform, min: 2, max: 8, q: 2}\n",
        "s.yaml line 3: a grid over q_uniform differs between the engines; list values instead"),
    "run_cap": (GOOD + "run_cap: 0\n", "s.yaml line 5: run_cap takes a whole number of at least 1, not 0"),
    "run_cap as text": (GOOD + "run_cap: many\n", "s.yaml line 5: run_cap takes a number, not 'many'"),
    "small space": (with_parameter("train.epochs: {min: 1, max: 3}\n  train.optimizer: {values: [sgd, adam]}\nrun_cap: 7"),
        "s.yaml: the space has 6 distinct points, fewer than the budget of 7; "
        "lower the budget, add values, or write method: grid"),
    "stopping": (GOOD + "early_terminate: {type: hyperbnd, min_iter: 3}\n",
        "s.yaml line 5: early_terminate.type is one of hyperband, median, wilcoxon, not 'hyperbnd'; did you mean 'hyperband'?"),
    "stopping without type": (GOOD + "early_terminate: {min_iter: 3}\n",
        "s.yaml line 5: early_terminate.type is missing; add `type: hyperband`"),
    "bands": (GOOD + "early_terminate: {type: hyperband, eta: 2}\n",
        "s.yaml line 5: hyperband takes either min_iter, or max_iter with s; write `min_iter: 3`"),
    "no band": (GOOD + "early_terminate: {type: hyperband, max_iter: 2, s: 2}\n",
        "s.yaml line 5: max_iter 2 leaves no band with eta 3; write `min_iter: 3` instead"),
    "eta": (GOOD + "early_terminate: {type: hyperband, min_iter: 3, eta: 1.0}\n",
        "s.yaml line 5: early_terminate.eta takes a number above 1, not 1.0"),
    "strict": (GOOD + "early_terminate: {type: hyperband, min_iter: 3, strict: 1}\n",
        "s.yaml line 5: early_terminate.strict is true or false, not 1"),
    "s beside min_iter": (GOOD + "early_terminate: {type: hyperband, min_iter: 15, s: 2}\n",
        "s.yaml line 5: s 2 counts the bands below max_iter, and min_iter 15 sets its own; remove s"),
    "max_iter alone": (GOOD + "early_terminate: {type: hyperband, max_iter: 27}\n",
        "s.yaml line 5: max_iter 27 needs s, the number of bands below it; write `s: 3` for all, or less"),
    "both bands": (GOOD + "early_terminate: {type: hyperband, min_iter: 3, max_iter: 27, s: 2}\n",
        "s.yaml line 5: hyperband takes either min_iter, or max_iter with s; keep one of them"),
    "folds that are none": (GOOD + "arena: {folds: 0, seeds: 101}\n",
        "s.yaml line 5: arena.folds takes a whole number of at least 1, not 0"),
    "paired": (GOOD + "arena: {paired: 1}\n", "s.yaml line 5: arena.paired is true or false, not 1"),
    "folds in the wrong place": (GOOD + "folds: 3\n",
        "s.yaml line 5: folds is Arena's own and stands below `arena:`; write `arena: {folds: 3}`"),
    "epochs beside folds": (GOOD + "arena: {folds: 3, seeds: 2}\nearly_terminate: {type: median}\n",
        "s.yaml line 6: early_terminate: median counts epochs, and a trial of 6 trainings is judged training by training; "
        "write `early_terminate: {type: wilcoxon}`, or remove it"),
    "wilcoxon without folds": (GOOD + "early_terminate: {type: wilcoxon}\n",
        "s.yaml line 5: early_terminate: wilcoxon compares trials training by training, and here each has one; "
        "add `arena: {folds: 5}`, or write `type: median`"),
    "p": (GOOD + "arena: {folds: 3}\nearly_terminate: {type: wilcoxon, p: 0.6}\n",
        "s.yaml line 6: early_terminate.p lies above 0 and is at most 0.5, not 0.6"),
    "seed beside seeds": (with_parameter("train.seed: {value: 3}\n  train.epochs: {values: [3, 4]}\narena: {seeds: 2}"),
        "s.yaml line 3: train.seed is set here, and 2 seeds set it; keep one of them"),
    "split": (with_parameter("train.epochs: {min: 2, max: 9}\n  split.kind: {values: [speaker, random]}"),
        "s.yaml line 4: split.kind changes which clips are scored, and trials would not be comparable; "
        "remove it here and type `split.kind=speaker` behind `arena sweep run`, one study each"),
    "octal": (with_parameter("train.batch_size: {value: 032}"),
        "s.yaml line 3: 032 is read as 26 (base 8); write 32"),
    "base 60": (with_parameter("train.epochs: {value: 1:30}"),
        "s.yaml line 3: 1:30 is read as 90 (base 60); write 90, or put it in quotes"),
    "hexadecimal": (with_parameter("train.batch_size: {value: 0x20}"),
        "s.yaml line 3: 0x20 is read as 32 (base 16); write 32"),
    "decimal comma": ("method: random\nparameters:\n  train.learning_rate:\n    min: 0,001\n    max: 0.1\n",
        "s.yaml line 4: train.learning_rate.min is '0,001', which YAML reads as text; write 0.001"),
    "name": ("name: my sweep/1\n" + GOOD,
        "s.yaml line 1: a study's name begins with a letter or digit and goes on with those and . _ + -, up to 100, "
        "unlike 'my sweep/1'; write `name: my-sweep-1`"),
    "command": ("command: [python, t.py, --train.epochs=50, '${args}']\n" + GOOD,
        "s.yaml line 1: command is W&B's and is not read here, so `--train.epochs=50` would be dropped; "
        "write `train.epochs: {value: 50}` below parameters, and remove command"),
    "test score": (GOOD.replace("val_macro_f1", "test_acc"),
        "s.yaml line 2: metric.name 'test_acc' would choose by the test clips, which are for the very end; "
        "write one of val_loss, val_accuracy, val_macro_f1"),
    "number as key": ("method: random\nparameters:\n  3: {value: 1}\n",
        "s.yaml line 3: a key must be text, such as method or train.learning_rate; put it in quotes"),
    "date": (with_parameter("train.epochs: {value: 2026-01-01}"),
        "s.yaml line 3: '2026-01-01' is read as a date; put it in quotes if it is text"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_refused_with_its_line_and_its_fix(text: str, message: str) -> None:
    assert refusal(text) == message


def test_files_that_cannot_be_read_are_named(tmp_path: object) -> None:
    with pytest.raises(SweepFileError) as caught:
        read_sweep("nowhere.yaml")
    names = ", ".join(list_shipped())
    message = f"nowhere.yaml: the sweep file cannot be read (No such file or directory); shipped are {names}"
    assert str(caught.value) == message


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("latin") / "s.yaml"
    path.write_bytes(b"method: bayes\n# caf\xe9\n")
    with pytest.raises(SweepFileError) as caught:
        read_sweep(str(path))
    assert str(caught.value) == f"{path} line 2: not UTF-8 text; save it as UTF-8"


def test_aliases_that_unfold_without_end_are_refused() -> None:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "too large or nested too deeply" in refusal(laughs)
    assert "too large or nested too deeply" in refusal("a: &a [*a]\n")
    assert "nested too deeply" in refusal("[" * 5000)
