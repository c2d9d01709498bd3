"""The front end of `cnn.tiles.front_end` in operations that ONNX has, for a batch.

B batch, S samples, W samples of a window, T frames, F mel bins, R bins of the Fourier transform. Double precision up to the
rounding to grey levels, so that only cells on the border of two levels may be rounded otherwise by another library.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from cnn.settings.tiles import TileSettings
from cnn.tiles.front_end import ENERGY_SHARE, FFT_BINS_PER_WINDOW, LEAST_POWER, constants, resampler

_DROPS_UP_TO = 2  # radius


class FrontEnd(nn.Module):
    """(B, S) float32 samples at `rate_hz` to (B, F, T) float32 grey levels, whole numbers from 0 to 255; S at least 1."""

    indices: torch.Tensor  # (T, W)
    basis: torch.Tensor  # (W, 2R)
    bands: torch.Tensor  # (R, F)

    def __init__(self, settings: TileSettings, rate_hz: int, filter_name: str) -> None:
        super().__init__()
        self.settings = settings
        same_rate = rate_hz == settings.rate_hz
        self.resample = nn.Identity() if same_rate else Resampling(rate_hz, settings.rate_hz)
        self.filter = Bilateral(settings) if filter_name == "bilateral" else nn.Identity()
        self.n_samples = round(settings.length_s * settings.rate_hz)
        window, bands = constants(settings)
        indices, basis = _transform(self.n_samples, settings.size, window)
        self.register_buffer("indices", indices)
        self.register_buffer("basis", basis)
        self.register_buffer("bands", bands.T.double().contiguous())

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        wave = _centre(self.resample(_remove_offset(samples.clamp(-1.0, 1.0))).double(), self.n_samples)  # (B, S)
        spectrum = wave[:, self.indices] @ self.basis  # (B, T, 2R): real parts, then imaginary ones
        n_bins = self.basis.shape[1] // 2
        power = (spectrum[..., :n_bins].square() + spectrum[..., n_bins:].square()) @ self.bands  # (B, T, F)
        level = power.clamp_min(LEAST_POWER).log10()
        level = (level - level.amax((1, 2), keepdim=True)) * (10 * 255 / self.settings.range_db) + 255
        grey: torch.Tensor = self.filter(level.clamp_min(0.0).round().float().transpose(1, 2).unsqueeze(1))
        return grey[:, 0]


class Resampling(nn.Module):
    """(B, S) at `from_hz` to `to_hz`: torchaudio's filter, with the new length computed in whole numbers."""

    kernel: torch.Tensor  # (phases, 1, taps)

    def __init__(self, from_hz: int, to_hz: int) -> None:
        super().__init__()
        shared = resampler(from_hz, to_hz)
        self.step, self.n_phases = from_hz // shared.gcd, to_hz // shared.gcd
        self.width: int = shared.width
        self.register_buffer("kernel", shared.kernel)

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        padded = F.pad(wave, (self.width, self.width + self.step)).unsqueeze(1)
        phases = F.conv1d(padded, self.kernel, stride=self.step)  # (B, phases, S / step)
        n_samples = (wave.shape[1] * self.n_phases + self.step - 1) // self.step
        return phases.transpose(1, 2).flatten(1)[:, :n_samples]


def _remove_offset(wave: torch.Tensor) -> torch.Tensor:
    """Subtract the mean as `cnn.corpus.audio` does: of each (B, S) between its first and its last sample that is not 0."""
    is_sound = (wave != 0).double()
    n_before = is_sound.cumsum(1)
    inside = ((n_before > 0) & (n_before - is_sound < n_before[:, -1:])).double()
    total = wave.double().sum(1, keepdim=True)
    return (wave.double() - total / inside.sum(1, keepdim=True).clamp_min(1.0)).mul(inside).float()


def _centre(wave: torch.Tensor, n_samples: int) -> torch.Tensor:
    """Return the window that `cnn.tiles.front_end` chooses, of all (B, `n_samples`) that begin in the wave or before it."""
    padded = F.pad(wave, (n_samples, n_samples))  # window j begins j - n_samples after the wave does
    energy = F.pad(padded.square().cumsum(1), (1, 0))  # sum over all samples before each
    middle = (energy < energy[:, -1:] / 2).sum(1, keepdim=True) - n_samples // 2  # (B, 1)
    held = energy[:, n_samples:] - energy[:, :-n_samples]  # (B, windows)
    holds_all = held >= ENERGY_SHARE * held.amax(1, keepdim=True)
    distance = (torch.arange(held.shape[1], device=wave.device) - middle).abs().float()
    start = torch.where(holds_all, distance, math.inf).argmin(1, keepdim=True)  # (B, 1)
    return padded.gather(1, start + torch.arange(n_samples, device=wave.device))


def _transform(n_samples: int, n_frames: int, window: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the index of each sample of each frame, (T, W), and the windowed cosines and sines to multiply it with, (W, 2R).

    The framing is torch.stft's: frames centred on multiples of the hop, the wave mirrored at its ends, and twice as many
    points as samples.
    """
    n_window = len(window)
    starts = torch.arange(n_frames) * (n_samples // n_frames) + n_window // 2 - n_window
    indices = (starts[:, None] + torch.arange(n_window)).abs()
    indices = torch.where(indices < n_samples, indices, 2 * (n_samples - 1) - indices)
    n_points = FFT_BINS_PER_WINDOW * n_window
    turns = (torch.arange(n_window)[:, None] * torch.arange(n_points // 2 + 1)) % n_points  # (W, R)
    angle = turns.double() * (2 * math.pi / n_points)
    return indices, window.double()[:, None] * torch.cat([angle.cos(), angle.sin()], dim=1)


class Bilateral(nn.Module):
    """The bilateral filter of `cnn.tiles.front_end` on levels (B, C, F, T), neighbour by neighbour.

    In colour two cells differ by the sum over their channels. Rounded as OpenCV 5.0 does: of one channel, with diameters up
    to 5, the fraction is dropped, except in the first and last columns between the corners.
    """

    def __init__(self, settings: TileSettings) -> None:
        super().__init__()
        self.radius = radius = max(settings.bilateral_diameter // 2, 1)
        self.per_square = -0.5 / settings.bilateral_sigma_color**2
        near = range(-radius, radius + 1)
        self.weights = {
            (down, along): math.exp(-0.5 * (down**2 + along**2) / settings.bilateral_sigma_space**2)
            for down in near
            for along in near
            if down**2 + along**2 <= radius**2
        }

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        r, n_bins, n_frames = self.radius, levels.shape[2], levels.shape[3]
        padded = F.pad(levels, (r, r, r, r), mode="reflect")
        total, weights = torch.zeros_like(levels), torch.zeros_like(levels[:, :1])
        for (down, along), space in self.weights.items():
            neighbour = padded[:, :, r + down : r + down + n_bins, r + along : r + along + n_frames]
            difference = (neighbour - levels).abs().sum(1, keepdim=True)
            weight = space * (difference.square() * self.per_square).exp()
            total = total + weight * neighbour
            weights = weights + weight
        level = total / weights
        if r > _DROPS_UP_TO or levels.shape[1] > 1:
            return level.round()
        dropped, rounded = level.floor(), level.round()
        rows = torch.cat([rounded[..., :r], dropped[..., r:-r], rounded[..., -r:]], dim=3)
        return torch.cat([dropped[:, :, :r], rows[:, :, r:-r], dropped[:, :, -r:]], dim=2)
