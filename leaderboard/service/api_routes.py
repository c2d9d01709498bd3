"""JSON API below /api/v1, described by OpenAPI. Its token comes in the header, never in a cookie."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Path, Query, Request, Response, Security
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from leaderboard.actions.acts import ACTS, ActName, Order, perform
from leaderboard.actions.announcements import read_announcements
from leaderboard.actions.host import HostDecision
from leaderboard.actions.submit import validate_submission
from leaderboard.actions.submit_model import Upload, add_model, check_model, submit_with_model
from leaderboard.errors import ContestError, ModelsNotRun, TeamError, Unavailable
from leaderboard.files.contradictions import list_oddities
from leaderboard.hosts import Host, Right
from leaderboard.pages.board_cache import read_public_board
from leaderboard.pages.host_page import list_host_lines
from leaderboard.service.api_schemas import (
    ActIn,
    ActOut,
    AnnouncementOut,
    AttemptOut,
    CheckedOut,
    ContestOut,
    DetailsOut,
    DownloadOut,
    ErrorOut,
    HostOut,
    LogOut,
    ModelOut,
    PseudonymIn,
    ReceiptOut,
    StandingsOut,
    TeamOut,
)
from leaderboard.service.context import NoSuchAttempt, Service
from leaderboard.service.overview_routes import list_download_lines
from leaderboard.service.session import authenticate, check_right, get_file_limits, get_service
from leaderboard.service.upload import FILE, MODEL, open_files, open_model
from leaderboard.teams import Team, name_key

_TEXTS = {
    400: "the form or the JSON is broken",
    401: "the token is missing or not known",
    403: "closed, or not for this token",
    404: "there is none",
    409: "no attempt is left, the labels are those of an earlier attempt, or the attempt takes no other model",
    413: "the file, or what was sent, is too large",
    422: "the file, a name or a parameter is invalid",
    429: "too many refused files or changes: wait",
    503: "the database does not answer",
}


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ErrorOut, "description": _TEXTS[status]} for status in (*statuses, 503)}


_BINARY = {"type": "string", "format": "binary"}
_FORM = {
    "type": "object",
    "properties": {
        FILE: _BINARY | {"description": "The submission."},
        MODEL: _BINARY | {"description": "The net behind it, an ONNX file."},
    },
    "required": [FILE],
    "additionalProperties": False,
}
_FILE = {
    "requestBody": {
        "required": True,
        "description": "The submission, CSV with the columns id,label; as a form it may bring the net behind it.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "multipart/form-data": {"schema": _FORM, "encoding": {FILE: {"contentType": "text/csv"}}},
        },
    }
}
_NET = {
    "requestBody": {
        "required": True,
        "description": "The net, an ONNX file.",
        "content": {"application/octet-stream": {"schema": _BINARY}},
    }
}
_bearer = HTTPBearer(auto_error=False, description="A team's token, or the host's.")
router = APIRouter(prefix="/api/v1", tags=["contest"], responses=_errors(422))
Yes = Annotated[bool, Query(description="Take labels that contradict their own probabilities.")]
Name = Annotated[str, Query(max_length=200, description="What the file is called.")]


def _get_service(request: Request) -> Service:
    return get_service(request)


def _require_team(request: Request) -> Team:
    """Return the team of the token; the host's token is refused."""
    holder = authenticate(request)
    if isinstance(holder, Host):
        raise TeamError("this needs a team's token and came with the host's; send the team's")
    return holder


def _require_host(request: Request) -> Host:
    """Return the host or assistant; a team's token is refused."""
    return check_right(authenticate(request), Right.VIEW)


ServiceDep = Annotated[Service, Depends(_get_service)]
TeamDep = Annotated[Team, Depends(_require_team)]
HostDep = Annotated[Host, Depends(_require_host)]
_WITH_TOKEN = [Security(_bearer)]  # for the OpenAPI document alone


@router.get("/contest")
def contest(service: ServiceDep) -> ContestOut:
    """The rules of the contest, its files to download and what the host announced."""
    rules, solution = service.contest.rules(), service.contest.solution
    return ContestOut(
        name=rules.name,
        metric=rules.metric_name,
        is_lower_better=rules.is_lower_better,
        deadline=rules.deadline,
        is_open=rules.is_open(service.now()),
        is_closed_by_host=rules.is_closed,
        labels=[] if solution.strings else list(solution.labels),
        n_rows=len(solution.ids),
        has_private_rows=solution.has_private,
        n_teams=len(service.contest.teams()),
        max_file_bytes=service.settings.max_bytes,
        max_model_bytes=service.settings.max_model_bytes,
        downloads=[DownloadOut.model_validate(line) for line in list_download_lines(service.contest)],
        announcements=[AnnouncementOut.model_validate(item) for item in read_announcements(service.contest)],
    )


@router.get("/standings")
def standings(service: ServiceDep) -> StandingsOut:
    """All teams that have an attempt, best first; the final ranking after the host has closed the contest."""
    return StandingsOut.model_validate(read_public_board(service.contest))


@router.get("/team", dependencies=_WITH_TOKEN, responses=_errors(401, 403, 429))
def team(service: ServiceDep, sender: TeamDep) -> TeamOut:
    """The team of the token and its attempts."""
    return _team_out(service, sender)


@router.put("/team/pseudonym", name="set_pseudonym", dependencies=_WITH_TOKEN, responses=_errors(400, 401, 403, 413, 429))
def put_pseudonym(service: ServiceDep, sender: TeamDep, body: PseudonymIn) -> TeamOut:
    """Show the team of the token to others under a pseudonym, or under its name again."""
    pseudonym = (body.pseudonym or "").strip() or None
    return _team_out(service, service.contest.set_pseudonym(sender, pseudonym, service.now()))


def _team_out(service: Service, sender: Team) -> TeamOut:
    attempts = service.contest.shown_attempts(sender)
    return TeamOut(
        team=sender.name,
        pseudonym=sender.pseudonym,
        n_allowed=sender.n_allowed,
        n_left=max(0, sender.n_allowed - len(attempts)),
        deadline=service.contest.rules().find_deadline(sender.deadline),
        attempts=[AttemptOut.model_validate(attempt) for attempt in attempts],
    )


@router.get("/attempts/{number}", dependencies=_WITH_TOKEN, responses=_errors(401, 403, 404, 429))
def attempt(service: ServiceDep, sender: TeamDep, number: Annotated[int, Path(ge=1, le=1_000_000)]) -> DetailsOut:
    """One attempt, on the public rows: confusion matrix (row: truth) and scores by class are null until the host shows them."""
    _check_number(service, sender, number)
    return DetailsOut.model_validate(service.contest.shown_details(sender, number))


def _check_number(service: Service, sender: Team, number: int) -> None:
    if number > len(service.contest.attempts(sender)):
        raise NoSuchAttempt(f"team {sender.name!r} has no attempt {number}; choose one that it sent")


@router.post(
    "/attempts",
    name="send",
    status_code=201,
    openapi_extra=_FILE,
    dependencies=_WITH_TOKEN,
    responses={200: {"model": ReceiptOut}, **_errors(400, 401, 403, 409, 413, 429)},
)
async def post_attempt(
    request: Request,
    response: Response,
    file_name: Name = "submission.csv",
    team: Annotated[str, Query(max_length=200)] = "",
    again: Annotated[bool, Query(description="Use an attempt on the labels of an earlier one.")] = False,
    yes: Yes = False,
    note: Annotated[str, Query(max_length=2000, description="The team's own words on the attempt, 300 characters.")] = "",
) -> ReceiptOut:
    """Send a file as an attempt: 201 when it was scored, 200 when the same file was scored before.

    A file whose labels are those of an earlier attempt of the team is refused (409, `repeated`) unless `again` is true, one
    whose labels contradict its own probabilities in most rows (422, `contradiction`) unless `yes` is.
    A form may bring the net behind it too. It is looked at before an attempt is used, never run by the service, and costs none.
    """
    service = get_service(request)
    sender = await run_sync(_require_team, request)
    if team and name_key(team) != name_key(sender.name):
        raise TeamError(f"the token is of team {sender.name!r}, not of {team[:60]!r}; send with the token of your team")
    async with open_files(request, get_file_limits(request), file_name) as read:
        receipt = await service.run_scoring(
            lambda: submit_with_model(service.contest, sender, *read(), service.now(), again=again, yes=yes, note=note)
        )
    response.status_code = 201 if receipt.is_new else 200
    return ReceiptOut.model_validate(receipt)


@router.put(
    "/attempts/{number}/model",
    status_code=201,
    openapi_extra=_NET,
    dependencies=_WITH_TOKEN,
    responses={200: {"model": ModelOut}, **_errors(401, 403, 404, 409, 413, 429)},
)
async def send_model(
    request: Request,
    response: Response,
    number: Annotated[int, Path(ge=1, le=1_000_000)],
    file_name: Annotated[str, Query(max_length=200, description="What the net is called.")] = "model.onnx",
) -> ModelOut:
    """Send the net behind an attempt that was scored before: 201 when it was kept, 200 when it lies there already."""
    service = get_service(request)
    sender = await run_sync(_require_team, request)
    async with open_model(request, service.settings.max_model_bytes, file_name) as read:
        receipt = await service.run_scoring(lambda: _add_model(service, sender, number, read()))
    response.status_code = 201 if receipt.is_new else 200
    return receipt


def _add_model(service: Service, sender: Team, number: int, model: Upload) -> ModelOut:
    _check_number(service, sender, number)
    result = add_model(service.contest, sender, number, model, service.now())
    stored = service.contest.shown_attempts(sender)[number - 1].model
    assert stored is not None, "it was stored above"
    return ModelOut(team=sender.name, attempt=number, model=stored, is_new=result.is_new)


@router.post(
    "/validate", name="validate", openapi_extra=_FILE, dependencies=_WITH_TOKEN, responses=_errors(400, 401, 403, 413, 429)
)
async def check_submission(request: Request, file_name: Name = "submission.csv", yes: Yes = False) -> CheckedOut:
    """Check the form of a file: free, without limit, never a score."""
    service = get_service(request)
    sender = await run_sync(_require_team, request)
    async with open_files(request, get_file_limits(request), file_name) as read:
        return await service.run_scoring(lambda: _check_files(service, sender, *read(), yes=yes))


def _check_files(service: Service, sender: Team, file: Upload, model: Upload | None, *, yes: bool) -> CheckedOut:
    checked = validate_submission(service.contest, file.content, file.name, yes=yes)
    if model is not None:
        check_model(service.contest, model)
    return CheckedOut(
        file_name=checked.file_name,
        n_rows=len(checked.predicted),
        has_probabilities=checked.probabilities is not None,
        repeats=service.contest.find_repeated(sender, checked),
        model_name=None if model is None else model.name,
        notes=[str(note) for note in list_oddities(checked, service.contest.solution)],
    )


@router.post("/host/acts/{name}", name="act", dependencies=_WITH_TOKEN, responses=_errors(400, 401, 403, 413, 429))
def post_act(service: ServiceDep, holder: HostDep, name: ActName, body: ActIn) -> ActOut:
    """Act as the host's pages do: close, extend, announce; with a team grant, void, disqualify, rename, new-token, ...

    `value` is what the act takes: a moment with its offset, a number of attempts, the number of an attempt, a name, a text.
    An assistant may announce and withdraw. A new token stands in the answer, this once. `yes`: close with models not run.
    """
    act = ACTS[name]
    holder.check_may(act.right)
    team = None if body.team is None else service.contest.team(body.team)
    try:
        decision = HostDecision(reason=body.reason, decided_at=service.now(), actor=holder.name)
        order = Order(contest=service.contest, decision=decision, team=team, value=str(body.value), yes=body.yes, zone=UTC)
        outcome = perform(act, order)
    except ContestError as error:
        hint = "; send yes: true if it is meant so" if isinstance(error, ModelsNotRun) else ""
        raise error if isinstance(error, TeamError | Unavailable) else HTTPException(422, f"{error}{hint}") from error
    return ActOut(entry=None if outcome.entry is None else LogOut.model_validate(outcome.entry), token=outcome.secret)


@router.get("/host", dependencies=_WITH_TOKEN, responses=_errors(401, 403, 429))
def host(service: ServiceDep, holder: HostDep) -> HostOut:
    """The host's view: all teams, private scores too unless an assistant asks, and the log of decisions with their reasons."""
    teams = list_host_lines(service.contest, holder)
    return HostOut(teams=teams, log=[LogOut.model_validate(entry) for entry in service.contest.log()])
