"""Grades of a contest: one row per team, ten bonus points for the winner, or for all who share the first rank."""

from __future__ import annotations

from arena.base.csv_export import format_csv
from leaderboard.store import Contest

BONUS = 10.0
_BYTE_ORDER_MARK = "\ufeff"  # by it a spreadsheet knows that names with accents are UTF-8


def gradebook_csv(contest: Contest, bonus: float = BONUS) -> str:
    """Return a row for every team by name, with or without an attempt; public scores until the contest is closed."""
    board = contest.board()
    line_by_team = {line.team: line for line in board.lines}
    basis = f"{'final' if board.is_final else 'not closed yet'}, {board.part} score"
    rows: list[list[object]] = [["team", "rank", board.rules.metric_name, "attempts", "bonus", "basis"]]
    for team in contest.teams():
        line = line_by_team.get(team.name)
        if line is None:
            rows.append([team.name, "", "", len(contest.attempts(team)), 0, "disqualified" if team.disqualified_at else basis])
        else:
            rows.append([team.name, line.rank, line.score, line.n_attempts, bonus if line.rank == 1 else 0, basis])
    return _BYTE_ORDER_MARK + format_csv(rows, newline="\r\n")
