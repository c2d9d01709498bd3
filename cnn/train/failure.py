"""Causes of failed trainings: an exception as one line for people. Standard library only."""

from __future__ import annotations

import errno
import re
import traceback
from dataclasses import dataclass
from pathlib import Path

from cnn.config import RunConfig
from cnn.errors import CnnError
from cnn.plugin import COPY_NAME, parse_path

_N_FRAMES = 3
# Texts of CUDA, MPS, cuBLAS, cuDNN, cuFFT, CPU allocators and C++: torch has a class for CUDA alone.
_MEMORY = re.compile("out of memory|ALLOC_FAILED|can't allocate memory|not enough memory|std::bad_alloc")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingFailure:
    """An exception as it is reported."""

    cause: str
    tail: tuple[str, ...] = ()  # the last lines of its traceback; none where the cause says enough


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether a training failed for want of memory, on a GPU or in the machine."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_MEMORY.search(str(error))))


def describe_failure(error: Exception, config: RunConfig, folder: Path) -> TrainingFailure:
    """Describe why a training in `folder` failed, with the line if a team's own net raised it."""
    if isinstance(error, CnnError):
        return TrainingFailure(cause=str(error))
    text = " ".join(str(error).split())[:300] or "no message"
    notes = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
    cause = f"{type(error).__name__}{notes}: {text}"
    frames = traceback.extract_tb(error.__traceback__)
    net_lines = [frame.lineno for frame in frames if frame.filename == str(folder / COPY_NAME)]
    if is_out_of_memory(error):
        return TrainingFailure(cause=f"{cause}; choose a smaller train.batch_size or fewer --jobs")
    if net_lines:
        return TrainingFailure(cause=f"{parse_path(config.model.name)} line {net_lines[-1]}: {cause}; mend it and train again")
    tail = "".join(traceback.format_list(frames[-_N_FRAMES:])).splitlines()
    return TrainingFailure(cause=f"{cause}; this is a fault of Arena: report it with its traceback", tail=tuple(tail))
