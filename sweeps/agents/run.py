"""The work of one agent process: check and try its studies, then train them with the kind of agent that their engine needs."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
from collections.abc import Sequence

from sweeps.agents.agent import Agent, place_of
from sweeps.engines.protocol import Engine
from sweeps.errors import StudyError
from sweeps.pool.agent_options import ALONE, SMOKE_FAILED, AgentOptions, Say, Stop
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.training import configuration, trial


def work(options: AgentOptions, stop: Stop, say: Say) -> int:
    """Train until every budget is reached or a signal asks to stop; the exit code.

    Raises:
        StudyError: a study is missing or damaged, or trials fail one after another.
        CnnError: the device or the tiles are not here.
    """
    specs = [StudyFolder(options.studies_dir / name).spec() for name in options.names]
    for place in {spec.tiles: place_of(spec, options.device) for spec in specs}.values():
        trial.check_context(place)
    if options.smoke:
        from sweeps.engines import smoke

        try:
            smoke.try_studies(specs, options.device, lambda: bool(stop.signal))
        except StudyError as error:
            say(f"error: {error}")
            return SMOKE_FAILED
    if stop.ready is not None:
        _await_word(stop.ready, stop)
    code = 0 if stop.signal else _work_on(specs, options, stop, say)
    return 128 + stop.signal if stop.signal else code


def _work_on(specs: Sequence[StudySpec], options: AgentOptions, stop: Stop, say: Say) -> int:
    at_wandb = [spec for spec in specs if spec.engine == "wandb"]
    if not at_wandb:
        if options.fuse != ALONE:
            from sweeps.agents.fused_agent import FusedAgent

            return FusedAgent(_engines(options, say), options, stop, say).run()
        return Agent(_engines(options, say), options, stop, say).run()
    if len(at_wandb) < len(specs):
        raise StudyError(f"study {at_wandb[0].name} is W&B's and another is Optuna's; start an agent for each")
    from sweeps.wandb_sweeps import agent as wandb_agent

    return wandb_agent.work(specs, options, stop, say)


def _await_word(ready: int, stop: Stop) -> None:

    with contextlib.suppress(BrokenPipeError):
        os.write(ready, b".")
    os.close(ready)
    while not stop.begin.wait(0.05) and not stop.signal:
        pass


def _engines(options: AgentOptions, say: Say) -> list[Engine]:
    from sweeps.engines.optuna_engine import OptunaEngine

    agent = f"{socket.gethostname()}-{os.getpid()}"
    engines: list[Engine] = []
    for name in options.names:
        folder = StudyFolder(options.studies_dir / name)
        base = folder.spec().base
        engines.append(OptunaEngine(folder, agent, functools.partial(configuration.make_point, base), say))
    return engines
