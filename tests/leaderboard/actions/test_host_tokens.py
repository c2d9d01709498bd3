"""Tokens of hosts: named, stored as hashes, replaced and revoked by name, in the log with their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from leaderboard.actions.host import HostDecision
from leaderboard.actions.host_tokens import find_host, give_host_token, list_host_tokens, revoke_host_token, rotate_host_token
from leaderboard.database import schema
from leaderboard.errors import ContestError
from leaderboard.hosts import RIGHTS, Host, Right, Role
from leaderboard.store import Contest
from support.contests import NOW, made, run, solution

BECAUSE = HostDecision(reason="for a test", decided_at=NOW)


@pytest.fixture
def contest(contest_place: str) -> Iterator[Contest]:
    with made(contest_place, solution()) as contest:
        yield contest


def test_a_token_is_its_holders_until_it_is_rotated_or_revoked(contest: Contest) -> None:
    ana = give_host_token(contest, " Ana  María ", Role.HOST, BECAUSE)
    ben = give_host_token(contest, "Ben", Role.ASSISTANT, BECAUSE)
    assert find_host(contest, ana) == Host(name="Ana María", role=Role.HOST)
    assert find_host(contest, ben) == Host(name="Ben", role=Role.ASSISTANT)
    again = rotate_host_token(contest, "Ana María", BECAUSE)
    assert (find_host(contest, ana), find_host(contest, again)) == (None, Host(name="Ana María", role=Role.HOST))
    assert revoke_host_token(contest, "Ben", BECAUSE) == "Ben"
    assert find_host(contest, ben) is None
    assert [(t.name, t.role, t.revoked_at is None) for t in list_host_tokens(contest)] == [
        ("Ana María", Role.HOST, False),
        ("Ben", Role.ASSISTANT, False),
        ("Ana María", Role.HOST, True),
    ]
    assert [(e.action, e.change) for e in contest.log()] == [
        ("host token new", "Ana María, host"),
        ("host token new", "Ben, assistant"),
        ("host token rotate", "Ana María, host"),
        ("host token revoke", "Ben, assistant"),
    ]


def test_the_database_holds_no_token(contest: Contest, tmp_path: Path) -> None:
    token = give_host_token(contest, "Ana", Role.HOST, BECAUSE)
    with contest.database.read() as connection:
        (digest,) = connection.scalars(select(schema.host_tokens.c.digest))
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert not [path for path in tmp_path.iterdir() if token.encode() in path.read_bytes()]


@pytest.mark.parametrize("token", ["", "host_", "x" * 300, "host_" + "0" * 43, "höst_\udc80"])
def test_what_is_no_token_has_no_holder(contest: Contest, token: str) -> None:
    give_host_token(contest, "Ana", Role.HOST, BECAUSE)
    assert find_host(contest, token) is None


def test_a_name_has_one_token_and_an_unknown_one_none(contest: Contest) -> None:
    give_host_token(contest, "Ana", Role.HOST, BECAUSE)
    with pytest.raises(ContestError, match=r"one token and 'Ana' has it; `arena contest host-token rotate` replaces it"):
        give_host_token(contest, "Ana", Role.ASSISTANT, BECAUSE)
    for act in (rotate_host_token, revoke_host_token):
        with pytest.raises(ContestError, match=r"no host 'Bob' has a token; `arena contest host-token list` shows all"):
            act(contest, "Bob", BECAUSE)
    for name in (" ", "x" * 61, "a\u200bb"):
        with pytest.raises(ContestError, match="1 to 60 printable characters"):
            give_host_token(contest, name, Role.HOST, BECAUSE)
    for name in ("Host", "team"):
        with pytest.raises(ContestError, match="stands in the log for others"):
            give_host_token(contest, name, Role.HOST, BECAUSE)
    assert [entry.action for entry in contest.log()] == ["host token new"]


def test_an_assistant_looks_announces_and_downloads_and_decides_nothing() -> None:
    assert {
        Role.HOST: {Right.VIEW, Right.VIEW_PRIVATE, Right.DOWNLOAD, Right.ANNOUNCE, Right.DECIDE},
        Role.ASSISTANT: {Right.VIEW, Right.DOWNLOAD, Right.ANNOUNCE},
    } == RIGHTS


def test_commands_print_a_token_once_and_list_names(tmp_path: Path) -> None:
    where = str(tmp_path / "contest.db")
    made(where, solution()).close()
    status, token = run(where, "host-token", "new", "--name", "Ben", "--role", "assistant")
    assert (status, token[:5], len(token.strip())) == (0, "host_", 48)
    (line,) = run(where, "host-token", "list", "--json")[1]
    assert (line["name"], line["role"], line["revoked_at"]) == ("Ben", "assistant", None)
    assert run(where, "host-token", "rotate", "Ben", "--reason", "on a projector")[1] != token
    assert run(where, "host-token", "revoke", "Ben", "--reason", "left") == (0, "the token of Ben is revoked\n")
    assert run(where, "host-token", "revoke", "Ben", "--reason", "left")[0] == 1
    assert [line["reason"] for line in run(where, "log", "--json")[1]] == [
        "to sign in to the host's page",
        "on a projector",
        "left",
    ]
