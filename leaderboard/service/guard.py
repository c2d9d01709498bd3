"""ASGI middleware around the application: headers of each answer, answers to HEAD, and limits on bodies.

A body is read to its limit and no slower than `Pace` allows. What is left of one when the answer is ready is read and
dropped for a while: closing at once would reset the connection, and the sender would not see the answer (RFC 9112, 9.6).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_AROUND_A_FILE = 8192  # bytes of a form beside its files: other fields and boundaries
_WITH_FILES = ("/attempts", "/validate")  # ends of paths that take a submission, in a form its model too
_DROPPED_BYTES = 64_000_000  # read and dropped at most, after the answer
_DROPPING_S = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Slowest pace of a sender: so many seconds of waiting for free, then a second for each so many bytes."""

    patience_s: float = 10.0
    bytes_per_s: float = 10_000.0
    longest_s: float = 900.0

    def limit_s(self, n_bytes: int) -> float:
        """Return the seconds that the sender of so many bytes may keep us waiting in all."""
        return min(self.patience_s + n_bytes / self.bytes_per_s, self.longest_s)


class BodyTooLarge(Exception):
    """A body above its limit; `is_model`: it is a model, not a submission."""

    def __init__(self, *, is_model: bool = False) -> None:
        super().__init__()
        self.is_model = is_model


class BodyTooSlow(HTTPException):
    """A body that came more slowly than `Pace` allows. FastAPI lets an HTTPException through where it reads a body itself."""

    def __init__(self) -> None:
        super().__init__(408, "what you sent came too slowly; send it again over a better connection", {"Connection": "close"})


@dataclass(slots=True)
class _Body:
    """Body of a request on its way in."""

    receive: Receive
    pace: Pace
    is_model: bool
    limit: int  # bytes of files; 0: none are taken
    n_announced: int  # Content-Length
    is_complete: bool
    n_bytes: int = 0
    waited_s: float = 0.0  # only while the application asks for more

    async def read(self) -> Message:
        self._check_size(self.n_announced)  # before "100 Continue", so that curl does not send it
        message = await self._read_in_time()
        self._check_size(self.n_bytes)
        return message

    def _check_size(self, n_bytes: int) -> None:
        if n_bytes <= self.limit + _AROUND_A_FILE:
            return
        if not self.limit:
            raise HTTPException(413, f"what is sent here has at most {_AROUND_A_FILE} bytes", {"Connection": "close"})
        raise BodyTooLarge(is_model=self.is_model)

    async def drop(self) -> None:
        """Read and forget what is left."""
        with anyio.move_on_after(_DROPPING_S):
            while not self.is_complete and self.n_bytes < self.limit + _DROPPED_BYTES:
                try:
                    await self._read_in_time()
                except BodyTooSlow:
                    return

    async def _read_in_time(self) -> Message:
        if self.is_complete:  # the application waits for the reader to leave
            return await self.receive()
        began_s = time.monotonic()
        try:
            with anyio.fail_after(max(0.0, self.pace.limit_s(self.n_bytes) - self.waited_s)):
                message = await self.receive()
        except TimeoutError as error:
            raise BodyTooSlow from error
        finally:
            self.waited_s += time.monotonic() - began_s
        self.n_bytes += len(message.get("body", b""))
        self.is_complete = not message.get("more_body", False)
        return message


@dataclass(frozen=True, slots=True)
class Guard:
    """The middleware; it knows the limit of each path."""

    app: ASGIApp
    max_bytes: int  # limit of a submission
    max_model_bytes: int
    is_secure: bool  # browsers come by https only
    pace: Pace = field(default_factory=Pace)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = self._open_body(scope, receive)
        is_head = scope["method"] == "HEAD"

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message), is_read=body.is_complete)
            elif is_head:
                message = {**message, "body": b""}
            if message["type"] == "http.response.body" and not message.get("more_body") and not body.is_complete:
                await send({**message, "more_body": True})
                await body.drop()
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"} if is_head else scope, body.read, send_guarded)

    def _open_body(self, scope: Scope, receive: Receive) -> _Body:
        headers = Headers(scope=scope)
        n_announced = int(headers.get("content-length", "0"))  # digits: h11 refuses the rest
        is_empty = n_announced == 0 and "transfer-encoding" not in headers
        is_model, limit = self._file_limit(scope)
        return _Body(receive, self.pace, is_model, limit, n_announced, is_complete=is_empty)

    def _add_headers(self, headers: MutableHeaders, *, is_read: bool) -> None:
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")
        if self.is_secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if not is_read:
            headers["Connection"] = "close"

    def _file_limit(self, scope: Scope) -> tuple[bool, int]:
        """Return whether the request brings a model alone, and the limit of its files in bytes; 0: no files."""
        path = str(scope["path"])
        if path.endswith("/model"):
            return True, self.max_model_bytes
        if not path.endswith(_WITH_FILES):
            return False, 0
        brings_both = Headers(scope=scope).get("content-type", "").lower().startswith("multipart/")
        return False, self.max_bytes + (self.max_model_bytes if brings_both else 0)
