"""Augmentation of pictures: each key moves what its name says, as far as asked, in every channel alike."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cnn.errors import ConfigError
from cnn.settings.augment import AUGMENT_DEFAULTS, AugmentSettings, check_kind
from cnn.settings.data import DataKind
from cnn.tiles.picture_augment import PictureAugment

OFF = replace(AUGMENT_DEFAULTS[DataKind.PICTURES], shift=0, erase=0, flip=0, rotate=0)
SIZE = 32
N = 400


def draw(pictures: torch.Tensor, **strengths: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pictures as they are moved, in 0..1, and ones with zeros where they are blanked."""
    augment = PictureAugment([replace(OFF, **strengths)], SIZE)  # type: ignore[arg-type]
    changes = augment.draw(len(pictures), [torch.Generator().manual_seed(0)])
    return augment.warp(pictures, changes), augment.mask(torch.ones(pictures.shape), changes)


def spot(row: int, column: int, channels: int = 1) -> torch.Tensor:
    pictures = torch.zeros((N, channels, SIZE, SIZE), dtype=torch.uint8)
    pictures[:, :, row, column] = 255
    return pictures


def noise(channels: int = 3) -> torch.Tensor:
    return torch.randint(0, 256, (N, channels, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_switched_off_nothing_changes() -> None:
    moved, mask = draw(noise())
    assert torch.equal(moved, noise() / 255)
    assert mask.min() == 1


def test_a_shift_is_of_whole_cells_both_ways_and_no_further() -> None:
    moved, _ = draw(spot(16, 16), shift=6)  # of 64: 3 of 32
    assert torch.equal(moved.flatten(1).max(1).values, torch.ones(N))
    _, _, rows, columns = torch.nonzero(moved == 1, as_tuple=True)
    for places in (rows - 16, columns - 16):
        assert set(places.tolist()) == set(range(-3, 4))


def test_half_of_the_pictures_are_mirrored_left_to_right() -> None:
    moved, _ = draw(spot(5, 3, channels=3), flip=0.5)
    is_mirrored = moved[:, 0, 5, SIZE - 4] > 0.99
    assert 0.4 < is_mirrored.float().mean() < 0.6
    assert torch.equal(moved[:, :, 5, 3] > 0.99, ~is_mirrored[:, None].expand(-1, 3))


def test_a_picture_is_turned_about_its_middle_by_up_to_the_angle() -> None:
    pictures = torch.zeros((N, 1, SIZE, SIZE), dtype=torch.uint8)
    pictures[..., 14:18, 26:30] = 255
    moved, _ = draw(pictures, rotate=30)
    cells = torch.arange(SIZE) - 15.5
    weights = moved[:, 0] / moved[:, 0].sum((1, 2), keepdim=True)
    across, down = (weights.sum(1) * cells).sum(1), (weights.sum(2) * cells).sum(1)
    angles = torch.rad2deg(torch.atan2(down, across))
    assert -30.5 < angles.min() < -27
    assert 27 < angles.max() < 30.5
    torch.testing.assert_close(across.square() + down.square(), torch.full((N,), 12.0**2), rtol=0.03, atol=0)


def test_the_gap_beside_a_picture_has_the_colour_of_its_edge() -> None:
    plain = torch.full((N, 3, SIZE, SIZE), 200, dtype=torch.uint8)
    moved, _ = draw(plain, shift=16, rotate=45, flip=0.5)
    torch.testing.assert_close(moved, plain / 255)


def test_a_square_of_every_size_is_blanked_in_all_channels() -> None:
    _, mask = draw(noise(), erase=16)  # of 64: 8 of 32
    assert torch.equal(mask, mask[:, :1].expand_as(mask))
    high, wide = ((mask[:, 0] == 0).any(axis).sum(1) for axis in (2, 1))
    assert torch.equal((mask[:, 0] == 0).sum((1, 2)), high * wide)
    assert (high - wide).abs().max() <= 1  # an edge between two cells
    assert set(range(1, 9)) <= set(high.tolist()) <= set(range(10))


def test_a_picture_of_nets_trained_together_is_changed_as_that_of_each_alone() -> None:
    settings = [replace(OFF, shift=8, erase=16), replace(OFF, flip=1, rotate=20)]
    together = PictureAugment(settings, SIZE)
    generators = [torch.Generator().manual_seed(seed) for seed in (3, 4)]
    changes = together.draw(N, generators)
    pictures = noise().repeat_interleave(2, 0)
    both = together.mask(together.warp(pictures, changes), changes)
    for number, chosen in enumerate(settings):
        alone = PictureAugment([chosen], SIZE)
        drawn = alone.draw(N, [torch.Generator().manual_seed(3 + number)])
        expected = alone.mask(alone.warp(noise(), drawn), drawn)
        torch.testing.assert_close(both[number::2], expected, rtol=0, atol=1e-5)
    part = changes.part(2, 4)
    torch.testing.assert_close(together.mask(together.warp(pictures[2:4], part), part), both[2:4], rtol=0, atol=1e-6)


def test_speech_is_not_mirrored_and_pictures_have_no_throat() -> None:
    with pytest.raises(ConfigError, match=r"augment.flip=0.5 is for pictures"):
        check_kind(AugmentSettings(flip=0.5), DataKind.SOUND)
    with pytest.raises(ConfigError, match=r"augment.tract=0.1 is for recordings"):
        check_kind(replace(OFF, tract=0.1), DataKind.PICTURES)
