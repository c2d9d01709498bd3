"""Nets, variants and settings of a project, and of the command line that wins over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.base.project import Project, ProjectError
from cnn.config import VARIANTS, TilesInfo
from cnn.errors import ConfigError
from cnn.overrides import spell_out
from cnn.project import choose_cells, configure, open_project, select_settings, split_cell
from cnn.settings.model import model_defaults

NETS = "class MyLeNet: pass\nclass MyNet: pass\n"


def open_written(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Project:
    (folder / "nets.py").write_text(NETS)
    (folder / "other.py").write_text(NETS)
    (folder / "arena.toml").write_text(text)
    monkeypatch.chdir(folder)
    return open_project()


OWN = 'variants = ["raw", "raw+aug"]\n[models]\nA = "nets.py:MyLeNet"\nB = "nets.py:MyNet"\n'


def test_all_means_the_nets_named_or_the_projects_times_the_variants_named_or_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = open_written(tmp_path, monkeypatch, OWN)
    a, b = "nets.py:MyLeNet", "nets.py:MyNet"
    assert choose_cells(project, [], [], every=True) == [(a, "raw"), (a, "raw+aug"), (b, "raw"), (b, "raw+aug")]
    assert choose_cells(project, ["mlp"], [], every=True) == [("mlp", "raw"), ("mlp", "raw+aug")]
    assert choose_cells(project, [], ["bilateral"], every=True) == [(a, "bilateral"), (b, "bilateral")]
    assert choose_cells(project, [], [], every=False) == [(a, "raw")]
    assert choose_cells(project, ["mlp", b], ["raw", "bilateral"], every=False) == [
        ("mlp", "raw"), ("mlp", "bilateral"), (b, "raw"), (b, "bilateral"),
    ]  # fmt: skip
    empty = Project(folder=tmp_path)
    assert choose_cells(empty, [], [], every=True) == [(m, v) for m in ("lenet5", "columns") for v in VARIANTS]


@pytest.mark.parametrize(
    ("models", "variants", "message"),
    [
        (["mlp", "mlp"], [], "--model has mlp twice; give each once"),
        (["a.py:Net", "b.py:Net"], [], "--model has Net twice"),
        ([], ["raw", "raw"], "--variant has raw twice"),
    ],
)
def test_a_net_or_a_variant_given_twice_is_refused(
    tmp_path: Path, models: list[str], variants: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        choose_cells(Project(folder=tmp_path), models, variants, every=False)


def test_settings_stand_between_the_defaults_and_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[settings]\ntrain.epochs = 5\ntrain.learning_rate = 0.01\ntiles.size = 32\nsplit.test_speakers = ["ann", "bob"]\n'
    project = open_written(tmp_path, monkeypatch, text)
    config = configure(project, TilesInfo(corpus="c"), ("mlp", "raw"), ["train.epochs=7"])
    assert (config.train.epochs, config.train.learning_rate, config.train.batch_size) == (7, 0.01, 64)
    assert config.split.test_speakers == ("ann", "bob")
    assert select_settings(project, without=("train.epochs",)) == ("train.learning_rate=0.01", "split.test_speakers=ann,bob")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[settings]\ntrain.epoch = 5", "unknown key 'train.epoch' in [settings]; did you mean train.epochs?"),
        ("[settings]\ntrain.epochs = 0", "train.epochs lies between 1 and 10000, not 0"),
        ('[settings]\nmodel.name = "mlp"', "model.name does not belong to [settings]; write it as [models]"),
        (
            'variants = ["row"]',
            "variants is one of raw, bilateral, raw+aug, bilateral+aug, denoised, denoised+aug, not 'row'; did you mean 'raw'?",
        ),
        ('variants = ["raw", "raw"]', "variants has raw twice; give each once"),
        ('[models]\nA = "lenet"\nB = "resnet"', "did you mean 'lenet5'?"),
        ('[models]\nA = "nets.py:MyLenet"\nB = "resnet"', "nets.py has no class 'MyLenet'; did you mean MyLeNet?"),
        ('[models]\nA = "nets.py:MyNet"\nB = "other.py:MyNet"', "both models are called MyNet; give their classes two names"),
    ],
)
def test_a_project_that_cannot_be_trained_is_refused_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    with pytest.raises(ProjectError) as error:
        open_written(tmp_path, monkeypatch, text)
    assert str(tmp_path / "arena.toml") in str(error.value)
    assert message in str(error.value)


def test_net_and_variant_as_settings_choose_as_the_options_do() -> None:
    typed = spell_out(["model=resnet", "lr=0.1", "variant=raw+aug"])
    assert split_cell(typed, (), ()) == (["train.learning_rate=0.1"], ("resnet",), ("raw+aug",))
    assert split_cell(["train.epochs=2"], ("mlp",), ()) == (["train.epochs=2"], ("mlp",), ())
    with pytest.raises(ConfigError, match=r"^model\.name=resnet and --model mlp choose both; leave one of them out$"):
        split_cell(typed, ("mlp",), ())


def test_a_net_of_ones_own_that_is_named_by_its_class_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("arena.toml").write_text('[models]\nA = "team/nets.py:Small"\nB = "lenet5"\n')
    Path("mine.py").write_text("class MyLeNet: ...\n")
    Path("broken.py").write_text("class (")
    for name, net in (("MyLeNet", "mine.py:MyLeNet"), ("small", "team/nets.py:Small"), ("ResNet18", "'resnet'")):
        with pytest.raises(ConfigError) as refused:
            model_defaults(name)
        assert str(refused.value).endswith(f"not {name!r}; did you mean {net}?")
