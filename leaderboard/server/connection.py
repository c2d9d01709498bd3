"""HTTP/1.1 connections with deadlines, which uvicorn has not; bodies have theirs in `leaderboard.service.guard`."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from leaderboard.server.door import Door

_TICK_S = 1.0
_log = logging.getLogger("uvicorn.error")


class Connection(H11Protocol):
    """A connection that ends when its client keeps it waiting: for the head of a request, or with an answer unread."""

    def __init__(self, *args: Any, door: Door, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._door, self._head_s, self._unread_s, self._n_unsent = door, 0.0, 0.0, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(_TICK_S, self._tick)
        self._door.enter(self, (self.client or ("", 0))[0])

    def is_answered(self) -> bool:
        return self.cycle is not None and self.cycle.response_started

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._door.leave(self)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        self._door.sort(self, self.conn.their_state)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._door.sort(self, self.conn.their_state)

    def resume_writing(self) -> None:
        self._unread_s = 0.0  # the client took 64 kB
        super().resume_writing()

    def _tick(self) -> None:
        self._timer = self.loop.call_later(_TICK_S, self._tick)
        limits, n_unsent = self._door.limits, self.transport.get_write_buffer_size()
        is_head = self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None
        self._head_s = self._head_s + _TICK_S if is_head else 0.0
        taken_s = max(0, self._n_unsent - n_unsent) / limits.bytes_per_s
        self._unread_s = max(0.0, self._unread_s + _TICK_S - taken_s) if n_unsent else 0.0
        self._n_unsent = n_unsent
        if self._unread_s > limits.unread_s or (self._head_s > limits.head_s and not self.transport.is_closing()):
            _log.info("%s was too slow with a request or an answer: closed", (self.client or ("", 0))[0])
            self.transport.abort() if n_unsent else self.transport.close()
