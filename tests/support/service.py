"""A contest on disk or on a server, its service as an application or as a process, and files to send to it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from leaderboard.actions.host import HostDecision
from leaderboard.actions.host_tokens import give_host_token
from leaderboard.files.solution import parse_solution
from leaderboard.hosts import Role
from leaderboard.store import Contest, create_contest
from support.paths import ROOT

NOW = datetime.now(UTC).replace(microsecond=0)
N_ROWS, N_SPEAKERS = 300, 6
IDS = [f"clip_{n:04d}" for n in range(N_ROWS)]
WAIT_S = 60


def solution(n_rows: int = N_ROWS, *, has_private: bool = True) -> bytes:
    """Ten digits, six speakers; every third row is public where some are private."""
    header = "id,label,Group" + (",Usage" if has_private else "")
    rows = [f"clip_{n:04d},{n % 10},speaker{n // 10 % N_SPEAKERS}" for n in range(n_rows)]
    if has_private:
        rows = [f"{row},{'Public' if n // 10 % 3 == 0 else 'Private'}" for n, row in enumerate(rows)]
    return ("\n".join([header, *rows]) + "\n").encode()


def submission(seed: int, share_wrong: float = 0.1, n_rows: int = N_ROWS) -> bytes:
    """Right but for a share of the rows; another seed gives another file."""
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random(n_rows) < share_wrong, rng.integers(0, 10, n_rows), np.arange(n_rows) % 10)
    return ("id,label\n" + "".join(f"clip_{n:04d},{label}\n" for n, label in enumerate(labels.tolist()))).encode()


def make(
    where: str | Path,
    teams: Sequence[str],
    *,
    has_private: bool = True,
    deadline: datetime | None = None,
    n_rows: int = N_ROWS,
) -> dict[str, str]:
    """A new contest; the token of each team."""
    truth = parse_solution(solution(n_rows, has_private=has_private), "solution.csv")
    with create_contest(
        where, solution=truth, name="Digits 2026", now=NOW, deadline=deadline or NOW + timedelta(days=3)
    ) as made:
        return {name: token_of(made, name) for name in teams}


def token_of(contest: Contest, name: str) -> str:
    return contest.new_token(contest.add_team(name, NOW), NOW)


def host_token_of(contest: Contest, name: str = "Ana", role: Role = Role.HOST) -> str:
    """A new token of a host or an assistant."""
    return give_host_token(contest, name, role, HostDecision(reason="for a test", decided_at=NOW))


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service in a process of its own."""

    url: str
    process: subprocess.Popen[str]
    log: list[str]  # its lines so far

    def kill(self) -> None:
        """End it as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(where: str | Path, *options: str, n_files: int | None = None) -> Iterator[Running]:
    """`arena contest serve` on a free port of 127.0.0.1, stopped at the end; `n_files`: it may open so many."""
    command = [sys.executable, "-m", "arena", "contest", "serve", "--contest", str(where), "--port", "0", *options]
    if n_files is not None:
        command = ["sh", "-c", f'ulimit -n {n_files}; exec "$@"', "sh", *command]
    root = ROOT
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=root, start_new_session=True)
    assert process.stderr is not None
    log: list[str] = []
    reader = threading.Thread(target=lambda: log.extend(process.stderr or ()), daemon=True)
    try:
        for line in process.stderr:
            log.append(line)
            if "startup complete" in line:
                break
        found = re.search(r"at (http://\S+?)/ \(", "".join(log))
        assert found, "".join(log)
        reader.start()
        yield Running(url=found[1], process=process, log=log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if reader.ident is not None:
            reader.join(WAIT_S)
        process.stderr.close()
