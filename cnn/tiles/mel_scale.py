"""The mel scale of the tiles, HTK's, which the front end filters by and the augmentation moves along."""

from __future__ import annotations

import torch

MEL_SCALE = "htk"  # its name in torchaudio


def hertz_to_mel(hertz: torch.Tensor) -> torch.Tensor:
    return 2595 * torch.log10(1 + hertz / 700)


def mel_to_hertz(mel: torch.Tensor) -> torch.Tensor:
    return 700 * (10 ** (mel / 2595) - 1)
