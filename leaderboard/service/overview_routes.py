"""Routes of the overview, the contest's first page, and of the files that it hands out."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Path as PathParameter
from sqlalchemy import func, select
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from leaderboard.actions.announcements import read_announcements
from leaderboard.database import schema
from leaderboard.pages.overview_page import SAMPLE, DownloadLine, build_overview, list_ways_to_send, write_sample
from leaderboard.service.context import Service
from leaderboard.service.session import build_frame, get_service, get_team, respond
from leaderboard.store import Contest

router = APIRouter(include_in_schema=False)
_CSV = "text/csv; charset=utf-8"


@router.get("/")
def show_overview(request: Request) -> Response:
    contest, frame = get_service(request).contest, build_frame(request, "/")
    rules = contest.rules()
    metric = None if rules.metric_digest is None else contest.read_file(rules.metric_digest)
    team, downloads = get_team(request), list_download_lines(contest)
    values: dict[str, Any] = {
        "news": read_announcements(contest),
        "downloads": downloads,
        "sample": None if SAMPLE in {line.name for line in downloads} else SAMPLE,
        "commands": list_ways_to_send(_read_address(request), None if team is None else team.name),
        "has_team": team is not None,
    }
    page = build_overview(rules, contest.solution, metric, frame.words)
    return respond(request, "overview.html.j2", frame, page=page, **values)


def _read_address(request: Request) -> str:
    """Return the contest's first page as its readers reach it: as the host wrote it, else as this request came."""
    service = get_service(request)
    overview = service.contest.rules().overview or {}
    scheme = "https" if service.settings.is_https else request.url.scheme
    return str(overview.get("address") or f"{scheme}://{request.url.netloc}{service.settings.root}/")


def list_download_lines(contest: Contest) -> list[DownloadLine]:
    """Return the files that the site hands out, by name."""
    query = select(schema.downloads, func.length(schema.files.c.content).label("size_bytes"))
    with contest.database.read() as connection:
        rows = connection.execute(query.join(schema.files).order_by(schema.downloads.c.name))
        return [DownloadLine(**row._mapping) for row in rows]


@router.get("/downloads/{name}")
def get_download(request: Request, name: Annotated[str, PathParameter(max_length=200)]) -> Response:
    """Return a file of the table, or a sample submission where the host gave none."""
    service = get_service(request)
    line = next((line for line in list_download_lines(service.contest) if line.name == name), None)
    if line is not None:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {"Content-Encoding": "identity"}  # zip archives are compressed, and an interrupted download goes on
        return FileResponse(_store_on_disk(service, line), filename=name, media_type=kind, headers=headers)
    if name != SAMPLE:
        raise HTTPException(404)
    headers = {"Content-Disposition": f'attachment; filename="{SAMPLE}"'}
    return Response(write_sample(service.contest.solution), media_type=_CSV, headers=headers)


def _store_on_disk(service: Service, line: DownloadLine) -> Path:
    """Return the file, written once from the database to the service's own folder: it is streamed from there."""
    path = service.folder / line.digest
    if not path.exists():
        temporary = path.with_suffix(f".{id(line):x}")
        temporary.write_bytes(service.contest.read_file(line.digest))
        temporary.replace(path)
    return path
