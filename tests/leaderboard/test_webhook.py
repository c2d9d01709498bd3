"""The webhook: what a receiver on this machine gets, and that nothing else ever waits for it or learns its address."""

from __future__ import annotations

import http.server
import json
import logging
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from leaderboard.actions.announcements import announce
from leaderboard.actions.host import HostDecision, assign_pseudonym, close_contest, disqualify, extend_deadline, extend_team
from leaderboard.database import schema
from leaderboard.errors import ContestError
from leaderboard.notices import Notifier, collect_notices, read_position
from leaderboard.service.app import create_app
from leaderboard.service.context import ServiceSettings
from leaderboard.store import Contest, open_contest
from leaderboard.webhook import NotDelivered, parse_webhook, send_text
from support.contests import DEADLINE, NOW, made, run, send, solution
from support.service import make, submission

BECAUSE = HostDecision(reason="a private reason", decided_at=NOW)
WAIT_S = 30


class Receiver:
    """A receiver of JSON on this machine; it answers with the statuses in turn, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.paths.append(self.path)
                receiver.bodies.append(json.loads(body))
                status = statuses[min(len(receiver.bodies), len(statuses)) - 1]
                self.send_response(status)
                self.send_header("Location", f"{receiver.address}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.paths: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def sentences(self) -> list[str]:
        return [line for body in self.bodies for line in body["text"].splitlines()]


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    receiver = Receiver(*statuses or (204,))
    thread = threading.Thread(target=receiver.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()


def set_webhook(contest: Contest, address: str) -> None:
    with contest.database.write() as connection:
        connection.execute(update(schema.contest).values(webhook=address))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


@pytest.fixture
def contest(tmp_path: Path) -> Contest:
    return made(str(tmp_path / "contest.db"), solution(has_usage=True), "Ann", "Bob", "Cleo", deadline=DEADLINE)


def test_notices_hold_public_facts_alone(contest: Contest) -> None:
    assign_pseudonym(contest, contest.team("Ann"), "Owl", BECAUSE)
    position = read_position(contest)
    assert collect_notices(contest, position) == (position, [])
    send(contest, "Ann", 1, 25)
    position, notices = collect_notices(contest, position)
    assert [str(notice.sentence) for notice in notices] == ["Owl sent attempt 1: macro-F1 0.950", "first now: Owl"]
    assert notices[0].facts["team"] == "Owl"
    send(contest, "Bob", 25, minute=1)
    extend_deadline(contest, DEADLINE + timedelta(days=1), BECAUSE)
    extend_team(contest, contest.team("Cleo"), DEADLINE + timedelta(days=2), BECAUSE)
    announce(contest, "Lab 2 is **open**", BECAUSE)
    position, notices = collect_notices(contest, position)
    assert [str(notice.sentence) for notice in notices] == [
        "Bob sent attempt 1: macro-F1 1.000",
        "the deadline is now 2026-11-23 08:00 UTC",
        "the host says: Lab 2 is **open**",
        "first now: Bob",
    ]
    disqualify(contest, contest.team("Bob"), BECAUSE)
    position, notices = collect_notices(contest, position)
    assert [str(notice.sentence) for notice in notices] == ["first now: Owl"]
    extend_team(contest, contest.team("Cleo"), None, BECAUSE)
    close_contest(contest, BECAUSE)
    _, notices = collect_notices(contest, position)
    assert [str(notice.sentence) for notice in notices] == ["the contest is closed"]


def test_the_service_tells_of_attempts_and_of_what_commands_do_beside_it(tmp_path: Path) -> None:
    where = tmp_path / "contest.db"
    token = make(where, ["Ann"])["Ann"]
    with receiving() as receiver, open_contest(where) as contest:
        set_webhook(contest, f"{receiver.address}/secret?key=1#es")
        with TestClient(create_app(ServiceSettings(where=str(where)))) as client:
            headers = {"Authorization": f"Bearer {token}"}
            assert client.post("/api/v1/attempts", content=submission(1), headers=headers).status_code == 201
            wait_until(lambda: len(receiver.sentences) >= 2)
            close_contest(contest, BECAUSE)
            wait_until(lambda: len(receiver.sentences) >= 3)
    assert receiver.sentences[0].startswith("Ann ha enviado el intento 1: macro-F1 0.")
    assert receiver.sentences[1:] == ["ahora va en cabeza: Ann", "el concurso está cerrado"]
    assert set(receiver.paths) == {"/secret?key=1"}
    assert receiver.bodies[0]["events"][0]["event"] == "attempt"
    assert "private" not in json.dumps(receiver.bodies)


def test_a_receiver_that_fails_is_tried_again_and_never_followed_elsewhere(
    contest: Contest, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leaderboard.notices._WAITS_S", (0.01, 0.01))
    with receiving(500, 302, 200) as receiver:
        set_webhook(contest, f"{receiver.address}/secret")
        notifier = Notifier(contest, interval_s=0.01)
        notifier.start()
        send(contest, "Ann", 1)
        wait_until(lambda: len(receiver.bodies) == 3)
        notifier.stop()
    assert receiver.paths == ["/secret"] * 3
    assert receiver.bodies[0] == receiver.bodies[1] == receiver.bodies[2]
    assert not caplog.records


def test_a_dead_receiver_delays_no_attempt_and_the_log_names_no_address(
    contest: Contest, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leaderboard.notices._WAITS_S", (0.01,))
    with receiving() as receiver:
        dead = receiver.address
    set_webhook(contest, f"{dead}/secret")
    notifier = Notifier(contest, interval_s=0.01)
    with caplog.at_level(logging.WARNING, "uvicorn.error"):
        notifier.start()
        for minute in range(3):
            assert send(contest, "Ann", minute, minute=minute).is_new
        wait_until(lambda: bool(caplog.records))
        notifier.stop()
    assert {record.getMessage() for record in caplog.records} == {
        "the webhook was not reached (ConnectionRefusedError); check its address and its receiver"
    }
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        *(
            "http://hooks.example.org/x",
            "ftp://example.org",
            "https://",
            "hooks.example.org/x",
            "https://[",
            "https://a:b@c.de/x",
        ),
        "smtps://user@mail.example.org?to=a@b.de%0ABcc:c@d.de",
        *("smtps://user@mail.example.org", "smtp://user:pass@mail.example.org?to=a@b.de", "https://c.de:x/", "https://c.de/\n"),
    ],
)
def test_an_address_that_is_none_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(ContestError, match=r"a webhook .*; write ") as refusal:
        parse_webhook(address)
    assert "c.de" not in str(refusal.value)


def test_slack_and_discord_get_their_own_form_in_which_no_name_calls_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr("leaderboard.webhook._post", lambda parts, body: sent.append(body))
    for address in ("https://hooks.slack.com/services/x", "https://discord.com/api/webhooks/x", "https://example.org/x"):
        send_text(parse_webhook(address), "Digits", "<!channel> & @everyone *x*", [], None)
    assert sent == [
        {"text": "Digits: &lt;!channel&gt; &amp; @everyone *x*"},
        {"content": r"Digits: \<!channel\> & @everyone \*x\*", "allowed_mentions": {"parse": []}},
        {"contest": "Digits", "text": "<!channel> & @everyone *x*", "events": []},
    ]


class _Mail(socketserver.StreamRequestHandler):
    """A mail server of one letter."""

    def handle(self) -> None:
        letter: list[str] = []
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "DATA":
                self.wfile.write(b"354 go on\r\n")
                while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                    letter.append(text)
            self.server.letters.append((line, letter))  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")
            if word == "QUIT":
                return


def test_a_notice_goes_by_mail_where_the_address_says_so() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        server.letters = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"smtp://127.0.0.1:{server.server_address[1]}?to=ana@example.org&from=arena@example.org"
        send_text(parse_webhook(address), "Digits", "first now: Ann\nmore", [], None)
        server.shutdown()
        lines = [line for line, _ in server.letters]  # type: ignore[attr-defined]
        letter = server.letters[-1][1]  # type: ignore[attr-defined]
    assert any(line.upper().startswith("RCPT TO:<ANA@EXAMPLE.ORG>") for line in lines)
    assert "Subject: Digits: first now: Ann" in letter
    assert letter[-2:] == ["first now: Ann", "more"]


def test_the_command_sends_a_test_and_says_what_became_of_it(contest: Contest) -> None:
    where = contest.database.name
    assert run(where, "webhook", "test") == (
        1,
        "the contest has no webhook; write one into contest.yaml and run `arena contest apply contest.yaml`",
    )
    with receiving(200, 403) as receiver:
        set_webhook(contest, f"{receiver.address}/secret")
        assert run(where, "webhook", "test") == (0, "the webhook's receiver took the test\n")
        status, text = run(where, "webhook", "test")
    assert receiver.bodies[0] == {
        "contest": "Digits",
        "text": "this is a test: the webhook works",
        "events": [{"event": "test"}],
    }
    assert (status, text) == (
        1,
        "the webhook's receiver answered 403; check the address, which is not followed elsewhere",
    )


def test_an_undelivered_text_names_no_part_of_its_address() -> None:
    with receiving() as receiver:
        dead = receiver.address
    with pytest.raises(NotDelivered) as failure:
        send_text(parse_webhook(f"{dead}/secret"), "Digits", "x", [], None)
    assert "127.0.0.1" not in str(failure.value)
    assert "secret" not in repr(parse_webhook(f"{dead}/secret"))
