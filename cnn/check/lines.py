"""Lines of a net's file: the one that runs, and those at which a net gets its layers and weights."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from torch import nn
from torch.nn.modules import module as torch_modules

Lines = Mapping[tuple[int, str], int]  # by the identity of a module and the name of its attribute


@contextlib.contextmanager
def record_lines(path: Path) -> Iterator[Lines]:
    """Yield a table that fills with the lines at which modules get their layers and weights."""
    lines: dict[tuple[int, str], int] = {}

    def record(owner: nn.Module, name: str, _value: object) -> None:
        lines[id(owner), name] = find_current_line(str(path))

    handles = [
        torch_modules.register_module_module_registration_hook(record),
        torch_modules.register_module_parameter_registration_hook(record),
    ]
    try:
        yield lines
    finally:
        for handle in handles:
            handle.remove()


def find_current_line(path: str) -> int:
    """Return the line of the file `path` that runs, innermost call first; 0 if none does."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == path:
            return frame.f_lineno
        frame = frame.f_back
    return 0
