"""Gradebooks: points by winner, rank and thresholds, verification beside them, and a platform's own file filled in."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from leaderboard.actions.host import HostDecision, close_contest, disqualify
from leaderboard.actions.submit import submit
from leaderboard.classes.class_list import GroupChoice, parse_class_list
from leaderboard.classes.gradebook import (
    CsvForm,
    ModelCondition,
    TeamGrade,
    build_winner_gradebook,
    compute_grades,
    format_gradebook,
)
from leaderboard.classes.lms_template import fill_column
from leaderboard.classes.roster import RosterOptions, import_roster
from leaderboard.database import schema
from leaderboard.errors import ClassListError, ContestError
from leaderboard.points import PointsBy, PointsRule, parse_points
from leaderboard.store import Contest, open_contest
from support.classes import canvas_gradebook, moodle_list
from support.service import NOW, make, submission

DECISION = HostDecision(reason="over", decided_at=NOW)
WINNER = PointsRule(by=PointsBy.WINNER, bonus=10)
NAMES = ("Ann", "Bob", "Cleo", "Dan", "=Eve")


@pytest.fixture
def contest(tmp_path: Path) -> Iterator[Contest]:
    """Ann and Bob share the first rank, Cleo and Eve follow, Dan sent nothing."""
    make(tmp_path / "c.db", NAMES)
    with open_contest(tmp_path / "c.db") as contest:
        for name, seed in (("Ann", 1), ("Bob", 1), ("Cleo", 2), ("=Eve", 3)):
            submit(contest, name, submission(seed, 0.1 * seed), "p.csv", NOW)
        yield contest


def points(grades: list[TeamGrade]) -> list[float]:
    by_team = {grade.team.name: grade.points for grade in grades}
    return [by_team[name] for name in NAMES]


def add_model(contest: Contest, team: str, *, is_verified: bool | None) -> None:
    """A model beside the team's only attempt, run with that result, or not at all."""
    with contest.database.write() as connection:
        attempts = schema.attempts.select().where(schema.attempts.c.team_id == contest.team(team).id)
        attempt = connection.execute(attempts).one()
        facts = {"attempt_id": attempt.id, "digest": attempt.submission_digest, "file_name": "m.onnx", "attached_at": NOW}
        connection.execute(insert(schema.models).values(facts))
        if is_verified is not None:
            run = {"attempt_id": attempt.id, "model_digest": attempt.submission_digest, "is_verified": is_verified}
            connection.execute(insert(schema.verifications).values(run | {"remark": "", "verified_at": NOW}))


def test_all_who_share_the_first_rank_get_the_bonus(contest: Contest) -> None:
    grades = compute_grades(contest, WINNER)
    assert points(grades) == [10, 10, 0, 0, 0]
    assert [(g.rank, g.n_attempts, g.basis) for g in grades if g.team.name in ("Ann", "Dan")] == [
        (1, 1, "not closed yet, public score"),
        (None, 0, "no attempt"),
    ]


def test_points_by_rank_are_linear_or_a_list_and_ties_share(contest: Contest) -> None:
    assert points(compute_grades(contest, parse_points(PointsBy.RANK, "10:1", 0))) == [10, 10, 4, 0, 1]
    assert points(compute_grades(contest, parse_points(PointsBy.RANK, "10,8,6", 0))) == [10, 10, 6, 0, 0]


def test_points_by_threshold_are_those_of_the_highest_that_is_reached(contest: Contest) -> None:
    scores = {line.team: line.score for line in contest.standings()}
    text = f"{scores['Ann']!r}:9,{scores['Cleo']!r}:5.5"  # a threshold itself is reached
    assert points(compute_grades(contest, parse_points(PointsBy.THRESHOLDS, text, 0))) == [9, 9, 5.5, 0, 0]
    lower = parse_points(PointsBy.THRESHOLDS, "0.2:5,0.1:9", 0, is_lower_better=True)
    assert [lower.compute(1, 1, score, is_lower_better=True) for score in (0.05, 0.1, 0.15, 0.3)] == [9, 9, 5, 0]


@pytest.mark.parametrize(
    ("by", "text", "refusal"),
    [
        (PointsBy.RANK, None, "--by rank needs --points"),
        (PointsBy.WINNER, "10:1", "the winner's are --bonus"),
        (PointsBy.RANK, "1:10", "best first, and not '1:10'"),
        (PointsBy.RANK, "6,8", "best first, and not '6,8'"),
        (PointsBy.RANK, "ten", "and not 'ten'"),
        (PointsBy.RANK, "10:-1", "0 or more"),
        (PointsBy.RANK, "nan", "0 or more"),
        (PointsBy.THRESHOLDS, "0.9", "(score:points)"),
        (PointsBy.THRESHOLDS, "0.9:5,0.8:10", "a better score has no fewer points"),
        (PointsBy.THRESHOLDS, "0.9:5,0.9:4", "a better score has no fewer points"),
    ],
)
def test_points_with_two_readings_are_refused(by: PointsBy, text: str | None, refusal: str) -> None:
    with pytest.raises(ContestError) as error:
        parse_points(by, text, 10)
    assert refusal in str(error.value)


def test_a_failed_verification_has_no_points_and_those_below_move_up_unless_the_host_says_so(contest: Contest) -> None:
    for name, is_verified in (("Ann", False), ("Bob", False), ("Cleo", None), ("=Eve", True)):
        add_model(contest, name, is_verified=is_verified)
    grades = compute_grades(contest, WINNER)
    assert points(grades) == [0, 0, 10, 0, 0]
    by_team = {grade.team.name: grade for grade in grades}
    assert [by_team[name].model for name in NAMES] == ["differs", "differs", "not run yet", "", "same answers"]
    assert by_team["Ann"].basis == "not closed yet, public score, no points: model differs"
    assert points(compute_grades(contest, WINNER, ModelCondition.ALL)) == [10, 10, 0, 0, 0]
    assert points(compute_grades(contest, WINNER, ModelCondition.VERIFIED_ALONE)) == [0, 0, 0, 0, 10]


def test_a_contest_ranked_by_hidden_scores_gives_points_to_verified_models_alone(contest: Contest) -> None:
    add_model(contest, "=Eve", is_verified=True)
    with contest.database.write() as connection:
        connection.execute(update(schema.contest).values(rank_by="hidden"))
    assert points(compute_grades(contest, WINNER)) == [0, 0, 0, 0, 10]


def test_grades_after_the_close_are_by_the_private_score_and_without_the_disqualified_and_baselines(contest: Contest) -> None:
    disqualify(contest, contest.team("Bob"), DECISION)
    with contest.database.write() as connection:
        connection.execute(update(schema.teams).where(schema.teams.c.name == "Ann").values(is_baseline=True))
    close_contest(contest, DECISION)
    grades = compute_grades(contest, WINNER)
    assert points(grades) == [0, 0, 10, 0, 0]
    assert [grade.basis for grade in grades if grade.team.name in ("Ann", "Bob", "Cleo")] == [
        "baseline",
        "disqualified",
        "final, private score",
    ]


def test_without_members_there_is_a_row_a_team_and_the_bonus_is_the_contests_own(contest: Contest) -> None:
    with contest.database.write() as connection:
        connection.execute(update(schema.contest).values(bonus=7))
    text = build_winner_gradebook(contest)
    assert text.startswith("\ufeffteam,rank,macro-F1,attempts,points,model,basis\r\n")  # the mark: accents in spreadsheets
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row["team"], row["points"]) for row in rows if row["team"] != "Dan"] == [
        ("'=Eve", "0"),
        ("Ann", "7"),
        ("Bob", "7"),
        ("Cleo", "0"),
    ]


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Contest]:
    """The class of 60 in 25 teams; team 1 is first, team 2 second, the others sent nothing."""
    make(tmp_path / "course.db", [])
    with open_contest(tmp_path / "course.db") as contest:
        roster = parse_class_list(moodle_list(), "class.csv", GroupChoice())
        import_roster(contest, roster, RosterOptions(), DECISION)
        for team, seed in (("Team 1", 1), ("Team 2", 3)):
            submit(contest, team, submission(seed, 0.1 * seed), "p.csv", NOW)
        yield contest


def test_every_student_has_a_row_with_their_ids(course: Contest) -> None:
    grades = compute_grades(course, WINNER)
    text = format_gradebook(grades, "macro-F1", CsvForm(separator=";", has_decimal_comma=True))
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert len(rows) == 60
    winners = [(row["email"], row["student_id"], row["points"]) for row in rows if row["points"] != "0"]
    assert winners == [(f"student{n}@uni.example.org", f"{100_000 + n}", "10") for n in (0, 25, 50)]
    assert all("," in row["macro-F1"] for row in rows if row["team"] in ("Team 1", "Team 2"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_platforms_own_file_is_filled_in_one_column_and_stays_in_every_other_byte(
    course: Contest, encoding: str, separator: str
) -> None:
    before = canvas_gradebook().decode()
    if separator != ",":
        table = list(csv.reader(io.StringIO(before, newline="")))
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(table)
        before = text.getvalue()
    grades = compute_grades(course, parse_points(PointsBy.RANK, "7.5:2", 0))
    filled = fill_column(before.encode(encoding), "canvas.csv", "digits (1234)", grades)
    after = filled.content.decode(encoding)
    assert (filled.n_filled, filled.unknown_lines, filled.missing) == (60, [], [])
    old, new = (list(csv.reader(io.StringIO(text, newline=""), delimiter=separator)) for text in (before, after))
    assert [row[6] for row in new[2:5]] == ["7.5", "2", "0"]
    assert [row[:6] + row[7:] for row in new] == [row[:6] + row[7:] for row in old]
    assert new[1] == old[1]
    blank = fill_column(filled.content, "canvas.csv", "Digits (1234)", [dataclasses.replace(g, points=0) for g in grades])
    assert len(blank.content) < len(filled.content)
    assert fill_column(blank.content, "canvas.csv", "Digits (1234)", grades).content == filled.content


def test_who_is_on_one_side_alone_is_listed_and_left(course: Contest) -> None:
    lines = canvas_gradebook().decode().split("\r\n")
    lines[2] = '"Stranger, A",1,777,other@x.org,A,1,4,'
    filled = fill_column("\r\n".join(lines).encode(), "canvas.csv", "Digits (1234)", compute_grades(course, WINNER))
    assert (filled.unknown_lines, [member.person.name for member in filled.missing]) == ([3], ["Ana García 0"])
    assert filled.content.decode().split("\r\n")[2] == lines[2]


def test_a_template_with_two_readings_is_refused(course: Contest) -> None:
    grades = compute_grades(course, WINNER)
    with pytest.raises(ClassListError, match="0 columns are called 'Digit'; did you mean 'Digits"):
        fill_column(canvas_gradebook("Digits"), "canvas.csv", "Digit", grades)
    with pytest.raises(ClassListError, match="no column has an e-mail, a login or an id"):
        fill_column(b"Name,Points\nAna,\n", "a.csv", "Points", grades)
    crossed = "ID number,Email address,Points\n100001,student2@uni.example.org,\n"
    with pytest.raises(ClassListError, match="line 2: this row answers to 2 members"):
        fill_column(crossed.encode(), "a.csv", "Points", grades)
