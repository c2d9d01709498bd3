"""The API: what programs send and get, and that it answers as its OpenAPI document says, whatever comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from leaderboard.actions.host import HostDecision, close_contest, disqualify
from leaderboard.hosts import Role
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.store import open_contest
from support.service import NOW, host_token_of, make, submission


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api") / "contest.db"


@pytest.fixture(scope="module")
def tokens(where: Path) -> dict[str, str]:
    return make(where, ["Ann", "Bob", "Cleo", "Dan", "Eve"])


@pytest.fixture(scope="module")
def client(where: Path, tokens: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app(ServiceSettings(where=str(where)))) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def send(client: TestClient, token: str, content: bytes, **params: str) -> tuple[int, dict[str, Any]]:
    answer = client.post("/api/v1/attempts", content=content, params=params, headers=bearer(token))
    return answer.status_code, answer.json()


def test_a_receipt_holds_what_the_store_holds(client: TestClient, tokens: dict[str, str], where: Path) -> None:
    status, receipt = send(client, tokens["Ann"], submission(1), file_name="best.csv", team="ANN")
    assert status == 201
    with open_contest(where) as contest:
        (attempt,) = contest.attempts(contest.team("Ann"))
        interval = contest.shown_details(contest.team("Ann"), 1).interval
    assert receipt["attempt"] == {
        "number": 1,
        "score": round(attempt.score, 3),
        "macro_f1": round(attempt.score, 3),
        "accuracy": None,
        "log_loss": None,
        "digit_error_rate": None,
        "arrived_at": receipt["attempt"]["arrived_at"],
        "digest": attempt.digest,
        "file_name": "best.csv",
        "is_shown": True,
        "note": None,
        "voided_at": None,
        "model": None,
    }
    assert (receipt["interval"]["low"], receipt["interval"]["high"]) == (interval.low, interval.high)
    rest = {key: receipt[key] for key in ("team", "metric", "is_new", "n_left", "rank", "n_ranked")}
    assert rest == {"team": "Ann", "metric": "macro-F1", "is_new": True, "n_left": 2, "rank": 1, "n_ranked": 1}
    status, again = send(client, tokens["Ann"], submission(1))
    assert (status, again["is_new"], again["n_left"]) == (200, False, 2)
    status, answer = send(client, tokens["Ann"], submission(1) + b"\n")
    scored = f"which scored {attempt.score:.3f}; no attempt was used"
    assert (status, answer["error"]) == (409, "repeated")
    assert answer["message"] == f"the labels in submission.csv are those of attempt 1, {scored}"
    status, again = send(client, tokens["Ann"], submission(1) + b"\n", again="true")
    assert (status, again["attempt"]["number"], again["n_left"]) == (201, 2, 1)


def test_each_refusal_has_its_word_and_its_status(client: TestClient, tokens: dict[str, str], where: Path) -> None:
    status, answer = send(client, tokens["Bob"], b"id,label\nclip_0000,77\n")
    assert (status, answer["error"], answer["line"]) == (422, "invalid", 2)
    (missing,) = answer["others"]
    assert (missing["line"], missing["message"].partition(" of ")[2][:21]) == (None, "300 ids have no row: ")
    status, answer = send(client, tokens["Bob"], submission(1), team="Ann")
    assert (status, answer["error"]) == (403, "team")
    status, answer = send(client, "nonsense", submission(1))
    assert (status, answer["error"]) == (401, "token")
    for n in range(3):
        assert send(client, tokens["Bob"], submission(n))[0] == 201
    status, answer = send(client, tokens["Bob"], submission(9))
    assert (status, answer["error"]) == (409, "limit")
    with open_contest(where) as contest:
        disqualify(contest, contest.team("Dan"), HostDecision(reason="copied", decided_at=NOW))
    status, answer = send(client, tokens["Dan"], submission(1))
    assert (status, answer["error"]) == (403, "team")
    assert client.get("/api/v1/attempts/9", headers=bearer(tokens["Bob"])).status_code == 404
    assert client.get("/api/v1/nothing").json()["error"] == "not_found"


def test_too_many_refused_files_in_an_hour_make_a_team_wait(client: TestClient, tokens: dict[str, str]) -> None:
    for _ in range(60):
        assert send(client, tokens["Eve"], b"nonsense")[0] == 422
    answer = client.post("/api/v1/attempts", content=submission(1), headers=bearer(tokens["Eve"]))
    assert (answer.status_code, answer.json()["error"]) == (429, "refusals")
    assert 0 < int(answer.headers["retry-after"]) <= 3600


def test_a_check_gives_no_score_and_costs_nothing(client: TestClient, tokens: dict[str, str]) -> None:
    answer = client.post("/api/v1/validate", content=submission(1), headers=bearer(tokens["Cleo"]))
    expected = {"file_name": "submission.csv", "n_rows": 300, "has_probabilities": False, "repeats": None, "model_name": None}
    expected |= {"notes": []}
    assert answer.json() == expected
    assert client.get("/api/v1/team", headers=bearer(tokens["Cleo"])).json()["n_left"] == 3


def test_the_document_describes_every_answer_and_every_page_has_its_likeness(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    paths = {"attempts", "attempts/{number}", "attempts/{number}/model", "contest", "host", "standings", "team", "validate"}
    paths |= {"team/pseudonym", "host/acts/{name}"}
    assert set(document["paths"]) == {f"/api/v1/{path}" for path in paths}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["description"], path
            is_public = path.endswith(("/contest", "/standings"))
            assert ("security" in operation) == (not is_public)
            assert "503" in operation["responses"]


def _operations(document: dict[str, Any]) -> list[Any]:
    schema = schemathesis.openapi.from_dict(document)
    return [operation.ok() for operation in schema.get_all_operations()]


def test_whatever_is_asked_the_api_answers_as_its_document_says(
    client: TestClient, tokens: dict[str, str], where: Path
) -> None:
    """Requests made of the document, with a good token and without: no failure of ours, no undescribed status or body."""
    with open_contest(where) as contest:
        keys = [tokens["Cleo"], host_token_of(contest, role=Role.ASSISTANT)]  # a host's would close the contest
    client.app.state.service.failures._times.clear()  # type: ignore[attr-defined]
    kinds = set[tuple[str, str, int]]()
    for operation in _operations(client.get("/api/openapi.json").json()):

        @given(case=operation.as_strategy(), key=st.sampled_from(keys))
        @settings(
            max_examples=10,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def answers_as_described(case: Any, key: str) -> None:
            kwargs = case.as_transport_kwargs(base_url="http://testserver")
            method, body = kwargs["method"], kwargs.get("data")
            content = body.encode() if isinstance(body, str) else body
            headers = {**(kwargs.get("headers") or {}), **bearer(key)}
            files = kwargs.get("files") or None
            options = {"params": kwargs.get("params"), "headers": headers, "content": content, "files": files}
            options["json"] = kwargs.get("json")
            request = client.build_request(method, kwargs["url"], **options)
            request.read()  # a form is written out once, here
            answer = client.send(request)
            kinds.add((method, str(request.headers.get("content-type")).partition(";")[0], answer.status_code))
            assert answer.status_code < 500, answer.text
            case.operation.validate_response(schemathesis.Response.from_any(answer), case=case)

        answers_as_described()
    assert any((kind, status) == ("multipart/form-data", 422) for _, kind, status in kinds)  # read as far as its files
    assert any((kind, status) == ("application/octet-stream", 404) for _, kind, status in kinds)


def test_after_the_close_the_answer_is_closed(client: TestClient, tokens: dict[str, str], where: Path) -> None:
    with open_contest(where) as contest:
        close_contest(contest, HostDecision(reason="over", decided_at=NOW))
    status, answer = send(client, tokens["Cleo"], submission(50))
    assert (status, answer["error"]) == (403, "closed")
    facts = client.get("/api/v1/contest").json()
    assert (facts["is_open"], facts["is_closed_by_host"]) == (False, True)
    assert client.get("/api/v1/standings").json()["is_final"] is True
