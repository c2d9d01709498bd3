"""Protection of the service: security headers, limits on bodies and on guessing tokens, CSRF tokens."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import urlsplit

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
_N_FAILURES = 10
_WINDOW_S = 300.0
_N_REMEMBERED = 10_000  # addresses and tokens


class BodyTooLarge(Exception):
    """A body above its limit; `is_model`: it is a model, not a submission."""

    def __init__(self, *, is_model: bool = False) -> None:
        super().__init__()
        self.is_model = is_model


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware: adds the headers to every answer and reads no body beyond the limit of its path."""

    app: ASGIApp
    max_bytes: int  # limit of a submission
    max_model_bytes: int
    is_secure: bool  # browsers come by https only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_model, limit = self._file_limit(scope)
        remaining = limit + 1 + _AROUND_A_FILE

        async def receive_limited() -> Message:
            nonlocal remaining
            message = await receive()
            remaining -= len(message.get("body", b""))
            if remaining < 0 and not limit:
                raise HTTPException(413, f"what is sent here has at most {_AROUND_A_FILE} bytes", {"Connection": "close"})
            if remaining < 0:
                raise BodyTooLarge(is_model=is_model)
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if self.is_secure:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self.app(scope, receive_limited, send_with_headers)

    def _file_limit(self, scope: Scope) -> tuple[bool, int]:
        """Return whether the request brings a model alone, and the limit of its files in bytes; 0: no files."""
        path = str(scope["path"])
        if path.endswith("/model"):
            return True, self.max_model_bytes
        if not path.endswith(_WITH_FILES):
            return False, 0
        brings_both = Headers(scope=scope).get("content-type", "").lower().startswith("multipart/")
        return False, self.max_bytes + (self.max_model_bytes if brings_both else 0)


def is_from_us(headers: Headers) -> bool:
    """Return False for a form on another site's page; programs that send no such headers are believed.

    Sec-Fetch-Site and Origin cannot be set by a page's script (Fetch Metadata, W3C; Fetch, WHATWG).
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == headers.get("host")
    except ValueError:  # not a URL
        return False


def new_form_secret() -> str:
    """Return a random secret for a browser's cookie, from which its CSRF tokens are made."""
    return secrets.token_urlsafe(24)


def form_token(key: bytes, secret: str) -> str:
    """Return the CSRF token of a form: the cookie's secret, signed."""
    return hmac.new(key, b"form:" + secret.encode(), hashlib.sha256).hexdigest()


def is_form_token(key: bytes, secret: str, token: str) -> bool:
    return bool(secret) and hmac.compare_digest(form_token(key, secret).encode(), token.encode("utf-8", "replace"))


@dataclass(slots=True)
class Failures:
    """Rate limit on wrong tokens: after ten in five minutes an address has to wait. Tokens that were right before
    still pass, so that a class behind one address keeps its sessions while somebody guesses."""

    _times: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)
    _good: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def wait_s(self, address: str, token: str, now_s: float) -> float:
        """Return the seconds until this address may try a token again; 0: at once."""
        with self._lock:
            times = [time for time in self._times.get(_network(address), ()) if now_s - time < _WINDOW_S]
            if len(times) < _N_FAILURES or _hash(token) in self._good:
                return 0.0
            return times[-_N_FAILURES] + _WINDOW_S - now_s

    def record_failure(self, address: str, now_s: float) -> None:
        with self._lock:
            times = self._times.setdefault(_network(address), [])
            times.append(now_s)
            del times[:-_N_FAILURES]
            self._times.move_to_end(_network(address))
            while len(self._times) > _N_REMEMBERED:
                self._times.popitem(last=False)

    def record_success(self, token: str) -> None:
        with self._lock:
            self._good[_hash(token)] = None
            self._good.move_to_end(_hash(token))
            while len(self._good) > _N_REMEMBERED:
                self._good.popitem(last=False)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _network(address: str) -> str:
    """Return an IPv4 address unchanged, an IPv6 address as its /64, the usual share of one customer.

    A socket for both kinds gives IPv4 addresses as ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2), which would all be one /64.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
