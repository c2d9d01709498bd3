"""A PostgreSQL server of the tests' own: made in memory where that fits, on a free port of 127.0.0.1, gone afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_READY_S = 60.0
_ROOM_BYTES = 1 << 29
_PR_SET_PDEATHSIG = 1
_ACCOUNT = "postgres"  # root's server runs as it
# Nothing here outlives a power cut, so nothing waits for a disk.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "autovacuum": "off",
}


def binaries() -> Path | None:
    """The folder of `postgres` and `initdb`, the newest where there are several; None where none is installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if debian:
        return debian[-1].parent
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


def missing_part(folder: Path | None, account: str = _ACCOUNT) -> str:
    """Return the part of a server that this machine lacks, and its remedy; empty where `folder` has programs that can start."""
    remedy = "on Debian or Ubuntu: sudo .ci/debian-packages"
    if folder is None or not (folder / "initdb").exists():
        return f"no PostgreSQL server is installed; {remedy}"
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed; `make test` installs it"
    if os.geteuid() == 0 and account not in {entry.pw_name for entry in pwd.getpwall()}:
        return f"PostgreSQL refuses to run as root, and there is no account {account}; {remedy}"
    return ""


@dataclass(slots=True)
class PostgresServer:
    """A running server, whose superuser `postgres` needs no password."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        """For SQLAlchemy and Optuna."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The URL of an empty database, dropped afterwards whoever is still connected."""
        name = f"test_{next(self._numbers)}"
        with _connected(self.port) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            with _connected(self.port) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def restart(self, *, pause_s: float = 0.0) -> None:
        """Stop at once, as a crash would, and start again on the same port and data."""
        _stop(self.process, signal.SIGQUIT)
        time.sleep(pause_s)
        self.process = _start(self.folder, self.port)
        _wait_until_ready(self)


@contextlib.contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A new server with no databases of ours.

    Raises:
        RuntimeError: it does not start; its log is in the message.
    """
    folder = Path(tempfile.mkdtemp(prefix="arena-postgres-", dir=_place()))
    server = None
    try:
        if _account():
            shutil.chown(folder, _ACCOUNT)
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync"]
        _run("initdb", *options, f"--pgdata={folder / 'data'}", at=folder)
        server = _first_start(folder)
        yield server
    finally:
        if server is not None:
            _stop(server.process, signal.SIGINT)
        shutil.rmtree(folder, ignore_errors=True)


def _place() -> str | None:
    """/dev/shm where it has room; containers give it 64 MB."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > _ROOM_BYTES
    return str(shared) if roomy else None


def _first_start(folder: Path) -> PostgresServer:
    for _ in range(3):  # another process may take the port between our look and the server's
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = PostgresServer(port=port, folder=folder, process=_start(folder, port))
        if _wait_until_ready(server):
            return server
    raise RuntimeError(f"PostgreSQL does not start: {(folder / 'log').read_text(errors='replace')[-2000:]}")


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    words = [_program("postgres"), "-D", str(folder / "data"), "-p", str(port)]
    for name, value in _SETTINGS.items():
        words += ["-c", f"{name}={value}"]
    with (folder / "log").open("ab") as log:
        # A session of its own: Ctrl-C in the terminal is for the tests, which then stop it.
        return subprocess.Popen(
            words, stdout=log, stderr=log, cwd=folder, start_new_session=True, preexec_fn=end_with_parent, **_account()
        )


def end_with_parent() -> None:
    """Ask the kernel to end a server when the tests are killed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait_until_ready(server: PostgresServer) -> bool:
    """Whether it answers; False when it ended instead."""
    import psycopg

    deadline = time.monotonic() + _READY_S
    while server.process.poll() is None:
        try:
            with _connected(server.port):
                return True
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                _stop(server.process, signal.SIGQUIT)
                return False
            time.sleep(0.02)
    return False


def _stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """`how`: SIGINT disconnects everybody and shuts down, SIGQUIT drops everything."""
    process.send_signal(how)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _connected(port: int) -> Any:
    import psycopg

    return psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True, connect_timeout=10)


def _run(name: str, *words: str, at: Path) -> None:
    done = subprocess.run([_program(name), *words], capture_output=True, text=True, cwd=at, check=False, **_account())
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr[-2000:]}")


def _program(name: str) -> str:
    folder = binaries()
    assert folder is not None, "ask binaries() first"
    return str(folder / name)


def _account() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; Debian's package brings the account."""
    return {"user": _ACCOUNT, "group": _ACCOUNT, "extra_groups": []} if os.geteuid() == 0 else {}
