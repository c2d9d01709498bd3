"""Routes of pages: standings, a team's attempts, the host's page, the list of API routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request
from markupsafe import Markup
from starlette.responses import Response

from arena.base.texts import Words
from leaderboard.actions.submit import MAX_NOTE, read_notes
from leaderboard.contest.disclosure import choose_digits
from leaderboard.pages.board_cache import build_public_board, format_standings_csv, read_public_board
from leaderboard.pages.render import PageFrame, PageProblem
from leaderboard.pages.standings_page import StandingsPage, StandingsView, draw_standings, parse_view
from leaderboard.pages.team_page import AttemptView, TeamView, build_attempt_view, build_progress, describe_result
from leaderboard.service.context import Service
from leaderboard.service.session import build_frame, get_service, get_team, redirect, respond
from leaderboard.standings import find_best_attempt
from leaderboard.store import Contest
from leaderboard.teams import Team

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=1_000_000)]
_REFRESH_S = 60
_CSV = "text/csv; charset=utf-8"


@router.get("/standings")
def show_standings(request: Request) -> Response:
    service, team = get_service(request), get_team(request)
    frame = build_frame(request, "/standings")
    view = parse_view(request.query_params, None if team is None else team.name)
    context, table = _draw_standings(service.contest, view, frame.words)
    answer = respond(request, "standings.html.j2", frame, board=context, table=table)
    if context.refreshes:
        answer.headers["Refresh"] = str(_REFRESH_S)
    return answer


def _draw_standings(contest: Contest, view: StandingsView, words: Words) -> tuple[StandingsPage, Markup]:
    """Return the page and its table, cached: 1,000 teams take 50 ms. A signed-in team's view is not cached."""
    with contest.database.read() as connection:

        def draw() -> tuple[StandingsPage, Markup]:
            return draw_standings(build_public_board(connection, contest.cache), view, words)

        key = ("page", view, words.language)
        return contest.cache.get_current(connection, key, draw) if view.team is None else draw()


@router.get("/standings.csv")
def download_standings(request: Request) -> Response:
    return Response(format_standings_csv(read_public_board(get_service(request).contest)), media_type=_CSV)


@router.get("/team")
def show_team(request: Request) -> Response:
    team = get_team(request)
    if team is None:
        return redirect(request, "/login")
    return render_team_page(request, team, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedName:
    """A refused pseudonym and the reason."""

    name: str
    problem: PageProblem


def render_team_page(
    request: Request,
    team: Team,
    problem: PageProblem | None,
    refused_name: RefusedName | None = None,
    status: int = 200,
    *,
    consents: Mapping[str, bool] | None = None,
    note: str = "",
) -> Response:
    """Return the team's page, with the problem of its last file or pseudonym.

    Args:
        consents: ticks that send the file all the same, and whether each is set.
        note: the note of the last file, which is to be sent again with it.
    """
    frame = build_frame(request, "/team")
    view = build_team_view(get_service(request), team, frame.words)
    values = {"problem": problem, "refused_name": refused_name, "consents": consents or {}, "note": note[:MAX_NOTE]}
    return respond(request, "team.html.j2", frame, status, team=view, **values)


def build_team_view(service: Service, team: Team, words: Words) -> TeamView:
    """Return the context of the team's pages."""
    contest, rules = service.contest, service.contest.rules()
    attempts, digits = contest.attempts(team), choose_digits(rules)
    best = find_best_attempt(attempts, rules.is_lower_better)
    board = read_public_board(contest)
    line = next((line for line in board.lines if line.team == team.name), None)
    views = [
        build_attempt_view(
            contest.shown_details(team, attempt.number),
            rules.metric_name,
            digits,
            is_best=best is not None and attempt.number == best.number,
        )
        for attempt in attempts
    ]
    n_left = max(0, team.n_allowed - len(attempts))
    is_open = rules.is_open(service.now(), team.deadline)
    return TeamView(
        name=team.name,
        pseudonym=team.pseudonym,
        rank=None if line is None else line.rank,
        n_ranked=sum(other.rank is not None for other in board.lines),
        best=next((view.score for view in views if view.counts), None),
        digits=digits,
        n_left=0 if team.disqualified_at else n_left,
        remaining=_write_remaining(team, n_left, words, is_open=is_open),
        final=[] if line is None or best is None else describe_result(board, line, best.number, words),
        takes_models=is_open and team.disqualified_at is None and not rules.has_strings,
        attempts=views,
        progress=build_progress(views),
    )


def _write_remaining(team: Team, n_left: int, words: Words, *, is_open: bool) -> str:
    """Return a sentence on the attempts left; empty where the end of the contest took them."""
    if team.disqualified_at:
        return words("disqualified")
    if n_left and not is_open:
        return ""
    return words(f"left_{n_left}" if n_left < 2 else "left_n", n=n_left)


@router.get("/attempts/{number}")
def show_attempt(request: Request, number: Number) -> Response:
    team = get_team(request)
    return redirect(request, "/login") if team is None else render_attempt_page(request, team, number, None, 200)


def render_attempt_page(request: Request, team: Team, number: int, problem: PageProblem | None, status: int) -> Response:
    """Return the page of an attempt, with the problem of the last model sent for it."""
    frame, service = build_frame(request), get_service(request)
    view = build_team_view(service, team, frame.words)
    attempt = next((attempt for attempt in view.attempts if attempt.number == number), None)
    if attempt is None:
        return respond(request, "error.html.j2", frame, 404, problem=PageProblem(title=frame.words("not_found")))
    lead = _write_lead(request, attempt, frame)
    has_notes = request.query_params.get("notes") == "1"
    notes = [note.translate(frame.words.language) for note in read_notes(service.contest, team, number)] if has_notes else []
    values = {"lead": lead, "problem": problem, "notes": notes}
    return respond(request, "attempt.html.j2", frame, status, team=view, attempt=attempt, **values)


def _write_lead(request: Request, attempt: AttemptView, frame: PageFrame) -> str:
    if request.query_params.get("model") == "1" and attempt.model is not None:
        return frame.words("model_kept", n=attempt.number)
    if request.method == "POST":
        return frame.words("attempt_n", n=attempt.number)
    key = "scored_before" if request.query_params.get("before") == "1" else "scored"
    return frame.words(key, n=attempt.number, metric=attempt.metric, score=f"{attempt.score:.{attempt.digits.score}f}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    method: str
    path: str
    description: str


@router.get("/api")
def show_api(request: Request) -> Response:
    operations_by_path = request.app.openapi()["paths"]
    routes = [
        Route(method=method.upper(), path=path, description=operation["description"])
        for path, operations in operations_by_path.items()
        for method, operation in operations.items()
    ]
    return respond(request, "api.html.j2", build_frame(request, "/api"), routes=routes)
