"""Resumable download of one file. Standard library only.

Beside the partial file lies `<name>.json` with its address and the server's validator of that version. If the server's file
has changed since, or it cannot resume, the download begins again. Both stay until the caller has verified the file.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.errors import CorpusError

_CHUNK_BYTES = 1 << 18
_N_ATTEMPTS = 5  # consecutive attempts without a new byte, per address
_CONTENT_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<total>\d+|\*)")
_REFUSED_RANGE = re.compile(r"bytes \*/(?P<total>\d+)")
_RETRY_STATUSES = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    """Callbacks for progress, and times for retry with backoff."""

    advance: Callable[[int], None] = lambda n: None  # gets the number of new bytes; negative when the download restarts
    say: Callable[[str], None] = lambda line: None
    timeout_s: float = 30.0  # longest wait for a byte
    wait_s: float = 1.0  # wait before the second attempt; doubled each time


class _AddressError(Exception):
    """The address cannot give the file; the text is the rest of a sentence that begins with the address."""


class _RetriesExhaustedError(_AddressError):
    """The connection broke too often; the partial file stays, and another call resumes it."""


class _DropError(Exception):
    """The connection broke; another attempt may resume."""


def download(urls: Sequence[str], part: Path, sha256: str, hooks: Hooks) -> str:
    """Download the file to `part` and return the first of `urls` that had it; `sha256` is checked unless empty.

    The same call again asks whether the server still has that version, and downloads it again only if not, until
    `remove_download`.

    Raises:
        CorpusError: no address has the file, or it cannot be written; the partial file stays for the next call.
    """
    reason, can_resume = "", False
    for url in urls:
        try:
            _Download(url, part, sha256, hooks).run()
            return url
        except _AddressError as error:
            reason, can_resume = f"{url} {error}", isinstance(error, _RetriesExhaustedError)
            if len(urls) > 1:
                hooks.say(reason)
        except OSError as error:
            raise CorpusError(f"cannot write {part}: {error.strerror}; free some space or choose another folder") from error
    retry = "the same command again to go on where it stopped, " if can_resume else ""
    raise CorpusError(
        f"{reason}; give {retry}another address with --mirror URL, or the file as a browser saved it with --archive FILE"
    )


def remove_download(part: Path) -> None:
    """Remove the file of `download`, if it still exists, and its notes."""
    part.unlink(missing_ok=True)
    _notes_path(part).unlink(missing_ok=True)


def _notes_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def check_urls(urls: Sequence[str]) -> None:
    """Check that all are addresses of web servers.

    Raises:
        CorpusError: one is not.
    """
    for url in urls:
        try:
            parts = urllib.parse.urlsplit(url)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and url.isprintable()
        except ValueError:
            fits = False
        if not fits or " " in url:
            raise CorpusError(f"a mirror is an address, http:// or https://.., not {url!r}; a file is given with --archive")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Download:
    """Download from one address, over as many connections as necessary."""

    def __init__(self, url: str, part: Path, sha256: str, hooks: Hooks) -> None:
        self.url, self.part, self.sha256, self.hooks = url, part, sha256, hooks
        self.notes = _notes_path(part)
        self.n_reported = 0
        self.opener = urllib.request.build_opener()

    def run(self) -> None:
        attempt, may_restart = 0, True
        while True:
            n_before = self._size()
            try:
                self._attempt()
                if not self.sha256 or file_sha256(self.part) == self.sha256:
                    return
                self._discard()
                if not n_before or not may_restart:
                    raise _AddressError(f"gave a file that is not the published one (its SHA-256 is not {self.sha256[:16]}..)")
                may_restart = False
                self.hooks.say("what was put together is not the published file; from the beginning")
            except _DropError as error:
                attempt = 1 if self._size() > n_before else attempt + 1
                if attempt >= _N_ATTEMPTS:
                    raise _RetriesExhaustedError(str(error)) from None
                wait_s = self.hooks.wait_s * 2 ** (attempt - 1)
                self.hooks.say(f"{self.url} {error}; trying again in {wait_s:g} s")
                time.sleep(wait_s)

    def _attempt(self) -> None:
        """Read until the server ends the answer; raise unless the file is complete then."""
        start, validator = self._resume_point()
        request = urllib.request.Request(self.url, headers={"Accept-Encoding": "identity", "User-Agent": "arena-spoken-digits"})
        if start:
            request.add_header("Range", f"bytes={start}-")
            if validator:
                request.add_header("If-Range", validator)
        try:
            with self.opener.open(request, timeout=self.hooks.timeout_s) as response:
                self._receive(response, start)
        except urllib.error.HTTPError as error:
            self._handle_http_error(error, start)
        except urllib.error.URLError as error:
            raise _DropError(f"cannot be reached: {_describe(error.reason)}") from error
        except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
            raise _DropError(f"broke off after {self._size():,} bytes ({_describe(error)})") from error

    def _receive(self, response: http.client.HTTPResponse, start: int) -> None:
        headers = response.headers
        if headers.get_content_type() == "text/html":
            raise _AddressError("answered with a web page instead of the archive; is a login of the network in between?")
        total = _parse_number(headers.get("Content-Length"))
        if response.status == 206:
            match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
            if not match or int(match["start"]) != start:
                raise _AddressError("answered with another part of the file than was asked for")
            total = _parse_number(match["total"])
        elif start:
            self.hooks.say("the server cannot resume, or its file has changed: from the beginning")
            start = 0
        etag = headers.get("ETag", "")
        validator = headers.get("Last-Modified", "") if etag[:2] in ("", "W/") else etag
        self.notes.write_text(json.dumps({"url": self.url, "validator": validator}), encoding="utf-8")
        self._report(start)
        with self.part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            while chunk := response.read1(_CHUNK_BYTES):  # does not wait for a full chunk: bytes before a break are stored
                file.write(chunk)
                self._report(file.tell())
            n_bytes = file.tell()
        if total is not None and n_bytes < total:
            raise _DropError(f"broke off after {n_bytes:,} of {total:,} bytes")
        if not n_bytes:
            raise _AddressError("answered with nothing")

    def _handle_http_error(self, error: urllib.error.HTTPError, start: int) -> None:
        with error:
            if error.code == 416 and start:
                match = _REFUSED_RANGE.fullmatch(error.headers.get("Content-Range", ""))
                if match and int(match["total"]) == start:
                    self._report(start)
                    return
                self._discard()
                raise _DropError("holds less than what has come already") from error
            if error.code in _RETRY_STATUSES:
                raise _DropError(f"answered {error.code} {error.reason}") from error
            raise _AddressError(f"answered {error.code} {error.reason}") from error

    def _resume_point(self) -> tuple[int, str]:
        """Return the byte to resume at, 0 for the beginning, and the validator that the version must still have."""
        try:
            notes = json.loads(self.notes.read_bytes())
            validator = str(notes["validator"]) if notes["url"] == self.url else ""
        except (OSError, ValueError, LookupError, TypeError):
            return 0, ""
        return (self._size(), validator) if validator or self.sha256 else (0, "")

    def _discard(self) -> None:
        remove_download(self.part)
        self._report(0)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _report(self, n_bytes: int) -> None:
        if n_bytes != self.n_reported:
            self.hooks.advance(n_bytes - self.n_reported)
            self.n_reported = n_bytes


def _parse_number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _describe(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    return str(getattr(reason, "strerror", None) or reason or type(reason).__name__).strip().rstrip(".")
