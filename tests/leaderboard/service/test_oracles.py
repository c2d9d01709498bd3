"""Attacks on a running contest: a team that asks for labels instead of answering, by everything that the service shows it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient

from arena.base.scores import Indices, confusion_matrix, macro_f1
from benchmarks.oracles import N_CLASSES, Exam, Setting, climb, draw_test, fit_matrices, group_rows, resample
from leaderboard import service
from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.contest.disclosure import COARSE, FULL, disclose_attempt
from leaderboard.database.create import ContestSettings
from leaderboard.files.solution import parse_solution
from leaderboard.notices import Position, collect_notices
from leaderboard.pages.publish import publish
from leaderboard.rules import DetailsFrom
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.standings import AttemptModel, ModelState
from leaderboard.store import create_contest, open_contest
from reports.reading.contest import read_contest
from support.service import NOW, token_of

VIEWS = ("/?lang=es", "/?sort=score", "/?show=all", "/attempts/2", "/api/v1/attempts/2")


def write(labels: Indices, speaker: Indices | None = None) -> bytes:
    """A file of these labels; with speakers, a solution."""
    header = "id,label" + (",Group" if speaker is not None else "")
    rows = (f"clip_{n:03d},{label}" + (f",s{speaker[n]}" if speaker is not None else "") for n, label in enumerate(labels))
    return "\n".join([header, *rows, ""]).encode()


@contextmanager
def contest_of(
    where: Path, truth: Indices, speaker: Indices, details: DetailsFrom
) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """A contest that runs, and the header that its one team sends."""
    solution = parse_solution(write(truth, speaker), "solution.csv")
    settings = ContestSettings(details=details)
    with create_contest(where, solution=solution, name="Digits", now=NOW, settings=settings) as contest:
        token = token_of(contest, "Ann")
    with TestClient(create_app(ServiceSettings(where=str(where), zone="UTC")), follow_redirects=False) as client:
        page = client.get("/login").text
        form = re.findall(r'name="csrf" value="(\w+)"', page)[0]
        client.post("/login", data={"csrf": form, "token": token})
        yield client, {"Authorization": f"Bearer {token}"}


def attack_by_matrices(where: Path, test: Exam, details: DetailsFrom) -> float | None:
    """Gain of a third file made of the matrices of two; None where the service shows none."""
    files, matrices = [test.answers, group_rows(test.probabilities)], []
    with contest_of(where, test.truth, test.speaker, details) as (client, header):
        for number, labels in enumerate(files, start=1):
            assert client.post("/api/v1/attempts", content=write(labels), headers=header).status_code == 201
            answer = client.get(f"/api/v1/attempts/{number}", headers=header).json()
            if answer["confusion"] is None:
                assert answer["classes"] is answer["weighted_f1"] is None
                return None
            matrices.append(np.array(answer["confusion"]))
        third = fit_matrices(test.probabilities, files, matrices)
        receipt = client.post("/api/v1/attempts", content=write(third), headers=header).json()
    assert receipt["attempt"]["score"] == macro_f1(confusion_matrix(test.truth, third, N_CLASSES))
    return test.gain(third)


def test_matrices_during_a_contest_lift_a_score_without_a_better_net_and_by_default_there_are_none(tmp_path: Path) -> None:
    tests = [draw_test(seed, n_rows=300, sureness=3.0, bias=2.5) for seed in range(3)]
    gains = [attack_by_matrices(tmp_path / f"{n}.db", test, DetailsFrom.DURING) for n, test in enumerate(tests)]
    assert min(gain for gain in gains if gain is not None) > 0.05
    assert attack_by_matrices(tmp_path / "default.db", tests[0], DetailsFrom.CLOSE) is None


def test_the_digits_that_are_shown_gain_less_than_half_a_standard_error_and_all_of_them_more() -> None:
    tests = [draw_test(seed) for seed in range(6)]
    draws = [resample(test) for test in tests]
    error = np.mean([np.std(resamples.macro_f1(test.answers[None])) for test, resamples in zip(tests, draws, strict=True)])

    def mean_gain(score: int, interval: int) -> float:
        setting = Setting(name="", score=score, interval=interval)
        return float(
            np.mean([test.gain(climb(test, resamples, setting)) for test, resamples in zip(tests, draws, strict=True)])
        )

    assert abs(mean_gain(COARSE.score, COARSE.interval)) < error / 2
    assert mean_gain(FULL.score, FULL.interval) > error / 2


def list_paths() -> list[str]:
    """All pages and all of the API that can be read, of a team's first attempt where one is asked for."""
    files = sorted(Path(service.__file__).parent.glob("*_routes.py"))
    routers = [importlib.import_module(f"leaderboard.service.{file.stem}").router for file in files]
    paths = {route.path for router in routers for route in router.routes if "GET" in (getattr(route, "methods", None) or ())}
    assert {"/", "/team", "/attempts/{number}", "/api/v1/standings", "/standings.csv"} <= paths
    return sorted(re.sub(r"\{\w+(:\w+)?\}", "1", path) for path in paths)


def read_all(client: TestClient, header: dict[str, str], where: Path, out: Path) -> dict[str, str]:
    """Everything that a team or a stranger is answered or sent, without times and the secrets of forms."""
    client.headers["accept-encoding"] = "identity"  # packed, the secrets of forms differ in length
    answers = {path: client.get(path, headers=header) for path in (*list_paths(), *VIEWS)}
    for content, path in ((write(FIRST), "attempts"), (write(FIRST) + b"\n", "attempts"), (write(FIRST), "validate")):
        answers[f"{path} of {len(content)}"] = client.post(f"/api/v1/{path}", content=content, headers=header)
    plain = {path: f"{answer.status_code} {dict(answer.headers)} {answer.text}" for path, answer in answers.items()}
    with open_contest(where) as contest:
        plain |= {f"published {path.name}": path.read_text(encoding="utf-8") for path in publish(contest, out, NOW)}
        plain["events"] = repr(collect_notices(contest, Position(revision="", attempt=0, entry=0, leaders=()))[1])
        plain["sentence"] = contest.board().sentence
    plain["report"] = repr(read_contest(str(where)))
    return {path: _VARIES.sub("", text) for path, text in plain.items()}


_VARIES = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?|datetime\.datetime\([^)]*\)"
    r"|'set-cookie': '[^']*'|value=\"\w{20,}\"|>in [^<]*<"
)
FIRST = np.arange(300) % N_CLASSES
SECOND = np.where(np.arange(300) < 40, 5, FIRST)
SPEAKER = np.arange(300) // N_CLASSES % 10


def test_two_contests_that_show_the_same_scores_answer_alike_in_every_byte(tmp_path: Path) -> None:
    """Five speakers each say one word otherwise than the file has it: other words give other matrices, scores and intervals."""
    answers = []
    for words in ((8, 6, 5, 2, 3), (6, 9, 5, 6, 9)):
        truth = FIRST.copy()
        for speaker, word in enumerate(words):
            truth[N_CLASSES * speaker + word] = (word + 1) % N_CLASSES
        where = tmp_path / f"{words[0]}.db"
        with contest_of(where, truth, SPEAKER, DetailsFrom.CLOSE) as (client, header):
            for labels in (FIRST, SECOND):
                client.post("/api/v1/attempts", content=write(labels), headers=header)
            running = read_all(client, header, where, tmp_path / f"{words[0]} public")
            with open_contest(where) as contest:
                close_contest(contest, HostDecision(reason="over", decided_at=NOW))
            answers.append((running, read_all(client, header, where, tmp_path / f"{words[0]} public")))
    (first, first_closed), (second, second_closed) = answers
    assert {path for path, text in first.items() if text != second[path]} == set()
    assert {"/team", "/attempts/1", "/api/v1/attempts/1"} <= {
        path for path, text in first_closed.items() if text != second_closed[path]
    }
    numbers = {
        path: re.findall(r"(?<![\d.])0\.\d{4,}", re.sub(r"<svg.*?</svg>", "", text))
        for path, text in first.items()
        if ".css" not in path
    }
    assert {path: found for path, found in numbers.items() if found} == {}


def test_a_model_has_no_score_before_the_close_even_where_matrices_are_shown(tmp_path: Path) -> None:
    """A team may send any number of models, each of which is run: scores of them would be attempts without end."""
    truth = np.arange(300) % N_CLASSES
    with contest_of(tmp_path / "c.db", truth, SPEAKER, DetailsFrom.DURING) as (client, header):
        client.post("/api/v1/attempts", content=write(truth), headers=header)
        with open_contest(tmp_path / "c.db") as contest:
            (attempt,) = contest.attempts(contest.team("Ann"))
            rules = contest.rules()
    known = {"file_name": "net.onnx", "digest": "0" * 64, "state": ModelState.VERIFIED, "remark": "300 of 300 rows equal"}
    scores = {field.name: 0.5 for field in fields(AttemptModel) if field.name not in known}
    model = AttemptModel(**known, **scores)
    shown = disclose_attempt(replace(attempt, model=model), rules).model
    assert shown == AttemptModel(**known)
