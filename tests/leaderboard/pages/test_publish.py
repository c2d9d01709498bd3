"""Exports of a contest: a static board, and scores in the files of other platforms."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import accuracy_score, f1_score
from typer.testing import CliRunner

from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.actions.submit import submit
from leaderboard.cli.publish import app
from leaderboard.pages.publish import publish
from leaderboard.standings import Part
from leaderboard.store import Contest, open_contest
from support.service import NOW, make, solution, submission


@pytest.fixture
def contest(tmp_path: Path) -> Iterator[Contest]:
    make(tmp_path / "c.db", ["Ann", "Bob", "Cleo", "Dan", "=Eve"])
    with open_contest(tmp_path / "c.db") as contest:
        for name, seed in (("Ann", 1), ("Bob", 1), ("Cleo", 2), ("=Eve", 3)):
            submit(contest, name, submission(seed, 0.1 * seed), "p.csv", NOW)
        yield contest


class Links(HTMLParser):
    """Every address that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def test_published_files_stand_alone_and_hold_the_standings(contest: Contest, tmp_path: Path) -> None:
    folder = tmp_path / "site" / "2026"
    files = publish(contest, folder, NOW)
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in files)
    order = [line.shown_as for line in contest.standings()]
    for name, language in (("index.html", "en"), ("index.es.html", "es")):
        page = (folder / name).read_text(encoding="utf-8")
        assert f'<html lang="{language}"' in page
        assert re.findall(r'class="who">([^<]+)</th>', page)[1:] == order
        links = Links()
        links.feed(page)
        own = [link for link in links.found if not link.startswith("#")]
        assert own
        assert all((folder / link).is_file() for link in own)
        assert "<form" not in page
    facts = json.loads((folder / "standings.json").read_text(encoding="utf-8"))
    assert [line["name"] for line in facts["lines"]] == order
    assert "team" not in facts["lines"][0]
    table = list(csv.DictReader(io.StringIO((folder / "standings.csv").read_text(encoding="utf-8"))))
    assert [line["team"].removeprefix("'") for line in table] == order


def test_publishing_again_replaces_its_own_files_and_leaves_others(contest: Contest, tmp_path: Path) -> None:
    publish(contest, tmp_path / "site", NOW)
    (tmp_path / "site" / "mine.txt").write_text("kept")
    submit(contest, "Dan", submission(1, 0.0), "p.csv", NOW)
    publish(contest, tmp_path / "site", NOW)
    assert "Dan" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert (tmp_path / "site" / "mine.txt").read_text() == "kept"


def test_the_table_of_a_closed_contest_says_which_rows_each_column_is_of(contest: Contest, tmp_path: Path) -> None:
    publish(contest, tmp_path, NOW)
    before = (tmp_path / "standings.csv").read_text(encoding="utf-8").splitlines()[0]
    assert before == "rank,rank low,rank high,groups,team,macro-F1,macro-F1 low,macro-F1 high,attempts,sent"
    close_contest(contest, HostDecision(reason="over", decided_at=NOW))
    publish(contest, tmp_path, NOW)
    first = next(csv.DictReader(io.StringIO((tmp_path / "standings.csv").read_text(encoding="utf-8"))))
    public, private = contest.standings(Part.PUBLIC)[0], contest.standings(Part.PRIVATE)[0]
    assert (public.shown_as, private.shown_as) == (first["team"], first["team"])
    assert [float(first[name]) for name in ("public macro-F1", "private macro-F1")] == [public.score, private.score]
    low, high = float(first["private macro-F1 low"]), float(first["private macro-F1 high"])
    assert (low, high, float(first["private accuracy"])) == (
        private.interval.low,
        private.interval.high,
        private.metrics["accuracy"],
    )


def test_the_command_writes_what_it_says(contest: Contest, tmp_path: Path) -> None:
    runner, where = CliRunner(), str(tmp_path / "c.db")
    done = runner.invoke(app, ["publish", str(tmp_path / "site"), "--contest", where])
    assert done.exit_code == 0
    assert (tmp_path / "site" / "index.html").is_file()


def scored(tmp_path: Path, platform: str, content: bytes) -> tuple[int, Any]:
    (tmp_path / "solution.csv").write_bytes(solution())
    (tmp_path / "submission.csv").write_bytes(content)
    files = [str(tmp_path / name) for name in ("solution.csv", "submission.csv")]
    done = CliRunner().invoke(app, ["score", *files, "--format", platform])
    return done.exit_code, json.loads(done.stdout) if done.stdout else done.exception


def by_sklearn(content: bytes, is_public: bool) -> dict[str, float]:
    truth = list(csv.DictReader(io.StringIO(solution().decode())))
    labels = {row["id"]: row["label"] for row in csv.DictReader(io.StringIO(content.decode()))}
    rows = [row for row in truth if (row["Usage"] == "Public") == is_public]
    y, p = [row["label"] for row in rows], [labels[row["id"]] for row in rows]
    return {
        "macro_f1": f1_score(y, p, average="macro"),
        "accuracy": accuracy_score(y, p),
        "weighted_f1": f1_score(y, p, average="weighted"),
    }


def test_codabench_and_evalai_read_the_scores_that_sklearn_gives(tmp_path: Path) -> None:
    content = submission(5, 0.3)
    public, private = by_sklearn(content, True), by_sklearn(content, False)
    _, scores = scored(tmp_path, "codabench", content)
    assert scores == pytest.approx({**public, **{f"private_{name}": value for name, value in private.items()}})
    _, scores = scored(tmp_path, "evalai", content)
    assert [set(split) for split in scores["result"]] == [{"public_split"}, {"private_split"}]
    assert scores["result"][0]["public_split"] == pytest.approx(public)
    assert scores["result"][1]["private_split"] == pytest.approx(private)
    assert scores["submission_result"] == pytest.approx(public)


def test_gradescope_reads_a_score_out_of_100_and_shows_a_refusal_to_its_student(tmp_path: Path) -> None:
    content = submission(5, 0.3)
    _, scores = scored(tmp_path, "gradescope", content)
    assert scores["score"] == pytest.approx(100 * by_sklearn(content, True)["macro_f1"], abs=1e-4)
    assert [test["visibility"] for test in scores["tests"]] == ["visible", "after_published"]
    assert {test["name"] for test in scores["leaderboard"]} == {"macro-F1", "accuracy", "weighted F1"}
    code, scores = scored(tmp_path, "gradescope", b"id,label\n")
    assert (code, scores["score"]) == (0, 0)
    assert "submission.csv: 300 of 300 ids have no row" in scores["output"]
    code, error = scored(tmp_path, "codabench", b"id,label\n")
    assert code == 1
    assert "300 of 300 ids have no row" in str(error)
