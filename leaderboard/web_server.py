"""uvicorn around the application: one process, or several on one port."""

from __future__ import annotations

import copy
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import uvicorn
from uvicorn.config import LOGGING_CONFIG
from uvicorn.supervisors import Multiprocess

from leaderboard import web_sockets
from leaderboard.web_app import create_app
from leaderboard.web_service import Settings

_KEEP_ALIVE_S = 20
_ENDING_S = 15  # for requests that are being answered when the service is told to end
_SILENT_S = 20  # after which a worker is replaced; on a slow or busy machine one needs more than uvicorn's 5 to start


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
        backlog=web_sockets.N_WAITING,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_ENDING_S,
        timeout_worker_healthcheck=_SILENT_S,
        log_config=_logging(),
    )
    is_one_each = listening.n_workers > 1 and sys.platform == "linux"  # other systems give all connections to one socket
    sockets = web_sockets.listening(listening.host, listening.port, listening.n_workers if is_one_each else 1)
    try:
        tell(_url(sockets[0], listening.host))
        if listening.n_workers > 1:
            handed = [cast(socket.socket, web_sockets.WorkerSockets(sockets))] if is_one_each else sockets
            Multiprocess(config, sockets=handed).run()
        else:
            uvicorn.Server(config).run(sockets=sockets)
    finally:
        web_sockets.close(sockets)


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
