"""Pages that are read: standings, a team's attempts, the host's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from markupsafe import Markup
from starlette.responses import Response

from arena.base.texts import Words
from leaderboard.actions.gradebook import gradebook_csv
from leaderboard.pages.board_cache import board_seen_by, read_board, standings_csv
from leaderboard.pages.render import Frame, Problem, render
from leaderboard.pages.standings_page import Page, View, draw_standings, view_of
from leaderboard.pages.team_page import AttemptView, TeamView, attempt_view, progress
from leaderboard.service.context import Host, Service
from leaderboard.service.session import frame_of, holder_of, keep_form, redirect, service_of, team_of
from leaderboard.standings import Part, find_best_attempt
from leaderboard.store import Contest
from leaderboard.teams import Team

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=1_000_000)]
_REFRESH_S = 60
_CSV = "text/csv; charset=utf-8"


def page(request: Request, content: str, status: int = 200) -> Response:
    """An answer with a page, and the cookies that a reader keeps."""
    return keep_form(request, Response(content, status, media_type="text/html"))


@router.get("/")
def standings(request: Request) -> Response:
    service, team = service_of(request), team_of(request)
    frame = frame_of(request, "/")
    view = view_of(request.query_params, None if team is None else team.name)
    shown, table = _read_standings(service.contest, view, frame.words)
    answer = page(request, render("standings.html.j2", frame, board=shown, table=table))
    if shown.refreshes:
        answer.headers["Refresh"] = str(_REFRESH_S)
    return answer


def _read_standings(contest: Contest, view: View, words: Words) -> tuple[Page, Markup]:
    """Return the page and its table, which takes 50 ms to write of 1,000 teams; a team's own view is not cached."""
    with contest.database.read() as connection:

        def draw() -> tuple[Page, Markup]:
            return draw_standings(board_seen_by(connection, contest.cache), view, words)

        key = ("page", view, words.language)
        return contest.cache.get_current(connection, key, draw) if view.own is None else draw()


@router.get("/standings.csv")
def standings_table(request: Request) -> Response:
    return Response(standings_csv(read_board(service_of(request).contest)), media_type=_CSV)


@router.get("/team")
def own_team(request: Request) -> Response:
    team = team_of(request)
    if team is None:
        return redirect(request, "/login")
    return page(request, team_page(request, team, None))


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedName:
    """A pseudonym that a team cannot have."""

    wanted: str
    problem: Problem


def team_page(request: Request, team: Team, problem: Problem | None, refused_name: RefusedName | None = None) -> str:
    """The team's own page, with what went wrong before: with a file, or with a pseudonym."""
    frame = frame_of(request, "/team")
    view = team_view(service_of(request), team, frame.words)
    return render("team.html.j2", frame, team=view, problem=problem, refused_name=refused_name)


def team_view(service: Service, team: Team, words: Words) -> TeamView:
    """What the team sees of itself."""
    contest, rules = service.contest, service.contest.rules()
    attempts = contest.attempts(team)
    best = find_best_attempt(attempts, rules.is_lower_better) if attempts else None
    board = read_board(contest)
    line = next((one for one in board.lines if one.team == team.name), None)
    views = [
        attempt_view(
            contest.details(team, one.number), rules.metric_name, is_best=best is not None and one.number == best.number
        )
        for one in attempts
    ]
    n_left = max(0, team.n_allowed - len(attempts))
    left = words("disqualified") if team.disqualified_at else words(f"left_{n_left}" if n_left < 2 else "left_n", n=n_left)
    return TeamView(
        name=team.name,
        pseudonym=team.pseudonym,
        rank=None if line is None else line.rank,
        n_ranked=len(board.lines),
        best=None if best is None else best.score,
        n_left=0 if team.disqualified_at else n_left,
        left=left,
        takes_models=rules.is_open(service.now()) and team.disqualified_at is None,
        attempts=views,
        progress=progress(views),
    )


@router.get("/attempts/{number}")
def attempt(request: Request, number: Number) -> Response:
    team = team_of(request)
    return redirect(request, "/login") if team is None else attempt_page(request, team, number, None, 200)


def attempt_page(request: Request, team: Team, number: int, problem: Problem | None, status: int) -> Response:
    """The page of an attempt, with what was wrong with a model that was sent for it."""
    frame, service = frame_of(request), service_of(request)
    view = team_view(service, team, frame.words)
    shown = next((one for one in view.attempts if one.number == number), None)
    if shown is None:
        return page(request, render("error.html.j2", frame, problem=Problem(what=frame.words("not_found"))), 404)
    lead = _lead(request, shown, frame)
    return page(request, render("attempt.html.j2", frame, team=view, shown=shown, lead=lead, problem=problem), status)


def _lead(request: Request, shown: AttemptView, frame: Frame) -> str:
    if request.query_params.get("model") == "1" and shown.model is not None:
        return frame.words("model_kept", n=shown.number)
    if request.method == "POST":
        return frame.words("attempt_n", n=shown.number)
    key = "scored_before" if request.query_params.get("before") == "1" else "scored"
    return frame.words(key, n=shown.number, metric=shown.metric, score=f"{shown.score:.4f}")


@dataclass(frozen=True, kw_only=True, slots=True)
class HostLine:
    """A team as the host sees it."""

    name: str
    pseudonym: str | None
    is_out: bool
    n_attempts: int
    n_allowed: int
    public: float | None
    private: float | None
    sent_at: datetime | None


def host_lines(contest: Contest) -> list[HostLine]:
    """All teams, best public score first, then those without one."""
    public = {line.team: line for line in contest.standings()}
    private = {line.team: line for line in contest.standings(Part.PRIVATE)} if contest.solution.has_private else {}
    lines = []
    for team in contest.teams():
        attempts, ranked = contest.attempts(team), public.get(team.name)
        lines.append(
            HostLine(
                name=team.name,
                pseudonym=team.pseudonym,
                is_out=team.disqualified_at is not None,
                n_attempts=len(attempts),
                n_allowed=team.n_allowed,
                public=None if ranked is None else ranked.score,
                private=private[team.name].score if team.name in private else None,
                sent_at=attempts[-1].arrived_at if attempts else None,
            )
        )
    order = {name: at for at, name in enumerate(public)}
    return sorted(lines, key=lambda line: order.get(line.name, len(order)))


@router.get("/host")
def host(request: Request) -> Response:
    if (answer := _unless_host(request)) is not None:
        return answer
    contest, frame = service_of(request).contest, frame_of(request, "/host")
    entries: Sequence[object] = contest.log()[::-1]
    text = render("host.html.j2", frame, teams=host_lines(contest), log=entries, has_private=contest.solution.has_private)
    return page(request, text)


@router.get("/host/gradebook.csv")
def host_gradebook(request: Request) -> Response:
    return _unless_host(request) or Response(gradebook_csv(service_of(request).contest), media_type=_CSV)


def _unless_host(request: Request) -> Response | None:
    holder = holder_of(request)
    if isinstance(holder, Host):
        return None
    if holder is None:
        return redirect(request, "/login")
    frame = frame_of(request)
    return page(request, render("error.html.j2", frame, problem=Problem(what=frame.words("need_host"))), 403)


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    method: str
    path: str
    told: str


@router.get("/api")
def api(request: Request) -> Response:
    described = request.app.openapi()["paths"]
    routes = [
        Route(method=method.upper(), path=path, told=operation["description"])
        for path, operations in described.items()
        for method, operation in operations.items()
    ]
    return page(request, render("api.html.j2", frame_of(request, "/api"), routes=routes))
