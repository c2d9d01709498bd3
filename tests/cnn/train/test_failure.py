"""One rule for want of memory: `arena train` and `arena sweep` say the same of an exception."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from cnn.config import TilesInfo, default_config
from cnn.settings.tiles import TileSettings
from cnn.train.failure import describe_failure
from sweeps.training import trial

CONFIG = default_config(TilesInfo(corpus="corpus", settings=TileSettings(size=32)), "lenet5", "raw")
OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 139.81 GiB"),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
    RuntimeError("MPS backend out of memory (MPS allocated: 17.94 GiB, other allocations: 0 bytes, max allowed: 18.13 GiB)"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 4294967296 bytes."),
    RuntimeError("std::bad_alloc"),
    MemoryError(),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
]
OTHERS = [
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    RuntimeError("Expected all tensors to be on the same device"),
    ValueError("out of memory"),
    OSError(errno.ENOSPC, "No space left on device"),
]


def says_memory(error: Exception) -> tuple[bool, bool]:
    """The verdicts of training and sweep."""
    return "train.batch_size" in describe_failure(error, CONFIG, Path("runs/x")).cause, trial.make_failure(error).out_of_memory


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=repr)
def test_every_text_for_want_of_memory_is_recognised(error: Exception) -> None:
    assert says_memory(error) == (True, True)


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_no_other_failure_is_taken_for_want_of_memory(error: Exception) -> None:
    assert says_memory(error) == (False, False)


@pytest.mark.parametrize("allocate", [torch.empty, np.empty])
def test_an_allocation_beyond_the_address_space_is_want_of_memory(allocate: Callable[[int], object]) -> None:
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        allocate(1 << 52)
    assert says_memory(caught.value) == (True, True)
