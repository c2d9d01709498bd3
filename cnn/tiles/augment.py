"""Augmentation of batches of sounds' tiles, drawn anew for every clip. B batch, F mel bins, T frames, M nets.

Where M nets are trained as one, a batch holds each clip M times in a row, once for each net.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Protocol

import torch

from cnn.settings.augment import AugmentSettings
from cnn.settings.tiles import WIDE_TIMES, TileSettings
from cnn.tiles.mel_scale import hertz_to_mel, mel_to_hertz

_FULL_SIZE = 64  # widths and shifts are given for tiles of this size
_STRAIGHT_TO = 0.7  # share of the highest frequency; above it the vocal tract warp is bent
_LEAST_DRAW = 2.0**-25  # replaces 0 under the logarithm; half the least positive draw
_DB_TO_LOG2 = 0.33219280948873626  # log2(10) / 10
_N_DRAWS = 11  # for a clip, masks, blur and gain not counted
_N_GAIN_DRAWS = 7
_HIGHEST_CORNER = 0.3  # share of the bins below which a high pass may begin
_N_HISS = 1 << 19  # noise is drawn once, each clip reads from a random start: drawing it anew takes half of the time


class Changes(Protocol):
    """The augmentation drawn for each of B clips."""

    def part(self, start: int, stop: int) -> Any:
        """Return the changes of the clips from `start` to before `stop`."""


class Augment(Protocol):
    """Augmentation of a kind of data: drawn ahead for many clips, then done to a batch before and after it is normalised."""

    def draw(self, n_clips: int, generators: Sequence[torch.Generator]) -> Any:
        """Draw the changes of `n_clips` clips for each of M nets, from the nets' own generators."""

    def warp(self, pictures: torch.Tensor, changes: Any) -> torch.Tensor:
        """Move what (B, C, F, T) uint8 show, to 0..1."""

    def mask(self, batch: torch.Tensor, changes: Any) -> torch.Tensor:
        """Hide parts of (B, C, F, T), normalised, in place."""


class Rows(NamedTuple):
    """The two source rows of each new row, with their weights. Outside lies silence: a weight of 0."""

    low: torch.Tensor  # (B, R) int64
    high: torch.Tensor
    low_weight: torch.Tensor  # (B, R)
    high_weight: torch.Tensor


class SoundChanges(NamedTuple):
    """The augmentation drawn for each of B clips."""

    bins: Rows
    frames: Rows
    noise: torch.Tensor  # (B,) mean power; 1 is the loudest cell's
    hiss: torch.Tensor  # (B,) index at which the clip's noise begins
    bin_mask: torch.Tensor  # (B, F) 0 under a mask, else 1
    frame_mask: torch.Tensor  # (B, T)
    blur: torch.Tensor  # (B,) share of the smoothed clip; empty where none is smoothed
    gain: torch.Tensor  # (B, F) of each bin, in ranges of the tiles that are read; empty where none has any

    def part(self, start: int, stop: int) -> SoundChanges:
        """Return the changes of the clips from `start` to before `stop`."""
        return SoundChanges(
            bins=Rows(*(column[start:stop] for column in self.bins)),
            frames=Rows(*(column[start:stop] for column in self.frames)),
            noise=self.noise[start:stop],
            hiss=self.hiss[start:stop],
            bin_mask=self.bin_mask[start:stop],
            frame_mask=self.frame_mask[start:stop],
            blur=self.blur[start:stop],
            gain=self.gain[start:stop],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Strengths:
    """The strengths of AugmentSettings: one for all clips, or (B, 1)."""

    freq_width: float | torch.Tensor
    time_width: float | torch.Tensor
    tract: float | torch.Tensor
    tract_bend: float | torch.Tensor
    tempo: float | torch.Tensor
    tempo_bend: float | torch.Tensor
    shift: float | torch.Tensor
    noise_db: float | torch.Tensor
    equaliser: float | torch.Tensor


def _strengths(settings: Sequence[AugmentSettings], n_clips: int, device: torch.device) -> _Strengths:
    """Return the strengths for `n_clips` clips, each once for each of the M settings in a row."""
    names = [field.name for field in fields(_Strengths)]
    if len(settings) == 1:
        return _Strengths(**{name: getattr(settings[0], name) for name in names})
    table = torch.tensor([[float(getattr(s, name)) for name in names] for s in settings], device=device)
    columns = table.repeat(n_clips, 1).unsqueeze(2).unbind(1)
    return _Strengths(**dict(zip(names, columns, strict=True)))


class SoundAugment:
    """Vocal tract, harmonics, tempo, shift, noise floor and microphone of each clip, drawn at random; then masks.

    Vocal tract length perturbation (Jaitly and Hinton 2013) multiplies frequencies by a factor; the
    highest is fixed. Both axes are also bent by a slow wave: throats differ by more than their length,
    and nobody speaks evenly. A mean over neighbouring mel bins blurs the harmonics of the voice's pitch, which say nothing of
    the digit, and keeps the formants. An equaliser makes another microphone of the clip's: it reads tiles of twice the range,
    since what it lifts must not have been cut off, and cuts them to the range that is seen.
    The masks are SpecAugment's (Park et al. 2019).
    """

    def __init__(self, settings: Sequence[AugmentSettings], tiles: TileSettings) -> None:
        """`settings` has one for each of M nets; all have the same numbers of masks, blur and equaliser."""
        self._settings = settings
        self._has_noise = any(s.noise_db < tiles.range_db for s in settings)
        self._range_db = tiles.range_db
        self._times = WIDE_TIMES if settings[0].equaliser else 1  # ranges that the tiles show
        self._size = tiles.size
        self._scale = tiles.size / _FULL_SIZE
        self._highest_hz = tiles.f_max_hz
        low, high = hertz_to_mel(torch.tensor([tiles.f_min_hz, tiles.f_max_hz])).tolist()
        self._low_mel, self._mel_per_bin = low, (high - low) / (tiles.size - 1)
        self._mean = _average_neighbours(tiles.size, round(settings[0].blur * self._scale))
        self._hiss = _exponential(_N_HISS + tiles.size**2)

    def draw(self, n_clips: int, generators: Sequence[torch.Generator]) -> SoundChanges:
        """Draw the changes of `n_clips` clips for each of M nets, from the nets' own generators.

        A thousand at once is far quicker than one batch after the other.
        """
        first, device = self._settings[0], generators[0].device
        n_draws = _N_DRAWS + 2 * (first.freq_masks + first.time_masks) + (first.blur > 0)
        n_draws += _N_GAIN_DRAWS * (first.equaliser > 0)
        unit = torch.stack([torch.rand((n_clips, n_draws), generator=generator, device=device) for generator in generators], 1)
        draws, s = _Draws(unit.flatten(0, 1)), _strengths(self._settings, n_clips, device)
        quietest_db = s.noise_db + 1.5 * (self._range_db - s.noise_db)  # a third of the draws lies below the range
        return SoundChanges(
            bins=_find_rows(self._source_rows(s, draws), self._size),
            frames=_find_rows(self._source_frames(s, draws), self._size),
            noise=(torch.exp2(draws.between(-quietest_db, -s.noise_db) * _DB_TO_LOG2) * (s.noise_db < self._range_db))[:, 0],
            hiss=draws.between(0, _N_HISS).long()[:, 0],
            bin_mask=self._draw_mask(first.freq_masks, s.freq_width, draws),
            frame_mask=self._draw_mask(first.time_masks, s.time_width, draws),
            blur=draws.between(-1, 1).clamp_min(0)[:, 0] if first.blur else torch.empty(0, device=device),
            gain=self._draw_gain(s, draws) if first.equaliser else torch.empty(0, device=device),
        )

    def warp(self, pictures: torch.Tensor, changes: SoundChanges) -> torch.Tensor:
        """Warp and shift (B, 1, F, T) uint8 and add a noise floor, to 0..1 with 1 the loudest."""
        grey = _interpolate(pictures[:, 0], changes.bins)
        if len(changes.blur):
            grey = grey.lerp(self._mean.to(grey.device) @ grey, changes.blur.view(-1, 1, 1))
        # Whole rows are read several times as fast as single cells, on either axis.
        grey = _interpolate(grey.transpose(1, 2).contiguous(), changes.frames).div_(255)  # (B, T, F)
        if self._has_noise:
            grey = self._add_noise(grey, changes)
        if len(changes.gain):
            grey = self._equalise(grey, changes.gain)
        return grey.transpose(1, 2).unsqueeze(1)

    def mask(self, batch: torch.Tensor, changes: SoundChanges) -> torch.Tensor:
        """Set bands of rows and columns of (B, 1, F, T), normalised to mean 0, to 0 in place."""
        masked: torch.Tensor = batch.mul_(changes.bin_mask[:, None, :, None]).mul_(changes.frame_mask[:, None, None])
        return masked

    def _source_rows(self, s: _Strengths, draws: _Draws) -> torch.Tensor:
        """Return (B, F): the position that each row is read from, by vocal tract and bend."""
        bins = torch.arange(self._size, device=draws.device)
        factors = torch.exp(draws.between(-s.tract, s.tract))  # (B, 1)
        hertz = _warp_hertz(mel_to_hertz(self._low_mel + self._mel_per_bin * bins), factors, self._highest_hz)
        positions: torch.Tensor = (hertz_to_mel(hertz) - self._low_mel) / self._mel_per_bin
        positions = positions + _bend(bins, s.tract_bend * self._scale, draws)
        return positions.clamp_(0, self._size - 1)  # beyond the outermost band its value is repeated

    def _source_frames(self, s: _Strengths, draws: _Draws) -> torch.Tensor:
        """Return (B, T): the position that each frame is read from, by tempo, shift and bend."""
        middle = (self._size - 1) / 2
        frames = torch.arange(self._size, device=draws.device)
        factors = torch.exp(draws.between(-s.tempo, s.tempo))  # (B, 1)
        shifts = draws.between(-s.shift, s.shift) * self._scale
        return middle + (frames - middle) * factors + shifts + _bend(frames, s.tempo_bend * self._scale, draws)

    def _draw_mask(self, n_masks: int, width: float | torch.Tensor, draws: _Draws) -> torch.Tensor:
        """Return (B, size): 0 within `n_masks` bands of up to `width` of 64, else 1."""
        mask = torch.ones((draws.n_clips, self._size), device=draws.device)
        positions = torch.arange(self._size, device=draws.device)
        for _ in range(n_masks):
            widths = draws.between(0, width * self._scale)
            starts = draws.between(0, 1) * (self._size - widths)
            mask = mask * ((positions < starts) | (positions >= starts + widths))
        return mask

    def _draw_gain(self, s: _Strengths, draws: _Draws) -> torch.Tensor:
        """Return (B, F): nothing for half of the clips; else a tilt, a slow wave of half its height, and a fall of up to twice
        of it from a corner in the lowest bins downwards."""
        bins = torch.arange(self._size, device=draws.device)
        is_changed = draws.between(0, 1) < 0.5
        tilt = draws.between(-1, 1) * torch.linspace(-1, 1, self._size, device=draws.device)
        wave = _bend(bins, 0.5, draws)
        corner = (draws.between(0, _HIGHEST_CORNER) * self._size).clamp_min(1)
        fall = draws.between(0, 2) * (1 - bins / corner).clamp_min(0)
        return is_changed * (tilt + wave - fall) * s.equaliser / (self._times * self._range_db)

    def _equalise(self, grey: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        """Amplify each bin of (B, T, F) by (B, F), and cut to the range below the loudest cell, which is 1 again."""
        louder = grey + gain.unsqueeze(1)
        return louder.sub_(louder.amax((1, 2), keepdim=True)).mul_(self._times).add_(1).clamp_(0, 1)

    def _add_noise(self, grey: torch.Tensor, changes: SoundChanges) -> torch.Tensor:
        """Add the power of noise, exponentially distributed as Gaussian noise's is, one level a clip."""
        per_grey = self._times * self._range_db * _DB_TO_LOG2
        self._hiss = self._hiss.to(grey.device)
        hiss = self._hiss.unfold(0, grey[0].numel(), 1)[changes.hiss].view_as(grey)
        power = torch.exp2(grey.sub_(1).mul_(per_grey)).addcmul_(hiss, changes.noise.view(-1, 1, 1))
        return power.log2_().div_(per_grey).add_(1).clamp_(0, 1)


class _Draws:
    """Random numbers of B clips, used up column by column."""

    def __init__(self, unit: torch.Tensor) -> None:
        """`unit` is (B, n) between 0 and 1."""
        self.n_clips, self.device = len(unit), unit.device
        self._columns = iter(unit.unsqueeze(2).unbind(1))

    def between(self, low: float | torch.Tensor, high: float | torch.Tensor) -> torch.Tensor:
        """Return (B, 1): the next number of each clip, uniform between the two."""
        return low + (high - low) * next(self._columns)


def _warp_hertz(hertz: torch.Tensor, factors: torch.Tensor, highest_hz: float) -> torch.Tensor:
    """Warp (F,) by factors (B, 1) to (B, F), linearly from a bend to the highest (section 3).

    Without the bend a smaller throat moves sound beyond the edge, a larger one leaves silence.
    """
    least = factors.clamp_max(1) * _STRAIGHT_TO * highest_hz  # frequency of the bend after the warp
    bend_hz = least / factors
    slope = (highest_hz - least) / (highest_hz - bend_hz)
    return torch.where(hertz <= bend_hz, hertz * factors, highest_hz - slope * (highest_hz - hertz))


def _bend(along: torch.Tensor, most: float | torch.Tensor, draws: _Draws) -> torch.Tensor:
    """Return offsets (B, n) up to `most`: half a wave to one and a half, of random phase and height."""
    height, phase, waves = draws.between(0, most), draws.between(0, 2 * math.pi), draws.between(0.5, 1.5)
    return height * torch.sin(phase + waves * along * (2 * math.pi / len(along)))


def _find_rows(positions: torch.Tensor, n: int) -> Rows:
    """Prepare the linear interpolation of `n` rows at the positions (B, R)."""
    low = positions.floor()
    high, share = low + 1, positions - low
    inside_low, inside_high = low.clamp(0, n - 1), high.clamp(0, n - 1)
    return Rows(
        low=inside_low.long(),
        high=inside_high.long(),
        low_weight=(1 - share) * (low == inside_low),
        high_weight=share * (high == inside_high),
    )


def _interpolate(picture: torch.Tensor, rows: Rows) -> torch.Tensor:
    """Interpolate (B, R, C) to (B, R, C) float."""
    n_clips, n, _ = picture.shape
    first = torch.arange(0, n_clips * n, n, device=picture.device).unsqueeze(1)
    flat = picture.view(n_clips * n, -1)
    low, high = (flat.index_select(0, (row + first).view(-1)).float() for row in (rows.low, rows.high))
    rows_out = low.mul_(rows.low_weight.reshape(-1, 1)).addcmul_(high, rows.high_weight.reshape(-1, 1))
    return rows_out.view(picture.shape)


def _average_neighbours(n: int, n_aside: int) -> torch.Tensor:
    """Return (n, n): each row the mean of a bin and its neighbours up to `n_aside` away; at an edge of those there are."""
    bins = torch.arange(n)
    near = ((bins - bins.unsqueeze(1)).abs() <= n_aside).float()
    return near / near.sum(1, keepdim=True)


def _exponential(n: int) -> torch.Tensor:
    """Return (n,) exponential draws of mean 1, always the same."""
    draws = torch.rand(n, generator=torch.Generator().manual_seed(0))
    return draws.clamp_min_(_LEAST_DRAW).log_().neg_()
