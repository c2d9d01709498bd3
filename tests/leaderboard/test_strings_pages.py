"""Pages, files and rules of a contest of strings: no matrix, no macro-F1, no model, and what its file says comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from arena.base.scores import count_errors
from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.actions.submit import submit
from leaderboard.errors import SolutionError
from leaderboard.files.sample import check_by_sample
from leaderboard.files.solution import parse_solution
from leaderboard.files.solution_doubts import check_doubts, list_remarks
from leaderboard.scoring.platforms import score_submission
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.store import Contest, open_contest
from support.contests import NOW, made, run
from support.service import host_token_of

TRUTH = ["0427", "1", "99", "00", "123456", "7", "0427", "31"]
SOLUTION = "id,string\n" + "".join(f"s{n},{text}\n" for n, text in enumerate(TRUTH))
ANSWERS = SOLUTION.replace("s0,0427", "s0,427").replace("s4,123456", "s4,1")  # 1 and 5 errors of 22 digits


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contest]:
    where = str(tmp_path_factory.mktemp("strings") / "contest.db")
    with made(where, parse_solution(SOLUTION.encode(), "s.csv"), "Ann", "Bob") as contest:
        submit(contest, "Ann", ANSWERS.encode(), "a.csv", NOW)
        submit(contest, "Bob", SOLUTION.replace(",7\n", ",1\n").encode(), "b.csv", NOW)
        yield contest


@pytest.fixture
def client(contest: Contest) -> Iterator[TestClient]:
    with TestClient(create_app(ServiceSettings(where=contest.database.name)), follow_redirects=False) as client:
        yield client


def sign_in(client: TestClient, token: str) -> None:
    csrf = re.findall(r'name="csrf" value="(\w+)"', client.get("/login").text)[0]
    assert client.post("/login", data={"csrf": csrf, "token": token}).status_code == 303


def see_pages(client: TestClient, *paths: str) -> str:
    pages = [client.get(f"{path}?lang={language}") for path in paths for language in ("en", "es")]
    assert {page.status_code for page in pages} == {200}
    text = "".join(page.text for page in pages)
    for word in ("macro", "atrix", "atriz", "onfusi", "recordings", "Grabaciones", ".onnx"):
        assert word not in text, word
    return text


def test_no_page_of_an_open_or_a_closed_contest_of_strings_speaks_of_matrices_and_models(
    contest: Contest, client: TestClient
) -> None:
    token, host = contest.new_token(contest.team("Ann"), NOW), host_token_of(contest)
    for is_closed in (False, True):
        client.cookies.clear()
        text = see_pages(client, "/", "/standings", "/standings.csv")
        assert "exact match low,exact match high" in text.replace("private ", "")
        sign_in(client, token)
        assert ("Digit error rate" in see_pages(client, "/team", "/attempts/1")) is is_closed
        client.cookies.clear()
        sign_in(client, host)
        see_pages(client, "/host", "/host/teams/1")
        assert client.get("/host/alike").status_code == 404
        if not is_closed:
            model = {"file": ("a.csv", ANSWERS), "model": ("m.onnx", b"-")}
            answer = client.post("/api/v1/validate", headers={"Authorization": f"Bearer {token}"}, files=model)
            assert "takes no models" in answer.json()["message"]
            close_contest(contest, HostDecision(reason="over", decided_at=NOW + timedelta(hours=1)))


def test_the_column_of_labels_is_refused_by_the_name_of_the_right_one(tmp_path: Path) -> None:
    with made(str(tmp_path / "c.db"), parse_solution(SOLUTION.encode(), "s.csv"), "Ann") as contest:
        for content, text in (
            (ANSWERS.replace("string", "label"), "column 'string' is missing; the first line of the file is id,string"),
            (ANSWERS.replace("string", "digits"), "column 'string' is missing.*id,string"),
            ("id,string,0\ns0,1,1\n", "column '0' is neither id nor string"),
        ):
            with pytest.raises(Exception, match=text):
                submit(contest, "Ann", content.encode(), "a.csv", NOW)


def test_score_files_of_other_platforms_have_the_scores_of_strings(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(SOLUTION)
    (tmp_path / "a.csv").write_text(ANSWERS)
    scores = {"exact_match": 0.75, "digit_error_rate": round(6 / 22, 10)}
    assert score_submission(tmp_path / "s.csv", tmp_path / "a.csv", "codabench") == scores
    result = score_submission(tmp_path / "s.csv", tmp_path / "a.csv", "gradescope")
    assert (result["score"], result["tests"][0]["name"]) == (75, "exact match")
    assert [(line["name"], line["order"]) for line in result["leaderboard"]] == [
        ("exact match", "desc"),
        ("digit error rate", "asc"),
    ]


def test_a_sample_of_strings_checks_strings(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text("id,string\n" + "".join(f"s{n},0\n" for n in range(8)))
    (tmp_path / "a.csv").write_text(ANSWERS)
    assert check_by_sample(tmp_path / "a.csv", tmp_path / "sample.csv", None, yes=False)["n_rows"] == 8


def test_the_file_of_a_contest_of_strings_makes_it_again_and_never_changes_its_score(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(SOLUTION)
    first, second, folder = str(tmp_path / "1.db"), str(tmp_path / "2.db"), tmp_path / "again"
    assert run(first, "init", tmp_path / "s.csv", "--name", "Cheques", "--metric", "digit-error-rate")[0] == 0
    assert run(first, "config", "--out", folder)[0] == 0
    assert run(second, "init", folder / "contest.yaml")[0] == 0
    with open_contest(second) as contest:
        assert (contest.rules().metric_name, contest.rules().is_lower_better) == ("digit error rate", True)
    assert run(second, "apply", folder / "contest.yaml", "--dry-run", "--json")[1] == []
    for line in ("metric:", "metric: exact-match", "lower_is_better: false", "ladder: true"):
        (tmp_path / "new.yaml").write_text(f"{line}\n")
        status, error = run(second, "apply", tmp_path / "new.yaml", "--yes")
        assert (status, "where answers are strings" in error) == (1, True), line


def test_strings_that_a_spreadsheet_changed_are_asked_about_and_lengths_are_no_classes() -> None:
    for text in ("427.0", "1.2E+10", "nan"):
        with pytest.raises(SolutionError, match="write strings as text"):
            check_doubts(parse_solution(f"{SOLUTION}s9,{text}\n".encode(), "s.csv"), "s.csv")
    rare = parse_solution((SOLUTION + "".join(f"t{n},12\n" for n in range(20))).encode(), "s.csv")
    check_doubts(rare, "s.csv")
    assert list_remarks(rare) == []


def test_an_answer_twice_as_long_as_the_truth_is_counted_without_comparing() -> None:
    assert count_errors("1" * 20_000_000, "427") == 3
    assert count_errors("111427", "427") == 3
    assert count_errors("11427", "427") == 2
