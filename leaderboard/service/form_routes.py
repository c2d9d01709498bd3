"""Forms: signing in and out, sending a file, checking one. After a stored score comes a redirect: reloading sends nothing."""

from __future__ import annotations

from functools import partial

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from leaderboard.actions import submit as entry
from leaderboard.actions import submit_model as model_entry
from leaderboard.errors import FileError, LeaderboardError, ModelRefused, TeamError
from leaderboard.files.onnx_check import check_form
from leaderboard.pages.render import Problem, problem, render
from leaderboard.service.context import Host, TokenRefused
from leaderboard.service.error_responses import failure, problem_of
from leaderboard.service.page_routes import Number, RefusedName, attempt_page, page, team_page
from leaderboard.service.session import address_of, form_of, frame_of, redirect, service_of, signed_in, signed_out, team_of
from leaderboard.service.upload import FILE, MODEL, sent_in
from leaderboard.teams import Team

router = APIRouter(include_in_schema=False)
_MAX_SHOWN = 200  # characters of a refused pseudonym


@router.get("/login")
def login_page(request: Request) -> Response:
    return _login(request, None, 200)


def _login(request: Request, problem: Problem | None, status: int) -> Response:
    return page(request, render("login.html.j2", frame_of(request, "/login"), problem=problem), status)


@router.post("/login")
async def login(request: Request) -> Response:
    async with form_guard(await form_of(request)) as form:
        token = str(form.get("token", "")).strip()
    return await run_sync(_login_with, request, token)


def _login_with(request: Request, token: str) -> Response:
    try:
        holder = service_of(request).whose(token, address_of(request))
    except TokenRefused as error:
        found = failure(error)
        answer = _login(request, problem_of(error, frame_of(request).words), found.status)
        if found.retry_after_s is not None:
            answer.headers["Retry-After"] = str(found.retry_after_s)
        return answer
    return signed_in(request, token, "/host" if isinstance(holder, Host) else "/team")


@router.post("/logout")
async def logout(request: Request) -> Response:
    await (await form_of(request)).close()
    return signed_out(request)


@router.get("/validate")
def validate_page(request: Request) -> Response:
    if team_of(request) is None:
        return redirect(request, "/login")
    return _validated(request, None, "", 200)


def _validated(request: Request, problem: Problem | None, good: str, status: int) -> Response:
    return page(request, render("validate.html.j2", frame_of(request, "/validate"), problem=problem, good=good), status)


@router.post("/validate")
async def validate(request: Request) -> Response:
    team = await run_sync(team_of, request)
    if team is None:
        return redirect(request, "/login")
    async with form_guard(await form_of(request)) as form:
        return await service_of(request).scoring(partial(_validate, request, form))


def _validate(request: Request, form: FormData) -> Response:
    words, file, model = frame_of(request).words, sent_in(form, FILE), sent_in(form, MODEL)
    if file is None:
        return _validated(request, Problem(what=words("no_file")), "", 422)
    try:
        checked = entry.validate_submission(service_of(request).contest, file.content, file.name)
        if model is not None:
            check_form(model.content, model.name)
    except (FileError, ModelRefused) as error:
        return _validated(request, problem(words("check_bad"), error, words), "", 422)
    probabilities = words("without_probabilities" if checked.probabilities is None else "with_probabilities")
    good = words("check_good", file=file.name, n=words.number(len(checked.predicted)), probabilities=probabilities)
    if model is not None:
        good += " " + words("check_model", file=model.name)
    return _validated(request, None, good, 200)


@router.post("/attempts")
async def send(request: Request) -> Response:
    team = await run_sync(team_of, request)
    if team is None:
        return redirect(request, "/login")
    async with form_guard(await form_of(request)) as form:
        return await service_of(request).scoring(partial(_send, request, team, form))


def _send(request: Request, team: Team, form: FormData) -> Response:
    service, words = service_of(request), frame_of(request).words
    file, model = sent_in(form, FILE), sent_in(form, MODEL)
    if file is None:
        return page(request, team_page(request, team, Problem(what=words("no_file"))), 422)
    try:
        receipt = model_entry.submit_with_model(service.contest, team, file, model, service.now())
    except LeaderboardError as error:
        return page(request, team_page(request, team, problem_of(error, words)), failure(error).status)
    return redirect(request, f"/attempts/{receipt.attempt.number}{'' if receipt.is_new else '?before=1'}")


@router.post("/attempts/{number}/model")
async def send_model(request: Request, number: Number) -> Response:
    team = await run_sync(team_of, request)
    if team is None:
        return redirect(request, "/login")
    async with form_guard(await form_of(request)) as form:
        return await service_of(request).scoring(partial(_send_model, request, team, number, form))


def _send_model(request: Request, team: Team, number: int, form: FormData) -> Response:
    service, words, model = service_of(request), frame_of(request).words, sent_in(form, MODEL)
    if model is None:
        return attempt_page(request, team, number, Problem(what=words("no_file")), 422)
    try:
        model_entry.add_model(service.contest, team, number, model, service.now())
    except LeaderboardError as error:
        return attempt_page(request, team, number, problem_of(error, words), failure(error).status)
    return redirect(request, f"/attempts/{number}?model=1")


class form_guard:  # noqa: N801 reads as a statement
    """Closes a form's files at the end."""

    def __init__(self, form: FormData) -> None:
        self._form = form

    async def __aenter__(self) -> FormData:
        return self._form

    async def __aexit__(self, *_: object) -> None:
        await self._form.close()


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
