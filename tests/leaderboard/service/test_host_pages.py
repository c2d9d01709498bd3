"""Pages of hosts that act: a form that says what will happen, a reason, a redirect, a line of the log with the name."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from leaderboard.actions.announcements import read_announcements
from leaderboard.database import schema
from leaderboard.hosts import Role
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.standings import Attempt
from leaderboard.store import Contest, open_contest
from leaderboard.verification.sent_models import attach_model
from support.onnx_models import first_samples, model_of
from support.service import NOW, host_token_of, make, submission

EMAIL = "bea@example.org"
BASE = NOW + timedelta(days=3)


@dataclass(frozen=True, kw_only=True)
class World:
    """A contest with teams Ann (two attempts) and Bob (none), and a browser that is signed in as the host Ana."""

    client: TestClient
    contest: Contest
    tokens: dict[str, str]

    def csrf(self, path: str) -> str:
        match = re.search(r'name="csrf" value="(\w+)"', self.client.get(path).text)
        assert match, path
        return match[1]

    def sign_in(self, token: str) -> None:
        self.client.cookies.clear()
        answer = self.client.post("/login", data={"csrf": self.csrf("/login"), "token": token})
        assert answer.status_code == 303

    def fields(self, path: str, **values: str) -> dict[str, str]:
        page = self.client.get(path)
        assert page.status_code == 200, (path, page.status_code)
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', page.text))
        return fields | {"reason": "because", **values}

    def act(self, path: str, **values: str) -> Any:
        return self.client.post(path, data=self.fields(path, **values))

    def send(self, team: str, seed: int) -> None:
        headers = {"Authorization": f"Bearer {self.tokens[team]}"}
        assert self.client.post("/api/v1/attempts", content=submission(seed), headers=headers).status_code == 201


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    where = tmp_path / "contest.db"
    tokens = make(where, ["Ann", "Bob"], deadline=BASE)
    with open_contest(where) as contest:
        tokens |= {"host": host_token_of(contest), "assistant": host_token_of(contest, "Ben", Role.ASSISTANT)}
        with contest.database.write() as connection:
            values = {"team_id": contest.team("Ann").id, "name": "Bea", "email": EMAIL, "created_at": NOW}
            connection.execute(insert(schema.members).values(values))
        app = create_app(ServiceSettings(where=str(where), zone="Europe/Madrid"))
        with TestClient(app, follow_redirects=False) as client:
            world = World(client=client, contest=contest, tokens=tokens)
            world.send("Ann", 1)
            world.send("Ann", 2)
            world.sign_in(tokens["host"])
            yield world


def team_path(world: World, name: str) -> str:
    return f"/host/teams/{world.contest.team(name).id}"


def last(world: World) -> tuple[str, str, str | None, str, str]:
    entry = world.contest.log()[-1]
    return entry.action, entry.actor, entry.team, entry.change, entry.reason


def first_attempt(world: World) -> Attempt:
    return world.contest.attempts(world.contest.team("Ann"))[0]


Check = Callable[[World], object]
TEAM_ACTS: list[tuple[str, str, str, Check]] = [
    ("grant", "2", "3 → 5", lambda w: w.contest.team("Ann").n_allowed == 5),
    (
        "void",
        "1",
        "attempt 1, submission.csv; 3 → 4 attempts",
        lambda w: w.contest.attempts(w.contest.team("Ann"))[0].voided_at is not None,
    ),
    ("disqualify", "", "", lambda w: w.contest.team("Ann").disqualified_at is not None),
    ("rename", "Formantes", "Ann → Formantes", lambda w: w.contest.team("Formantes")),
    ("pseudonym", "Owl", "— → Owl", lambda w: w.contest.team("Ann").pseudonym == "Owl"),
    ("revoke-tokens", "", "1 token revoked", lambda w: w.contest.find_team_by_token(w.tokens["Ann"], NOW) is None),
]


@pytest.mark.parametrize(("name", "value", "change", "is_done"), TEAM_ACTS, ids=[line[0] for line in TEAM_ACTS])
def test_an_act_on_a_team_is_done_once_with_the_hosts_name_and_reason(
    world: World, name: str, value: str, change: str, is_done: Check
) -> None:
    here = team_path(world, "Ann")
    answer = world.act(f"{here}/acts/{name}", value=value, reason="  lost   by us ")
    action, actor, team, changed, reason = last(world)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{here}?done={world.contest.log()[-1].id}")
    assert (actor, team, reason) == ("Ana", "Ann", "lost by us")
    assert action == name or action in ("token revoke",)
    assert change in changed
    assert is_done(world)
    page = world.client.get(answer.headers["location"]).text
    assert 'role="status">Done: ' in page
    assert "Done: " not in world.client.get(here).text


def test_a_refused_act_says_why_in_the_hosts_language(world: World) -> None:
    world.client.get("/host?lang=es")
    here = team_path(world, "Ann")
    for path, value, reason in (
        ("/host/acts/extend", "mañana", "un plazo es una fecha, una hora y su diferencia con UTC, no &#39;mañana&#39;"),
        ("/host/acts/extend", "2020-01-01T10:00", "un plazo está en el futuro y 2020-01-01 09:00 UTC ya ha pasado"),
        ("/host/acts/announce", "", "un aviso tiene de 1 a 2000 caracteres y este 0"),
        (f"{here}/acts/void", "9", "el equipo &#39;Ann&#39; no tiene un intento 9"),
        (f"{here}/acts/grant", "0", "se conceden de 1 a 100 intentos de una vez, no 0"),
    ):
        answer = world.act(path, value=value)
        assert answer.status_code == 422
        assert reason in answer.text


def test_a_team_that_is_not_there_is_a_page_that_is_not_there(world: World) -> None:
    for path in ("/host/teams/999", "/host/teams/999/acts/void", f"{team_path(world, 'Ann')}/attempts/9.csv"):
        answer = world.client.get(path)
        assert answer.status_code == 404
        assert "There is no such page" in answer.text


def test_a_team_gets_time_of_its_own_in_the_hosts_zone_and_loses_it_again(world: World) -> None:
    here, later = team_path(world, "Bob"), (BASE + timedelta(days=2)).replace(second=0)
    form = world.client.get(f"{here}/acts/more-time").text
    assert f"For all others it stays {BASE:%Y-%m-%d %H:%M}" in form
    assert "Time zone: Europe/Madrid" in form
    local = later.astimezone(world.client.app.state.service.zone)  # type: ignore[attr-defined]
    assert world.act(f"{here}/acts/more-time", value=f"{local:%Y-%m-%dT%H:%M}").status_code == 303
    assert world.contest.team("Bob").deadline == later
    with_offset = (later + timedelta(hours=1)).isoformat()
    assert world.act(f"{here}/acts/more-time", value=with_offset).status_code == 303
    assert world.contest.team("Bob").deadline == later + timedelta(hours=1)
    assert "Take back its own deadline" in world.client.get(here).text
    answer = world.act(f"{here}/acts/common-time")
    assert f"Done: Take back its own deadline ({later + timedelta(hours=1):%Y-%m-%d %H:%M} UTC → —)" in (
        world.client.get(answer.headers["location"]).text
    )
    log = world.client.get(f"{here}?lang=es").text.partition('class="log"')[2]
    assert (log.count("Retirar su propio plazo"), log.count("Dar más tiempo")) == (1, 2)
    assert world.contest.team("Bob").deadline is None


def test_the_contest_is_extended_closed_and_reopened(world: World) -> None:
    later = BASE + timedelta(days=1)
    assert world.act("/host/acts/extend", value=later.isoformat()).status_code == 303
    assert world.contest.deadline == later
    page = world.client.get("/host").text
    assert "Close the contest" in page
    assert "Reopen the contest" not in page
    answer = world.act("/host/acts/close")
    assert world.contest.rules().is_closed
    assert "Done: Close the contest" in world.client.get(answer.headers["location"]).text
    assert "Reopen the contest" in world.client.get("/host").text
    world.act("/host/acts/reopen")
    assert not world.contest.rules().is_closed


def test_an_announcement_is_made_with_every_accent_and_withdrawn(world: World) -> None:
    text = "Mañana: **laboratorio 2** " + "ñ" * 1500
    fields = world.fields("/host/acts/announce", value=text)
    answer = world.client.post("/host/acts/announce", files={key: (None, value) for key, value in fields.items()})
    assert answer.status_code == 303
    (announcement,) = read_announcements(world.contest)
    assert announcement.text == text
    assert f"/host/acts/withdraw?value={announcement.id}" in world.client.get("/host").text
    assert world.act("/host/acts/withdraw", value=str(announcement.id)).status_code == 303
    assert read_announcements(world.contest) == []


def test_a_new_token_is_shown_once_and_works(world: World) -> None:
    answer = world.act(f"{team_path(world, 'Bob')}/acts/new-token")
    assert answer.status_code == 200
    match = re.search(r'<code id="token">([\w-]+)</code>', answer.text)
    assert match
    holder = world.contest.find_team_by_token(match[1], NOW)
    assert holder is not None
    assert holder.name == "Bob"
    assert match[1] not in world.client.get(team_path(world, "Bob")).text
    assert last(world)[:3] == ("token new", "Ana", "Bob")


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("grant", "many", "this takes a whole number, not 'many'"),
        ("grant", "101", "1 to 100 attempts are granted at once, not 101"),
        ("void", "9", "team 'Ann' has no attempt 9"),
        ("more-time", "tomorrow", "a deadline is a date, a time and an offset, not 'tomorrow'"),
        ("more-time", "2020-01-01T10:00", "has passed; give a later one"),
        ("rename", "BOB", "a team's name is its own and 'BOB' is taken"),
        ("rename", "<b>" * 30, "a team's name or pseudonym has 1 to 60 characters"),
        ("reinstate", "", "is not disqualified; nothing was changed"),
    ],
)
def test_a_refused_act_changes_nothing_and_keeps_what_was_typed(world: World, name: str, value: str, problem: str) -> None:
    path, before = f"{team_path(world, 'Ann')}/acts/{name}", len(world.contest.log())
    answer = world.act(path, value=value, reason="<i>because</i>")
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert "This was not done." in page
    assert problem in page
    assert "<i>because" not in answer.text
    assert 'value="<i>because</i>"' in page
    assert name == "reinstate" or f'value="{value}"' in page
    assert len(world.contest.log()) == before


def test_an_act_without_a_reason_is_not_done(world: World) -> None:
    answer = world.act(f"{team_path(world, 'Ann')}/acts/grant", value="7", reason="  ")
    assert answer.status_code == 422
    assert "Every act has a reason: write one." in answer.text
    assert 'value="7"' in answer.text
    assert world.contest.team("Ann").n_allowed == 3


def test_what_was_so_already_is_not_said_to_be_done(world: World) -> None:
    here = team_path(world, "Ann")
    world.act(f"{here}/acts/pseudonym", value="Owl")
    n = len(world.contest.log())
    assert world.act(f"{here}/acts/pseudonym", value="Owl").headers["location"] == here
    assert len(world.contest.log()) == n


def test_a_form_that_is_sent_twice_acts_once(world: World) -> None:
    path = f"{team_path(world, 'Ann')}/acts/grant"
    fields = world.fields(path, value="1")
    assert world.client.post(path, data=fields).status_code == 303
    again = world.client.post(path, data=fields)
    assert again.status_code == 409
    assert "Something was done here since you opened this form." in again.text
    assert "has sent 2 of 4 attempts" in again.text
    assert world.contest.team("Ann").n_allowed == 4
    assert world.act(path, value="1").status_code == 303
    assert world.contest.team("Ann").n_allowed == 5


@pytest.mark.parametrize("forgery", ["no token", "wrong token", "other site"])
def test_an_act_from_a_form_that_is_not_ours_is_not_done(world: World, forgery: str) -> None:
    path = f"{team_path(world, 'Ann')}/acts/disqualify"
    fields = world.fields(path)
    fields["csrf"] = {"no token": "", "wrong token": "0" * 64}.get(forgery, fields["csrf"])
    headers = {"Sec-Fetch-Site": "cross-site"} if forgery == "other site" else {}
    assert world.client.post(path, data=fields, headers=headers).status_code == 403
    assert world.contest.team("Ann").disqualified_at is None


def test_acts_that_make_no_sense_and_teams_that_are_none_are_not_found(world: World) -> None:
    here = team_path(world, "Ann")
    for path in ("/host/acts/grant", f"{here}/acts/close", "/host/acts/rescore", "/host/teams/99", "/host/teams/99/acts/grant"):
        assert world.client.get(path).status_code == 404, path
    for path in (f"{here}/attempts/9.csv", f"{here}/attempts/1.onnx", f"{here}/attempts/1.db"):
        assert world.client.get(path).status_code == 404, path


def test_the_page_of_a_team_has_attempts_files_members_and_its_log(world: World) -> None:
    net = model_of(first_samples())
    attach_model(world.contest, world.contest.team("Ann"), 2, (net, "net.onnx"), NOW)
    here = team_path(world, "Ann")
    page = world.client.get(here).text
    assert f"{here}/acts/void?value=2" in page
    assert "Bea" in page
    assert EMAIL in page
    assert world.client.get(f"{here}/attempts/1.csv").content == submission(1)
    answer = world.client.get(f"{here}/attempts/2.onnx")
    assert (answer.content, answer.headers["content-type"]) == (net, "application/octet-stream")
    assert "attachment" in answer.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(world.client.get("/host/submissions.zip").content))
    assert sorted(archive.namelist()) == [
        "001-Ann/attempt-1.csv",
        "001-Ann/attempt-2.csv",
        "001-Ann/attempt-2.onnx",
        "index.csv",
    ]


def test_equal_answers_of_two_teams_stand_on_a_page_of_their_own(world: World) -> None:
    assert "No answers are alike among 0 pairs" in world.client.get("/host/alike").text
    world.send("Bob", 1)
    page = world.client.get("/host/alike").text
    assert "1 of 1 pairs" in page
    assert "the same file" in page
    assert team_path(world, "Bob") in page


def test_an_assistant_announces_and_sees_neither_private_scores_nor_addresses(world: World) -> None:
    private = {f"{attempt.score:.4f}" for line in world.contest.standings() for attempt in line.attempts}
    world.sign_in(world.tokens["assistant"])
    here = team_path(world, "Ann")
    page, front = world.client.get(here).text, world.client.get("/host").text
    assert "Bea" in page
    assert EMAIL not in page + front
    assert "Private" not in page + front
    assert "/acts/grant" not in page
    assert "an assistant" in front
    assert private & set(re.findall(r"\d\.\d{4}", page))
    world.act("/host/acts/announce", value="Lab 2 is open")
    assert last(world)[:2] == ("announce", "Ben")
    index = zipfile.ZipFile(io.BytesIO(world.client.get("/host/submissions.zip").content)).read("index.csv").decode("utf-8-sig")
    assert all(line.split(",")[5] == "" for line in index.splitlines()[1:])


def test_both_languages_have_every_text(world: World) -> None:
    here = team_path(world, "Ann")
    for path in ("/host", here, f"{here}/acts/grant", "/host/alike"):
        assert 'lang="es"' in world.client.get(f"{path}?lang=es").text
    assert "Conceder intentos" in world.client.get(here).text


def test_a_baseline_is_named_as_such_among_the_teams(world: World) -> None:
    assert "baseline" not in world.client.get("/host").text
    world.contest.add_team("MFCC", NOW, is_baseline=True)
    assert re.search(r'>MFCC</a> <span class="tag soft">baseline</span>', world.client.get("/host").text)
