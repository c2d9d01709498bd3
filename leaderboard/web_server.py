"""uvicorn around the application: one process, or several on one port."""

from __future__ import annotations

import copy
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG
from uvicorn.supervisors import Multiprocess

from leaderboard.errors import ContestError
from leaderboard.web_app import create_app
from leaderboard.web_service import Settings

_N_WAITING = 2048  # connections that the kernel keeps until they are taken
_KEEP_ALIVE_S = 20
_ENDING_S = 15  # for requests that are being answered when the service is told to end


@dataclass(frozen=True, kw_only=True, slots=True)
class Listening:
    """Where the service listens."""

    host: str
    port: int  # 0: a free one
    n_workers: int
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
        workers=listening.n_workers,
        proxy_headers=True,
        forwarded_allow_ips=listening.proxies,
        server_header=False,
        backlog=_N_WAITING,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_ENDING_S,
        log_config=_logging(),
    )
    bound = _bound(listening)
    try:
        tell(_url(bound, listening.host))
        server = uvicorn.Server(config)
        if listening.n_workers > 1:
            Multiprocess(config, sockets=[bound]).run()
        else:
            server.run(sockets=[bound])
    finally:
        bound.close()


def _bound(listening: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((listening.host, listening.port))
        bound.listen(_N_WAITING)  # who comes before the first worker is ready waits
    except OSError as error:
        bound.close()
        place = f"{listening.host} port {listening.port}"
        raise ContestError(f"{place} cannot be listened on ({error.strerror}); choose another --port or --host") from error
    bound.set_inheritable(True)
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
