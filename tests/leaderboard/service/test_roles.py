"""Roles on the web: what each route answers to nobody, a team, an assistant and a host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from leaderboard.actions.acts import ACTS, ActName
from leaderboard.hosts import RIGHTS, Right, Role
from leaderboard.service import host_routes
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.store import open_contest
from support.service import host_token_of, make, submission

PAGES = {  # of hosts, by method and path: the right that each asks for
    "GET /host": Right.VIEW,
    "GET /host/gradebook.csv": Right.VIEW_PRIVATE,
    "GET /host/submissions.zip": Right.DOWNLOAD,
    "GET /host/alike": Right.VIEW_PRIVATE,
    "GET /host/teams/{team_id}": Right.VIEW,
    "GET /host/teams/{team_id}/attempts/{number}.{ending}": Right.DOWNLOAD,
}
ACT_PAGES = ("/host/acts/{name}", "/host/teams/{team_id}/acts/{name}")


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


def csrf(client: TestClient) -> str:
    match = re.search(r'name="csrf" value="(\w+)"', client.get("/login").text)
    assert match
    return match[1]


def sign_in(client: TestClient, token: str) -> None:
    client.cookies.clear()
    assert client.post("/login", data={"csrf": csrf(client), "token": token}).status_code == 303


def list_requests() -> Iterator[tuple[str, str, Right]]:
    """Yield method, path and right of every page of hosts, each act by its name."""
    for route in host_routes.router.routes:
        assert isinstance(route, APIRoute)
        for method in sorted(route.methods - {"HEAD"}):
            for name in ActName if route.path in ACT_PAGES else [None]:
                act = None if name is None else ACTS[name]
                if act is not None and act.is_of_team is not ("team_id" in route.path):
                    continue
                right = PAGES[f"{method} {route.path}"] if act is None else act.right
                path = route.path.replace("{team_id}", "1").replace("{number}.{ending}", "1.csv")
                yield method, path.replace("{name}", "" if name is None else name.value), right


def test_every_page_of_hosts_asks_for_the_right_that_its_table_says(client: TestClient, tokens: dict[str, str]) -> None:
    client.post("/api/v1/attempts", content=submission(1), headers={"Authorization": f"Bearer {tokens['Ann']}"})
    requests = list(list_requests())
    assert len(requests) == len(PAGES) + 2 * len(ACTS)
    for who in ("", "Ann", "assistant", "host"):
        client.cookies.clear()
        if who:
            sign_in(client, tokens[who])
        for method, path, right in requests:
            answer = client.request(method, path, data={"csrf": csrf(client)} if method == "POST" else None)
            is_allowed = who == "host" or (who == "assistant" and right in RIGHTS[Role.ASSISTANT])
            expected = 422 if method == "POST" else 200  # a form without a reason
            if not who:
                assert answer.headers["location"] == "/login", path
            else:
                assert (who, path, answer.status_code) == (who, path, expected if is_allowed else 403)


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


def test_programs_act_as_pages_do_with_the_same_rights(client: TestClient, tokens: dict[str, str]) -> None:
    def act(who: str, name: str, **body: object) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {tokens[who]}"}
        answer = client.post(f"/api/v1/host/acts/{name}", json={"reason": "because"} | body, headers=headers)
        return answer.status_code, answer.json()

    status, answer = act("host", "grant", team="ann", value=2)
    entry = answer["entry"]
    assert (status, answer["token"]) == (200, None)
    assert [entry[key] for key in ("action", "actor", "team", "change")] == [
        "grant",
        "Ana",
        "Ann",
        "3 → 5",
    ]
    status, answer = act("host", "new-token", team="Ann")
    assert client.get("/api/v1/team", headers={"Authorization": f"Bearer {answer['token']}"}).json()["n_allowed"] == 5
    assert act("host", "pseudonym", team="Ann", value="Owl")[1]["entry"]["change"] == "— → Owl"
    assert act("host", "pseudonym", team="Ann", value="Owl") == (200, {"entry": None, "token": None})
    assert act("assistant", "announce", value="Lab 2 is open")[1]["entry"]["actor"] == "Ben"
    for name in ActName:
        status, answer = act("assistant", name.value, team="Ann" if ACTS[name].is_of_team else None, value="x", reason=" ")
        assert (status, answer["error"]) == ((422, "request") if ACTS[name].right is Right.ANNOUNCE else (403, "role"))
        assert act("Ann", name.value)[0] == 403
    for name, body in (("grant", {}), ("close", {"team": "Ann"}), ("grant", {"team": "Ann", "value": "x"}), ("reopen", {})):
        assert act("host", name, **body)[1]["error"] == "request"
    assert act("host", "grant", team="Nobody", value=1)[1]["error"] == "team"
    assert act("host", "rename", team="Ann", value="")[1]["error"] == "name"
