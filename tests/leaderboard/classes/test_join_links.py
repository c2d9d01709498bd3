"""Join links: counted by the database, however many come at once; they expire, and a name or e-mail stands on no other page."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.classes.join_links import JoinRequest, join, list_join_links, new_join_link, revoke_join_link
from leaderboard.errors import ContestError, JoinRefused, NameRefused
from leaderboard.server.log import configure_log
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.store import Contest, open_contest
from support.service import make, running

NOW = datetime.now(UTC)
DECISION = HostDecision(reason="people join by it", decided_at=NOW)


@pytest.fixture
def where(tmp_path: Path) -> Path:
    make(tmp_path / "c.db", ["Echo"])
    return tmp_path / "c.db"


@pytest.fixture
def contest(where: Path) -> Iterator[Contest]:
    with open_contest(where) as contest:
        yield contest


@pytest.fixture
def client(where: Path) -> Iterator[TestClient]:
    with TestClient(create_app(ServiceSettings(where=str(where))), follow_redirects=False) as client:
        yield client


def link(contest: Contest, team: str | None = "Echo", *, n_uses: int = 3, n_hours: float = 48) -> str:
    return new_join_link(contest, None if team is None else contest.team(team), n_hours, n_uses, DECISION)[1]


def test_a_member_joins_with_a_token_of_their_own(contest: Contest) -> None:
    token = link(contest)
    team, own = join(contest, token, JoinRequest(name=" Ana  Ruiz ", email="a@x.org"), NOW)
    assert (team.name, contest.find_team_by_token(own)) == ("Echo", contest.team("Echo"))
    assert [(one.n_uses_left, one.n_uses, one.team) for one in list_join_links(contest)] == [(2, 3, "Echo")]
    with pytest.raises(JoinRefused, match="in the team already"):  # a reloaded page
        join(contest, token, JoinRequest(name="Ana Ruiz", email="A@x.org"), NOW)
    assert list_join_links(contest)[0].n_uses_left == 2


def test_a_link_without_a_team_makes_one_a_person(contest: Contest) -> None:
    token = link(contest, None)
    assert join(contest, token, JoinRequest(name="Ana", team="Mel Street"), NOW)[0].name == "Mel Street"
    with pytest.raises(NameRefused, match="is taken"):
        join(contest, token, JoinRequest(name="Bo", team="mel street"), NOW)
    assert list_join_links(contest)[0].n_uses_left == 2


def test_a_link_that_is_over_says_so(contest: Contest) -> None:
    token = link(contest, n_hours=1)
    with pytest.raises(JoinRefused, match="expired on"):
        join(contest, token, JoinRequest(name="Ana"), NOW + timedelta(hours=1))
    with pytest.raises(JoinRefused, match="not known here"):
        join(contest, token + "x", JoinRequest(name="Ana"), NOW)
    revoke_join_link(contest, 1, DECISION)
    with pytest.raises(JoinRefused, match="has ended this join link"):
        join(contest, token, JoinRequest(name="Ana"), NOW)
    with pytest.raises(ContestError, match="no join link has the number 1"):
        revoke_join_link(contest, 1, DECISION)
    open_token = link(contest)
    close_contest(contest, DECISION)
    with pytest.raises(JoinRefused, match="the contest is over"):
        join(contest, open_token, JoinRequest(name="Ana"), NOW)


@pytest.mark.parametrize(("n_hours", "n_uses"), [(0, 3), (24 * 184, 3), (float("nan"), 3), (1, 0), (1, 1001)])
def test_a_link_has_an_end_and_a_number_of_uses(contest: Contest, n_hours: float, n_uses: int) -> None:
    with pytest.raises(ContestError, match="a join link lasts up to"):
        new_join_link(contest, None, n_hours, n_uses, DECISION)


def test_the_database_itself_counts_no_use_below_zero(contest: Contest, where: Path) -> None:
    link(contest, n_uses=1)
    with sqlite3.connect(where) as connection, pytest.raises(sqlite3.IntegrityError, match="join_link_is_used_up_once"):
        connection.execute("UPDATE join_links SET n_uses_left = -1")


def post(client: TestClient, path: str, **fields: str) -> tuple[int, str]:
    match = re.search(r'name="csrf" value="(\w+)"', client.get(path).text)
    answer = client.post(path, data={"csrf": match[1] if match else "", **fields})
    return answer.status_code, answer.text


def test_the_page_gives_the_token_once_and_it_signs_in(client: TestClient, contest: Contest) -> None:
    path = f"/join/{link(contest)}"
    assert "Join the team Echo" in client.get(path).text
    assert "Únete al equipo Echo" in client.get(f"{path}?lang=es").text
    client.cookies.clear()
    status, page = post(client, path, name="Ana Ruiz", email="a@x.org")
    assert status == 200
    match = re.search(r'name="token" value="([\w-]{43})"', page)
    assert match
    csrf = re.search(r'name="csrf" value="(\w+)"', page)
    assert csrf
    answer = client.post("/login", data={"csrf": csrf[1], "token": match[1]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/team")
    assert "a@x.org" not in client.get("/team").text


def test_the_page_refuses_what_is_wrong_and_many_refusals_wait(client: TestClient, contest: Contest) -> None:
    path = f"/join/{link(contest)}"
    assert client.post(path, data={"name": "Ana"}).status_code == 403  # no form of ours
    status, page = post(client, path, name="Ana", email="ana at x")
    assert (status, "an e-mail address is like ana@example.org" in page, 'value="ana at x"' in page) == (422, True, True)
    assert [post(client, path, name="", email="")[0] for _ in range(11)][-2:] == [429, 429]
    assert post(client, path, name="Bo")[0] == 200  # nobody is locked out by others' mistakes
    gone = client.get(f"/join/{link(contest, n_hours=1e-9)}")
    assert (gone.status_code, "expired on" in gone.text, "<form class" in gone.text) == (410, True, False)
    assert client.get("/join/unknown").status_code == 410
    assert "caducó" in client.get(f"/join/{link(contest, n_hours=1e-9)}?lang=es").text


def test_the_log_of_the_service_has_no_join_link(where: Path, contest: Contest) -> None:
    import urllib.error
    import urllib.request

    assert configure_log()["handlers"]["access"]
    token = link(contest)
    with running(where) as service:
        urllib.request.urlopen(f"{service.url}/join/{token}").read()
        service.process.terminate()
        service.process.wait(30)
    text = "".join(service.log)
    assert "/join/…" in text
    assert token not in text
