"""Supervisor of a pool's agent processes; an agent that runs out of memory leaves the device to others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType

from sweeps.errors import StudyError
from sweeps.pool.agent_options import OUT_OF_MEMORY, SMOKE_FAILED, AgentOptions, Say
from sweeps.pool.agent_process import AgentProcess
from sweeps.pool.slots import Slot
from sweeps.pool.spare import SpareAgent


class Supervisor:
    """Context manager that starts the agents on entering and ends them on leaving.

    All start at once; with a smoke trial the first runs it while the others load, and they begin when it is over.
    """

    def __init__(self, options: AgentOptions, slots: Sequence[Slot], say: Say, spare: SpareAgent | None = None) -> None:
        self._options = options
        self._slots = slots
        self._say = say
        self._spare = spare
        self._agents: list[AgentProcess] = []
        self._n_started = 0
        self._has_begun = False
        self.n_failed = 0

    def __enter__(self) -> Supervisor:
        try:
            for number, slot in enumerate(self._slots):
                self._start(slot, smoke=self._options.smoke and not number, shared=self._slots.count(slot) > 1)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for agent in self._agents:
            agent.end()

    @property
    def is_working(self) -> bool:
        """True while an agent works, or has ended and was not handled yet."""
        return any(not agent.is_reported for agent in self._agents)

    def signal(self, number: int) -> None:
        """Forward a signal to all agents."""
        for agent in self._agents:
            agent.signal(number)

    def poll(self, *, is_stopping: bool) -> None:
        """Let agents begin, and handle those that ended since the last call.

        Args:
            is_stopping: a signal asked them to end, so that an end is no failure.

        Raises:
            StudyError: the smoke trial failed.
        """
        for agent in [agent for agent in self._agents if not agent.is_reported]:
            agent.check_ready()
            code = agent.exit_code
            if code is not None:
                agent.is_reported = True
                self._handle_exit(agent, code, is_stopping)
        if not self._has_begun and all(agent.is_ready for agent in self._agents):
            self._has_begun = True
            for agent in self._agents:
                agent.send("go")

    def _handle_exit(self, agent: AgentProcess, code: int, is_stopping: bool) -> None:
        if is_stopping or code == 0:
            agent.is_ready = True  # the others need not wait for it
        elif not agent.is_ready:
            raise StudyError(self._explain_smoke_failure(agent, code))
        elif code == OUT_OF_MEMORY:
            self._make_room(agent)
        else:
            self.n_failed += 1
            lines = agent.tail()
            self._say(f"agent {agent.number} {_describe_exit(code)}" + (f"; the end of {agent.log}:" if lines else ""))
            for line in lines:
                self._say(f"  {line}")
        rest = self._working_on(agent.slot)
        if len(rest) == 1 and not rest[0].is_alone:
            rest[0].is_alone = True
            rest[0].send("alone")

    def _make_room(self, agent: AgentProcess) -> None:
        """Go on with one agent fewer on the device; the last one is restarted, with all of its memory."""
        n_working = len(self._working_on(agent.slot))
        if not n_working:
            self._start(agent.slot, smoke=False, shared=False)
        rest = "1 agent" if n_working <= 1 else f"{n_working} agents"
        cause = f"agent {agent.number} ran out of memory on {agent.slot.label}"
        self._say(f"{cause}: {rest} there now, and its trial is tried again")

    def _working_on(self, slot: Slot) -> list[AgentProcess]:
        return [agent for agent in self._agents if agent.slot == slot and agent.exit_code is None]

    def _start(self, slot: Slot, *, smoke: bool, shared: bool) -> None:
        self._n_started += 1
        options = replace(self._options, device=slot.device, smoke=smoke, shared=shared)
        self._agents.append(AgentProcess(self._n_started, slot, options, self._spare))
        if self._has_begun:
            self._agents[-1].send("go")

    def _explain_smoke_failure(self, agent: AgentProcess, code: int) -> str:
        lines = agent.tail()
        if code == SMOKE_FAILED and lines:
            return lines[-1].removeprefix("error: ")
        last = " ".join(lines[-1:]) or "no word of it"
        return f"the agent that tries one batch before the first trial {_describe_exit(code)}: {last}"


def _describe_exit(code: int) -> str:
    return f"was killed by signal {-code} (9: often for want of memory)" if code < 0 else f"ended with exit code {code}"
