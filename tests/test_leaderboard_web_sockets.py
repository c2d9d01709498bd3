"""The port of several workers: each has a socket of its own, nobody's connections are lost, answers go out at once."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import select
import socket
import sys
from multiprocessing.connection import Connection
from typing import cast

import pytest

from leaderboard.errors import ContestError
from leaderboard.web_sockets import WorkerSockets, close, listening

linux = pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel deals out connections")
WAIT_S = 60


@linux
def test_connections_are_dealt_out_to_all_sockets_of_a_port() -> None:
    sockets = listening("127.0.0.1", 0, 2)
    assert len({one.getsockname() for one in sockets}) == 1
    came = [socket.create_connection(sockets[0].getsockname()) for _ in range(64)]
    try:
        readable, _, _ = select.select(sockets, [], [], WAIT_S)
        assert set(readable) == set(sockets)  # all to one: once in 2**63 runs
    finally:
        close([*came, *sockets])


@pytest.mark.parametrize("n_sockets", [1, pytest.param(2, marks=linux)])
@pytest.mark.parametrize("n_others", [1, pytest.param(2, marks=linux)])
def test_the_port_of_another_service_is_refused(n_others: int, n_sockets: int) -> None:
    sockets = listening("127.0.0.1", 0, n_others)
    port = sockets[0].getsockname()[1]
    try:
        with pytest.raises(ContestError, match=f"127.0.0.1 port {port} cannot be listened on .*choose another --port"):
            listening("127.0.0.1", port, n_sockets)
    finally:
        close(sockets)


def test_what_is_accepted_sends_small_answers_at_once() -> None:
    """Without it an answer of two parts, as uvicorn writes them, takes 40 ms."""

    async def no_delay() -> int:
        (own,) = listening("127.0.0.1", 0, 1)
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            found.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(look, sock=own):
            _, writer = await asyncio.open_connection(*own.getsockname())
            told = await asyncio.wait_for(found, WAIT_S)
            writer.close()
            await writer.wait_closed()
        return told

    assert asyncio.run(no_delay())


def worker(own: socket.socket, told: Connection) -> None:
    """What a worker gets is a listening socket: tell which, and hold it."""
    told.send(os.fstat(own.fileno()).st_ino)
    told.recv()


@linux
def test_each_worker_claims_a_socket_and_who_follows_a_dead_one_has_its_own() -> None:
    context = multiprocessing.get_context("spawn")
    sockets = listening("127.0.0.1", 0, 2)
    handed = cast(socket.socket, WorkerSockets(sockets))
    ours, processes, claimed = [], [], []

    def begin() -> None:
        one, other = context.Pipe()
        processes.append(context.Process(target=worker, args=(handed, other)))
        processes[-1].start()
        ours.append(one)
        assert one.poll(WAIT_S)
        claimed.append(one.recv())

    try:
        begin()
        begin()
        assert set(claimed) == {os.fstat(one.fileno()).st_ino for one in sockets}
        processes[0].kill()
        processes[0].join()
        begin()
        assert claimed[2] == claimed[0]
    finally:
        for process in processes:
            process.kill()
            process.join()
            process.close()
        for one in ours:
            one.close()
        close(sockets)
