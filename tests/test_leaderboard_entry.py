"""What a submission costs, also when many arrive at once and when its process is killed; on both databases."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from leaderboard.deadline import parse_deadline
from leaderboard.entry import submit, validate
from leaderboard.errors import AttemptsExhausted, ContestClosed, ContestError, LeaderboardError, SubmissionError
from leaderboard.solution import parse_solution
from leaderboard.store import Contest, create_contest, open_contest

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
DEADLINE = NOW + timedelta(days=1)
ROOT = Path(__file__).parent.parent


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
    assert (receipt.attempt.macro_f1, receipt.attempt.accuracy) == (pytest.approx(0.8), 0.8)
    assert (receipt.rank, receipt.n_ranked) == (2, 2)
    assert receipt.attempt.arrived_at == NOW
    assert receipt.interval == contest.standings()[1].interval


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
    checked = validate(contest, predictions(3), "p.csv")
    assert checked.predicted.tolist()[:4] == [1, 0, 1, 1]
    with pytest.raises(SubmissionError):
        validate(contest, b"id,label\n", "p.csv")
    assert n_attempts(contest) == 0
    assert contest.standings() == []


def test_the_deadline_itself_still_counts_and_what_follows_does_not(contest: Contest) -> None:
    late = (DEADLINE + timedelta(seconds=1)).astimezone(parse_deadline("2026-01-01T00:00+05:30").tzinfo)
    with pytest.raises(ContestClosed) as caught:
        submit(contest, "Alpha", predictions(1), "p.csv", late)
    law = "the contest closed at 2026-11-22 08:00 UTC and it is 2026-11-22 08:00:01 UTC; ask its host for more time"
    assert str(caught.value) == law
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


def send_at_once(path: str, barrier: Barrier, answers: multiprocessing.Queue[str], n_wrong: int) -> None:
    with open_contest(path) as contest:
        barrier.wait()
        try:
            receipt = submit(contest, "Alpha", predictions(n_wrong), "p.csv", NOW)
            answers.put(f"attempt {receipt.attempt.number} {'new' if receipt.is_new else 'known'}")
        except LeaderboardError as error:
            answers.put(type(error).__name__)


def all_at_once(path: str, n_wrong: list[int]) -> Counter[str]:
    spawn = multiprocessing.get_context("spawn")
    barrier, answers = spawn.Barrier(len(n_wrong)), spawn.Queue()
    processes = [spawn.Process(target=send_at_once, args=(path, barrier, answers, n)) for n in n_wrong]
    for process in processes:
        process.start()
    heard = Counter(answers.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    return heard


def test_the_same_file_from_three_processes_at_once_is_one_attempt(contest_place: str, contest: Contest) -> None:
    heard = all_at_once(contest_place, [3] * 3)
    assert heard == {"attempt 1 new": 1, "attempt 1 known": 2}


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from sqlalchemy import Engine, event
from leaderboard.entry import submit
from leaderboard.store import open_contest

with open_contest(sys.argv[1]) as contest:
    @event.listens_for(Engine, "after_cursor_execute")
    def die(connection, cursor, statement, *rest):
        if statement.startswith("INSERT INTO " + sys.argv[3]):
            print("inserted", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    submit(contest, "Alpha", open(sys.argv[2], "rb").read(), "p.csv", datetime(2026, 11, 21, 8, tzinfo=UTC))
"""


@pytest.mark.parametrize("table", ["files", "attempts"])
def test_a_kill_before_the_score_is_stored_costs_nothing(
    tmp_path: Path, contest_place: str, contest: Contest, table: str
) -> None:
    (tmp_path / "p.csv").write_bytes(predictions(2))
    command = [sys.executable, "-c", KILLED, contest_place, str(tmp_path / "p.csv"), table]
    died = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (died.stdout, died.returncode) == ("inserted\n", -signal.SIGKILL)
    assert n_attempts(contest) == 0
    receipt = submit(contest, "Alpha", predictions(2), "p.csv", NOW)
    assert (receipt.attempt.number, receipt.is_new, receipt.n_left) == (1, True, 2)


MANY = """
import sys
from datetime import UTC, datetime
from leaderboard.entry import submit
from leaderboard.store import open_contest

content = open(sys.argv[2], "rb").read()
with open_contest(sys.argv[1]) as contest:
    for team in contest.teams():
        for n in range(3):
            submit(contest, team.name, content + b"\\n" * n, "p.csv", datetime(2026, 11, 21, 8, tzinfo=UTC))
            print(team.name, flush=True)
"""


def test_after_a_kill_among_many_each_is_wholly_there_or_wholly_not(
    tmp_path: Path, contest_place: str, contest: Contest
) -> None:
    for n in range(60):
        contest.add_team(f"T{n:02d}", NOW)
    (tmp_path / "p.csv").write_bytes(predictions(2))
    command = [sys.executable, "-c", MANY, contest_place, str(tmp_path / "p.csv")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        told = Counter(process.stdout.readline().strip() for _ in range(20))
        process.kill()
        told += Counter(process.stdout.read().split())
    with open_contest(contest_place) as found:
        stored = Counter({line.team: line.n_attempts for line in found.standings()})
        assert (stored - told).total() <= 1  # stored and not yet told
        assert not told - stored
        assert all([a.number for a in line.attempts] == list(range(1, line.n_attempts + 1)) for line in found.standings())


N_TEAMS, N_FILES = 64, 20


def flood(path: str, half: int, answers: multiprocessing.Queue[list[str]]) -> None:
    """Half of every team's files from ten threads at once."""

    def send(n: int) -> list[str]:
        heard = []
        for team in range(N_TEAMS):
            try:
                submit(contest, f"T{team:02d}", predictions(2) + b"\n" * n, "p.csv", NOW)
                heard.append(f"T{team:02d}")
            except AttemptsExhausted:
                heard.append("refused")
            except LeaderboardError as error:
                heard.append(repr(error))
        return heard

    with open_contest(path) as contest, ThreadPoolExecutor(N_FILES // 2) as threads:
        answers.put([told for heard in threads.map(send, range(half, N_FILES, 2)) for told in heard])


def test_of_twenty_files_of_each_of_64_teams_at_once_exactly_three_are_stored(contest_place: str, contest: Contest) -> None:
    for team in range(N_TEAMS):
        contest.add_team(f"T{team:02d}", NOW)
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    other = spawn.Process(target=flood, args=(contest_place, 1, answers))
    other.start()
    flood(contest_place, 0, answers)
    heard = Counter(told for _ in range(2) for told in answers.get(timeout=120))
    other.join()
    assert heard == {f"T{team:02d}": 3 for team in range(N_TEAMS)} | {"refused": N_TEAMS * (N_FILES - 3)}
    lines = contest.standings()
    assert [[attempt.number for attempt in line.attempts] for line in lines] == [[1, 2, 3]] * N_TEAMS
