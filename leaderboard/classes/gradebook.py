"""Gradebook of a contest: a row a student with the ids of the learning platform, or a row a team where nobody is listed.

Teams that may have no points (disqualified, the host's baselines, a model that was refused) leave the ranking for points, and
those below move up. Until the contest is closed the scores are the public ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from arena.base.csv_export import format_csv
from leaderboard.classes.members import Member, group_by_team, read_members
from leaderboard.points import PointsBy, PointsRule
from leaderboard.rules import RankBy
from leaderboard.standings import Board, ModelState, Standing
from leaderboard.store import Contest
from leaderboard.teams import Team

BYTE_ORDER_MARK = "\ufeff"  # by it a spreadsheet knows that names with accents are UTF-8
NOT_RUN, NO_POINTS = "not run yet", "no points"
_MODELS = {
    None: "no model",
    ModelState.CARRIED: NOT_RUN,
    ModelState.SAME: "same answers",
    ModelState.VERIFIED: "verified",
    ModelState.DIFFERS: "differs",
    ModelState.DOUBTED: "in doubt",
}


class ModelCondition(StrEnum):
    """Which teams may have points, by the model behind the attempt that counts."""

    NO_FAILED = "no-failed"  # none for a model whose answers differ
    VERIFIED_ALONE = "verified-alone"
    ALL = "all"


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamGrade:
    """The grade of a team, and of each of its members."""

    team: Team
    members: Sequence[Member]
    rank: int | None  # on the board
    score: float | None
    n_attempts: int
    points: float
    model: str  # empty without a standing
    basis: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvForm:
    """The form of the file that is written."""

    separator: str = ","
    has_mark: bool = False
    has_decimal_comma: bool = False

    def number(self, value: float) -> str:
        """Return points or a score with all their digits."""
        text = f"{value:g}" if value == round(value, 2) else repr(value)
        return text.replace(".", ",") if self.has_decimal_comma else text


def compute_grades(contest: Contest, rule: PointsRule, verification: ModelCondition | None = None) -> list[TeamGrade]:
    """Return a grade for every team by name, with or without an attempt.

    Args:
        verification: None: verified models alone where the contest ranks by the hidden part, else all but failed ones.
    """
    board = contest.board()
    board = replace(board, lines=tuple(contest.standings(board.part)))  # all digits, which a threshold is compared with
    if verification is None:
        is_hidden = board.rules.rank_by is RankBy.HIDDEN
        verification = ModelCondition.VERIFIED_ALONE if is_hidden else ModelCondition.NO_FAILED
    with contest.database.read() as connection:
        members = group_by_team(read_members(connection))
    lines = {line.team: line for line in board.lines}
    teams = contest.teams()
    points = _compute_points(board, [team for team in teams if team.name in lines], rule, verification)
    return [
        TeamGrade(
            team=team,
            members=members.get(team.id, ()),
            rank=None if line is None else line.rank,
            score=None if line is None else line.score,
            n_attempts=len(contest.attempts(team)) if line is None else line.n_attempts,
            points=points.get(team.name, 0.0),
            model="" if line is None else _MODELS[None if line.model is None else line.model.state],
            basis=_describe_basis(team, line, board, has_points=team.name in points),
        )
        for team, line in ((team, lines.get(team.name)) for team in teams)
    ]


def _compute_points(board: Board, teams: Sequence[Team], rule: PointsRule, condition: ModelCondition) -> dict[str, float]:
    """Return the points of the teams that may have some: those below others move up."""
    lines = {line.team: line for line in board.lines}
    counted = [lines[team.name] for team in teams if _may_have_points(team, lines[team.name], condition)]
    ranks = [line.rank or 0 for line in counted]  # all have one
    return {
        line.team: rule.compute(
            1 + sum(other < rank for other in ranks), len(counted), line.score, is_lower_better=board.rules.is_lower_better
        )
        for line, rank in zip(counted, ranks, strict=True)
    }


def _may_have_points(team: Team, line: Standing, verification: ModelCondition) -> bool:
    state = None if line.model is None else line.model.state
    if team.is_baseline or line.rank is None:
        return False
    if verification is ModelCondition.VERIFIED_ALONE:
        return state in (ModelState.SAME, ModelState.VERIFIED)
    return verification is ModelCondition.ALL or state is not ModelState.DIFFERS


def _describe_basis(team: Team, line: Standing | None, board: Board, *, has_points: bool) -> str:
    if team.disqualified_at is not None:
        return "disqualified"
    if team.is_baseline:
        return "baseline"
    if line is None:
        return "no attempt"
    basis = f"{'final' if board.is_final else 'not closed yet'}, {board.part} score"
    if has_points:
        return basis
    if line.model is None:
        return f"{basis}, {NO_POINTS} without a verified model"
    return f"{basis}, {NO_POINTS}: model {_MODELS[line.model.state]}"


def format_gradebook(grades: Sequence[TeamGrade], metric: str, form: CsvForm) -> str:
    """Return the gradebook as CSV."""
    has_members = any(grade.members for grade in grades)
    people = ["name", "email", "login", "id", "student_id"] if has_members else []
    rows: list[list[object]] = [[*people, "team", "rank", metric, "attempts", "points", "model", "basis"]]
    for grade in grades:
        numbers = [
            "" if grade.rank is None else grade.rank,
            "" if grade.score is None else form.number(grade.score),
            grade.n_attempts,
            form.number(grade.points),
        ]
        tail = [grade.team.name, *numbers, grade.model, grade.basis]
        members: Sequence[Member | None] = grade.members or (None,)
        rows += [[*(_list_ids(member) if has_members else []), *tail] for member in members]
    mark = BYTE_ORDER_MARK if form.has_mark else ""
    return mark + format_csv(rows, newline="\r\n", separator=form.separator)


def _list_ids(member: Member | None) -> list[str]:
    if member is None:
        return [""] * 5
    person = member.person
    return [person.name, *(value or "" for value in (person.email, person.login, person.lms_id, person.student_id))]


def build_winner_gradebook(contest: Contest) -> str:
    """Return the gradebook with the contest's own bonus for the winner, as a spreadsheet opens it."""
    rules = contest.rules()
    grades = compute_grades(contest, PointsRule(by=PointsBy.WINNER, bonus=rules.bonus))
    return format_gradebook(grades, rules.metric_name, CsvForm(has_mark=True))
