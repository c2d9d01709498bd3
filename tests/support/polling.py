"""A class that leaves its browsers open: pages and scores asked for again and again, and what the service holds then."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from support.service import WAIT_S

PATHS = ("/", "/api/v1/standings", "/api/v1/team")


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a process holds."""

    n_files: int
    memory_mb: float

    @classmethod
    def read(cls, pid: int) -> Held:
        status = Path(f"/proc/{pid}/status").read_text()
        (kilobytes,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return cls(n_files=len(list(Path(f"/proc/{pid}/fd").iterdir())), memory_mb=kilobytes / 1024)


@contextmanager
def browsers(url: str, tokens: dict[str, str]) -> Iterator[list[tuple[http.client.HTTPConnection, str]]]:
    """A connection and the token of each team, closed at the end."""
    opened = [(http.client.HTTPConnection(urlsplit(url).netloc, timeout=WAIT_S), token) for token in tokens.values()]
    try:
        yield opened
    finally:
        for connection, _ in opened:
            connection.close()


def poll(opened: list[tuple[http.client.HTTPConnection, str]], n_rounds: int) -> int:
    """Let each team ask once a round, and return the number of answers; every fiftieth request leaves a new connection."""
    n_answers = 0
    for n in range(n_rounds):
        for connection, token in opened:
            connection.request("GET", PATHS[n % len(PATHS)], headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            assert answer.status == 200
            answer.read()
            n_answers += 1
            if n_answers % 50 == 0:
                connection.close()
    return n_answers
