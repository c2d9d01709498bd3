"""The log: no line twice within a minute, long ones cut, at most a thousand different ones, errors with their trace."""

from __future__ import annotations

import io
import logging
import re

import pytest

from leaderboard.server.log import QuietHandler


@pytest.fixture
def handler() -> QuietHandler:
    handler = QuietHandler()
    handler.setStream(io.StringIO())
    return handler


def lines(handler: QuietHandler) -> list[str]:
    stream = handler.stream
    assert isinstance(stream, io.StringIO)
    return [re.sub(r"^\d{4}-\S+ \S+ (?=\d+ more)", "", line) for line in stream.getvalue().splitlines()]


def write(handler: QuietHandler, text: str, at_s: float, *args: object, name: str = "uvicorn.error") -> None:
    record = logging.LogRecord(name, logging.INFO, "", 0, text, args, None)
    record.created = at_s
    handler.handle(record)


def test_a_line_that_comes_again_is_counted_and_told_after_its_minute(handler: QuietHandler) -> None:
    for second in range(50):
        write(handler, "closed %s", second, "192.0.2.1")
    write(handler, "started", 10)
    write(handler, "closed %s", 61, "192.0.2.1")
    assert lines(handler) == [
        "closed 192.0.2.1",
        "started",
        "49 more within a minute: closed 192.0.2.1",
        "closed 192.0.2.1",
    ]


def test_requests_of_one_address_are_the_same_line_from_all_its_ports(handler: QuietHandler) -> None:
    for port in range(3):
        args = (f"192.0.2.1:{port}", "GET", "/", "1.1", 200)
        write(handler, '%s - "%s %s HTTP/%s" %d', 0, *args, name="uvicorn.access")
    handler.close()
    assert lines(handler) == [
        '192.0.2.1 - "GET / HTTP/1.1" 200',
        '2 more within a minute: 192.0.2.1 - "GET / HTTP/1.1" 200',
    ]


def test_a_flood_of_different_and_endless_lines_is_bounded(handler: QuietHandler) -> None:
    for n in range(5000):
        write(handler, "%s", 0, f"/{n}" + "x" * 10_000)
    write(handler, "next", 60)
    assert len(lines(handler)) == 1002
    assert lines(handler)[-2:] == ["4000 more within a minute: (further lines)", "next"]
    assert max(map(len, lines(handler))) <= 500


def test_an_error_keeps_its_trace_and_a_failing_socket_has_one_line(handler: QuietHandler) -> None:
    for kind in (RuntimeError, OSError):
        try:
            raise kind("the cause")
        except (RuntimeError, OSError) as error:
            info = (kind, error, error.__traceback__)
            name = "asyncio" if kind is OSError else "uvicorn.error"
            handler.handle(logging.LogRecord(name, logging.ERROR, "", 0, "failed\nsocket: 7", (), info))
    text = "\n".join(lines(handler))
    assert text.count("Traceback") == 1
    assert lines(handler)[-1] == "failed: the cause"
