"""The port of the service: another service's is refused, and answers go out at once."""

from __future__ import annotations

import asyncio
import socket

import pytest

from leaderboard.errors import ContestError
from leaderboard.server.server import open_listening_socket

WAIT_S = 60


def test_the_port_of_another_service_is_refused() -> None:
    with open_listening_socket("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        with pytest.raises(ContestError, match=f"127.0.0.1 port {port} cannot be listened on .*choose another --port"):
            open_listening_socket("127.0.0.1", port)


def test_what_is_accepted_sends_small_answers_at_once() -> None:
    """Without it an answer of two parts, as uvicorn writes them, takes 40 ms."""

    async def no_delay() -> int:
        bound = open_listening_socket("127.0.0.1", 0)
        option: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            option.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(look, sock=bound):
            _, writer = await asyncio.open_connection(*bound.getsockname())
            value = await asyncio.wait_for(option, WAIT_S)
            writer.close()
            await writer.wait_closed()
        return value

    assert asyncio.run(no_delay())
