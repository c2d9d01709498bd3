"""Roles on the web: what each route answers to nobody, a team, an assistant and a host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from leaderboard.hosts import Role
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.store import open_contest
from support.service import host_token_of, make, submission

HOST_ROUTES = {  # path: whether an assistant may
    "/host": True,
    "/host/gradebook.csv": False,
}


@pytest.fixture
def tokens(tmp_path: Path) -> dict[str, str]:
    where = tmp_path / "contest.db"
    tokens = make(where, ["Ann"])
    with open_contest(where) as contest:
        tokens |= {"host": host_token_of(contest), "assistant": host_token_of(contest, "Ben", Role.ASSISTANT)}
    return tokens


@pytest.fixture
def client(tmp_path: Path, tokens: dict[str, str]) -> Iterator[TestClient]:
    app = create_app(ServiceSettings(where=str(tmp_path / "contest.db")))
    with TestClient(app, follow_redirects=False) as client:
        yield client


def sign_in(client: TestClient, token: str) -> None:
    client.cookies.clear()
    match = re.search(r'name="csrf" value="(\w+)"', client.get("/login").text)
    assert match
    assert client.post("/login", data={"csrf": match[1], "token": token}).status_code == 303


def get(client: TestClient, path: str, token: str) -> int:
    sign_in(client, token)
    return client.get(path).status_code


def test_every_page_of_hosts_asks_for_the_right_that_its_table_says(client: TestClient, tokens: dict[str, str]) -> None:
    for path, is_open in HOST_ROUTES.items():
        client.cookies.clear()
        assert client.get(path).headers["location"] == "/login"
        statuses = [get(client, path, tokens[who]) for who in ("Ann", "assistant", "host")]
        assert (path, statuses) == (path, [403, 200 if is_open else 403, 200])


def test_an_assistant_sees_no_private_score(client: TestClient, tokens: dict[str, str]) -> None:
    headers = {who: {"Authorization": f"Bearer {token}"} for who, token in tokens.items()}
    assert client.post("/api/v1/attempts", content=submission(1), headers=headers["Ann"]).status_code == 201
    seen = {who: client.get("/api/v1/host", headers=headers[who]).json()["teams"][0] for who in ("host", "assistant")}
    assert seen["host"]["private"] is not None
    assert seen["assistant"] == seen["host"] | {"private": None}
    private = f"{seen['host']['private']:.4f}"
    sign_in(client, tokens["host"])
    assert private in client.get("/host").text
    sign_in(client, tokens["assistant"])
    assert private not in client.get("/host").text


def test_a_host_is_no_team_and_a_team_no_host(client: TestClient, tokens: dict[str, str]) -> None:
    for who in ("host", "assistant"):
        answer = client.get("/api/v1/team", headers={"Authorization": f"Bearer {tokens[who]}"})
        assert (answer.status_code, answer.json()["error"]) == (403, "team")
    answer = client.get("/api/v1/host", headers={"Authorization": f"Bearer {tokens['Ann']}"})
    assert (answer.status_code, answer.json()["error"]) == (403, "team")


def test_the_token_that_older_versions_derived_is_refused_with_what_to_do(client: TestClient) -> None:
    answer = client.get("/api/v1/host", headers={"Authorization": "Bearer host_" + "0123456789" * 4})
    assert answer.status_code == 401
    assert answer.json()["message"] == (
        "tokens of hosts have names now and this one is of an older Arena; make one with "
        "`arena contest host-token new --name Ana`"
    )
