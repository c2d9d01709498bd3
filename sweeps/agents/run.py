"""Entry point of an agent process: check its studies, run the smoke trial, then the right agent."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
from collections.abc import Sequence

from cnn.config import read_format
from sweeps.agents.agent import Agent, make_context
from sweeps.engines.protocol import Engine
from sweeps.errors import StudyError
from sweeps.pool.agent_options import ALONE, SMOKE_FAILED, AgentOptions, AgentSignals, Say
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.study.paths import hold_paths
from sweeps.training import configuration, trial


def run_agent(options: AgentOptions, signals: AgentSignals, say: Say) -> int:
    """Train until every budget is reached or a signal asks to stop; return the exit code.

    Raises:
        StudyError: a study is missing or damaged, or trials fail one after another.
        CnnError: the device or the tiles cannot be used.
    """
    folders = [StudyFolder(options.studies_dir / name) for name in options.names]
    for folder in folders:
        folder.read_spec()  # a misspelt name makes no folder
    with hold_paths(folder.path for folder in folders):
        return _run([folder.read_spec() for folder in folders], options, signals, say)


def _run(specs: Sequence[StudySpec], options: AgentOptions, signals: AgentSignals, say: Say) -> int:
    for context in {(spec.tiles, read_format(spec.base)): make_context(spec, options.device) for spec in specs}.values():
        trial.check_context(context)
    if options.smoke:
        from sweeps.engines import smoke

        try:
            smoke.try_studies(specs, options.device, lambda: bool(signals.signal))
        except StudyError as error:
            say(f"error: {error}")
            return SMOKE_FAILED
    if any(spec.engine == "optuna" for spec in specs):
        import sweeps.engines.optuna_engine  # noqa: F401  early, while another agent runs the smoke trial
    if signals.ready_fd is not None:
        _wait_for_start(signals.ready_fd, signals)
    exit_code = 0 if signals.signal else _train(specs, options, signals, say)
    return 128 + signals.signal if signals.signal else exit_code


def _train(specs: Sequence[StudySpec], options: AgentOptions, signals: AgentSignals, say: Say) -> int:
    wandb_specs = [spec for spec in specs if spec.engine == "wandb"]
    if not wandb_specs:
        if options.fuse != ALONE:
            from sweeps.agents.fused_agent import FusedAgent

            return FusedAgent(_open_engines(options, say), options, signals, say).run()
        return Agent(_open_engines(options, say), options, signals, say).run()
    if len(wandb_specs) < len(specs):
        raise StudyError(f"study {wandb_specs[0].name} is W&B's and another is Optuna's; start an agent for each")
    from sweeps.wandb_sweeps.agent import run_wandb_agent

    return run_wandb_agent(specs, options, signals, say)


def _wait_for_start(ready_fd: int, signals: AgentSignals) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(ready_fd, b".")
    os.close(ready_fd)
    while not signals.start.wait(0.05) and not signals.signal:
        pass


def _open_engines(options: AgentOptions, say: Say) -> list[Engine]:
    from sweeps.engines.optuna_engine import OptunaEngine

    agent = f"{socket.gethostname()}-{os.getpid()}"
    engines: list[Engine] = []
    for name in options.names:
        folder = StudyFolder(options.studies_dir / name)
        bases = folder.read_spec().bases
        engines.append(OptunaEngine(folder, agent, functools.partial(configuration.make_point, bases), say))
    return engines
