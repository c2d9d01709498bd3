"""Static export of the standings: pages in each language, CSV and JSON. Public facts only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path

from arena.base.texts import ENGLISH, name_languages
from leaderboard.errors import ContestError
from leaderboard.messages import TEXTS
from leaderboard.pages.board_cache import PublicBoard, format_standings_csv, read_public_board
from leaderboard.pages.render import STATIC, PageFrame, render_page
from leaderboard.pages.standings_page import StandingsView, draw_standings
from leaderboard.pages.texts import page_words
from leaderboard.standings import to_json_dict
from leaderboard.store import Contest

_FILES = ("board.css", "board.js", "icon.svg")


def publish(contest: Contest, folder: Path, now: datetime, zone: tzinfo | None = None) -> list[Path]:
    """Write the standings to `folder`, made if missing, and return the files; each is replaced whole, others stay.

    Raises:
        ContestError: the files cannot be written, or the contest cannot be read.
    """
    board, rules = read_public_board(contest), contest.rules()
    names = name_languages(TEXTS)
    pages = {code: ("index.html" if code == ENGLISH else f"index.{code}.html") for code in names}
    content: dict[str, bytes] = {name: (STATIC / name).read_bytes() for name in _FILES}
    for code, name in pages.items():
        frame = PageFrame(
            words=page_words(code),
            contest=rules.name,
            metric=rules.metric_name,
            now=now,
            deadline=rules.closed_at or rules.deadline,
            is_closed=not rules.is_open(now),
            zone=zone,
            files=".",
            languages=[(language, names[language], file) for language, file in pages.items() if language != code],
            layout="export.html.j2",
        )
        content[name] = _render_standings(board, frame).encode()
    content["standings.csv"] = format_standings_csv(board).encode()
    content["standings.json"] = _to_json(board, rules.name, now)
    return _write_files(folder, content)


def _render_standings(board: PublicBoard, frame: PageFrame) -> str:
    page, table = draw_standings(board, StandingsView(is_static=True), frame.words)
    return render_page("standings.html.j2", frame, board=page, table=table)


def _to_json(board: PublicBoard, name: str, now: datetime) -> bytes:
    lines = [{key: value for key, value in to_json_dict(line).items() if key != "team"} for line in board.lines]
    facts = {"contest": name, "written_at": now, "metric": board.metric, "is_final": board.is_final}
    facts |= {"smallest_difference": board.smallest_difference, "lines": lines}
    return (json.dumps(facts, ensure_ascii=False, indent=2, default=datetime.isoformat) + "\n").encode()


def _write_files(folder: Path, content: Mapping[str, bytes]) -> list[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in content.items():
            temporary = folder / f".{name}.{os.getpid()}"
            temporary.write_bytes(value)
            temporary.replace(folder / name)
    except OSError as error:
        raise ContestError(f"{folder} cannot be written ({error.strerror}); choose a folder that is writable") from error
    return [folder / name for name in content]
