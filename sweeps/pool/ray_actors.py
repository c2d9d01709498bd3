"""Agents as actors of a Ray cluster (`--on ray`), each with the share of a GPU that --per-gpu leaves it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from arena.base.install import install_command
from sweeps.errors import StudyError
from sweeps.pool.agent_job import AgentJob


class RayActors:
    """One actor for each agent, in the cluster of RAY_ADDRESS or `address`, or in one that is started here."""

    def __init__(self, argvs: list[list[str]], options: Mapping[str, str], per_gpu: int) -> None:
        try:
            import ray
        except ImportError:
            raise StudyError(f"--on ray needs Ray: {install_command('ray')}") from None
        self._ray = ray
        unknown = sorted(set(options) - {"address", "num_cpus"})
        if unknown:
            raise StudyError(f"--place {unknown[0]}: with --on ray it takes address and num_cpus")
        environment = {name: os.environ[name] for name in ("PGPASSWORD", "PGPASSFILE", "WANDB_API_KEY") if name in os.environ}
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's default of 15 would starve agents on a busy machine
        address = options.get("address") or os.environ.get("RAY_ADDRESS")
        remote = {"runtime_env": {"env_vars": environment}} if environment else {}
        cluster: dict[str, Any] = remote if address else {"_node_ip_address": "127.0.0.1"}
        try:
            ray.init(
                address=address,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
                **cluster,
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise StudyError(f"--on ray: {' '.join(str(error).split())[:300]}") from error
        n_gpus = 1 / per_gpu if ray.cluster_resources().get("GPU") else 0
        actor: Any = ray.remote(num_cpus=float(options.get("num_cpus", "1")), num_gpus=n_gpus)(AgentJob)
        self._actors = [actor.remote(argv) for argv in argvs]
        self._exit_codes = [handle.__call__.remote() for handle in self._actors]  # references, not yet numbers

    def describe(self) -> str:
        return f"{len(self._actors)} actors are handed to Ray; those that find no place wait"

    def read_failures(self) -> list[str | None]:
        return [self._read_failure(number, code) for number, code in enumerate(self._exit_codes, 1)]

    def _read_failure(self, number: int, exit_code: Any) -> str | None:
        ready, _ = self._ray.wait([exit_code], timeout=0)
        if not ready:
            return None
        try:
            code = self._ray.get(exit_code)
        except self._ray.exceptions.RayError as error:
            return f"actor {number} ended badly: {' '.join(str(error).split())[:300]}"
        return "" if code == 0 else f"the agent of actor {number} ended with exit code {code}"

    def interrupt(self) -> str:
        return "the actors end with this window; each agent gives its trial up after its epoch"

    def close(self) -> None:
        self._ray.shutdown()
