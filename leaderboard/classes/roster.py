"""Import of a class list into a contest: adds what is new, tells who moved or left, deletes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, update

from leaderboard.actions.host import HostDecision, log_action
from leaderboard.classes.class_list import ClassList, ListedPerson
from leaderboard.classes.headings import fold
from leaderboard.classes.members import Member, Person, insert_member, move_member, read_members, update_person
from leaderboard.contest.team_names import insert_team
from leaderboard.database import schema
from leaderboard.database.rows import lock_contest
from leaderboard.errors import ContestError
from leaderboard.store import Contest
from leaderboard.teams import name_key

_SOLO = "Solo"  # teams of one have neutral names: a member's name is for their own team


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterOptions:
    is_alone: bool = False  # people without a group are a team each
    moves: bool = False  # put those who changed their group into their new team
    is_dry_run: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """A person of the list and their team."""

    person: Person = field(repr=False)
    team: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A member whose group in the list is not their team."""

    person: Person = field(repr=False)
    before: str
    after: str


@dataclass(slots=True)
class RosterChange:
    """The effect of an import. Teams and people stand in the order of the list."""

    new_teams: list[str] = field(default_factory=list)
    new_members: list[Placement] = field(default_factory=list)
    n_updated: int = 0  # members whose name, e-mail or ids changed
    n_unchanged: int = 0
    moves: list[Move] = field(default_factory=list)
    gone: list[Placement] = field(default_factory=list)  # members whom the list no longer has; they stay
    without_group: list[Person] = field(default_factory=list)  # not added

    @property
    def is_empty(self) -> bool:
        return not (self.new_teams or self.new_members or self.n_updated)


def import_roster(contest: Contest, roster: ClassList, options: RosterOptions, decision: HostDecision) -> RosterChange:
    """Bring a contest's teams and members to a class list, in one transaction; a dry run changes nothing.

    Raises:
        NameRefused: a group cannot be the name of a team; nothing was changed.
        ContestError: two members answer to one row.
    """
    change = RosterChange()
    if options.is_dry_run:
        with contest.database.read() as connection:
            _plan(connection, roster, options, change)
        return change
    with contest.database.write() as connection:
        lock_contest(connection)
        for step in _plan(connection, roster, options, change):
            _apply(connection, step, options, decision)
        if not change.is_empty or (options.moves and change.moves):
            counts = {"n_teams": len(change.new_teams), "n_members": len(change.new_members), "n_updated": change.n_updated}
            moved = len(change.moves) if options.moves else 0
            log_action(connection, "team import", decision, counts | {"n_moved": moved})
    return change


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """A change: a team to add (no person), a member to add (no member), to update, or to move (their team changes)."""

    team: str
    group: str | None = None
    person: Person | None = None
    member: Member | None = None


def _plan(connection: Connection, roster: ClassList, options: RosterOptions, change: RosterChange) -> list[_Step]:
    teams, members = _TeamIndex(connection), read_members(connection)
    steps = [*_plan_teams(roster, teams, change)]
    index, lines = _MemberIndex(members), dict[int, int]()
    for listed in roster.people:
        member = index.find(listed)
        if member is not None and (line := lines.setdefault(member.id, listed.line)) != listed.line:
            raise ContestError(f"lines {line} and {listed.line} of the list are one member, by name; give both an e-mail or id")
        steps += _plan_person(listed, member, teams, options, change)
    if roster.people:
        names = teams.name_by_id
        change.gone = [Placement(person=m.person, team=names[m.team_id]) for m in members if m.id not in lines]
    return steps


def _plan_teams(roster: ClassList, teams: _TeamIndex, change: RosterChange) -> Iterator[_Step]:
    for group in roster.teams:
        if teams.find(group) is None:
            teams.add(group, group)
            change.new_teams.append(group)
            yield _Step(team=group, group=group)


def _plan_person(
    listed: ListedPerson, member: Member | None, teams: _TeamIndex, options: RosterOptions, change: RosterChange
) -> Iterator[_Step]:
    person = listed.person
    team = teams.find(listed.group) if listed.group is not None else None
    if member is None and team is None:
        if not options.is_alone:
            change.without_group.append(person)
            return
        team = teams.add_solo()
        change.new_teams.append(team)
        yield _Step(team=team)
    if member is None:
        assert team is not None
        change.new_members.append(Placement(person=person, team=team))
        yield _Step(team=team, person=person)
        return
    merged, before = member.person.merged(person), teams.name_by_id[member.team_id]
    if team is not None and team != before:
        change.moves.append(Move(person=merged, before=before, after=team))
        if options.moves:
            yield _Step(team=team, member=member)
    if merged == member.person:
        change.n_unchanged += 1
        return
    change.n_updated += 1
    yield _Step(team=before, person=merged, member=member)


def _apply(connection: Connection, step: _Step, options: RosterOptions, decision: HostDecision) -> None:
    if step.person is None and step.member is None:
        insert_team(connection, step.team, decision.decided_at)
    team_id = _find_team_id(connection, step.team)
    if step.person is None and step.member is None:
        connection.execute(update(schema.teams).where(schema.teams.c.id == team_id).values(class_group=step.group))
    elif step.member is None:
        assert step.person is not None
        insert_member(connection, team_id, step.person, decision.decided_at)
    elif step.person is None:
        move_member(connection, step.member, team_id)
    else:
        update_person(connection, step.member, step.person)


def _find_team_id(connection: Connection, name: str) -> int:
    columns = schema.teams.c
    query = select(columns.id).where(columns.name_key == name_key(name), columns.merged_into.is_(None))
    return int(connection.execute(query).scalar_one())


class _MemberIndex:
    """Members by e-mail, login, ids and name: as `Person.is_same` compares, without comparing all with all."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._by_key: dict[tuple[str, str], list[Member]] = {}
        for member in members:
            for key in (*member.person.keys, ("name", fold(member.person.name))):
                self._by_key.setdefault(key, []).append(member)

    def find(self, listed: ListedPerson) -> Member | None:
        """Return the member whom a line of the list means; None for a new one.

        Raises:
            ContestError: several members answer to the line.
        """
        person = listed.person
        keys = (*person.keys, ("name", fold(person.name)))
        candidates = {member.id: member for key in keys for member in self._by_key.get(key, ())}
        matches = [member for member in candidates.values() if member.person.is_same(person)]
        if len(matches) > 1:
            raise ContestError(
                f"line {listed.line} of the list answers to {len(matches)} members, by e-mail, login, id or name; "
                "give the list with the same ids as before, or forget one with `arena contest team forget`"
            )
        return matches[0] if matches else None


class _TeamIndex:
    """Teams by the group that they came from, whatever they are called since, and by name. A merged team is its target."""

    def __init__(self, connection: Connection) -> None:
        columns = schema.teams.c["id", "name", "class_group", "merged_into"]
        rows = connection.execute(select(*columns).order_by(schema.teams.c.id)).all()
        own_names = {row.id: row.name for row in rows}
        targets = {row.id: row.merged_into for row in rows}
        self.name_by_id = {team_id: own_names[_follow(targets, team_id)] for team_id in own_names}
        self._by_name = {name_key(row.name): self.name_by_id[row.id] for row in rows}
        self._by_group = {name_key(row.class_group): self.name_by_id[row.id] for row in rows if row.class_group}

    def find(self, group: str) -> str | None:
        """Return the name of the group's team."""
        key = name_key(group)
        return self._by_group.get(key) or self._by_name.get(key)

    def add(self, group: str, name: str) -> None:
        self._by_group[name_key(group)] = self._by_name[name_key(name)] = name

    def add_solo(self) -> str:
        """Return the next free name of a team of one."""
        number = 1
        while name_key(f"{_SOLO} {number}") in self._by_name:
            number += 1
        self._by_name[name_key(f"{_SOLO} {number}")] = f"{_SOLO} {number}"
        return f"{_SOLO} {number}"


def _follow(targets: dict[int, int | None], team_id: int) -> int:
    while (target := targets[team_id]) is not None:
        team_id = target
    return team_id
