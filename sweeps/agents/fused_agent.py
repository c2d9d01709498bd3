"""An agent that trains several trials at once as one net; to the studies each is a trial like any other."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.agents.agent import Agent
from sweeps.engines.protocol import Claim, Engine
from sweeps.pool.agent_options import AUTO, WAIT_S, AgentOptions, Say, Stop
from sweeps.study.control import Wish
from sweeps.training import fused_trials as fusing
from sweeps.training.fused_trials import Crowd

if TYPE_CHECKING:
    from sweeps.training.fused_trials import FusionPlan


_MOST = 128  # trials asked for before the device's size is known
_RENEW_S = 60.0  # well within the grace time of a lease


@dataclass(frozen=True, kw_only=True, slots=True)
class _Held:
    """A trial that is this agent's, in training or waiting for its mould's turn."""

    engine: Engine
    claim: Claim
    mould: Hashable


class FusedAgent(Agent):
    """Holds up to so many trials, and trains those of one mould together, the most numerous first; each that ends makes room
    for another, which joins where it fits.
    """

    def __init__(self, engines: Sequence[Engine], options: AgentOptions, stop: Stop, say: Say) -> None:
        super().__init__(engines, options, stop, say)
        self._n_most = options.fuse
        self._fusing: FusionPlan | None = None  # found out with the first trial
        self._waiting: list[_Held] = []
        self._refused: set[Hashable] = set()  # moulds of nets that cannot be fused
        self._renewed_at = time.monotonic()

    def run(self) -> int:
        try:
            while not self._stop.signal and not self._code and (self._engines or self._waiting):
                self._ask()
                if self._waiting:
                    self._train_some()
                elif self._engines:
                    time.sleep(WAIT_S)
        finally:
            for held in self._waiting:
                held.engine.release(held.claim)
        return self._code

    def _ask(self, n_in_work: int = 0) -> None:
        """Hold as many trials as may be, those in work included; those of studies that shall rest are given back."""
        for held in [held for held in self._waiting if self._wish(held.engine) is not Wish.RUN]:
            self._waiting.remove(held)
            held.engine.release(held.claim)
        while len(self._waiting) + n_in_work < (self._n_most or 1):
            found = self._claim()
            if not found:
                return
            engine, claim = found
            mould = fusing.mould_of(self._place(engine), claim.params)
            if self._fusing is None:
                most = min(_MOST, engine.spec.budget)
                self._fusing = fusing.suiting(self._place(engine), claim.params, self._n_most, most)
                n, self._n_most = self._n_most, self._fusing.n_members
                if n == AUTO:
                    self._say(
                        f"{self._n_most} trials are fused" if self._n_most > 1 else "fusing does not pay here: one at a time"
                    )
            self._waiting.append(_Held(engine=engine, claim=claim, mould=mould))

    def _train_some(self) -> None:
        mould, n = Counter(held.mould for held in self._waiting).most_common(1)[0]
        first = next(held for held in self._waiting if held.mould == mould)
        if n > 1 and mould not in self._refused:
            reason = fusing.why_not(self._place(first.engine), first.claim.params)
            if not reason:
                return self._train_together(mould, first)
            self._refused.add(mould)
            self._say(f"study {first.engine.spec.name}: {reason}; its trials are trained one by one")
        self._waiting.remove(first)
        self._train(first.engine, first.claim)
        self._renew()

    def _train_together(self, mould: Hashable, first: _Held) -> None:
        assert self._fusing is not None
        crowd = Crowd(self._place(first.engine), first.claim.params, self._fusing)
        in_work: dict[fusing.Key, _Held] = {}
        try:
            self._join(crowd, mould, in_work)
            while len(crowd):
                ended = crowd.epoch()
                if len(ended) > 1 and all(result.out_of_memory for _, result in ended):
                    self._n_most = max(1, len(ended) // 2)
                    self._say(f"out of memory with {len(ended)} trials in one net: {self._n_most} from now on")
                    break  # all of them go on from their last epoch
                for key, result in ended:
                    held = in_work.pop(key)
                    self._settle(held.engine, held.claim, result)
                if not self._stop.signal and not self._code:
                    self._ask(len(in_work))
                    self._join(crowd, mould, in_work)
                self._renew()
        finally:
            crowd.pause()
            for held in in_work.values():
                held.engine.release(held.claim)

    def _join(self, crowd: Crowd, mould: Hashable, in_work: dict[fusing.Key, _Held]) -> None:
        for held in [held for held in self._waiting if held.mould == mould and not crowd.has(held.claim.run)]:
            self._waiting.remove(held)
            engine, claim = held.engine, held.claim
            result = crowd.join(self._place(engine), self._task(engine, claim), self._listener(engine, claim))
            if result is None:
                in_work[(engine.spec.name, claim.number)] = held
            else:
                self._settle(engine, claim, result)

    def _renew(self) -> None:
        """Trials that wait would else be taken over by an agent that cannot see this process."""
        if time.monotonic() - self._renewed_at < _RENEW_S:
            return
        self._renewed_at = time.monotonic()
        for held in self._waiting:
            held.engine.renew(held.claim)
