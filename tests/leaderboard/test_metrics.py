"""A metric is added in one place: a line of the table, and it stands in tables, JSON, the API, command lines and the report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.paths import ROOT

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[2])
import numpy as np
from leaderboard import standings
error = standings.MetricColumn(
    key="error", name="wrong rows", compute=lambda n, _: float(n.sum() - np.trace(n)), is_lower_better=True, digits=1
)
standings.METRICS += (error,)  # before anything else reads the table

import json
from starlette.testclient import TestClient
from typer.testing import CliRunner
import arena.cli
from leaderboard.database.create import ContestSettings
from leaderboard.rules import DetailsFrom
from support.contests import made, send, solution
from leaderboard.pages.publish import publish
from leaderboard.service.app import create_app
from leaderboard.pages.board_cache import read_public_board
from leaderboard.pages.board_cache import format_standings_csv
from leaderboard.service.context import ServiceSettings
from leaderboard.pages.standings_page import SORTS
from reports.page.csv_data import METRICS
from reports.reading.contest import read_contest

with made(sys.argv[1], solution(), "Alpha", "Beta", settings=ContestSettings(details=DetailsFrom.DURING)) as contest:
    send(contest, "Alpha", 0, 1)
    send(contest, "Beta", 0)
    table = format_standings_csv(read_public_board(contest)).splitlines()
    assert table[0].split(",").index("wrong rows") == table[0].split(",").index("accuracy") + 1
    assert ",0.975,1.0," in table[1] and ",0.95,2.0," in table[2]
with TestClient(create_app(ServiceSettings(where=sys.argv[1]))) as client:
    lines = client.get("/api/v1/standings").json()["lines"]
    assert [line["error"] for line in lines] == [1, 2]
    assert "error" in client.get("/api/openapi.json").json()["components"]["schemas"]["AttemptOut"]["properties"]
assert "error" in SORTS and error in METRICS
assert [line.metrics["error"] for line in read_contest(sys.argv[1]).standings] == [1, 2]
printed = CliRunner().invoke(arena.cli.app, ["contest", "standings", "--contest", sys.argv[1]], env={"COLUMNS": "160"})
assert "wrong rows" in printed.output and " 2.0 " in printed.output, printed.output
as_json = CliRunner().invoke(arena.cli.app, ["contest", "attempts", "Alpha", "--json", "--contest", sys.argv[1]])
assert json.loads(as_json.stdout)[0]["error"] == 2
"""


def test_a_line_of_the_table_is_a_metric_everywhere(tmp_path: Path) -> None:
    words = [sys.executable, "-c", PROGRAM, str(tmp_path / "contest.db"), str(ROOT / "tests")]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
