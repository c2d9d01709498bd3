"""Options and helpers that several commands of a contest share. Heavy imports wait until a command runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.base.options import ONNX_HELP, SOLUTION_HELP, SUBMISSION_HELP, TEAM_HELP, again_option
from arena.base.terminal import say

if TYPE_CHECKING:
    from leaderboard.actions.host import HostDecision
    from leaderboard.store import Contest


TeamName = Annotated[str, typer.Argument(metavar="TEAM", help=TEAM_HELP)]
SubmissionFile = Annotated[Path, typer.Argument(metavar="SUBMISSION", help=SUBMISSION_HELP)]
SolutionFile = Annotated[Path, typer.Argument(metavar="SOLUTION", help=SOLUTION_HELP)]
ModelFile = Annotated[Path | None, typer.Option("--onnx", metavar="FILE", help=ONNX_HELP)]
Again = Annotated[bool, again_option("Use an attempt also on the labels of an earlier attempt.")]
Pseudonym = Annotated[
    str | None, typer.Argument(metavar="NAME", help="What others see in place of the team's name.", show_default=False)
]
Remove = Annotated[bool, typer.Option("--remove", help="Show the team's name again.")]
Yes = Annotated[bool, typer.Option("--yes", help="Go on although the file looks like a slip.")]
REASON_HELP = "Why; it stands in the log."
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help=REASON_HELP)]
Note = Annotated[
    str,
    typer.Option(
        "--note", "-m", metavar="TEXT", help="Your own words on the attempt; team and host alone see them.", show_default=False
    ),
]
YES_HINT = "; add --yes if it is meant so"
AGAIN_HINT = "; add --again to use an attempt all the same"


def load_contest(path: str | Path) -> Contest:
    """Open a contest, to be closed by its `with`."""
    from leaderboard.store import open_contest

    return open_contest(path)


def build_decision(reason: str) -> HostDecision:
    """Return the host's decision, made now."""
    from leaderboard.actions.host import HostDecision

    return HostDecision(reason=reason, decided_at=current_time())


def to_plain(value: Any) -> Any:
    """Return a dataclass as JSON's own types, times in ISO 8601."""
    from leaderboard.standings import to_json_dict

    return json.loads(json.dumps(to_json_dict(value), default=datetime.isoformat))


def say_notes(notes: Iterable[str]) -> None:
    """Say what is odd in a file that was taken."""
    for note in notes:
        say(f"note: {note}")


def current_time() -> datetime:
    return datetime.now(UTC)


def write_text(path: Path, text: str) -> None:
    """Write a file as UTF-8.

    Raises:
        ContestError: it cannot be written.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file.

    Raises:
        ContestError: it cannot be written.
    """
    from leaderboard.errors import ContestError

    try:
        path.write_bytes(content)
    except OSError as error:
        raise ContestError(f"{path} cannot be written ({error.strerror}); choose another place") from error
