"""Training loops to measure against: a notebook's over files and single clips, and its honest peer over a tensor.

Both train Arena's net with its weights, optimiser and learning rates, NCHW.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from benchmarks import plain_augment
from benchmarks.plain_augment import PlainAugment
from cnn.models.blocks import FirstStage
from cnn.tiles.batches import Clips, count_steps, derive_seed
from cnn.train.optimizer import learning_rate_at
from cnn.train.trainer import Trainer

Batches = Iterator[tuple[torch.Tensor, torch.Tensor]]


class Files(Dataset[tuple[torch.Tensor, int]]):
    """Dataset of one .npy file per clip; each clip is augmented alone, when it is loaded."""

    def __init__(self, folder: Path, labels: np.ndarray, augment: PlainAugment | None) -> None:
        self.folder, self.labels, self.augment = folder, labels, augment
        self.rng: np.random.Generator | None = None  # one per worker

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = plain_augment.normalise(self._levels(np.load(self.folder / f"{index}.npy").astype(np.float32) / 255))
        if self.augment is not None:
            picture = self.augment.mask(picture, self.rng)
        return torch.from_numpy(picture).unsqueeze(0), int(self.labels[index])  # (1, F, T)

    def _levels(self, grey: np.ndarray) -> np.ndarray:
        if self.augment is None:
            return grey
        if self.rng is None:
            self.rng = np.random.default_rng(torch.initial_seed() % 2**32)
        return self.augment.warp(grey, self.rng)


def write_files(folder: Path, pictures: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    for index, picture in enumerate(pictures):
        np.save(folder / f"{index}.npy", picture)
    return folder


def loader(files: Files, batch_size: int, n_workers: int, order: torch.Tensor | None = None) -> DataLoader:
    """Return the DataLoader of a notebook; `order` (N,) replaces its shuffling."""
    if order is None:
        return DataLoader(files, batch_size=batch_size, shuffle=True, num_workers=n_workers)
    return DataLoader(files, batch_size=batch_size, sampler=order.tolist(), num_workers=n_workers)


def compute_order(fit: Trainer, n_clips: int) -> tuple[torch.Tensor, int]:
    """Return the order and batch size of the epoch that `fit` would train next."""
    steps = count_steps(n_clips, fit.config.train.batch_size)
    seed = derive_seed("order", fit.config.train.seed, len(fit.rows))
    order = torch.randperm(n_clips, generator=torch.Generator().manual_seed(seed))
    return order[: n_clips // steps * steps], n_clips // steps


@dataclass(frozen=True, kw_only=True, slots=True)
class Plain:
    """A fit whose net and optimiser are a notebook's."""

    fit: Trainer
    optimizer: torch.optim.Optimizer


def plain(fit: Trainer) -> Plain:
    """Return the same net in torch's default layout, one layer after another, with torch's optimiser."""
    for name, layer in list(fit.net.named_modules()):
        if isinstance(layer, FirstStage):
            fit.net.set_submodule(name, nn.Sequential(*layer))
    fit.net.to(memory_format=torch.contiguous_format)
    decayed = [p for p in fit.net.parameters() if p.ndim > 1]
    others = [p for p in fit.net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": fit.config.train.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return Plain(fit=fit, optimizer=torch.optim.AdamW(groups, fused=True))


def notebook_epoch(plain: Plain, train: DataLoader, val: DataLoader) -> tuple[float, float]:
    """Train, validate and score as a notebook does: `.item()` every step, scikit-learn; mean loss and validation macro-F1."""
    fit = plain.fit
    losses, truths, guesses = [], [], []
    fit.net.train()
    for step, (batch, truth) in enumerate(train):
        logits = _step(plain, batch, truth, step, len(train))
        losses.append(F.cross_entropy(logits, truth).item())
        truths += truth.tolist()
        guesses += logits.argmax(1).tolist()
    f1_score(truths, guesses, average="macro")
    fit.net.eval()
    truths, guesses = [], []
    with torch.no_grad():
        for batch, truth in val:
            truths += truth.tolist()
            guesses += fit.net(batch).argmax(1).tolist()
    return sum(losses) / len(losses), float(f1_score(truths, guesses, average="macro"))


def peer_epoch(plain: Plain, train: Clips, val: Clips) -> tuple[float, float]:
    """Do the same over tensors in memory, with Arena's batches."""
    fit, settings = plain.fit, plain.fit.config.train
    steps = count_steps(len(train), settings.batch_size)
    losses, truths, guesses = [], [], []
    fit.net.train()
    batches = train.iterate_batches(settings.batch_size, [derive_seed("order", settings.seed, len(fit.rows))], fit.inputs)
    for step, (batch, truth) in enumerate(batches):
        logits = _step(plain, _nchw(batch), truth, step, steps)
        losses.append(F.cross_entropy(logits, truth).item())
        truths.append(truth)
        guesses.append(logits.argmax(1))
    f1_score(torch.cat(truths), torch.cat(guesses), average="macro")
    fit.net.eval()
    with torch.no_grad():
        pictures = (fit.inputs.plain(grey) for grey in val[:].split(512))
        guessed = torch.cat([fit.net(_nchw(picture)).argmax(1) for picture in pictures])
    return sum(losses) / len(losses), float(f1_score(val.labels, guessed, average="macro"))


def _step(plain: Plain, batch: torch.Tensor, truth: torch.Tensor, step: int, steps: int) -> torch.Tensor:
    settings = plain.fit.config.train
    for group in plain.optimizer.param_groups:
        group["lr"] = learning_rate_at(step, settings.epochs * steps, settings)
    logits: torch.Tensor = plain.fit.net(batch)
    loss = F.cross_entropy(logits, truth, label_smoothing=settings.label_smoothing)
    plain.optimizer.zero_grad()
    loss.backward()
    plain.optimizer.step()
    return logits.detach()


def _nchw(batch: torch.Tensor) -> torch.Tensor:
    return batch.clone(memory_format=torch.contiguous_format)  # a single channel looks like both layouts
