"""The uvicorn server of the application, and its listening socket."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

import uvicorn

from leaderboard.errors import ContestError
from leaderboard.server.connection import Connection
from leaderboard.server.door import ConnectionLimits, Door, count_allowed, raise_descriptor_limit
from leaderboard.server.log import configure_log
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings

_KEEP_ALIVE_S = 20
_ENDING_S = 15  # for requests in progress at the end
_N_WAITING = 2048  # connections in the kernel's queue
_N_ACCEPTED = 16  # at a turn of the loop: asyncio accepts them before it counts one, and each has a descriptor
_N_FEW = 256  # connections: a class with less may meet the limit
# asyncio sets TCP_NODELAY only where the protocol is explicit: without it the body of each small answer waits 40 ms
# for the reader's acknowledgement of its head (Nagle's algorithm, RFC 896, with delayed ACK, RFC 1122).
_TCP = (socket.SOCK_STREAM, socket.IPPROTO_TCP)


class _Server(uvicorn.Server):
    """uvicorn's server with a longer queue in the kernel than asyncio accepts at a turn, and a log that is complete."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for bound in sockets or ():
            bound.listen(_N_WAITING)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        logging.shutdown()  # uvicorn ends by the signal that it got, which no atexit survives


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Address to listen on, and the proxies to trust."""

    host: str
    port: int  # 0: any free port
    proxies: str  # addresses, separated by commas


def listen(settings: ServiceSettings, address: Address, on_ready: Callable[[str], None], warn: Callable[[str], None]) -> None:
    """Serve until a signal.

    Args:
        on_ready: called with the URL once the port is bound.
        warn: called with a sentence where few connections are possible.

    Raises:
        ContestError: the port is in use or not allowed.
    """
    n_files = raise_descriptor_limit()
    limits = ConnectionLimits(n_connections=count_allowed(n_files))
    if limits.n_connections < _N_FEW:
        n = limits.n_connections
        warn(f"at most {n} connections at a time, since this process may open {n_files} files; `ulimit -n 4096` allows more")
    door = Door(limits, address.proxies)
    config = uvicorn.Config(
        partial(create_app, settings),
        factory=True,
        http=cast("type[asyncio.Protocol]", partial(Connection, door=door)),
        ws="none",
        host=address.host,
        port=address.port,
        root_path=settings.root,
        proxy_headers=True,
        forwarded_allow_ips=address.proxies,
        server_header=False,
        backlog=_N_ACCEPTED,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_ENDING_S,
        log_config=configure_log(),
    )
    with open_listening_socket(address.host, address.port) as bound:
        on_ready(_url(bound, address.host))
        _Server(config).run(sockets=[bound])


def open_listening_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket; early connections wait until the service is ready.

    Args:
        port: 0: any free port.

    Raises:
        ContestError: the port is in use or not allowed.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, *_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_N_WAITING)
    except OSError as error:
        bound.close()
        address = f"{host} port {port}"
        raise ContestError(f"{address} cannot be listened on ({error.strerror}); choose another --port or --host") from error
    return bound


def _url(bound: socket.socket, host: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{bound.getsockname()[1]}"
