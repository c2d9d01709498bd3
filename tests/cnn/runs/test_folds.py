"""The trainings of an evaluation: which folds, which seeds, who validates, and what may not be asked."""

from __future__ import annotations

import pytest

from cnn.config import RunConfig, TilesInfo
from cnn.errors import ConfigError
from cnn.runs.folds import Arm, EvaluationPlan, make_arms


def arms(folds: str, *overrides: str, n_speakers: int = 6, on: str = "test", n_seeds: int = 1) -> list[Arm]:
    plan = EvaluationPlan(folds=folds, n_seeds=n_seeds, on=on, overrides=overrides)
    return make_arms(plan, TilesInfo(corpus="c0ffee"), n_speakers)


def configs(*words: str, **more: object) -> list[RunConfig]:
    (arm,) = arms(*words, **more)  # type: ignore[arg-type]
    return [config for seeds in arm.configs for config in seeds]


@pytest.mark.parametrize(
    ("folds", "kind", "n", "n_folds"), [("loso", "loso", 6, 0), ("becker", "becker", 5, 0), ("4", "folds", 4, 4)]
)
def test_every_fold_is_trained_once_for_each_seed(folds: str, kind: str, n: int, n_folds: int) -> None:
    planned = configs(folds, n_seeds=2)
    assert [(c.split.fold, c.train.seed) for c in planned] == [(fold, seed) for fold in range(n) for seed in (0, 1)]
    assert {(c.split.kind, c.split.n_folds) for c in planned} == {(kind, n_folds)}
    assert len({c.digest for c in planned}) == 2 * n


@pytest.mark.parametrize(
    ("folds", "on", "overrides", "validation"),
    [
        ("loso", "test", (), "takes"),
        ("3", "test", (), "takes"),
        ("becker", "test", (), "speakers"),
        ("loso", "validation", (), "speakers"),
        ("3", "validation", (), "speakers"),
        ("loso", "test", ("split.validation=speakers",), "speakers"),
        ("3", "test", ("split.validation=takes",), "takes"),
    ],
)
def test_nobody_is_held_out_for_validation_unless_there_is_a_reason(
    folds: str, on: str, overrides: tuple[str, ...], validation: str
) -> None:
    assert {c.split.validation for c in configs(folds, *overrides, on=on)} == {validation}


def test_models_and_variants_are_crossed_once_each_and_settings_reach_all() -> None:
    plan = EvaluationPlan(
        folds="loso",
        models=("lenet5", "resnet", "lenet5"),
        variants=("raw", "raw+aug"),
        overrides=("train.epochs=3", "split.seed=4"),
    )
    planned = make_arms(plan, TilesInfo(corpus="c0ffee"), 3)
    assert [(arm.model, arm.variant) for arm in planned] == [(m, v) for m in ("lenet5", "resnet") for v in ("raw", "raw+aug")]
    every = [config for arm in planned for seeds in arm.configs for config in seeds]
    assert {(c.train.epochs, c.split.seed) for c in every} == {(3, 4)}
    assert [c.model.name for c in every] == ["lenet5"] * 6 + ["resnet"] * 6


@pytest.mark.parametrize(
    ("folds", "on", "override", "message"),
    [
        ("losso", "test", "", "--folds is loso, becker or a number of folds, not 'losso'"),
        ("-3", "test", "", "--folds is loso, becker or a number of folds, not '-3'"),
        ("1", "test", "", "--folds lies between 2 and 6 where 6 speakers are heard and takes validate, not 1"),
        ("7", "test", "", "--folds lies between 2 and 6 where 6 speakers are heard and takes validate, not 7"),
        ("2", "validation", "", "--folds lies between 3 and 6 where 6 speakers are heard and speakers validate, not 2"),
        ("loso", "tset", "", "--split is test or validation, not 'tset'"),
        ("loso", "test", "split.kind=random", "split.kind is decided by --folds here; leave it out"),
        ("loso", "test", "train.seed=3", "train.seed is decided by --n-seeds here; leave it out"),
        ("loso", "test", "variant=raw", "variant is decided by --variant here; leave it out"),
        (
            "becker",
            "test",
            "split.validation=takes",
            "split.validation=takes needs split.kind=speaker, loso or folds: 'becker' says who validates; drop it",
        ),
        (
            "loso",
            "validation",
            "split.validation=takes",
            "--split validation needs speakers, or a group of pictures, that are held out, and split.validation=takes holds "
            "none out; leave it out",
        ),
    ],
)
def test_what_cannot_be_evaluated_is_refused(folds: str, on: str, override: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        arms(folds, *filter(None, [override]), on=on)
    assert str(refused.value) == message
