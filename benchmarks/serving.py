"""The contest's service over HTTP: submissions a second, how long the slowest wait, and the page of a large class.

There is no second implementation to compare with: the other arm is the number that is stood for, on two cores of which the
sender takes its share.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from sklearn.metrics import f1_score

from benchmarks.arms import Comparison, UnequalError
from leaderboard import entry
from leaderboard.solution import parse_solution
from leaderboard.store import create_contest

N_CLASSES, N_SPEAKERS, N_ROWS = 10, 60, 6000
N_CONNECTIONS = 8
PER_SECOND, P99_S, PAGE_S = 200.0, 0.1, 0.05
N_PAGES = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What a round measured."""

    per_second: float
    p99_s: float


def solution() -> bytes:
    rows = "".join(f"clip_{n:05d},{n % N_CLASSES},speaker{n // N_CLASSES % N_SPEAKERS}\n" for n in range(N_ROWS))
    return ("id,label,Group\n" + rows).encode()


def predicted(seed: int) -> np.ndarray:
    """(N,) classes, nine of ten right."""
    rng = np.random.default_rng(seed)
    truth = np.arange(N_ROWS) % N_CLASSES
    return np.where(rng.random(N_ROWS) < 0.9, truth, rng.integers(0, N_CLASSES, N_ROWS))


def submission(seed: int) -> bytes:
    rows = "".join(f"clip_{n:05d},{label}\n" for n, label in enumerate(predicted(seed).tolist()))
    return ("id,label\n" + rows).encode()


@contextmanager
def served(n_teams: int, n_scored: int, n_workers: int) -> Iterator[tuple[str, list[str]]]:
    """Address and tokens of a contest of `n_teams`, of which `n_scored` have an attempt, on SQLite."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="arena-serving-") as folder:
        where = Path(folder, "contest.db")
        made = create_contest(where, solution=parse_solution(solution(), "solution.csv"), name="Digits", now=now)
        with made as contest:
            tokens = [contest.new_token(contest.add_team(f"Team {n:04d}", now), now) for n in range(n_teams)]
            for n in range(n_scored):
                entry.submit(contest, f"Team {n:04d}", submission(n), "p.csv", now)
        command = [sys.executable, "-m", "arena", "contest", "serve", "--contest", str(where), "--port", "0"]
        command += ["--workers", str(n_workers)]
        log = Path(folder, "log")
        with log.open("w", encoding="utf-8") as told:
            process = subprocess.Popen(command, stderr=told)
        try:
            yield _address(log, n_workers, process), tokens
        finally:
            process.terminate()
            process.wait()


def _address(log: Path, n_workers: int, process: subprocess.Popen[bytes]) -> str:
    """Where the service answers, once every worker does."""
    while process.poll() is None:
        text = log.read_text(encoding="utf-8")
        found = re.search(r"at (http://\S+?)/ \(", text)
        if found and text.count("startup complete") == n_workers:
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(log.read_text(encoding="utf-8"))


async def _sender(url: str, work: Iterator[tuple[str, bytes]], took_s: list[float]) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for token, content in work:
        head = (
            f"POST /api/v1/attempts HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: text/csv\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        started = time.perf_counter()
        writer.write(head.encode() + content)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer)
        assert length is not None
        body = await reader.readexactly(int(length[1]))
        took_s.append(time.perf_counter() - started)
        if b" 201 " not in answer[:20]:
            raise UnequalError(f"a submission was answered {answer[:40]!r} {body[:200]!r}")
    writer.close()
    await writer.wait_closed()


def send(url: str, tokens: Sequence[str], contents: Sequence[bytes]) -> Load:
    """One file of each team, over connections that stay open."""

    async def run() -> list[float]:
        took_s: list[float] = []
        work = iter(list(zip(tokens, contents, strict=True)))
        await asyncio.gather(*(_sender(url, work, took_s) for _ in range(N_CONNECTIONS)))
        return took_s

    started = time.perf_counter()
    took_s = asyncio.run(run())
    return Load(per_second=len(tokens) / (time.perf_counter() - started), p99_s=float(np.quantile(took_s, 0.99)))


def round_of(n_submissions: int, n_workers: int) -> Load:
    """A fresh contest; the first file of each connection finds the workers cold and is not measured."""
    n_cold = 2 * N_CONNECTIONS
    with served(n_submissions + n_cold, 0, n_workers) as (url, tokens):
        contents = [submission(n) for n in range(len(tokens))]
        send(url, tokens[:n_cold], contents[:n_cold])
        return send(url, tokens[n_cold:], contents[n_cold:])


def check_score() -> str:
    """One file over HTTP, against scikit-learn.

    Raises:
        UnequalError: they differ.
    """
    with served(1, 0, 1) as (url, tokens):
        headers = {"Authorization": f"Bearer {tokens[0]}", "Content-Type": "text/csv"}
        request = urllib.request.Request(f"{url}/api/v1/attempts", data=submission(1), headers=headers, method="POST")
        with urllib.request.urlopen(request) as answer:
            score = json.load(answer)["attempt"]["score"]
    theirs = float(f1_score(np.arange(N_ROWS) % N_CLASSES, predicted(1), average="macro"))
    if abs(score - theirs) > 1e-12:
        raise UnequalError(f"the service scored {score} and scikit-learn {theirs}")
    return f"the service and scikit-learn scored a file {score:.6f}"


def page_round(n_teams: int, n_workers: int) -> float:
    """Pages a second that one reader gets, from the median time of one that shows all teams."""
    with served(n_teams, n_teams, n_workers) as (url, _):
        took_s = [_page_s(f"{url}/?show=all", n_teams) for _ in range(N_PAGES + 4)][4:]  # each worker makes its board once
    return 1 / float(np.median(took_s))


def _page_s(url: str, n_teams: int) -> float:
    started = time.perf_counter()
    with urllib.request.urlopen(url) as answer:
        page = answer.read()
    took_s = time.perf_counter() - started
    if page.count(b"<tr") != n_teams + 1:
        raise UnequalError(f"the page shows {page.count(b'<tr') - 1} of {n_teams} teams")
    return took_s


def comparisons(n_submissions: int, n_teams: int, n_workers: int) -> list[Comparison]:
    loads: dict[int, Load] = {}
    rounds = itertools.count()

    def rate() -> float:
        load = loads[next(rounds)] = round_of(n_submissions, n_workers)
        return load.per_second

    def promptness() -> float:
        return 1 / (loads.pop(min(loads)).p99_s if loads else round_of(n_submissions, n_workers).p99_s)

    return [
        Comparison(
            what=f"submissions of {N_ROWS:,} rows over HTTP on SQLite, {n_submissions} by {N_CONNECTIONS} connections",
            against=f"{PER_SECOND:g} a second, that we stand for",
            unit="submissions",
            floor=1.0,
            ours=rate,
            theirs=lambda: PER_SECOND,
            check=check_score,
        ),
        Comparison(
            what="99 of 100 of these submissions, as answers a second to who waits for each",
            against=f"one in {1000 * P99_S:g} ms, that we stand for",
            unit="answers",
            floor=1.0,
            ours=promptness,
            theirs=lambda: 1 / P99_S,
            check=lambda: "of the rounds above",
        ),
        Comparison(
            what=f"the standings page with all of {n_teams:,} teams",
            against=f"one in {1000 * PAGE_S:g} ms, that we stand for",
            unit="pages",
            floor=1.0,
            ours=lambda: page_round(n_teams, n_workers),
            theirs=lambda: 1 / PAGE_S,
            check=lambda: "every team stands on every page that was measured",
        ),
    ]
