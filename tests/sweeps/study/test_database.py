"""Studies in PostgreSQL: many machines, lost connections, clocks that differ."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from support.postgres import PostgresServer
from support.studies import World, make_study, open_engine
from support.warm_python import WarmPython
from sweeps.engines.counts import open_counter
from sweeps.engines.protocol import Claim, Idle
from sweeps.errors import StudyError, UnreachableError
from sweeps.study import control, lease, retry
from sweeps.study.control import Command
from sweeps.study.database import close_databases, open_database, strip_password
from sweeps.study.folder import StudyFolder, list_names
from sweeps.study.join import LocalPaths, join_all_studies, join_studies
from sweeps.training.trial import Step, TrialResult, TrialState

NAME = "lenet5.raw"


@pytest.fixture
def pg(postgres_url: str, tmp_path: Path, warm_python: WarmPython, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.01)
    yield World(studies=tmp_path / "studies", storage=postgres_url, warm=warm_python)
    close_databases()


def finished(*values: float) -> TrialResult:
    return TrialResult(state=TrialState.FINISHED, epochs=dict(enumerate(values, 1)))


def claimed(claim: Claim | Idle) -> Claim:
    assert isinstance(claim, Claim)
    return claim


def disconnect_all(url: str) -> None:
    """End every other connection to the database, as a restart of a proxy or a server does."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def get_engine(url: str) -> Any:
    """Return SQLAlchemy's engine, below Optuna's cache."""
    storage: Any = open_database(url).storage
    return storage._backend.engine


def test_a_connection_that_is_lost_at_any_statement_loses_no_trial_and_adds_none(pg: World) -> None:
    pg.make(budget=40)
    messages: list[str] = []
    engine = pg.engine(messages=messages)
    countdown = [0]

    def cut(*_arguments: object) -> None:
        countdown[0] -= 1
        if countdown[0] == 0:
            disconnect_all(pg.storage)

    event.listen(get_engine(pg.storage), "before_cursor_execute", cut)
    n_cut = 0
    for number in range(8):
        countdown[0] = 4 + 17 * number  # statements of a claim, two reports and a finish, ever later ones
        claim = claimed(engine.claim())
        assert [engine.report(claim, epoch, 0.1) for epoch in (1, 2)] == [Step.CONTINUE] * 2
        assert engine.finish(claim, finished(0.1, 0.1))
        n_cut += countdown[0] <= 0
    countdown[0] = 0
    assert n_cut >= 5
    assert sum("trying again for up to 5 minutes" in line for line in messages) >= 4
    facts = pg.facts()
    assert [trial.state for trial in facts.trials] == ["finished"] * 8
    assert all(trial.epochs == {1: 0.1, 2: 0.1} for trial in facts.trials)


def test_nothing_is_written_under_a_lock_that_was_lost(pg: World) -> None:
    folder, database = pg.make(), open_database(pg.storage)

    def write_late() -> None:
        with folder.lock():
            disconnect_all(pg.storage)
            with pytest.raises(UnreachableError):
                database.set_attribute(NAME, "late", 1)
            database.set_attribute(NAME, "late", 2)  # would open a connection that does not hold the lock

    with pytest.raises(UnreachableError, match="cannot be reached: the connection was lost"):
        write_late()
    assert database.read_attribute(NAME, "late") is None


def test_a_restart_of_the_server_is_waited_for(pg: World, postgres_server: PostgresServer) -> None:
    pg.make(budget=1)
    engine = pg.engine()
    claim = claimed(engine.claim())
    postgres_server.restart()
    assert engine.report(claim, 1, 0.3) is Step.CONTINUE
    assert engine.finish(claim, finished(0.3))
    assert engine.claim() is Idle.DONE


def test_a_database_that_stays_away_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "MAX_RETRY_S", 0.0)
    url = "postgresql+psycopg://nobody@127.0.0.1:1/arena"
    with pytest.raises(
        UnreachableError, match=r"^database 127\.0\.0\.1:1/arena cannot be reached: connection failed: .*refused"
    ) as caught:
        make_study(tmp_path, storage=url)
    assert "\n" not in str(caught.value)

    def ask() -> None:
        raise caught.value

    with pytest.raises(StudyError, match=r"start the agent again later: nothing is lost$"):
        retry.with_retries(ask, print)
    close_databases()


def test_leases_go_by_the_database_clock(pg: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pg.make(budget=1)
    far = "2001-01-01T00:00:00+00:00"
    monkeypatch.setattr(lease, "utc_now", lambda: datetime.fromisoformat(far))
    monkeypatch.setattr("sweeps.study.folder.utc_now", lambda: datetime.fromisoformat(far))
    claimed(pg.engine(agent="with a wrong clock").claim())
    lease_content = open_database(pg.storage).storage.get_all_trials(1)[0].user_attrs["lease"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(lease_content["renewed_at"])) < timedelta(minutes=5)
    assert abs(datetime.now(UTC) - folder.now()) < timedelta(minutes=5)
    monkeypatch.setattr(lease, "_find_space", lambda: "another host")
    assert pg.engine().claim() is Idle.WAIT
    monkeypatch.setattr(lease, "GRACE", timedelta(0))
    assert claimed(pg.engine().claim()).number == 0


def test_another_machine_joins_with_its_own_folders(pg: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pg.make(budget=3)
    other_dir = tmp_path / "there"
    monkeypatch.chdir(tmp_path)
    join_all_studies(other_dir, pg.storage)
    folder = StudyFolder(other_dir / NAME)
    spec = folder.read_spec()
    assert (spec.tiles, spec.runs, spec.budget) == (tmp_path / "tiles", tmp_path / "runs", 3)
    first, second = pg.engine(), open_engine(other_dir)
    claims = [claimed(first.claim()), claimed(second.claim()), claimed(first.claim())]
    assert len({claim.run for claim in claims}) == 3
    assert second.claim() is Idle.WAIT
    pg.make(budget=4)
    assert second.claim() is not Idle.WAIT  # the budget of the other machine
    counts = open_counter(folder, spec).read()
    assert (counts.running, counts.n_completed) == (4, 0)


def test_all_studies_of_a_database_appear_as_folders_and_heed_one_command(pg: World, tmp_path: Path) -> None:
    folders = [pg.make(name=name) for name in (NAME, "resnet.raw")]
    join_all_studies(tmp_path / "there", pg.storage)
    assert list_names(tmp_path / "there") == [NAME, "resnet.raw"]
    control.write_command(folders[0], Command.PAUSE, datetime.now(UTC))
    others = [StudyFolder(tmp_path / "there" / name) for name in (NAME, "resnet.raw")]
    assert [control.read_command(folder) for folder in others] == [Command.PAUSE, Command.RUN]
    control.write_command(others[0], Command.RUN, datetime.now(UTC))
    assert control.read_command(folders[0]) is Command.RUN
    with pytest.raises(
        StudyError, match=r"^no study 'lenet5.rw' in database 127.0.0.1:\d+/test_\d+; did you mean 'lenet5.raw'"
    ):
        join_studies(tmp_path / "there", pg.storage, ["lenet5.rw"], LocalPaths(), print)


def test_a_study_stays_where_it_is_kept(pg: World, tmp_path: Path) -> None:
    make_study(tmp_path / "files", name="x")
    with pytest.raises(StudyError, match=r"^study 'x' is kept in files in .*, not in database .*; choose another --name$"):
        make_study(tmp_path / "files", name="x", storage=pg.storage)
    pg.make(name="y")
    assert make_study(pg.studies, name="y").read_spec().storage == pg.storage  # without --storage it stays in its database


def test_no_password_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "")
    assert strip_password("postgres://me:s%40crt@db.example.org:5433/arena?sslmode=require") == (
        "postgresql+psycopg://me@db.example.org:5433/arena?sslmode=require"
    )
    assert os.environ["PGPASSWORD"] == "s@crt"
    for url in ("sqlite:///studies.db", "mysql://me:secret@db/arena", "postgresql://me@db", "nonsense"):
        with pytest.raises(StudyError, match=r"^--storage takes a ") as caught:
            strip_password(url)
        assert "secret" not in str(caught.value)
