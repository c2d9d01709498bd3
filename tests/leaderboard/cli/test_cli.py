"""`arena contest` from the first command to the last."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli import app
from leaderboard.errors import LeaderboardError
from support.paths import ROOT


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, n_wrong in {"solution": 0, "good": 1, "fair": 5, "poor": 8, "bad": 9}.items():
        rows = "".join(f"c{n},{(n % 2) ^ (n < n_wrong)}\n" for n in range(20))
        (tmp_path / f"{name}.csv").write_text("id,label\n" + rows)
    return tmp_path


def arena(*arguments: str) -> str:
    """Return the command's stdout, or `error: ...` for a mistake of its user."""
    result = CliRunner().invoke(app, ["contest", *arguments])
    if isinstance(result.exception, LeaderboardError):
        return f"error: {result.exception}"
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def started() -> None:
    arena("init", "solution.csv", "--name", "Digits 2026")
    arena("team", "add", "Alpha")
    arena("team", "add", "Beta")


def test_a_contest_is_made_and_not_made_twice() -> None:
    output = arena("init", "solution.csv", "--name", "Digits 2026", "--deadline", "2126-12-01T18:00+01:00")
    facts, closing = output.split("; ")
    assert facts == "Digits 2026: contest.db holds 20 ids, labels 0, 1"
    assert re.fullmatch(r"closes at 2126-12-01 17:00 UTC( \(.* here\))?, in \d+ d( \d+ (h|min))?\n", closing)
    again = arena("init", "solution.csv", "--name", "Other")
    assert again == "error: contest.db exists and no contest is overwritten; choose another path with --contest"


def test_a_new_contest_tells_its_host_the_next_step() -> None:
    result = CliRunner().invoke(app, ["contest", "init", "solution.csv", "--name", "Digits"])
    step = "next: `arena contest host-token new --name NAME` makes the token that you sign in with on the contest's site\n"
    assert result.stderr.endswith(step)


def test_a_bad_solution_makes_no_contest(folder: Path) -> None:
    (folder / "solution.csv").write_text("id,label\na,1\n")
    refused = arena("init", "solution.csv", "--name", "Digits")
    assert refused == "error: solution.csv: a contest has 2 to 1000 labels and this file names 1; check its label column"
    assert not (folder / "contest.db").exists()


def test_an_odd_class_is_said_when_the_contest_is_made(folder: Path) -> None:
    (folder / "solution.csv").write_text((folder / "solution.csv").read_text() + "c20,l\n")
    output = CliRunner().invoke(app, ["contest", "init", "solution.csv", "--name", "Digits"]).stderr
    assert output.startswith("solution.csv: label 'l' (id 'c20') is the only label that is no number and has one row")


def test_teams_are_added_and_listed() -> None:
    arena("init", "solution.csv", "--name", "Digits 2026")
    assert arena("team", "add", " Alpha ") == "Alpha takes part in Digits 2026\n"
    assert arena("team", "add", "ALPHA") == "error: a team's name is its own and 'ALPHA' is taken; give another"
    assert json.loads(arena("team", "list", "--json")) == [{"team": "Alpha", "pseudonym": None, "n_attempts": 0}]
    assert "Alpha" in arena("team", "list")


def test_a_file_is_checked_for_its_form_alone() -> None:
    started()
    assert arena("validate", "good.csv") == "good.csv can be sent: 20 rows, without probabilities\n"
    checked = json.loads(arena("validate", "bad.csv", "--json"))
    assert checked == {"file": "bad.csv", "n_rows": 20, "has_probabilities": False, "notes": []}


def test_three_files_are_scored_and_the_fourth_is_refused(folder: Path) -> None:
    started()
    first = arena("submit", "good.csv", "--team", "alpha")
    assert first.startswith("Alpha, attempt 1: macro-F1 0.950 (95 % interval ")
    assert first.endswith(" over 20 rows)\nrank 1 of 1, 2 attempts left\n")
    assert arena("submit", "good.csv", "--team", "alpha") == "the same file was scored before, no attempt was used\n" + first
    (folder / "spaced.csv").write_text((folder / "good.csv").read_text() + "\n")
    told = "error: the labels in spaced.csv are those of attempt 1, which scored 0.950; no attempt was used"
    assert arena("submit", "spaced.csv", "--team", "Alpha") == f"{told}; add --again to use an attempt all the same"
    receipt = json.loads(arena("submit", "spaced.csv", "--team", "Alpha", "--again", "-m", " lenet5, 30 epochs", "--json"))
    assert receipt["attempt"]["note"] == "lenet5, 30 epochs"
    assert (receipt["attempt"]["number"], receipt["n_left"], receipt["attempt"]["score"]) == (2, 1, 0.95)
    assert arena("submit", "poor.csv", "--team", "alpha").endswith("rank 1 of 1, 0 attempts left\n")
    refused = arena("submit", "bad.csv", "--team", "alpha")
    assert refused == "error: a team has 3 attempts and team 'Alpha' has used them all; its best one counts"
    assert [attempt["number"] for attempt in json.loads(arena("attempts", "Alpha", "--json"))] == [1, 2, 3]
    assert "lenet5, 30 epochs" in arena("attempts", "Alpha")
    assert "0.6000" in arena("attempts", "alpha")


def test_a_refused_file_names_its_line_and_costs_nothing(folder: Path) -> None:
    started()
    (folder / "wrong.csv").write_text((folder / "good.csv").read_text().replace("c5,1", "c5,7"))
    rule = "error: wrong.csv line 7: label '7' is not one of 0, 1; fix the row and send it again"
    assert (arena("validate", "wrong.csv"), arena("submit", "wrong.csv", "--team", "Alpha")) == (rule, rule)
    assert json.loads(arena("attempts", "Alpha", "--json")) == []


def test_further_faults_of_a_file_follow_a_line_each(folder: Path) -> None:
    started()
    good = (folder / "good.csv").read_text()
    (folder / "wrong.csv").write_text(good.replace("c5,1", "c5,7").replace("c7,1", "c7,8"))
    command = [sys.executable, "-m", "arena", "contest", "validate", "wrong.csv"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "error: wrong.csv line 7: label '7' is not one of 0, 1; fix the row and send it again (1 more problem in this file)",
        "  line 9: label '8' is not one of 0, 1; fix the row and send it again",
    ]


def test_standings_are_shown_to_people_and_machines() -> None:
    started()
    arena("submit", "fair.csv", "--team", "Alpha")
    arena("submit", "good.csv", "--team", "Beta")
    table = [line.split() for line in arena("standings").splitlines() if line.strip()]
    assert table[0] == ["Digits", "2026"]
    assert [row[:5] for row in table[-2:]] == [["1", "1", "a", "Beta", "0.950"], ["2", "2", "b", "Alpha", "0.749"]]
    lines = json.loads(arena("standings", "--json"))
    assert [(line["rank"], line["team"], line["score"]) for line in lines] == [(1, "Beta", 0.95), (2, "Alpha", 0.749)]
    assert arena("standings", "--private").startswith("error: private standings need a Usage column")


def test_a_missing_contest_is_named() -> None:
    hint = "make a contest with `arena contest init SOLUTION.csv`, or name yours with --contest"
    assert arena("standings", "--contest", "no.db") == f"error: no.db does not exist; {hint}"


@pytest.mark.parametrize(
    "command",
    [
        *("init", "validate", "submit", "attempts", "attempt", "standings", "team add", "team list"),
        *("extend", "close", "reopen", "grant", "void", "disqualify", "reinstate", "rename", "merge", "rescore", "log"),
        *("team import", "team show", "team forget", "join-link new", "join-link list", "join-link revoke", "gradebook"),
        *("token new", "token revoke", "backup", "restore", "migrate"),
    ],
)
def test_every_command_has_help_with_an_example(command: str) -> None:
    assert f" arena contest {command} " in arena(*command.split(), "--help").rpartition("Example")[2] + " "


def test_help_loads_neither_a_database_nor_numpy() -> None:
    script = "import sys, leaderboard.cli.contest; print([m for m in ('sqlalchemy', 'numpy', 'rich') if m in sys.modules])"
    root = ROOT
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root).stdout == "[]\n"


def test_a_host_acts_with_a_reason_that_the_log_shows() -> None:
    started()
    assert arena("grant", "alpha", "--n-attempts", "2", "--reason", "the server was down") == "Alpha has 5 attempts\n"
    assert arena("rename", "Beta", "Omega", "--reason", "they asked") == "Beta is Omega now\n"
    assert "two of them left" not in arena("merge", "Omega", "--into", "Alpha", "--reason", "two of them left", "--dry-run")
    assert [(e["action"], e["team"], e["reason"]) for e in json.loads(arena("log", "--json"))] == [
        ("team add", "Alpha", "it takes part"),
        ("team add", "Beta", "it takes part"),
        ("grant", "Alpha", "the server was down"),
        ("rename", "Beta", "they asked"),
    ]
    table = arena("log")
    assert "3 → 5" in table
    assert "Beta → Omega" in table
    assert "the server was down" in table
    assert CliRunner().invoke(app, ["contest", "close"]).exit_code == 2  # no reason


def test_a_later_deadline_of_a_closed_contest_says_that_it_stays_closed() -> None:
    arena("init", "solution.csv", "--name", "Digits", "--deadline", "2090-12-01T18:00+00:00")
    arena("close", "--reason", "the lecture begins")
    output = arena("extend", "2090-12-02T18:00+00:00", "--reason", "the cluster was down")
    assert output.startswith("the deadline is 2090-12-02 18:00 UTC")
    assert output.endswith("the contest stays closed until `arena contest reopen`\n")


def test_a_token_is_printed_once_and_worthless_after_it_is_revoked() -> None:
    from leaderboard.store import open_contest

    started()
    token = arena("token", "new", "Alpha", "--reason", "in class").strip()
    with open_contest("contest.db") as contest:
        found = contest.find_team_by_token(token)
        assert found is not None
        assert found.name == "Alpha"
        assert arena("token", "revoke", "Alpha", "--reason", "it leaked") == "1 token of Alpha revoked\n"
        assert contest.find_team_by_token(token) is None


def test_a_contest_is_copied_and_brought_back() -> None:
    started()
    arena("submit", "good.csv", "--team", "Alpha")
    before = arena("standings", "--json")
    assert arena("backup", "copy.db").startswith("copy.db holds contest.db as it was")
    assert arena("backup", "copy.db") == "error: copy.db exists and a backup is written over no other file; give another path"
    assert arena("restore", "none.db") == "error: none.db does not exist; give the file that `arena contest backup` wrote"
    assert arena("restore", "copy.db", "--contest", "again.db") == "again.db holds Digits 2026 with 2 teams\n"
    assert arena("standings", "--json", "--contest", "again.db") == before
    assert arena("migrate") == "contest.db was up to date; nothing was changed\n"


def test_one_attempt_is_shown_with_every_metric() -> None:
    started()
    arena("submit", "fair.csv", "--team", "Alpha")
    output = arena("attempt", "Alpha", "1")
    assert all(word in output for word in ("precision", "recall", "0.7273", "0.8000"))
    details = json.loads(arena("attempt", "Alpha", "1", "--json"))
    assert details["confusion"] == [[7, 3], [2, 8]]


def test_a_corrected_solution_is_tried_before_it_is_taken(folder: Path) -> None:
    started()
    arena("submit", "good.csv", "--team", "Alpha")
    (folder / "corrected.csv").write_text((folder / "solution.csv").read_text().replace("c0,0", "c0,1"))
    command = ("rescore", "corrected.csv", "--reason", "c0 is a 1")
    assert "1.0000" in arena(*command, "--dry-run")
    assert json.loads(arena("standings", "--json"))[0]["score"] == 0.95
    arena(*command)
    assert json.loads(arena("standings", "--json"))[0]["score"] == 1.0


def test_a_contest_ranks_by_the_metric_of_its_host(folder: Path) -> None:
    (folder / "errors.py").write_text(
        "def score(solution, submission, row_id_column_name):\n"
        "    merged = solution.merge(submission, on=row_id_column_name)\n"
        "    return float((merged.label_x != merged.label_y).sum())\n"
    )
    arena("init", "solution.csv", "--name", "Digits", "--metric", "errors.py", "--lower-is-better")
    arena("team", "add", "Alpha")
    arena("submit", "poor.csv", "--team", "Alpha")
    assert arena("submit", "good.csv", "--team", "Alpha").startswith("Alpha, attempt 2: score 1.000, macro-F1 0.950")
    (line,) = json.loads(arena("standings", "--json"))
    assert (line["best"], line["score"]) == (2, 1.0)
    assert "errors" in arena("standings")


def test_no_public_output_tells_a_private_score_before_the_contest_is_closed(folder: Path) -> None:
    rows = "".join(f"c{n},{n % 2},{'Public' if n < 10 else 'Private'}\n" for n in range(20))
    (folder / "solution.csv").write_text("id,label,Usage\n" + rows)
    answers = "".join(f"c{n},{(n % 2) ^ (n in (1, 11, 12, 15))}\n" for n in range(20))
    (folder / "sent.csv").write_text("id,label\n" + answers)
    arena("init", "solution.csv", "--name", "Digits")
    arena("team", "add", "Alpha")
    public = [
        ("submit", "sent.csv", "--team", "Alpha"),
        ("submit", "sent.csv", "--team", "Alpha", "--json"),
        *((name, *rest) for name in ("standings", "attempts", "attempt") for rest in ((), ("--json",))),
        ("team", "list", "--json"),
        ("log",),
    ]
    named = {"attempts": ("Alpha",), "attempt": ("Alpha", "1")}
    output = ""
    for command in public:
        result = CliRunner().invoke(app, ["contest", command[0], *named.get(command[0], ()), *command[1:]])
        assert result.exit_code == 0
        output += result.output
    assert "0.9" in output
    private = ("0.7", "0.69", "private", "Private")  # accuracy and macro-F1 of the private rows
    output = re.sub(r"\d\d:\d\d:\d\d\.\d+", "", output)  # a moment of 20.7 s is no score
    assert [word for word in private if word in output] == []
    assert "0.7" in arena("standings", "--private")
    arena("close", "--reason", "it is over")
    assert "0.7" in arena("standings")


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (
            "--address http://localhost --token-file s3cret",
            "--token-file names no file with a token (No such file",
        ),
        ("--address http://s3cret@localhost", "--address holds a name or a password before its @"),
        ("--address http://me:s3cret@localhost/contest", "--address holds a name or a password before its @"),
    ],
)
def test_a_secret_in_the_wrong_option_is_not_repeated(folder: Path, words: str, start: str) -> None:
    command = [sys.executable, "-m", "arena", "submit", str(folder / "good.csv"), "--team", "Ann", "--json", *words.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.startswith(f"error: {start}")
    assert json.loads(done.stdout)["error"].startswith(start)
    assert "s3cret" not in done.stdout + done.stderr


def test_a_submission_without_address_or_team_says_where_each_may_stand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    for words, line in (
        ([], "address is missing; give --address, set ARENA_ADDRESS, or write address = ... below [contest] in arena.toml"),
        (
            ["--address", "http://localhost"],
            "team is missing; give --team, set ARENA_TEAM, or write team = ... below [contest]",
        ),
    ):
        result = CliRunner().invoke(app, ["submit", "solution.csv", *words])
        assert (result.exit_code, line in result.output) == (2, True)
    Path("arena.toml").write_text('[contest]\naddress = "contest.db"\n')
    result = CliRunner().invoke(app, ["submit", "solution.csv", "--team", "Mel"])
    line = "the contest of arena.toml is no page: arena contest submit solution.csv --team Mel"
    assert (result.exit_code, line in result.output) == (2, True)
