"""The time that a command may take, and the device that it runs on."""

from __future__ import annotations

import sys
import time

import torch

from benchmarks.bench import machine


class TimeBudget:
    """Seconds from now on; what does not fit is left out, and said so."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._started = time.monotonic()

    @property
    def spent_s(self) -> float:
        return time.monotonic() - self._started

    @property
    def is_over(self) -> bool:
        return self.spent_s > self.limit_s


def choose_device(*, tiny: bool) -> torch.device:
    """Return the GPU; with `tiny`, for a try, the CPU where there is none."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if not tiny:
        sys.exit("error: no CUDA GPU is here, so nothing was measured; `--tiny` tries the command on the CPU")
    return torch.device("cpu")


def name_device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{machine()}, no GPU: nothing here says how fast"


def judge(value: float | None, floor: float, hope: float, *, least: bool = False) -> str:
    """Return the verdict on a measured value, which is to be above its floor; or below it, with `least`."""
    if value is None:
        return "not measured"
    sign = -1 if least else 1
    if sign * value < sign * floor:
        return "**miss**"
    return "pass, as hoped" if sign * value >= sign * hope else "pass"
