"""`arena contest announce`: what the host tells all teams."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath
from leaderboard.cli.options import Reason, build_decision, load_contest

app = typer.Typer()


@app.command(
    epilog='Examples: `arena contest announce "Lab 2 is open until ten tonight" --reason "asked in class"` · '
    '`arena contest announce --withdraw 1 --reason "it is over"`'
)
def announce(
    reason: Reason,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="What teams read, in Markdown.", show_default=False)
    ] = None,
    withdraw: Annotated[int | None, typer.Option("--withdraw", metavar="N", min=1, help="Show this one no more.")] = None,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Tell all teams something, on the first page of the contest's site and to its webhook; --withdraw takes it back."""
    from leaderboard.actions import announcements

    if (text is None) is (withdraw is None):
        raise typer.BadParameter("give a text, or --withdraw with the number of one")
    with load_contest(contest) as opened:
        if withdraw is not None:
            announcements.withdraw_announcement(opened, withdraw, build_decision(reason))
            return print(f"announcement {withdraw} is shown no more")
        made = announcements.announce(opened, text or "", build_decision(reason))
    print(f"all teams read announcement {made.id}; `arena contest announce --withdraw {made.id}` takes it back")
