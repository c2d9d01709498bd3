"""Slots of a pool: the device of each agent, on the GPUs of one machine or on its CPU."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.hardware import n_processes
from sweeps.errors import SweepError
from sweeps.pool.agent_options import ALONE

_MAX_AGENTS = 8  # unless --agents says more: each holds torch and the tiles in memory
_TIMEOUT_S = 20.0  # a driver that was asleep takes seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """Device of one agent."""

    device: str  # as --device takes it
    gpu: str = ""  # CUDA_VISIBLE_DEVICES of this agent; empty: unchanged

    @property
    def label(self) -> str:
        return f"GPU {self.gpu}" if self.gpu else f"device {self.device}"


def same_device(n_agents: int, device: str) -> tuple[Slot, ...]:
    """Return slots for all agents on one device."""
    return (Slot(device=device),) * n_agents


def has_usable_gpu(device: str) -> bool:
    """Tell whether agents can use a GPU here; asking torch would take seconds."""
    return device != "cpu" and Path("/dev/nvidiactl").exists()


def default_agents(device: str, budget: int, fuse: int = ALONE) -> int:
    """Return one agent a core on a CPU, two on a GPU (one if it fuses trials), at most one a trial."""
    has_gpu = has_usable_gpu(device)
    if has_gpu and fuse != ALONE:
        return 1
    return n_processes(on_gpu=has_gpu, n_tasks=min(_MAX_AGENTS, budget))


def spread_over_gpus(gpus: Sequence[str], per_gpu: int) -> tuple[Slot, ...]:
    """Return `per_gpu` slots on each GPU, in turns, so that the first agents are on different ones."""
    return tuple(Slot(device="cuda", gpu=gpu) for _ in range(per_gpu) for gpu in gpus)


def parse_gpus(text: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the GPUs that `--gpus 0,1` names, as CUDA_VISIBLE_DEVICES takes them.

    Where a cluster has set that variable, the numbers are indices into it, as they are for torch.

    Raises:
        SweepError: no such list, no such GPU, or none at all on this machine.
    """
    if not re.fullmatch(r"\d{1,3}(,\d{1,3})*", text):
        raise SweepError(f"--gpus takes numbers such as 0 or 0,1, not {text!r}; `nvidia-smi -L` lists them")
    numbers = [int(word) for word in text.split(",")]
    twice = next((number for number in numbers if numbers.count(number) > 1), None)
    if twice is not None:
        raise SweepError(f"--gpus names GPU {twice} twice; --per-gpu puts several agents on each")
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    gpus = [str(n) for n in range(_count_gpus())] if visible is None else [word for word in visible.split(",") if word]
    if not gpus:
        raise SweepError("--gpus: this machine has no GPU that NVIDIA's driver knows; drop --gpus to train on the CPU")
    missing = next((number for number in numbers if number >= len(gpus)), None)
    if missing is not None:
        raise SweepError(f"--gpus: there is no GPU {missing} here, only {', '.join(map(str, range(len(gpus))))}")
    return tuple(gpus[number] for number in numbers)


def _count_gpus() -> int:
    """Return the number of GPUs by nvidia-smi: torch would take seconds, and memory on each."""
    try:
        process = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in process.stdout.splitlines()) if process.returncode == 0 else 0
