"""A team's pseudonym: the form on its page."""

from __future__ import annotations

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import Response

from leaderboard.errors import TeamError
from leaderboard.teams import Team
from leaderboard.web_answers import failure
from leaderboard.web_forms import form_guard
from leaderboard.web_pages import RefusedName, page, team_page
from leaderboard.web_render import problem
from leaderboard.web_request import form_of, frame_of, redirect, service_of, team_of

router = APIRouter(include_in_schema=False)
_MAX_SHOWN = 200  # characters of what was refused


@router.get("/team/pseudonym")
def where_it_is(request: Request) -> Response:
    """The page that has the form: who reads a refusal and asks for another language comes by here."""
    query = request.url.query
    return redirect(request, f"/team{'?' + query if query else ''}#shown-as")


@router.post("/team/pseudonym")
async def change(request: Request) -> Response:
    """Show the signed-in team under what the form says; under its name for an empty field, or the button that says so."""
    team = await run_sync(team_of, request)
    if team is None:
        return redirect(request, "/login")
    async with form_guard(await form_of(request)) as form:
        wanted = "" if form.get("drop") else str(form.get("pseudonym", ""))
    return await run_sync(_change, request, team, wanted)


def _change(request: Request, team: Team, wanted: str) -> Response:
    service, words = service_of(request), frame_of(request).words
    try:
        service.contest.set_pseudonym(team, wanted if wanted.strip() else None, service.now())
    except TeamError as error:
        shown = problem(words("pseudonym_refused"), error, words)
        refused = RefusedName(wanted=wanted[:_MAX_SHOWN], problem=shown)
        return page(request, team_page(request, team, None, refused), failure(error).status)
    return redirect(request, "/team#shown-as")
