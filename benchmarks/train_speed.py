"""Training speed: Arena's loop against the one in a notebook, interleaved, on one CPU thread, with equal losses.

The notebook's loop: a Dataset that turns one tile at a time into floats, a DataLoader, NCHW, `.item()` every step.
Both arms see the same tiles in the same order, from the same weights; their losses must agree before a ratio is printed.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from cnn.batches import Clips, n_steps, seed_of
from cnn.config import MODELS, RunConfig, TileSettings, default_config
from cnn.fit import Fit
from cnn.optim import learning_rate_at, set_learning_rate
from cnn.overrides import override
from cnn.train import versions

CPU = torch.device("cpu")


class OneByOne(Dataset[tuple[torch.Tensor, int]]):
    """A notebook's Dataset: normalises each tile when it is asked for."""

    def __init__(self, tiles: np.ndarray, labels: np.ndarray) -> None:
        self.tiles, self.labels = tiles, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        grey = torch.from_numpy(self.tiles[place]).float() / 255
        centred = grey - grey.mean(1, keepdim=True)
        return (centred / centred.std().clamp_min(1e-3)).unsqueeze(0), int(self.labels[place])


def notebook_epoch(fit: Fit, tiles: np.ndarray, labels: np.ndarray) -> float:
    """One epoch of the plain loop over the batches that `Fit` would take; the mean loss."""
    settings = fit.config.train
    steps = n_steps(len(labels), settings.batch_size)
    size = len(labels) // steps
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed_of("order", settings.seed, 0)))
    loader = DataLoader(OneByOne(tiles, labels), batch_size=size, sampler=order[: steps * size].tolist())
    net = fit.net.to(memory_format=torch.contiguous_format).train()
    total = 0.0
    with torch.random.fork_rng():
        torch.manual_seed(seed_of("dropout", settings.seed, 0))
        for step, (batch, truth) in enumerate(loader):
            set_learning_rate(fit.optimizer.param_groups, learning_rate_at(step, settings.epochs * steps, settings))
            logits = net(batch)
            loss = F.cross_entropy(logits, truth, label_smoothing=settings.label_smoothing)
            fit.optimizer.zero_grad()
            loss.backward()
            fit.optimizer.step()
            total += F.cross_entropy(logits.detach(), truth).item() * len(truth)
    return total / (steps * size)


def arena_epoch(fit: Fit, tiles: np.ndarray, labels: np.ndarray) -> float:
    return fit.learn(Clips(tiles, labels, range(len(labels)), CPU))[0]


def timed(
    epoch: Callable[[Fit, np.ndarray, np.ndarray], float], config: RunConfig, data: tuple[np.ndarray, np.ndarray]
) -> tuple[float, float]:
    """Clips a second and the mean loss of one epoch from fresh weights."""
    fit = Fit(config, CPU)
    started = time.perf_counter()
    loss = epoch(fit, *data)
    return len(data[1]) / (time.perf_counter() - started), loss


def compare(model: str, size: int, n_clips: int, n_pairs: int) -> dict[str, object]:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (n_clips, size, size), dtype=np.uint8), rng.integers(0, 10, n_clips)
    config = override(default_config("bench", TileSettings(size=size), model, "raw"), ["model.dropout=0"])
    timed(arena_epoch, config, data)
    timed(notebook_epoch, config, data)
    pairs = [(timed(arena_epoch, config, data), timed(notebook_epoch, config, data)) for _ in range(n_pairs)]
    for (_, loss), (_, other) in pairs:
        assert abs(loss - other) < 2e-3, f"{model} {size}: losses {loss} and {other} differ"
    ratios = sorted(ours / theirs for (ours, _), (theirs, _) in pairs)
    return {
        "model": model,
        "size": size,
        "arena_clips_per_s": round(statistics.median(ours for (ours, _), _ in pairs)),
        "notebook_clips_per_s": round(statistics.median(theirs for _, (theirs, _) in pairs)),
        "ratio_min": round(ratios[0], 2),
        "ratio_median": round(statistics.median(ratios), 2),
        "ratio_max": round(ratios[-1], 2),
        "n_pairs": n_pairs,
        "n_clips": n_clips,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=2048)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="also write the results with their conditions as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for model in MODELS:
        for size in (32, 64):
            rows.append(compare(model, size, arguments.clips, arguments.pairs))
            print(
                "{model} {size} x {size}: {arena_clips_per_s} against {notebook_clips_per_s} clips/s, "
                "ratio {ratio_median} ({ratio_min} to {ratio_max}, {n_pairs} pairs)".format(**rows[-1]),
                flush=True,
            )
    if arguments.out:
        conditions = {"machine": platform.machine(), "threads": 1, "versions": versions()}
        arguments.out.write_text(json.dumps({"conditions": conditions, "results": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
