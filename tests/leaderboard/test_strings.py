"""A contest whose answers are strings of digits: its scores by hand, and nothing that tells about the truth."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from arena.base.scores import count_errors, digit_error_rate, exact_match
from leaderboard.actions.alike import find_alike
from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.actions.submit import Receipt, submit
from leaderboard.actions.submit_model import Upload, add_model
from leaderboard.contest.disclosure import ShownDetails
from leaderboard.database.create import ContestSettings
from leaderboard.errors import ContestError, ModelRefused, SolutionError
from leaderboard.files.solution import parse_solution
from leaderboard.pages.overview_page import write_sample
from leaderboard.rules import DIGIT_ERROR_RATE, STRING_METRICS, DetailsFrom
from leaderboard.store import Contest
from support.contests import NOW, made, run

TRUTH = ["0427", "1", "99", "00", "123456", "7", "0427", "31"]
SOLUTION = ("id,string\n" + "".join(f"s{n},{text}\n" for n, text in enumerate(TRUTH))).encode()


def answers(**changed: str) -> bytes:
    """A submission that is right but in the rows that are named."""
    texts = {f"s{n}": text for n, text in enumerate(TRUTH)} | changed
    return ("id,string\n" + "".join(f"{name},{text}\n" for name, text in texts.items())).encode()


def sent(contest: Contest, team: str, content: bytes, minute: int = 0) -> Receipt:
    return submit(contest, team, content, f"m{minute}.csv", NOW + timedelta(minutes=minute))


@pytest.mark.parametrize(
    ("answer", "truth", "errors"),
    [
        ("0427", "0427", 0),
        ("427", "0427", 1),
        ("0424", "0427", 1),
        ("04277", "0427", 1),
        ("", "0427", 4),
        ("4270", "0427", 2),
        ("1111111", "0", 1),  # no more than the string has digits
    ],
)
def test_errors_are_digits_to_insert_delete_or_replace(answer: str, truth: str, errors: int) -> None:
    assert count_errors(answer, truth) == errors


def test_both_scores_are_read_from_one_matrix_of_integers() -> None:
    counts = np.zeros((5, 5), dtype=np.int64)
    counts[4, 0], counts[4, 1], counts[2, 2], counts[1, 0] = 3, 1, 1, 2
    assert exact_match(counts) == 5 / 7
    assert digit_error_rate(counts) == (1 + 2) / (4 * 4 + 2 + 2)


@pytest.fixture
def new_place(tmp_path: Path) -> Callable[[], str]:
    """A new database each time."""
    numbers = itertools.count()
    return lambda: str(tmp_path / f"{next(numbers)}.db")


def test_strings_are_ranked_by_exact_match_with_an_interval_and_the_digit_errors_beside(new_place: Callable[[], str]) -> None:
    with made(
        new_place(), parse_solution(SOLUTION, "s.csv"), "Ann", "Bob", settings=ContestSettings(details=DetailsFrom.DURING)
    ) as contest:
        ann = sent(contest, "Ann", answers(s0="427", s4="12345"))
        bob = sent(contest, "Bob", answers(s0="1", s1="2", s2=""))
        assert (ann.metric, ann.attempt.score, ann.attempt.metrics) == ("exact match", 6 / 8, {"digit_error_rate": 2 / 22})
        assert (bob.attempt.score, bob.attempt.metrics) == (5 / 8, {"digit_error_rate": 7 / 22})
        assert [(line.rank, line.team) for line in contest.board().lines] == [(1, "Ann"), (2, "Bob")]
        interval = contest.board().lines[0].interval
        assert (interval.n_units, interval.low < 0.75 < interval.high <= 1) == (8, True)
        shown = contest.shown_details(contest.team("Ann"), 1)
        assert isinstance(shown, ShownDetails)
        assert (shown.confusion, shown.classes, shown.attempt.score) == (None, None, 0.75)


def test_a_contest_by_the_digit_error_rate_ranks_the_lowest_first(new_place: Callable[[], str]) -> None:
    with made(
        new_place(), parse_solution(SOLUTION, "s.csv"), "Ann", "Bob", settings=ContestSettings(metric_name=DIGIT_ERROR_RATE)
    ) as contest:
        sent(contest, "Ann", answers(s4="654321"))  # 1 string, 6 digits
        sent(contest, "Bob", answers(s0="0420", s1="2"))  # 2 strings, 2 digits
        lines = contest.board().lines
        assert [(line.team, line.score) for line in lines] == [("Bob", 0.091), ("Ann", 0.273)]  # of 22 digits, rounded
        assert lines[0].interval.low < 2 / 22 < lines[0].interval.high
        assert contest.rules().is_lower_better


def test_equal_errors_of_other_answers_are_no_repeated_file_and_one_label_is_no_note(new_place: Callable[[], str]) -> None:
    with made(new_place(), parse_solution(SOLUTION, "s.csv"), "Ann") as contest:
        first, second = sent(contest, "Ann", answers(s0="0428")), sent(contest, "Ann", answers(s0="0429"), minute=1)
        assert (first.attempt.number, second.attempt.number, second.notes) == (1, 2, ())
        assert sent(contest, "Ann", answers(), minute=2).notes == ()
        assert not sent(contest, "Ann", answers(), minute=3).is_new


def test_what_needs_labels_is_refused_in_a_line(new_place: Callable[[], str]) -> None:
    truth = parse_solution(SOLUTION, "s.csv")
    with made(new_place(), truth, "Ann") as contest:
        sent(contest, "Ann", answers())
        with pytest.raises(ModelRefused, match="a contest of strings takes no models"):
            add_model(contest, contest.team("Ann"), 1, Upload(content=b"-", name="m.onnx"), NOW)
        with pytest.raises(ContestError, match="stores their errors alone"):
            find_alike(contest)
    for settings in (ContestSettings(is_ladder=True), ContestSettings(metric=b"def score(a, b, c): return 0")):
        with pytest.raises(ContestError, match="ranked by exact-match or digit-error-rate"):
            made(new_place(), truth, settings=settings)
    with pytest.raises(ContestError, match="scores strings, and this solution has labels"):
        made(
            new_place(),
            parse_solution(b"id,label\na,0\nb,1\n", "s.csv"),
            settings=ContestSettings(metric_name=DIGIT_ERROR_RATE),
        )
    with pytest.raises(SolutionError, match="'label' and 'string' are both there"):
        parse_solution(b"id,label,string\na,0,0\n", "s.csv")


def test_a_wrong_answer_file_is_refused_by_its_line_and_the_sample_is_taken(new_place: Callable[[], str]) -> None:
    with made(new_place(), parse_solution(SOLUTION, "s.csv"), "Ann") as contest:
        for content, text in (
            (answers().replace(b"id,string", b"id,label"), "string"),
            (answers(s1="1" * 201), "201 characters"),
            (answers().replace(b"s7,31\n", b""), "s7"),
        ):
            with pytest.raises(Exception, match=text):
                sent(contest, "Ann", content)
        assert sent(contest, "Ann", write_sample(contest.solution).encode()).attempt.score == 0


def test_the_commands_take_the_metric_by_name_and_print_its_own_name(tmp_path: Path, new_place: Callable[[], str]) -> None:
    (tmp_path / "s.csv").write_bytes(SOLUTION)
    (tmp_path / "a.csv").write_bytes(answers(s0="427"))
    assert set(STRING_METRICS) == {"exact-match", "digit-error-rate"}
    place = str(tmp_path / "contest.db")
    assert run(place, "init", tmp_path / "s.csv", "--name", "Cheques", "--metric", "digit-error-rate")[0] == 0
    run(place, "team", "add", "Ann")
    assert "Ann, attempt 1: digit error rate 0.045" in run(place, "submit", tmp_path / "a.csv", "--team", "Ann")[1]
    assert "digit error rate" in run(place, "standings")[1]
    assert "macro-F1" not in run(place, "standings")[1] + run(place, "attempt", "Ann", "1")[1]
    with made(new_place(), parse_solution(SOLUTION, "s.csv"), "Ann") as contest:
        sent(contest, "Ann", answers())
        close_contest(contest, HostDecision(reason="over", decided_at=NOW))
        assert contest.shown_details(contest.team("Ann"), 1).confusion is None
