"""The standings as files for any web space: pages in each language, a table, JSON. Public facts only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path

from arena.base.texts import ENGLISH, name_languages
from leaderboard.errors import ContestError
from leaderboard.messages import TEXTS
from leaderboard.pages.board_cache import Board, read_board, standings_csv
from leaderboard.pages.render import STATIC, Frame, render
from leaderboard.pages.standings_page import View, draw_standings
from leaderboard.pages.texts import page_words
from leaderboard.standings import to_json_dict
from leaderboard.store import Contest

_FILES = ("board.css", "board.js", "icon.svg")


def publish(contest: Contest, folder: Path, now: datetime, zone: tzinfo | None = None) -> list[Path]:
    """The files written to `folder`, which is made where it is not there; each is replaced whole, others are left alone.

    Raises:
        ContestError: they cannot be written, or the contest cannot be read.
    """
    board, rules = read_board(contest), contest.rules()
    names = name_languages(TEXTS)
    pages = {code: ("index.html" if code == ENGLISH else f"index.{code}.html") for code in names}
    content: dict[str, bytes] = {name: (STATIC / name).read_bytes() for name in _FILES}
    for code, name in pages.items():
        frame = Frame(
            words=page_words(code),
            contest=rules.name,
            metric=rules.metric_name,
            now=now,
            deadline=rules.closed_at or rules.deadline,
            is_closed=not rules.is_open(now),
            zone=zone,
            files=".",
            languages=[(other, names[other], file) for other, file in pages.items() if other != code],
            layout="export.html.j2",
        )
        content[name] = _page(board, frame).encode()
    content["standings.csv"] = standings_csv(board).encode()
    content["standings.json"] = _json(board, rules.name, now)
    return _written(folder, content)


def _page(board: Board, frame: Frame) -> str:
    page, table = draw_standings(board, View(is_static=True), frame.words)
    return render("standings.html.j2", frame, board=page, table=table)


def _json(board: Board, name: str, now: datetime) -> bytes:
    lines = [{key: value for key, value in to_json_dict(line).items() if key != "team"} for line in board.lines]
    facts = {"contest": name, "written_at": now, "metric": board.metric, "is_final": board.is_final, "lines": lines}
    return (json.dumps(facts, ensure_ascii=False, indent=2, default=datetime.isoformat) + "\n").encode()


def _written(folder: Path, content: Mapping[str, bytes]) -> list[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in content.items():
            beside = folder / f".{name}.{os.getpid()}"
            beside.write_bytes(value)
            beside.replace(folder / name)
    except OSError as error:
        raise ContestError(f"{folder} cannot be written ({error.strerror}); choose a folder that is writable") from error
    return [folder / name for name in content]
