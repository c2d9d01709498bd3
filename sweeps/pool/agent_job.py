"""What runs on a machine that a cluster lends: one agent as a process of its own. Standard library only: clusters ship it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

_ARENA = Path(__file__).resolve().parents[2] / "arena" / "__main__.py"


class AgentJob:
    """Called, it runs an agent to its end. The agent ends with it, however it ends: its standard input is a pipe from here."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._process: subprocess.Popen[bytes] | None = None
        self._waiter: threading.Thread | None = None

    def __call__(self) -> int:
        """The agent's exit code."""
        command = [sys.executable, str(_ARENA), *self._words, "--with-parent"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            self._process = process
            # In a thread: a signal handler that waits for the agent too would wait for the wait that it interrupts.
            self._waiter = threading.Thread(target=process.wait)
            self._waiter.start()
            self._waiter.join()
            return process.returncode

    def ask_to_end(self) -> None:
        """The agent gives its trial up after the epoch; returns when it has ended."""
        if self._process is not None and self._waiter is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGUSR1)  # Slurm may have sent one of its own: it does not count twice
            self._waiter.join()

    def checkpoint(self) -> Any:
        """For submitit, when the job is preempted or out of time: the trial is given up, and the requeued job joins again."""
        from submitit.helpers import DelayedSubmission

        self.ask_to_end()
        return DelayedSubmission(AgentJob(self._words))
