"""Denoised tiles of a whole corpus, by an autoencoder that was trained on noisy ones (Vincent et al. 2008)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from cnn.errors import RunError
from cnn.inference.predict import find_finished_run, load_net
from cnn.runs.folder import RunFolder
from cnn.tiles.denoised import Denoiser, write_denoised
from cnn.tiles.inputs import Inputs, to_channels
from cnn.tiles.tile_set import TileSet, find_run_tiles
from cnn.train.device import limit_threads, resolve_device

_AT_ONCE = 256


def find_denoiser(name: str, runs_dir: Path) -> RunFolder:
    """Return the run that `name` names, if it can denoise: a finished autoencoder, trained on raw tiles with noise.

    Raises:
        RunError: it cannot.
    """
    run = find_finished_run(name, runs_dir)
    config = run.config()
    kind, variant = config["model"].get("input", "same"), config["variant"]
    if not run.is_autoencoder or kind != "noisy" or variant != "raw":
        description = f"an autoencoder on {variant} with model.input={kind}" if run.is_autoencoder else "no autoencoder"
        advice = "train one with `arena train --model autoencoder model.input=noisy`"
        raise RunError(
            f"tiles are denoised by an autoencoder of raw tiles with noise, and {run.path} is {description}; {advice}"
        )
    return run


def denoise_tiles(run: RunFolder, tiles_dir: Path, device: str, progress: Callable[..., None]) -> TileSet:
    """Write denoised.npy beside the raw tiles that the run was trained on, and return them.

    Raises:
        RunError: the run's weights are damaged.
        TilesError: its tiles are missing.
    """
    target = resolve_device(device)
    with limit_threads(target), torch.no_grad():
        config, net = load_net(run, target)
        tiles = find_run_tiles(config, tiles_dir)
        raw, inputs = tiles.pictures("raw"), Inputs([config])
        denoised = np.empty(tiles.shape, dtype=np.uint8)
        for start in range(0, len(raw), _AT_ONCE):
            batch = to_channels(torch.from_numpy(np.array(raw[start : start + _AT_ONCE])).to(target))
            answers = (net(inputs.plain(batch)) * 255).round().byte().cpu().numpy()  # (B, C, F, T)
            denoised[start : start + _AT_ONCE] = answers.reshape(-1, *tiles.shape[1:])
            progress(len(batch))
    write_denoised(tiles.folder, denoised, Denoiser(run=run.digest, split=config.split))
    return tiles
