"""Job of a cluster: one agent as a process of its own. Standard library only, since clusters pickle it."""

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
    """Callable that runs one agent, which ends with the job in any case: its standard input is a pipe."""

    def __init__(self, argv: list[str]) -> None:
        self._argv = argv
        self._process: subprocess.Popen[bytes] | None = None
        self._waiter: threading.Thread | None = None

    def __call__(self) -> int:
        """Run the agent and return its exit code."""
        command = [sys.executable, str(_ARENA), *self._argv, "--with-parent"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            self._process = process
            # In a thread: a signal handler that waits for the agent too would wait for the wait that it interrupts.
            self._waiter = threading.Thread(target=process.wait)
            self._waiter.start()
            self._waiter.join()
            return process.returncode

    def ask_to_end(self) -> None:
        """Ask the agent to release its trial after the epoch, and wait until it has ended."""
        if self._process is not None and self._waiter is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGUSR1)  # Slurm may have sent one of its own: it does not count twice
            self._waiter.join()

    def checkpoint(self) -> Any:
        """Release the trial when submitit's job is preempted or out of time; the requeued job joins again."""
        from submitit.helpers import DelayedSubmission

        self.ask_to_end()
        return DelayedSubmission(AgentJob(self._argv))
