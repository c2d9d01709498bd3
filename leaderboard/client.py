"""Client of a contest's service. Requests are idempotent: a file that was scored before is answered with its score.

ClientError                 exit code
├── InvalidFile             3  the file cannot be scored, or the model is none; no attempt was used
│   └── ContradictoryFile   3  its labels contradict its own probabilities in most rows
├── LimitReached            4  no attempt left, too many refused files in an hour, or an attempt that takes no other model
├── ContestOver             5  past the deadline, or closed by the host
├── Unreachable             6  no answer, or not the answer of a contest
├── WrongToken              7  unknown or revoked token, or one of another team
└── Repeated                8  the labels are those of an earlier attempt of the team; no attempt was used
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar

from leaderboard.errors import Fault, LeaderboardError, ModelRefused, SubmissionError
from leaderboard.files.csv_table import read_file
from leaderboard.files.onnx_check import build_size_refusal, check_form

_TIMEOUT_S = 60
_WAITS_S = (1, 4)  # before the second and the third try
_BUSY = (502, 503, 504)  # a proxy's answers while the service restarts


class ClientError(LeaderboardError):
    """A request that could not be sent, or was refused."""

    exit_code: ClassVar[int] = 1


class InvalidFile(ClientError):
    """A file that cannot be scored; `others` are its further faults, a line each."""

    exit_code = 3

    def __init__(self, message: str, others: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.others = tuple(others)


class ContradictoryFile(InvalidFile):
    """Labels that contradict their own probabilities in most rows."""


class LimitReached(ClientError):
    exit_code = 4


class ContestOver(ClientError):
    exit_code = 5


class Unreachable(ClientError):
    exit_code = 6


class WrongToken(ClientError):
    exit_code = 7


class Repeated(ClientError):
    exit_code = 8


_BY_CODE: dict[str, type[ClientError]] = {
    "invalid": InvalidFile,
    "contradiction": ContradictoryFile,
    "model": InvalidFile,
    "note": InvalidFile,
    "too_large": InvalidFile,
    "limit": LimitReached,
    "repeated": Repeated,
    "refusals": LimitReached,
    "closed": ContestOver,
    "token": WrongToken,
    "team": WrongToken,
    "wait": WrongToken,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A contest's service, and the team that sends to it."""

    url: str  # the contest's first page
    team: str
    token: str = field(repr=False)

    @property
    def is_unencrypted(self) -> bool:
        """Return True if the token travels unencrypted to another machine."""
        parts = _split_address(self.url)
        return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def send_file(
    endpoint: Endpoint,
    path: Path,
    tell: Callable[[str], None],
    model: Path | None = None,
    *,
    again: bool = False,
    yes: bool = False,
    note: str = "",
) -> dict[str, Any]:
    """Submit the file `path` and return its receipt, as the service's API gives it.

    Args:
        tell: called with a message before each retry.
        model: an ONNX file that goes with it; checked before anything is sent.
        again: use an attempt on the labels of an earlier attempt.
        yes: use an attempt on labels that contradict their own probabilities.
        note: the team's own words on the attempt.

    Raises:
        ClientError: one of the tree above.
    """
    body = _build_body(endpoint, path, tell, model)
    consent = {"again": str(again).lower(), "yes": str(yes).lower()} | ({"note": note} if note else {})
    query = urllib.parse.urlencode({"team": endpoint.team, "file_name": path.name, **consent})
    return _fetch(_build_request(endpoint, "POST", f"attempts?{query}", body), endpoint, tell)


def check_file(
    endpoint: Endpoint, path: Path, tell: Callable[[str], None], model: Path | None = None, *, yes: bool = False
) -> dict[str, Any]:
    """Let the service check the form of `path` and of the model, and return its answer: no score, no attempt, no limit.

    Raises:
        ClientError: one of the tree above.
    """
    query = urllib.parse.urlencode({"file_name": path.name, "yes": str(yes).lower()})
    body = _build_body(endpoint, path, tell, model)
    return _fetch(_build_request(endpoint, "POST", f"validate?{query}", body), endpoint, tell)


def _build_body(endpoint: Endpoint, path: Path, tell: Callable[[str], None], model: Path | None) -> tuple[bytes, str]:
    """Return the body, and its type, of a request with the submission and the model, if there is one."""
    try:
        content = read_file(path, SubmissionError)
    except SubmissionError as error:
        raise InvalidFile(str(error)) from error
    if model is None:
        return content, "text/csv"
    facts = _fetch(_build_request(endpoint, "GET", "contest"), endpoint, tell)
    return _encode_form([("file", path.name, content), ("model", model.name, _read_model(model, facts, endpoint))])


def _read_model(path: Path, facts: dict[str, Any], endpoint: Endpoint) -> bytes:
    max_bytes = facts.get("max_model_bytes")
    if not isinstance(max_bytes, int):
        raise ClientError(f"the service at {endpoint.url} takes no models; send the submission without --onnx")
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise build_size_refusal(path.name, max_bytes)
        check_form(content, path.name)
    except OSError as error:
        raise InvalidFile(f"{path} cannot be read ({error.strerror}); check its path") from error
    except ModelRefused as error:
        raise InvalidFile(str(error)) from error
    return content


def _encode_form(files: Sequence[tuple[str, str, bytes]]) -> tuple[bytes, str]:
    """Encode a form (RFC 7578) of (name, file name, content) fields; return its body and its type."""
    line = secrets.token_hex(16)
    parts: list[bytes] = []
    for name, file_name, content in files:
        quoted = file_name.translate({ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"})  # as browsers do
        head = f'--{line}\r\nContent-Disposition: form-data; name="{name}"; filename="{quoted}"\r\n\r\n'
        parts += [head.encode("utf-8", "replace"), content, b"\r\n"]
    return b"".join([*parts, f"--{line}--\r\n".encode()]), f"multipart/form-data; boundary={line}"


def send_pseudonym(endpoint: Endpoint, pseudonym: str | None, tell: Callable[[str], None]) -> dict[str, Any]:
    """Show the team under `pseudonym`, or under its name again for None; return it as the service's API gives it.

    Args:
        tell: called with a message before each retry.

    Raises:
        ClientError: one of the tree above.
    """
    content = json.dumps({"pseudonym": pseudonym}).encode()
    return _fetch(_build_request(endpoint, "PUT", "team/pseudonym", (content, "application/json")), endpoint, tell)


def _fetch(request: urllib.request.Request, endpoint: Endpoint, tell: Callable[[str], None]) -> dict[str, Any]:
    """Send a request and return the answer; retry twice while the service cannot be reached."""
    for wait_s in (*_WAITS_S, None):
        try:
            return _send(request, endpoint)
        except Unreachable as error:
            if wait_s is None:
                raise
            tell(f"{error}; trying again in {wait_s} s")
            time.sleep(wait_s)
    raise AssertionError("the last try returns or raises")


def _build_request(endpoint: Endpoint, method: str, path: str, body: tuple[bytes, str] | None = None) -> urllib.request.Request:
    """Build the request of a path of the API, with a body and its type where it has one."""
    parts = _split_address(endpoint.url)
    if not endpoint.token.isascii() or not endpoint.token.isprintable() or not endpoint.token:
        raise WrongToken(
            "a token is one line of letters and digits and this is none; copy it again from what the host gave you"
        )
    base = urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    content, kind = body or (None, "")
    headers = {"Authorization": f"Bearer {endpoint.token}", "Accept": "application/json"} | (
        {"Content-Type": kind} if kind else {}
    )
    return urllib.request.Request(f"{base}/api/v1/{path}", data=content, headers=headers, method=method)


def _split_address(url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts
    except ValueError:
        pass  # such as http://[
    raise ClientError(f"--address is that of the contest's page, http:// or https://, not {url[:80]!r}; correct it")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refusal of redirects: a token goes to the address that the user gave and to no other."""

    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> None:
        return None


def _send(request: urllib.request.Request, endpoint: Endpoint) -> dict[str, Any]:
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            return _parse_answer(answer.read(), endpoint)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error, endpoint) from None
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        reason = getattr(reason, "strerror", None) or reason
        raise Unreachable(f"{endpoint.url} does not answer ({reason}); check the address and your connection") from error


def _refusal(error: urllib.error.HTTPError, endpoint: Endpoint) -> ClientError:
    if 300 <= error.code < 400:
        return ClientError(f"{endpoint.url} sends on to {error.headers.get('Location')}; give that address with --address")
    if error.code in _BUSY:
        return Unreachable(f"{endpoint.url} is not ready (status {error.code})")
    answer = _parse_answer(error.read(), endpoint)
    kind = _BY_CODE.get(str(answer.get("error")), ClientError)
    message = str(answer.get("message", f"status {error.code}"))
    return kind(message, _read_others(answer)) if issubclass(kind, InvalidFile) else kind(message)


def _read_others(answer: dict[str, Any]) -> list[str]:
    """Return the further faults in an answer; none where a service of another version sends another form."""
    others = answer.get("others")
    faults = [fault for fault in others if isinstance(fault, dict)] if isinstance(others, list) else []
    return [str(Fault(fault.get("line"), str(fault.get("message")))) for fault in faults]


def _parse_answer(content: bytes, endpoint: Endpoint) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError as error:
        raise Unreachable(f"{endpoint.url} answers, but not as a contest does; check the address") from error
    if not isinstance(answer, dict):
        raise Unreachable(f"{endpoint.url} answers, but not as a contest does; check the address")
    return answer
