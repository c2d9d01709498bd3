"""`arena contest team`, `token` and `join-link` on the command line: what they print, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena.cli
from leaderboard.errors import LeaderboardError

LIST = "Name,Email,Team\nAna Ruiz,a@x.org,Echo\nBo,b@x.org,Mel\nCy,c@x.org,\n"
WITH = ("--reason", "asked for")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "solution.csv").write_text("id,label\n" + "".join(f"c{n},{n % 2}\n" for n in range(20)))
    (tmp_path / "class.csv").write_text(LIST)
    call("init", "solution.csv", "--name", "Digits")
    return tmp_path


def call(*words: str) -> tuple[str, str]:
    """The command's output and its remarks; of a mistake nothing and its message."""
    done = CliRunner().invoke(arena.cli.app, ["contest", *words])
    if isinstance(done.exception, LeaderboardError):
        return "", str(done.exception)
    if done.exit_code not in (0, 2):
        raise AssertionError(done.output) from done.exception
    return done.stdout, done.stderr


def test_an_import_says_what_it_does(folder: Path) -> None:
    output, remarks = call("team", "import", "class.csv", "--dry-run")
    assert output == "2 teams and 2 members new, 0 updated, 0 as before\n"
    assert remarks.splitlines() == [
        "teams by the column 'Team'",
        "Cy has no group and was not added (--alone makes a team of one)",
        "dry run: nothing was changed",
    ]
    assert call("team", "list")[1].startswith("no team yet")
    assert call("team", "import", "class.csv")[0] == output
    (folder / "class.csv").write_text("Name,Email,Team\nAna Ruiz,a@x.org,Mel\n")
    output, remarks = call("team", "import", "class.csv", "--json")
    change = json.loads(output)
    assert (change["moves"], change["gone"], change["n_unchanged"]) == (
        [{"name": "Ana Ruiz", "before": "Echo", "after": "Mel"}],
        [{"name": "Bo", "team": "Mel"}],
        1,
    )
    assert remarks.splitlines()[1:] == [
        "Ana Ruiz: is in another group now and was not moved (--move does it): Echo to Mel",
        "Bo of Mel is not in the list any more and stays; `arena contest team forget` ends that",
    ]


def test_a_list_of_teams_replaces_the_loop(folder: Path) -> None:
    (folder / "teams.txt").write_bytes(b"Mel Street\r\nLos Formantes\r\n")
    assert call("team", "import", "teams.txt")[0] == "2 teams and 0 members new, 0 updated, 0 as before\n"
    assert [line["team"] for line in json.loads(call("team", "list", "--json")[0])] == ["Los Formantes", "Mel Street"]


def test_handouts_need_an_address_and_say_what_they_keep(folder: Path) -> None:
    assert "--address is the contest's page" in call("team", "import", "class.csv", "--handouts", "h")[1]
    assert call("team", "list")[1].startswith("no team yet")
    words = ("team", "import", "class.csv", "--handouts", "h", "--address", "https://digits.example.org/")
    assert "h: 3 files written, 2 new tokens, 0 as before" in call(*words)[1]
    (folder / "h" / "tokens.csv").unlink()
    remarks = call(*words)[1]
    assert "2 tokens handed out before cannot be printed again, since hashes alone are kept; --new-tokens" in remarks
    assert "team Echo.html stays as it is" in remarks


def test_a_team_is_shown_with_its_members_and_their_tokens() -> None:
    call("team", "import", "class.csv")
    token = call("token", "new", "Echo", "--member", "a@x.org", *WITH)[0].strip()
    assert len(token) == 43
    assert json.loads(call("team", "show", "echo", "--json")[0]) == [
        {
            "is_team": False,
            "name": "Ana Ruiz",
            "email": "a@x.org",
            "login": None,
            "lms_id": None,
            "student_id": None,
            "n_tokens": 1,
            "used_at": None,
        }
    ]
    assert "never" in call("team", "show", "Echo")[0]
    assert call("token", "revoke", "Echo", "--member", "ana ruiz", *WITH)[0] == "1 token of ana ruiz revoked\n"
    assert "no member of team 'Echo' has" in call("token", "revoke", "Echo", "--member", "Bo", *WITH)[1]


def test_a_join_link_is_printed_once_listed_and_revoked() -> None:
    call("team", "add", "Echo")
    words = ("join-link", "new", "Echo", "--hours", "2", "--uses", "3", "--address", "https://digits.example.org/")
    link, remark = call(*words)
    assert link.startswith("https://digits.example.org/join/")
    assert remark == "link 1 serves 3 people for 2 h; `arena contest join-link revoke 1` ends it\n"
    assert "link 2 serves 1 person for 48 h" in call(*words[:3], "--uses", "1", *words[-2:])[1]
    table = call("join-link", "list")[0]
    assert "3 of 3" in table
    assert link.rpartition("/")[2].strip() not in table + call("join-link", "list", "--json")[0] + call("log", "--json")[0]
    assert call("join-link", "revoke", "1", *WITH)[0] == "join link 1 serves nobody more\n"
    assert "revoked" in call("join-link", "list")[0]


def test_forgetting_says_where_the_data_may_still_be() -> None:
    call("team", "import", "class.csv")
    assert "name a member by e-mail, login, id or name" in call("team", "forget", *WITH)[1]
    output, remark = call("team", "forget", "a@x.org", *WITH)
    assert output == "1 member forgotten: name, e-mail, ids and tokens; the attempts stay\n"
    assert remark == "backups, handouts, tokens.csv, gradebooks and class lists still hold them: delete those too\n"
    assert "no member has the e-mail, login, id or name 'a@x.org'" in call("team", "forget", "a@x.org", *WITH)[1]


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("--template", "t.csv"), "--template and --column go together"),
        (("--separator", "|"), "--separator is , or ; or tab, not '|'"),
        (("--unverified-too", "--verified-only"), "exclude each other"),
        (("--template", "t.csv", "--column", "C", "--bom"), "a template keeps its own separator and byte order mark"),
        (("--by", "rank"), "--by rank needs --points"),
        (("--points", "10:1"), "the winner's are --bonus"),
    ],
)
def test_a_gradebook_with_two_readings_is_refused(folder: Path, words: tuple[str, ...], refusal: str) -> None:
    assert refusal in " ".join(call("gradebook", "g.csv", *words)[1].replace("│", " ").split())
    assert not (folder / "g.csv").exists()


def test_a_gradebook_for_a_spanish_spreadsheet() -> None:
    call("team", "import", "class.csv")
    output, remarks = call("gradebook", "g.csv", "--separator", ";", "--bom", "--decimal-comma", "--bonus", "7.5")
    assert output == "g.csv\n"
    assert remarks.startswith("the contest is not closed")
    lines = Path("g.csv").read_text(encoding="utf-8").splitlines()
    assert lines == [
        "\ufeffname;email;login;id;student_id;team;rank;macro-F1;attempts;points;model;basis",
        "Ana Ruiz;a@x.org;;;;Echo;;;0;0;;no attempt",
        "Bo;b@x.org;;;;Mel;;;0;0;;no attempt",
    ]
