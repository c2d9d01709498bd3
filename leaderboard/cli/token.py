"""`arena contest token`: the tokens that teams and their members sign in with and send files by."""

from __future__ import annotations

import typer

from arena.base.options import CONTEST_FILE, ContestPath
from arena.base.terminal import say
from leaderboard.cli.options import Reason, TeamName, build_decision, load_contest

app = typer.Typer()
token_app = typer.Typer(
    no_args_is_help=True,
    help="Tokens, which teams and their members sign in with and send files by.",
    epilog="Example: `arena contest token new Alpha`",
)
app.add_typer(token_app, name="token")


@token_app.command("new", epilog='Example: arena contest token new "Team Alpha" --reason "handed out in class"')
def token_new(team: TeamName, reason: Reason, contest: ContestPath = CONTEST_FILE) -> None:
    """Print a new token of a team: shown this once, kept as a hash. Earlier ones stay good until they are revoked."""
    from leaderboard.actions.host import give_token

    with load_contest(contest) as opened:
        print(give_token(opened, opened.team(team), build_decision(reason)))
    say(f"hand it to {team} now: it cannot be shown again")


@token_app.command("revoke", epilog='Example: arena contest token revoke "Team Alpha" --reason "it was in a public repository"')
def token_revoke(team: TeamName, reason: Reason, contest: ContestPath = CONTEST_FILE) -> None:
    """Make all tokens of a team worthless at once."""
    from leaderboard.actions.host import revoke_tokens
    from leaderboard.files.csv_table import format_count

    with load_contest(contest) as opened:
        n = revoke_tokens(opened, opened.team(team), build_decision(reason))
    print(f"{format_count(n, 'token')} of {team} revoked")
