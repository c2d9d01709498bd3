"""Pseudonyms: who may have which, who sets them, and that no public byte tells the name behind one."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

import arena.cli
from leaderboard import client as sender
from leaderboard.actions.host import HostDecision, assign_pseudonym, close_contest, rename
from leaderboard.actions.submit import submit
from leaderboard.classes.gradebook import build_winner_gradebook
from leaderboard.client import Endpoint
from leaderboard.contest.team_names import N_A_DAY, NameRequest
from leaderboard.contest.team_names import set_pseudonym as set_pseudonym_within
from leaderboard.errors import NameOften, NameRefused
from leaderboard.pages.publish import publish
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.store import open_contest
from reports.reading.contest import read_contest
from support.contests import NOW, made, send, solution
from support.service import host_token_of, make, submission

REAL = ("Zanahoria", "Quetzal", "Wombat")
HIDDEN, OPEN = REAL[:2], REAL[2]
PSEUDONYMS = {"Zanahoria": "<i>Nightjar</i>", "Quetzal": "Aye-aye & Söhne"}
WHY = HostDecision(reason="they asked for it", decided_at=NOW)


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "contest.db"


@pytest.fixture
def tokens(where: Path) -> dict[str, str]:
    return make(where, REAL)


@pytest.fixture
def client(where: Path, tokens: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app(ServiceSettings(where=str(where))), follow_redirects=False) as client:
        yield client


def csrf(client: TestClient, path: str) -> str:
    return re.findall(r'name="csrf" value="(\w+)"', client.get(path).text)[0]


def sign_in(client: TestClient, token: str) -> None:
    client.post("/login", data={"csrf": csrf(client, "/login"), "token": token})


def ask(client: TestClient, pseudonym: str, **more: str) -> tuple[int, str]:
    """Status and page after the form."""
    answer = client.post("/team/pseudonym", data={"csrf": csrf(client, "/team"), "pseudonym": pseudonym, **more})
    return answer.status_code, answer.text or answer.headers["location"]


def test_names_and_pseudonyms_share_one_space_both_ways(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta", "Gamma") as contest:
        alpha, beta = contest.team("Alpha"), contest.team("Beta")
        contest.set_pseudonym(alpha, " The  Fox ", NOW)
        for name in ("ALPHA", "the fox", "gamma", "\uff34he \uff26ox"):
            with pytest.raises(NameRefused, match=r"a pseudonym is a team's own and .* is taken"):
                contest.set_pseudonym(beta, name, NOW)
        with pytest.raises(NameRefused, match="'THE fox' is taken"):
            contest.add_team("THE fox", NOW)
        with pytest.raises(NameRefused, match="'The Fox' is taken"):
            rename(contest, beta, "The Fox", WHY)
        with pytest.raises(NameRefused, match="gives it away"):
            rename(contest, alpha, "Fox", WHY)
        assert contest.set_pseudonym(alpha, "The fox", NOW).shown_as == "The fox"
        contest.set_pseudonym(alpha, None, NOW)
        assert contest.set_pseudonym(beta, "the fox", NOW).shown_as == "the fox"


@pytest.mark.parametrize("pseudonym", ["ALPHA", "the alpha team", " alpha", "\uff41lpha"])
def test_a_pseudonym_that_tells_the_name_is_refused(tmp_path: Path, pseudonym: str) -> None:
    with made(str(tmp_path / "c.db"), solution(), "Alpha") as contest, pytest.raises(NameRefused, match="gives it away"):
        contest.set_pseudonym(contest.team("Alpha"), pseudonym, NOW)


@pytest.mark.parametrize("pseudonym", ["", "  ", "a\0b", "x" * 61, "a\u202eb", "\ud800"])
def test_a_pseudonym_that_cannot_be_shown_is_refused(tmp_path: Path, pseudonym: str) -> None:
    with (
        made(str(tmp_path / "c.db"), solution(), "Alpha") as contest,
        pytest.raises(NameRefused, match="1 to 60 characters that are seen"),
    ):
        contest.set_pseudonym(contest.team("Alpha"), pseudonym, NOW)


def test_two_teams_that_ask_for_one_at_the_same_moment_cannot_both_have_it(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        alpha, beta = contest.team("Alpha"), contest.team("Beta")
        refused: list[NameRefused] = []

        def asks() -> None:
            try:
                contest.set_pseudonym(beta, "Kestrel", NOW)
            except NameRefused as error:
                refused.append(error)

        asking = threading.Thread(target=asks)
        with contest.database.write() as connection:
            set_pseudonym_within(connection, alpha, "Kestrel", NameRequest(asked_at=NOW))
            asking.start()
            asking.join(0.5)  # it waits for this transaction; where it does not, it has the name before this one ends
        asking.join()
        assert len(refused) == 1
        assert {team.name: team.pseudonym for team in contest.teams()} == {"Alpha": "Kestrel", "Beta": None}


def test_every_change_stands_in_the_log_and_a_team_cannot_change_it_without_end(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha") as contest:
        alpha = contest.team("Alpha")
        for n in range(N_A_DAY):
            contest.set_pseudonym(alpha, f"fox {n}", NOW)
        assert contest.set_pseudonym(alpha, "fox 9", NOW).pseudonym == "fox 9"  # no change, no line
        with pytest.raises(NameOften, match="at most 10 times in 24 hours and team 'Alpha' has"):
            contest.set_pseudonym(alpha, "one more", NOW)
        assert assign_pseudonym(contest, alpha, None, WHY).shown_as == "Alpha"
        assert contest.set_pseudonym(alpha, "tomorrow", NOW + timedelta(hours=25)).shown_as == "tomorrow"
        log = contest.log()
        assert len(log) == N_A_DAY + 2
        assert {entry.action for entry in log} == {"pseudonym"}
        assert (log[0].reason, log[0].details) == ("asked by the team", {"before": None, "after": "fox 0"})
        assert (log[-2].reason, log[-2].details) == ("they asked for it", {"before": "fox 9", "after": None})


def test_equal_ranks_are_in_the_order_of_what_others_see(tmp_path: Path) -> None:
    with made(str(tmp_path / "c.db"), solution(), "Alpha", "Beta", "Gamma") as contest:
        for name in ("Alpha", "Beta", "Gamma"):
            send(contest, name)
        contest.set_pseudonym(contest.team("Alpha"), "Zebra", NOW)
        assert [line.shown_as for line in contest.board().lines] == ["Beta", "Gamma", "Zebra"]


def public_bytes(client: TestClient, where: Path, site: Path) -> dict[str, str]:
    """All that somebody without a token can read: pages in both languages and orders, API, exports, the report."""
    paths = [
        "/",
        "/standings",
        "/standings?sort=team&order=desc",
        "/standings?show=all",
        "/standings.csv",
        "/login",
        "/api",
        "/nothing",
        "/healthz",
        "/team",
    ]
    paths += ["/api/v1/standings", "/api/v1/contest", "/api/v1/team", "/api/openapi.json", "/static/board.js"]
    pages = {}
    for language in ("en", "es"):
        for path in paths:
            client.cookies.clear()
            answer = client.get(path, headers={"Accept-Language": language})
            pages[f"{language} {path}"] = f"{answer.headers}{answer.text}"
    with open_contest(where) as contest:
        for file in publish(contest, site, NOW):
            pages[f"publish {file.name}"] = file.read_text(encoding="utf-8")
        pages["sentence"] = contest.board().sentence
    pages["report"] = repr(read_contest(str(where)))
    return pages


@pytest.mark.parametrize("is_closed", [False, True])
def test_no_public_byte_tells_a_name_behind_a_pseudonym(
    client: TestClient, tokens: dict[str, str], where: Path, tmp_path: Path, is_closed: bool
) -> None:
    with open_contest(where) as contest:
        for name, pseudonym in PSEUDONYMS.items():
            contest.set_pseudonym(contest.team(name), pseudonym, NOW)
        for n, name in enumerate(REAL):
            submit(contest, name, submission(n), "p.csv", NOW)
        if is_closed:
            close_contest(contest, HostDecision(reason="over", decided_at=NOW))
    names = public_bytes(client, where, tmp_path / "site")
    for path, text in names.items():
        assert not [name for name in HIDDEN if name.casefold() in text.casefold()], path
    showing = [
        "en /standings",
        "es /standings",
        "en /standings.csv",
        "en /api/v1/standings",
        "publish index.html",
        "publish standings.json",
    ]
    for path in [*showing, "publish index.es.html", "publish standings.csv", "report"]:
        assert OPEN in names[path], path
        assert "Aye-aye" in names[path], path
    assert "&lt;i&gt;Nightjar" in names["en /standings"]
    assert not [
        path for path, text in names.items() if "<i>Nightjar" in text and path.split(".")[-1] in ("html", "en /standings")
    ]
    with open_contest(where) as contest:  # what is not public has the names
        assert all(name in build_winner_gradebook(contest) for name in REAL)
        assert not any(pseudonym in build_winner_gradebook(contest) for pseudonym in PSEUDONYMS.values())


def test_a_team_sets_and_drops_its_pseudonym_on_its_page_and_sees_both(
    client: TestClient, tokens: dict[str, str], where: Path
) -> None:
    sign_in(client, tokens["Zanahoria"])
    assert "Others see your team by its name, Zanahoria." in client.get("/team").text
    assert ask(client, "<i>Night</i>") == (303, "/team#shown-as")
    page = client.get("/team").text
    assert "Others see your team as &lt;i&gt;Night&lt;/i&gt;; the host sees its name too." in page
    assert "<h1>Zanahoria</h1>" in page
    assert ask(client, "  ") == (303, "/team#shown-as")  # an empty field
    assert "by its name, Zanahoria" in client.get("/team").text
    with open_contest(where) as contest:
        host = host_token_of(contest)
    assert ask(client, "Nightjar", drop="1") == (303, "/team#shown-as")
    ask(client, "Nightjar")
    client.cookies.clear()
    client.post("/login", data={"csrf": csrf(client, "/login"), "token": host})
    page = client.get("/host").text
    assert "Zanahoria</a> <span" in page
    assert "(Nightjar)" in page


def test_a_refused_pseudonym_is_explained_in_the_readers_language_and_nothing_changes(
    client: TestClient, tokens: dict[str, str], where: Path
) -> None:
    sign_in(client, tokens["Zanahoria"])
    status, page = ask(client, "quetzal")
    assert status == 422
    assert "The pseudonym was not changed." in page
    assert 'value="quetzal"' in page
    assert "autofocus" in page  # the form is at the end of a long page
    assert "a pseudonym is a team&#39;s own and &#39;quetzal&#39; is taken; give another" in page
    client.get("/team?lang=es")
    _, page = ask(client, "quetzal")
    assert "un seudónimo es solo de un equipo y &#39;quetzal&#39; ya lo tiene otro" in page
    assert 'lang="en"' not in page[page.index('role="alert"') :].split("</div>")[0]
    with open_contest(where) as contest:
        assert contest.team("Zanahoria").pseudonym is None


def test_the_form_needs_its_token_and_a_team(client: TestClient, tokens: dict[str, str], where: Path) -> None:
    assert client.post("/team/pseudonym", data={"pseudonym": "x"}).headers["location"] == "/login"
    sign_in(client, tokens["Zanahoria"])
    assert client.post("/team/pseudonym", data={"pseudonym": "x"}).status_code == 403
    data = {"csrf": csrf(client, "/team"), "pseudonym": "x"}
    assert client.post("/team/pseudonym", data=data, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.get("/team/pseudonym?lang=es").headers["location"] == "/team?lang=es#shown-as"
    with open_contest(where) as contest:
        assert contest.log() == []


def test_programs_set_and_drop_it_and_are_told_why_not(client: TestClient, tokens: dict[str, str]) -> None:
    def put(token: str, body: object) -> tuple[int, dict[str, object]]:
        answer = client.put("/api/v1/team/pseudonym", json=body, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.json()

    token = tokens["Zanahoria"]
    assert put(token, {"pseudonym": " Night  jar "})[1]["pseudonym"] == "Night jar"
    assert client.get("/api/v1/team", headers={"Authorization": f"Bearer {token}"}).json()["pseudonym"] == "Night jar"
    status, answer = put(tokens["Quetzal"], {"pseudonym": "night jar"})
    assert (status, answer["error"]) == (422, "name")
    assert put(token, {"pseudonym": None})[1]["pseudonym"] is None
    assert put("nobody", {"pseudonym": None})[0] == 401
    assert put(token, {})[0] == 422
    for n in range(N_A_DAY - 2):
        assert put(token, {"pseudonym": f"fox {n}"})[0] == 200
    assert (put(token, {"pseudonym": "again"})[0], put(token, {"pseudonym": "again"})[1]["error"]) == (429, "name")


def test_the_hosts_command_needs_a_reason_and_says_what_others_see(where: Path, tokens: dict[str, str]) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(arena.cli.app, ["contest", "pseudonym", *words, "--contest", str(where)])
        return done.exit_code, done.output

    assert run("Zanahoria", "Nightjar")[0] == 2
    assert run("Zanahoria", "--reason", "why")[0] == 2
    assert run("zanahoria", "Nightjar", "--reason", "why") == (0, "others see Zanahoria as Nightjar\n")
    listed = CliRunner().invoke(arena.cli.app, ["contest", "team", "list", "--contest", str(where), "--json"])
    assert {"team": "Zanahoria", "pseudonym": "Nightjar", "n_attempts": 0} in json.loads(listed.output)
    assert "Nightjar" in CliRunner().invoke(arena.cli.app, ["contest", "team", "list", "--contest", str(where)]).output
    with open_contest(where) as contest:
        submit(contest, "Zanahoria", submission(1), "p.csv", NOW)
    visible = (
        CliRunner().invoke(arena.cli.app, ["contest", "standings", "--contest", str(where)], env={"COLUMNS": "200"}).output
    )
    assert "Zanahoria (shown as Nightjar)" in visible
    assert run("Zanahoria", "--remove", "--reason", "no") == (0, "others see Zanahoria by its name\n")


def test_the_teams_command_asks_the_service(
    client: TestClient, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered(request: object, door: Endpoint, tell: object) -> dict[str, object]:
        request_class = sender.urllib.request.Request
        assert isinstance(request, request_class)
        headers = {key: value for key, value in request.header_items() if key != "Host"}
        answer = client.request(request.get_method(), request.selector, content=request.data, headers=headers)
        if answer.status_code != 200:
            raise sender.ClientError(answer.json()["message"])
        pages: dict[str, object] = answer.json()
        return pages

    monkeypatch.setattr(sender, "_fetch", answered)

    def run(*words: str) -> tuple[int, str]:
        environment = {"ARENA_TOKEN": tokens["Zanahoria"], "ARENA_ADDRESS": "http://127.0.0.1"}
        done = CliRunner().invoke(arena.cli.app, ["pseudonym", *words], env=environment)
        return done.exit_code, done.output

    assert run("Nightjar") == (0, "others see Zanahoria as Nightjar\n")
    assert run("--remove", "--json") == (0, '{\n  "team": "Zanahoria",\n  "pseudonym": null\n}\n')
    assert run("Wombat") == (1, "error: a pseudonym is a team's own and 'Wombat' is taken; give another\n")
    assert run()[0] == 2
    assert run("Nightjar", "--remove")[0] == 2
