"""A teacher's term for 25 teams and 60 members: the tutorial's own commands, from the class list to the gradebook."""

from __future__ import annotations

import csv
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import arena.cli
from leaderboard.store import open_contest
from support.classes import N_STUDENTS, N_TEAMS, canvas_gradebook, moodle_list
from support.paths import ROOT
from support.service import solution, submission

TUTORIAL = (ROOT / "docs" / "tutorial" / "teacher.md").read_text(encoding="utf-8")
SKIPPED = ("contest pack", "contest serve", "contest verify", "contest host-token")  # other pages' tests run these
WINNER = "Team 7"


def read_script(*sections: str) -> list[list[str]]:
    """Return the commands about a contest in the shell blocks of the tutorial's sections, their dates a century later."""
    lines = []
    for number in sections:
        section = TUTORIAL.split(f"\n## {number}. ")[1].split("\n## ")[0].replace("2026-", "2126-")
        for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL):
            lines += [shlex.split(line, comments=True) for line in block.splitlines()]
    commands = [words[1:] for words in lines if words[:2] == ["arena", "contest"]]
    return [words for words in commands if not " ".join(words).startswith(SKIPPED)]


def call(words: list[str]) -> Any:
    done = CliRunner().invoke(arena.cli.app, words, catch_exceptions=False)
    assert done.exit_code == 0, (words, done.output)
    return done


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pack" / "host").mkdir(parents=True)
    (tmp_path / "pack" / "host" / "solution.csv").write_bytes(solution())
    (tmp_path / "class.csv").write_bytes(moodle_list())
    (tmp_path / "canvas.csv").write_bytes(canvas_gradebook())
    return tmp_path


def test_the_tutorials_twelve_commands_go_from_class_list_to_gradebook(folder: Path) -> None:
    begin, during, end = read_script("3"), read_script("5"), read_script("7")
    assert len(begin) + len(during) + len(end) <= 12
    for words in begin:
        call(words)
    tokens = list(csv.DictReader(io.StringIO((folder / "handouts" / "tokens.csv").read_text(encoding="utf-8-sig"))))
    assert (len(tokens), len({line["team"] for line in tokens})) == (N_STUDENTS, N_TEAMS)
    assert len(list((folder / "handouts").glob("team *.html"))) == N_TEAMS
    call(["contest", "rename", "Team 1", "Mel Street", "--reason", "they asked for it"])
    for n, team in enumerate(("Mel Street", WINNER, "Team 3")):
        (folder / "submission.csv").write_bytes(submission(n, 0.05 if team == WINNER else 0.2))
        call(["contest", "submit", "submission.csv", "--team", team])
    for words in (*during, *end):
        call(words)
    rows = list(csv.DictReader(io.StringIO((folder / "grades.csv").read_text(encoding="utf-8"))))
    assert len(rows) == N_STUDENTS
    winners = {row["email"] for row in rows if row["points"] == "10"}
    assert winners == {line["email"] for line in tokens if line["team"] == WINNER}
    filled = (folder / "canvas-filled.csv").read_text(encoding="utf-8")
    by_login = {row["SIS Login ID"]: row["Digits (1234)"] for row in csv.DictReader(io.StringIO(filled, newline=""))}
    assert {login for login, points in by_login.items() if points == "10" and login} == winners
    assert sum(points == "0" for points in by_login.values()) == N_STUDENTS - len(winners)
    with open_contest(folder / "contest.db") as contest:
        assert [entry.action for entry in contest.log()] == ["team import", "token new", "rename", "close"]


def test_a_changed_list_again_says_what_changed(folder: Path) -> None:
    call(read_script("3")[0])
    call(["contest", "team", "import", "class.csv"])
    (folder / "class.csv").write_bytes(moodle_list(3))
    done = call(["contest", "team", "import", "class.csv"])
    assert done.stdout == "0 teams and 0 members new, 0 updated, 59 as before\n"
    assert "José María Pérez 3 of Team 4 is not in the list any more and stays" in done.stderr
