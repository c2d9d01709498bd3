"""The cost of a submission, also when many arrive at once and when its process is killed; on both databases."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import Engine, event

from leaderboard.actions.submit import submit, validate_submission
from leaderboard.deadline import parse_deadline
from leaderboard.errors import AttemptsExhausted, ContestClosed, ContestError, LeaderboardError, SubmissionError
from leaderboard.files.solution import parse_solution
from leaderboard.store import Contest, create_contest, open_contest

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
DEADLINE = NOW + timedelta(days=1)
WAIT_S = 300


def predictions(n_wrong: int) -> bytes:
    """A submission that is wrong in its first rows."""
    return ("id,label\n" + "".join(f"c{n},{(n % 2) ^ (n < n_wrong)}\n" for n in range(20))).encode()


@pytest.fixture
def contest(contest_place: str) -> Iterator[Contest]:
    solution = parse_solution(predictions(0), "solution.csv")
    with create_contest(contest_place, solution=solution, name="Digits", now=NOW, deadline=DEADLINE) as contest:
        contest.add_team("Alpha", NOW)
        contest.add_team("Beta", NOW)
        yield contest


def n_attempts(contest: Contest, team: str = "Alpha") -> int:
    return len(contest.attempts(contest.team(team)))


def test_a_receipt_tells_score_attempts_left_and_rank(contest: Contest) -> None:
    submit(contest, "Beta", predictions(1), "b.csv", NOW)
    receipt = submit(contest, "alpha", predictions(4), "a.csv", NOW)
    assert (receipt.team, receipt.attempt.number, receipt.n_left, receipt.is_new) == ("Alpha", 1, 2, True)
    assert (receipt.attempt.macro_f1, receipt.attempt.metrics) == (0.8, {})
    assert (receipt.rank, receipt.n_ranked) == (2, 2)
    assert receipt.attempt.arrived_at == NOW
    assert receipt.interval == contest.board().lines[1].interval


def test_the_fourth_attempt_is_refused(contest: Contest) -> None:
    for n_wrong in range(3):
        submit(contest, "Alpha", predictions(n_wrong), "p.csv", NOW)
    with pytest.raises(AttemptsExhausted) as caught:
        submit(contest, "Alpha", predictions(5), "p.csv", NOW)
    assert str(caught.value) == "a team has 3 attempts and team 'Alpha' has used them all; its best one counts"
    assert n_attempts(contest) == 3


def test_the_same_file_again_is_answered_with_its_score_at_any_time(contest: Contest) -> None:
    for n_wrong in range(3):
        first = submit(contest, "Alpha", predictions(n_wrong), "p.csv", NOW)
    again = submit(contest, "Alpha", predictions(2), "renamed.csv", DEADLINE + timedelta(days=9))
    assert (again.attempt, again.interval, again.is_new, again.n_left) == (first.attempt, first.interval, False, 0)
    assert submit(contest, "Beta", predictions(2), "p.csv", NOW).attempt.number == 1


def test_a_refused_file_costs_nothing(contest: Contest) -> None:
    with pytest.raises(SubmissionError) as caught:
        submit(contest, "Alpha", predictions(0) + b"c20,1\n", "p.csv", NOW)
    assert caught.value.line == 22
    assert n_attempts(contest) == 0


def test_validating_costs_nothing_and_tells_no_score(contest: Contest) -> None:
    checked = validate_submission(contest, predictions(3), "p.csv")
    assert checked.predicted.tolist()[:4] == [1, 0, 1, 1]
    with pytest.raises(SubmissionError):
        validate_submission(contest, b"id,label\n", "p.csv")
    assert n_attempts(contest) == 0
    assert contest.standings() == []


def test_the_deadline_itself_still_counts_and_what_follows_does_not(contest: Contest) -> None:
    late = (DEADLINE + timedelta(seconds=1)).astimezone(parse_deadline("2026-01-01T00:00+05:30").tzinfo)
    with pytest.raises(ContestClosed) as caught:
        submit(contest, "Alpha", predictions(1), "p.csv", late)
    rule = "the contest closed at 2026-11-22 08:00 UTC and it is 2026-11-22 08:00:01 UTC; ask its host for more time"
    assert str(caught.value) == rule
    assert n_attempts(contest) == 0
    assert submit(contest, "Alpha", predictions(1), "p.csv", DEADLINE).attempt.number == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "2026-12-01T18:00",
            "a deadline carries its offset and '2026-12-01T18:00' has none; write it as 2026-12-01T18:00+01:00",
        ),
        ("2026-12-01", "a deadline carries its offset and '2026-12-01' has none; write it as 2026-12-01T18:00+01:00"),
        (
            "tomorrow",
            "a deadline is a date, a time and an offset, not 'tomorrow'; write it as 2026-12-01T18:00+01:00",
        ),
    ],
)
def test_a_deadline_without_offset_is_refused(text: str, message: str) -> None:
    with pytest.raises(ContestError) as caught:
        parse_deadline(text)
    assert str(caught.value) == message


def test_a_deadline_is_read_into_utc() -> None:
    assert parse_deadline("2026-12-01T18:00+01:00").isoformat() == "2026-12-01T17:00:00+00:00"
    assert parse_deadline("2026-12-01 18:00Z").isoformat() == "2026-12-01T18:00:00+00:00"


@pytest.fixture(scope="module")
def context() -> ForkServerContext:
    """Processes that are forked from one that has imported the contest once."""
    result = multiprocessing.get_context("forkserver")
    result.set_forkserver_preload(["pytest", "leaderboard.actions.submit"])
    return result


def send_at_once(path: str, barrier: Barrier, answers: multiprocessing.Queue[str], n_wrong: int) -> None:
    with open_contest(path) as contest:
        barrier.wait()
        try:
            receipt = submit(contest, "Alpha", predictions(n_wrong), "p.csv", NOW)
            answers.put(f"attempt {receipt.attempt.number} {'new' if receipt.is_new else 'known'}")
        except LeaderboardError as error:
            answers.put(type(error).__name__)


def test_the_same_file_from_three_processes_at_once_is_one_attempt(
    contest_place: str, contest: Contest, context: ForkServerContext
) -> None:
    barrier, answers = context.Barrier(3), context.Queue()
    processes = [context.Process(target=send_at_once, args=(contest_place, barrier, answers, 3)) for _ in range(3)]
    for process in processes:
        process.start()
    received = Counter(answers.get(timeout=WAIT_S) for _ in processes)
    for process in processes:
        process.join()
    assert received == {"attempt 1 new": 1, "attempt 1 known": 2}


def send_and_die(path: str, table: str) -> None:
    """End as a power cut would, as soon as a row was inserted into the table."""

    @event.listens_for(Engine, "after_cursor_execute")
    def die(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(f"INSERT INTO {table}"):
            os.kill(os.getpid(), signal.SIGKILL)

    with open_contest(path) as contest:
        submit(contest, "Alpha", predictions(2), "p.csv", NOW)


@pytest.mark.parametrize("table", ["files", "attempts"])
def test_a_kill_before_the_score_is_stored_costs_nothing(
    contest_place: str, contest: Contest, table: str, context: ForkServerContext
) -> None:
    died = context.Process(target=send_and_die, args=(contest_place, table))
    died.start()
    died.join()
    assert died.exitcode == -signal.SIGKILL
    assert n_attempts(contest) == 0
    receipt = submit(contest, "Alpha", predictions(2), "p.csv", NOW)
    assert (receipt.attempt.number, receipt.is_new, receipt.n_left) == (1, True, 2)


def send_and_tell(path: str, messages: Connection) -> None:
    with open_contest(path) as contest:
        for team in contest.teams():
            for n in range(3):
                submit(contest, team.name, predictions(2) + b"\n" * n, "p.csv", NOW, again=True)
                messages.send(team.name)


def read_answers(messages: Connection) -> Iterator[str]:
    while True:
        try:
            yield messages.recv()
        except EOFError:
            return


def test_after_a_kill_among_many_each_is_wholly_there_or_wholly_not(
    contest_place: str, contest: Contest, context: ForkServerContext
) -> None:
    for n in range(60):
        contest.add_team(f"T{n:02d}", NOW)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=send_and_tell, args=(contest_place, theirs))
    process.start()
    theirs.close()
    with ours:
        answers = read_answers(ours)
        messages = Counter(itertools.islice(answers, 20))
        process.kill()
        messages += Counter(answers)
    process.join()
    with open_contest(contest_place) as result:
        stored = Counter({line.team: line.n_attempts for line in result.standings()})
        assert (stored - messages).total() <= 1  # stored and not yet told
        assert not messages - stored
        assert all([a.number for a in line.attempts] == list(range(1, line.n_attempts + 1)) for line in result.standings())


N_TEAMS, N_FILES = 24, 20  # 64 teams at once: test_leaderboard_web_load.py


def flood(path: str, half: int, answers: multiprocessing.Queue[list[str]]) -> None:
    """Half of every team's files from ten threads at once."""

    def send(n: int) -> list[str]:
        received = []
        for team in range(N_TEAMS):
            try:
                submit(contest, f"T{team:02d}", predictions(2) + b"\n" * n, "p.csv", NOW, again=True)
                received.append(f"T{team:02d}")
            except AttemptsExhausted:
                received.append("refused")
            except LeaderboardError as error:
                received.append(repr(error))
        return received

    with open_contest(path) as contest, ThreadPoolExecutor(N_FILES // 2) as threads:
        answers.put([messages for received in threads.map(send, range(half, N_FILES, 2)) for messages in received])


def test_of_twenty_files_of_each_of_many_teams_at_once_exactly_three_are_stored(
    contest_place: str, contest: Contest, context: ForkServerContext
) -> None:
    for team in range(N_TEAMS):
        contest.add_team(f"T{team:02d}", NOW)
    answers = context.Queue()
    second = context.Process(target=flood, args=(contest_place, 1, answers))
    second.start()
    flood(contest_place, 0, answers)
    received = Counter(messages for _ in range(2) for messages in answers.get(timeout=WAIT_S))
    second.join()
    assert received == {f"T{team:02d}": 3 for team in range(N_TEAMS)} | {"refused": N_TEAMS * (N_FILES - 3)}
    lines = contest.standings()
    assert [[attempt.number for attempt in line.attempts] for line in lines] == [[1, 2, 3]] * N_TEAMS
