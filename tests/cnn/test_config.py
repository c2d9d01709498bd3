"""The configuration: keys, checks, digests."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from cnn.config import TILES_FORMAT, VARIANTS, RunConfig, TilesInfo, config_to_dict, config_to_json, default_config, fill_config
from cnn.errors import ConfigError
from cnn.keys import keys
from cnn.overrides import apply_values, check_format, config_from_dict, override
from cnn.settings.fields import number
from cnn.settings.model import MODELS
from cnn.settings.tiles import TileSettings
from cnn.settings.train import TrainSettings
from cnn.tiles.front_end import compute_tile
from support.nets import WRITTEN


def config(variant: str = "raw", model: str = "lenet5") -> RunConfig:
    return default_config(TilesInfo(corpus="c0ffee"), model, variant)


def message(*assignments: str, variant: str = "raw", model: str = "lenet5") -> str:
    with pytest.raises(ConfigError) as error:
        override(config(variant, model), assignments)
    return str(error.value)


@pytest.mark.parametrize("model", WRITTEN)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_configuration_survives_json_in_any_order_of_keys(model: str, variant: str) -> None:
    changed = override(config(variant, model), ["train.learning_rate=0.01", "split.test_speakers=ann,bob", "model.depth=3"])
    text = json.dumps(config_to_dict(changed), sort_keys=True)
    assert config_from_dict(json.loads(text)) == changed


NOT_ALONE = (  # bring others along
    *("model.name", "split.kind", "split.n_folds", "split.val_speakers", "split.test_speakers"),
    *("model.hidden", "model.stack", "model.norm", "train.start", "train.frozen"),
    *("model.latent", "model.input", "model.noise"),
)


def test_equal_values_have_equal_digests_and_any_other_value_another() -> None:
    base = dataclasses.replace(override(config("raw+aug"), []), corpus="")  # where no kind of data refuses a key
    digests = {base.digest}
    changes = {"variant": "bilateral+aug", "split.validation": "takes", "split.test_corpus": "fsdd"}
    changes |= {"model.sees": "picture", "model.activation": "tanh", "train.optimizer": "sgd", "train.schedule": "linear"}
    changes |= {"train.balance": "draws", "train.normalise": "corpus", "train.loss": "hinge", "train.nesterov": "0"}
    for key, kind in ((key, known.kind) for key, known in keys().items()):
        if key.startswith("tiles.") or key in NOT_ALONE:
            continue
        section, _, name = key.rpartition(".")
        old = getattr(getattr(base, section), name) if section else base.variant
        new = changes.get(key, old if kind is str else kind(old + 1 if kind is int else old * 0.5 + 0.125))
        digests.add(apply_values(base, {key: new}).digest)
    assert len(digests) == 1 + sum(not key.startswith("tiles.") and key not in NOT_ALONE for key in keys())
    assert apply_values(base, {"train.learning_rate": "0.002"}).digest == base.digest


DIGESTS = {  # of format 4: a change here renames the runs of every user
    "lenet5": ("77934fca33a09447", "eff13c05c818d46a", "8e21e715942715b4", "6140cf8c10b4d565"),
    "resnet": ("6d3c8e9689dca829", "f1115604f983cf33", "f024af433974b6e7", "8ec19c35335de39c"),
}
AUGMENTED = {
    "lenet5": ["ba370c0e1f1d66af", "02a028ca7e18146f"],
    "resnet": ["42d2f670b7bf49c3", "f740bfbf0e0213b7"],
}


@pytest.mark.parametrize("model", DIGESTS)
def test_the_default_trainings_keep_the_names_that_their_runs_have(model: str) -> None:
    as_before = ["augment.blur=0", "augment.equaliser=0"]  # the default until December 2026
    assert tuple(override(config(variant, model), as_before).digest for variant in VARIANTS) == DIGESTS[model]
    augmented = [variant for variant in VARIANTS if variant.endswith("+aug")]
    assert [config(variant, model).digest for variant in augmented] == AUGMENTED[model]
    changed = ["train.learning_rate=0.01", "split.test_speakers=ann,bob", "model.depth=3", "augment.shift=1"]
    assert override(config("raw+aug"), [*changed, *as_before]).digest == "6ccb2a42b07b6aaa"


def test_a_split_of_before_several_corpora_compares_with_one_of_today() -> None:
    content = config_to_dict(config())
    before = {**content, "split": {key: value for key, value in content["split"].items() if key != "test_corpus"}}
    assert fill_config(before) == fill_config(content)
    assert config_from_dict(before).digest == config().digest != override(config(), ["split.test_corpus=fsdd"]).digest


def test_a_key_that_came_later_counts_in_the_digest_only_where_it_differs_from_its_default() -> None:
    later = dataclasses.make_dataclass(
        "Later",
        [("temperature", float, number(0.9, 0, 1, "of labels", later=True))],
        bases=(TrainSettings,),
        frozen=True,
        kw_only=True,
    )
    assert dataclasses.replace(config(), train=later()).digest == config().digest
    assert dataclasses.replace(config(), train=later(temperature=0.8)).digest != config().digest
    assert config_to_dict(later())["temperature"] == 0.9  # config.json has it all the same


def test_plain_sgd_and_hidden_widths_are_asked_for_by_key() -> None:
    plain = override(config(model="mlp"), ["optimizer=sgd", "momentum=0", "hidden=512,32", "batch_size=0"])
    assert (plain.train.momentum, plain.model.hidden_widths, plain.train.batch_size) == (0.0, (512, 32), 0)
    assert config_from_dict(json.loads(json.dumps(config_to_dict(plain)))) == plain
    nesterov = override(config(model="mlp"), ["optimizer=sgd"])
    assert nesterov.digest == "7932ed2ed77f5e1a"  # of runs of old, whose sgd had Nesterov's momentum of 0.9
    assert "between 0 and 0.999" in message("train.momentum=1")


def test_a_run_that_was_trained_on_tiles_of_another_format_is_not_read_as_one_of_these() -> None:
    content = config_to_json(config())
    assert config_from_dict(content) == config()
    check_format(content, "a run", "train it anew")
    reason = "which takes a constant offset out of the sound: a net would see other pictures now; train it anew"
    for tiles, rule in (
        ({"format": 3}, f"3, not 4, {reason}"),
        ({}, f"3, not 4, {reason}"),
        ({"format": 5}, "5, not 4: a net"),
    ):
        with pytest.raises(ConfigError, match=f"^a run was trained on tiles of format {rule}"):
            check_format({"tiles": tiles}, "a run", "train it anew")


def test_augmentation_counts_in_the_digest_only_where_it_is_used() -> None:
    assert override(config("raw"), ["augment.shift=1"]).digest == config("raw").digest
    assert override(config("raw+aug"), ["augment.shift=1"]).digest != config("raw+aug").digest


def test_pictures_of_another_front_end_are_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = config().digest
    monkeypatch.setattr("cnn.config.TILES_FORMAT", TILES_FORMAT + 1)
    assert config().digest != before


def test_another_model_brings_its_own_defaults_and_keeps_what_is_said_beside_it() -> None:
    changed = override(config(), ["model.dropout=0.3", "model.name=resnet"])
    assert (changed.model.name, changed.model.depth, changed.model.dropout) == ("resnet", 1, 0.3)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("lerning_rate=0.1", "unknown key 'lerning_rate'; did you mean train.learning_rate=0.1?"),
        ("train.lr=0.1", "unknown key 'train.lr'; did you mean train.learning_rate=0.1?"),
        ("train.bach_size=3", "unknown key 'train.bach_size'; did you mean train.batch_size=3?"),
        ("qqqq=3", "unknown key 'qqqq'; `arena train --keys` lists them all"),
        ("train.epochs=2.5", "train.epochs takes a whole number, not '2.5'"),
        ("train.epochs=many", "train.epochs takes a number, not 'many'"),
        ("train.learning_rate=nan", "train.learning_rate takes a finite number, not 'nan'"),
        ("train.batch_size=-1", "train.batch_size lies between 0 and 65536, not -1"),
        ("model.depth=5", "model.depth of lenet5 (stages of convolution and pooling) lies between 2 and 4, not 5"),
        (
            "model.name=lenet",
            f"model.name is one of {', '.join(MODELS)} or path/to/file.py:ClassName, not 'lenet'; did you mean 'lenet5'?",
        ),
        (
            "variant=row",
            "variant is one of raw, bilateral, raw+aug, bilateral+aug, denoised, denoised+aug, not 'row'; did you mean 'raw'?",
        ),
        ("train.epochs", "an override is written key=value, such as train.epochs=5, not 'train.epochs'"),
        ("tiles.size=32", "tiles.size is fixed when tiles are prepared; type `arena data prepare CORPUS tiles.size=32`"),
        (
            "split.kind=beker",
            "split.kind is one of speaker, becker, loso, folds, random, official, not 'beker'; did you mean 'becker'?",
        ),
    ],
)
def test_a_mistake_is_one_line_with_the_way_out(assignment: str, said: str) -> None:
    assert message(assignment) == said


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (["split.n_folds=5"], "split.n_folds needs split.kind=folds, not 'speaker'; drop the one or change the other"),
        (["split.kind=folds"], "split.n_folds lies between 3 and 10000, not 0"),
        (["split.kind=folds", "split.n_folds=2"], "split.n_folds lies between 3 and 10000, not 2"),
        (["split.kind=folds", "split.n_folds=4", "split.fold=4"], "split.fold lies between 0 and 3, not 4"),
        (["split.validation=clips"], "split.validation is one of speakers, takes, not 'clips'"),
        (
            ["split.kind=becker", "split.validation=takes"],
            "split.validation=takes needs split.kind=speaker, loso or folds: 'becker' says who validates; drop it",
        ),
        (
            ["split.val_speakers=ann", "split.validation=takes"],
            "split.val_speakers are held out, and split.validation=takes holds none out; drop one of them",
        ),
    ],
)
def test_folds_and_validation_that_cannot_be_are_refused(assignments: list[str], said: str) -> None:
    assert message(*assignments) == said


@pytest.mark.parametrize(
    ("key", "value", "law"),
    [
        ("f_max_hz", 4001, "between 1 and 4000 (half of tiles.rate_hz), not 4001"),
        ("f_min_hz", 3800, "between 0 and 3799 (1 below tiles.f_max_hz), not 3800"),
    ],
)
def test_an_end_that_another_setting_gives_is_told_with_it(key: str, value: float, law: str) -> None:
    with pytest.raises(ConfigError) as refused:
        TileSettings(**{key: value})  # type: ignore[arg-type]
    assert str(refused.value) == f"tiles.{key} lies {law}"


def test_a_window_is_shorter_than_its_tile_by_a_sample_at_least() -> None:
    law = r"^tiles.window_s is below tiles.length_s \(0.2\), not 0.2; choose a shorter window or a longer tile$"
    with pytest.raises(ConfigError, match=law):
        TileSettings(window_s=0.2, length_s=0.2)
    shortest = TileSettings(window_s=0.2, length_s=0.2 + 1 / 8000)
    assert compute_tile(np.ones(1600, np.float32), 8000, shortest).shape == (64, 64)


def test_every_numeric_key_refuses_nan() -> None:
    for key, kind in ((key, known.kind) for key, known in keys().items()):
        if kind in (int, float):
            with pytest.raises(ConfigError, match=f"{key} takes a finite number, not nan"):
                apply_values(config(), {key: float("nan")})


def test_every_key_says_what_it_may_be_and_means_and_takes_the_ends_of_its_range_alone() -> None:
    config = RunConfig(corpus="c")
    for key, known in keys().items():
        assert known.values, key
        assert known.meaning, key
        if (
            key not in ("tiles.window_s", "tiles.f_max_hz", "split.fold")
            and known.kind in (int, float)
            and " to " in known.values
        ):
            low, high = (float(end.replace(",", "")) for end in known.values.split()[:3:2])
            for past in (low - 1, high + 1):
                with pytest.raises(ConfigError, match=key.rpartition(".")[2]):
                    apply_values(config, {key: past})
