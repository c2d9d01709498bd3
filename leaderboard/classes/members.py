"""Members of teams: stored for the host alone. An e-mail or an id of theirs stands in no public page, export, log or API."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from leaderboard.classes.headings import fold
from leaderboard.database import schema
from leaderboard.errors import ContestError, TeamError
from leaderboard.messages import message
from leaderboard.store import Contest
from leaderboard.teams import Team

MAX_NAME = 100  # characters of a name, an e-mail, a login or an id
_IDENTITY = ("email", "login", "lms_id", "student_id")
_COLUMNS = schema.members.c
_LIVE_TOKENS = (
    select(*schema.tokens.c["digest", "team_id", "member_id", "created_at", "used_at"])
    .where(schema.tokens.c.revoked_at.is_(None))
    .order_by(schema.tokens.c.id)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A student as a class list has them."""

    name: str = dataclasses.field(repr=False)
    email: str | None = dataclasses.field(default=None, repr=False)
    login: str | None = dataclasses.field(default=None, repr=False)
    lms_id: str | None = dataclasses.field(default=None, repr=False)
    student_id: str | None = dataclasses.field(default=None, repr=False)

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        """Return what tells this person from others: e-mail, login and ids."""
        values = ((key, getattr(self, key)) for key in _IDENTITY)
        return frozenset((key, fold(value)) for key, value in values if value)

    @property
    def shown_ids(self) -> tuple[str | None, str | None, str | None]:
        """Return e-mail, login, and the school's id or else the platform's."""
        return self.email, self.login, self.student_id or self.lms_id

    def is_same(self, other: Person) -> bool:
        """Return True for the same person: an id of both is one; by name where one of them has no id."""
        if self.keys and other.keys:
            return bool(self.keys & other.keys)
        return fold(self.name) == fold(other.name)

    def merged(self, newer: Person) -> Person:
        """Return the person with what `newer` knows."""
        known = {key: value for key in ("name", *_IDENTITY) if (value := getattr(newer, key))}
        return dataclasses.replace(self, **known)


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A person in a team."""

    id: int
    team_id: int
    person: Person
    created_at: datetime  # UTC


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberToken:
    """A valid token of a team or of a member, without the token."""

    digest: str
    team_id: int
    member_id: int | None
    created_at: datetime  # UTC
    used_at: datetime | None  # UTC, to the hour


def read_members(connection: Connection, team_id: int | None = None) -> list[Member]:
    """Read the members of a team, or of all, in the order in which they came."""
    query = select(schema.members).order_by(_COLUMNS.id)
    rows = connection.execute(query if team_id is None else query.where(_COLUMNS.team_id == team_id))
    return [
        Member(
            id=row.id,
            team_id=row.team_id,
            person=Person(**{key: getattr(row, key) for key in ("name", *_IDENTITY)}),
            created_at=row.created_at,
        )
        for row in rows
    ]


def read_live_tokens(connection: Connection) -> list[MemberToken]:
    """Read the valid tokens, oldest first."""
    return [MemberToken(**row._mapping) for row in connection.execute(_LIVE_TOKENS)]


def insert_member(connection: Connection, team_id: int, person: Person, now: datetime) -> int:
    """Store a member and return its id."""
    values = dataclasses.asdict(person) | {"team_id": team_id, "created_at": now}
    result = connection.execute(insert(schema.members).values(values))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def update_person(connection: Connection, member: Member, person: Person) -> None:
    connection.execute(update(schema.members).where(_COLUMNS.id == member.id).values(dataclasses.asdict(person)))


def move_member(connection: Connection, member: Member, team_id: int) -> None:
    """Put a member, with their tokens, into another team."""
    connection.execute(update(schema.members).where(_COLUMNS.id == member.id).values(team_id=team_id))
    connection.execute(update(schema.tokens).where(schema.tokens.c.member_id == member.id).values(team_id=team_id))


def find_member(connection: Connection, text: str, team: Team | None = None) -> Member:
    """Return the member of that e-mail, login, id or name.

    Raises:
        ContestError: there is none, or several.
    """
    members, wanted = read_members(connection, None if team is None else team.id), fold(text)
    where = "" if team is None else f" of team {team.name!r}"
    for matches in (
        [member for member in members if wanted in {value for _, value in member.person.keys}],
        [member for member in members if wanted == fold(member.person.name)],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise ContestError(f"{len(matches)} members{where} are called {text[:MAX_NAME]!r}; name one by e-mail, login or id")
    raise ContestError(
        f"no member{where} has the e-mail, login, id or name {text[:MAX_NAME]!r}; see `arena contest team show TEAM`"
    )


def tidy_person_name(text: str) -> str:
    """Return a person's name with single spaces.

    Raises:
        TeamError: it is empty, long, or holds characters that do not print.
    """
    name = " ".join(text.split())
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise TeamError(message("person_name", most=MAX_NAME))
    return name


def tidy_email(text: str) -> str | None:
    """Return an e-mail address; None for an empty text.

    Raises:
        TeamError: it has no @ between two parts, blanks, or is long.
    """
    email = text.strip()
    user, at, domain = email.rpartition("@")
    if email and (not user or not domain or not at or len(email) > MAX_NAME or not email.isprintable() or " " in email):
        raise TeamError(message("person_email", most=MAX_NAME))
    return email or None


def group_by_team(members: Iterable[Member]) -> dict[int, list[Member]]:
    """Return the members of each team."""
    groups: dict[int, list[Member]] = {}
    for member in members:
        groups.setdefault(member.team_id, []).append(member)
    return groups


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """A member, or the whole team, with the number of valid tokens and their last use."""

    person: Person | None  # None: the whole team
    n_tokens: int
    used_at: datetime | None  # UTC, to the hour

    def to_json(self) -> dict[str, Any]:
        person = {} if self.person is None else dataclasses.asdict(self.person)
        used_at = None if self.used_at is None else self.used_at.isoformat()
        return {"is_team": self.person is None, **person, "n_tokens": self.n_tokens, "used_at": used_at}


def list_holders(contest: Contest, team: Team) -> list[Holder]:
    """Return the team's members, and the team itself where it has tokens of its own or nobody is listed."""
    with contest.database.read() as connection:
        members = read_members(connection, team.id)
        tokens = [token for token in read_live_tokens(connection) if token.team_id == team.id]
    holders = [_build_holder(member, tokens) for member in members]
    if not members or any(token.member_id is None for token in tokens):
        holders.append(_build_holder(None, tokens))
    return holders


def _build_holder(member: Member | None, tokens: Iterable[MemberToken]) -> Holder:
    own = [token for token in tokens if token.member_id == (None if member is None else member.id)]
    return Holder(
        person=None if member is None else member.person,
        n_tokens=len(own),
        used_at=max((token.used_at for token in own if token.used_at), default=None),
    )
