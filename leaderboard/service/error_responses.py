"""Errors as answers: JSON below /api, a page elsewhere; one place that says which status and which word each has."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response

from arena.base.texts import Words
from leaderboard.errors import (
    AttemptsExhausted,
    ContestClosed,
    Fault,
    LeaderboardError,
    ModelRefused,
    NameOften,
    NameRefused,
    NoFurtherModel,
    SubmissionError,
    TeamError,
    TooManyRefusals,
)
from leaderboard.messages import message
from leaderboard.pages.render import Problem, problem, render, span
from leaderboard.service.context import NoSuchAttempt, TokenRefused
from leaderboard.service.security import BodyTooLarge
from leaderboard.service.session import frame_of, keep_form, service_of, words_of

_log = logging.getLogger("uvicorn.error")  # where a host looks


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What an error is to a program."""

    status: int
    code: str
    message: str
    line: int | None = None
    others: Sequence[Fault] = ()  # of a file, after the first
    retry_after_s: int | None = None

    def as_json(self) -> JSONResponse:
        body = {
            "error": self.code,
            "message": self.message,
            "line": self.line,
            "others": [{"message": str(fault.problem), "line": fault.line} for fault in self.others],
            "retry_after_s": self.retry_after_s,
        }
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(body, self.status, headers=headers)


def failure(error: LeaderboardError) -> Failure:
    """The failure of a mistake of ours or of a team; why the contest does not answer is for the host, and goes to the log."""
    message = str(error)
    if isinstance(error, SubmissionError):
        return Failure(status=422, code="invalid", message=message, line=error.line, others=error.others)
    if isinstance(error, TokenRefused):
        if error.wait_s:
            return Failure(status=429, code="wait", message=message, retry_after_s=math.ceil(error.wait_s))
        return Failure(status=401, code="token", message=message)
    if isinstance(error, TooManyRefusals):
        return Failure(status=429, code="refusals", message=message, retry_after_s=error.retry_after_s)
    if isinstance(error, NoSuchAttempt):
        return Failure(status=404, code="not_found", message=message)
    if isinstance(error, NameRefused):
        return Failure(status=429 if isinstance(error, NameOften) else 422, code="name", message=message)
    if isinstance(error, ModelRefused):
        is_settled = isinstance(error, NoFurtherModel)
        return Failure(status=409 if is_settled else 422, code="limit" if is_settled else "model", message=message)
    for kind, status, code in ((AttemptsExhausted, 409, "limit"), (ContestClosed, 403, "closed"), (TeamError, 403, "team")):
        if isinstance(error, kind):
            return Failure(status=status, code=code, message=message)
    _log.error("%s", message)
    return Failure(status=503, code="unavailable", message="the contest cannot be read or written now; try again")


def problem_of(error: LeaderboardError, words: Words) -> Problem:
    """The same for a reader."""
    if isinstance(error, TokenRefused):
        return Problem(what=words("too_many", minutes=span(words, error.wait_s + 60)) if error.wait_s else words("token_wrong"))
    if isinstance(error, AttemptsExhausted):
        return Problem(what=words("all_used"))
    if isinstance(error, ContestClosed):
        return Problem(what=words("is_closed"))
    if isinstance(error, SubmissionError | TooManyRefusals | TeamError):
        return problem(words("refused"), error, words)
    if isinstance(error, ModelRefused):
        return problem(words("model_refused"), error, words)
    return Problem(what=words("broken"))


def page_of(request: Request, problem: Problem, status: int) -> Response:
    """An error's page."""
    try:
        frame = frame_of(request)
    except LeaderboardError:  # the database itself does not answer
        return PlainTextResponse(problem.what, status)
    return keep_form(request, Response(render("error.html.j2", frame, problem=problem), status, media_type="text/html"))


def is_for_programs(request: Request) -> bool:
    path = str(request.scope["path"]).removeprefix(str(request.scope.get("root_path", "")))
    return path.startswith("/api/")


def on_mistake(request: Request, error: Exception) -> Response:
    assert isinstance(error, LeaderboardError)
    found = failure(error)
    if is_for_programs(request):
        return found.as_json()
    return page_of(request, problem_of(error, words_of(request)), found.status)


def on_too_large(request: Request, error: Exception) -> Response:
    assert isinstance(error, BodyTooLarge)
    settings, words = service_of(request).settings, words_of(request)
    limit = f"{(settings.max_model_bytes if error.is_model else settings.max_bytes) / 1e6:g}"
    if is_for_programs(request):
        said = str(message("model_too_large" if error.is_model else "file_too_large", megabytes=limit))
        answer: Response = Failure(status=413, code="too_large", message=said).as_json()
    else:
        what = words("model_large" if error.is_model else "too_large", megabytes=limit)
        answer = page_of(request, Problem(what=what), 413)
    answer.headers["Connection"] = "close"
    return answer


def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if is_for_programs(request):
        code = {404: "not_found", 405: "method", 413: "too_large"}.get(error.status_code, "request")
        answer: Response = Failure(status=error.status_code, code=code, message=str(error.detail)).as_json()
    else:
        words = words_of(request)
        known = {404: "not_found", 405: "not_found", 400: "stale_form", 403: "stale_form"}
        answer = page_of(request, Problem(what=words(known.get(error.status_code, "broken"))), error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def on_bad_parameter(request: Request, error: Exception) -> Response:
    """A parameter that is none: for programs what is wrong, for readers a page that is not there."""
    assert isinstance(error, RequestValidationError)
    if not is_for_programs(request):
        return page_of(request, Problem(what=words_of(request)("not_found")), 404)
    first = error.errors()[0]
    message = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return Failure(status=422, code="parameter", message=message).as_json()


def on_error(request: Request, error: Exception) -> Response:
    """What nobody foresaw: the log has its trace, the answer has none."""
    if is_for_programs(request):
        return Failure(status=500, code="broken", message="something failed here; nothing was stored, try again").as_json()
    return page_of(request, Problem(what=words_of(request)("broken")), 500)
