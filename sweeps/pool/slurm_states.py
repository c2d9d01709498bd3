"""States of jobs in Slurm's own words: squeue's while the controller remembers them, then sacct's where accounting is kept."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

CANCELLED, FORGOTTEN = "CANCELLED", "FORGOTTEN"
_ENDS = (
    CANCELLED,
    "COMPLETED",
    "FAILED",
    "TIMEOUT",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "BOOT_FAIL",
    "DEADLINE",
)
_ASK_EVERY_S = 10.0  # one call for all jobs: a controller serves everybody
_TIMEOUT_S = 60.0


def has_ended(state: str) -> bool:
    """Tell whether a job in this state never runs again; a preempted one that is requeued is PENDING."""
    return state == FORGOTTEN or state in _ENDS


class JobStates:
    """Reader of the states of some jobs, called again and again; it asks Slurm now and then."""

    def __init__(self, job_ids: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._job_ids = list(job_ids)
        self._clock = clock
        self._ask_at = clock() + _ASK_EVERY_S
        self._states: dict[str, str] = {}

    def read(self) -> Mapping[str, str]:
        """Return the last known states by job, and UNKNOWN or nothing for those that Slurm has not told yet."""
        if self._clock() >= self._ask_at:
            self._update()
            self._ask_at = self._clock() + _ASK_EVERY_S
        return self._states

    def _update(self) -> None:
        current = _ask_controller(self._job_ids)
        if current is None:
            return
        gone = [job_id for job_id in self._job_ids if job_id not in current and self._states.get(job_id) not in _ENDS]
        past = _ask_accounting(gone) if gone else {}
        self._states.update(current)
        self._states.update({job_id: past.get(job_id, FORGOTTEN) for job_id in gone})


def _ask_controller(job_ids: Sequence[str]) -> dict[str, str] | None:
    """Return the states of those jobs that the controller knows; None where it does not answer."""
    numbers = ",".join(dict.fromkeys(job_id.partition("_")[0] for job_id in job_ids))
    process = _run("squeue", "--noheader", "--states=all", "--array", "--format=%i|%T", f"--jobs={numbers}")
    if process is None or (process.returncode and "Invalid job id" not in process.stderr):
        return None
    return _parse(process.stdout)


def _ask_accounting(job_ids: Sequence[str]) -> dict[str, str]:
    process = _run("sacct", "--noheader", "--allocations", "--parsable2", "--format=JobID,State", f"--jobs={','.join(job_ids)}")
    return _parse(process.stdout) if process is not None and not process.returncode else {}


def _run(*command: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return None


def _parse(text: str) -> dict[str, str]:
    """Return the states of `12_0|CANCELLED by 1000` lines, without who cancelled."""
    pairs = [line.partition("|") for line in text.splitlines()]
    return {job_id: state.split()[0] for job_id, _, state in pairs if state.strip()}
