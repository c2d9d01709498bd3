"""All files of a contest as one zip, and answers of different teams that are alike."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from leaderboard.actions.archive import stream_archive
from leaderboard.store import Contest
from leaderboard.verification.sent_models import attach_model
from support.contests import NOW, made, predictions, run, send, solution
from support.onnx_models import first_samples, model_of


@pytest.fixture
def contest(contest_place: str) -> Iterator[Contest]:
    with made(contest_place, solution(has_usage=True), "Ann", "../../etc/passwd", "CON", "=1+1") as contest:
        send(contest, "Ann", 1, 2)
        send(contest, "Ann", 3, minute=1)
        send(contest, "../../etc/passwd", 1, 2, 25, minute=2)
        send(contest, "=1+1", 1, 2, minute=3)
        yield contest


def read_zip(contest: Contest, *, with_private: bool) -> tuple[zipfile.ZipFile, list[dict[str, str]]]:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(stream_archive(contest, with_private=with_private))))
    return archive, list(csv.DictReader(io.StringIO(archive.read("index.csv").decode("utf-8-sig"))))


def test_the_zip_holds_every_file_under_a_safe_name_and_an_index(contest: Contest) -> None:
    net = model_of(first_samples())
    attach_model(contest, contest.team("Ann"), 2, (net, "net.onnx"), NOW)
    archive, rows = read_zip(contest, with_private=True)
    assert archive.testzip() is None
    assert archive.namelist() == [
        "index.csv",
        "002-______etc_passwd/attempt-1.csv",
        "004-_1_1/attempt-1.csv",
        "001-Ann/attempt-1.csv",
        "001-Ann/attempt-2.csv",
        "001-Ann/attempt-2.onnx",
    ]
    assert archive.read("001-Ann/attempt-1.csv") == predictions(1, 2)
    assert archive.read("001-Ann/attempt-2.onnx") == net
    assert [(row["team"], row["attempt"], row["file"].rpartition(".")[2], row["file as sent"]) for row in rows] == [
        ("../../etc/passwd", "1", "csv", "m2.csv"),
        ("'=1+1", "1", "csv", "m3.csv"),
        ("Ann", "1", "csv", "m0.csv"),
        ("Ann", "2", "csv", "m1.csv"),
        ("Ann", "2", "onnx", "net.onnx"),
    ]
    assert next(row["private score"] for row in rows if row["team"] == "Ann") == "1.0"
    assert float(rows[0]["private score"]) < 1


def test_without_the_right_to_private_scores_the_index_has_none(contest: Contest) -> None:
    _, rows = read_zip(contest, with_private=False)
    assert {row["private score"] for row in rows} == {""}
    assert all(float(row["public score"]) > 0.5 for row in rows)


def test_one_file_at_a_time_is_in_memory(contest: Contest) -> None:
    pieces = list(stream_archive(contest, with_private=False))
    assert len(pieces) == 1 + 4 + 1
    assert max(map(len, pieces)) < 1500


def test_the_command_writes_a_new_file_and_never_over_another(contest: Contest, tmp_path: Path) -> None:
    where, target = contest.database.name, tmp_path / "all.zip"
    status, text = run(where, "files", target)
    assert (status, text) == (0, f"{target} holds 4 files and index.csv; the index has private scores\n")
    before = target.read_bytes()
    assert run(where, "files", target) == (1, f"{target} exists and no file is overwritten; give another path")
    assert target.read_bytes() == before
    assert run(where, "files", tmp_path / "none" / "a.zip")[0] == 1
    assert sorted(path.name for path in tmp_path.iterdir() if "zip" in path.name) == ["all.zip"]


def test_equal_answers_of_two_teams_are_listed_with_what_agrees(contest: Contest) -> None:
    where = contest.database.name
    pairs = run(where, "alike", "--json")[1]
    alike = [pair for pair in pairs if pair["is_alike"]]
    facts = [(pair["teams"], pair["numbers"], pair["is_same_file"], pair["n_equal"], pair["n_same_wrong"]) for pair in alike]
    assert facts == [(["Ann", "=1+1"], [1, 1], True, 40, 2)]
    assert len(pairs) == 3
    text = run(where, "alike")[1]
    assert "same file" in text
    assert "2 of 2 and 2" in text


def test_a_contest_without_two_teams_has_nothing_alike(tmp_path: Path) -> None:
    contest = made(str(tmp_path / "contest.db"), solution(), "Ann")
    assert run(contest.database.name, "alike", "--json") == (0, [])
    send(contest, "Ann", 1)
    assert run(contest.database.name, "alike", "--json") == (0, [])
