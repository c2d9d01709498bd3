"""Nets on pictures in colour: every one takes its channels, and the summaries count them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnn.check.net import check_net
from cnn.errors import ModelError
from cnn.models.registry import build_net, count_multiply_adds, count_parameters
from cnn.nets import NETS
from cnn.settings.data import DataKind, DataSettings
from cnn.settings.model import model_defaults

COLOUR = DataSettings(kind=DataKind.PICTURES, labels=("cat", "dog", "ship", "shirt"), channels=3, side=28)


@pytest.mark.parametrize("name", NETS)
def test_every_net_takes_three_channels_and_reads_each(name: str) -> None:
    torch.manual_seed(0)
    net = build_net(model_defaults(name, data=COLOUR), 32, 4)
    picture = torch.randn(2, 3, 32, 32, requires_grad=True)
    net.eval()(picture).sum().backward()
    assert picture.grad is not None
    assert (picture.grad.abs().sum((0, 2, 3)) > 0).all()
    assert count_multiply_adds(net, 32, 3) > 0


def test_a_perceptron_takes_the_cells_of_the_picture_without_its_margin() -> None:
    torch.manual_seed(0)
    settings = model_defaults("mlp", data=COLOUR)
    net = build_net(settings, 32, 4).eval()
    assert count_parameters(net) == count_parameters(build_net(replace(settings, n_channels=1), 32, 4)) + 2 * 784 * 128
    picture = torch.randn(1, 3, 32, 32)
    margin = picture.clone()
    margin[:, :, :2] = margin[..., -2:] = 5.0
    assert torch.equal(net(picture), net(margin))
    margin[:, :, 2] = 5.0
    assert not torch.equal(net(picture), net(margin))


def test_a_net_of_ones_own_for_one_channel_is_told_how_to_take_three(tmp_path: Path) -> None:
    path = tmp_path / "nets.py"
    path.write_text(
        "import torch\nfrom torch import nn\n\n\n"
        "class Grey(nn.Module):\n    def __init__(self, n_classes):\n        super().__init__()\n"
        "        self.layers = nn.Sequential("
        "nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, n_classes))\n\n"
        "    def forward(self, x):\n        return self.layers(x)\n\n\n"
        "class Any(Grey):\n    def __init__(self, settings, n_classes):\n        super().__init__(n_classes)\n"
        "        self.layers[0] = nn.Conv2d(settings.n_channels, 4, 3)\n"
    )
    check_net(model_defaults(f"{path}:Any", data=COLOUR), 32, 4)
    check_net(model_defaults(f"{path}:Any"), 32, 4)
    with pytest.raises(ModelError, match=r"pictures in colour have three channels: begin with nn.Conv2d\(settings.n_channels"):
        check_net(model_defaults(f"{path}:Grey", data=COLOUR), 32, 4)
