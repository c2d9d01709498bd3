"""A class of 64 teams whose browsers ask for the board each minute of a week: memory and descriptors of the service stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.polling import Held, browsers, poll
from support.service import make, running

N_TEAMS, N_MINUTES = 64, 7 * 24 * 60


def test_a_week_of_polling(tmp_path: Path, record_property: pytest.RecordProperty, request: pytest.FixtureRequest) -> None:
    tokens = make(tmp_path / "contest.db", [f"Team {n:02d}" for n in range(N_TEAMS)])
    n_rounds = int(N_MINUTES * float(request.config.getoption("--weeks")))
    with running(tmp_path / "contest.db") as service, browsers(service.url, tokens) as opened:
        poll(opened, 60)
        before, n_log = Held.read(service.process.pid), len("".join(service.log))
        n_answers = poll(opened, n_rounds)
        after, log = Held.read(service.process.pid), "".join(service.log)
    record_property("requests", n_answers)
    record_property("MB of memory more", round(after.memory_mb - before.memory_mb, 1))
    record_property("descriptors more", after.n_files - before.n_files)
    record_property("kB of log", (len(log) - n_log) // 1000)
    assert after.n_files <= before.n_files + 4
    assert after.memory_mb < before.memory_mb + 32
    assert "Traceback" not in log
