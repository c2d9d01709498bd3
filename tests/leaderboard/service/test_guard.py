"""Bodies that are too slow, too large or cut off, as the application and as a sender meet them."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from leaderboard.service.guard import BodyTooSlow, Guard, Pace
from support.service import WAIT_S, make, running

SCOPE: dict[str, Any] = {"type": "http", "method": "POST", "path": "/attempts", "headers": [(b"transfer-encoding", b"chunked")]}


def test_a_body_slower_than_its_pace_is_refused_and_one_that_waits_for_the_application_is_not() -> None:
    outcomes = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep(0.3)  # the sender is not to blame
        try:
            outcomes.append(len((await receive())["body"]))
            await receive()
        except BodyTooSlow as error:
            outcomes.append(error.status_code)

    parts = iter([0.0, 60.0])

    async def receive() -> dict[str, Any]:
        await anyio.sleep(next(parts))
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    async def send(message: Any) -> None: ...

    pace = Pace(patience_s=0.1, bytes_per_s=100_000.0)
    asyncio.run(Guard(application, 10_000, 10_000, False, pace)(SCOPE, receive, send))
    assert outcomes == [1000, 408]


@pytest.mark.parametrize(("n_bytes", "seconds"), [(0, 10), (10_000, 11), (31_000_000, 900)])
def test_a_sender_has_ten_seconds_and_one_for_each_ten_kilobytes_and_no_more_than_a_quarter_of_an_hour(
    n_bytes: int, seconds: int
) -> None:
    assert Pace().limit_s(n_bytes) == seconds


def test_a_body_that_nobody_wanted_is_read_before_the_connection_ends() -> None:
    sent: list[dict[str, Any]] = []
    n_left = 5

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"no"})

    async def receive() -> dict[str, Any]:
        nonlocal n_left
        n_left -= 1
        return {"type": "http.request", "body": b"x" * 1000, "more_body": n_left > 0}

    async def send(message: Any) -> None:
        sent.append(dict(message) | {"n_left": n_left})

    asyncio.run(Guard(application, 10_000, 10_000, False)(SCOPE, receive, send))
    start, answer, end = sent
    assert (b"connection", b"close") in start["headers"]
    assert (answer["body"], answer["more_body"], answer["n_left"]) == (b"no", True, 5)
    assert (end["body"], end.get("more_body", False), end["n_left"]) == (b"", False, 0)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, list[str]]]:
    """Address, token of a team, and log of a service."""
    where = tmp_path_factory.mktemp("guard") / "contest.db"
    tokens = make(where, ["Ann"])
    with running(where) as started:
        yield started.url, tokens["Ann"], started.log
    assert not [line for line in started.log if "Traceback" in line or "ERROR" in line]


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "status"), [("/api/v1/validate", 413), ("/api/v1/team", 405), ("/login", 403), ("/team", 405)]
)
def test_a_sender_who_reads_late_gets_an_answer_and_no_reset(
    service: tuple[str, str, list[str]], path: str, status: int, is_chunked: bool
) -> None:
    url, token, _ = service
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=WAIT_S)
    part = b"clip_0001,1\n" * 10_000
    body: Any = (part for _ in range(120)) if is_chunked else part * 120  # 14 MB
    connection.request("POST", path, body, {"Authorization": f"Bearer {token}"}, encode_chunked=is_chunked)
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("connection")) == (status, "close")
    assert answer.read()
    connection.close()


def test_who_asks_before_sending_is_told_at_once_that_it_is_too_much(service: tuple[str, str, list[str]]) -> None:
    url, token, _ = service
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), WAIT_S) as opened:
        head = f"POST /api/v1/validate HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: 999999999\r\n"
        opened.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert opened.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("POST /api/v1/attempts", 401),
        ("POST /api/v1/validate", 401),
        ("PUT /api/v1/attempts/1/model", 401),
        ("POST /attempts", 303),
        ("POST /validate", 303),
        ("POST /attempts/1/model", 303),
    ],
)
def test_an_upload_without_a_valid_token_is_answered_before_its_body_comes(
    service: tuple[str, str, list[str]], request_line: str, status: int
) -> None:
    parts = urlsplit(service[0])
    with socket.create_connection((parts.hostname, parts.port), WAIT_S) as opened:
        head = f"{request_line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong\r\nCookie: arena_token=wrong\r\n"
        opened.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000\r\n\r\n".encode())
        opened.settimeout(8)  # a body has ten seconds
        assert opened.recv(100).startswith(f"HTTP/1.1 {status}".encode())


@pytest.mark.parametrize("kind", ["text/csv", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("path", ["/api/v1/attempts", "/api/v1/validate", "/api/v1/attempts/1/model", "/login"])
def test_an_upload_that_is_cut_off_leaves_no_trace_in_the_log(
    service: tuple[str, str, list[str]], kind: str, path: str
) -> None:
    """The fixture looks at the log at the end."""
    url, token, _ = service
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), WAIT_S) as opened:
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n"
        opened.sendall(f'{head}Content-Length: 9000\r\n\r\n--x\r\nContent-Disposition: form-data; name="file"'.encode())
    with socket.create_connection((parts.hostname, parts.port), WAIT_S) as opened:
        opened.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert opened.recv(100).startswith(b"HTTP/1.1 200")
