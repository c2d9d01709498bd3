"""A W&B-compatible server on 127.0.0.1 for the real client: GraphQL, file streams and storage, with faults on demand."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import re
import threading
import time
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import unquote, urlsplit

from support.wandb_server.graphql import Execution, GraphQLError, UnknownFieldError
from support.wandb_server.nodes import Memory
from support.wandb_server.roots import Roots
from support.wandb_server.state import Artifact, Run, Sweep

API_KEY = "0123456789abcdef" * 3
ENTITY = "tester"
DROP = -1  # a fault that closes the connection without an answer

_STREAM = re.compile(r"/files/([^/]+)/([^/]+)/([^/]+)/file_stream$")
_RUN_FILE = re.compile(r"/storage/runs/([^/]+)/([^/]+)/([^/]+)/(.*)")
_ARTIFACT_FILE = re.compile(r"/storage/artifacts/([^/]+)/(.*)")


@dataclass(slots=True)
class Fault:
    """The next `times` requests whose path or GraphQL text holds `needle` are answered with `status`."""

    needle: str
    status: int
    times: int
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def _json(content: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


class LoopbackServer:
    """The server; `stop` and `start` again on the same port keep what it knows, as a restart with a database does."""

    def __init__(self) -> None:
        self.memory = Memory(ENTITY)
        self.roots = Roots(self.memory)
        self.faults: list[Fault] = []
        self.faults_met: list[int] = []
        self.unknown: list[str] = []  # root fields that were asked for and are not there
        self.errors: list[str] = []  # our own mistakes
        self._lock = threading.RLock()
        self._port = 0
        self._http: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return self.memory.url

    @property
    def environment(self) -> dict[str, str]:
        """What makes a client use this server, and log in; quick reports, since early stopping waits for them."""
        return {
            "WANDB_BASE_URL": self.url,
            "WANDB_API_KEY": API_KEY,
            "WANDB_ENTITY": ENTITY,
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_SILENT": "true",
            "WANDB_CONSOLE": "off",
            "WANDB__FILE_STREAM_TRANSMIT_INTERVAL": "1",  # whole seconds: a fraction becomes the default of 15
            "WANDB__DISABLE_STATS": "true",
            "WANDB__DISABLE_META": "true",
        }

    def start(self) -> LoopbackServer:
        server = self

        class Bound(_Handler):
            loopback = server

        self._http = _Http(("127.0.0.1", self._port), Bound)
        self._port = self._http.server_port
        self.memory.url = f"http://127.0.0.1:{self._port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        assert self._http
        self._http.shutdown()
        self._http.server_close()
        self._http.drop_all()

    def runs(self, project: str) -> list[Run]:
        """All runs of a project, oldest first."""
        with self._lock:
            return [run for run in self.memory.runs.values() if run.project == project]

    def sweep(self, name: str) -> Sweep:
        return self.memory.sweeps[name]

    def add_strong_runs(self, sweep: Sweep) -> None:
        """Add two runs that beat any other at every band: of two runs at a band W&B ends neither."""
        metric = sweep.config["metric"]["name"]
        for name in ("strong", "stronger"):
            run = self.memory.make_run(sweep.entity, sweep.project, name)
            run.state, run.sweep = "finished", sweep.name
            run.lines["wandb-history.jsonl"] = {step: json.dumps({"_step": step, metric: 1.1}) for step in range(1000)}
            sweep.runs.append(run)

    def artifacts(self) -> list[Artifact]:
        with self._lock:
            return self.roots.all_artifacts

    def answer(self, method: str, path: str, body: bytes, authorization: str) -> Answer | None:
        """None closes the connection."""
        fault = self._fault(path, body)
        if fault:
            time.sleep(fault.delay_s)
            self.faults_met.append(fault.status)
            if fault.status == DROP:
                return None
            if fault.status:
                return _json({"errors": [{"message": f"injected {fault.status}"}]}, fault.status)
        with self._lock:
            try:
                return self._answer(method, path, body, authorization)
            except GraphQLError as error:
                if isinstance(error, UnknownFieldError):
                    self.unknown.append(error.field)
                return _json({"errors": [{"message": str(error)}], "data": None}, error.status)
            except Exception as error:  # 4xx: the client would repeat a request that meets a 5xx for hours
                self.errors.append(f"{method} {path}: {error!r}")
                return _json({"errors": [{"message": repr(error)}]}, 400)

    def _fault(self, path: str, body: bytes) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and (fault.needle in path or fault.needle.encode() in body):
                fault.times -= 1
                return fault
        return None

    def _answer(self, method: str, path: str, body: bytes, authorization: str) -> Answer:
        stream, run_file, artifact_file = _STREAM.match(path), _RUN_FILE.match(path), _ARTIFACT_FILE.match(path)
        if path == "/graphql":
            return self._graphql(body, authorization)
        if stream and method == "POST":
            run = self.memory.run(*stream.groups())
            return self._stream(run, json.loads(body)) if run else Answer(404)
        run = self.memory.run(*run_file.group(1, 2, 3)) if run_file else None
        if run_file and method == "PUT":
            if run:
                run.files[run_file[4]] = body
            return Answer(200 if run else 404, headers={"ETag": '"x"'})
        if run_file and method == "GET":
            found = run.files.get(run_file[4]) if run else None
            return Answer(404) if found is None else Answer(200, found)
        if artifact_file and method == "PUT":
            self.roots.store(artifact_file[1], artifact_file[2], body)
            return Answer(200, headers={"ETag": '"x"'})
        return Answer(200, headers={"ETag": '"x"'}) if path.startswith("/storage/manifests/") else Answer(404)

    def _graphql(self, body: bytes, authorization: str) -> Answer:
        _, _, given = authorization.partition(" ")
        with contextlib.suppress(ValueError):
            given = base64.b64decode(given, validate=True).decode().partition(":")[2] or given
        if given != API_KEY:
            return _json({"errors": [{"message": "user is not logged in"}]}, 401)
        request = json.loads(body)
        execution = Execution(self.roots, request["query"], request.get("operationName"), request.get("variables") or {})
        return _json({"data": execution.run()})

    def _stream(self, run: Run, body: dict[str, Any]) -> Answer:
        if run.state == "pending":
            run.state = "running"
        for name, chunk in (body.get("files") or {}).items():
            lines = run.lines.setdefault(name, {})
            lines.update({chunk.get("offset", 0) + place: line for place, line in enumerate(chunk.get("content", []))})
            if name == "wandb-summary.json" and chunk.get("content"):
                run.summary = json.loads(chunk["content"][-1])
        run.is_preempting = run.is_preempting or bool(body.get("preempting"))
        if body.get("complete"):
            run.exit_code = body.get("exitcode") or 0
            ended = "finished" if not run.exit_code else "preempted" if run.is_preempting else "failed"
            run.state = "killed" if self.roots.stopped_by_us(run.name) else ended
            if run.state == "preempted" and run.sweep in self.memory.sweeps:
                self.memory.sweeps[run.sweep].queue.append(run)
        return _json({"exitcode": None, "limits": {}, "stopped": run.stop_asked})


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_all(self) -> None:
        """End the connections that clients keep, as the death of a server does."""
        for request in list(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that went away


class _Handler(BaseHTTPRequestHandler):
    loopback: LoopbackServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def _serve(self) -> None:
        body = self._body()
        path = unquote(urlsplit(self.path).path)
        answer = self.loopback.answer(self.command, path, body, self.headers.get("Authorization") or "")
        if answer is None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        encoding = self.headers.get("Content-Encoding")
        return gzip.decompress(body) if encoding == "gzip" else zlib.decompress(body) if encoding == "deflate" else body

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        content = self.rfile.read(size)
        self.rfile.readline()
        return content
