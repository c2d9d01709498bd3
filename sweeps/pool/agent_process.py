"""An agent as a child process of a pool, which sends it messages through its standard input."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO

from sweeps.errors import StudyError
from sweeps.pool.agent_options import AgentOptions
from sweeps.pool.slots import Slot
from sweeps.pool.spare import SpareAgent, start_child

# Started by path: `-m arena` would look for Arena's modules in the working folder first.
_ARENA = Path(__file__).resolve().parents[2] / "arena" / "__main__.py"
_N_TAIL = 6  # lines of a failed agent's log to print


class AgentProcess:
    """A started agent. Its standard input is a pipe that closes when this process ends, however it ends."""

    def __init__(self, number: int, slot: Slot, options: AgentOptions, spare: SpareAgent | None = None) -> None:
        """Start it, or let `spare` become it, which has no GPU of its own."""
        self.number = number  # in the pool, from 1
        self.slot = slot
        self.is_alone = not options.shared
        self.is_reported = False
        self.is_ready = not options.smoke
        self.log = (
            options.studies_dir / f"agent-{os.getpid()}-{number}.log"
        )  # process number: another pool may work in the same folder
        words = [str(_ARENA), *options.to_argv(), "--with-parent", "--ready"]
        with _open_log(self.log) as file:
            agent = spare.become(words, self.log) if spare and not slot.gpu else None
            self._process, self._ready = agent or start_child(words, file, slot.gpu)
        os.set_blocking(self._ready, False)

    @property
    def exit_code(self) -> int | None:
        """Exit code of the agent; None while it works."""
        return self._process.poll()

    def check_ready(self) -> None:
        """Update `is_ready`: the agent writes a dot when its smoke trial is over."""
        if not self.is_ready:
            with contextlib.suppress(BlockingIOError):
                self.is_ready = os.read(self._ready, 1) == b"."

    def send(self, message: str) -> None:
        """Send `go` (begin) or `alone` (no other agent is on your device any more)."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(message.encode() + b"\n")
            self._process.stdin.flush()

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def tail(self) -> list[str]:
        """Return the last lines of the log."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_N_TAIL:]

    def end(self) -> None:
        """Kill the agent if it still works, close the pipes and remove an empty log."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        os.close(self._ready)
        with contextlib.suppress(OSError):
            if not self.log.stat().st_size:
                self.log.unlink()


def _open_log(log: Path) -> IO[bytes]:
    try:
        return log.open("wb")
    except OSError as error:
        raise StudyError(f"cannot write {log}: {error.strerror}; choose another folder with --studies") from error
