"""Benchmarks of training and of augmented batches, against loops over files and over a tensor."""

from __future__ import annotations

import itertools
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks.arms import Comparison, Round, UnequalError, equal_within
from benchmarks.make_corpus import Plan, make
from benchmarks.plain_augment import PlainAugment
from benchmarks.plain_loop import Files, compute_order, loader, notebook_epoch, peer_epoch, plain, write_files
from cnn.config import RunConfig, default_config
from cnn.corpus.scan import scan
from cnn.hardware import n_cores
from cnn.overrides import override
from cnn.runs.folder import EpochRow
from cnn.settings.tiles import TileSettings
from cnn.splits import make_split
from cnn.tiles.batches import Clips
from cnn.tiles.inputs import Inputs
from cnn.tiles.prepare import prepare
from cnn.tiles.tile_set import TileSet
from cnn.train.device import limit_threads
from cnn.train.pool import TrainingPaths, train_all
from cnn.train.trainer import Trainer

CPU = torch.device("cpu")
# Settings that a usual loop shares, with the maps and the input of the paper.
_SETTINGS = ["model.width=1", "model.sees=picture", "model.dropout=0", "train.batch_size=64", "train.side_views=0"]
# Tolerance of an epoch's loss: layouts round differently, and Adam makes a whole step of an almost zero gradient (0.2 % seen).
_DRIFT = 0.01
FLOORS = {32: 7.0, 64: 3.5}  # by size of the tiles
BATCH_FLOORS = {0: 8.0, 2: 5.0}  # by workers


@dataclass(frozen=True, kw_only=True, slots=True)
class Ours:
    """Settings of the timing of two Arena trainings."""

    n_epochs: int  # all but the first count
    n_processes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The clips of one tile size, as tiles, in memory and as files."""

    tiles: TileSet
    config: RunConfig  # raw+aug
    train: Clips
    learnt: Clips  # the same on the tiles that augmentation reads, of twice the range
    val: Clips
    train_files: Path
    learnt_files: Path
    val_files: Path
    scratch: Path
    ours: Ours

    @property
    def inputs(self) -> Inputs:
        return Inputs([self.config])

    @property
    def plain_augment(self) -> PlainAugment:
        return PlainAugment(self.config.augment, self.config.tiles)


def make_worlds(scratch: Path, tile_sizes: Sequence[int], n_voices: tuple[int, int], ours: Ours) -> Iterator[World]:
    """Yield tiles of each size, of tones of so many speakers and takes of each digit, split by speaker."""
    n_speakers, n_takes = n_voices
    make(Plan(out=scratch / "corpus", sources={}, n_speakers=n_speakers, n_takes=n_takes, rate_hz=8000), 1)
    corpus = scan(scratch / "corpus")
    for size in tile_sizes:
        tiles = prepare(corpus, TileSettings(size=size), scratch / "tiles")
        config = override(default_config(tiles.info, "lenet5", "raw+aug"), _SETTINGS)
        split = make_split(tiles.clips, config.split)
        parts = (("raw", split.train), (config.training_pictures, split.train), ("raw", split.val))
        train, learnt, val = (Clips(tiles.pictures(name), tiles.labels(), rows, CPU) for name, rows in parts)
        yield World(
            tiles=tiles,
            config=override(config, [f"train.epochs={ours.n_epochs}"]),
            train=train,
            learnt=learnt,
            val=val,
            train_files=write_files(scratch / f"train{size}", train[:][:, 0].numpy()),
            learnt_files=write_files(scratch / f"learnt{size}", learnt[:][:, 0].numpy()),
            val_files=write_files(scratch / f"val{size}", val[:][:, 0].numpy()),
            scratch=scratch,
            ours=ours,
        )


def ours(world: World) -> float:
    """Return clips per second of two trainings at once, after their first epoch, checkpoints and tables included."""
    configs = [override(world.config, [f"train.seed={seed}"]) for seed in range(2)]
    runs = world.scratch / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    moments: dict[str, list[float]] = defaultdict(list)

    def log_moment(config: RunConfig, _: EpochRow) -> None:
        moments[config.digest].append(time.perf_counter())

    train_all(
        configs, TrainingPaths(tiles=world.tiles.folder, runs=runs, device="cpu"), world.ours.n_processes, log_moment, print
    )
    n_clips = (world.ours.n_epochs - 1) * len(world.train)
    if world.ours.n_processes == 1:
        return 2 * n_clips / sum(times[-1] - times[0] for times in moments.values())
    return sum(n_clips / (times[-1] - times[0]) for times in moments.values())


def notebook(world: World, n_workers: int) -> float:
    """Return clips per second of one epoch of the usual loop, on all cores."""
    size = world.config.train.batch_size
    train = loader(Files(world.learnt_files, world.train.labels.numpy(), world.plain_augment), size, n_workers)
    val = loader(Files(world.val_files, world.val.labels.numpy(), None), size, n_workers)
    return _rate(len(world.train), lambda arm: notebook_epoch(arm, train, val), world)


def peer(world: World) -> float:
    """Return clips per second of one epoch of the honest peer, on all cores."""
    return _rate(len(world.train), lambda arm: peer_epoch(arm, world.learnt, world.val), world)


def _rate(n_clips: int, epoch, world: World) -> float:  # type: ignore[no-untyped-def]
    torch.set_num_threads(n_cores())
    arm = plain(Trainer(world.config, CPU))
    started = time.perf_counter()
    epoch(arm)
    return n_clips / (time.perf_counter() - started)


def find_best_workers(n_workers: Sequence[int], world: World) -> int:
    """Return the number of workers with which the usual loop is fastest here, after one round to warm up."""
    if len(n_workers) == 1:
        return n_workers[0]
    notebook(world, 0)
    return max(n_workers, key=lambda n: notebook(world, n))


def check_training(world: World) -> str:
    """Check that losses and scores of one epoch are equal, from the same weights in the same order; draws too if shared.

    Raises:
        UnequalError: they differ.
    """
    unchanged = replace(world.config, variant="raw")
    ours_loss, ours_f1 = _arena_epoch(unchanged, world)
    fit = Trainer(unchanged, CPU)
    order, size = compute_order(fit, len(world.train))
    train = loader(Files(world.train_files, world.train.labels.numpy(), None), size, 0, order)
    val = loader(Files(world.val_files, world.val.labels.numpy(), None), size, 0)
    loss, f1 = notebook_epoch(plain(fit), train, val)
    text = equal_within("losses without augmentation", (ours_loss, loss), _DRIFT * loss)
    text += "; " + equal_within("validation macro-F1", (ours_f1, f1), 0.05)
    augmented_loss = _arena_epoch(world.config, world)[0]
    same_draws = peer_epoch(plain(Trainer(world.config, CPU)), world.learnt, world.val)[0]
    text += "; " + equal_within("with augmentation", (augmented_loss, same_draws), _DRIFT * augmented_loss)
    augmented = loader(Files(world.learnt_files, world.train.labels.numpy(), world.plain_augment), size, 0, order)
    own_draws = notebook_epoch(plain(Trainer(world.config, CPU)), augmented, val)[0]
    return text + "; " + equal_within("the usual loop with draws of its own", (augmented_loss, own_draws), 0.1 * augmented_loss)


def _arena_epoch(config: RunConfig, world: World) -> tuple[float, float]:
    torch.set_num_threads(1)
    row = Trainer(config, CPU).run_epoch(world.learnt if config.augmented else world.train, world.val)
    return row.train_loss, row.val_macro_f1


def augmented_batches(world: World) -> Round:
    """Return a round of Arena's augmented batches, one thread."""

    def run() -> float:
        with limit_threads(CPU):
            started = time.perf_counter()
            n = sum(1 for _ in world.learnt.iterate_batches(world.config.train.batch_size, [1], world.inputs))
            return n / (time.perf_counter() - started)

    return run


def loaded_batches(world: World, n_workers: int, n_most: int) -> Round:
    """Return a round of a DataLoader over files, timed from its first batch on, `n_most` batches at most."""

    def run() -> float:
        torch.set_num_threads(n_cores())
        files = Files(world.learnt_files, world.train.labels.numpy(), world.plain_augment)
        batches = iter(loader(files, world.config.train.batch_size, n_workers))
        next(batches)
        started = time.perf_counter()
        n = sum(1 for _ in itertools.islice(batches, n_most))
        return n / (time.perf_counter() - started)

    return run


def check_batches(world: World) -> str:
    """Check that clips are equal without augmentation, and of equal mean and spread with it.

    Raises:
        UnequalError: they differ.
    """
    batch = world.inputs.plain(world.train[:64])
    files = Files(world.train_files, world.train.labels.numpy(), None)
    single = torch.stack([files[index][0] for index in range(len(batch))])
    if not torch.allclose(batch, single, atol=1e-5):
        raise UnequalError("a clip in a batch is not the clip alone")
    batches = torch.cat([batch for batch, _ in world.learnt.iterate_batches(64, [1], world.inputs)])
    augmented = Files(world.learnt_files, world.train.labels.numpy(), world.plain_augment)
    alone = torch.stack([augmented[index][0] for index in range(len(augmented))])
    text = equal_within(
        "without augmentation equal within 1e-5; with it, mean of all cells", _two(batches, alone, "mean"), 0.02
    )
    return text + "; " + equal_within("spread", _two(batches, alone, "std"), 0.03)


def _two(a: torch.Tensor, b: torch.Tensor, statistic: str) -> tuple[float, float]:
    return float(getattr(a, statistic)()), float(getattr(b, statistic)())


def comparisons(world: World, n_workers: Sequence[int], n_batches: int) -> list[Comparison]:
    """Return the comparisons of one tile size; the usual loop takes the best of `n_workers`."""
    size, best = world.tiles.settings.size, find_best_workers(n_workers, world)
    equality = check_training(world)
    name = f"train + validate + score, LeNet-5, {size} x {size}"
    usual_loop = f"a usual loop: DataLoader over .npy files ({best} workers, its best of {n_workers}), a clip at a time, NCHW"
    results = [
        Comparison(
            name=name,
            against=usual_loop,
            unit="clips",
            floor=FLOORS[size],
            ours=lambda: ours(world),
            theirs=lambda: notebook(world, best),
            check=lambda: equality,
        ),
        Comparison(
            name=name,
            against=f"its honest peer: tensor in memory, whole-batch augmentation, {n_cores()} threads, NCHW",
            unit="clips",
            floor=1.6,
            ours=lambda: ours(world),
            theirs=lambda: peer(world),
            check=lambda: equality,
        ),
    ]
    for workers in sorted({0, max(n_workers)}) if size == 64 else ():
        results.append(
            Comparison(
                name=f"augmented batches of 64, {size} x {size}, one thread",
                against=f"DataLoader over .npy files, {workers} workers",
                unit="batches",
                floor=BATCH_FLOORS[workers],
                ours=augmented_batches(world),
                theirs=loaded_batches(world, workers, n_batches),
                check=lambda: check_batches(world),
            )
        )
    return results
