"""Agents as Slurm jobs through submitit (`--on slurm`); preempted ones are requeued and join again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arena.base.install import install_command
from sweeps.errors import StudyError
from sweeps.pool.agent_job import AgentJob

_DEFAULTS: dict[str, Any] = {"timeout_min": 24 * 60, "cpus_per_task": 2, "slurm_signal_delay_s": 120}


class SlurmJobs:
    """One job for each agent. `options` are submitit's, such as slurm_partition and timeout_min.

    cluster=local starts the same jobs here without Slurm.
    """

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

    def describe(self) -> str:
        numbers = ", ".join(job.job_id for job in self._jobs)
        return f"{len(self._jobs)} jobs are handed over ({numbers}); their logs are in {self._folder}"

    def read_failures(self) -> list[str | None]:
        return [_describe_failure(job) if job.done() else None for job in self._jobs]

    def interrupt(self) -> str:
        if self._is_local:
            for job in self._jobs:
                job.cancel()
            return "the jobs are cancelled"
        return f"the jobs go on without this window; `arena sweep stop {self._names}` ends them after their epoch"

    def close(self) -> None:
        return


def _value(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text


def _describe_failure(job: Any) -> str:
    error = job.exception()
    if error is not None:
        return f"job {job.job_id} ended badly: {' '.join(str(error).split())[:300]}; its log: {job.paths.stderr}"
    code = job.result()
    return "" if code == 0 else f"the agent of job {job.job_id} ended with exit code {code}; its log: {job.paths.stderr}"


def choose_jobs_folder(studies_dir: Path) -> Path:
    """Return the folder for submitit's files; all machines must see it."""
    return studies_dir.resolve() / f"jobs-{os.getpid()}"
