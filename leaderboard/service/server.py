"""The uvicorn server of the application, and its listening socket."""

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
from leaderboard.service.context import ServiceSettings
from leaderboard.service.security import HideJoinLinks

_KEEP_ALIVE_S = 20
_ENDING_S = 15  # for requests in progress at the end
_N_WAITING = 2048  # connections in the kernel's queue
# asyncio sets TCP_NODELAY only where the protocol is explicit: without it the body of each small answer waits 40 ms
# for the reader's acknowledgement of its head (Nagle's algorithm, RFC 896, with delayed ACK, RFC 1122).
_TCP = (socket.SOCK_STREAM, socket.IPPROTO_TCP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Address to listen on, and the proxies to trust."""

    host: str
    port: int  # 0: any free port
    proxies: str  # addresses, separated by commas


def listen(settings: ServiceSettings, address: Address, on_ready: Callable[[str], None]) -> None:
    """Serve until a signal.

    Args:
        on_ready: called with the URL once the port is bound.

    Raises:
        ContestError: the port is in use or not allowed.
    """
    config = uvicorn.Config(
        partial(create_app, settings),
        factory=True,
        host=address.host,
        port=address.port,
        root_path=settings.root,
        proxy_headers=True,
        forwarded_allow_ips=address.proxies,
        server_header=False,
        backlog=_N_WAITING,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_ENDING_S,
        log_config=_log_config(),
    )
    with open_listening_socket(address.host, address.port) as bound:
        on_ready(_url(bound, address.host))
        uvicorn.Server(config).run(sockets=[bound])


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


def _log_config() -> dict[str, Any]:
    """Return uvicorn's logging with the time and without colours. No line holds a token."""
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    for name, form in (("default", "%(message)s"), ("access", '%(client_addr)s "%(request_line)s" %(status_code)s')):
        config["formatters"][name] |= {"fmt": f"%(asctime)s %(levelprefix)s {form}", "use_colors": False}
    config["filters"] = {"join": {"()": HideJoinLinks}}
    config["handlers"]["access"] |= {"stream": "ext://sys.stderr", "filters": ["join"]}
    return config
