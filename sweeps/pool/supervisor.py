"""The agents of a pool: who begins when, what their ends mean, and who works in place of whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType

from sweeps.errors import StudyError
from sweeps.pool.agent_options import OUT_OF_MEMORY, SMOKE_FAILED, AgentOptions, Say
from sweeps.pool.agent_process import AgentProcess
from sweeps.pool.slots import Slot


class Crew:
    """Started on entering, ended on leaving. All start at once; with a smoke trial the first runs it while the others load,
    and they begin when it is over.
    """

    def __init__(self, options: AgentOptions, slots: Sequence[Slot], say: Say) -> None:
        self._options = options
        self._slots = slots
        self._say = say
        self._agents: list[AgentProcess] = []
        self._n_started = 0
        self._is_begun = False
        self.n_failed = 0

    def __enter__(self) -> Crew:
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
        """An agent works, or has ended and was not seen to yet."""
        return any(not agent.is_reported for agent in self._agents)

    def signal(self, number: int) -> None:
        """Pass a signal on to all."""
        for agent in self._agents:
            agent.signal(number)

    def look(self, *, is_asked: bool) -> None:
        """Let agents begin, and see to those that ended since the last look.

        Args:
            is_asked: a signal asked them to end, so that an end is no failure.

        Raises:
            StudyError: the smoke trial failed.
        """
        for agent in [agent for agent in self._agents if not agent.is_reported]:
            agent.listen()
            code = agent.code
            if code is not None:
                agent.is_reported = True
                self._see_to(agent, code, is_asked)
        if not self._is_begun and all(agent.is_ready for agent in self._agents):
            self._is_begun = True
            for agent in self._agents:
                agent.tell("go")

    def _see_to(self, agent: AgentProcess, code: int, is_asked: bool) -> None:
        if is_asked or code == 0:
            agent.is_ready = True  # nobody waits for it
        elif not agent.is_ready:
            raise StudyError(self._why_smoke_failed(agent, code))
        elif code == OUT_OF_MEMORY:
            self._make_room(agent)
        else:
            self.n_failed += 1
            self._say(f"agent {agent.number} {_ended(code)}; the end of {agent.log}:")
            for line in agent.tail():
                self._say(f"  {line}")
        left = self._on(agent.slot)
        if len(left) == 1 and not left[0].alone:
            left[0].alone = True
            left[0].tell("alone")

    def _make_room(self, agent: AgentProcess) -> None:
        """One agent fewer on the device, but for the last, which starts anew with all of its memory."""
        n_left = len(self._on(agent.slot))
        if not n_left:
            self._start(agent.slot, smoke=False, shared=False)
        rest = "1 agent" if n_left <= 1 else f"{n_left} agents"
        cause = f"agent {agent.number} ran out of memory on {agent.slot.label}"
        self._say(f"{cause}: {rest} there now, and its trial is tried again")

    def _on(self, slot: Slot) -> list[AgentProcess]:
        return [agent for agent in self._agents if agent.slot == slot and agent.code is None]

    def _start(self, slot: Slot, *, smoke: bool, shared: bool) -> None:
        self._n_started += 1
        options = replace(self._options, device=slot.device, smoke=smoke, shared=shared)
        self._agents.append(AgentProcess(self._n_started, slot, options))
        if self._is_begun:
            self._agents[-1].tell("go")

    def _why_smoke_failed(self, agent: AgentProcess, code: int) -> str:
        lines = agent.tail()
        if code == SMOKE_FAILED and lines:
            return lines[-1].removeprefix("error: ")
        return (
            f"the agent that tries one batch before the first trial {_ended(code)}: {' '.join(lines[-1:]) or 'no word of it'}"
        )


def _ended(code: int) -> str:
    return f"was killed by signal {-code} (9: often for want of memory)" if code < 0 else f"ended with exit code {code}"
