"""Half-open connections, slow and aborted bodies, unread answers, few descriptors: others are served, the log stays small."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import h11
import pytest
import uvicorn

from leaderboard.server.connection import Connection
from leaderboard.server.door import ConnectionLimits, Door, count_allowed, name_network, raise_descriptor_limit
from support.polling import Held, browsers, poll
from support.service import WAIT_S, make, running, submission

N_TEAMS = 64
N_LARGE = 200  # parts of 64 kB
HALF_HEAD = b"GET / HTTP/1.1\r\nHost: contest.example\r\nX-Slow: "
SLOW_BODY = b"POST /api/v1/attempts HTTP/1.1\r\nHost: contest.example\r\nContent-Length: 90000\r\n\r\nid,label\r\n"
SLOW_FORM = SLOW_BODY.replace(b"/api/v1/attempts", b"/login").replace(b"90000", b"90")


@contextlib.contextmanager
def half_open(url: str, starts: list[bytes], source: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """Connections that send the start of a request and no more."""
    parts = urlsplit(url)
    with contextlib.ExitStack() as stack:
        sockets = []
        for start in starts:
            opened = stack.enter_context(socket.create_connection((parts.hostname, parts.port), WAIT_S, (source, 0)))
            with contextlib.suppress(OSError):  # made room for another at once
                opened.sendall(start)
            sockets.append(opened)
        yield sockets


async def ask(url: str, head: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and content of one request, on a connection of its own."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        writer.write(f"{head}\r\nHost: {parts.netloc}\r\nConnection: close\r\n{length}\r\n".encode() + body)
        answer = await asyncio.wait_for(reader.read(), WAIT_S)
    finally:
        writer.close()
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


async def post_all(url: str, tokens: dict[str, str]) -> Counter[int]:
    heads = [
        f"POST /api/v1/attempts HTTP/1.1\r\nContent-Type: text/csv\r\nAuthorization: Bearer {token}"
        for token in tokens.values()
    ]
    answers = await asyncio.gather(*(ask(url, head, submission(n)) for n, head in enumerate(heads)))
    return Counter(status for status, _ in answers)


def test_64_teams_post_and_are_answered_among_1200_half_open_connections_and_slow_bodies(tmp_path: Path) -> None:
    raise_descriptor_limit()
    tokens = make(tmp_path / "contest.db", [f"Team {n:02d}" for n in range(N_TEAMS)])
    starts = [HALF_HEAD] * 500 + [b""] * 200 + [SLOW_BODY] * 300 + [SLOW_FORM] * 200
    with running(tmp_path / "contest.db") as service, half_open(service.url, starts):
        assert asyncio.run(post_all(service.url, tokens)) == {201: N_TEAMS}
        assert asyncio.run(ask(service.url, "GET / HTTP/1.1"))[0] == 200
    assert not [line for line in service.log if "Traceback" in line]


def test_with_256_descriptors_the_service_lives_and_its_log_stays_small(tmp_path: Path) -> None:
    raise_descriptor_limit()
    tokens = make(tmp_path / "contest.db", [f"Team {n:02d}" for n in range(12)])
    with running(tmp_path / "contest.db", n_files=256) as service:
        assert "at most 64 connections at a time" in "".join(service.log)
        for starts in ([HALF_HEAD] * 900, [b""] * 300):
            with half_open(service.url, starts):
                assert asyncio.run(ask(service.url, "GET / HTTP/1.1"))[0] == 200
        with half_open(service.url, [HALF_HEAD, SLOW_BODY, HALF_HEAD] * 100, "127.0.0.2"):
            assert asyncio.run(post_all(service.url, tokens)) == {201: 12}
        assert service.process.poll() is None
    log = "".join(service.log)
    assert "too many connections: the one that waits longest is closed" in log
    assert "too many connections of 127.0.0.2" in log
    assert " more within a minute: too many connections" in log
    assert "Traceback" not in log
    assert len(log) < 10_000


async def answer_everything(scope: Any, receive: Any, send: Any) -> None:
    """`/large`: more than the kernel holds; else two bytes."""
    n_parts = N_LARGE if scope["path"] == "/large" else 0
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(n_parts):
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
    await send({"type": "http.response.body", "body": b"ok"})


@contextlib.asynccontextmanager
async def serving(limits: ConnectionLimits) -> AsyncIterator[tuple[str, int]]:
    """A server with our connections in this loop."""
    door = Door(limits, "")
    protocol = cast("type[asyncio.Protocol]", partial(Connection, door=door))
    server = uvicorn.Server(uvicorn.Config(answer_everything, http=protocol, lifespan="off", log_config=None, ws="none"))
    bound = socket.create_server(("127.0.0.1", 0))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup([bound])
    try:
        yield bound.getsockname()[:2]
    finally:
        await server.shutdown([bound])


SHORT = ConnectionLimits(n_connections=100, head_s=0.5, unread_s=2.0, bytes_per_s=1e9)


@pytest.mark.parametrize("parts", [[b""], [HALF_HEAD], [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"G"]])
def test_a_connection_without_a_whole_head_is_ended(parts: list[bytes]) -> None:
    async def run() -> None:
        async with serving(SHORT) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(parts[0])
            for part in parts[1:]:
                await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), WAIT_S)
                writer.write(part)
            assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
            writer.close()

    asyncio.run(run())


def test_a_connection_whose_answer_is_not_read_is_ended_and_one_that_is_read_slowly_is_not() -> None:
    async def read_large(address: tuple[str, int], first_pause_s: float, pause_s: float) -> int:
        opened = socket.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # else the kernel reads megabytes ahead
        opened.connect(address)
        reader, writer = await asyncio.open_connection(sock=opened, limit=65_536)
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        n_bytes = 0
        await asyncio.sleep(first_pause_s)
        with contextlib.suppress(ConnectionResetError):
            while part := await asyncio.wait_for(reader.read(65_536), WAIT_S):
                n_bytes += len(part)
                await asyncio.sleep(pause_s)
        writer.close()
        return n_bytes

    async def run() -> tuple[int, int]:
        async with serving(SHORT) as address:
            return await read_large(address, 0.0, 0.005), await read_large(address, 5.0, 0.0)

    slow, unread = asyncio.run(run())
    assert slow > N_LARGE * 65_536
    assert unread < N_LARGE * 65_536


class Guest:
    """A connection of `Door`."""

    def __init__(self) -> None:
        self.transport: Any = self
        self.is_ended = self.has_answer = False

    def is_answered(self) -> bool:
        return self.has_answer

    def abort(self) -> None:
        self.is_ended = True


def enter_all(door: Door, hosts: list[str]) -> list[Guest]:
    guests = [Guest() for _ in hosts]
    for guest, host in zip(guests, hosts, strict=True):
        door.enter(guest, host)
    return guests


def test_room_is_made_by_the_connection_that_waits_longest() -> None:
    door = Door(ConnectionLimits(n_connections=3), "")
    (busy,) = enter_all(door, ["a"])
    door.sort(busy, "DONE")  # the service is at work for it
    guests = enter_all(door, ["b", "c", "d", "e"])
    assert [guest.is_ended for guest in guests] == [True, True, False, False]
    assert not busy.is_ended
    for guest in guests[2:]:
        door.sort(guest, "DONE")
    (late,) = enter_all(door, ["f"])  # nobody waits: it is refused
    assert late.is_ended
    door.sort(guests[2], h11.SEND_BODY)
    (late,) = enter_all(door, ["f"])  # a body may take its time,
    assert late.is_ended
    guests[2].has_answer = True  # but not once its answer is sent
    (early,) = enter_all(door, ["f"])
    assert (guests[2].is_ended, early.is_ended) == (True, False)
    door.sort(early, "DONE")
    door.leave(busy)
    (later,) = enter_all(door, ["g"])
    assert not later.is_ended


def test_room_is_made_by_an_answered_connection_then_a_half_open_one_then_a_silent_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 0.0
    monkeypatch.setattr("leaderboard.server.door.time.monotonic", lambda: now_s)
    door = Door(ConnectionLimits(n_connections=4), "")
    silent, flowing, idle, answered = enter_all(door, ["a", "b", "c", "d"])
    for guest in (silent, flowing, answered):
        door.sort(guest, h11.SEND_BODY)
    answered.has_answer = True
    now_s = 0.3
    door.sort(flowing, h11.SEND_BODY)  # a part of its body came
    late = [guest for host in ("e", "f", "g") for guest in enter_all(door, [host]) if door.sort(guest, "DONE") is None]
    assert [guest.is_ended for guest in (answered, idle, silent, flowing, *late)] == [
        True,
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    (refused,) = enter_all(door, ["h"])
    assert refused.is_ended
    now_s = 2.1  # in all a body may take two seconds
    door.sort(flowing, h11.SEND_BODY)
    (taken,) = enter_all(door, ["i"])
    assert (flowing.is_ended, taken.is_ended) == (True, False)


@pytest.mark.parametrize(
    ("proxies", "ended"), [("", [False, True, False, False, False]), ("b", [True, False, False, False, False])]
)
def test_room_is_made_by_the_address_that_has_most_unless_it_is_a_proxy(proxies: str, ended: list[bool]) -> None:
    assert [
        guest.is_ended for guest in enter_all(Door(ConnectionLimits(n_connections=4), proxies), ["a", "b", "b", "c", "d"])
    ] == ended


@pytest.mark.parametrize(("proxies", "is_proxy"), [("", False), ("10.0.0.0/8", True), ("proxy, 10.0.0.1", True), ("*", True)])
def test_an_address_has_half_of_the_connections_and_a_proxy_all(proxies: str, is_proxy: bool) -> None:
    guests = enter_all(Door(ConnectionLimits(n_connections=4), proxies), ["b", "10.0.0.1", "10.0.0.1", "10.0.0.1"])
    assert [guest.is_ended for guest in guests] == [False, not is_proxy, False, False]


@pytest.mark.parametrize(("n_files", "n"), [(64, 8), (256, 64), (1024, 448), (65_536, 3000)])
def test_connections_leave_descriptors_for_the_database(n_files: int, n: int) -> None:
    assert count_allowed(n_files) == n


def test_an_ipv6_customer_is_a_network_and_a_socket_for_both_kinds_keeps_ipv4_addresses_apart() -> None:
    assert name_network("2001:db8::1") == name_network("2001:db8::ffff") != name_network("2001:db8:0:1::1")
    assert name_network("::ffff:192.0.2.1") == "192.0.2.1"
    assert name_network("192.0.2.1") == "192.0.2.1"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts what Linux tells of a process")
def test_a_class_that_polls_leaves_memory_and_descriptors_as_they_were(tmp_path: Path) -> None:
    """`make soak` has a week of it."""
    tokens = make(tmp_path / "contest.db", [f"Team {n:02d}" for n in range(8)])
    with running(tmp_path / "contest.db") as service, browsers(service.url, tokens) as opened:
        poll(opened, 30)
        before = Held.read(service.process.pid)
        assert poll(opened, 90) == 720
        after = Held.read(service.process.pid)
    assert after.n_files <= before.n_files + 2
    assert after.memory_mb < before.memory_mb + 8
