"""`arena contest team`: the teams of a contest and their members."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath, Json, Wide
from arena.base.terminal import Number, Prose, print_json, print_table, say
from leaderboard.cli.options import current_time, load_contest

app = typer.Typer()
team_app = typer.Typer(
    no_args_is_help=True, help="The teams of a contest and their members.", epilog="Example: `arena contest team add Alpha`"
)
app.add_typer(team_app, name="team")


@team_app.command("add", epilog='Example: arena contest team add "Team Alpha"')
def team_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new team's name; no other team has it in any case.")],
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Add a team."""
    with load_contest(contest) as opened:
        team = opened.add_team(name, current_time())
        print(f"{team.name} takes part in {opened.name}")


@team_app.command("list", epilog="Example: arena contest team list --json")
def team_list(contest: ContestPath = CONTEST_FILE, wide: Wide = False, as_json: Json = False) -> None:
    """List the teams and how many attempts each has used."""
    with load_contest(contest) as opened:
        used = [(team, len(opened.attempts(team))) for team in opened.teams()]
    if as_json:
        return print_json([{"team": team.name, "pseudonym": team.pseudonym, "n_attempts": n} for team, n in used])
    if not used:
        return say('no team yet; `arena contest team add "Team Alpha"` adds one')
    has_pseudonyms = any(team.pseudonym for team, _ in used)
    rows = [(team.name, *([team.pseudonym or ""] if has_pseudonyms else []), str(n)) for team, n in used]
    print_table((Prose("team"), *([Prose("shown as")] if has_pseudonyms else []), Number("attempts")), rows)
