"""Rows that the solution ignores: a submission must have them, and they are in no score, interval, matrix or rank."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.actions.rescore import rescore
from leaderboard.actions.submit import submit
from leaderboard.database.create import ContestSettings
from leaderboard.errors import SolutionError, SubmissionError
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.files.solution_doubts import list_remarks
from leaderboard.scoring.platforms import score_submission
from leaderboard.standings import Part
from leaderboard.store import Contest, create_contest
from support.contests import DEADLINE, NOW

N = 60
METRIC = b"""
def score(solution, submission, row_id_column_name):
    assert len(solution) == len(submission) == 20, len(solution)
    assert set(solution.label) == {0, 1}
    return float((solution.label.values == submission.label.values).mean())
"""


def choose_part(n: int) -> str:
    return ("Public", "Private", "Ignored")[n // 2 % 3]


def truth(*, flipped: int = -1, without: bool = False, kept_ignored: bool = True) -> Solution:
    """Rows of three kinds in turn; ignored ones have labels and speakers that nothing else has, or none."""
    rows = []
    for n in range(N):
        part = choose_part(n)
        if part == "Ignored" and without:
            continue
        label, group = str((n % 2) ^ (n == flipped)), f"s{n // 6 % 6}"
        if part == "Ignored" and kept_ignored:
            label, group = ("", "") if n % 2 else ("a word", "nobody")
        rows.append(f"c{n:02d},{label},{part},{group}")
    return parse_solution("\n".join(["id,label,Usage,Group", *rows]).encode(), "solution.csv")


def answers(*wrong: int, without: bool = False, ignored: int = 0) -> bytes:
    """Right but for some rows; what it says of ignored rows."""
    rows = [
        f"c{n:02d},{ignored if choose_part(n) == 'Ignored' else (n % 2) ^ (n in wrong)}\n"
        for n in range(N)
        if not (without and choose_part(n) == "Ignored")
    ]
    return ("id,label\n" + "".join(rows)).encode()


def contest(where: str, solution: Solution, settings: ContestSettings | None = None) -> Contest:
    opened = create_contest(where, solution=solution, name="Digits", now=NOW, deadline=DEADLINE, settings=settings)
    for name in ("Alpha", "Beta"):
        opened.add_team(name, NOW)
    return opened


def test_labels_speakers_and_remarks_are_of_the_rows_that_count() -> None:
    solution = truth()
    assert (solution.labels, solution.groups) == (("0", "1"), tuple(f"s{n}" for n in range(6)))
    assert (len(solution.ids), len(solution.scored), int(solution.is_public.sum())) == (60, 40, 20)
    assert solution.has_private
    assert list_remarks(solution) == []


def test_ignored_rows_change_no_number_anywhere(contest_place: str, tmp_path: Path) -> None:
    submitted = {"Alpha": (0, 6, 8, 13), "Beta": (1, 2, 3, 14, 15)}
    with contest(contest_place, truth()) as first, contest(str(tmp_path / "plain.db"), truth(without=True)) as second:
        for index, (team, wrong) in enumerate(submitted.items()):
            submit(first, team, answers(*wrong, ignored=index), "p.csv", NOW)
            submit(second, team, answers(*wrong, without=True), "p.csv", NOW)
        for part in (Part.PUBLIC, Part.PRIVATE):
            ours, plain = first.standings(part), second.standings(part)
            for line, expected in zip(ours, plain, strict=True):
                assert (line.rank, line.team, line.score, line.macro_f1) == (
                    expected.rank,
                    expected.team,
                    expected.score,
                    expected.macro_f1,
                )
                assert (line.metrics["accuracy"], line.interval) == (expected.metrics["accuracy"], expected.interval)
            result, plain_result = (opened.details(opened.team("Alpha"), 1, part) for opened in (first, second))
            assert (result.confusion, result.classes, result.interval) == (
                plain_result.confusion,
                plain_result.classes,
                plain_result.interval,
            )
            assert sum(map(sum, result.confusion)) == 20
        close_contest(first, HostDecision(reason="over", decided_at=NOW))
        assert first.board().part is Part.PRIVATE


def test_a_file_without_the_ignored_rows_is_refused_and_one_with_them_is_read_however_it_is_written(
    contest_place: str,
) -> None:
    with contest(contest_place, truth()) as opened:
        with pytest.raises(SubmissionError, match="20 of 60 ids have no row"):
            submit(opened, "Alpha", answers(without=True), "p.csv", NOW)
        with pytest.raises(SubmissionError, match="label 'a word' is not one of 0, 1"):
            submit(opened, "Alpha", answers().replace(b"c04,0", b"c04,a word"), "p.csv", NOW)
        assert submit(opened, "Alpha", answers(), "p.csv", NOW).attempt.macro_f1 == 1
        sure = b"id,label,0,1\n" + b"".join(
            row + (b",1,0" if row.endswith(b"0") else b",0,1") + b"\n" for row in answers(0).splitlines()[1:]
        )
        submit(opened, "Beta", sure, "q.csv", NOW)
        (slow,) = opened.attempts(opened.team("Beta"))  # what teams do not see yet too
        assert slow.metrics["accuracy"] == 19 / 20
        assert slow.metrics["log_loss"] is not None


def test_a_row_that_is_ignored_by_a_correction_no_longer_counts(contest_place: str) -> None:
    with contest(contest_place, truth()) as opened:
        submit(opened, "Alpha", answers(0), "p.csv", NOW)
        text = truth().content.decode().replace("c00,0,Public", "c00,0,Ignored")
        result = rescore(opened, parse_solution(text.encode(), "solution.csv"), HostDecision(reason="unclear", decided_at=NOW))
        assert (result.n_rows_changed, result.attempts[0].public_after) == (1, 1.0)
        assert result.attempts[0].public_before < 1


def test_a_metric_of_the_host_never_sees_an_ignored_row(contest_place: str) -> None:
    metric = METRIC.replace(b"== 20", b"in (20, 40)")
    with contest(contest_place, truth(), ContestSettings(metric=metric, metric_name="hits")) as opened:
        assert submit(opened, "Alpha", answers(0), "p.csv", NOW).attempt.score == 0.95


def test_public_and_ignored_rows_alone_give_one_score(tmp_path: Path) -> None:
    text = truth().content.decode().replace("Private", "Public")
    solution = parse_solution(text.encode(), "solution.csv")
    assert not solution.has_private
    (tmp_path / "solution.csv").write_text(text)
    (tmp_path / "p.csv").write_bytes(answers(0))
    output = score_submission(tmp_path / "solution.csv", tmp_path / "p.csv", "codabench")
    assert output["accuracy"] == pytest.approx(39 / 40)
    assert json.dumps(output).count("private") == 0


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("id,label,Usage\na,1,Ignored\nb,2,Ignored\n", "needs Public rows and no row is Public"),
        ("id,label,Usage\na,1,Public\nb,2,Ignored\n", "2 to 1000 labels and this file names 1"),
        ("id,label,Usage\na,1,Public\nb,2,Public\nc,1,Private\nd,2,Ignored\n", "label '2' has no Private row"),
        ("id,label,Usage\na,1,Public\nb,2,Public\nb,,Ignored\n", "id 'b' stands in line 3 already"),
        ("id,label,Usage\na,1,Public\nb,2,Public\n,,Ignored\n", "line 4: id is empty"),
    ],
)
def test_what_no_contest_can_be_made_of_is_still_refused(text: str, refusal: str) -> None:
    with pytest.raises(SolutionError, match=refusal):
        parse_solution(text.encode(), "solution.csv")
