"""Search for recordings or pictures that do not belong, by an autoencoder's error, with a negative control.

The control plants a fault, a tile turned upside down, in every fourth of those that were not trained on, and asks which
error tells them: the net's, that of PCA, or that of a random projection of as many numbers. N tiles, D cells.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from cnn.errors import RunError
from cnn.inference.predict import find_finished_run, load_net
from cnn.reconstruction.anomalies import N_WORST, Anomalies, compute_auc
from cnn.reconstruction.pca import Components, compute_components, draw_sample
from cnn.reconstruction.result import read_reconstructions
from cnn.runs.folder import RunFolder
from cnn.tiles.inputs import Inputs, to_channels
from cnn.tiles.tile_set import find_run_tiles
from cnn.train.device import limit_threads, resolve_device

_EVERY = 4  # one tile in so many that were not trained on gets a fault
_AT_ONCE = 256

Floats = npt.NDArray[np.float32]


def find_autoencoder(name: str, runs_dir: Path, corpus: str) -> RunFolder:
    """Return the finished autoencoder of these recordings that `name` names.

    Raises:
        RunError: no autoencoder, or one of other recordings.
    """
    run = find_finished_run(name, runs_dir)
    if not run.is_autoencoder:
        raise RunError(f"{run.path} is no autoencoder; train one with `arena train --model autoencoder`")
    if run.config()["corpus"] != corpus:
        raise RunError(f"{run.path} was trained on other recordings than these; name an autoencoder of them")
    return run


def find_anomalies(run: RunFolder, tiles_dir: Path, device: str) -> Anomalies:
    """List the tiles that the run reconstructs worst, and measure its error against two controls.

    Raises:
        RunError: the run's weights are damaged.
        TilesError: its tiles are missing.
    """
    target = resolve_device(device)
    rows = read_reconstructions(run.path)
    with limit_threads(target):
        config, net = load_net(run, target)
        tiles = find_run_tiles(config, tiles_dir)
        index = {clip.id: n for n, clip in enumerate(tiles.clips)}
        every, inputs = tiles.pictures(config.filter), Inputs([config])
        parts = {part: every[[index[row.id] for row in rows if row.split == part]] for part in ("train", "val", "test")}
        train = _flatten(parts["train"])
        pca = compute_components(train[draw_sample(len(train))], config.model.latent)
        planted = np.concatenate([parts["val"], parts["test"]])
        is_faulty = np.arange(len(planted)) % _EVERY == 0
        planted[is_faulty] = planted[is_faulty][..., ::-1, :]
        errors = {"net": _measure(net, inputs, planted, target)}
        for name, components in (("pca", pca), ("random", _project(train, config.model.latent))):
            flat = _flatten(planted)
            errors[name] = np.square(components.reconstruct(flat) - flat).mean(1)
    auc = {name: compute_auc(each[is_faulty], each[~is_faulty]) for name, each in errors.items()}
    worst = sorted(rows, key=lambda row: (-row.error, row.id))[:N_WORST]
    flat = _flatten(every[[index[row.id] for row in rows]])
    by_pca = np.argsort(-np.square(pca.reconstruct(flat) - flat).mean(1), kind="stable")[:N_WORST]
    return Anomalies(
        run=run.digest,
        latent=config.model.latent,
        n=len(rows),
        worst=tuple(worst),
        n_shared=len({rows[n].id for n in by_pca} & {row.id for row in worst}),
        n_planted=int(is_faulty.sum()),
        n_others=int((~is_faulty).sum()),
        auc=auc["net"],
        pca_auc=auc["pca"],
        random_auc=auc["random"],
    )


def _flatten(pictures: npt.NDArray[np.uint8]) -> Floats:
    """Return (N, D) in 0..1."""
    return (pictures.reshape(len(pictures), -1) / np.float32(255)).astype(np.float32)


def _project(tiles: Floats, n: int) -> Components:
    """Return a random subspace in place of the principal one."""
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((tiles.shape[1], n), dtype=np.float32))[0]
    return Components(mean=tiles.mean(0), directions=basis.T, n_tiles=len(tiles))


def _measure(net: torch.nn.Module, inputs: Inputs, pictures: npt.NDArray[np.uint8], device: torch.device) -> Floats:
    """Return the net's error (N,) on tiles as they are."""
    errors = []
    with torch.no_grad():
        for start in range(0, len(pictures), _AT_ONCE):
            batch = inputs.plain(to_channels(torch.from_numpy(pictures[start : start + _AT_ONCE].copy())).to(device))
            errors.append((net(batch) - batch).square().mean((1, 2, 3)).cpu().numpy())
    return np.concatenate(errors)
