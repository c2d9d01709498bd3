"""The frame of every page: the clock, the language, the path of the board, and what is said when something fails."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from leaderboard.pages.render import format_span
from leaderboard.pages.texts import page_words
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from support.service import make


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "contest.db"


@pytest.fixture
def tokens(where: Path) -> dict[str, str]:
    return make(where, ["Ann", "Bob", "Cleo"])


@pytest.fixture
def client(where: Path, tokens: dict[str, str]) -> Iterator[TestClient]:
    settings = ServiceSettings(where=str(where), zone="Europe/Madrid")
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def test_the_deadline_is_told_in_utc_in_the_hosts_zone_and_as_a_span(tmp_path: Path) -> None:
    deadline = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3, minutes=12, seconds=40)
    make(tmp_path / "c.db", [], deadline=deadline)
    with TestClient(create_app(ServiceSettings(where=str(tmp_path / "c.db"), zone="Asia/Tokyo"))) as client:
        page = client.get("/").text
        spanish = client.get("/", headers={"Accept-Language": "es"}).text
    assert f"{deadline:%Y-%m-%d %H:%M} UTC" in page
    assert f"{deadline + timedelta(hours=9):%Y-%m-%d %H:%M} JST" in page
    assert re.search(r">in 3 h 1[12] min<", page)
    assert re.search(r">dentro de 3 h 1[12] min<", spanish)


def test_spans_leave_out_what_does_not_matter() -> None:
    spans = [format_span(page_words("en"), seconds) for seconds in (59, 3600, 86400 + 7200 + 60, 3 * 86400)]
    assert spans == ["0 min", "1 h 0 min", "1 d 2 h", "3 d 0 h"]


def test_the_language_is_the_browsers_or_the_links_and_is_kept(client: TestClient) -> None:
    assert '<html lang="es"' in client.get("/", headers={"Accept-Language": "es-MX,en;q=0.5"}).text
    page = client.get("/standings?sort=team&lang=es")
    assert "Clasificación" in page.text
    assert 'href="?sort=team&amp;lang=en"' in page.text
    assert '<html lang="es"' in client.get("/").text  # kept in a cookie
    assert '<html lang="en"' in client.get("/?lang=en").text


def test_below_a_path_of_another_site_every_link_carries_it(where: Path, tokens: dict[str, str]) -> None:
    app = create_app(ServiceSettings(where=str(where), root="/contest"))
    with TestClient(app, root_path="/contest", follow_redirects=False) as client:
        page = client.get("/contest/").text
        assert client.get("/contest/team").headers["location"] == "/contest/login"
        assert client.get("/contest/api/v1/team").json()["error"] == "token"
        assert client.get("/contest/static/board.css").status_code == 200
        links = re.findall(r'(?:href|src|action)="([^"#?]+)', page)
        assert links
        assert all(link.startswith("/contest/") for link in links)


def test_an_unforeseen_failure_is_a_page_without_a_trace(where: Path, tokens: dict[str, str]) -> None:
    app = create_app(ServiceSettings(where=str(where)))

    def broken() -> None:
        raise RuntimeError("the secret cause")

    app.add_api_route("/broken", broken)
    app.add_api_route("/api/broken", broken)
    with TestClient(app, raise_server_exceptions=False) as client:
        for path in ("/broken", "/api/broken"):
            answer = client.get(path)
            assert answer.status_code == 500
            assert "secret cause" not in answer.text
            assert "nothing was stored" in answer.text


def test_a_database_that_does_not_answer_is_told_without_its_name_and_the_log_has_the_reason(
    where: Path, tokens: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(create_app(ServiceSettings(where=str(where)))) as client:
        with closing(sqlite3.connect(where)) as connection:
            connection.execute("DROP TABLE contest")
        for path in ("/", "/healthz", "/api/v1/contest"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert str(where) not in answer.text
            assert "try again" in answer.text.casefold()
            assert f"{where} cannot be read (no such table: contest)" in caplog.text
            caplog.clear()
