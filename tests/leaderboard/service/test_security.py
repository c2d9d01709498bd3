"""Forged forms, guessed tokens, large bodies, injected names, private scores: what must not get through."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.pages.publish import publish
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.service.security import Failures, is_from_us
from leaderboard.standings import Part
from leaderboard.store import open_contest
from support import service as web_world
from support.service import NOW, host_token_of, make, running, submission

EVIL = '<script>alert("x")</script>'
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "contest.db"


@pytest.fixture
def tokens(where: Path) -> dict[str, str]:
    return make(where, ["Ann", EVIL, FORMULA])


@pytest.fixture
def client(where: Path, tokens: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app(ServiceSettings(where=str(where), max_bytes=100_000)), follow_redirects=False) as client:
        yield client


def csrf(client: TestClient, path: str = "/login") -> str:
    match = re.search(r'name="csrf" value="(\w+)"', client.get(path).text)
    assert match
    return match[1]


def sign_in(client: TestClient, token: str) -> None:
    answer = client.post("/login", data={"csrf": csrf(client), "token": token})
    assert (answer.status_code, answer.headers["location"]) in [(303, "/team"), (303, "/host")]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_every_answer_carries_the_policy_and_no_page_has_inline_script_or_style(
    client: TestClient, tokens: dict[str, str]
) -> None:
    sign_in(client, tokens["Ann"])
    client.post("/attempts", data={"csrf": csrf(client, "/team")}, files={"file": ("a.csv", submission(1))})
    for path in (
        "/",
        "/team",
        "/attempts/1",
        "/validate",
        "/host",
        "/login",
        "/api",
        "/nope",
        "/api/v1/contest",
        "/static/board.css",
    ):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        if "html" in answer.headers["content-type"]:
            assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", answer.text)
            assert answer.headers["cache-control"] == "no-store"


def test_the_session_cookie_is_for_no_script_and_no_other_site(client: TestClient, tokens: dict[str, str]) -> None:
    answer = client.post("/login", data={"csrf": csrf(client), "token": tokens["Ann"]})
    (cookie,) = [value for value in answer.headers.get_list("set-cookie") if "arena_token" in value]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


def test_behind_https_cookies_are_sent_by_https_only(where: Path, tokens: dict[str, str]) -> None:
    with TestClient(create_app(ServiceSettings(where=str(where), is_https=True)), base_url="https://c.example") as client:
        sent = client.post("/login", data={"csrf": csrf(client), "token": tokens["Ann"]}, follow_redirects=False)
        cookies = sent.headers.get_list("set-cookie")
        assert cookies
        assert all("Secure" in cookie and cookie.startswith("__Host-") for cookie in cookies)
        assert "max-age" in sent.headers["strict-transport-security"]


@pytest.mark.parametrize("path", ["/attempts", "/validate", "/login", "/logout"])
@pytest.mark.parametrize("forgery", ["no token", "wrong token", "other origin", "other site"])
def test_a_form_that_is_not_ours_does_nothing(
    client: TestClient, tokens: dict[str, str], where: Path, path: str, forgery: str
) -> None:
    sign_in(client, tokens["Ann"])
    good = csrf(client, "/team")
    data = {} if forgery == "no token" else {"csrf": "0" * 64 if forgery == "wrong token" else good}
    headers = {"other origin": {"Origin": "https://evil.example"}, "other site": {"Sec-Fetch-Site": "cross-site"}}
    answer = client.post(path, data=data, files={"file": ("a.csv", submission(1))}, headers=headers.get(forgery, {}))
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    with open_contest(where) as contest:
        assert contest.attempts(contest.team("Ann")) == ()


def test_a_browser_that_names_our_own_host_as_origin_is_believed() -> None:
    from starlette.datastructures import Headers

    assert is_from_us(Headers({"host": "c.example:8000", "origin": "http://c.example:8000", "sec-fetch-site": "same-origin"}))
    for origin in ("null", "http://[", "http://c.example:x"):
        assert not is_from_us(Headers({"host": "c.example", "origin": origin}))


def test_a_cookie_does_not_open_the_api(client: TestClient, tokens: dict[str, str]) -> None:
    sign_in(client, tokens["Ann"])
    assert client.get("/api/v1/team").status_code == 401
    assert client.post("/api/v1/attempts", content=submission(1)).status_code == 401


@pytest.mark.parametrize("path", ["/attempts", "/validate", "/api/v1/attempts", "/api/v1/validate"])
@pytest.mark.parametrize("is_told", [True, False])
def test_a_file_is_read_to_its_limit_and_no_further(
    client: TestClient, tokens: dict[str, str], path: str, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, tokens["Ann"])
    n_read = 0

    def endless() -> Iterator[bytes]:
        nonlocal n_read
        form = f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{token}\r\n--x\r\n'
        yield (form + 'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n').encode()
        while n_read < 5_000_000:
            n_read += 10_000
            yield b"y" * 10_000

    token = csrf(client, "/team")
    headers = {**bearer(tokens["Ann"]), "Content-Type": "text/csv" if "api" in path else "multipart/form-data; boundary=x"}
    body = b"".join(endless()) if is_told else endless()
    n_read = 0 if not is_told else n_read
    answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == 413
    assert "0.1 MB" in answer.text


@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/v1/team/pseudonym"), ("POST", "/login"), ("POST", "/logout")])
def test_where_no_file_is_taken_little_is_read_of_strangers(client: TestClient, method: str, path: str) -> None:
    if method == "PUT":
        answer = client.request(method, path, content=b"[" + b"[]," * 3000, headers={"Content-Type": "application/json"})
        assert answer.json()["error"] == "too_large"
    else:
        answer = client.request(method, path, files={"file": ("a.csv", b"y" * 9000)})
    assert answer.status_code == 413


def test_a_form_in_a_charset_that_cannot_be_read_is_a_broken_form(client: TestClient, tokens: dict[str, str]) -> None:
    form = '--x\r\nContent-Disposition: form-data; name="file"; filename="a-\u00e9.csv"\r\n\r\nid,label\r\n--x--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x; charset=undefined"}
    answer = client.post("/api/v1/validate", content=form.encode(), headers=bearer(tokens["Ann"]) | kind)
    assert (answer.status_code, answer.json()["error"]) == (400, "request")


def test_wrong_tokens_of_programs_and_stale_cookies_are_refused_and_keep_nobody_waiting(
    client: TestClient, tokens: dict[str, str]
) -> None:
    sign_in(client, tokens["Ann"])
    (name,) = [name for name in client.cookies if "arena_token" in name]
    wrong = [client.get("/api/v1/team", headers=bearer(f"guess{n}")) for n in range(12)]
    assert {answer.status_code for answer in wrong} == {401}
    client.cookies.clear()
    for n in range(12):
        assert client.get("/team", headers={"Cookie": f"{name}=stale{n}"}).headers["location"] == "/login"
    sign_in(client, tokens[EVIL])


def test_eleven_wrong_tokens_of_one_beginning_wait_at_sign_in_and_no_right_one_does(
    client: TestClient, tokens: dict[str, str]
) -> None:
    def post(token: str) -> Response:
        return client.post("/login", data={"csrf": csrf(client), "token": token})

    answers = [post(tokens["Ann"][:12] + f"guess{n}") for n in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 300
    assert "wait 5 min" in answers[-1].text
    assert post("another").status_code == 401
    sign_in(client, tokens[EVIL])
    sign_in(client, tokens["Ann"])


def test_wrong_tokens_are_forgotten_after_five_minutes() -> None:
    failures = Failures()
    assert [failures.record(f"12345678{n}", 100.0 + n) for n in range(10)] == [0.0] * 10
    assert failures.record("12345678x", 110.0) == pytest.approx(290.0)
    assert failures.record("1234567-x", 110.0) == 0
    assert failures.record("12345678x", 401.0) == 0


@pytest.mark.parametrize("is_https", [False, True])
def test_contests_of_one_host_neither_sign_each_other_out_nor_take_each_others_forms(tmp_path: Path, is_https: bool) -> None:
    """Two contests by path, and a copy of the first, as a browser sees them: one jar of cookies."""
    tokens = make(tmp_path / "a.db", ["Ann"])
    other = make(tmp_path / "b.db", ["Bob"])
    (tmp_path / "copy.db").write_bytes((tmp_path / "a.db").read_bytes())
    files = {"a": ("a.db", tokens["Ann"]), "b": ("b.db", other["Bob"]), "copy": ("copy.db", tokens["Ann"])}
    jar: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        clients = {}
        for name, (file, _) in files.items():
            settings = ServiceSettings(where=str(tmp_path / file), root=f"/{name}", is_https=is_https)
            scheme = "https" if is_https else "http"
            app = TestClient(create_app(settings), base_url=f"{scheme}://c.example", follow_redirects=False)
            clients[name] = stack.enter_context(app)

        def ask(name: str, method: str, path: str, **data: str) -> Response:
            clients[name].cookies.clear()
            sent = {"Cookie": "; ".join(f"{key}={value}" for key, value in jar.items())}
            answer = clients[name].request(method, path, data=data, headers=sent)
            for line in answer.headers.get_list("set-cookie"):
                for key, morsel in SimpleCookie(line).items():
                    jar[key] = morsel.value
            return answer

        def form(name: str, path: str) -> str:
            match = re.search(r'name="csrf" value="(\w+)"', ask(name, "GET", path).text)
            assert match
            return match[1]

        for name, (_, token) in files.items():
            answer = ask(name, "POST", "/login", csrf=form(name, "/login"), token=token)
            assert answer.headers["location"] == f"/{name}/team"
        assert [ask(name, "GET", "/team").status_code for name in files] == [200, 200, 200]
        assert ask("a", "POST", "/logout", csrf=form("a", "/team")).status_code == 303
        assert [ask(name, "GET", "/team").status_code for name in files] == [303, 200, 200]
        assert all(name.startswith("__Host-") for name in jar) is is_https


def test_head_answers_on_every_page_as_get_does_without_a_body(client: TestClient, tokens: dict[str, str]) -> None:
    sign_in(client, tokens["Ann"])
    for path in (
        "/",
        "/login",
        "/team",
        "/validate",
        "/api",
        "/standings.csv",
        "/static/board.css",
        "/healthz",
        "/api/v1/contest",
    ):
        get, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        assert head.headers["content-type"] == get.headers["content-type"]
    assert client.head("/nope").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/login", "GET, HEAD, POST"),
        ("DELETE", "/", "GET, HEAD"),
        ("GET", "/logout", "POST"),
        ("HEAD", "/logout", "POST"),
        ("POST", "/static/board.css", "GET, HEAD"),
        ("GET", "/api/v1/attempts", "POST"),
        ("PATCH", "/api/v1/team", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_answered_with_those_that_it_takes(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_a_revoked_token_ends_the_session(client: TestClient, tokens: dict[str, str], where: Path) -> None:
    sign_in(client, tokens["Ann"])
    assert client.get("/team").status_code == 200
    with open_contest(where) as contest:
        contest.revoke_tokens(contest.team("Ann"), NOW)
    assert client.get("/team").headers["location"] == "/login"


def test_the_hosts_page_and_answers_are_for_the_hosts_token_alone(
    client: TestClient, tokens: dict[str, str], where: Path
) -> None:
    for path in ("/host", "/host/gradebook.csv"):
        assert client.get(path).headers["location"] == "/login"
    assert client.get("/api/v1/host", headers=bearer(tokens["Ann"])).status_code == 403
    sign_in(client, tokens["Ann"])
    for path in ("/host", "/host/gradebook.csv"):
        assert client.get(path).status_code == 403
    with open_contest(where) as contest:
        token = host_token_of(contest)
    sign_in(client, token)
    assert client.get("/host").status_code == 200
    assert client.get("/api/v1/host", headers=bearer(token)).status_code == 200
    assert client.post("/api/v1/attempts", content=submission(1), headers=bearer(token)).status_code == 403


def test_a_teams_name_and_file_are_text_on_every_page_and_no_formula_in_any_table(
    client: TestClient, tokens: dict[str, str], where: Path
) -> None:
    for name in (EVIL, FORMULA):
        sent = {"file_name": "../../<b>x</b>.csv"}
        answer = client.post("/api/v1/attempts", content=submission(1), params=sent, headers=bearer(tokens[name]))
        assert answer.status_code == 201
    sign_in(client, tokens[EVIL])
    pages = [client.get(path).text for path in ("/standings", "/team", "/attempts/1")]
    with open_contest(where) as contest:
        sign_in(client, host_token_of(contest))
    pages += [client.get("/host").text]
    assert all("<script>alert" not in page and "<b>x" not in page for page in pages)
    assert all("&lt;script&gt;" in page for page in pages[:2])
    for table in (client.get("/standings.csv").text, client.get("/host/gradebook.csv").text):
        assert f"'{FORMULA}" in table
        assert not re.search(r"(^|,)[=+@]", table, re.MULTILINE)


def _all_numbers(where: Path, part: Part) -> set[str]:
    with open_contest(where) as contest:
        numbers: set[str] = set()
        for line in contest.standings(part):
            for number in (line.score, line.interval.low, line.interval.high):
                numbers |= {rf"\b{number:.4f}\b", re.escape(repr(number)[:12])}
    return numbers


def _public_bytes(client: TestClient, tokens: dict[str, str], where: Path, folder: Path) -> list[str]:
    texts = [
        client.get(path).text
        for path in ("/standings", "/standings?show=all&sort=final&order=desc", "/standings.csv", "/api/openapi.json")
    ]
    texts += [client.get(path).text for path in ("/api/v1/contest", "/api/v1/standings")]
    for name, token in tokens.items():
        answer = client.post("/api/v1/attempts", content=submission(len(name)), headers=bearer(token))
        texts += [answer.text, str(answer.headers)]
        texts += [client.get(f"/api/v1/{path}", headers=bearer(token)).text for path in ("team", "attempts/1")]
        sign_in(client, token)
        texts += [client.get(path).text for path in ("/", "/team", "/attempts/1")]
    with open_contest(where) as contest:
        texts += [path.read_text(encoding="utf-8") for path in publish(contest, folder, NOW)]
    return texts


def test_private_scores_are_in_no_public_byte_before_the_contest_is_closed(
    client: TestClient, tokens: dict[str, str], where: Path, tmp_path: Path
) -> None:
    before = _public_bytes(client, tokens, where, tmp_path / "before")
    secret = _all_numbers(where, Part.PRIVATE) - _all_numbers(where, Part.PUBLIC)
    assert len(secret) > 10
    assert [number for number in secret for text in before if re.search(number, text)] == []
    _close(where)
    after = _public_bytes(client, tokens, where, tmp_path / "after")
    assert any(re.search(number, text) for number in secret for text in after)  # the search finds them where they are


def _close(where: Path) -> None:
    with open_contest(where) as contest:
        close_contest(contest, HostDecision(reason="the course is over", decided_at=NOW))


def test_the_log_of_a_process_holds_no_token(where: Path, tokens: dict[str, str]) -> None:
    import urllib.request

    with running(where) as service:
        request = urllib.request.Request(f"{service.url}/api/v1/team", headers=bearer(tokens["Ann"]))
        with urllib.request.urlopen(request, timeout=web_world.WAIT_S) as answer:
            assert answer.status == 200
    log = "".join(service.log)
    assert '"GET /api/v1/team HTTP/1.1" 200' in log
    assert not [token for token in tokens.values() if token in log]


def test_a_setting_does_not_print_the_databases_password() -> None:
    assert "secret" not in repr(ServiceSettings(where="postgresql://arena:secret@db/contest"))
