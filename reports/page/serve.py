"""Local server of the page, which rebuilds it when a source has changed: for a sweep that runs."""

from __future__ import annotations

import hashlib
import html
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cnn.errors import CnnError
from leaderboard.errors import LeaderboardError
from reports.errors import OutputError, ReportError
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from sweeps.errors import SweepError

HOST = "127.0.0.1"
BUSY_S, IDLE_S = 15, 60  # refresh interval of a browser, while trials run and when nothing does
_FILES = ("config.json", "result.json", "trial.json")  # files of a finished run


def fingerprint_sources(sources: Sources) -> str:
    """Hash the names, sizes and times of all files that the page is made of."""
    digest = hashlib.sha256()
    for path in _files(sources):
        try:
            status = path.stat()
        except OSError:
            continue
        digest.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
    return digest.hexdigest()


def _files(sources: Sources) -> Iterator[Path]:
    if sources.runs and sources.runs.is_dir():
        for folder in sorted(sources.runs.iterdir()):
            yield from (folder / name for name in _FILES)
    if sources.studies and sources.studies.is_dir():
        for folder in sorted(sources.studies.iterdir()):
            yield from sorted(folder.iterdir()) if folder.is_dir() else ()
    if sources.contest and "://" not in sources.contest:
        yield from (Path(sources.contest + end) for end in ("", "-wal"))


@dataclass(kw_only=True, slots=True)
class PageCache:
    """The page as it was built last. Safe to use from several threads."""

    sources: Sources
    _fingerprint: str = ""
    _page: bytes = b""
    _is_busy: bool = False
    _n_builds: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def n_builds(self) -> int:
        return self._n_builds

    def page(self) -> tuple[bytes, int]:
        """Return the current page, and the seconds after which to ask again."""
        with self._lock:
            fingerprint = fingerprint_sources(self.sources)
            is_remote = bool(self.sources.contest and "://" in self.sources.contest)  # a database whose changes no file shows
            if fingerprint != self._fingerprint or is_remote:
                self._build()
                self._fingerprint = fingerprint
            return self._page, BUSY_S if self._is_busy else IDLE_S

    def _build(self) -> None:
        try:
            facts = gather_facts(self.sources)
            self._page, self._is_busy = render_report(facts), any(sweep.n("running") for sweep in facts.sweeps or ())
        except (ReportError, CnnError, SweepError, LeaderboardError) as error:
            self._page, self._is_busy = _waiting(str(error)), True
        self._n_builds += 1


def _waiting(error: str) -> bytes:
    return f"<!doctype html><meta charset=utf-8><title>Arena</title><p>{html.escape(error)}\n".encode()


class ReportServer(ThreadingHTTPServer):
    """Serves one page at /."""

    daemon_threads = True

    def __init__(self, cache: PageCache, port: int) -> None:
        self.cache = cache
        super().__init__((HOST, port), _Handler)

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer

    def do_GET(self) -> None:
        port = self.server.server_address[1]
        if self.headers.get("Host") not in (f"{HOST}:{port}", f"localhost:{port}"):  # another name: DNS rebinding
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        if self.path.partition("?")[0] != "/":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        page, again_s = self.server.cache.page()
        self.send_response(HTTPStatus.OK)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(page)),
            "Cache-Control": "no-store",
            "Refresh": str(again_s),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a browser that asks every few seconds would fill the terminal."""


def open_server(sources: Sources, port: int) -> ReportServer:
    """Open the server, bound and not yet serving; port 0 takes a free one.

    Raises:
        OutputError: the port is taken.
    """
    try:
        return ReportServer(PageCache(sources=sources), port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OutputError(f"cannot serve on port {port}: {reason}; choose another with --port") from error
