"""Interface between a pool and its agents: options, signals and messages, exit codes."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from arena.base.processes import handle_signals

ALONE, AUTO = 1, 0  # number of fused trials: no fusing; as many as suit the device
MAX_FAILURES = 3  # in a row: the next trial would fail too
OUT_OF_MEMORY, SMOKE_FAILED = 75, 76  # exit codes that a pool reacts to
WAIT_S = 0.5
_NOTICES = (signal.SIGUSR1, signal.SIGUSR2)  # advance notice from a cluster; a second one is the same notice

Say = Callable[[str], None]


@dataclass(slots=True)
class AgentSignals:
    """Signals and messages to an agent. One signal ends it after its epoch, a second at once; both are safe."""

    signal: int = 0  # the last one received
    start: threading.Event = field(default_factory=threading.Event)  # set when the pool sends `go`
    is_alone: bool = True  # no other agent of the pool is on this device
    ready_fd: int | None = None  # where to write a dot when ready; the agent then waits for `start`

    def install(self) -> None:
        handle_signals(self._on_signal, _NOTICES)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.signal and number not in _NOTICES:
            os._exit(128 + number)
        self.signal = number

    def watch_parent(self) -> None:
        """Read messages of the pool from standard input, in a thread; stop when the pool is dead."""

        def watch() -> None:
            buffer = b""
            while data := os.read(0, 64):  # not sys.stdin: its lock would be held when the interpreter ends
                *messages, buffer = (buffer + data).split(b"\n")
                if b"go" in messages:
                    self.start.set()
                if b"alone" in messages:
                    self.is_alone = True
            self.signal = self.signal or signal.SIGTERM

        threading.Thread(target=watch, daemon=True).start()


_FLAGS = {
    "studies_dir": "--studies",
    "device": "--device",
    "max_failures": "--max-failures",
    "wandb": "--wandb",
    "fuse": "--fuse",
    "smoke": "--smoke",
    "shared": "--shared",
}
_FUSE_NAMES = {"off": ALONE, "auto": AUTO}


def parse_fuse(text: str) -> int:
    """Return how many trials `--fuse` asks to train as one net; raises ValueError for no such number."""
    return _FUSE_NAMES[text] if text in _FUSE_NAMES else int(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentOptions:
    """Options of `arena sweep agent`. The agents of a pool differ in `device`, `smoke` and `shared` alone."""

    studies_dir: Path = Path("studies")
    names: tuple[str, ...] = ()  # studies to work on
    device: str = "auto"
    max_failures: int = MAX_FAILURES  # in a row
    wandb: str = "off"  # mode of the mirror
    fuse: int = ALONE  # trials to train as one net, or AUTO
    smoke: bool = False  # try one batch before the first trial
    shared: bool = False  # another agent of the pool is on the device

    def to_argv(self) -> list[str]:
        """Return the arguments of `arena` that start an agent with these options."""
        argv = ["sweep", "agent", *self.names]
        for name, flag in _FLAGS.items():
            value = getattr(self, name)
            if isinstance(value, bool):
                argv += [flag] * value
            else:
                argv += [flag, "auto" if name == "fuse" and value == AUTO else str(value)]
        return argv

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> AgentOptions:
        """Return the options that `to_argv` wrote."""
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        parser.add_argument("names", nargs="*")
        kinds: dict[str, Callable[[str], Any]] = {"studies_dir": Path, "max_failures": int, "fuse": parse_fuse}
        for name, flag in _FLAGS.items():
            if isinstance(getattr(cls(), name), bool):
                parser.add_argument(flag, dest=name, action="store_true")
            else:
                parser.add_argument(flag, dest=name, type=kinds.get(name, str))
        values = vars(parser.parse_args(argv[2:]))
        return cls(**{**values, "names": tuple(values["names"])})
