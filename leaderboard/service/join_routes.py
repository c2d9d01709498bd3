"""Routes of join links: a form, and an answer that shows a member's own token once."""

from __future__ import annotations

import time

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import Response

from leaderboard.classes.join_links import JoinRequest, find_join_link, join
from leaderboard.errors import JoinRefused, TeamError
from leaderboard.pages.render import PageProblem, describe_problem
from leaderboard.service.session import build_frame, get_service, open_form, respond

router = APIRouter(include_in_schema=False)
_MAX_SENT = 200  # characters of a field


@router.get("/join/{link}")
def show_join(request: Request, link: str) -> Response:
    return _render_join(request, link, JoinRequest(name=""), None)


def _render_join(request: Request, link: str, sent: JoinRequest, problem: PageProblem | None, status: int = 200) -> Response:
    """Return the form of a join link with what was sent, or why the link serves no more."""
    frame, service = build_frame(request, "/join"), get_service(request)
    team, is_open = None, True
    try:
        team = find_join_link(service.contest, link, service.now()).team
    except JoinRefused as error:
        problem, status, is_open = describe_problem(frame.words("join_refused"), error, frame.words), 410, False
    values = {"link": link[:_MAX_SENT], "team": team, "is_open": is_open, "sent": sent}
    return respond(request, "join.html.j2", frame, status, problem=problem, **values)


@router.post("/join/{link}")
async def post_join(request: Request, link: str) -> Response:
    """Let a person join; the answer shows their token once and is no redirect, and sending it again is refused."""
    async with open_form(request) as form:
        name, email, team = (str(form.get(key, ""))[:_MAX_SENT] for key in ("name", "email", "team"))
    return await run_sync(_join, request, link, JoinRequest(name=name, email=email, team=team))


def _join(request: Request, link: str, sent: JoinRequest) -> Response:
    frame, service = build_frame(request, "/join"), get_service(request)
    try:
        team, token = join(service.contest, link, sent, service.now())
    except TeamError as error:
        problem = describe_problem(frame.words("join_refused"), error, frame.words)
        wait_s = service.failures.record(link, time.monotonic())
        answer = _render_join(request, link, sent, problem, 429 if wait_s else 422)
        if wait_s:
            answer.headers["Retry-After"] = str(int(wait_s) + 1)
        return answer
    return respond(request, "joined.html.j2", frame, team=team.name, token=token)
