"""The device of a training, its number of threads, and the versions that its numbers depend on."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cnn.errors import ConfigError
from cnn.hardware import check_device_name, keep_freed_memory, release_freed_memory

_PACKAGES = ("arena-spoken-digits", "torch", "torchaudio", "opencv-python", "numpy")


def resolve_device(name: str) -> torch.device:
    """Return the device of a name: `auto` is the first CUDA GPU, else the CPU; also `cpu`, `cuda`, `cuda:1`.

    Raises:
        ConfigError: no such device here, or a name that no training takes.
    """
    check_device_name(name)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        have = ["cpu", *(f"cuda:{n}" for n in range(torch.cuda.device_count()))]
        raise ConfigError(f"--device {name} is not here; this machine has {', '.join(have)}") from error
    return device


@contextmanager
def limit_threads(device: torch.device) -> Iterator[int]:
    """Use one thread on the CPU, so that numbers do not depend on the machine's cores; yield the number of threads in use."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
        keep_freed_memory()
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
        if device.type == "cpu":
            release_freed_memory()


def read_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a run's numbers depend on."""
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def describe_device(device: torch.device) -> str:
    """Return the device as result.json names it."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type
