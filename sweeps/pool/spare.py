"""A process that loads what trains while a sweep is still being read, and then becomes the first agent of its pool."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

_CHILD = "from sweeps.pool.spare import become_agent; become_agent()"
_MODULES = ("arena.command_line.main", "cnn.tiles.tile_set", "cnn.train.training_run", "sweeps.agents.run")  # these load torch


class SpareAgent:
    """A started process that waits for the arguments of an agent; it ends with this process, however that ends."""

    def __init__(self) -> None:
        child = start_child(["-P", "-c", _CHILD], subprocess.DEVNULL)  # -P: it loads no module of the working folder
        self._child: tuple[subprocess.Popen[bytes], int] | None = child

    def become(self, words: Sequence[str], log: Path) -> tuple[subprocess.Popen[bytes], int] | None:
        """Let it run a script with arguments and the number of its pipe; return what `start_child` does, None a second time."""
        child, self._child = self._child, None
        if child is not None:
            assert child[0].stdin
            with contextlib.suppress(BrokenPipeError):  # it has died: its exit code says how
                child[0].stdin.write(json.dumps([str(log.resolve()), *words]).encode() + b"\n")
                child[0].stdin.flush()
        return child

    def end(self) -> None:
        """Kill it, unless it has become an agent."""
        if self._child is not None:
            process, ready = self._child
            process.kill()
            process.communicate()
            os.close(ready)
            self._child = None


@contextlib.contextmanager
def hold_spare(*, is_wanted: bool) -> Iterator[SpareAgent | None]:
    """Start a spare process if one is wanted; within, it may become an agent, and behind, it is gone if it has not."""
    spare = SpareAgent() if is_wanted else None
    try:
        yield spare
    finally:
        if spare:
            spare.end()


def start_child(words: Sequence[str], output: IO[bytes] | int, gpu: str = "") -> tuple[subprocess.Popen[bytes], int]:
    """Start Python with `words` and the number of a pipe behind them, on a GPU if one is named.

    Return:
        the process, and the end of the pipe that this process reads.
    """
    environment = {**os.environ, **({"CUDA_VISIBLE_DEVICES": gpu} if gpu else {})}
    pipe, ready = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, *words, str(ready)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(ready,),
            env=environment,
            start_new_session=True,  # Ctrl-C reaches it through the pool alone
        )
    except BaseException:
        os.close(pipe)
        raise
    finally:
        os.close(ready)
    return process, pipe


def become_agent() -> None:
    """Load what trains, wait for a log, a script and its arguments on standard input, and run it."""
    with contextlib.suppress(Exception):  # the agent comes upon the same, and says it in its log
        for name in _MODULES:
            importlib.import_module(name)
    line = b""
    while not line.endswith(b"\n"):
        if not (byte := os.read(0, 1)):  # what follows the line is the agent's
            return
        line += byte
    log, *words = json.loads(line)
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    for number in (1, 2):
        os.dup2(file, number)
    os.close(file)
    sys.argv = [*words, sys.argv[1]]
    runpy.run_path(words[0], run_name="__main__")
