"""Why a training ended before its time, in one line, and where in the code. Standard library only."""

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
# CUDA, MPS, cuBLAS, cuDNN, cuFFT, the CPU allocator of each system, and C++: torch has a class for the first alone.
_MEMORY = re.compile("out of memory|ALLOC_FAILED|can't allocate memory|not enough memory|std::bad_alloc")


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What is told of an exception."""

    cause: str
    tail: tuple[str, ...] = ()  # the last lines of its traceback; none where the cause says enough


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether a training failed for want of memory, on a GPU or in the machine."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_MEMORY.search(str(error))))


def failure_of(error: Exception, config: RunConfig, folder: Path) -> Failure:
    """Of a training in `folder`. What the code of a team's own net raised is told with the line of its file."""
    if isinstance(error, CnnError):
        return Failure(cause=str(error))
    text = " ".join(str(error).split())[:300] or "no message"
    when = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
    cause = f"{type(error).__name__}{when}: {text}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame.lineno for frame in frames if frame.filename == str(folder / COPY_NAME)]
    if is_out_of_memory(error):
        return Failure(cause=f"{cause}; choose a smaller train.batch_size or fewer --jobs")
    if theirs:
        return Failure(cause=f"{parse_path(config.model.name)} line {theirs[-1]}: {cause}; mend it and train again")
    tail = "".join(traceback.format_list(frames[-_N_FRAMES:])).splitlines()
    return Failure(cause=f"{cause}; this is a fault of Arena: report it with its traceback", tail=tuple(tail))
