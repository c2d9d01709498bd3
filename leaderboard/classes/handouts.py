"""Handouts: a sheet a team with its tokens, the address, dates and rules; all of them in one file to print, and `tokens.csv`.

A token is stored as a hash, so it is printed when it is made and never again. `tokens.csv`, readable by its owner alone, is
the one place that keeps them: a second run takes from it the tokens that are still valid, and makes none for who has one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path

from sqlalchemy import Connection, select

from arena.base.csv_export import format_csv
from leaderboard.actions.host import HostDecision, log_action
from leaderboard.classes.members import Member, MemberToken, group_by_team, read_live_tokens, read_members
from leaderboard.classes.sheet import read_sheet
from leaderboard.contest.tokens import digest_token, mark_tokens_revoked, new_token
from leaderboard.database import schema
from leaderboard.database.rows import read_rules, read_teams
from leaderboard.errors import ContestError
from leaderboard.rules import Rules
from leaderboard.store import Contest
from leaderboard.teams import Team

TOKENS = "tokens.csv"
ALL_SHEETS = "all.html"
_HEADER = ("team", "name", "email", "token", "address")


@dataclass(frozen=True, kw_only=True, slots=True)
class HandoutSettings:
    """Settings of a set of handouts."""

    folder: Path
    address: str  # address of the contest's page, without a trailing slash
    language: str
    zone: tzinfo | None  # the host's; None: this machine's
    is_renewed: bool = False  # revoke all tokens and make new ones


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetToken:
    """A line of a sheet: a member's token, or the whole team's."""

    name: str = field(repr=False)  # empty: the whole team's
    email: str = field(repr=False)
    token: str | None = field(repr=False)  # None: handed out before, and kept as a hash alone
    made_at: datetime  # UTC


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamSheet:
    """The sheet of a team."""

    team: Team
    tokens: Sequence[SheetToken]

    @property
    def is_complete(self) -> bool:
        return all(line.token is not None for line in self.tokens)


@dataclass(frozen=True, kw_only=True, slots=True)
class Handouts:
    """Sheets of all teams, and how many tokens are new, known from `tokens.csv`, or no longer known."""

    rules: Rules
    sheets: Sequence[TeamSheet]
    n_new: int
    n_known: int
    n_unknown: int


def make_handouts(contest: Contest, settings: HandoutSettings, decision: HostDecision) -> Handouts:
    """Make the tokens that are missing and `tokens.csv`, in one transaction; return the sheets to write.

    A team with members has a token a member, another one token. The file is there before the tokens are valid, so that none
    is lost.

    Raises:
        ContestError: the folder cannot be written, or the contest has no team.
    """
    known = _read_known(settings.folder)
    with contest.database.write() as connection:
        _check_own(connection, known, settings.folder)
        teams = [team for team in read_teams(connection) if team.disqualified_at is None and not team.is_baseline]
        if not teams:
            raise ContestError("the contest has no team to hand tokens to; `arena contest team import class.csv` adds them")
        sheets, n_new = _make_sheets(connection, teams, known, settings, decision)
        _write_tokens(settings, sheets)
        if n_new:
            log_action(connection, "token new", decision, {"n_tokens": n_new, "n_teams": len(teams)})
        lines = [line for sheet in sheets for line in sheet.tokens]
        n_unknown = sum(line.token is None for line in lines)
        rules = read_rules(connection)
    return Handouts(rules=rules, sheets=sheets, n_new=n_new, n_known=len(lines) - n_new - n_unknown, n_unknown=n_unknown)


def _make_sheets(
    connection: Connection,
    teams: Sequence[Team],
    known: Mapping[str, str],
    settings: HandoutSettings,
    decision: HostDecision,
) -> tuple[list[TeamSheet], int]:
    if settings.is_renewed:
        for team in teams:
            mark_tokens_revoked(connection, team.id, decision.decided_at)
    live: dict[tuple[int, int | None], MemberToken] = {}
    for before in read_live_tokens(connection):
        if before.digest in known or (before.team_id, before.member_id) not in live:
            live[before.team_id, before.member_id] = before
    now = decision.decided_at
    members, n_new, sheets = group_by_team(read_members(connection)), 0, []
    for team in teams:
        lines = []
        people: Sequence[Member | None] = members.get(team.id) or (None,)
        for member in people:
            member_id = None if member is None else member.id
            if (token := live.get((team.id, member_id))) is not None:
                lines.append(_build_line(member, known.get(token.digest), token.created_at))
                continue
            lines.append(_build_line(member, new_token(connection, team.id, now, member_id), now))
            n_new += 1
        sheets.append(TeamSheet(team=team, tokens=lines))
    return sheets, n_new


def _build_line(member: Member | None, token: str | None, made_at: datetime) -> SheetToken:
    if member is None:
        return SheetToken(name="", email="", token=token, made_at=made_at)
    return SheetToken(name=member.person.name, email=member.person.email or "", token=token, made_at=made_at)


def _read_known(folder: Path) -> dict[str, str]:
    """Read the tokens of an earlier run by their hashes, in a folder that is made for its owner alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = (folder / TOKENS).read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ContestError(f"{folder / TOKENS} cannot be read or written ({error.strerror}); choose another folder") from error
    header, *rows = read_sheet(content, TOKENS).rows  # a spreadsheet may have saved it with semicolons
    columns = [index for index in range(len(header.cells)) if header.text(index) == "token"]
    if not columns:
        raise ContestError(f"{folder / TOKENS} has no column token and would be replaced; move it, or choose another folder")
    return {digest_token(token): token for row in rows if (token := row.text(columns[0]))}


def _check_own(connection: Connection, known: Mapping[str, str], folder: Path) -> None:
    """Refuse a file with tokens of another contest, which would be lost."""
    own = set(connection.scalars(select(schema.tokens.c.digest)))
    if n := len(known.keys() - own):
        raise ContestError(f"{folder / TOKENS} has {n} tokens that this contest does not know; choose another folder")


def _write_tokens(settings: HandoutSettings, sheets: Sequence[TeamSheet]) -> None:
    rows = [
        (sheet.team.name, line.name, line.email, line.token, settings.address)
        for sheet in sheets
        for line in sheet.tokens
        if line.token is not None
    ]
    write_private(settings.folder / TOKENS, format_csv([_HEADER, *rows], newline="\r\n").encode("utf-8-sig"))


def write_private(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, that its owner alone can read.

    Raises:
        ContestError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError as error:
        raise ContestError(f"{path} cannot be written ({error.strerror}); choose a folder that is writable") from error
