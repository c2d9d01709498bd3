"""Handouts: a sheet a team, tokens that are made once, and a file of them for their owner alone."""

from __future__ import annotations

import csv
import io
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from leaderboard.actions.host import HostDecision
from leaderboard.classes.class_list import GroupChoice, parse_class_list
from leaderboard.classes.handout_pages import write_handout_pages
from leaderboard.classes.handouts import Handouts, HandoutSettings, make_handouts
from leaderboard.classes.roster import RosterOptions, import_roster
from leaderboard.database import schema
from leaderboard.errors import ContestError
from leaderboard.store import Contest
from support.contests import NOW, made, solution

DECISION = HostDecision(reason="handed out", decided_at=NOW)
LIST = "Name,Email,Team\nAna Ruiz,a@x.org,Echo\nBo <b>Li</b>,b@x.org,Echo\nCy,c@x.org,Mel/Street\n"


@pytest.fixture
def contest(tmp_path: Path) -> Contest:
    contest = made(str(tmp_path / "c.db"), solution(), "Nobody", deadline=datetime(2026, 12, 18, 17, 0, tzinfo=UTC))
    load(contest, LIST)
    return contest


def load(contest: Contest, text: str) -> None:
    roster = parse_class_list(text.encode(), "class.csv", GroupChoice())
    import_roster(contest, roster, RosterOptions(), DECISION)


def hand_out(contest: Contest, folder: Path, *, language: str = "en", renew: bool = False) -> tuple[Handouts, list[str]]:
    settings = HandoutSettings(
        folder=folder,
        address="https://digits.example.org",
        language=language,
        zone=ZoneInfo("Europe/Madrid"),
        is_renewed=renew,
    )
    handouts = make_handouts(contest, settings, DECISION)
    return handouts, write_handout_pages(handouts, settings)[1]


def tokens(folder: Path) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO((folder / "tokens.csv").read_text(encoding="utf-8-sig")))
    return {row["name"] or row["team"]: row["token"] for row in rows}


def test_each_member_has_a_token_a_team_without_members_one_and_the_files_are_their_owners_alone(
    contest: Contest, tmp_path: Path
) -> None:
    folder = tmp_path / "handouts"
    handouts, _ = hand_out(contest, folder)
    assert (handouts.n_new, handouts.n_known, handouts.n_unknown) == (4, 0, 0)
    assert sorted(path.name for path in folder.iterdir()) == [
        "all.html",
        "team Echo.html",
        "team Mel_Street.html",
        "team Nobody.html",
        "tokens.csv",
    ]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    teams = {name: contest.find_team_by_token(token) for name, token in tokens(folder).items()}
    assert {name: team.name for name, team in teams.items() if team} == {
        "Ana Ruiz": "Echo",
        "Bo <b>Li</b>": "Echo",
        "Cy": "Mel/Street",
        "Nobody": "Nobody",
    }


@pytest.mark.parametrize(
    ("language", "moment"),
    [("en", "Last moment"), ("es", "Último momento")],
)
def test_a_sheet_says_address_dates_in_both_clocks_rules_and_tokens(
    contest: Contest, tmp_path: Path, language: str, moment: str
) -> None:
    hand_out(contest, tmp_path / "h", language=language)
    page = (tmp_path / "h" / "team Echo.html").read_text(encoding="utf-8")
    own = tokens(tmp_path / "h")
    assert f'<html lang="{language}">' in page
    assert {name for name, token in own.items() if token in page} == {"Ana Ruiz", "Bo <b>Li</b>"}
    assert moment in page
    assert "2026-12-18 18:00 CET (2026-12-18 17:00 UTC)" in page
    assert "<code>arena submit submission.csv --address https://digits.example.org --team Echo</code>" in page
    assert page.count("<svg") == 1
    assert "Bo &lt;b&gt;Li&lt;/b&gt;" in page
    assert not re.search(r"(src|href)=", page)  # one file, no network
    everything = (tmp_path / "h" / "all.html").read_text(encoding="utf-8")
    assert (everything.count("<section>"), all(token in everything for token in own.values())) == (3, True)


def test_a_sheet_names_the_moment_once_where_the_hosts_clock_is_utc_and_quotes_the_teams_name(tmp_path: Path) -> None:
    contest = made(str(tmp_path / "c.db"), solution(), "Mel Street", deadline=datetime(2026, 12, 18, 17, 0, tzinfo=UTC))
    settings = HandoutSettings(folder=tmp_path / "h", address="https://digits.example.org", language="en", zone=ZoneInfo("UTC"))
    write_handout_pages(make_handouts(contest, settings, DECISION), settings)
    page = (tmp_path / "h" / "team Mel Street.html").read_text(encoding="utf-8")
    assert page.count("2026-12-18 17:00 UTC") == 1
    assert "--team &#39;Mel Street&#39;</code>" in page


def test_a_sheet_carries_the_hosts_own_rules(contest: Contest, tmp_path: Path) -> None:
    with contest.database.write() as connection:
        connection.execute(update(schema.contest).values(overview={"rules": "No *outside* data. <script>x</script>"}))
    hand_out(contest, tmp_path / "out")
    text = (tmp_path / "out" / "team Echo.html").read_text()
    assert "<p>No <em>outside</em> data." in text
    assert "<script" not in text


def test_a_second_run_makes_no_second_token_and_new_members_get_theirs(contest: Contest, tmp_path: Path) -> None:
    folder = tmp_path / "h"
    hand_out(contest, folder)
    before = tokens(folder)
    load(contest, LIST + "Di,d@x.org,Echo\n")
    handouts, left = hand_out(contest, folder)
    assert (handouts.n_new, handouts.n_known, handouts.n_unknown, left) == (1, 4, 0, [])
    after = tokens(folder)
    assert before.items() < after.items()
    page = (folder / "team Echo.html").read_text(encoding="utf-8")
    assert all(after[name] in page for name in ("Ana Ruiz", "Di"))


def test_without_the_file_of_tokens_they_are_not_printed_again_and_no_sheet_is_lost(contest: Contest, tmp_path: Path) -> None:
    folder = tmp_path / "h"
    hand_out(contest, folder)
    sheet = (folder / "team Echo.html").read_bytes()
    (folder / "tokens.csv").unlink()
    handouts, left = hand_out(contest, folder)
    assert (handouts.n_new, handouts.n_unknown, len(left)) == (0, 4, 3)
    assert (folder / "team Echo.html").read_bytes() == sheet
    shutil.rmtree(folder)
    hand_out(contest, folder)
    page = (folder / "team Echo.html").read_text(encoding="utf-8")
    assert page.count("handed out on 2026-11-21 08:00 UTC; it cannot be printed again") == 2


def test_new_tokens_end_all_earlier_ones(contest: Contest, tmp_path: Path) -> None:
    hand_out(contest, tmp_path / "h")
    before = tokens(tmp_path / "h")
    handouts, _ = hand_out(contest, tmp_path / "h", renew=True)
    after = tokens(tmp_path / "h")
    assert (handouts.n_new, handouts.n_known) == (4, 0)
    assert [contest.find_team_by_token(token) for token in before.values()] == [None] * 4
    assert all(contest.find_team_by_token(token) for token in after.values())
    assert [entry.change for entry in contest.log() if entry.action == "token new"] == ["4 tokens", "4 tokens"]


def test_a_folder_that_cannot_be_written_makes_no_token(contest: Contest, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ContestError, match="cannot be read or written"):
        hand_out(contest, tmp_path / "file" / "h")
    assert [entry.action for entry in contest.log()] == ["team import"]


def test_a_file_of_tokens_that_a_spreadsheet_saved_is_read_and_one_of_another_contest_is_kept(
    contest: Contest, tmp_path: Path
) -> None:
    folder = tmp_path / "h"
    hand_out(contest, folder)
    before = tokens(folder)
    text = (folder / "tokens.csv").read_text(encoding="utf-8-sig")
    (folder / "tokens.csv").write_text(text.replace(",", ";"), encoding="cp1252")
    assert hand_out(contest, folder)[0].n_known == 4
    assert tokens(folder) == before
    other = made(str(tmp_path / "other.db"), solution(), "Echo")
    with pytest.raises(ContestError, match="has 4 tokens that this contest does not know; choose another folder"):
        hand_out(other, folder)
    (folder / "tokens.csv").write_text("notes\nmine\n")
    with pytest.raises(ContestError, match="has no column token and would be replaced"):
        hand_out(contest, folder)
