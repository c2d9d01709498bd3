"""`arena submit`: sends a file to a contest's service and prints its score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena_terminal import JSON_HELP, print_json, say

if TYPE_CHECKING:
    pass

_CODES = (
    "Exit codes: 0 scored, 2 usage, 3 the file is invalid (no attempt used), 4 no attempt left or too many refused files, "
    "5 the contest is closed, 6 the service cannot be reached, 7 the token is not accepted, 1 anything else.\n\n"
    "Example: ARENA_TOKEN=... arena submit submission.csv --url https://digits.example.org --team Formantes"
)
app = typer.Typer()


@app.command(epilog=_CODES)
def submit(
    file: Annotated[Path, typer.Argument(help="CSV: id,label and optionally one probability per class.")],
    url: Annotated[str, typer.Option(help="The address of the contest's page.", envvar="ARENA_URL")],
    team: Annotated[str, typer.Option(help="Your team: it must be the one that the token was given to.", envvar="ARENA_TEAM")],
    token_file: Annotated[Path | None, typer.Option(help="A file that holds the token; else ARENA_TOKEN is read.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Send a file to a contest's service as one of your team's attempts. The token comes from ARENA_TOKEN or a file."""
    from leaderboard.client import ClientError, Door, send

    door = Door(url=url, team=team, token=_token(token_file))
    if door.is_in_the_clear:
        say(f"{url} is not encrypted: whoever is on the way can read the token")
    try:
        receipt = send(door, file, say)
    except ClientError as error:
        say(f"error: {error}")
        raise typer.Exit(error.exit_code) from error
    print_json(receipt) if as_json else print(_told(receipt))


def _token(path: Path | None) -> str:
    import os

    from leaderboard.client import ClientError

    if path is None:
        token = os.environ.get("ARENA_TOKEN", "").strip()
        if not token:
            raise typer.BadParameter("no token was given; set ARENA_TOKEN or name a file with --token-file")
        return token
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ClientError(f"{path} holds no token that can be read ({error}); check --token-file") from error


def _told(receipt: dict[str, Any]) -> str:
    from leaderboard.table import counted

    attempt, interval = receipt["attempt"], receipt["interval"]
    before = "" if receipt["is_new"] else "the same file was scored before, no attempt was used\n"
    over = f"{interval['level'] * 100:g} % interval {interval['low']:.4f} to {interval['high']:.4f}"
    place = f"rank {receipt['rank']} of {receipt['n_ranked']}, " if receipt["rank"] else ""
    return (
        f"{before}{receipt['team']}, attempt {attempt['number']}: {receipt['metric']} {attempt['score']:.4f} "
        f"({over} over {interval['n_units']:,} {interval['unit']}), accuracy {attempt['accuracy']:.4f}\n"
        f"{place}{counted(receipt['n_left'], 'attempt')} left"
    )
