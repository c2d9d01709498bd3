"""Batches and their augmentation: whole, seeded, each clip on its own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cnn.config import TilesInfo, default_config
from cnn.settings.augment import AugmentSettings
from cnn.settings.tiles import TileSettings
from cnn.tiles.augment import SoundAugment
from cnn.tiles.batches import Clips, count_steps, derive_seed
from cnn.tiles.inputs import Inputs, normalise_bands

CPU = torch.device("cpu")
PLAIN = Inputs([default_config(TilesInfo(), "lenet5", "raw")])
OFF = AugmentSettings(freq_masks=0, time_masks=0, tract=0, tract_bend=0, tempo=0, tempo_bend=0, shift=0, noise_db=120)


def clips(n: int, size: int = 32) -> Clips:
    rng = np.random.default_rng(0)
    return Clips(rng.integers(0, 256, (n, size, size), dtype=np.uint8), np.arange(n, dtype=np.int64), range(n), CPU)


def grey(n: int = 64, size: int = 64) -> torch.Tensor:
    return torch.rand((n, 1, size, size), generator=torch.Generator().manual_seed(1))


def tile(grey: torch.Tensor) -> torch.Tensor:
    return grey.mul(255).round().to(torch.uint8)


@given(n=st.integers(2, 400), batch_size=st.integers(2, 300))
def test_an_epoch_is_batches_of_one_size_and_nobody_twice(n: int, batch_size: int) -> None:
    source = Clips(np.zeros((n, 1, 2), np.uint8), np.arange(n, dtype=np.int64), range(n), CPU)
    batches = [truth for _, truth in source.iterate_batches(batch_size, [5], PLAIN)]
    sizes = {len(truth) for truth in batches}
    seen = torch.cat(batches).tolist()
    assert len(sizes) == 1
    assert sizes.pop() <= batch_size
    assert len(batches) == count_steps(n, batch_size)
    assert len(set(seen)) == len(seen)
    assert n - len(seen) < len(batches)


def test_the_order_comes_from_the_seed() -> None:
    orders = [torch.cat([truth for _, truth in clips(100).iterate_batches(32, [seed], PLAIN)]).tolist() for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_a_normalised_clip_has_bands_of_mean_0_and_spread_1_and_ignores_its_neighbours() -> None:
    batch = normalise_bands(grey())
    assert batch.mean(3).abs().max() < 1e-5
    assert (batch.std((2, 3)) - 1).abs().max() < 1e-5
    torch.testing.assert_close(normalise_bands(grey()[3:4])[0], batch[3], rtol=0, atol=1e-6)
    assert normalise_bands(torch.zeros(1, 1, 32, 32)).isfinite().all()


def test_augmentation_switched_off_changes_nothing() -> None:
    augment = SoundAugment([OFF], TileSettings())
    changes = augment.draw(64, [torch.Generator().manual_seed(0)])
    torch.testing.assert_close(augment.warp(tile(grey()), changes), tile(grey()) / 255, rtol=0, atol=1e-5)
    assert torch.equal(augment.mask(grey(), changes), grey())


def test_augmentation_comes_from_the_seed_and_differs_between_clips() -> None:
    augment = SoundAugment([AugmentSettings()], TileSettings())
    same = tile(grey(1)).repeat(8, 1, 1, 1)
    changes = [augment.draw(8, [torch.Generator().manual_seed(seed)]) for seed in (1, 1, 2)]
    augmented = [augment.mask(augment.warp(same, change), change) for change in changes]
    assert torch.equal(augmented[0], augmented[1])
    assert not torch.equal(augmented[0], augmented[2])
    assert len({clip.numpy().tobytes() for clip in augmented[0]}) == 8


def masked_ones(settings: AugmentSettings, n: int, size: int = 64) -> torch.Tensor:
    augment = SoundAugment([settings], TileSettings(size=size))
    return augment.mask(torch.ones(n, 1, size, size), augment.draw(n, [torch.Generator().manual_seed(0)]))[:, 0]


@pytest.mark.parametrize("axis", [1, 2])
def test_a_mask_is_one_band_of_zeros_no_wider_than_asked_and_of_every_width(axis: int) -> None:
    width = 12
    settings = AugmentSettings(freq_masks=int(axis == 1), freq_width=width, time_masks=int(axis == 2), time_width=width)
    masked = masked_ones(settings, 2000)
    bands = (masked == 0).all(3 - axis)  # (B, 64)
    assert torch.equal(masked == 0, bands.unsqueeze(3 - axis).expand_as(masked))
    widths = bands.sum(1)
    edges = bands.int().diff(dim=1).abs().sum(1)
    assert set(widths.tolist()) == set(range(width + 1))
    assert edges.max() <= 2  # one band only
    centre = bands.float().mean(0)
    assert centre[20:44].std() < 0.03  # no place in the middle is preferred


def drawn_from(source: torch.Tensor, **changes: float) -> torch.Tensor:
    settings = replace(OFF, **changes)  # type: ignore[arg-type]
    augment = SoundAugment([settings], TileSettings())
    return augment.warp(tile(source).unsqueeze(1), augment.draw(len(source), [torch.Generator().manual_seed(0)]))[:, 0]


def test_a_shift_moves_a_clip_whole_by_no_more_than_asked_and_pads_with_silence() -> None:
    ramp = torch.zeros(500, 64, 64)
    ramp[:, :, 30] = 1
    moved = drawn_from(ramp, shift=5)
    columns = (moved * torch.arange(64)).sum(2) / moved.sum(2) - 30  # (B, F): where the spike is now
    assert (columns.amax(1) - columns.amin(1)).max() < 1e-4
    assert -5 <= columns.min() < -4.9
    assert 4.9 < columns.max() <= 5
    torch.testing.assert_close(moved.sum(2), torch.ones(500, 64))
    assert drawn_from(torch.ones(500, 64, 64), shift=5)[:, :, 0].min() == 0


def test_a_tempo_stretches_time_about_the_middle() -> None:
    clip = torch.zeros(500, 64, 64)
    clip[:, :, 22:42] = 1
    widths = drawn_from(clip, tempo=0.3)[:, 5].sum(1)  # 20 frames before
    assert 20 * math.exp(-0.3) * 0.97 < widths.min() < 15.2
    assert 26.4 < widths.max() < 20 * math.exp(0.3) * 1.03
    centre = (drawn_from(clip, tempo=0.3)[:, 5] * torch.arange(64)).sum(1) / widths
    assert (centre - 31.5).abs().max() < 0.1


def test_another_throat_scales_low_frequencies_by_one_factor_and_leaves_the_highest() -> None:
    tiles = TileSettings()
    low, high = (2595 * math.log10(1 + hertz / 700) for hertz in (tiles.f_min_hz, tiles.f_max_hz))
    hertz = 700 * (10 ** ((low + (high - low) * torch.arange(64) / 63) / 2595) - 1)
    three = torch.zeros(500, 64, 64)
    three[:, [16, 36, 63]] = 1
    moved = drawn_from(three, tract=0.2)[:, :, 9]  # (B, F)
    bins = torch.arange(64)

    def centre(part: slice) -> torch.Tensor:
        position = (moved[:, part] * bins[part]).sum(1) / moved[:, part].sum(1)
        nearest = position.floor().long()
        return hertz[nearest] + (position - nearest) * (hertz[nearest + 1] - hertz[nearest])

    first, second = centre(slice(0, 25)) / hertz[16], centre(slice(25, 50)) / hertz[36]
    torch.testing.assert_close(first, second, rtol=0.03, atol=0)
    assert math.exp(-0.2) * 0.97 < first.min() < 0.85
    assert 1.18 < first.max() < math.exp(0.2) * 1.03
    torch.testing.assert_close(moved[:, 63], torch.ones(500), rtol=0, atol=1e-3)


def test_beyond_the_outermost_band_lies_what_it_holds() -> None:
    assert drawn_from(torch.ones(200, 64, 64), tract=0.3).min() > 1 - 1e-5


def test_a_bend_moves_parts_of_an_axis_apart_and_no_further_than_asked() -> None:
    for axis, name in ((1, "tract_bend"), (2, "tempo_bend")):
        spikes = torch.zeros(500, 64, 64)
        spikes.index_fill_(axis, torch.tensor([16, 48]), 1)
        moved = drawn_from(spikes, **{name: 3}).select(3 - axis, 32)  # (B, 64)
        bins = torch.arange(32)
        first, second = ((half * bins).sum(1) / half.sum(1) - 16 for half in (moved[:, :32], moved[:, 32:]))
        for columns in (first, second):
            assert 2.5 < columns.abs().max() < 4  # the axis itself is stretched under a spike by up to a half
        assert (first - second).abs().max() > 3
    assert torch.equal(drawn_from(torch.ones(9, 64, 64), tract_bend=3), torch.ones(9, 64, 64))


def test_noise_raises_the_floor_by_powers_and_leaves_the_loudest_cells() -> None:
    source = torch.zeros(200, 64, 64)
    source[:, 10, :] = 1.0
    noisy = drawn_from(source, noise_db=10)
    assert noisy[:, 10].min() > 0.99
    floors = noisy[:, 20:].mean((1, 2))
    assert floors.max() > 0.5
    assert floors.min() < 0.05
    assert len({clip[40].numpy().tobytes() for clip in noisy}) > 150  # those whose noise lies within the range have their own


def test_blur_takes_half_of_the_clips_part_of_the_way_to_the_mean_over_neighbouring_bins() -> None:
    source = tile(grey(400))
    levels = (source[:, 0] / 255).numpy()
    means = np.stack([levels[:, max(0, row - 3) : row + 4].mean(1) for row in range(64)], 1)
    blurred = drawn_from(source[:, 0] / 255, blur=3).numpy()
    shares = ((blurred - levels) * (means - levels)).sum((1, 2)) / np.square(means - levels).sum((1, 2))
    np.testing.assert_allclose(blurred, levels + shares[:, None, None] * (means - levels), atol=1e-5)
    assert 0.4 < (shares < 1e-4).mean() < 0.6
    assert 0.4 < shares[shares > 1e-4].mean() < 0.6
    assert shares.min() > -1e-4
    assert shares.max() < 1


def test_another_microphone_lifts_bins_and_shows_what_lay_below_the_range() -> None:
    source = torch.full((400, 64, 64), 1 - 45 / 80)  # 45 dB below the loudest, of 80 that the tiles show
    source[:, 32] = 1
    heard = drawn_from(source, equaliser=12)
    assert torch.equal(heard, heard[:, :, :1].expand_as(heard))  # a bin's gain is the same all along the clip
    torch.testing.assert_close(heard.amax((1, 2)), torch.ones(400))
    is_seen = ((heard[:, :, 0] > 0).sum(1) > 1).float().mean()
    assert 0.2 < is_seen < 0.4  # of the half that is changed, most lift some bin by 5 dB more than the loudest


def test_a_clip_on_another_microphone_has_the_gains_asked_for() -> None:
    flat = torch.full((2000, 64, 64), 1 - 20 / 80)
    gains = 40 * drawn_from(flat, equaliser=12)[:, :, 0] - 40  # (B, F) dB below the loudest bin
    is_changed = gains.amin(1) < -0.1
    assert 0.45 < is_changed.float().mean() < 0.55
    assert -40 <= gains.amin() < -35  # tilt of 12, wave of 6, fall of 24
    above = gains[is_changed][:, 20:]  # no high pass reaches so high
    slope = above.diff(dim=1)
    assert slope.abs().max() < (2 * 12 + 6 * 2 * math.pi * 1.5) / 63
    assert 0.45 < (above[:, -1] > above[:, 0]).float().mean() < 0.55


def test_without_blur_the_draws_are_those_of_before_there_was_one() -> None:
    changes = SoundAugment([AugmentSettings()], TileSettings()).draw(8, [torch.Generator().manual_seed(0)])
    assert changes.noise.double().sum().item() == pytest.approx(0.0017403191450284794, rel=1e-6)


def test_a_clip_is_changed_in_the_same_way_whatever_batch_it_is_in() -> None:
    augment, pictures = SoundAugment([AugmentSettings(blur=3, equaliser=12)], TileSettings()), tile(grey())
    changes = augment.draw(64, [torch.Generator().manual_seed(3)])
    batch = augment.mask(augment.warp(pictures, changes), changes)
    part = changes.part(16, 32)
    torch.testing.assert_close(augment.mask(augment.warp(pictures[16:32], part), part), batch[16:32], rtol=0, atol=1e-6)


def test_seeds_differ_for_every_purpose_and_epoch() -> None:
    seeds = {derive_seed(purpose, seed, epoch) for purpose in ("order", "dropout") for seed in range(20) for epoch in range(20)}
    assert len(seeds) == 800
    assert all(0 <= seed < 2**62 for seed in seeds)
