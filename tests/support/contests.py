"""What the contest's tests share: a small solution with speakers and private rows, and files that are wrong where asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from typer.testing import CliRunner

from leaderboard.actions.submit import Receipt, submit
from leaderboard.database.create import ContestSettings
from leaderboard.errors import LeaderboardError
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.store import Contest, create_contest

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
DEADLINE = NOW + timedelta(days=1)
N_ROWS = 40
IDS = [f"clip_{n:02d}" for n in range(N_ROWS)]
PRIVATE_FROM = 20


def solution(*, has_usage: bool = False, n_speakers: int = 0, flipped: tuple[int, ...] = ()) -> Solution:
    """The odd rows are 1; rows from the 20th are private and speakers take turns, where asked for."""
    header = "id,label" + ",Usage" * has_usage + ",Group" * bool(n_speakers)
    rows = []
    for n, name in enumerate(IDS):
        cells = [name, str((n % 2) ^ (n in flipped))]
        cells += ["Public" if n < PRIVATE_FROM else "Private"] * has_usage
        cells += [f"s{n // 2 % n_speakers}"] if n_speakers else []
        rows.append(",".join(cells))
    return parse_solution("\n".join([header, *rows]).encode(), "solution.csv")


def predictions(*wrong: int, n_blank: int = 0) -> bytes:
    """A submission that is wrong in these rows; blank lines make another file of the same answers."""
    rows = "".join(f"{name},{(n % 2) ^ (n in wrong)}\n" for n, name in enumerate(IDS))
    return f"id,label\n{rows}".encode() + b"\n" * n_blank


def made(
    where: str, truth: Solution, *teams: str, settings: ContestSettings | None = None, deadline: datetime | None = None
) -> Contest:
    """A new contest with these teams."""
    contest = create_contest(where, solution=truth, name="Digits", now=NOW, deadline=deadline, settings=settings)
    for team in teams:
        contest.add_team(team, NOW)
    return contest


def send(contest: Contest, team: str, *wrong: int, minute: int = 0, n_blank: int = 0) -> Receipt:
    """Submit a file that is wrong in these rows."""
    at = NOW + timedelta(minutes=minute)
    return submit(contest, team, predictions(*wrong, n_blank=n_blank), f"m{minute}.csv", at, again=n_blank > 0)


def ranking(contest: Contest) -> list[tuple[int, str]]:
    return [(line.rank, line.team) for line in contest.board().lines]


def run(contest: str, *words: object) -> tuple[int, Any]:
    import arena.cli

    done = CliRunner().invoke(arena.cli.app, ["contest", *map(str, words), "--contest", contest])
    if isinstance(done.exception, LeaderboardError):
        return done.exit_code, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, json.loads(done.stdout) if "--json" in words else done.stdout
