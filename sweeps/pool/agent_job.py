"""Job of a cluster: one agent as a process of its own. Standard library only, since clusters pickle it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_ARENA = Path(__file__).resolve().parents[2] / "arena" / "__main__.py"
MAX_RESTARTS = 3  # more would not help an agent that is killed for want of memory
_REQUESTS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)  # an agent ends with its epoch
_LAST_WORDS_S = 5.0  # for the error output of an agent that has ended: a process it left behind may hold it open
_ASK_S = 30.0


@dataclass(frozen=True, kw_only=True)
class AgentExit:
    """Exit code of an agent, and the last line that it wrote to its standard error."""

    code: int
    last_line: str = ""


class AgentJob:
    """Callable that runs one agent, which ends with the job in any case: its standard input is a pipe."""

    def __init__(self, argv: list[str]) -> None:
        self._argv = argv
        self._process: subprocess.Popen[bytes] | None = None
        self._waiter: threading.Thread | None = None
        self._is_asked_to_end = False

    def __call__(self) -> AgentExit:
        """Run the agent and return its end. One that a signal of others ended goes on: started again, or in a requeued job."""
        for n_restarts in range(MAX_RESTARTS + 1):
            if self._is_asked_to_end:
                return AgentExit(code=0)
            end = self._run_agent()
            number = -end.code if end.code < 0 else end.code - 128
            if number <= 0:
                return end
            if number in _REQUESTS and "SUBMITIT_EXECUTOR" in os.environ:
                _leave_job()
            if n_restarts < MAX_RESTARTS:
                print(f"a signal, {number}, ended the agent: it is started again", file=sys.stderr, flush=True)
        return end

    def _run_agent(self) -> AgentExit:
        command = [sys.executable, str(_ARENA), *self._argv, "--with-parent"]
        lines: list[str] = []
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stderr
            self._process = process
            reader = threading.Thread(target=_pass_on, args=(process.stderr, lines), daemon=True)
            reader.start()
            # In a thread: a signal handler that waits for the agent too would wait for the wait that it interrupts.
            self._waiter = threading.Thread(target=process.wait)
            self._waiter.start()
            self._waiter.join()
            reader.join(_LAST_WORDS_S)
            code = 0 if self._is_asked_to_end else process.returncode
            return AgentExit(code=code, last_line=lines[-1] if lines else "")

    def ask_to_end(self) -> None:
        """Ask the agent to release its trial after the epoch; it is not started again."""
        self._is_asked_to_end = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGUSR1)  # Slurm may have sent one of its own: it does not count twice

    def checkpoint(self) -> Any:
        """Release the trial when submitit's job is preempted or out of time; the requeued job joins again."""
        from submitit.helpers import DelayedSubmission

        self.ask_to_end()
        if self._waiter is not None:
            self._waiter.join()
        return DelayedSubmission(AgentJob(self._argv))


def _pass_on(stream: IO[bytes], lines: list[str]) -> None:
    """Copy an agent's standard error to this job's, and keep its last line that says something."""
    for line in stream:
        with contextlib.suppress(OSError):
            os.write(2, line)
        if text := line.decode(errors="replace").strip():
            lines[:] = [text]


def _leave_job() -> None:
    """End this job of submitit's without a result, as somebody's signal ended its agent.

    A job that Slurm cancels or requeues ends here. One that Slurm still calls running (its grace time before it is preempted
    has begun, or a person sent the signal) is requeued by submitit's own handler, which ends the process too.
    """
    from submitit import JobEnvironment

    job = JobEnvironment()
    if job.cluster != "slurm" or _read_state(job.job_id) == "RUNNING":
        signal.raise_signal(getattr(signal, f"SIG{JobEnvironment.USR_SIG}"))
    sys.exit(1)


def _read_state(job_id: str) -> str:
    """Return Slurm's state of a job; RUNNING where Slurm does not say."""
    command = ["squeue", "--noheader", "--states=all", "--format=%T", f"--jobs={job_id}"]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_ASK_S)
    except (OSError, subprocess.TimeoutExpired):
        return "RUNNING"
    return process.stdout.strip() or "RUNNING"
