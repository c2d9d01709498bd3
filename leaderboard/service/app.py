"""The contest's ASGI application: routes, static files, error handlers and middleware."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from leaderboard.errors import LeaderboardError
from leaderboard.notices import Notifier
from leaderboard.pages.render import STATIC
from leaderboard.service import api_routes, form_routes, host_routes, join_routes, overview_routes, page_routes
from leaderboard.service.context import ServiceSettings, open_service
from leaderboard.service.error_responses import (
    on_bad_parameter,
    on_disconnect,
    on_error,
    on_http_error,
    on_mistake,
    on_signed_out,
    on_too_large,
)
from leaderboard.service.guard import BodyTooLarge, Guard
from leaderboard.service.session import SignedOut

_GZIP_FROM_BYTES = 2000
_GZIP_LEVEL = 3  # a board of 1,000 teams: a third of the time of level 9, 10 % more bytes

_HANDLERS = {
    LeaderboardError: on_mistake,
    SignedOut: on_signed_out,
    BodyTooLarge: on_too_large,
    ClientDisconnect: on_disconnect,
    HTTPException: on_http_error,
    RequestValidationError: on_bad_parameter,
    Exception: on_error,
}


class _Files(StaticFiles):
    """Static files, cached for ever: pages link to them with a digest of their content."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def create_app(settings: ServiceSettings) -> FastAPI:
    """Return the application; it opens its contest at its start and closes it at its end.

    Raises:
        ContestError: at the start, if there is no such contest.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_service(settings) as service:
            app.state.service = service
            notifier = Notifier(service.contest, settings.mail_password)
            notifier.start()
            try:
                yield
            finally:
                notifier.stop()

    app = FastAPI(
        title="Arena contest",
        version="1",
        description="Send submissions, read attempts and standings. Times are UTC.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # its pages load scripts from other hosts
        redoc_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(
                Guard,
                max_bytes=settings.max_bytes,
                max_model_bytes=settings.max_model_bytes,
                is_secure=settings.is_https,
            ),
            Middleware(GZipMiddleware, minimum_size=_GZIP_FROM_BYTES, compresslevel=_GZIP_LEVEL),
        ],
    )
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.mount("/static", _Files(directory=STATIC), name="static")
    pages = (overview_routes, page_routes, form_routes, join_routes, host_routes)
    for router in (api_routes.router, *(module.router for module in pages)):
        app.include_router(router)
    app.add_api_route("/healthz", _check_health, include_in_schema=False)
    return app


def _check_health(request: Request) -> dict[str, str]:
    request.app.state.service.contest.rules()
    return {"state": "ok"}
