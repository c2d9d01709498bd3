"""Devices, cores and freed memory of this machine. Standard library only, so whether torch can use a GPU stays a guess."""

from __future__ import annotations

import contextlib
import ctypes
import getpass
import os
import re
from pathlib import Path

from cnn.errors import ConfigError

_DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,2})?")
_DRIVERS = ("/proc/driver/nvidia", "/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # the last two: WSL 2, ROCm
_CUDA_NO_DEVICE = 100  # cuda.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def check_device_name(name: str) -> None:
    """Check that a device name is one that trainings take; that the device exists is checked when it is used.

    Raises:
        ConfigError: another name, or `mps`: scores are computed in float64, which Apple's GPU does not have.
    """
    if name.partition(":")[0] == "mps":
        raise ConfigError("--device mps is not supported: it has no float64, which scores are computed in; use --device cpu")
    if not _DEVICE.fullmatch(name):
        raise ConfigError(f"--device is auto, cpu, cuda or cuda:1, not {name!r}")


def may_have_gpu() -> bool:
    """Return False without a driver of NVIDIA's or AMD's; with one, only torch can tell if it can use a GPU."""
    return any(Path(driver).exists() for driver in _DRIVERS)


class DriverError(Exception):
    """NVIDIA's driver is installed and gives no answer."""


def list_gpus() -> tuple[list[str], int]:
    """Return the names of NVIDIA's GPUs that this process may use, as torch numbers them, and the driver's CUDA (13 of 13.0).

    The driver is asked, in milliseconds; without one there are none.

    Raises:
        DriverError: it answers with an error.
    """
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return [], 0
    if error := driver.cuInit(0):
        if error == _CUDA_NO_DEVICE:
            return [], 0
        raise DriverError(f"the NVIDIA driver answers with error {error}")
    n_gpus, version, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(256)
    driver.cuDeviceGetCount(ctypes.byref(n_gpus))
    driver.cuDriverGetVersion(ctypes.byref(version))
    names = []
    for number in range(n_gpus.value):
        driver.cuDeviceGetName(name, len(name), number)  # a device's handle is its number
        names.append(name.value.decode(errors="replace"))
    return names, version.value // 1000


def name_account() -> None:
    """Give an account without a name, as a container may have, its number for one: torch names its cache after the user."""
    try:
        getpass.getuser()
    except (KeyError, OSError):  # the latter from Python 3.13 on
        os.environ["USER"] = str(os.getuid())


def n_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def n_processes(*, on_gpu: bool, n_tasks: int) -> int:
    """Return one per core on a CPU, since two processes of one thread beat two threads; two on a GPU; one per task at most."""
    return max(1, min(2 if on_gpu else n_cores(), n_tasks))


def keep_freed_memory() -> None:
    """Have the C library keep freed memory for this process; where it is not glibc, nothing happens.

    It would give tensors of over 128 KiB back to the kernel, which clears every page anew for the next one: a training step
    of LeNet-5 is a tenth faster without (two cores, glibc 2.36, 2026-11).
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, 1 << 25)  # the most that glibc takes
        library.mallopt(_M_TRIM_THRESHOLD, 1 << 30)


def release_freed_memory() -> None:
    """Return to the kernel what `keep_freed_memory` retained: after 64 clips a step through `resnet`, 300 MB."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
