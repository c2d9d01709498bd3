"""Routes of hosts, as pages and as API. Each asks for a right, which the role of the reader's token has or lacks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from leaderboard.actions.acts import ACTS, Act, ActName, Order, Value, find_last_entry, perform
from leaderboard.actions.alike import find_alike
from leaderboard.actions.announcements import read_announcements
from leaderboard.actions.archive import stream_archive
from leaderboard.actions.host import HostDecision
from leaderboard.actions.host_tokens import list_host_tokens
from leaderboard.classes.gradebook import build_winner_gradebook
from leaderboard.database.rows import read_team_by_id
from leaderboard.deadline import describe
from leaderboard.errors import ActedMeanwhile, LeaderboardError, ModelsNotRun, Unavailable
from leaderboard.hosts import Host, Right
from leaderboard.pages.host_page import TEXTS, find_title, list_acts, list_host_lines, read_host_team
from leaderboard.pages.render import PageFrame, PageProblem, describe_problem
from leaderboard.service.context import NoSuchAttempt, Service
from leaderboard.service.session import build_frame, get_service, open_form, redirect, require_host, respond
from leaderboard.teams import Team

router = APIRouter(prefix="/host", include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=1_000_000_000)]
_CSV = "text/csv; charset=utf-8"


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """The fields of an act's form as somebody left them."""

    value: str = ""
    reason: str = ""
    asks_yes: bool = False  # a tick that closes all the same


def _find_team(service: Service, team_id: int) -> Team:
    with service.contest.database.read() as connection:
        team = read_team_by_id(connection, team_id)
    if team is None:
        raise NoSuchAttempt("there is no such team, or it went into another")
    return team


def _describe_done(request: Request, team: Team | None, frame: PageFrame) -> str:
    """Return what the act did that led to this page; empty where none did."""
    number = request.query_params.get("done", "")
    entry = find_last_entry(get_service(request).contest, team)
    if entry is None or str(entry.id) != number or (title := find_title(entry)) is None:
        return ""
    return frame.words("act_done", act=frame.words(title), change=entry.change or "✓")


@router.get("")
def show_host(request: Request) -> Response:
    host, service, frame = require_host(request, Right.VIEW), get_service(request), build_frame(request, "/host")
    contest, has_private = service.contest, service.shows_private(host)
    teams = list_host_lines(contest, host)
    return respond(
        request,
        "host.html.j2",
        frame,
        host=host,
        teams=teams,
        has_hidden=any(team.hidden is not None for team in teams),
        log=[(entry, find_title(entry)) for entry in contest.log()[::-1]],
        has_private=has_private,
        acts=list_acts(host, contest.rules(), None),
        announcements=read_announcements(contest) if host.may(Right.ANNOUNCE) else [],
        hosts=[token for token in list_host_tokens(contest) if token.revoked_at is None],
        done=_describe_done(request, None, frame),
    )


@router.get("/gradebook.csv")
def download_gradebook(request: Request) -> Response:
    require_host(request, Right.VIEW_PRIVATE)
    return Response(build_winner_gradebook(get_service(request).contest), media_type=_CSV)


@router.get("/submissions.zip")
def download_submissions(request: Request) -> Response:
    host, service = require_host(request, Right.DOWNLOAD), get_service(request)
    archive = stream_archive(service.contest, with_private=service.shows_private(host))
    return StreamingResponse(archive, media_type="application/zip")


@router.get("/alike")
def show_alike(request: Request) -> Response:
    require_host(request, Right.VIEW_PRIVATE)
    if build_frame(request).has_strings:
        raise HTTPException(404)
    pairs, teams = find_alike(get_service(request).contest), get_service(request).contest.teams()
    alike = [pair for pair in pairs if pair.is_alike]
    ids = {team.name: team.id for team in teams}
    return respond(request, "host_alike.html.j2", build_frame(request), pairs=alike, n_pairs=len(pairs), ids=ids)


@router.get("/teams/{team_id}")
def show_host_team(request: Request, team_id: Number) -> Response:
    host, service, frame = require_host(request, Right.VIEW), get_service(request), build_frame(request)
    team, has_private = _find_team(service, team_id), service.shows_private(host)
    view = read_host_team(service.contest, team, with_private=has_private, with_emails=host.may(Right.VIEW_PRIVATE))
    return respond(
        request,
        "host_team.html.j2",
        frame,
        host=host,
        view=view,
        has_private=has_private,
        acts=list_acts(host, service.contest.rules(), team),
        log=[(entry, find_title(entry)) for entry in service.contest.log()[::-1] if entry.team_id == team.id],
        done=_describe_done(request, team, frame),
    )


@router.get("/teams/{team_id}/attempts/{number}.{ending}")
def download_attempt(request: Request, team_id: Number, number: Number, ending: str) -> Response:
    """Send the submission (csv) or the model (onnx) of an attempt."""
    require_host(request, Right.DOWNLOAD)
    service = get_service(request)
    attempts = service.contest.attempts(_find_team(service, team_id))
    attempt = next((attempt for attempt in attempts if attempt.number == number), None)
    digests = {} if attempt is None else {"csv": attempt.digest}
    if attempt is not None and attempt.model is not None:
        digests["onnx"] = attempt.model.digest
    if ending not in digests:
        raise NoSuchAttempt("there is no such file")
    headers = {"Content-Disposition": f'attachment; filename="team-{team_id}-attempt-{number}.{ending}"'}
    return Response(service.contest.read_file(digests[ending]), headers=headers, media_type="application/octet-stream")


@router.get("/acts/{name}")
def show_act(request: Request, name: ActName) -> Response:
    return _show_form(request, name, None)


@router.get("/teams/{team_id}/acts/{name}")
def show_team_act(request: Request, team_id: Number, name: ActName) -> Response:
    return _show_form(request, name, team_id)


@router.post("/acts/{name}")
async def post_act(request: Request, name: ActName) -> Response:
    async with open_form(request) as form:
        return await run_sync(_act, request, name, None, form)


@router.post("/teams/{team_id}/acts/{name}")
async def post_team_act(request: Request, team_id: Number, name: ActName) -> Response:
    async with open_form(request) as form:
        return await run_sync(_act, request, name, team_id, form)


def _find_act(request: Request, name: ActName, team_id: int | None) -> tuple[Host, Act, Team | None]:
    act = ACTS[name]
    host = require_host(request, act.right)
    if act.is_of_team is (team_id is None):
        raise NoSuchAttempt("there is no such act here")
    return host, act, None if team_id is None else _find_team(get_service(request), team_id)


def _show_form(request: Request, name: ActName, team_id: int | None) -> Response:
    _, act, team = _find_act(request, name, team_id)
    value = request.query_params.get("value", "")[:20]
    return _render_form(request, (act, team), Typed(value=value or _suggest_value(request, act, team)), None, 200)


def _suggest_value(request: Request, act: Act, team: Team | None) -> str:
    """Return what the field holds at first: what holds now, to be changed."""
    service = get_service(request)
    if act.value is Value.MOMENT:
        moment = service.contest.rules().find_deadline(team.deadline if team else None)
        return "" if moment is None else f"{moment.astimezone(service.zone):%Y-%m-%dT%H:%M}"
    if team is not None and act.value in (Value.NAME, Value.PSEUDONYM):
        return team.name if act.value is Value.NAME else team.pseudonym or ""
    return "1" if act.value is Value.COUNT else ""


def _render_form(
    request: Request, subject: tuple[Act, Team | None], typed: Typed, problem: PageProblem | None, status: int
) -> Response:
    act, team = subject
    service, frame, texts = get_service(request), build_frame(request), TEXTS[act.name]
    last, rules = find_last_entry(service.contest, team), service.contest.rules()
    own = None if team is None else read_host_team(service.contest, team, with_private=False, with_emails=False)
    values = {
        "team": "" if team is None else team.name,
        "shown": "" if team is None else team.shown_as,
        "deadline": "—" if rules.deadline is None else describe(rules.deadline),
        "own": "—" if team is None or team.deadline is None else describe(team.deadline),
        "used": 0 if own is None else len(own.attempts),
        "allowed": 0 if team is None else team.n_allowed,
        "tokens": 0 if own is None else own.n_tokens,
    }
    back = "/host" if team is None else f"/host/teams/{team.id}"
    return respond(
        request,
        "host_act.html.j2",
        frame,
        status,
        act=act,
        texts=texts,
        effect=frame.words(texts.effect, **values),
        team=team,
        typed=typed,
        problem=problem,
        seen=0 if last is None else last.id,
        back=back,
        action=f"{back}/acts/{act.name.value}",
        zone=f"{frame.now.astimezone(service.zone):%Z}" if service.zone is None else str(service.settings.zone),
    )


def _act(request: Request, name: ActName, team_id: int | None, form: FormData) -> Response:
    host, act, team = _find_act(request, name, team_id)
    service, words = get_service(request), build_frame(request).words
    typed = Typed(value=str(form.get("value", "")), reason=str(form.get("reason", "")))
    subject = (act, team)
    if not typed.reason.strip():
        return _render_form(request, subject, typed, PageProblem(title=words("reason_missing")), 422)
    try:
        decision = HostDecision(reason=typed.reason, decided_at=service.now(), actor=host.name)
        order = Order(
            contest=service.contest, decision=decision, team=team, value=typed.value, yes="yes" in form, zone=service.zone
        )
        outcome = perform(act, order, _read_seen(form))
    except Unavailable:
        raise
    except ActedMeanwhile:
        return _render_form(request, subject, typed, PageProblem(title=words("act_meanwhile")), 409)
    except ModelsNotRun as error:
        typed = replace(typed, asks_yes=True)
        return _render_form(request, subject, typed, describe_problem(words("act_refused"), error, words), 409)
    except LeaderboardError as error:
        return _render_form(request, subject, typed, describe_problem(words("act_refused"), error, words), 422)
    if outcome.secret is not None:
        return respond(request, "host_token.html.j2", build_frame(request), team=team, token=outcome.secret)
    path = "/host" if team is None else f"/host/teams/{team.id}"
    return redirect(request, path if outcome.entry is None else f"{path}?done={outcome.entry.id}")


def _read_seen(form: FormData) -> int:
    text = str(form.get("seen", ""))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1
