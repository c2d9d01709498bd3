"""Which agent works where: the plan of a pool over the GPUs of one machine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sweeps.errors import SweepError

_ASK_S = 20.0  # a driver that was asleep takes seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """The place of one agent."""

    device: str  # as --device says it
    gpu: str = ""  # what CUDA_VISIBLE_DEVICES is for this agent; empty: as it is

    @property
    def label(self) -> str:
        return f"GPU {self.gpu}" if self.gpu else f"device {self.device}"


def same_device(n_agents: int, device: str) -> tuple[Slot, ...]:
    """All agents on one device."""
    return (Slot(device=device),) * n_agents


def placement(gpus: Sequence[str], per_gpu: int) -> tuple[Slot, ...]:
    """`per_gpu` agents on each GPU, dealt in turns, so that the first agents stand on different ones."""
    return tuple(Slot(device="cuda", gpu=gpu) for _ in range(per_gpu) for gpu in gpus)


def chosen(text: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The GPUs that `--gpus 0,1` names, as CUDA_VISIBLE_DEVICES takes them: where that is set already (by a cluster), the
    numbers count in it, as they do for torch.

    Raises:
        SweepError: no such list, no such GPU, or none at all on this machine.
    """
    if not re.fullmatch(r"\d{1,3}(,\d{1,3})*", text):
        raise SweepError(f"--gpus takes numbers such as 0 or 0,1, not {text!r}; `nvidia-smi -L` lists them")
    numbers = [int(word) for word in text.split(",")]
    twice = next((number for number in numbers if numbers.count(number) > 1), None)
    if twice is not None:
        raise SweepError(f"--gpus names GPU {twice} twice; --per-gpu puts several agents on each")
    given = environment.get("CUDA_VISIBLE_DEVICES")
    here = [str(n) for n in range(_count())] if given is None else [word for word in given.split(",") if word]
    if not here:
        raise SweepError("--gpus: this machine has no GPU that NVIDIA's driver knows; drop --gpus to train on the CPU")
    missing = next((number for number in numbers if number >= len(here)), None)
    if missing is not None:
        raise SweepError(f"--gpus: there is no GPU {missing} here, only {', '.join(map(str, range(len(here))))}")
    return tuple(here[number] for number in numbers)


def _count() -> int:
    """As the driver's own command says; asking torch would take seconds, and hold memory on each."""
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False, timeout=_ASK_S)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in done.stdout.splitlines()) if done.returncode == 0 else 0
