"""Best public score of each team over time, from its last change of names on: earlier attempts stood under another name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from leaderboard.database import schema
from leaderboard.database.rows import read_teams
from leaderboard.standings import Standing

_NAMING = ("pseudonym", "rename", "merge")


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreStep:
    """A moment at which a team's best public score rose, or was sent for the first time under its present name."""

    at: datetime  # UTC
    score: float


def read_steps(connection: Connection, lines: Sequence[Standing], *, is_lower_better: bool) -> dict[str, tuple[ScoreStep, ...]]:
    """Return the steps of each team by its name, from public standings."""
    changed_at = _read_changes(connection)
    choose = min if is_lower_better else max
    steps: dict[str, tuple[ScoreStep, ...]] = {}
    for line in lines:
        valid = sorted((attempt for attempt in line.attempts if not attempt.is_voided), key=lambda attempt: attempt.arrived_at)
        best: list[ScoreStep] = []
        for index, attempt in enumerate(valid):
            score = choose(before.score for before in valid[: index + 1])
            is_visible = line.team not in changed_at or attempt.arrived_at > changed_at[line.team]
            if is_visible and (not best or score != best[-1].score):
                best.append(ScoreStep(at=attempt.arrived_at, score=score))
        steps[line.team] = tuple(best)
    return steps


def _read_changes(connection: Connection) -> dict[str, datetime]:
    """Return the moment of the last pseudonym, renaming or merger of teams, by their present names."""
    log = schema.host_log.c
    query = select(log.team_id, log.action, log.details, log.done_at).where(log.action.in_(_NAMING)).order_by(log.id)
    names = {team.id: team.name for team in read_teams(connection)}
    changed_at: dict[str, datetime] = {}
    for row in connection.execute(query):
        name = row.details["into"] if row.action == "merge" else names.get(row.team_id, "")
        changed_at[name] = row.done_at
    return changed_at
