"""A web server that drops, forgets, refuses and lies, for the tests of downloads."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

CONTENT = np.random.default_rng(0).bytes(1_500_000)


SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Behaviour:
    """Behaviour of the server; `cuts` are numbers of bytes after which it drops, one per answer."""

    content: bytes = CONTENT
    etag: str = '"one"'
    last_modified: str = ""
    status: int = 0
    cuts: list[int] = field(default_factory=list)
    knows_range: bool = True
    says_length: bool = True
    kind: str = "application/gzip"
    ranges: list[str] = field(default_factory=list)  # Range header of each request


class Server:
    """A web server on a free port of this machine."""

    def __init__(self) -> None:
        self.behaviour = behaviour = Behaviour()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self, outer.behaviour)

            def log_message(self, *args: object) -> None:
                pass

        assert behaviour is self.behaviour
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/file.tar.gz"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def answer(request: BaseHTTPRequestHandler, how: Behaviour) -> None:
    range_header = request.headers.get("Range", "")
    how.ranges.append(range_header)
    guard = request.headers.get("If-Range")
    if how.status:
        request.send_error(how.status)
        return
    start = int(range_header.removeprefix("bytes=").rstrip("-")) if range_header and how.knows_range else 0
    if guard and guard not in (how.etag, how.last_modified):
        start = 0
    total = len(how.content)
    if range_header and start >= total:
        request.send_response(416)
        request.send_header("Content-Range", f"bytes */{total}")
        request.end_headers()
        return
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
    if how.says_length:
        request.send_header("Content-Length", str(total - start))
    for name, value in {"ETag": how.etag, "Last-Modified": how.last_modified, "Content-Type": how.kind}.items():
        if value:
            request.send_header(name, value)
    request.end_headers()
    cut = how.cuts.pop(0) if how.cuts else total
    request.wfile.write(how.content[start : start + cut])
