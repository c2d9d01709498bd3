"""Benchmarks of the contest's service over HTTP: the slowest of 64 files at once, and the page of a large class.

No second implementation exists: the other arm is the promised number, on two cores that the sender shares.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from sklearn.metrics import f1_score

from benchmarks.arms import Comparison, UnequalError
from leaderboard.actions import submit as entry
from leaderboard.files.solution import parse_solution
from leaderboard.store import create_contest

N_CLASSES, N_SPEAKERS, N_ROWS = 10, 60, 6000
SLOWEST_S, PAGE_S = 2.0, 0.05
N_PAGES = 40


def solution() -> bytes:
    rows = "".join(f"clip_{n:05d},{n % N_CLASSES},speaker{n // N_CLASSES % N_SPEAKERS}\n" for n in range(N_ROWS))
    return ("id,label,Group\n" + rows).encode()


def predicted(seed: int) -> np.ndarray:
    """Return (N,) classes, nine of ten right."""
    rng = np.random.default_rng(seed)
    truth = np.arange(N_ROWS) % N_CLASSES
    return np.where(rng.random(N_ROWS) < 0.9, truth, rng.integers(0, N_CLASSES, N_ROWS))


def submission(seed: int) -> bytes:
    rows = "".join(f"clip_{n:05d},{label}\n" for n, label in enumerate(predicted(seed).tolist()))
    return ("id,label\n" + rows).encode()


@contextmanager
def serve_contest(n_teams: int, n_scored: int) -> Iterator[tuple[str, list[str]]]:
    """Serve a contest of `n_teams` on SQLite, `n_scored` with an attempt; yield its URL and tokens."""
    moment = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="arena-serving-") as folder:
        where = Path(folder, "contest.db")
        creation = create_contest(where, solution=parse_solution(solution(), "solution.csv"), name="Digits", now=moment)
        with creation as contest:
            tokens = [contest.new_token(contest.add_team(f"Team {n:04d}", moment), moment) for n in range(n_teams)]
            for n in range(n_scored):
                entry.submit(contest, f"Team {n:04d}", submission(n), "p.csv", moment)
        command = [sys.executable, "-m", "arena", "contest", "serve", "--contest", str(where), "--port", "0"]
        log = Path(folder, "log")
        with log.open("w", encoding="utf-8") as stderr:
            process = subprocess.Popen(command, stderr=stderr)
        try:
            yield _address(log, process), tokens
        finally:
            process.terminate()
            process.wait()


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Return the URL of the service, once it answers."""
    while process.poll() is None:
        text = log.read_text(encoding="utf-8")
        match = re.search(r"at (http://\S+?)/ \(", text)
        if match and "startup complete" in text:
            return match[1]
        time.sleep(0.05)
    raise RuntimeError(log.read_text(encoding="utf-8"))


async def _send(url: str, token: str, content: bytes, everybody: asyncio.Barrier) -> float:
    """Send a file once all senders are connected; return the seconds until its answer."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = (
        f"POST /api/v1/attempts HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: text/csv\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    await everybody.wait()
    started = time.perf_counter()
    writer.write(head.encode() + content)
    answer = await reader.readuntil(b"\r\n\r\n")
    took_s = time.perf_counter() - started
    if b" 201 " not in answer[:20]:
        raise UnequalError(f"a submission was answered {answer[:40]!r}")
    writer.close()
    await writer.wait_closed()
    return took_s


def time_slowest(n_posts: int) -> float:
    """Return the wait in seconds of the slowest of `n_posts`, one per team, in a fresh contest."""

    async def run(service: str, tokens: Sequence[str]) -> list[float]:
        everybody = asyncio.Barrier(len(tokens))
        contents = [submission(n) for n in range(len(tokens))]
        return await asyncio.gather(
            *(_send(service, token, content, everybody) for token, content in zip(tokens, contents, strict=True))
        )

    with serve_contest(n_posts, 0) as (service, tokens):
        return max(asyncio.run(run(service, tokens)))


def check_score() -> str:
    """Compare the score of a file over HTTP with scikit-learn's.

    Raises:
        UnequalError: they differ.
    """
    with serve_contest(1, 0) as (url, tokens):
        headers = {"Authorization": f"Bearer {tokens[0]}", "Content-Type": "text/csv"}
        request = urllib.request.Request(f"{url}/api/v1/attempts", data=submission(1), headers=headers, method="POST")
        with urllib.request.urlopen(request) as answer:
            score = json.load(answer)["attempt"]["score"]
    theirs = float(f1_score(np.arange(N_ROWS) % N_CLASSES, predicted(1), average="macro"))
    if score != round(theirs, 3):  # a running contest shows three decimals
        raise UnequalError(f"the service scored {score} and scikit-learn {theirs}")
    return f"the service and scikit-learn scored a file {score:.6f}"


def page_round(n_teams: int) -> float:
    """Return pages per second for one reader, from the median time of a page with all teams."""
    with serve_contest(n_teams, n_teams) as (url, _):
        took_s = [_page_s(f"{url}/standings?show=all", n_teams) for _ in range(N_PAGES + 4)][
            4:
        ]  # the first computes the ranking
    return 1 / float(np.median(took_s))


def _page_s(url: str, n_teams: int) -> float:
    started = time.perf_counter()
    with urllib.request.urlopen(url) as answer:
        page = answer.read()
    took_s = time.perf_counter() - started
    if page.count(b"<tr") != n_teams + 1:
        raise UnequalError(f"the page shows {page.count(b'<tr') - 1} of {n_teams} teams")
    return took_s


def comparisons(n_posts: int, n_teams: int) -> list[Comparison]:
    return [
        Comparison(
            name=f"the slowest of {n_posts} simultaneous posts of {N_ROWS:,} rows on SQLite, as answers a second",
            against=f"one in {SLOWEST_S:g} s, that we stand for",
            unit="answers",
            floor=1.0,
            ours=lambda: 1 / time_slowest(n_posts),
            theirs=lambda: 1 / SLOWEST_S,
            check=check_score,
        ),
        Comparison(
            name=f"the standings page with all of {n_teams:,} teams",
            against=f"one in {1000 * PAGE_S:g} ms, that we stand for",
            unit="pages",
            floor=1.0,
            ours=lambda: page_round(n_teams),
            theirs=lambda: 1 / PAGE_S,
            check=lambda: "every team stands on every page that was measured",
        ),
    ]
