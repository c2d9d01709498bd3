"""The overview and the files that it hands out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from leaderboard.actions.announcements import announce, withdraw_announcement
from leaderboard.actions.host import HostDecision
from leaderboard.contest_file.create import create_from_file, read_solution
from leaderboard.contest_file.read import read_contest_file
from leaderboard.files.solution import parse_solution
from leaderboard.files.submission import parse_submission
from leaderboard.pages.overview_page import write_sample
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.store import open_contest
from support.service import NOW, solution, submission

DATA = bytes(range(256)) * 40
MORE = """pages:
  task: Which *digit* is it?
  rules: |
    # Teams
    <b>three</b>
  licence: CC BY 4.0
downloads:
  data ñ.zip: All of it
"""
METRIC = '''"""About the file."""
raise_on_import = 1
def score(solution, submission, name):
    """The share of **wrong** labels."""
    return float((solution.label != submission.label).mean())
'''


@contextmanager
def served(folder: Path, more: str = MORE, *, has_private: bool = True) -> Iterator[TestClient]:
    (folder / "solution.csv").write_bytes(solution(has_private=has_private))
    (folder / "data ñ.zip").write_bytes(DATA)
    (folder / "errors.py").write_text(METRIC)
    text = f"name: Digits\nsolution: solution.csv\ndeadline: {(NOW + timedelta(days=3)).isoformat()}\nteams: [Ann]\n{more}"
    (folder / "contest.yaml").write_text(text, encoding="utf-8")
    file = read_contest_file(folder / "contest.yaml")
    create_from_file(file, read_solution(file), folder / "contest.db", NOW).close()
    settings = ServiceSettings(where=str(folder / "contest.db"), zone="Europe/Madrid")
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def test_the_first_page_has_task_score_dates_rules_files_and_commands(tmp_path: Path) -> None:
    with served(tmp_path) as client:
        page, spanish = client.get("/").text, client.get("/?lang=es").text
    assert "<p>Which <em>digit</em> is it?</p>" in page
    assert "<h3>Teams</h3>\n<p>&lt;b&gt;three&lt;/b&gt;</p>" in page
    assert "Macro-F1 is the plain mean of the F1 of 10 classes" in page
    assert "guessing gives about 0.10" in page
    assert "the final rank is made from the private rows" in page
    assert f"{NOW + timedelta(days=3):%Y-%m-%d %H:%M} UTC" in page
    assert "La macro-F1 es la media simple de las F1 de 10 clases" in spanish
    assert f"{NOW + timedelta(days=3) + timedelta(hours=1):%Y-%m-%d %H:%M} CET" in page
    assert f"<code>{hashlib.sha256(DATA).hexdigest()}</code>" in page
    assert "10 kB" in page
    assert "<code>arena submit submission.csv --address http://testserver --team TEAM</code>" in page


def test_a_contest_without_texts_has_an_overview_all_the_same(tmp_path: Path) -> None:
    with served(tmp_path, "", has_private=False) as client:
        page = client.get("/").text
    assert re.findall(r"<h2 id=\"(\w+)\"", page) == ["score", "data", "send"]
    assert "the private rows" not in page
    assert 'href="/downloads/sample_submission.csv"' in page


def test_a_metric_of_the_host_is_described_by_its_own_words(tmp_path: Path) -> None:
    with served(tmp_path, "metric: errors.py\nlower_is_better: true\n") as client:
        page = client.get("/").text
    assert "<p>The share of <strong>wrong</strong> labels.</p>" in page
    assert "A lower errors is better." in page
    assert "Macro-F1 is" not in page


def test_a_file_is_downloaded_whole_or_from_where_it_broke_off(tmp_path: Path) -> None:
    with served(tmp_path) as client:
        path = re.findall(r'href="(/downloads/data[^"]+)"', client.get("/").text)[0]
        whole = client.get(path)
        assert (whole.status_code, whole.content) == (200, DATA)
        assert whole.headers["content-disposition"] == "attachment; filename*=utf-8''data%20%C3%B1.zip"
        assert whole.headers["content-security-policy"].startswith("default-src 'none'")
        rest = client.get(path, headers={"Range": "bytes=10000-"})
        assert (rest.status_code, rest.content) == (206, DATA[10000:])
        assert client.get("/downloads/solution.csv").status_code == 404
        assert client.get("/downloads/..%2Fcontest.db").status_code == 404


def test_a_sample_submission_has_the_right_form_and_tells_no_order(tmp_path: Path) -> None:
    with served(tmp_path) as client:
        sample = client.get("/downloads/sample_submission.csv")
        assert sample.headers["content-disposition"] == 'attachment; filename="sample_submission.csv"'
    truth = parse_solution(solution(), "solution.csv")
    assert set(parse_submission(sample.content, "sample.csv", truth).predicted.tolist()) == {0}
    by_label = parse_solution(b'id,label\nc,0\n"a,1",0\nd,1\nb,1\n', "solution.csv")
    assert write_sample(by_label) == 'id,label\n"a,1",0\nb,0\nc,0\nd,0\n'


def test_the_hosts_own_sample_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "sample_submission.csv").write_text("id,label\nx,9\n")
    with served(tmp_path, "downloads: [sample_submission.csv]\n") as client:
        assert client.get("/downloads/sample_submission.csv").text == "id,label\nx,9\n"
        assert client.get("/").text.count("sample_submission.csv</a>") == 1


def test_announcements_stand_on_the_overview_until_they_are_withdrawn(tmp_path: Path) -> None:
    decision = HostDecision(reason="asked in class", decided_at=NOW)
    with served(tmp_path) as client:
        with open_contest(tmp_path / "contest.db") as contest:
            number = announce(contest, "The lab is open <i>until</i> **ten**.", decision).id
        page = client.get("/").text
        assert "<p>The lab is open &lt;i&gt;until&lt;/i&gt; <strong>ten</strong>.</p>" in page
        with open_contest(tmp_path / "contest.db") as contest:
            withdraw_announcement(contest, number, decision)
        assert "The lab is open" not in client.get("/").text


def test_the_printed_curl_command_sends_a_file(tmp_path: Path) -> None:
    with served(tmp_path) as client:
        with open_contest(tmp_path / "contest.db") as contest:
            token = contest.new_token(contest.team("Ann"), NOW)
        url = re.findall(r"<code>curl (\S+) -H", client.get("/").text)[0]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
        assert client.post(url, content=submission(1), headers=headers).status_code == 201


@pytest.mark.parametrize("address", ["https://digits.example.org", "https://digits.example.org/"])
def test_the_hosts_address_stands_in_the_commands(tmp_path: Path, address: str) -> None:
    with served(tmp_path, f"pages: {{address: '{address}'}}\n") as client:
        page = client.get("/").text
    assert "curl https://digits.example.org/api/v1/attempts" in page


def test_the_api_names_files_announcements_and_the_note_of_an_attempt(tmp_path: Path) -> None:
    with served(tmp_path) as client:
        with open_contest(tmp_path / "contest.db") as contest:
            announce(contest, "The lab is **open**.", HostDecision(reason="asked in class", decided_at=NOW))
            headers = {"Authorization": f"Bearer {contest.new_token(contest.team('Ann'), NOW)}", "Content-Type": "text/csv"}
        facts = client.get("/api/v1/contest").json()
        sent = client.post("/api/v1/attempts", params={"note": "lenet5"}, content=submission(1), headers=headers)
        long = client.post("/api/v1/attempts", params={"note": "x" * 301}, content=submission(2), headers=headers)
        attempts = client.get("/api/v1/team", headers=headers).json()["attempts"]
    assert facts["downloads"] == [
        {
            "name": "data ñ.zip",
            "description": "All of it",
            "size_bytes": len(DATA),
            "digest": hashlib.sha256(DATA).hexdigest(),
        }
    ]
    assert [item["text"] for item in facts["announcements"]] == ["The lab is **open**."]
    assert sent.json()["attempt"]["note"] == "lenet5"
    assert (long.status_code, long.json()["error"]) == (422, "note")
    assert [attempt["note"] for attempt in attempts] == ["lenet5"]
