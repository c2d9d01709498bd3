"""The port of the service: one socket, or one for each worker."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.errors import ContestError

if sys.platform != "win32":
    import fcntl

N_WAITING = 2048  # connections that the kernel keeps until they are taken
# Said in full, for asyncio lets an answer go out at once only where it reads this: without, the body of each small answer
# waits 40 ms for the reader's acknowledgement of its head (Nagle's algorithm, RFC 896, with delayed ACK, RFC 1122).
_TCP = (socket.SOCK_STREAM, socket.IPPROTO_TCP)


@dataclass(frozen=True, slots=True)
class WorkerSockets:
    """A socket for each worker on one port, among which the kernel deals out connections.

    With one for all, the worker that looks first takes every connection that waits (asyncio, `_accept_connection`), and the
    others have nothing to do for as long as these stay open. All are here before the first worker is, and stay when one
    dies: whoever connects meanwhile waits for the next that claims the socket.
    """

    all: Sequence[socket.socket]

    def __reduce__(self) -> tuple[Any, ...]:
        """Handed to another process, it becomes the first socket that no living process has claimed."""
        return _claimed, (self.all,)


def _claimed(sockets: Sequence[socket.socket]) -> socket.socket:
    own = next((one for one in sockets if _is_claimed_now(one)), sockets[0])  # a worker too many, by uvicorn's SIGTTIN, shares
    close([one for one in sockets if one is not own])
    return own


def _is_claimed_now(one: socket.socket) -> bool:
    """Whether no other process had it; the claim ends when this one closes the socket, or dies."""
    assert sys.platform != "win32", "there all workers share one socket"
    try:
        fcntl.lockf(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def listening(host: str, port: int, n_sockets: int) -> list[socket.socket]:
    """Sockets that listen on one port; who connects before a worker is ready waits.

    Args:
        port: 0: a free one.

    Raises:
        ContestError: the port is taken or cannot be had.
    """
    sockets: list[socket.socket] = []
    try:
        for _ in range(n_sockets):
            one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, *_TCP)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if len(sockets) > 1:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                one.bind(sockets[0].getsockname())
            else:
                one.bind((host, port))
                if n_sockets > 1:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # not before: another service's port is not ours
        for one in sockets:
            one.listen(N_WAITING)
    except OSError as error:
        close(sockets)
        place = f"{host} port {port}"
        raise ContestError(f"{place} cannot be listened on ({error.strerror}); choose another --port or --host") from error
    return sockets


def close(sockets: Sequence[socket.socket]) -> None:
    for one in sockets:
        one.close()
