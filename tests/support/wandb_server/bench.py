"""A working folder whose processes use the loopback server: the real client, with a home of its own and short waits."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cnn.tiles.tile_set import TileSet
from support.paths import ARENA
from support.wandb_server.http import LoopbackServer
from support.warm_python import WarmPython

# Run by every Python that finds it first on its path. The client says of its constant that tests may shorten it.
_SHORT_WAITS = """
import os, sys
if "agent" in sys.orig_argv:
    import wandb.agents.pyagent, wandb.wandb_agent
    wandb.agents.pyagent.Agent.HEARTBEAT_SLEEP_SECONDS = 0.3
    wandb.wandb_agent.Agent.POLL_INTERVAL = 0.3
"""


class Bench:
    """Starts commands; whatever is started ends with the test, with all that it started."""

    def __init__(self, folder: Path, server: LoopbackServer, tiles: TileSet, warm: WarmPython) -> None:
        self.folder = folder
        self.server = server
        self.tiles = tiles
        self.python = warm.python
        self._warm = warm.environment["ARENA_WARM"]
        self._started: list[subprocess.Popen[str]] = []
        for name in ("home", "path", "bin"):
            (folder / name).mkdir()
        (folder / "path" / "sitecustomize.py").write_text(_SHORT_WAITS)
        arena = folder / "bin" / "arena"  # what `wandb agent` looks for
        arena.write_text(f'#!/bin/sh\nexec {warm.python} {ARENA} "$@"\n')
        arena.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        mine = {"HOME": str(self.folder / "home"), "PYTHONPATH": str(self.folder / "path"), "PATH": path, "COLUMNS": "200"}
        mine["ARENA_WARM"] = self._warm
        return {**kept, **mine, **self.server.environment}

    def start(self, *command: str | Path, **environment: str) -> subprocess.Popen[str]:
        """A command in a process group of its own."""
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def arena(self, *words: str | Path, **environment: str) -> subprocess.Popen[str]:
        return self.start(self.python, ARENA, *words, **environment)

    def wandb(self, *words: str | Path) -> subprocess.Popen[str]:
        return self.start(self.python, "-P", "-m", "wandb", *words)

    def until(self, found: Callable[[], Any], what: str) -> Any:
        """What `found` gives once that is not None."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if (value := found()) is not None:
                return value
            time.sleep(0.05)
        raise AssertionError(f"no {what} within two minutes\n{self._last_words()}")

    def _last_words(self) -> str:
        logs = [path.read_text(errors="replace")[-2000:] for path in self.folder.glob("studies/*.log")]
        return "\n".join([*logs, *self.server.errors])

    def close(self) -> None:
        for process in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        for pid in self._strays():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _strays(self) -> Iterator[int]:
        """Processes that were started here and left their group: they have our home in their environment."""
        mark = f"HOME={self.folder / 'home'}".encode()
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in path.read_bytes().split(b"\0"):
                    yield int(path.parent.name)


def ended(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    """What a process printed until it ended with `code`."""
    out, err = process.communicate(timeout=250)
    assert process.returncode == code, out + err
    return out, err
