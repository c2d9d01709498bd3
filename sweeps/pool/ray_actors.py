"""Agents as actors of a Ray cluster (`--on ray`), each with the share of a GPU that --per-gpu leaves it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from arena.base.install import install_command
from sweeps.errors import StudyError
from sweeps.pool.agent_job import MAX_RESTARTS, AgentJob
from sweeps.pool.cluster import AgentEnd, describe_exit

_ANSWER_S = 5.0  # patience with an actor that has a place


class RayActors:
    """One actor for each agent, in the cluster of RAY_ADDRESS or `address`, or in one that is started here."""

    waits_after_interrupt = True

    def __init__(self, argvs: list[list[str]], options: Mapping[str, str], per_gpu: int) -> None:
        os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")  # read by the import: its notes on lost actors go to stdout
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
        actor: Any = ray.remote(
            num_cpus=float(options.get("num_cpus", "1")),
            num_gpus=n_gpus,
            max_restarts=MAX_RESTARTS,
            max_task_retries=MAX_RESTARTS,
            max_concurrency=2,  # the agent, and what asks it to end
        )(AgentJob)
        self._actors = [actor.remote(argv) for argv in argvs]
        self._exits = [handle.__call__.remote() for handle in self._actors]  # references, not yet values
        self._taken_back: set[Any] = set()  # references to the exits of those that never had a machine

    def describe(self) -> str:
        n = len(self._actors)
        return f"{n} actor{'s are' if n > 1 else ' is'} handed to Ray; those that find no place wait"

    def read_ends(self) -> Sequence[AgentEnd | None]:
        return [
            AgentEnd(name=f"actor {number}") if reference in self._taken_back else self._read_end(f"actor {number}", reference)
            for number, reference in enumerate(self._exits, 1)
        ]

    def _read_end(self, name: str, reference: Any) -> AgentEnd | None:
        ready, _ = self._ray.wait([reference], timeout=0)
        if not ready:
            return None
        try:
            return describe_exit(name, self._ray.get(reference))
        except self._ray.exceptions.RayActorError:
            return AgentEnd(name=name, failure=f"died, and after {MAX_RESTARTS} times it is not started again")
        except self._ray.exceptions.RayError as error:
            return AgentEnd(name=name, failure=f"ended badly: {str(error).strip().splitlines()[-1]}")

    def interrupt(self) -> str:
        self.cancel_waiting()
        for actor in self._actors:
            actor.ask_to_end.remote()
        return "stopping: every agent ends after its epoch; once more ends them at once"

    def cancel_waiting(self) -> None:
        answers = [actor.__ray_ready__.remote() for actor in self._actors]
        ready, _ = self._ray.wait(answers, num_returns=len(answers), timeout=_ANSWER_S)
        for actor, answer, reference in zip(self._actors, answers, self._exits, strict=True):
            if answer not in ready:
                self._taken_back.add(reference)
                self._ray.kill(actor)

    def cancel(self) -> None:
        for actor in self._actors:
            self._ray.kill(actor)

    def close(self) -> None:
        self._ray.shutdown()
