"""`arena models NET --layers`: receptive fields against arithmetic, sums against the whole net, and any way to write a net."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from cnn.cli.models import models_command
from cnn.settings.model import ModelSettings, model_defaults
from cnn.summary.costs import measure
from cnn.summary.layers import LayerSummary, list_layers
from support.nets import KINDS

NET = """
import torch
from torch import nn
from torch.nn import functional as F

class Branches(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.small = nn.Conv2d(n_in, n_out, 1)
        self.large = nn.Conv2d(n_in, n_out, (3, 5), padding=(2, 2), dilation=(2, 1))
    def forward(self, x):
        large = self.large(x)
        x = self.small(x)
        y = torch.cat((x, large), 1)
        x += large.mean()  # in place: no field of `small`
        return y

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.branches = Branches(1, 4)
        self.same = nn.Conv2d(8, 8, 3, padding=1)
        self.mix = nn.Parameter(torch.randn(8, 8))
        self.rnn = nn.GRU(8, 6, batch_first=True)
        self.fc = nn.Linear(6, 10)
    def forward(self, x):
        x = self.pool(self.branches(x))
        x = F.relu(self.same(x)) + x
        x = self.same(self.pool(x))
        x, _ = self.rnn(x.mean(2).transpose(1, 2) @ self.mix)
        return self.fc(x[:, -1])
"""


def list_fields(layers: list[LayerSummary], *kinds: str) -> list[tuple[int, int]]:
    return [layer.field for layer in layers if layer.kind in kinds]


@pytest.mark.parametrize("name", KINDS)
def test_the_layers_add_up_to_the_net(name: str) -> None:
    settings = replace(model_defaults(name), width=0.25)
    layers = list_layers(settings, 32)
    assert (sum(la.n_parameters for la in layers), sum(la.n_multiply_adds for la in layers)) == measure(settings, 32)
    assert layers[-1].shape == (10,)
    assert layers[-1].field == (32, 32)


def test_fields_are_those_of_arithmetic() -> None:
    lenet5 = list_layers(ModelSettings(name="lenet5", width=1), 32)
    assert list_fields(lenet5, "Conv2d", "MaxPool2d") == [(5, 5), (6, 6), (14, 14), (16, 16)]
    resnet = list_layers(replace(model_defaults("resnet"), width=0.25), 64)
    assert [
        (la.name, la.field) for la in resnet if (la.kind == "Conv2d" and "shortcut" in la.name) or la.name.endswith("act")
    ] == [
        ("blocks.0.act", (14, 14)),
        ("blocks.1.shortcut.0", (14, 14)),
        ("blocks.1.act", (26, 26)),
        ("blocks.2.shortcut.0", (26, 26)),
        ("blocks.2.act", (50, 50)),
    ]


def test_layers_are_numbered_anew_in_each_column() -> None:
    layers = list_layers(model_defaults("columns"), 32)
    assert [layer.number for layer in layers if layer.number] == [*range(1, 6), *range(1, 11), *range(1, 6)]


def test_layers_called_twice_branches_and_weights_outside_of_layers_are_told(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    layers = list_layers(model_defaults(f"{tmp_path}/net.py:Net"), 64)
    assert [(la.name, la.shape, la.field, la.n_parameters) for la in layers] == [
        ("branches.large", (4, 64, 64), (5, 5), 64),
        ("branches.small", (4, 64, 64), (1, 1), 8),
        ("pool", (8, 32, 32), (6, 6), 0),
        ("same", (8, 32, 32), (10, 10), 584),
        ("pool", (8, 16, 16), (12, 12), 0),
        ("same", (8, 16, 16), (20, 20), 0),
        ("rnn", (16, 6), (64, 64), 288),
        ("fc", (10,), (64, 64), 70),
        ("self", (10,), (64, 64), 64),
    ]
    assert layers[-1].n_multiply_adds == 16 * 8 * 8


def test_the_command_prints_a_table_with_its_sum_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    models_command(["bcresnet"], size=32, width=0.25, layers=True)
    out, err = capsys.readouterr()
    words = [line.split() for line in out.splitlines() if line.strip(" ─")]
    assert words[0] == ["no.", "layer", "kind", "output", "kernel", "field", "params", "mult-adds"]
    assert ["9", "blocks.2.over_bins.1", "Conv2d", "8x16x32", "3x1/2x1", "32x9", "24", "12,288"] in words
    assert words[-1][0] == "sum"
    assert "field: rows x columns" in err
    models_command(["mlp"], layers=True, json=True)
    first = json.loads(capsys.readouterr().out)[0]
    assert (first["name"], first["kind"], first["shape"], first["field"]) == (
        "picture.0",
        "AdaptiveAvgPool2d",
        [1, 28, 28],
        [4, 4],
    )
    with pytest.raises(typer.BadParameter, match="it takes one net"):
        models_command([], layers=True)
