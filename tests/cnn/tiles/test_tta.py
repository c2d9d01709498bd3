"""A clip looked at several times: the mean of the probabilities, whatever the batch."""

from __future__ import annotations

import torch
from torch import nn

from cnn.config import TilesInfo, default_config
from cnn.overrides import override
from cnn.tiles.inputs import Inputs, normalise_bands, to_input
from cnn.tiles.tta import log_probabilities


class Peak(nn.Module):
    """Says in which of 8 parts of time the loudest frame lies, and how sure it is by the loudness there."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((1, 2)).unflatten(1, (8, -1)).amax(2) * 2  # (B, 8)


def inputs(n_aside: int) -> Inputs:
    return Inputs([override(default_config(TilesInfo(), "lenet5", "raw"), [f"train.side_views={n_aside}"])])


def pictures(n: int = 300, size: int = 32) -> torch.Tensor:
    return torch.randint(0, 256, (n, 1, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_one_view_is_the_picture_itself() -> None:
    plain = Peak()(to_input(normalise_bands(pictures().float() / 255))).log_softmax(1)
    torch.testing.assert_close(log_probabilities(Peak(), pictures(), inputs(0)), plain, rtol=0, atol=1e-5)


def test_three_views_are_the_mean_of_the_probabilities_a_little_earlier_and_later() -> None:
    grey = pictures(5, 64).float() / 255
    later, earlier = torch.zeros_like(grey), torch.zeros_like(grey)
    later[..., 2:], earlier[..., :-2] = grey[..., :-2], grey[..., 2:]
    expected = torch.stack([Peak()(to_input(normalise_bands(view))).softmax(1) for view in (earlier, grey, later)]).mean(0)
    averaged = log_probabilities(Peak(), pictures(5, 64), inputs(1))
    torch.testing.assert_close(averaged.exp(), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(averaged.exp().sum(1), torch.ones(5))


def test_the_views_of_small_pictures_are_as_far_apart_in_seconds() -> None:
    spike = torch.zeros(1, 1, 64, 64, dtype=torch.uint8)
    spike[..., 24:26] = 255
    small = spike[..., ::2, ::2]
    seen: list[list[int]] = []

    class Look(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen[-1].append(int(x[0, 0].sum(0).argmax()))
            return torch.zeros(1, 8)

    for tile in (spike, small):
        seen.append([])
        tile = tile.clone()
        tile[:, :, 0] = 0  # bands differ, so that taking out their means leaves something
        log_probabilities(Look(), tile, inputs(2))
    assert seen == [[20, 22, 24, 26, 28], [10, 11, 12, 13, 14]]


def test_a_clips_answer_does_not_depend_on_its_neighbours() -> None:
    every = log_probabilities(Peak(), pictures(), inputs(1))
    torch.testing.assert_close(log_probabilities(Peak(), pictures()[200:201], inputs(1))[0], every[200], rtol=0, atol=1e-6)
