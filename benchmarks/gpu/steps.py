"""Steps of one net and of many as one: clips a second of whole epochs, beside what arithmetic says at best."""

from __future__ import annotations

import contextlib
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch

from benchmarks.gpu.budget import TimeBudget
from benchmarks.gpu.ceiling import H200, count_eager_step, count_step
from benchmarks.plain_augment import PlainAugment
from benchmarks.plain_loop import Files, loader, notebook_epoch, plain, write_files
from cnn.config import RunConfig, default_config
from cnn.overrides import override
from cnn.tiles.batches import Clips, count_steps
from cnn.tiles.tile_set import TileSet
from cnn.train.failure import is_out_of_memory
from cnn.train.fused.stack import FusedStack
from cnn.train.fused.stacked_layers import Formulation
from cnn.train.trainer import Trainer
from cnn.train.training_run import SplitData

LOOP, EAGER, GRAPH = "DataLoader loop", "resident, eager", "one whole-step graph"
_N_EQUAL_STEPS = 8
_TOLERANCE = {torch.float32: 0.02, torch.bfloat16: 0.2}  # between losses of steps from the same draws


@dataclass(frozen=True, kw_only=True, slots=True)
class StepsSize:
    """Amounts of work to measure."""

    members: tuple[int, ...]
    n_streams: int
    n_rounds: int
    n_looped: int  # clips for the usual loop
    n_workers: int  # its DataLoader has
    settings: tuple[str, ...] = ()  # other than the defaults


FULL = StepsSize(members=(8, 32, 64), n_streams=8, n_rounds=5, n_looped=6400, n_workers=8)
TINY = StepsSize(
    members=(2, 3), n_streams=2, n_rounds=1, n_looped=16, n_workers=0, settings=("train.batch_size=8", "model.width=0.5")
)


@dataclass(kw_only=True, slots=True)
class Arm:
    """A way to train; `run` trains about an epoch and returns its clips of all members."""

    model: str
    name: str
    run: Callable[[], int]
    predict: Callable[[], float] | None = None  # computes the ceiling, which takes a while
    ceiling: float | None = None  # clips/s
    rates: list[float] = field(default_factory=list)  # clips/s of each round
    note: str = ""

    @property
    def rate(self) -> float | None:
        return statistics.median(self.rates) if self.rates else None


@dataclass(frozen=True, kw_only=True, slots=True)
class StepsReport:
    """Arms of all models, and a sentence on the equal results of each."""

    arms: list[Arm]
    equalities: list[str]
    n_rounds: int
    is_complete: bool


def configure(tiles: TileSet, model: str, size: StepsSize) -> RunConfig:
    """Return the default training of `model`, augmented."""
    return override(default_config(tiles.info, model, "raw+aug"), size.settings)


def measure_steps(
    tiles: TileSet, models: Sequence[str], device: torch.device, size: StepsSize, scratch: Path, budget: TimeBudget
) -> StepsReport:
    """Measure all arms in rounds, interleaved, until there are enough or the time is over."""
    arms: list[Arm] = []
    equalities = []
    for model in models:
        config = configure(tiles, model, size)
        material = SplitData(tiles, config, device)
        equalities += [f"{model}, {line}" for line in check_equality(config, material)]
        arms += list_arms(config, material, size, scratch / "files")
    n_rounds = 0
    while n_rounds < size.n_rounds and not budget.is_over:
        for arm in arms if n_rounds % 2 == 0 else reversed(arms):
            if not budget.is_over:
                _measure(arm, device)
        n_rounds += 1
    is_complete = n_rounds == size.n_rounds and not budget.is_over
    for arm in arms:
        arm.ceiling = arm.predict() if arm.predict else None
    return StepsReport(arms=arms, equalities=equalities, n_rounds=n_rounds, is_complete=is_complete)


def _measure(arm: Arm, device: torch.device) -> None:
    try:
        if not arm.rates:
            arm.run()  # libraries choose their kernels, graphs are captured
        _wait(device)
        started = time.perf_counter()
        n_clips = arm.run()
        _wait(device)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        arm.note = "out of memory"
        return
    arm.rates.append(n_clips / (time.perf_counter() - started))
    print(f"{arm.model}, {arm.name}: {arm.rates[-1]:,.0f} clips/s", file=sys.stderr, flush=True)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def check_equality(config: RunConfig, material: SplitData, n_members: int = 2) -> list[str]:
    """Train members alone and as one net from the same draws; return a sentence on their losses for each precision.

    Raises:
        SystemExit: they differ by more than rounding: speeds of unequal results are not compared.
    """
    size = config.train.batch_size
    few = Clips(*_take(config, material, _N_EQUAL_STEPS * size), material.device)
    # On a GPU dropout draws other numbers for a net alone.
    config = override(config, ["model.dropout=0"])
    alone = [torch.tensor(fit.train_epoch(few).losses) for fit in _members(config, material.device, n_members)]
    lines = []
    for dtype, tolerance in _TOLERANCE.items():
        stack = FusedStack(_members(config, material.device, n_members))
        stack.set_formulation(Formulation.GROUPED, dtype)
        together = [torch.tensor(stats.losses) for stats in stack.train_epoch(few)]
        gap = max(float((a - b).abs().max()) for a, b in zip(alone, together, strict=True))
        if not gap <= tolerance:
            sys.exit(
                f"error: {config.model.name} alone and fused in {dtype} differ by {gap:.3g} in a loss, {tolerance} allowed"
            )
        lines.append(f"{str(dtype).removeprefix('torch.')}: losses of {_N_EQUAL_STEPS} steps alone and fused within {gap:.2g}")
    return lines


def _take(config: RunConfig, material: SplitData, n: int):  # type: ignore[no-untyped-def]
    indices = material.split.train[:n]
    return material.tiles.pictures(config.training_pictures), material.tiles.labels(), indices


def _members(config: RunConfig, device: torch.device, n: int) -> list[Trainer]:
    return [Trainer(replace(config, train=replace(config.train, seed=seed)), device) for seed in range(n)]


def list_arms(config: RunConfig, material: SplitData, size: StepsSize, files: Path) -> list[Arm]:
    """List the arms of one model with the ceiling of each."""
    train, model, device = material.learnt, config.model.name, material.device
    step_size = len(train) // count_steps(len(train), config.train.batch_size)
    arm = partial(Arm, model=model)

    def run_stack(stack: FusedStack, n_members: int) -> int:
        stack.train_epoch(train)
        return len(train) * n_members

    def build(n: int, formulation: Formulation, dtype: torch.dtype = torch.float32) -> Callable[[], int]:
        stacks: list[FusedStack] = []  # built when it is first run

        def run() -> int:
            if not stacks:
                stacks.append(FusedStack(_members(config, device, n)))
                stacks[0].set_formulation(formulation, dtype)
            return run_stack(stacks[0], n)

        return run

    def run_eager(fit: Trainer) -> int:
        fit.train_epoch(train)
        return len(train)

    def predict(n: int) -> float:
        cost = count_step(config, n) if n else count_eager_step(config)
        return max(1, n) * step_size / (cost.predict_graph_s(H200) if n else cost.predict_eager_s(H200))

    arms = [
        arm(name=f"{LOOP}, {size.n_workers} workers", run=_build_loop(config, material, size, files)),
        arm(name=EAGER, run=partial(run_eager, Trainer(config, device)), predict=partial(predict, 0)),
        arm(name=GRAPH, run=build(1, Formulation.GROUPED), predict=partial(predict, 1)),
        arm(name=f"{size.n_streams} such graphs on {size.n_streams} streams", run=_build_streams(config, material, size)),
    ]
    for n in size.members:
        arms += [arm(name=f"{n} fused, {f.value}", run=build(n, f), predict=partial(predict, n)) for f in Formulation]
    arms.append(arm(name=f"{n} fused, grouped, bf16", run=build(n, Formulation.GROUPED, torch.bfloat16)))
    return arms


def _build_streams(config: RunConfig, material: SplitData, size: StepsSize) -> Callable[[], int]:
    train, device = material.learnt, material.device
    stacks: list[FusedStack] = []

    def work(stack: FusedStack) -> None:
        is_gpu = device.type == "cuda"
        with torch.cuda.stream(torch.cuda.Stream(device)) if is_gpu else contextlib.nullcontext():  # type: ignore[no-untyped-call]
            stack.train_epoch(train)

    def run() -> int:
        if not stacks:
            stacks.extend(FusedStack([fit]) for fit in _members(config, device, size.n_streams))
            for stack in stacks:  # one after the other: a capture bears no other work
                stack.train_epoch(train, 1)
        with ThreadPoolExecutor(len(stacks)) as pool:
            list(pool.map(work, stacks))
        return len(train) * len(stacks)

    return run


class _OnDevice:
    """A loader that copies its batches to a device, as a notebook does."""

    def __init__(self, device: torch.device, source: object) -> None:
        self._device, self._source = device, source

    def __len__(self) -> int:
        return len(self._source)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for batch, truth in self._source:  # type: ignore[attr-defined]
            yield batch.to(self._device), truth.to(self._device)


def _build_loop(config: RunConfig, material: SplitData, size: StepsSize, folder: Path) -> Callable[[], int]:
    train = material.learnt
    n = min(size.n_looped, len(train))

    def run() -> int:
        if not folder.exists():
            write_files(folder, train[:n][:, 0].cpu().numpy())
        labels = train.labels[:n].cpu().numpy()
        augmented = Files(folder, labels, PlainAugment(config.augment, config.tiles))
        batches = loader(augmented, config.train.batch_size, size.n_workers)
        few = loader(Files(folder, labels[: config.train.batch_size], None), config.train.batch_size, 0)
        arm = plain(Trainer(config, material.device))
        notebook_epoch(arm, _OnDevice(material.device, batches), _OnDevice(material.device, few))  # type: ignore[arg-type]
        return n

    return run


def find_ratio(arms: Sequence[Arm], model: str, n_least: int, against: str) -> float | None:
    """Return the rate of the fastest fused arm of at least `n_least` members, over that of another arm; None if one lacks."""
    fused = [arm.rate for arm in arms if arm.model == model and " fused" in arm.name and int(arm.name.split()[0]) >= n_least]
    base = next((arm.rate for arm in arms if (arm.model, arm.name) == (model, against)), None)
    best = max((rate for rate in fused if rate), default=math.nan)
    return None if not base or math.isnan(best) else best / base
