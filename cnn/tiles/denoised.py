"""denoised.npy, tiles that an autoencoder has cleaned, beside denoised.json, which names its run and its split."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cnn.config import DENOISED, RunConfig
from cnn.errors import CnnError, ConfigError
from cnn.files import read_json, write_json, write_whole
from cnn.settings.split import SplitSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Denoiser:
    """The autoencoder that made denoised.npy."""

    run: str  # digest of its run folder
    split: SplitSettings  # whose training part it was trained on


def read_denoiser(folder: Path) -> Denoiser | None:
    """Read which autoencoder denoised the tiles in `folder`; None where none did."""
    try:
        content = read_json(folder / f"{DENOISED}.json")
        split: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in content["split"].items()
        }
        return Denoiser(run=content["run"], split=SplitSettings(**split))
    except (CnnError, KeyError, TypeError):
        return None


def write_denoised(folder: Path, pictures: npt.NDArray[np.uint8], denoiser: Denoiser) -> None:
    """Write the tiles, (N, F, T) or (N, 3, F, T), in place of any before; without their name until they are whole."""
    (folder / f"{DENOISED}.json").unlink(missing_ok=True)
    buffer = io.BytesIO()
    np.save(buffer, pictures, allow_pickle=False)
    write_whole(folder / f"{DENOISED}.npy", buffer.getvalue())
    write_json(folder / f"{DENOISED}.json", {"run": denoiser.run, "split": asdict(denoiser.split)})


def check_denoiser(config: RunConfig, folder: Path) -> None:
    """Check that a training on denoised tiles gets those it names, cleaned by a net that has seen its training part alone.

    Raises:
        ConfigError: other tiles, or another split, whose autoencoder may have seen the clips that are tested: a leak.
    """
    if config.filter != DENOISED:
        return
    denoiser = read_denoiser(folder)
    if denoiser is None or denoiser.run != config.denoiser:
        holds = f"those of {denoiser.run}" if denoiser else "none"
        rule = f"this training takes the tiles that autoencoder {config.denoiser} denoised, and {folder} holds {holds}"
        raise ConfigError(f"{rule}; make them with `arena data denoise {config.denoiser}`")
    if config.split != denoiser.split:
        rule = f"autoencoder {denoiser.run} denoised these tiles and was trained on another split than this training has"
        cure = "train on its split, or train an autoencoder on yours and make the tiles anew with `arena data denoise`"
        raise ConfigError(f"{rule}, so it may have seen the clips that are tested here, a leak; {cure}")
