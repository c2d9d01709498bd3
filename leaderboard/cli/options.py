"""Options and helpers that several commands of a contest share. Heavy imports wait until a command runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.base.terminal import JSON_HELP

if TYPE_CHECKING:
    from leaderboard.store import Contest


AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
TeamName = Annotated[str, typer.Argument(help="The team's name, in any case.")]


def load_contest(path: str | Path) -> Contest:
    """Open a contest, to be closed by its `with`."""
    from leaderboard.store import open_contest

    return open_contest(path)


def to_plain(value: Any) -> Any:
    """Return a dataclass as JSON's own types, times in ISO 8601."""
    from leaderboard.standings import to_json_dict

    return json.loads(json.dumps(to_json_dict(value), default=datetime.isoformat))


def current_time() -> datetime:
    return datetime.now(UTC)
