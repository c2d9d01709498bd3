"""A member's personal data: for the host alone, revocable alone, and gone when they are forgotten."""

from __future__ import annotations

import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.actions.submit import submit
from leaderboard.classes.class_list import GroupChoice, parse_class_list
from leaderboard.classes.join_links import JoinRequest, join, new_join_link
from leaderboard.classes.member_tokens import forget_members, give_member_token, revoke_member_tokens
from leaderboard.classes.members import list_holders, read_members
from leaderboard.classes.roster import RosterOptions, import_roster
from leaderboard.errors import ContestError
from leaderboard.notices import collect_notices, read_position
from leaderboard.pages.publish import publish
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.store import Contest, open_contest
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from support.contests import run
from support.service import NOW, make, submission

DECISION = HostDecision(reason="asked for", decided_at=NOW)
EMAIL, LOGIN, NUMBER, NAME = "ana.secret@uni.example.org", "login4711", "0815-4242", "Ana Geheimnis"
SECRETS = (EMAIL, LOGIN, NUMBER, NAME)
LIST = f"Name,Email,Username,Student ID,Team\n{NAME},{EMAIL},{LOGIN},{NUMBER},Echo\nBo,b@x.org,bo,1,Echo\nCy,,cy,2,Mel\n"


@pytest.fixture
def where(tmp_path: Path) -> Path:
    make(tmp_path / "c.db", [])
    return tmp_path / "c.db"


@pytest.fixture
def contest(where: Path) -> Iterator[Contest]:
    with open_contest(where) as contest:
        roster = parse_class_list(LIST.encode(), "class.csv", GroupChoice())
        import_roster(contest, roster, RosterOptions(), DECISION)
        for team, seed in (("Echo", 1), ("Mel", 2)):
            submit(contest, team, submission(seed), "p.csv", NOW)
        yield contest


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("is_closed", [False, True])
def test_no_public_page_export_log_or_api_names_a_member(
    contest: Contest, where: Path, tmp_path: Path, *, is_closed: bool
) -> None:
    if is_closed:
        close_contest(contest, DECISION)
    publish(contest, tmp_path / "site", NOW)
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "site").iterdir()]
    token, other = (contest.new_token(contest.team(name), NOW) for name in ("Echo", "Mel"))
    with TestClient(create_app(ServiceSettings(where=str(where)))) as client:
        paths = [path for path, verbs in client.get("/api/openapi.json").json()["paths"].items() if "get" in verbs]
        assert paths
        for bearer in ("", token, other):
            headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
            for path in ("/", "/standings.csv", "/team", "/attempts/1", "/validate", "/login", "/api", *paths):
                texts.append(client.get(re.sub(r"{\w+}", "1", path), headers=headers).text)
        match = re.search(r'name="csrf" value="(\w+)"', client.get("/login").text)
        assert match
        client.post("/login", data={"csrf": match[1], "token": other})
        texts += [client.get(path).text for path in ("/", "/team", "/attempts/1")]
    texts.append(json.dumps([repr(entry) for entry in contest.log()]))
    for words in (("standings", "--json"), ("standings",), ("log",), ("team", "list", "--json"), ("attempts", "Echo")):
        texts.append(str(run(str(where), *words)))
    assert [leaks(text) for text in texts if leaks(text)] == []
    assert any("Echo" in text for text in texts)


def test_no_report_file_notice_or_other_page_names_a_member(contest: Contest, where: Path, tmp_path: Path) -> None:
    before = read_position(contest)
    links = [new_join_link(contest, team, 1.0, 1, DECISION)[1] for team in (None, contest.team("Echo"))]
    link = new_join_link(contest, contest.team("Echo"), 1.0, 1, DECISION)[1]
    join(contest, link, JoinRequest(name="Di", email="di@x.org", team=""), NOW)
    submit(contest, "Echo", submission(3), "q.csv", NOW)
    texts = [repr(collect_notices(contest, before)), render_report(gather_facts(Sources(contest=str(where)))).decode()]
    zipped = tmp_path / "files.zip"
    for words in (("files", zipped), ("config",), ("alike",)):
        texts.append(str(run(str(where), *words)))
    with zipfile.ZipFile(zipped) as archive:
        texts += [entry.filename + archive.read(entry).decode() for entry in archive.infolist()]
    with TestClient(create_app(ServiceSettings(where=str(where)))) as client:
        paths = [f"/join/{token}" for token in (*links, link, "wrong")]
        texts += [client.get(path).text for path in ("/", "/no-page", f"/downloads/{EMAIL[:3]}", "/host", *paths)]
        page = client.get(paths[0]).text
        match = re.search(r'name="csrf" value="(\w+)"', page)
        assert match
        for data in ({"csrf": match[1], "name": "Ed", "team": "Echo"}, {"name": "Ed"}):
            texts.append(client.post(paths[0], data=data).text)
        texts.append(client.post("/api/v1/attempts", headers={"Authorization": "Bearer wrong"}).text)
    assert [leaks(text) for text in texts if leaks(text)] == []
    assert sum("Echo" in text for text in texts) > 5


def test_members_print_nothing_of_themselves(contest: Contest) -> None:
    with contest.database.read() as connection:
        assert leaks(repr(read_members(connection))) == []


def test_a_members_token_is_revoked_alone(contest: Contest) -> None:
    echo = contest.team("Echo")
    ana, bo = (give_member_token(contest, echo, who, DECISION) for who in (EMAIL, "bo"))
    assert revoke_member_tokens(contest, echo, "ANA geheimnis", DECISION) == 1
    assert (contest.find_team_by_token(ana), contest.find_team_by_token(bo)) == (None, echo)
    assert [entry.change for entry in contest.log() if entry.action == "token revoke"] == ["1 token revoked"]
    with pytest.raises(ContestError, match="no member of team 'Echo' has the e-mail, login, id or name 'cy'"):
        revoke_member_tokens(contest, echo, "cy", DECISION)


def test_the_last_use_of_a_token_is_known(contest: Contest) -> None:
    echo = contest.team("Echo")
    token = give_member_token(contest, echo, EMAIL, DECISION)
    assert contest.find_team_by_token(token, NOW) == echo
    used = {holder.person.name: holder.used_at for holder in list_holders(contest, echo) if holder.person}
    assert used == {NAME: NOW, "Bo": None}


def test_a_forgotten_member_is_gone_from_the_file_and_the_attempts_stay(contest: Contest, where: Path) -> None:
    echo = contest.team("Echo")
    token = give_member_token(contest, echo, EMAIL, DECISION)
    assert forget_members(contest, EMAIL, None, DECISION) == 1
    assert (contest.find_team_by_token(token), len(contest.attempts(echo))) == (None, 1)
    assert [holder.person.name for holder in list_holders(contest, echo) if holder.person] == ["Bo"]
    contents = b"".join(path.read_bytes() for path in where.parent.glob("c.db*"))
    assert [secret for secret in SECRETS if secret.encode() in contents] == []
    entry = contest.log()[-1]
    assert (entry.action, entry.team, entry.details) == ("team forget", "Echo", {"n_members": 1, "n_tokens": 1})
    with sqlite3.connect(where) as connection:
        assert connection.execute("SELECT COUNT(*) FROM tokens WHERE member_id IS NOT NULL").fetchone() == (0,)


def test_all_members_of_a_team_are_forgotten_at_once(contest: Contest) -> None:
    assert forget_members(contest, None, contest.team("Echo"), DECISION) == 2
    with pytest.raises(ContestError, match="has no members to forget"):
        forget_members(contest, None, contest.team("Echo"), DECISION)
    with contest.database.read() as connection:
        assert [member.person.name for member in read_members(connection)] == ["Cy"]
