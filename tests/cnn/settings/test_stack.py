"""Spelled nets without torch: the grammar, cells and maps of the layers, and refusals that name the place and the rule."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from cnn.config import RunConfig, TilesInfo, default_config
from cnn.errors import ConfigError
from cnn.nets import NETS
from cnn.overrides import apply_values, config_from_dict, override
from cnn.settings.model import ModelSettings, model_defaults
from cnn.settings.spelling import parse_stack
from cnn.settings.stack import check_stack, plan_stack
from cnn.settings.tiles import TileSettings
from support.paths import ROOT

SPELLED = [name for name, net in NETS.items() if net.spelling]
STACK = model_defaults("stack")


def list_kinds(text: str) -> str:
    return " ".join(word.kind for word in parse_stack(text))


def test_groups_are_repeated_and_may_be_left_out_by_0() -> None:
    assert list_kinds("[(conv-relu)*2-pool]*2-(fc-relu)*1-fc") == " ".join(["conv relu conv relu pool"] * 2) + " fc relu fc"
    assert list_kinds("(conv-tanh-avgpool)-(fc-relu)*0-fc") == "conv tanh avgpool fc"
    assert list_kinds("conv*2-relu6-fc*2") == "conv conv relu6 fc fc"
    assert [word.numbers for word in parse_stack("conv11/64/4-pool3-fc120-conv".removesuffix("-conv") + "-fc")] == [
        {"kernel": 11, "maps": 64, "stride": 4}, {"kernel": 3}, {"width": 120}, {},
    ]  # fmt: skip


def test_maps_double_after_each_pool_unless_given_and_width_scales_them() -> None:
    def list_maps(text: str, width: float = 1.0) -> list[int]:
        layers = plan_stack(replace(STACK, stack=text, width=width), 64, 10)
        return [layer.n_out for layer in layers if layer.kind in ("conv", "fc")]

    assert list_maps("(conv-pool)*3-fc-fc") == [16, 32, 64, 128, 10]
    assert list_maps("conv5/6-pool-conv-conv3/20-pool-pool-conv-fc60-fc") == [6, 12, 20, 80, 60, 10]
    assert list_maps("conv5/6-pool-conv-fc60-fc", 0.5) == [8, 8, 32, 10]


def test_cells_are_kept_halved_or_strided() -> None:
    def list_cells(text: str, size: int) -> list[int]:
        return [layer.n_cells for layer in plan_stack(replace(STACK, stack=text), size, 10)]

    assert list_cells("conv-relu-pool-conv5/8/1/0-pool-fc", 32) == [32, 32, 16, 12, 6, 1]
    assert list_cells("conv11/64/4-pool3-pool3-pool3-fc", 64) == [16, 8, 4, 2, 1]
    assert list_cells("conv3/8/1/0-pool3-fc", 32) == [30, 15, 1]
    assert list_cells("conv4-conv2-fc", 32) == [31, 30, 1]


REFUSED = {
    "conv-rellu-fc": "character 6, conv-^rellu-fc: no layer is called 'rellu'; did you mean 'relu'?",
    "CONV-fc": "character 1, ^CONV-fc: no layer is called 'CONV'; did you mean 'conv'?",
    "[(conv-relu)*2-pool*3-fc": "character 1, ^[(conv-relu)*2-pool*3-fc: this bracket is not closed; write ]",
    "(conv]-fc": "character 6, (conv^]-fc: - stands between two layers, *2 behind a layer or group, and brackets are pairs",
    "conv relu-fc": "character 5, conv^ relu-fc: - stands between two layers",
    "conv-relu)-fc": r"character 10, conv-relu^)-fc: - stands between two layers",
    "conv--fc": "character 6, conv-^-fc: here stands a layer: conv, pool, avgpool, fc, act, relu,",
    "conv-": "character 6, conv-^: here stands a layer",
    "conv-pool": "character 6, conv-^pool: a stack ends in fc, which answers the classes",
    "fc*0": "character 1, ^fc*0: a stack ends in fc",
    "conv-fc10": "character 6, conv-^fc10: the last fc answers the classes, as many as the tiles have",
    "fc-conv-fc": "character 4, fc-^conv-fc: conv after fc has no cells to work on; every conv stands before the first fc",
    "relu5-fc": "character 5, relu^5-fc: relu takes no number",
    "conv0-fc": "character 5, conv^0-fc: kernel of conv is at least 1",
    "conv3/8/1/2-fc": "character 5, conv^3/8/1/2-fc: padding of conv is at most half of its kernel: 1",
    "pool3/-fc": "character 5, pool^3/-fc: pool takes kernel/stride/padding, such as pool5/8/2, whole numbers up to 99,999",
    "fc*201": "character 3, fc^*201: more than 200 layers; repeat fewer",
    "(fc*20)*20": "character 8, (fc*20)^*20: more than 200 layers; repeat fewer",
    f"fc*{'9' * 5000}": "more than 200 layers; repeat fewer",
    "(" * 5000: "more than 10 brackets within each other",
    "-".join(["conv3/64"] * 12)
    + "-konv-fc": "at character 109, ...64-conv3/64-conv3/64-conv3/64-conv3/64-conv3/64-conv3/64-^konv-fc: no layer",
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=[text[:30] for text in REFUSED])
def test_a_mistake_is_one_line_with_its_place_and_its_rule(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        replace(STACK, stack=text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


IMPOSSIBLE = {
    "(conv-pool)*7-fc": "character 7, (conv-^pool)*7-fc: pool no. 7 gets 1 x 1 cells, and nothing is left for its 2 x 2",
    "conv5/6/1/0-pool*3-fc": "pool no. 3 gets 15 x 15 cells, which do not divide by 2: the last 1 of each row would be left "
    "out; write pool3, which reaches all",
    "conv9/6/8/0-conv9/6/1/0-fc": "conv no. 2 gets 7 x 7 cells, and nothing is left for its 9 x 9",
    "fc60000-fc60000-fc": "fc60000-^fc60000-fc: 3,846,480,010 parameters, of which 3,600,060,000 in fc2: at most 100,000,000",
}


@pytest.mark.parametrize(("text", "reason"), IMPOSSIBLE.items(), ids=IMPOSSIBLE)
def test_a_stack_that_no_picture_of_the_tiles_passes_is_refused_with_the_cells(text: str, reason: str) -> None:
    config = default_config(TilesInfo(settings=TileSettings(size=64)), "stack", "raw")
    with pytest.raises(ConfigError) as caught:
        override(config, [f"model.stack={text}"])
    assert reason in str(caught.value)


def test_what_a_stack_says_itself_is_refused_as_a_setting() -> None:
    for settings, reason in (
        ({"name": "lenet5", "stack": "conv-fc"}, "model.stack spells the net stack, not lenet5"),
        ({"name": "alexnet", "depth": 1, "stack": "conv-fc"}, "model.stack spells the net stack, not alexnet"),
        ({"name": "vgg16", "depth": 2}, "model.depth of vgg16 is 1: its spelling has every layer"),
        ({"name": "resnet", "norm": "none"}, "model.norm=none is of stack, lenet5-1998, alexnet"),
        ({"name": "stack", "depth": 1, "activation": "tanh"}, "model.activation=tanh is of the layer act, and [(conv-relu)*2"),
    ):
        with pytest.raises(ConfigError) as caught:
            ModelSettings(**settings)
        assert reason in str(caught.value)


@pytest.mark.parametrize("name", SPELLED)
def test_every_spelled_net_takes_both_sizes_of_tiles_in_grey_and_in_colour(name: str) -> None:
    for size in (32, 64):
        for n_channels in (1, 3):
            check_stack(replace(model_defaults(name), n_channels=n_channels), size, 10)


def test_a_stack_is_part_of_a_runs_name_and_of_its_file_and_no_other_net_has_one() -> None:
    config = default_config(TilesInfo(), "stack", "raw")
    other = override(config, ["model.stack=(conv-relu-pool)*2-fc"])
    assert other.digest != config.digest
    again = config_from_dict({"corpus": "", "model": {"name": "stack", "stack": other.model.stack}})
    assert again.model == other.model
    assert apply_values(other, {"model.name": "lenet5"}).model == model_defaults("lenet5")
    assert RunConfig(corpus="").model.stack == ""


def test_a_spelling_is_checked_without_torch() -> None:
    program = (
        "import sys\nfrom sweeps.training.configuration import explain_refusal\n"
        "print(explain_refusal({'model.name': 'stack', 'model.stack': '(conv-pool)*7-fc'}))\n"
        "print([name for name in ('torch', 'numpy') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "nothing is left for its 2 x 2" in printed
    assert printed.endswith("[]\n")
