"""Many at once, and a power cut: what is stored is whole, no team has more than its attempts. Real processes and sockets."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from starlette.testclient import TestClient

from leaderboard.files.submission import parse_submission
from leaderboard.scoring.grading import grade
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.standings import Part
from leaderboard.store import Contest, open_contest
from support.service import make, running, submission

N_TEAMS, N_POSTS = 16, 4
N_CONNECTIONS = 64  # at once; the rest follows
N_ROWS = 6000
N_ROWS_OF_MANY = 60


@dataclass(frozen=True, kw_only=True)
class Post:
    """One file on its way."""

    team: str
    token: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int  # 0: the connection broke
    body: dict[str, object]


Seen = Callable[[Answer], None]


def posts(tokens: dict[str, str], n_each: int, n_rows: int) -> list[Post]:
    """Different files of all teams, so that those of one team come at the same time."""
    result = [
        Post(team=team, token=token, content=submission(1000 * index + n, 0.3, n_rows))
        for index, (team, token) in enumerate(tokens.items())
        for n in range(n_each)
    ]
    return result


async def _answers(url: str, posts: Iterator[tuple[int, Post]], answers: dict[int, Answer], seen: Seen) -> None:
    """Send one post after the other over a connection, a new one where it broke."""
    parts = urlsplit(url)
    with contextlib.ExitStack() as open_now:
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for index, post in posts:
            head = (
                f"POST /api/v1/attempts HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {post.token}\r\n"
                f"Content-Type: text/csv\r\nContent-Length: {len(post.content)}\r\n\r\n"
            )
            try:
                if streams is None:
                    streams = await asyncio.open_connection(parts.hostname, parts.port)
                    open_now.callback(streams[1].close)
                streams[1].write(head.encode() + post.content)
                start = await streams[0].readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", start)
                assert length is not None, start
                body = json.loads(await streams[0].readexactly(int(length[1])))
                answers[index] = Answer(status=int(start.split()[1]), body=body)
            except (OSError, asyncio.IncompleteReadError):  # cut off
                streams = None
                answers[index] = Answer(status=0, body={})
            seen(answers[index])


def send_all(url: str, requests: Sequence[Post], seen: Seen = lambda answer: None) -> list[Answer]:
    """The answer to each, as many at once as there are connections."""
    answers: dict[int, Answer] = {}

    async def run() -> None:
        posts = iter(enumerate(requests))
        await asyncio.gather(*(_answers(url, posts, answers, seen) for _ in range(N_CONNECTIONS)))

    asyncio.run(run())
    return [answers[index] for index in range(len(requests))]


def send_again(client: TestClient, requests: Sequence[Post]) -> list[Answer]:
    """The answer to each, one after the other."""
    headers = [{"Authorization": f"Bearer {post.token}", "Content-Type": "text/csv"} for post in requests]
    answers = [
        client.post("/api/v1/attempts", content=post.content, headers=header)
        for post, header in zip(requests, headers, strict=True)
    ]
    return [Answer(status=answer.status_code, body=answer.json()) for answer in answers]


def check_whole(contest: Contest, requests: Sequence[Post], answers: Sequence[Answer]) -> None:
    """Every stored attempt is of a file that was sent, scored as it scores; every confirmed one is stored."""
    files = {(post.team, hashlib.sha256(post.content).hexdigest()): post for post in requests}
    for team in contest.teams():
        attempts = contest.attempts(team)
        assert [attempt.number for attempt in attempts] == list(range(1, len(attempts) + 1))
        assert len(attempts) <= 3
        for attempt in attempts:
            content = files[team.name, attempt.digest].content
            graded = grade(contest.solution, parse_submission(content, "p.csv", contest.solution))
            assert graded.private is not None
            for part, expected in ((Part.PUBLIC, graded.public), (Part.PRIVATE, graded.private)):
                details = contest.details(team, attempt.number, part)
                assert np.array_equal(details.confusion, expected.confusion)
    stored = {(team.name, attempt.digest) for team in contest.teams() for attempt in contest.attempts(team)}
    confirmed = {
        (post.team, answer.body["attempt"]["digest"])  # type: ignore[index]
        for post, answer in zip(requests, answers, strict=True)
        if answer.status in (200, 201)
    }
    assert confirmed <= stored


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "contest.db")
    return str(request.getfixturevalue("postgres_url"))


def test_of_64_posts_at_once_each_team_gets_exactly_three(where: str) -> None:
    tokens = make(where, [f"Team {n:02d}" for n in range(N_TEAMS)], n_rows=N_ROWS)
    requests = posts(tokens, N_POSTS, N_ROWS)
    assert len(requests) == N_CONNECTIONS
    with running(where) as service:
        answers = send_all(service.url, requests)
    assert Counter(answer.status for answer in answers) == {201: 3 * N_TEAMS, 409: (N_POSTS - 3) * N_TEAMS}
    assert {answer.body["error"] for answer in answers if answer.status == 409} == {"limit"}
    with open_contest(where) as contest:
        assert [len(contest.attempts(team)) for team in contest.teams()] == [3] * N_TEAMS
        check_whole(contest, requests, answers)
    assert not [line for line in service.log if "Traceback" in line]


def test_a_kill_among_many_posts_leaves_each_wholly_there_or_wholly_not(where: str) -> None:
    tokens = make(where, [f"Team {n:02d}" for n in range(50)], n_rows=N_ROWS_OF_MANY)
    requests = posts(tokens, 20 if "://" not in where else 5, N_ROWS_OF_MANY)
    n_scored = 0

    with running(where) as service:

        def kill_amid(answer: Answer) -> None:
            nonlocal n_scored
            n_scored += answer.status == 201
            if n_scored == 40 and service.process.poll() is None:
                service.kill()

        answers = send_all(service.url, requests, kill_amid)
    assert Counter(answer.status for answer in answers)[0] > 0, "the kill came too late to cut anything off"
    with open_contest(where) as contest:
        check_whole(contest, requests, answers)
        n_stored = sum(len(contest.attempts(team)) for team in contest.teams())
    assert n_stored >= 40
    confirmed = [post for post, answer in zip(requests, answers, strict=True) if answer.status == 201]
    sample = [post for index, post in enumerate(requests) if index % (len(requests) // 50) < 4]  # four files of each team
    with TestClient(
        create_app(ServiceSettings(where=where))
    ) as client:  # what is sent again is answered, and nothing counts twice
        assert {answer.status for answer in send_again(client, confirmed)} == {200}
        again = send_again(client, sample)
    assert {201, 409} <= {answer.status for answer in again} <= {200, 201, 409}
    with open_contest(where) as contest:
        check_whole(contest, [*requests, *sample], [*answers, *again])
        assert [len(contest.attempts(team)) for team in contest.teams()] == [3] * 50
