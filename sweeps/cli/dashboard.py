"""Optuna's dashboard, read-only, on the growing studies of a folder or of a database."""

from __future__ import annotations

import importlib.util
import socketserver
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import BaseJournalBackend

from arena.base.install import install_command
from sweeps.errors import StudyError, SweepError
from sweeps.study.folder import StudyFolder
from sweeps.study.journal import ReadOnlyJournal

HOST = "127.0.0.1"
_CREATE_STUDY, _SET_STUDY_ATTRIBUTE, _CREATE_TRIAL = 0, 3, 4  # operations of Optuna's journal

Start = Callable[..., Any]


class MergedJournals(BaseJournalBackend):
    """Journal that merges those of several studies: operations in the order of reading, ids renumbered, axes named."""

    def __init__(self, folders: Sequence[StudyFolder]) -> None:
        self._sources = [_Source(folder) for folder in folders]
        self._operations: list[dict[str, Any]] = []
        self._n_studies = 0
        self._n_trials = 0

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        for source in self._sources:
            for log in source.read_new():
                self._merge(source, log)
        yield from self._operations[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        raise AssertionError("the dashboard of Arena only looks")

    def _merge(self, source: _Source, log: dict[str, Any]) -> None:
        operation = log["op_code"]
        if operation == _CREATE_STUDY:
            if source.study is not None:  # a second agent's, without effect
                return
            source.study = self._n_studies
            self._n_studies += 1
        elif operation == _CREATE_TRIAL:
            source.trials.append(self._n_trials)
            self._n_trials += 1
        merged = dict(log)
        if "study_id" in log:
            merged["study_id"] = source.study
        if "trial_id" in log:
            merged["trial_id"] = source.trials[log["trial_id"]]
        self._operations.append(merged)
        if operation == _CREATE_STUDY and len(log["directions"]) == 1:
            ids = {"worker_id": merged["worker_id"], "study_id": source.study}
            attribute = {"study:metric_names": [source.metric]}  # Optuna's name of it; else the axes say "Objective 0"
            self._operations.append({"op_code": _SET_STUDY_ATTRIBUTE, **ids, "system_attr": attribute})


class _Source:
    def __init__(self, folder: StudyFolder) -> None:
        self._journal = ReadOnlyJournal(folder.journal)
        self.metric = folder.read_spec().sweep.metric
        self._n_read = 0
        self.study: int | None = None
        self.trials: list[int] = []  # merged number, by the journal's own

    def read_new(self) -> list[dict[str, Any]]:
        logs = list(self._journal.read_logs(self._n_read))
        self._n_read += len(logs)
        return logs


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        return


def serve_dashboard(folders: Sequence[StudyFolder], port: int, say_url: Callable[[str], None]) -> None:
    """Serve until interrupted, on this machine alone; `port` 0 takes a free one.

    A database is served with all of its studies.

    Raises:
        SweepError: the dashboard is not installed, the port is taken, or the studies are in several places.
    """
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise SweepError(f"the dashboard is an extra: {install_command('dashboard')}")
    import optuna_dashboard

    storage = _storage(folders)
    try:
        server = make_server(HOST, port, _read_only(optuna_dashboard.wsgi(storage)), _Server, _SilentHandler)
    except OSError as error:
        raise SweepError(f"port {port} cannot be used ({error.strerror}); choose another with --port") from error
    with server:
        say_url(f"http://{HOST}:{server.server_port}/dashboard/")
        server.serve_forever()


def _storage(folders: Sequence[StudyFolder]) -> BaseStorage:
    """Return the storage to read; a database gets connections of its own, since the server has many threads."""
    databases = {folder.read_spec().storage: folder.find_database() for folder in folders}
    if len(databases) > 1:
        names = ", ".join(f"{database}" if database else "files" for database in databases.values())
        raise StudyError(f"these studies are in {len(databases)} places ({names}); name those of one")
    ((url, database),) = databases.items()
    if database is None:
        return JournalStorage(MergedJournals(folders))
    with database.translate_errors():
        return RDBStorage(url)


def _read_only(app: Callable[[dict[str, Any], Start], Iterable[bytes]]) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    def guarded(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return app(environ, start)
        start("405 Method Not Allowed", [("Content-Type", "application/json")])
        return [b'{"reason": "This dashboard only looks; change studies with `arena sweep`."}']

    return guarded
