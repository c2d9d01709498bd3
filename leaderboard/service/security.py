"""Signed forms, names of cookies, and the count of wrong tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_N_FAILURES = 10
_WINDOW_S = 300.0
_N_REMEMBERED = 10_000  # beginnings of tokens
_N_PREFIX = 8  # characters of a token of 43
_N_NAME = 10  # characters of a cookie's name that tell contests apart


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


def name_cookie(name: str, key: bytes, root: str, *, is_https: bool) -> str:
    """Return the full name of a contest's cookie, so that contests on one host, or copies of one, keep their own.

    The prefix __Host- lets no other host of the domain set it, which a Path would not (RFC 6265bis, 4.1.3.2 and 8.6): so
    the path is part of the name, and the cookie's own Path is /.
    """
    digest = hmac.new(key, b"cookie:" + root.encode(), hashlib.sha256).hexdigest()[:_N_NAME]
    return f"{'__Host-' if is_https else ''}{name}_{digest}"


@dataclass(slots=True)
class Failures:
    """Count of wrong tokens at sign-in by their first characters. Right ones are neither counted nor kept waiting: 256 random
    bits cannot be guessed, and a limit that kept them out would let anybody lock out a class."""

    _times: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def record(self, token: str, now_s: float) -> float:
        """Count a wrong token and return the seconds to wait before another like it; 0 for the first ten in five minutes."""
        prefix = token[:_N_PREFIX]
        with self._lock:
            times = [time for time in self._times.pop(prefix, ()) if now_s - time < _WINDOW_S]
            is_often = len(times) >= _N_FAILURES
            self._times[prefix] = times if is_often else [*times, now_s]
            while len(self._times) > _N_REMEMBERED:
                self._times.popitem(last=False)
        return times[0] + _WINDOW_S - now_s if is_often else 0.0
