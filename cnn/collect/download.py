"""One file from the network, resumed where it broke off. Standard library only.

Beside what has come lies `<name>.json`: of which address it is, and how the server marks that version. A server whose file has
changed since, or that cannot resume, makes it begin again. Both stay until the caller has judged the file.
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
_N_ATTEMPTS = 5  # in a row that bring nothing new, per address
_CONTENT_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<total>\d+|\*)")
_REFUSED_RANGE = re.compile(r"bytes \*/(?P<total>\d+)")
_WORTH_WAITING = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    """Who hears of what is going on, and how patient to be."""

    advance: Callable[[int], None] = lambda n: None  # n bytes more; negative when it begins again
    say: Callable[[str], None] = lambda line: None
    timeout_s: float = 30.0  # without a byte
    wait_s: float = 1.0  # before the second attempt; doubled each time


class _AddressError(Exception):
    """This address cannot give the file; the text is the rest of a sentence that begins with it."""


class _WornOutError(_AddressError):
    """The connection broke too often; what has come is kept, and another call goes on with it."""


class _DropError(Exception):
    """The connection broke; another attempt may go on."""


def fetch(urls: Sequence[str], part: Path, sha256: str, hooks: Hooks) -> str:
    """Bring the file to `part`, and give the first of `urls` that had it; `sha256` is checked unless empty.

    The same call again asks whether the server still has that version, and only if not fetches it anew; `forget` ends that.

    Raises:
        CorpusError: none does, or it cannot be written; what has come stays for the next call.
    """
    reason, goes_on = "", False
    for url in urls:
        try:
            _Download(url, part, sha256, hooks).run()
            return url
        except _AddressError as failed:
            reason, goes_on = f"{url} {failed}", isinstance(failed, _WornOutError)
            if len(urls) > 1:
                hooks.say(reason)
        except OSError as error:
            raise CorpusError(f"cannot write {part}: {error.strerror}; free some space or choose another folder") from error
    again = "the same command again to go on where it stopped, " if goes_on else ""
    raise CorpusError(
        f"{reason}; give {again}another address with --mirror URL, or the file as a browser saved it with --archive FILE"
    )


def forget(part: Path) -> None:
    """Remove what `fetch` brought, as far as it is still there, and its notes."""
    part.unlink(missing_ok=True)
    _notes_of(part).unlink(missing_ok=True)


def _notes_of(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def check_urls(urls: Sequence[str]) -> None:
    """
    Raises:
        CorpusError: one is no address of a web server.
    """
    for url in urls:
        try:
            parts = urllib.parse.urlsplit(url)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and url.isprintable()
        except ValueError:
            fits = False
        if not fits or " " in url:
            raise CorpusError(f"a mirror is an address, http:// or https://.., not {url!r}; a file is given with --archive")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Download:
    """One address, over as many connections as it takes."""

    def __init__(self, url: str, part: Path, sha256: str, hooks: Hooks) -> None:
        self.url, self.part, self.sha256, self.hooks = url, part, sha256, hooks
        self.notes = _notes_of(part)
        self.n_reported = 0
        self.opener = urllib.request.build_opener()

    def run(self) -> None:
        attempt, may_restart = 0, True
        while True:
            before = self._size()
            try:
                self._attempt()
                if self._is_right():
                    return
                self._discard()
                if not before or not may_restart:
                    raise _AddressError(f"gave a file that is not the published one (its SHA-256 is not {self.sha256[:16]}..)")
                may_restart = False
                self.hooks.say("what was put together is not the published file; from the beginning")
            except _DropError as dropped:
                attempt = 1 if self._size() > before else attempt + 1
                if attempt >= _N_ATTEMPTS:
                    raise _WornOutError(str(dropped)) from None
                wait = self.hooks.wait_s * 2 ** (attempt - 1)
                self.hooks.say(f"{self.url} {dropped}; trying again in {wait:g} s")
                time.sleep(wait)

    def _attempt(self) -> None:
        """Read until the server ends; raises unless the file is whole then."""
        start, validator = self._resumable()
        request = urllib.request.Request(self.url, headers={"Accept-Encoding": "identity", "User-Agent": "arena-spoken-digits"})
        if start:
            request.add_header("Range", f"bytes={start}-")
            if validator:
                request.add_header("If-Range", validator)
        try:
            with self.opener.open(request, timeout=self.hooks.timeout_s) as answer:
                self._receive(answer, start)
        except urllib.error.HTTPError as error:
            self._refused(error, start)
        except urllib.error.URLError as error:
            raise _DropError(f"cannot be reached: {_words(error.reason)}") from error
        except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
            raise _DropError(f"broke off after {self._size():,} bytes ({_words(error)})") from error

    def _receive(self, answer: http.client.HTTPResponse, start: int) -> None:
        if answer.headers.get_content_type() == "text/html":
            raise _AddressError("answered with a web page instead of the archive; is a login of the network in between?")
        total = _number(answer.headers.get("Content-Length"))
        if answer.status == 206:
            found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if not found or int(found["start"]) != start:
                raise _AddressError("answered with another part of the file than was asked for")
            total = _number(found["total"])
        elif start:
            self.hooks.say("the server cannot resume, or its file has changed: from the beginning")
            start = 0
        marks = answer.headers
        etag = marks.get("ETag", "")
        self._write_notes({"url": self.url, "validator": marks.get("Last-Modified", "") if etag[:2] in ("", "W/") else etag})
        self._report(start)
        with self.part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            while chunk := _read(answer):
                file.write(chunk)
                self._report(file.tell())
            n_bytes = file.tell()
        if total is not None and n_bytes < total:
            raise _DropError(f"broke off after {n_bytes:,} of {total:,} bytes")
        if not n_bytes:
            raise _AddressError("answered with nothing")

    def _refused(self, error: urllib.error.HTTPError, start: int) -> None:
        with error:
            if error.code == 416 and start:
                found = _REFUSED_RANGE.fullmatch(error.headers.get("Content-Range", ""))
                if found and int(found["total"]) == start:
                    self._report(start)
                    return
                self._discard()
                raise _DropError("holds less than what has come already") from error
            if error.code in _WORTH_WAITING:
                raise _DropError(f"answered {error.code} {error.reason}") from error
            raise _AddressError(f"answered {error.code} {error.reason}") from error

    def _resumable(self) -> tuple[int, str]:
        """The byte to go on from, and the mark of the version that it must still be; 0 where it begins."""
        try:
            notes = json.loads(self.notes.read_bytes())
            validator = str(notes["validator"]) if notes["url"] == self.url else ""
        except (OSError, ValueError, LookupError, TypeError):
            return 0, ""
        return (self._size(), validator) if validator or self.sha256 else (0, "")

    def _is_right(self) -> bool:
        return not self.sha256 or sha256_of(self.part) == self.sha256

    def _discard(self) -> None:
        forget(self.part)
        self._report(0)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _write_notes(self, notes: dict[str, str]) -> None:
        self.notes.write_text(json.dumps(notes), encoding="utf-8")

    def _report(self, n_bytes: int) -> None:
        if n_bytes != self.n_reported:
            self.hooks.advance(n_bytes - self.n_reported)
            self.n_reported = n_bytes


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The next bytes as they come: `read1` does not wait until a chunk is full, so that what came before a break is kept."""
    return answer.read1(_CHUNK_BYTES)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _words(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    return str(getattr(reason, "strerror", None) or reason or type(reason).__name__).strip().rstrip(".")
