"""Routes of the host's pages. Each asks for a right, which the role of the reader's token has or lacks."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from leaderboard.classes.gradebook import build_winner_gradebook
from leaderboard.hosts import Host, Right
from leaderboard.pages.host_page import list_host_lines
from leaderboard.service.context import Service
from leaderboard.service.session import build_frame, get_service, require_host, respond

router = APIRouter(prefix="/host", include_in_schema=False)
_CSV = "text/csv; charset=utf-8"


def may_see_private(service: Service, host: Host) -> bool:
    """Return True if there are private scores and this host may see them."""
    return service.contest.solution.has_private and host.may(Right.VIEW_PRIVATE)


@router.get("")
def show_host(request: Request) -> Response:
    host, service = require_host(request, Right.VIEW), get_service(request)
    has_private = may_see_private(service, host)
    lines, log = list_host_lines(service.contest, with_private=has_private), service.contest.log()[::-1]
    return respond(request, "host.html.j2", build_frame(request, "/host"), teams=lines, log=log, has_private=has_private)


@router.get("/gradebook.csv")
def download_gradebook(request: Request) -> Response:
    require_host(request, Right.VIEW_PRIVATE)
    return Response(build_winner_gradebook(get_service(request).contest), media_type=_CSV)
