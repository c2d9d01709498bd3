"""Exception handlers: each error becomes a status with JSON below /api and with a page elsewhere."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Match, Mount

from arena.base.texts import Words
from leaderboard.errors import (
    AttemptsExhausted,
    ContestClosed,
    ContradictoryLabels,
    Fault,
    HostNeeded,
    LeaderboardError,
    ModelRefused,
    NameOften,
    NameRefused,
    NoFurtherModel,
    NoteRefused,
    RepeatedLabels,
    RightMissing,
    SubmissionError,
    TeamError,
    TooManyRefusals,
    VoidedFile,
)
from leaderboard.messages import message
from leaderboard.pages.render import PageProblem, describe_problem, format_span
from leaderboard.service.context import NoSuchAttempt, TokenRefused
from leaderboard.service.guard import BodyTooLarge
from leaderboard.service.session import build_frame, get_service, get_words, redirect, respond

_REPLIES = (
    (AttemptsExhausted, 409, "limit"),
    (RepeatedLabels, 409, "repeated"),
    (VoidedFile, 409, "voided"),
    (NoteRefused, 422, "note"),
    (ContestClosed, 403, "closed"),
    (TeamError, 403, "team"),
    (RightMissing, 403, "role"),
)
_log = logging.getLogger("uvicorn.error")  # the log that a host reads


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorReply:
    """An error as the API returns it."""

    status: int
    code: str
    message: str
    line: int | None = None
    others: Sequence[Fault] = ()  # further faults of a file
    retry_after_s: int | None = None

    def to_response(self) -> JSONResponse:
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


def to_reply(error: LeaderboardError) -> ErrorReply:
    """Return the reply to an error. The reason for a contest that cannot be read goes to the host's log alone."""
    message = str(error)
    if isinstance(error, SubmissionError):
        code = "contradiction" if isinstance(error, ContradictoryLabels) else "invalid"
        return ErrorReply(status=422, code=code, message=message, line=error.line, others=error.others)
    if isinstance(error, TokenRefused):
        if error.wait_s:
            return ErrorReply(status=429, code="wait", message=message, retry_after_s=math.ceil(error.wait_s))
        return ErrorReply(status=401, code="token", message=message)
    if isinstance(error, TooManyRefusals):
        return ErrorReply(status=429, code="refusals", message=message, retry_after_s=error.retry_after_s)
    if isinstance(error, NoSuchAttempt):
        return ErrorReply(status=404, code="not_found", message=message)
    if isinstance(error, NameRefused):
        return ErrorReply(status=429 if isinstance(error, NameOften) else 422, code="name", message=message)
    if isinstance(error, ModelRefused):
        is_limit = isinstance(error, NoFurtherModel)
        return ErrorReply(status=409 if is_limit else 422, code="limit" if is_limit else "model", message=message)
    for kind, status, code in _REPLIES:
        if isinstance(error, kind):
            return ErrorReply(status=status, code=code, message=message)
    _log.error("%s", message)
    return ErrorReply(status=503, code="unavailable", message="the contest cannot be read or written now; try again")


def explain_error(error: LeaderboardError, words: Words) -> PageProblem:
    """Return the explanation of an error for a page."""
    if isinstance(error, NoSuchAttempt):
        return PageProblem(title=words("not_found"))
    if isinstance(error, HostNeeded):
        return PageProblem(title=words("need_host"))
    if isinstance(error, RightMissing):
        return describe_problem(words("not_allowed"), error, words)
    if isinstance(error, TokenRefused):
        return PageProblem(
            title=words("too_many", minutes=format_span(words, error.wait_s + 60)) if error.wait_s else words("token_wrong")
        )
    if isinstance(error, AttemptsExhausted):
        return PageProblem(title=words("all_used"))
    if isinstance(error, RepeatedLabels):
        return describe_problem(words("repeated"), error, words)
    if isinstance(error, ContradictoryLabels):
        return describe_problem(words("contradictory"), error, words)
    if isinstance(error, ContestClosed):
        return PageProblem(title=words("is_closed"))
    if isinstance(error, SubmissionError | TooManyRefusals | TeamError | VoidedFile | NoteRefused):
        return describe_problem(words("refused"), error, words)
    if isinstance(error, ModelRefused):
        return describe_problem(words("model_refused"), error, words)
    return PageProblem(title=words("broken"))


def error_page(request: Request, problem: PageProblem, status: int) -> Response:
    """Return the page of an error; plain text if the database does not answer."""
    try:
        frame = build_frame(request)
    except LeaderboardError:
        return PlainTextResponse(problem.title, status)
    return respond(request, "error.html.j2", frame, status, problem=problem)


def is_api(request: Request) -> bool:
    path = str(request.scope["path"]).removeprefix(str(request.scope.get("root_path", "")))
    return path.startswith("/api/")


def on_mistake(request: Request, error: Exception) -> Response:
    assert isinstance(error, LeaderboardError)
    reply = to_reply(error)
    if is_api(request):
        return reply.to_response()
    return error_page(request, explain_error(error, get_words(request)), reply.status)


def on_signed_out(request: Request, error: Exception) -> Response:
    return redirect(request, "/login")


def on_too_large(request: Request, error: Exception) -> Response:
    assert isinstance(error, BodyTooLarge)
    settings, words = get_service(request).settings, get_words(request)
    limit = f"{(settings.max_model_bytes if error.is_model else settings.max_bytes) / 1e6:g}"
    if is_api(request):
        text = str(message("model_too_large" if error.is_model else "file_too_large", megabytes=limit))
        answer: Response = ErrorReply(status=413, code="too_large", message=text).to_response()
    else:
        title = words("model_large" if error.is_model else "too_large", megabytes=limit)
        answer = error_page(request, PageProblem(title=title), 413)
    answer.headers["Connection"] = "close"
    return answer


def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if is_api(request):
        codes = {404: "not_found", 405: "method", 408: "slow", 413: "too_large"}
        code = codes.get(error.status_code, "request")
        answer: Response = ErrorReply(status=error.status_code, code=code, message=str(error.detail)).to_response()
    else:
        words = get_words(request)
        keys = {404: "not_found", 405: "wrong_method", 408: "too_slow", 400: "stale_form", 403: "stale_form"}
        answer = error_page(request, PageProblem(title=words(keys.get(error.status_code, "broken"))), error.status_code)
    answer.headers.update(error.headers or {})
    if error.status_code == 405:
        answer.headers["Allow"] = ", ".join(_list_methods(request))
    return answer


def _list_methods(request: Request) -> list[str]:
    """Return the methods that the request's path takes: Starlette's own list has those of its first route alone."""
    methods = []
    scope = {**request.scope, "root_path": request.scope.get("app_root_path", request.scope.get("root_path", ""))}
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        matches = [(route, route.matches({**scope, "method": method})[0]) for route in request.app.routes]
        if any(match is Match.FULL and (method == "GET" or not isinstance(route, Mount)) for route, match in matches):
            methods += ["GET", "HEAD"] if method == "GET" else [method]
    return methods


def on_disconnect(request: Request, error: Exception) -> Response:
    """Return an answer that nobody reads: the sender left before the body had come, which is no fault of ours."""
    return Response(status_code=400)


def on_bad_parameter(request: Request, error: Exception) -> Response:
    """Answer an invalid parameter: the API names the fault, a page is not found."""
    assert isinstance(error, RequestValidationError)
    if not is_api(request):
        return error_page(request, PageProblem(title=get_words(request)("not_found")), 404)
    first = error.errors()[0]
    message = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return ErrorReply(status=422, code="parameter", message=message).to_response()


def on_error(request: Request, error: Exception) -> Response:
    """Answer an unexpected error; its trace is in the log alone."""
    if is_api(request):
        return ErrorReply(
            status=500, code="broken", message="something failed here; nothing was stored, try again"
        ).to_response()
    return error_page(request, PageProblem(title=get_words(request)("broken")), 500)
