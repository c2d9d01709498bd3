"""Training of an autoencoder: the tile itself is the target, and the mean squared error of its cells in 0..1 the loss.

B batch, C channels, F mel bins, T frames, N tiles.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from cnn.config import RunConfig
from cnn.files import write_whole
from cnn.models.autoencoder import corrupt, halve
from cnn.reconstruction.pca import Components, compute_components, draw_sample
from cnn.reconstruction.result import PAIRS_NAME, PartScore, Reconstruction, ReconstructionResult, compute_psnr
from cnn.runs.folder import EpochRow, Score
from cnn.tiles.batches import Clips, count_steps, derive_seed, draw_order
from cnn.tiles.front_end import smooth_tiles
from cnn.tiles.tile_set import TileClip
from cnn.train.optimizer import learning_rate_at
from cnn.train.trainer import EpochStats, Trainer, describe_step

_AT_ONCE = 256
_MOST_PAIRS = 10

Floats = npt.NDArray[np.float32]


class ReconstructionTrainer(Trainer):
    """A training whose net answers with a picture; its best epoch is that of the least validation loss."""

    def is_better(self, row: EpochRow, best: EpochRow) -> bool:
        return row.val_loss < best.val_loss

    def train_epoch(self, train: Clips, val: Clips | None = None) -> EpochStats:
        """Make one pass over `train`; noise is drawn anew for every epoch."""
        settings, number = self.config.train, len(self.rows)
        steps = count_steps(len(train), settings.batch_size)
        size = len(train) // steps
        order = draw_order(train.labels, derive_seed("order", settings.seed, number)).to(self.device)
        noise = torch.Generator(device=self.device).manual_seed(derive_seed("noise", settings.seed, number))
        figures = torch.zeros((2, steps), device=self.device)  # losses and norms of gradients; in place, as Trainer's
        self._begin_training()
        for step in range(steps):
            tiles = self.inputs.plain(train[order[step * size : (step + 1) * size]])
            try:
                loss = F.mse_loss(self.net(corrupt(tiles, self.config.model, noise)), tiles)
                self.optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
            except Exception as error:
                error.add_note(describe_step(step, steps, number))
                raise
            figures[0, step], figures[1, step] = loss.detach(), self.optimizer.measure_gradient()
            self.optimizer.step(learning_rate_at(number * steps + step, settings.epochs * steps, settings))
        confusion = np.zeros((0, 0), dtype=np.int64)
        return EpochStats(
            losses=figures[0].tolist(),
            gradient_norms=figures[1].tolist(),
            confusion=confusion,
            n_clips=steps * size,
        )

    def score(self, clips: Clips) -> tuple[Score, torch.Tensor]:
        """Score the net on `clips`; also return the error (N,) of each tile, on the CPU."""
        errors = [(answers - tiles).square().mean((1, 2, 3)) for tiles, _, answers in self.reconstruct(clips)]
        each = torch.cat(errors).cpu()
        loss = float(each.double().mean())
        return Score(n=len(each), loss=loss, accuracy=math.nan, macro_f1=math.nan, confusion=[]), each

    def reconstruct(self, clips: Clips) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Yield tiles, what the net is given of them, and its answers, (B, C, F, T) each; noise is the same every time."""
        noise = torch.Generator().manual_seed(derive_seed("noise", self.config.train.seed, "score"))
        self.net.eval()
        with torch.no_grad():
            for start in range(0, len(clips), _AT_ONCE):
                tiles = self.inputs.plain(clips[start : start + _AT_ONCE])
                inputs = corrupt(tiles, self.config.model, noise)
                yield tiles, inputs, self.net(inputs)


def learn_components(train: Clips, n: int) -> Components:
    """Compute principal components of the training tiles, or of a random part of them."""
    tiles = train[torch.from_numpy(draw_sample(len(train)))]
    return compute_components(flatten_tiles(tiles.float().div_(255)), n)


def flatten_tiles(tiles: torch.Tensor) -> Floats:
    """Return (B, D) of (B, C, F, T)."""
    flat: Floats = tiles.cpu().contiguous().flatten(1).numpy()
    return flat


def score_reconstructions(
    fit: ReconstructionTrainer, clips: Mapping[str, Clips], components: Components
) -> tuple[ReconstructionResult, dict[str, list[float]]]:
    """Score each part beside PCA, and beside what needs no training; also return the error of each tile by part."""
    model = fit.config.model
    n_cells = model.n_channels * fit.config.tiles.size**2
    scores, errors = {}, {}
    for part, tiles_of_part in clips.items():
        sums = dict.fromkeys(("pca", "input", "filter"), 0.0)
        each: list[float] = []
        for tiles, inputs, answers in fit.reconstruct(tiles_of_part):
            each += (answers - tiles).square().mean((1, 2, 3)).tolist()
            flat = flatten_tiles(tiles)
            rivals = {"pca": components.reconstruct(flatten_tiles(inputs)), **_untrained(fit.config, tiles, inputs)}
            for name, rival in rivals.items():
                sums[name] += float(np.square(rival - flat, dtype=np.float64).sum()) / n_cells
        means = {name: total / len(each) for name, total in sums.items()}
        mse = sum(each) / len(each)
        errors[part] = each
        scores[part] = PartScore(
            n=len(each),
            mse=mse,
            psnr_db=compute_psnr(mse),
            pca_mse=means["pca"],
            input_mse=means["input"] if model.input != "same" else None,
            filter_mse=means["filter"] if model.input == "noisy" else None,
        )
    result = ReconstructionResult(
        latent=model.latent, n_cells=n_cells, compression=n_cells / model.latent, n_pca=components.n_tiles, scores=scores
    )
    return result, errors


def _untrained(config: RunConfig, tiles: torch.Tensor, inputs: torch.Tensor) -> dict[str, Floats]:
    """Return what repairs the input without training, (B, D) each: bilinear enlarging; the bilateral filter, and nothing."""
    if config.model.input == "half":
        return {"input": flatten_tiles(F.interpolate(halve(tiles), scale_factor=2.0, mode="bilinear", align_corners=False))}
    if config.model.input == "same":
        return {}
    grey = (inputs.permute(0, 2, 3, 1).cpu().contiguous() * 255).round().byte().numpy()  # (B, F, T, C)
    smooth = np.moveaxis(smooth_tiles(grey, config.tiles), 3, 1).reshape(len(grey), -1).astype(np.float32) / np.float32(255)
    return {"input": flatten_tiles(inputs), "filter": smooth}


def list_reconstructions(errors: Sequence[float], clips: Sequence[TileClip], part: str) -> list[Reconstruction]:
    """Return a row of reconstructions.csv for each tile of a part."""
    return [
        Reconstruction(id=clip.id, error=error, truth=clip.label, speaker=clip.speaker, split=part)
        for clip, error in zip(clips, errors, strict=True)
    ]


def write_pairs(folder: Path, fit: ReconstructionTrainer, part: Clips, ids: Sequence[str], components: Components) -> None:
    """Write tiles, inputs, and what the net and PCA make of them, uint8 each: the first tile of each class, ten at most."""
    labels = part.labels.tolist()
    chosen = [labels.index(label) for label in sorted(set(labels))][:_MOST_PAIRS]
    rows = [torch.cat(batches).cpu().contiguous() for batches in zip(*fit.reconstruct(part), strict=True)]
    tiles, inputs, answers = (values[chosen] for values in rows)
    rival = torch.from_numpy(components.reconstruct(flatten_tiles(inputs))).reshape(tiles.shape)
    arrays = {"tiles": tiles, "inputs": inputs, "answers": answers, "pca": rival}
    pictures = {name: (values * 255).round().byte().numpy() for name, values in arrays.items()}
    buffer = io.BytesIO()
    truth = [fit.config.data.labels[labels[index]] for index in chosen]
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        kind=str(fit.config.data.kind),
        ids=[ids[index] for index in chosen],
        labels=truth,
        **pictures,
    )
    write_whole(folder / PAIRS_NAME, buffer.getvalue())
