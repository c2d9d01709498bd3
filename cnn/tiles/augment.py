"""Augmentation of whole batches of tiles, drawn anew for every clip. B batch, F mel bins, T frames, M members.

Where several nets are trained as one, a batch has M neighbours for each of its clips, one for each net.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch

from cnn.config import AugmentSettings, TileSettings
from cnn.tiles.mel_scale import hertz_to_mel, mel_to_hertz

_FULL_SIZE = 64  # widths and shifts are given for tiles of this size
_STRAIGHT_TO = 0.7  # of the highest frequency; above, the vocal tract warp is bent
_LEAST_DRAWN = 2.0**-25  # for 0, whose logarithm is no number; half the least other number drawn
_DB_TO_LOG2 = 0.33219280948873626  # log2(10) / 10
_N_DRAWS = 11  # for a clip, without those of its masks
_N_HISS = 1 << 19  # noise is drawn once, and each clip begins somewhere in it: drawing it anew takes half of the time


class Rows(NamedTuple):
    """Between which two rows each new row lies, and the weight of either. Outside lies silence: a weight of 0."""

    low: torch.Tensor  # (B, R) int64
    high: torch.Tensor
    low_weight: torch.Tensor  # (B, R)
    high_weight: torch.Tensor


class Changes(NamedTuple):
    """What happens to each of B clips."""

    bins: Rows
    frames: Rows
    noise: torch.Tensor  # (B,) mean power; 1 is the loudest cell's
    hiss: torch.Tensor  # (B,) where in the noise the clip's own begins
    kept_bins: torch.Tensor  # (B, F) 0 under a mask, else 1
    kept_frames: torch.Tensor  # (B, T)

    def part(self, start: int, stop: int) -> Changes:
        """Those of some of the clips."""
        return Changes(
            bins=Rows(*(of[start:stop] for of in self.bins)),
            frames=Rows(*(of[start:stop] for of in self.frames)),
            noise=self.noise[start:stop],
            hiss=self.hiss[start:stop],
            kept_bins=self.kept_bins[start:stop],
            kept_frames=self.kept_frames[start:stop],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Strengths:
    """As in AugmentSettings: one for all clips, or (B, 1)."""

    freq_width: float | torch.Tensor
    time_width: float | torch.Tensor
    tract: float | torch.Tensor
    tract_bend: float | torch.Tensor
    tempo: float | torch.Tensor
    tempo_bend: float | torch.Tensor
    shift: float | torch.Tensor
    noise_db: float | torch.Tensor


def _strengths(settings: Sequence[AugmentSettings], n_clips: int, device: torch.device) -> _Strengths:
    """Of `n_clips` clips for each of the M settings, M neighbours each."""
    names = [field.name for field in fields(_Strengths)]
    if len(settings) == 1:
        return _Strengths(**{name: getattr(settings[0], name) for name in names})
    table = torch.tensor([[float(getattr(s, name)) for name in names] for s in settings], device=device)
    columns = table.repeat(n_clips, 1).unsqueeze(2).unbind(1)
    return _Strengths(**dict(zip(names, columns, strict=True)))


class Augment:
    """Another throat, another tempo, another moment, a noise floor; then masks. Each clip with its own draw.

    The throat is vocal tract length perturbation (Jaitly and Hinton 2013): frequencies times one factor, but the highest
    stays where it is. Both axes are also bent by a slow wave: throats differ by more than their length, and nobody speaks
    evenly.
    The masks are SpecAugment's (Park et al. 2019).
    """

    def __init__(self, settings: Sequence[AugmentSettings], tiles: TileSettings) -> None:
        """`settings` has one for each of M members; all have the same numbers of masks."""
        self._settings = settings
        self._has_noise = any(s.noise_db < tiles.range_db for s in settings)
        self._range_db = tiles.range_db
        self._size = tiles.size
        self._scale = tiles.size / _FULL_SIZE
        self._highest_hz = tiles.f_max_hz
        low, high = hertz_to_mel(torch.tensor([tiles.f_min_hz, tiles.f_max_hz])).tolist()
        self._low_mel, self._mel_per_bin = low, (high - low) / (tiles.size - 1)
        self._hiss = _exponential(_N_HISS + tiles.size**2)

    def draw(self, n_clips: int, generators: Sequence[torch.Generator]) -> Changes:
        """The changes of so many clips of each member, M neighbours each, drawn from the member's own generator.

        It is far quicker for a thousand at once than for one batch after the other.
        """
        first, device = self._settings[0], generators[0].device
        shape = (n_clips, _N_DRAWS + 2 * (first.freq_masks + first.time_masks))
        unit = torch.stack([torch.rand(shape, generator=generator, device=device) for generator in generators], 1)
        draws, s = _Draws(unit.flatten(0, 1)), _strengths(self._settings, n_clips, device)
        quietest_db = s.noise_db + 1.5 * (self._range_db - s.noise_db)  # a third of the draws lies below the range
        return Changes(
            bins=_rows(self._throats(s, draws), self._size),
            frames=_rows(self._tempos(s, draws), self._size),
            noise=(torch.exp2(draws.between(-quietest_db, -s.noise_db) * _DB_TO_LOG2) * (s.noise_db < self._range_db))[:, 0],
            hiss=draws.between(0, _N_HISS).long()[:, 0],
            kept_bins=self._kept(first.freq_masks, s.freq_width, draws),
            kept_frames=self._kept(first.time_masks, s.time_width, draws),
        )

    def warp(self, pictures: torch.Tensor, changes: Changes) -> torch.Tensor:
        """(B, F, T) uint8 to 0..1, 1 the loudest: scaled in frequency and time, moved in time, with a noise floor."""
        grey = _read(pictures, changes.bins)
        # Whole rows are read several times as fast as single cells, on either axis.
        grey = _read(grey.transpose(1, 2).contiguous(), changes.frames).div_(255)  # (B, T, F)
        if self._has_noise:
            grey = self._with_noise(grey, changes)
        return grey.transpose(1, 2)

    def mask(self, batch: torch.Tensor, changes: Changes) -> torch.Tensor:
        """(B, F, T) normalised to mean 0, in place: bands of rows and columns set to 0, the mean."""
        masked: torch.Tensor = batch.mul_(changes.kept_bins.unsqueeze(2)).mul_(changes.kept_frames.unsqueeze(1))
        return masked

    def _throats(self, s: _Strengths, draws: _Draws) -> torch.Tensor:
        """(B, F): where each row lay on the axis of the clip's own throat, in rows."""
        bins = torch.arange(self._size, device=draws.device)
        factors = torch.exp(draws.between(-s.tract, s.tract))  # (B, 1)
        hertz = _warped(mel_to_hertz(self._low_mel + self._mel_per_bin * bins), factors, self._highest_hz)
        places: torch.Tensor = (hertz_to_mel(hertz) - self._low_mel) / self._mel_per_bin
        places = places + _bend(bins, s.tract_bend * self._scale, draws)
        return places.clamp_(0, self._size - 1)  # beyond the outermost band, what it holds

    def _tempos(self, s: _Strengths, draws: _Draws) -> torch.Tensor:
        """(B, T): where each frame lay in the clip's own time, in frames; the middle stays, but for the shift."""
        middle = (self._size - 1) / 2
        frames = torch.arange(self._size, device=draws.device)
        factors = torch.exp(draws.between(-s.tempo, s.tempo))  # (B, 1)
        shifts = draws.between(-s.shift, s.shift) * self._scale
        return middle + (frames - middle) * factors + shifts + _bend(frames, s.tempo_bend * self._scale, draws)

    def _kept(self, n_masks: int, width: float | torch.Tensor, draws: _Draws) -> torch.Tensor:
        """(B, size): 0 within `n_masks` bands of up to `width` of 64, else 1."""
        kept = torch.ones((draws.n_clips, self._size), device=draws.device)
        places = torch.arange(self._size, device=draws.device)
        for _ in range(n_masks):
            widths = draws.between(0, width * self._scale)
            starts = draws.between(0, 1) * (self._size - widths)
            kept = kept * ((places < starts) | (places >= starts + widths))
        return kept

    def _with_noise(self, grey: torch.Tensor, changes: Changes) -> torch.Tensor:
        """Powers add: the clip, and noise of one level a clip, exponentially spread as the power of Gaussian noise is."""
        per_grey = self._range_db * _DB_TO_LOG2
        self._hiss = self._hiss.to(grey.device)
        hiss = self._hiss.unfold(0, grey[0].numel(), 1)[changes.hiss].view_as(grey)
        power = torch.exp2(grey.sub_(1).mul_(per_grey)).addcmul_(hiss, changes.noise.view(-1, 1, 1))
        return power.log2_().div_(per_grey).add_(1).clamp_(0, 1)


class _Draws:
    """Numbers drawn for B clips, taken one after the other."""

    def __init__(self, unit: torch.Tensor) -> None:
        """(B, n) between 0 and 1."""
        self.n_clips, self.device = len(unit), unit.device
        self._columns = iter(unit.unsqueeze(2).unbind(1))

    def between(self, low: float | torch.Tensor, high: float | torch.Tensor) -> torch.Tensor:
        """(B, 1): the next number of each clip, uniform between the two."""
        return low + (high - low) * next(self._columns)


def _warped(hertz: torch.Tensor, factors: torch.Tensor, highest_hz: float) -> torch.Tensor:
    """(F,) and (B, 1) to (B, F): times the factor up to a bend, then straight to the highest, which stays (their section 3).

    Without the bend, what a smaller throat moves beyond the edge is lost, and a larger one leaves nothing at the edge.
    """
    least = factors.clamp_max(1) * _STRAIGHT_TO * highest_hz  # where the bend comes to lie
    bend_hz = least / factors
    slope = (highest_hz - least) / (highest_hz - bend_hz)
    return torch.where(hertz <= bend_hz, hertz * factors, highest_hz - slope * (highest_hz - hertz))


def _bend(along: torch.Tensor, most: float | torch.Tensor, draws: _Draws) -> torch.Tensor:
    """(n,) to (B, n): distances up to `most`; half a wave to one and a half over the axis, of any phase and height."""
    height, phase, waves = draws.between(0, most), draws.between(0, 2 * math.pi), draws.between(0.5, 1.5)
    return height * torch.sin(phase + waves * along * (2 * math.pi / len(along)))


def _rows(places: torch.Tensor, n: int) -> Rows:
    """(B, R) places among `n` rows, to be interpolated linearly."""
    low = places.floor()
    high, share = low + 1, places - low
    inside_low, inside_high = low.clamp(0, n - 1), high.clamp(0, n - 1)
    return Rows(
        low=inside_low.long(),
        high=inside_high.long(),
        low_weight=(1 - share) * (low == inside_low),
        high_weight=share * (high == inside_high),
    )


def _read(picture: torch.Tensor, rows: Rows) -> torch.Tensor:
    """(B, R, C) to (B, R, C) float: the rows asked for."""
    n_clips, n, _ = picture.shape
    first = torch.arange(0, n_clips * n, n, device=picture.device).unsqueeze(1)
    flat = picture.view(n_clips * n, -1)
    low, high = (flat.index_select(0, (row + first).view(-1)).float() for row in (rows.low, rows.high))
    found = low.mul_(rows.low_weight.reshape(-1, 1)).addcmul_(high, rows.high_weight.reshape(-1, 1))
    return found.view(picture.shape)


def _exponential(n: int) -> torch.Tensor:
    """(n,) draws of mean 1, always the same."""
    drawn = torch.rand(n, generator=torch.Generator().manual_seed(0))
    return drawn.clamp_min_(_LEAST_DRAWN).log_().neg_()
