"""Batches and their augmentation: whole, seeded, each clip on its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cnn.augment import Augment
from cnn.batches import Clips, n_steps, normalised, seed_of
from cnn.config import AugmentSettings, TileSettings

CPU = torch.device("cpu")
OFF = AugmentSettings(freq_masks=0, time_masks=0, shift=0, gain_db=0, noise_db=120)


def clips(n: int, size: int = 32) -> Clips:
    rng = np.random.default_rng(0)
    return Clips(rng.integers(0, 256, (n, size, size), dtype=np.uint8), np.arange(n, dtype=np.int64), range(n), CPU)


def grey(n: int = 64, size: int = 64) -> torch.Tensor:
    return torch.rand((n, size, size), generator=torch.Generator().manual_seed(1))


@given(n=st.integers(2, 400), batch_size=st.integers(2, 300))
def test_an_epoch_is_batches_of_one_size_and_nobody_twice(n: int, batch_size: int) -> None:
    source = Clips(np.zeros((n, 1, 2), np.uint8), np.arange(n, dtype=np.int64), range(n), CPU)
    batches = [truth for _, truth in source.shuffled(batch_size, 5, None)]
    sizes = {len(truth) for truth in batches}
    seen = torch.cat(batches).tolist()
    assert len(sizes) == 1
    assert sizes.pop() <= batch_size
    assert len(batches) == n_steps(n, batch_size)
    assert len(set(seen)) == len(seen)
    assert n - len(seen) < len(batches)


def test_the_order_comes_from_the_seed() -> None:
    orders = [torch.cat([truth for _, truth in clips(100).shuffled(32, seed, None)]).tolist() for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_in_order_gives_every_clip_once() -> None:
    assert torch.cat([truth for _, truth in clips(100).in_order(32)]).tolist() == list(range(100))


def test_a_normalised_clip_has_bands_of_mean_0_and_spread_1_and_ignores_its_neighbours() -> None:
    batch = normalised(grey())
    assert batch.mean(2).abs().max() < 1e-5
    assert (batch.std((1, 2)) - 1).abs().max() < 1e-5
    torch.testing.assert_close(normalised(grey()[3:4])[0], batch[3], rtol=0, atol=1e-6)
    assert normalised(torch.zeros(1, 32, 32)).isfinite().all()


def test_augmentation_switched_off_changes_nothing() -> None:
    augment = Augment(OFF, TileSettings())
    generator = torch.Generator().manual_seed(0)
    torch.testing.assert_close(augment.levels(grey(), generator), grey(), rtol=0, atol=1e-5)
    assert torch.equal(augment.masks(grey(), generator), grey())


def test_augmentation_comes_from_the_seed_and_differs_between_clips() -> None:
    augment = Augment(AugmentSettings(), TileSettings())
    same = grey(1).expand(8, -1, -1)
    drawn = [augment.masks(augment.levels(same, g), g) for g in (torch.Generator().manual_seed(s) for s in (1, 1, 2))]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert len({clip.numpy().tobytes() for clip in drawn[0]}) == 8


@pytest.mark.parametrize("axis", [1, 2])
def test_a_mask_is_one_band_of_zeros_no_wider_than_asked_and_of_every_width(axis: int) -> None:
    width = 12
    settings = AugmentSettings(freq_masks=int(axis == 1), freq_width=width, time_masks=int(axis == 2), time_width=width)
    masked = Augment(settings, TileSettings()).masks(torch.ones(2000, 64, 64), torch.Generator().manual_seed(0))
    bands = (masked == 0).all(3 - axis)  # (B, 64)
    assert torch.equal(masked == 0, bands.unsqueeze(3 - axis).expand_as(masked))
    widths = bands.sum(1)
    edges = bands.int().diff(dim=1).abs().sum(1)
    assert set(widths.tolist()) == set(range(width + 1))
    assert edges.max() <= 2  # one band only
    centre = bands.float().mean(0)
    assert centre[20:44].std() < 0.03  # no place in the middle is preferred


def test_a_shift_moves_a_clip_whole_and_pads_with_silence() -> None:
    settings = AugmentSettings(freq_masks=0, time_masks=0, shift=5, gain_db=0, noise_db=120)
    spike = torch.zeros(500, 64, 64)
    spike[:, :, 30] = 1
    moved = Augment(settings, TileSettings()).levels(spike, torch.Generator().manual_seed(0))
    places = moved.sum(1).argmax(1) - 30
    assert set(places.tolist()) == set(range(-5, 6))
    assert torch.equal(moved.amax((1, 2)), torch.ones(500))


def test_noise_raises_the_floor_by_powers_and_leaves_the_loudest_cells() -> None:
    settings = AugmentSettings(freq_masks=0, time_masks=0, shift=0, gain_db=0, noise_db=10)
    source = torch.zeros(200, 64, 64)
    source[:, 10, :] = 1.0
    noisy = Augment(settings, TileSettings()).levels(source, torch.Generator().manual_seed(0))
    assert noisy[:, 10].min() > 0.99
    floors = noisy[:, 20:].mean((1, 2))
    assert floors.max() > 0.5
    assert floors.min() < 0.05


def test_seeds_differ_for_every_purpose_and_epoch() -> None:
    seeds = {seed_of(purpose, seed, epoch) for purpose in ("order", "dropout") for seed in range(20) for epoch in range(20)}
    assert len(seeds) == 800
    assert all(0 <= seed < 2**62 for seed in seeds)
