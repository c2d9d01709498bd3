"""The hidden part that a contest verifies models on: the pack's, or the first that its host gives."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import update

from leaderboard.actions.host import HostDecision, log_action
from leaderboard.database import schema
from leaderboard.database.rows import read_rules, store_file
from leaderboard.errors import ContestError
from leaderboard.files.pack_files import SOLUTION_NAME, check_hidden, find_hidden_folder, read_hidden_solution
from leaderboard.files.solution import Solution
from leaderboard.store import Contest
from leaderboard.verification.hidden_part import HiddenPart


def open_hidden_part(contest: Contest, audio: Path, folder: Path | None, now: datetime) -> HiddenPart | None:
    """Return the hidden part in `folder`, else in the pack of `audio`; a contest without one takes it, and says so in its log.

    Raises:
        ContestError: `folder` holds none, or the contest has another, or none was found for the one it has.
        SolutionError: its solution cannot be read.
    """
    found = folder or find_hidden_folder(audio)
    known = contest.rules().hidden_digest
    if found is None:
        if known is not None:
            raise ContestError(
                f"the contest has a hidden part and none lies beside {audio}; give it with --hidden pack/host/hidden"
            )
        return None
    solution = read_hidden_solution(found)
    check_hidden(solution, contest.solution)
    if known is None:
        _store_hidden_part(contest, solution, now)
    elif known != solution.digest:
        raise ContestError(
            f"{found / SOLUTION_NAME} is not the hidden part of this contest; give the one of its own pack with --hidden"
        )
    return HiddenPart(folder=found, solution=solution)


def _store_hidden_part(contest: Contest, solution: Solution, now: datetime) -> None:
    decision = HostDecision(reason="first given to `arena contest verify`", decided_at=now)
    with contest.database.write() as connection:
        before = read_rules(connection).hidden_digest
        store_file(connection, solution.digest, solution.content)
        connection.execute(update(schema.contest).values(hidden_digest=solution.digest))
        log_action(connection, "hidden part", decision, {"before": before, "after": solution.digest})
