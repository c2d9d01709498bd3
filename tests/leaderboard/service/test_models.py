"""Nets that teams send to the service, by form and by API: looked at, never run there, free, kept whole."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import pickle
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import anyio
import pytest
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.testclient import TestClient

from leaderboard import client as client_of_service
from leaderboard.actions import submit_model as model_entry
from leaderboard.actions.host import HostDecision, close_contest, disqualify
from leaderboard.client import Endpoint, Unreachable
from leaderboard.database import schema
from leaderboard.files.solution import parse_solution
from leaderboard.service import upload as web_upload
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.service.guard import BodyTooLarge
from leaderboard.store import create_contest, open_contest
from leaderboard.verification.sent_models import N_MODELS, read_model_content, read_sent_models
from support.contests import run
from support.onnx_models import external, first_samples, model_of, rows, write_audio
from support.service import NOW, WAIT_S, running, token_of

GOOD, OTHER = model_of(first_samples()), model_of(first_samples(1))
LIMIT = 100_000


BOTH = pytest.mark.parametrize("where", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The place of the contest: a file, or where the test asks for both databases also a server."""
    is_server = getattr(request, "param", "sqlite") == "postgres"
    return str(request.getfixturevalue("postgres_url")) if is_server else str(tmp_path / "contest.db")


@pytest.fixture
def tokens(where: str) -> dict[str, str]:
    """Those of the teams of a new contest."""
    with create_contest(where, solution=parse_solution(rows(), "solution.csv"), name="Digits", now=NOW) as contest:
        return {name: token_of(contest, name) for name in ("Ann", "Bob")}


@pytest.fixture
def client(where: str, tokens: dict[str, str]) -> Iterator[TestClient]:
    settings = ServiceSettings(where=where, max_bytes=LIMIT // 2, max_model_bytes=LIMIT)
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def csrf(client: TestClient, path: str) -> str:
    match = re.search(r'name="csrf" value="(\w+)"', client.get(path).text)
    assert match
    return match[1]


def sign_in(client: TestClient, token: str) -> None:
    assert client.post("/login", data={"csrf": csrf(client, "/login"), "token": token}).headers["location"] == "/team"


def send(client: TestClient, file: bytes, model: bytes | None, path: str = "/attempts") -> tuple[int, str, str]:
    """Status, where the browser is sent on to, page; of the form as browsers send it, with an empty field for no file."""
    files = {"file": ("mine.csv", file), "model": ("net.onnx", model) if model is not None else ("", b"")}
    answer = client.post(path, data={"csrf": csrf(client, "/team"), "again": "on"}, files=files)
    return answer.status_code, answer.headers.get("location", ""), answer.text


def add(client: TestClient, number: int, model: bytes) -> tuple[int, str, str]:
    token = csrf(client, "/team")
    answer = client.post(f"/attempts/{number}/model", data={"csrf": token}, files={"model": ("net.onnx", model)})
    return answer.status_code, answer.headers.get("location", ""), answer.text


def api(client: TestClient, method: str, path: str, token: str, **request: Any) -> tuple[int, dict[str, Any]]:
    answer = client.request(method, f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}, **request)
    return answer.status_code, answer.json()


def n_stored(where: str) -> tuple[int, int, int]:
    """Return the numbers of attempts, models and files; one file is the solution."""
    with open_contest(where) as contest, contest.database.read() as connection:
        tables = (schema.attempts, schema.models, schema.files)
        attempts, models, files = (connection.scalar(select(func.count()).select_from(table)) for table in tables)
        return int(attempts or 0), int(models or 0), int(files or 0)


@BOTH
def test_a_net_that_comes_with_a_file_lies_beside_its_attempt_and_the_host_verifies_it(
    client: TestClient, tokens: dict[str, str], where: str, tmp_path: Path
) -> None:
    sign_in(client, tokens["Ann"])
    assert send(client, rows(), GOOD)[:2] == (303, "/attempts/1")
    page = client.get("/attempts/1").text
    assert "Attempt 1 is scored" in page
    assert "<strong>net.onnx</strong>. The host has not run it yet." in page
    assert '<span class="tag soft">model sent</span>' in client.get("/standings").text
    with open_contest(where) as contest:
        (model,) = read_sent_models(contest, contest.teams())
        assert read_model_content(contest, model.digest) == GOOD
    assert run(where, "verify", "--all-teams", "--audio", write_audio(tmp_path))[0] == 0
    page = client.get("/attempts/1").text
    assert "The host ran it again, and it gives the same answers." in page
    assert "12 of 12 rows equal" in page
    assert 'name="model"' not in page  # takes no other
    assert '<span class="tag">re-run: same answers</span>' in client.get("/standings").text


@BOTH
def test_a_net_can_be_added_to_a_scored_attempt_until_the_contest_closes_and_costs_none(
    client: TestClient, tokens: dict[str, str], where: str, tmp_path: Path
) -> None:
    sign_in(client, tokens["Ann"])
    for n in range(3):
        assert send(client, rows(n_blank=n), None)[0] == 303
    assert "All attempts are used" in client.get("/team").text
    assert add(client, 2, OTHER)[:2] == (303, "/attempts/2?model=1")
    assert n_stored(where)[:2] == (3, 1)
    assert run(where, "verify", "--all-teams", "--audio", write_audio(tmp_path))[0] == 1
    assert '<a href="/attempts/1#model-part">add one' in client.get("/team").text
    assert (
        '<span class="tag bad">model differs</span>' not in client.get("/standings").text
    )  # attempt 1 counts, among equal scores
    page = client.get("/attempts/2?lang=es").text
    assert "no da las mismas respuestas" in page
    assert "8 differ" in page
    assert '<span class="tag bad">difiere</span>' in page
    assert send(client, rows(n_blank=1), GOOD)[:2] == (303, "/attempts/2?before=1")  # the same file again brings the net too
    assert "La organización todavía no lo ha ejecutado" in client.get("/attempts/2").text
    with open_contest(where) as contest:
        close_contest(contest, HostDecision(reason="over", decided_at=NOW))
    status, _, page = add(client, 1, GOOD)
    assert (status, "El concurso está cerrado" in page) == (403, True)
    assert add(client, 2, GOOD)[0] == 303  # lies there already
    assert 'name="model"' not in client.get("/attempts/1").text
    assert n_stored(where)[:2] == (3, 2)


@pytest.mark.parametrize(
    ("model", "status", "message", "dicho"),
    [
        (pickle.dumps([1.5]), 422, "net.onnx is a pickle, which is never opened,", "net.onnx es un pickle"),
        (GOOD[:40], 422, "net.onnx is no ONNX model", "net.onnx no es un modelo ONNX"),
        (model_of(external()), 422, "keeps its weights in another file", "guarda sus pesos en otro archivo"),
        (GOOD + b"\x32\xa0\x8d\x06" + bytes(100_000), 413, "up to 0.1 MB are read", "se leen hasta 0.1 MB"),
    ],
    ids=["pickle", "cut off", "weights elsewhere", "too large"],
)
def test_a_refused_net_costs_no_attempt_and_nothing_of_it_is_kept(
    client: TestClient, tokens: dict[str, str], where: str, model: bytes, status: int, message: str, dicho: str
) -> None:
    sign_in(client, tokens["Ann"])
    assert send(client, rows(), None)[0] == 303
    before = n_stored(where)
    for path in ("/attempts", "/validate"):
        answer = send(client, rows(1), model, path)
        assert (answer[0], message in answer[2]) == (status, True), answer[2]
    answer = add(client, 1, model)
    assert (answer[0], message in answer[2]) == (status, True), answer[2]
    client.get("/?lang=es")
    assert dicho in add(client, 1, model)[2]
    for answered in (
        api(client, "POST", "attempts", tokens["Ann"], files={"file": ("a.csv", rows(1)), "model": ("net.onnx", model)}),
        api(client, "POST", "validate", tokens["Ann"], files={"file": ("a.csv", rows(1)), "model": ("net.onnx", model)}),
        api(client, "PUT", "attempts/1/model", tokens["Ann"], content=model, params={"file_name": "net.onnx"}),
    ):
        assert answered[0] == status
        assert answered[1]["error"] == ("too_large" if status == 413 else "model")
    assert n_stored(where) == before


def test_the_api_tells_what_lies_beside_an_attempt(client: TestClient, tokens: dict[str, str]) -> None:
    files = {"file": ("a.csv", rows()), "model": ("../net.onnx", GOOD)}
    status, receipt = api(client, "POST", "attempts", tokens["Ann"], files=files)
    assert (status, receipt["n_left"]) == (201, 2)
    assert receipt["attempt"]["file_name"] == "a.csv"
    beside = receipt["attempt"]["model"]
    assert (beside["file_name"], beside["state"], beside["remark"]) == ("net.onnx", "carried", "")
    status, again = api(client, "POST", "attempts", tokens["Ann"], files=files)
    assert (status, again["is_new"], again["attempt"]["model"]) == (200, False, beside)
    status, taken = api(client, "PUT", "attempts/1/model", tokens["Ann"], content=GOOD)
    assert (status, taken) == (200, {"team": "Ann", "attempt": 1, "model": beside, "is_new": False})
    status, taken = api(client, "PUT", "attempts/1/model", tokens["Ann"], content=OTHER, params={"file_name": "b.onnx"})
    assert (status, taken["is_new"], taken["model"]["file_name"]) == (201, True, "b.onnx")
    assert api(client, "GET", "team", tokens["Ann"])[1]["attempts"][0]["model"] == taken["model"]
    assert client.get("/api/v1/standings").json()["lines"][0]["model"] == "carried"
    status, checked = api(client, "POST", "validate", tokens["Ann"], files=files)
    assert (status, checked["model_name"], checked["n_rows"]) == (200, "net.onnx", 12)
    status, answer = api(client, "POST", "attempts", tokens["Ann"], files={"model": ("net.onnx", GOOD)})
    assert (status, "no file in its field file" in answer["message"]) == (400, True)


@BOTH
def test_nets_for_no_attempt_of_the_team_or_for_one_that_takes_no_more_are_refused(
    client: TestClient, tokens: dict[str, str], where: str, tmp_path: Path
) -> None:
    api(client, "POST", "attempts", tokens["Ann"], content=rows())
    assert api(client, "PUT", "attempts/2/model", tokens["Ann"], content=GOOD)[0] == 404
    assert api(client, "PUT", "attempts/1/model", tokens["Bob"], content=GOOD)[0] == 404  # that one is Ann's
    assert api(client, "PUT", "attempts/1/model", "nonsense", content=GOOD)[0] == 401
    sign_in(client, tokens["Bob"])
    assert add(client, 1, GOOD)[0] == 404
    for n in range(N_MODELS):
        assert api(client, "PUT", "attempts/1/model", tokens["Ann"], content=model_of(first_samples(), run=str(n)))[0] == 201
    status, answer = api(client, "PUT", "attempts/1/model", tokens["Ann"], content=GOOD)
    assert (status, answer["error"]) == (409, "limit")
    assert f"at most {N_MODELS} models" in answer["message"]
    assert run(where, "verify", "--all-teams", "--audio", write_audio(tmp_path))[0] == 0
    status, answer = api(client, "PUT", "attempts/1/model", tokens["Ann"], content=GOOD)
    assert (status, "gave the same answers" in answer["message"]) == (409, True)
    with open_contest(where) as contest:
        disqualify(contest, contest.team("Bob"), HostDecision(reason="copied", decided_at=NOW))
    assert api(client, "PUT", "attempts/1/model", tokens["Bob"], content=GOOD)[0] == 404
    with open_contest(where) as contest:
        disqualify(contest, contest.team("Ann"), HostDecision(reason="copied", decided_at=NOW))
    assert api(client, "PUT", "attempts/1/model", tokens["Ann"], content=GOOD)[1]["error"] == "team"


def test_refused_nets_count_as_refused_files(client: TestClient, tokens: dict[str, str]) -> None:
    assert api(client, "POST", "attempts", tokens["Ann"], content=rows())[0] == 201
    for _ in range(30):
        assert api(client, "PUT", "attempts/1/model", tokens["Ann"], content=b"nonsense")[0] == 422
        files = {"file": ("a.csv", rows(1)), "model": ("net.onnx", b"nonsense")}
        assert api(client, "POST", "attempts", tokens["Ann"], files=files)[0] == 422
    status, answer = api(client, "PUT", "attempts/1/model", tokens["Ann"], content=GOOD)
    assert (status, answer["error"]) == (429, "refusals")
    assert api(client, "POST", "attempts", tokens["Ann"], content=rows(1))[0] == 429


def test_a_net_is_only_taken_from_a_form_of_ours(client: TestClient, tokens: dict[str, str], where: str) -> None:
    assert api(client, "POST", "attempts", tokens["Ann"], content=rows())[0] == 201
    files = {"model": ("net.onnx", GOOD)}
    assert client.post("/attempts/1/model", files=files).headers["location"] == "/login"
    sign_in(client, tokens["Ann"])
    good = csrf(client, "/attempts/1")
    for data, headers in (({"csrf": "0" * 64}, {}), ({}, {}), ({"csrf": good}, {"Origin": "https://evil.example"})):
        assert client.post("/attempts/1/model", data=data, files=files, headers=headers).status_code == 403
    assert client.put("/api/v1/attempts/1/model", content=GOOD).status_code == 401  # a cookie opens no API
    assert n_stored(where)[1] == 0
    assert client.post("/attempts/1/model", data={"csrf": good}, files=files).status_code == 303
    assert client.post("/attempts/1/model", data={"csrf": good}, files={"model": ("", b"")}).status_code == 422


@pytest.mark.parametrize(("field", "most"), [("file", 5000), ("model", 30_000), ("other", 4096)])
def test_each_file_of_a_form_is_read_to_its_own_limit(field: str, most: int) -> None:
    read_bytes = 0

    async def receive() -> dict[str, Any]:
        nonlocal read_bytes
        head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="a"\r\n\r\n'.encode() * (not read_bytes)
        read_bytes += 1000
        return {"type": "http.request", "body": head + b"y" * 1000, "more_body": read_bytes < 1_000_000}

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    with pytest.raises(BodyTooLarge) as caught:
        anyio.run(web_upload.read_form, request, {"file": 5000, "model": 30_000})
    assert caught.value.is_model == (field == "model")
    assert most < read_bytes <= most + 1000


@BOTH
def test_a_net_whose_upload_breaks_off_leaves_nothing_and_can_be_sent_again(where: str, tokens: dict[str, str]) -> None:
    line = "x" * 20
    head = f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'.encode() + rows()
    head += f'\r\n--{line}\r\nContent-Disposition: form-data; name="model"; filename="net.onnx"\r\n\r\n'.encode()
    body = head + GOOD + f"\r\n--{line}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {tokens['Ann']}",
        "Content-Type": f"multipart/form-data; boundary={line}",
        "Content-Length": str(len(body)),
    }
    before = n_stored(where)
    with running(where) as service:
        for is_killed in (False, True):
            connection = http.client.HTTPConnection(service.url.removeprefix("http://"), timeout=WAIT_S)
            connection.putrequest("POST", "/api/v1/attempts")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body[: -len(GOOD) // 2])
            if is_killed:
                service.kill()
            connection.close()
    assert n_stored(where) == before
    with TestClient(create_app(ServiceSettings(where=where))) as client:
        answer = client.post("/api/v1/attempts", content=body, headers=headers)
    assert (answer.status_code, answer.json()["attempt"]["model"]["state"]) == (201, "carried")


@BOTH
def test_a_kill_among_many_uploads_leaves_each_net_whole_or_not_there(
    where: str, tokens: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_of_service, "_WAITS_S", ())
    with open_contest(where) as contest:
        tokens |= {name: token_of(contest, name) for name in map(str, range(6))}
    uploads = []
    for index, (team, token) in enumerate(tokens.items()):
        for n in range(3):
            file, net = tmp_path / f"{index}-{n}.csv", tmp_path / f"{index}-{n}.onnx"
            file.write_bytes(rows(n_blank=n))
            net.write_bytes(model_of(first_samples(), run=f"{index}-{n}", weights="w" * 200_000))
            uploads.append((team, token, file, net))
    confirmed, one_at_a_time = list[str](), Lock()

    with running(where) as service, ThreadPoolExecutor(8) as threads:

        def post(upload: tuple[str, str, Path, Path]) -> None:
            team, token, file, net = upload
            with contextlib.suppress(Unreachable):
                door = Endpoint(url=service.url, team=team, token=token)
                confirmed.append(client_of_service.send_file(door, file, print, net, again=True)["attempt"]["model"]["digest"])
            with one_at_a_time:
                if len(confirmed) >= 6 and service.process.poll() is None:
                    service.kill()

        list(threads.map(post, uploads))
    assert 6 <= len(confirmed) < len(uploads), "the kill came too late to cut anything off"
    with open_contest(where) as contest:
        stored = {model.digest for model in read_sent_models(contest, contest.teams())}
        assert set(confirmed) <= stored
        assert all(hashlib.sha256(read_model_content(contest, digest)).hexdigest() == digest for digest in stored)
    with TestClient(create_app(ServiceSettings(where=where))) as again:
        for _, token, file, net in uploads:
            files = {"file": ("a.csv", file.read_bytes()), "model": ("net.onnx", net.read_bytes())}
            status, receipt = api(again, "POST", "attempts?again=true", token, files=files)
            assert status in (200, 201)
            assert receipt["attempt"]["model"]["digest"] == hashlib.sha256(net.read_bytes()).hexdigest()
    assert n_stored(where)[:2] == (len(uploads), len(uploads))


@BOTH
def test_an_attempt_whose_net_was_lost_to_a_kill_gets_it_when_both_are_sent_again(
    client: TestClient, tokens: dict[str, str], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the power went")

    files = {"file": ("a.csv", rows()), "model": ("net.onnx", GOOD)}
    monkeypatch.setattr(model_entry, "_store", broken)
    with pytest.raises(RuntimeError, match="power"):
        api(client, "POST", "attempts", tokens["Ann"], files=files)
    monkeypatch.undo()
    assert n_stored(where) == (1, 0, 1)
    status, receipt = api(client, "POST", "attempts", tokens["Ann"], files=files)
    assert (status, receipt["is_new"], receipt["n_left"], receipt["attempt"]["model"]["state"]) == (200, False, 2, "carried")
