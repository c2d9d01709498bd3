"""Benchmark of fused trials on a GPU: one training at a time against many as one net, then a whole sweep.

Writes benchmarks/results/<device>-sweep.md. `--device cpu --quick` is for trying the command where there is no GPU: it says
nothing of speed. Clips a second count every member's clips, augmentation included.
"""

from __future__ import annotations

import argparse
import math
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks.bench import RESULTS, find_version, machine, slug
from benchmarks.make_corpus import Plan, make
from benchmarks.plain_augment import PlainAugment
from benchmarks.plain_loop import Files, loader, notebook_epoch, plain, write_files
from cnn.config import RunConfig, TileSettings, default_config
from cnn.corpus.scan import scan
from cnn.hardware import n_cores
from cnn.models.registry import count_multiply_adds
from cnn.overrides import override
from cnn.runs.folder import list_runs
from cnn.tiles.batches import Clips
from cnn.tiles.prepare import prepare
from cnn.tiles.tile_set import TileSet
from cnn.train.fused.autotune import measure_throughput
from cnn.train.fused.stacked_layers import Formulation
from cnn.train.trainer import Trainer
from cnn.train.training_run import SplitData

_PEAK_FP32 = {"NVIDIA H200": 67e12, "NVIDIA H100 80GB HBM3": 67e12, "NVIDIA A100-SXM4-80GB": 19.5e12}  # FLOP/s, data sheets
_PER_CLIP = 6  # FLOPs of a training step for each multiply-add of a forward pass: 2 forward, 4 backward


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """Amounts of work to measure."""

    n_speakers: int
    n_takes: int
    members: tuple[int, ...]
    n_workers: int  # DataLoader workers of the usual loop
    n_looped: int  # clips for the timing of the usual loop
    n_rounds: int
    budget: int  # trials of each of the eight studies
    n_epochs: int
    limit_s: int  # time limit of the whole sweep


FULL = Size(
    n_speakers=75, n_takes=40, members=(8, 32, 64), n_workers=8, n_looped=6400, n_rounds=3, budget=64, n_epochs=20, limit_s=420
)
QUICK = Size(n_speakers=10, n_takes=2, members=(2, 4), n_workers=0, n_looped=64, n_rounds=1, budget=2, n_epochs=1, limit_s=240)


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """Tiles of tones, and the device and folder of the measurement."""

    tiles: TileSet
    device: torch.device
    scratch: Path
    size: Size

    def config(self, model: str) -> RunConfig:
        config = default_config(self.tiles.corpus, self.tiles.settings, model, "raw+aug")
        settings = ["model.width=1", "model.dropout=0", "train.batch_size=64", "train.side_views=0"]
        return override(config, [*settings, f"train.epochs={self.size.n_epochs}"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One measured arm."""

    model: str
    arm: str
    rates: list[float]  # clips/s of each round
    share: float | None  # share of the device's fp32 peak

    @property
    def rate(self) -> float:
        return sorted(self.rates)[len(self.rates) // 2]


def make_world(scratch: Path, device: torch.device, size: Size) -> World:
    """Return 30,000 clips of 75 voices, of which 18,000 train; fewer with --quick."""
    make(Plan(out=scratch / "corpus", sources={}, n_speakers=size.n_speakers, n_takes=size.n_takes, rate_hz=8000), n_cores())
    tiles = prepare(scan(scratch / "corpus"), TileSettings(), scratch / "tiles")
    return World(tiles=tiles, device=device, scratch=scratch, size=size)


def arms(world: World, model: str) -> Iterator[tuple[str, Callable[[], float]]]:
    """Yield the name of each arm and a function that measures its clips per second."""
    config = world.config(model)
    material = SplitData(world.tiles, config, world.device)
    train = material.clips["train"]
    yield f"DataLoader, {world.size.n_workers} workers, a clip at a time", lambda: _looped(world, config, train)
    yield "data resident, one at a time", lambda: _resident(world, config, train)
    for n in (1, *world.size.members):
        for formulation in Formulation:
            name = (
                f"{n} as one net, {formulation.value}"
                if n > 1
                else f"one at a time, whole step as a graph, {formulation.value}"
            )
            yield name, lambda n=n, f=formulation: measure_throughput(_members(config, world.device, n), material, f)  # type: ignore[misc]


def _members(config: RunConfig, device: torch.device, n: int) -> list[Trainer]:
    return [Trainer(replace(config, train=replace(config.train, seed=seed)), device) for seed in range(n)]


def _looped(world: World, config: RunConfig, train: Clips) -> float:
    n = min(world.size.n_looped, len(train))
    folder = world.scratch / "files"
    if not folder.exists():
        write_files(folder, train[:n].cpu().numpy())
    labels = train.labels[:n].cpu().numpy()
    augment = PlainAugment(config.augment, config.tiles)
    batches = loader(Files(folder, labels, augment), config.train.batch_size, world.size.n_workers)
    val = loader(Files(folder, labels[:64], None), config.train.batch_size, 0)
    arm = plain(Trainer(config, world.device))
    if world.device.type == "cuda":
        batches, val = (_on(world.device, source) for source in (batches, val))  # type: ignore[assignment]
    return _timed(world, n, lambda: notebook_epoch(arm, batches, val))


class _on:  # noqa: N801 - reads as what it does
    """A loader that copies its batches to a device, as a notebook does."""

    def __init__(self, device: torch.device, source: object) -> None:
        self._device, self._source = device, source

    def __len__(self) -> int:
        return len(self._source)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for batch, truth in self._source:  # type: ignore[attr-defined]
            yield batch.to(self._device), truth.to(self._device)


def _resident(world: World, config: RunConfig, train: Clips) -> float:
    fit = Trainer(config, world.device)
    fit.train_epoch(train) if len(train) < 2000 else None
    return _timed(world, len(train), lambda: fit.train_epoch(train))


def _timed(world: World, n_clips: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    if world.device.type == "cuda":
        torch.cuda.synchronize(world.device)
    return n_clips / (time.perf_counter() - started)


def measure(world: World, models: Sequence[str]) -> list[Line]:
    """Return all arms of all models, measured in interleaved rounds."""
    lines = []
    for model in models:
        timed_arms = list(arms(world, model))
        rates: dict[str, list[float]] = {name: [] for name, _ in timed_arms}
        for _ in range(world.size.n_rounds):
            for name, run in timed_arms:
                try:
                    rates[name].append(run())
                except RuntimeError as error:
                    if "memory" not in str(error):
                        raise
                    rates[name].append(math.nan)
        cost = _PER_CLIP * count_multiply_adds(Trainer(world.config(model), torch.device("cpu")).net, 64)
        peak = _PEAK_FP32.get(_name_device(world.device))
        for name, arm_rates in rates.items():
            line = Line(model=model, arm=name, rates=arm_rates, share=None)
            lines.append(replace(line, share=line.rate * cost / peak if peak else None))
            print(f"{model}, {name}: {line.rate:,.0f} clips/s", file=sys.stderr, flush=True)
    return lines


def whole_sweep(world: World) -> tuple[int, float]:
    """Run `arena sweep run --all --fuse auto` up to the time limit; return its epochs and seconds."""
    size = world.size
    words = ["sweep", "run", "--all", "--budget", str(size.budget), "--fuse", "auto" if world.device.type == "cuda" else "2"]
    words += ["--tiles", str(world.tiles.folder), "--runs", "runs", "--studies", "studies", "--wandb", "off", "--device"]
    words += [str(world.device), "--agents", "1", f"train.epochs={size.n_epochs}", "model.width=1"]
    started = time.perf_counter()
    command = [sys.executable, str(Path(__file__).parents[1] / "arena" / "__main__.py"), *words]
    process = subprocess.Popen(command, cwd=world.scratch, stdout=subprocess.DEVNULL)
    try:
        process.wait(timeout=size.limit_s)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()
    seconds = time.perf_counter() - started
    return sum(len(run.epochs()) for run in list_runs(world.scratch / "runs")), seconds


def page(world: World, lines: Sequence[Line], sweep: tuple[int, float]) -> str:
    """Return the findings as Markdown."""
    name, size = _name_device(world.device), world.size
    n_clips = len(SplitData(world.tiles, world.config("lenet5"), torch.device("cpu")).clips["train"])
    text = [
        f"# Fused trials on {name}",
        "",
        f"- {machine()}, Python {platform.python_version()}, torch {find_version('torch')}",
    ]
    text += [
        f"- {datetime.now(UTC):%Y-%m-%d}, medians of {size.n_rounds} interleaved rounds, 64 x 64 cells, batches of 64, width 1"
    ]
    text += [
        "",
        "| model | arm | clips/s | rounds | against one at a time, resident | share of the fp32 peak |",
        "|---|---|---|---|---|---|",
    ]
    for line in lines:
        base = next(candidate.rate for candidate in lines if candidate.model == line.model and "resident" in candidate.arm)
        rounds = " ".join(f"{rate:,.0f}" for rate in line.rates)
        share = f"{100 * line.share:.1f} %" if line.share else "peak not known"
        text.append(f"| {line.model} | {line.arm} | {line.rate:,.0f} | {rounds} | {line.rate / base:.2f} | {share} |")
    n_epochs, seconds = sweep
    planned = 8 * size.budget * size.n_epochs
    text += [
        "",
        f"Whole sweep, 8 studies x {size.budget} trials x {size.n_epochs} epochs x {n_clips:,} clips: {n_epochs:,} of ",
    ]
    naive = sum(planned / 2 * n_clips / line.rate for line in lines if "DataLoader" in line.arm)
    text[-1] += (
        f"{planned:,} epochs in {seconds:,.0f} s (pruned trials leave some out); the DataLoader loop would take {naive:,.0f} s."
    )
    return "\n".join(text) + "\n"


def _name_device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="a minute, to see that it runs")
    parser.add_argument("--models", nargs="+", default=["lenet5", "resnet"])
    parser.add_argument("--out", type=Path, help="the file to write; else benchmarks/results/<device>-sweep.md")
    args = parser.parse_args()
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit("error: no CUDA GPU is here; `--device cpu --quick` tries the command")
    with tempfile.TemporaryDirectory(prefix="arena-gpu-") as scratch:
        world = make_world(Path(scratch), torch.device(args.device), QUICK if args.quick else FULL)
        text = page(world, measure(world, args.models), whole_sweep(world))
    out = args.out or RESULTS / f"{slug(_name_device(torch.device(args.device)))}-sweep.md"
    out.write_text(text, encoding="utf-8")
    print(text)
    print(out)


if __name__ == "__main__":
    main()
