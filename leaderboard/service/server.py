"""uvicorn around the application, and the port that it listens on."""

from __future__ import annotations

import copy
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from leaderboard.errors import ContestError
from leaderboard.service.app import create_app
from leaderboard.service.context import Settings

_KEEP_ALIVE_S = 20
_ENDING_S = 15  # for requests that are being answered when the service is told to end
_N_WAITING = 2048  # connections that the kernel keeps until they are taken
# Said in full, for asyncio lets an answer go out at once only where it reads this: without, the body of each small answer
# waits 40 ms for the reader's acknowledgement of its head (Nagle's algorithm, RFC 896, with delayed ACK, RFC 1122).
_TCP = (socket.SOCK_STREAM, socket.IPPROTO_TCP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Listening:
    """Where the service listens."""

    host: str
    port: int  # 0: a free one
    proxies: str  # addresses, separated by commas


def listen(settings: Settings, listening: Listening, tell: Callable[[str], None]) -> None:
    """Serve until a signal.

    Args:
        tell: is told the address, once the port is ours.

    Raises:
        ContestError: the port is taken or cannot be had.
    """
    config = uvicorn.Config(
        partial(create_app, settings),
        factory=True,
        host=listening.host,
        port=listening.port,
        root_path=settings.root,
        proxy_headers=True,
        forwarded_allow_ips=listening.proxies,
        server_header=False,
        backlog=_N_WAITING,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_ENDING_S,
        log_config=_logging(),
    )
    with listening_socket(listening.host, listening.port) as bound:
        tell(_url(bound, listening.host))
        uvicorn.Server(config).run(sockets=[bound])


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; who connects before the service is ready waits.

    Args:
        port: 0: a free one.

    Raises:
        ContestError: the port is taken or cannot be had.
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
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{bound.getsockname()[1]}"


def _logging() -> dict[str, Any]:
    """uvicorn's own, with the time and without colours: one line a request, which holds no token, since no path does."""
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    for name, form in (("default", "%(message)s"), ("access", '%(client_addr)s "%(request_line)s" %(status_code)s')):
        config["formatters"][name] |= {"fmt": f"%(asctime)s %(levelprefix)s {form}", "use_colors": False}
    config["handlers"]["access"]["stream"] = "ext://sys.stderr"
    return config
