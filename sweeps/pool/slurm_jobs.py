"""Agents as Slurm jobs through submitit (`--on slurm`); preempted ones are requeued and join again."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.base.install import install_command
from sweeps.errors import StudyError
from sweeps.pool.agent_job import AgentJob
from sweeps.pool.cluster import AgentEnd, describe_exit
from sweeps.pool.slurm_states import CANCELLED, FORGOTTEN, JobStates, has_ended

_DEFAULTS: dict[str, Any] = {
    "timeout_min": 24 * 60,
    "cpus_per_task": 2,
    "slurm_signal_delay_s": 120,
    "slurm_additional_parameters": {"requeue": True},  # also where the cluster's own default is not to requeue
}
_RESULT_S = 15.0  # until a result that was written on another machine is seen here


class SlurmJobs:
    """One job for each agent. `options` are submitit's, such as slurm_partition and timeout_min.

    cluster=local starts the same jobs here without Slurm.
    """

    waits_after_interrupt = False

    def __init__(self, folder: Path, argvs: list[list[str]], options: Mapping[str, str], names: str) -> None:
        try:
            import submitit
        except ImportError:
            raise StudyError(f"--on slurm needs submitit: {install_command('slurm')}") from None
        parameters = {**_DEFAULTS, **{key: _value(text) for key, text in options.items()}}
        cluster = str(parameters.pop("cluster", "slurm"))
        self._names, self._is_local = names, cluster == "local"
        try:
            executor = submitit.AutoExecutor(folder=folder, cluster=cluster, slurm_max_num_timeout=1000)
            if self._is_local:
                parameters = {key: value for key, value in parameters.items() if not key.startswith("slurm_")}
            executor.update_parameters(name="arena", **parameters)
            with executor.batch():
                self._jobs = [executor.submit(AgentJob(argv)) for argv in argvs]
        except (RuntimeError, NameError, ValueError, TypeError, OSError, submitit.core.utils.FailedJobError) as error:
            raise StudyError(f"--on slurm: {' '.join(str(error).split())}; see --place in `arena sweep run --help`") from error
        self._folder = folder

        self._states = JobStates([job.job_id for job in self._jobs])
        self._ended_at: dict[str, float] = {}  # when a job was first seen to have ended without a result

    def describe(self) -> str:
        numbers, n = ", ".join(job.job_id for job in self._jobs), len(self._jobs)
        return f"{n} job{'s are' if n > 1 else ' is'} handed over ({numbers}), with logs in {self._folder}"

    def read_ends(self) -> Sequence[AgentEnd | None]:
        states = {job.job_id: _read_local_state(job) for job in self._jobs} if self._is_local else self._states.read()
        ends = [self._read_end(job, states.get(job.job_id, "")) for job in self._jobs]
        # Jobs that one `scancel` ended are told together: those that ran are COMPLETING while their agents end.
        is_ending = "COMPLETING" in states.values()
        return [None if end and end.is_cancelled and is_ending else end for end in ends]

    def _read_end(self, job: Any, state: str) -> AgentEnd | None:
        name, log = f"job {job.job_id}", f"; its log is {job.paths.stderr}"
        if job.paths.result_pickle.exists():
            error = job.exception()
            if error is not None:
                *_, cause = str(error).rpartition("\n-----")[0].splitlines()  # last line of a traceback between two rules
                return AgentEnd(name=name, failure=f"ended badly: {cause}{log}")
            return describe_exit(name, job.result(), log)
        if not has_ended(state):
            self._ended_at.pop(job.job_id, None)
            return None
        if state == CANCELLED:
            return AgentEnd(name=name, failure="cancelled", is_cancelled=True)
        if time.monotonic() < self._ended_at.setdefault(job.job_id, time.monotonic()) + _RESULT_S:
            return None
        reason = "Slurm does not know it any more" if state == FORGOTTEN else f"Slurm calls it {state}"
        return AgentEnd(name=name, failure=f"ended before its agent did, and {reason}{log}")

    def interrupt(self) -> str:
        if self._is_local:
            self.cancel()
            return "the jobs are cancelled"
        return f"the jobs go on without this window; `arena sweep stop {self._names}` ends them after their epoch"

    def cancel_waiting(self) -> None:
        if not self._is_local:
            numbers = dict.fromkeys(job.job_id.partition("_")[0] for job in self._jobs)
            subprocess.run(["scancel", "--state=PENDING", *numbers], capture_output=True, check=False)

    def cancel(self) -> None:
        for job in self._jobs:
            job.cancel(check=False)

    def close(self) -> None:
        return


def _value(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text


def _read_local_state(job: Any) -> str:
    return "COMPLETED" if job.done() else "RUNNING"


def choose_jobs_folder(studies_dir: Path) -> Path:
    """Return the folder for submitit's files; all machines must see it."""
    return studies_dir.resolve() / f"jobs-{os.getpid()}"
