"""Routes of forms: signing in and out, sending and checking files, pseudonyms. Success redirects: reloading sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from leaderboard.actions.submit import validate_submission
from leaderboard.actions.submit_model import add_model, check_model, submit_with_model
from leaderboard.errors import (
    ContradictoryLabels,
    FileError,
    LeaderboardError,
    ModelRefused,
    RepeatedLabels,
    TeamError,
)
from leaderboard.files.contradictions import list_oddities
from leaderboard.hosts import Host
from leaderboard.pages.render import PageProblem, describe_problem
from leaderboard.service.context import TokenRefused
from leaderboard.service.error_responses import explain_error, to_reply
from leaderboard.service.page_routes import Number, RefusedName, render_attempt_page, render_team_page
from leaderboard.service.session import (
    build_frame,
    get_service,
    get_team,
    open_form,
    redirect,
    redirect_signed_in,
    redirect_signed_out,
    respond,
)
from leaderboard.service.upload import FILE, MODEL, read_file_field
from leaderboard.teams import Team

router = APIRouter(include_in_schema=False)
CONSENTS = ("again", "yes")  # ticks that send a file all the same
_MAX_SHOWN = 200  # characters of a refused pseudonym


@router.get("/login")
def show_login(request: Request) -> Response:
    return _render_login(request, None, 200)


def _render_login(request: Request, problem: PageProblem | None, status: int) -> Response:
    return respond(request, "login.html.j2", build_frame(request, "/login"), status, problem=problem)


@router.post("/login")
async def post_login(request: Request) -> Response:
    async with open_form(request) as form:
        token = str(form.get("token", "")).strip()
    return await run_sync(_sign_in, request, token)


def _sign_in(request: Request, token: str) -> Response:
    try:
        holder = get_service(request).sign_in(token)
    except TokenRefused as error:
        reply = to_reply(error)
        answer = _render_login(request, explain_error(error, build_frame(request).words), reply.status)
        if reply.retry_after_s is not None:
            answer.headers["Retry-After"] = str(reply.retry_after_s)
        return answer
    return redirect_signed_in(request, token, "/host" if isinstance(holder, Host) else "/team")


@router.post("/logout")
async def post_logout(request: Request) -> Response:
    async with open_form(request):
        return redirect_signed_out(request)


@router.get("/validate")
def show_check(request: Request) -> Response:
    if get_team(request) is None:
        return redirect(request, "/login")
    return _render_check(request, None, "", 200)


def _render_check(
    request: Request, problem: PageProblem | None, success: str, status: int, notes: Sequence[str] = ()
) -> Response:
    frame = build_frame(request, "/validate")
    return respond(request, "validate.html.j2", frame, status, problem=problem, success=success, notes=notes)


@router.post("/validate")
async def post_check(request: Request) -> Response:
    team = await run_sync(get_team, request)
    if team is None:
        return redirect(request, "/login")
    async with open_form(request) as form:
        return await get_service(request).run_scoring(partial(_check, request, team, form))


def _check(request: Request, team: Team, form: FormData) -> Response:
    contest, words = get_service(request).contest, build_frame(request).words
    file, model = read_file_field(form, FILE), read_file_field(form, MODEL)
    if file is None:
        return _render_check(request, PageProblem(title=words("no_file")), "", 422)
    try:
        checked = validate_submission(contest, file.content, file.name, yes="yes" in form)
        if model is not None:
            check_model(contest, model)
    except (FileError, ModelRefused) as error:
        return _render_check(request, describe_problem(words("check_bad"), error, words), "", 422)
    probabilities = words("without_probabilities" if checked.probabilities is None else "with_probabilities")
    success = words("check_good", file=file.name, n=words.number(len(checked.predicted)), probabilities=probabilities)
    if (number := contest.find_repeated(team, checked)) is not None:
        success += " " + words("check_repeats", n=number)
    if model is not None:
        success += " " + words("check_model", file=model.name)
    notes = [note.translate(words.language) for note in list_oddities(checked, contest.solution)]
    return _render_check(request, None, success, 200, notes)


@router.post("/attempts")
async def post_submission(request: Request) -> Response:
    team = await run_sync(get_team, request)
    if team is None:
        return redirect(request, "/login")
    async with open_form(request) as form:
        return await get_service(request).run_scoring(partial(_send, request, team, form))


def _send(request: Request, team: Team, form: FormData) -> Response:
    service, words = get_service(request), build_frame(request).words
    file, model = read_file_field(form, FILE), read_file_field(form, MODEL)
    if file is None:
        return render_team_page(request, team, PageProblem(title=words("no_file")), status=422)
    try:
        again, yes = (key in form for key in CONSENTS)
        note = str(form.get("note", ""))
        receipt = submit_with_model(service.contest, team, file, model, service.now(), again=again, yes=yes, note=note)
    except LeaderboardError as error:
        kinds = zip(CONSENTS, (RepeatedLabels, ContradictoryLabels), strict=True)
        consents = {key: key in form for key, kind in kinds if key in form or isinstance(error, kind)}
        return render_team_page(
            request, team, explain_error(error, words), status=to_reply(error).status, consents=consents, note=note
        )
    query = "" if receipt.is_new else "?before=1"
    return redirect(request, f"/attempts/{receipt.attempt.number}{'?notes=1' if receipt.notes else query}")


@router.post("/attempts/{number}/model")
async def post_model(request: Request, number: Number) -> Response:
    team = await run_sync(get_team, request)
    if team is None:
        return redirect(request, "/login")
    async with open_form(request) as form:
        return await get_service(request).run_scoring(partial(_send_model, request, team, number, form))


def _send_model(request: Request, team: Team, number: int, form: FormData) -> Response:
    service, words, model = get_service(request), build_frame(request).words, read_file_field(form, MODEL)
    if model is None:
        return render_attempt_page(request, team, number, PageProblem(title=words("no_file")), 422)
    try:
        add_model(service.contest, team, number, model, service.now())
    except LeaderboardError as error:
        return render_attempt_page(request, team, number, explain_error(error, words), to_reply(error).status)
    return redirect(request, f"/attempts/{number}?model=1")


@router.get("/team/pseudonym")
def show_pseudonym_form(request: Request) -> Response:
    """Redirect to the form: the language links of a refusal lead here."""
    query = request.url.query
    return redirect(request, f"/team{'?' + query if query else ''}#shown-as")


@router.post("/team/pseudonym")
async def post_pseudonym(request: Request) -> Response:
    """Set the team's pseudonym; an empty field or the button `drop` removes it."""
    team = await run_sync(get_team, request)
    if team is None:
        return redirect(request, "/login")
    async with open_form(request) as form:
        pseudonym = "" if form.get("drop") else str(form.get("pseudonym", ""))
    return await run_sync(_set_pseudonym, request, team, pseudonym)


def _set_pseudonym(request: Request, team: Team, pseudonym: str) -> Response:
    service, words = get_service(request), build_frame(request).words
    try:
        service.contest.set_pseudonym(team, pseudonym if pseudonym.strip() else None, service.now())
    except TeamError as error:
        problem = describe_problem(words("pseudonym_refused"), error, words)
        refused = RefusedName(name=pseudonym[:_MAX_SHOWN], problem=problem)
        return render_team_page(request, team, None, refused, status=to_reply(error).status)
    return redirect(request, "/team#shown-as")
