"""Augmentation of whole batches of tiles, drawn anew for every clip. B batch, F mel bins, T frames."""

from __future__ import annotations

import math

import torch

from cnn.config import AugmentSettings, TileSettings

_FULL_SIZE = 64  # widths and shifts are given for tiles of this size
_STRAIGHT_TO = 0.7  # of the highest frequency; above, the vocal tract warp is bent
_LEAST_DRAWN = 2.0**-25  # for 0, whose logarithm is no number; half the least other number drawn
_DB_TO_LOG2 = 0.33219280948873626  # log2(10) / 10


class Augment:
    """Another throat, another tempo, another moment, a noise floor; then masks. Each clip with its own draw.

    The throat is vocal tract length perturbation (Jaitly and Hinton 2013): frequencies times one factor, but the highest
    stays where it is. Both axes are also bent by a slow wave: throats differ by more than their length, and nobody speaks
    evenly.
    The masks are SpecAugment's (Park et al. 2019).
    """

    def __init__(self, settings: AugmentSettings, tiles: TileSettings) -> None:
        self._settings = settings
        self._range_db = tiles.range_db
        self._scale = tiles.size / _FULL_SIZE
        self._highest_hz = tiles.f_max_hz
        low, high = _mel(torch.tensor([tiles.f_min_hz, tiles.f_max_hz])).tolist()
        self._low_mel, self._mel_per_bin = low, (high - low) / (tiles.size - 1)

    def levels(self, grey: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """(B, F, T) in 0..1, 1 the loudest: scaled in frequency and time, moved in time, with a random noise floor."""
        s = self._settings
        if s.tract or s.tract_bend:
            grey = torch.bmm(self._throats(grey, generator), grey)
        if s.tempo or s.tempo_bend or s.shift:
            grey = torch.bmm(grey, self._tempos(grey, generator))
        if s.noise_db >= self._range_db:
            return grey
        decibels = _with_noise((grey - 1) * self._range_db, s.noise_db, self._range_db, generator)
        return decibels.div_(self._range_db).add_(1).clamp_(0, 1)

    def _throats(self, grey: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """(B, F, F): each row blends the two bins nearest to where its frequency, times a factor, lay."""
        bins = torch.arange(grey.shape[1], device=grey.device)
        hertz = _hertz(self._low_mel + self._mel_per_bin * bins)
        factors = torch.exp(_uniform(grey, -self._settings.tract, self._settings.tract, generator))[:, 0]  # (B, 1)
        places = (_mel(_warped(hertz, factors, self._highest_hz)) - self._low_mel) / self._mel_per_bin
        places = places + _bend(grey, grey.shape[1], self._settings.tract_bend * self._scale, generator)
        return _blend(places.clamp_(0, grey.shape[1] - 1), grey.shape[1])  # beyond the outermost band, what it holds

    def _tempos(self, grey: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """(B, T, T): each column blends the two frames nearest to where its moment lay; the middle stays, but for the shift."""
        s, middle = self._settings, (grey.shape[2] - 1) / 2
        frames = torch.arange(grey.shape[2], device=grey.device) - middle
        factors = torch.exp(_uniform(grey, -s.tempo, s.tempo, generator))[:, 0]  # (B, 1)
        shifts = _uniform(grey, -s.shift, s.shift, generator)[:, 0] * self._scale
        places = middle + frames * factors + shifts
        places = places + _bend(grey, grey.shape[2], s.tempo_bend * self._scale, generator)
        return _blend(places, grey.shape[2]).transpose(1, 2)

    def masks(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """(B, F, T) normalised to mean 0: bands of rows and columns set to 0, the mean."""
        s = self._settings
        for axis, n_masks, width in ((1, s.freq_masks, s.freq_width), (2, s.time_masks, s.time_width)):
            for _ in range(n_masks):
                batch = _masked(batch, axis, width * self._scale, generator)
        return batch


def _warped(hertz: torch.Tensor, factors: torch.Tensor, highest_hz: float) -> torch.Tensor:
    """(F,) and (B, 1) to (B, F): times the factor up to a bend, then straight to the highest, which stays (their section 3).

    Without the bend, what a smaller throat moves beyond the edge is lost, and a larger one leaves nothing at the edge.
    """
    least = factors.clamp_max(1) * _STRAIGHT_TO * highest_hz  # where the bend comes to lie
    bend_hz = least / factors
    slope = (highest_hz - least) / (highest_hz - bend_hz)
    return torch.where(hertz <= bend_hz, hertz * factors, highest_hz - slope * (highest_hz - hertz))


def _mel(hertz: torch.Tensor) -> torch.Tensor:
    return 2595 * torch.log10(1 + hertz / 700)  # the scale of the tiles: torchaudio's default, HTK's


def _hertz(mel: torch.Tensor) -> torch.Tensor:
    return 700 * (10 ** (mel / 2595) - 1)


def _bend(grey: torch.Tensor, n: int, most: float, generator: torch.Generator) -> torch.Tensor:
    """(B, n) distances up to `most`: half a wave to one and a half over the axis, of any phase and height."""
    height, phase = _uniform(grey, 0, most, generator), _uniform(grey, 0, 2 * math.pi, generator)
    waves = _uniform(grey, 0.5, 1.5, generator)
    along = torch.arange(n, device=grey.device) * (2 * math.pi / n)
    return (height * torch.sin(phase + waves * along))[:, 0]


def _blend(places: torch.Tensor, n: int) -> torch.Tensor:
    """(B, n) places to the (B, n, n) matrices of linear interpolation there; outside lies silence."""
    grid = torch.arange(n, device=places.device)
    return (1 - (places.unsqueeze(2) - grid).abs_()).clamp_min_(0)


def _with_noise(decibels: torch.Tensor, loudest_db: float, range_db: float, generator: torch.Generator) -> torch.Tensor:
    """Powers add: the clip, and noise of one level a clip, exponentially spread as the power of Gaussian noise is."""
    quietest_db = loudest_db + 1.5 * (range_db - loudest_db)  # a third of the draws lies below the range
    level = _uniform(decibels, -quietest_db, -loudest_db, generator)
    # Exponential draws by hand: torch's own take five times as long (one thread, torch 2.11, 2026-11).
    drawn = torch.rand(decibels.shape, generator=generator, device=decibels.device)
    spread = drawn.clamp_min_(_LEAST_DRAWN).log_().neg_()
    clip = torch.exp2(decibels * _DB_TO_LOG2)
    return torch.log2(clip + torch.exp2(level * _DB_TO_LOG2) * spread) / _DB_TO_LOG2


def _masked(batch: torch.Tensor, axis: int, width: float, generator: torch.Generator) -> torch.Tensor:
    size = batch.shape[axis]
    widths = _uniform(batch, 0, width, generator)  # (B, 1, 1)
    starts = _uniform(batch, 0, 1, generator) * (size - widths)
    shape = [1, 1, 1]
    shape[axis] = size
    places = torch.arange(size, device=batch.device).view(shape)
    return batch.masked_fill((places >= starts) & (places < starts + widths), 0.0)


def _uniform(like: torch.Tensor, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """(B, 1, 1) between `low` and `high`."""
    return low + (high - low) * torch.rand((len(like), 1, 1), generator=generator, device=like.device)
