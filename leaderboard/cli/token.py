"""`arena contest token` and `join-link`: what teams and their members sign in with and join by."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.base.options import ADDRESS_HELP, CONTEST_FILE, TEAM_HELP, ContestPath, Json, Wide
from arena.base.terminal import Column, Number, Prose, print_json, print_table, say
from leaderboard.cli.options import Reason, TeamName, build_decision, current_time, load_contest, to_plain

app = typer.Typer()
token_app = typer.Typer(
    no_args_is_help=True,
    help="Tokens, which teams and their members sign in with and send files by.",
    epilog="Example: `arena contest token new Alpha`",
)
app.add_typer(token_app, name="token")
join_app = typer.Typer(
    no_args_is_help=True,
    help="Links by which people join a team, or make one; they expire.",
    epilog="Example: `arena contest join-link new Alpha`",
)
app.add_typer(join_app, name="join-link")

MemberName = Annotated[
    str | None,
    typer.Option("--member", metavar="MEMBER", help="Their e-mail, login, id or name.", show_default="the whole team"),
]


@token_app.command(
    "new",
    epilog='Examples: `arena contest token new "Team Alpha" --reason "handed out in class"` · '
    '`arena contest token new "Team Alpha" --member ana@example.org --reason "she lost hers"`',
)
def token_new(team: TeamName, reason: Reason, member: MemberName = None, contest: ContestPath = CONTEST_FILE) -> None:
    """Print a new token of a team or a member: shown this once, kept as a hash. Earlier ones stay good until revoked."""
    from leaderboard.actions.host import give_token
    from leaderboard.classes.member_tokens import give_member_token

    with load_contest(contest) as opened:
        holder, decision = opened.team(team), build_decision(reason)
        print(give_token(opened, holder, decision) if member is None else give_member_token(opened, holder, member, decision))
    say(f"hand it to {member or team} now: it cannot be shown again")


@token_app.command(
    "revoke",
    epilog='Examples: `arena contest token revoke "Team Alpha" --reason "it was in a public repository"` · '
    '`arena contest token revoke "Team Alpha" --member ana@example.org --reason "she left"`',
)
def token_revoke(team: TeamName, reason: Reason, member: MemberName = None, contest: ContestPath = CONTEST_FILE) -> None:
    """Make all tokens of a team worthless at once, or those of one member alone."""
    from leaderboard.actions.host import revoke_tokens
    from leaderboard.classes.member_tokens import revoke_member_tokens
    from leaderboard.files.csv_table import format_count

    with load_contest(contest) as opened:
        holder, decision = opened.team(team), build_decision(reason)
        if member is None:
            n = revoke_tokens(opened, holder, decision)
        else:
            n = revoke_member_tokens(opened, holder, member, decision)
    print(f"{format_count(n, 'token')} of {member or team} revoked")


@join_app.command(
    "new",
    epilog="Examples: `arena contest join-link new Alpha --uses 3` · "
    "`arena contest join-link new --hours 48 --uses 30 --address https://digits.example.org`",
)
def join_link_new(
    team: Annotated[
        str | None, typer.Argument(metavar="TEAM", help=TEAM_HELP, show_default="each makes a team of their own")
    ] = None,
    hours: Annotated[float, typer.Option("--hours", metavar="N", help="How long it serves.")] = 48.0,
    uses: Annotated[int, typer.Option("--uses", metavar="N", help="How many people it serves.")] = 30,
    address: Annotated[str | None, typer.Option(help=ADDRESS_HELP, show_default="the contest's")] = None,
    reason: Reason = "people join by it",
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Print a link by which people join a team, or make one, and get their own token. Shown this once."""
    from leaderboard.classes.join_links import new_join_link
    from leaderboard.cli.team import choose_address

    with load_contest(contest) as opened:
        page = choose_address(opened, address)
        found = None if team is None else opened.team(team)
        number, token = new_join_link(opened, found, hours, uses, build_decision(reason))
    print(f"{page}/join/{token}")
    people = "1 person" if uses == 1 else f"{uses:,} people"
    say(f"link {number} serves {people} for {hours:g} h; `arena contest join-link revoke {number}` ends it")


@join_app.command("list", epilog="Example: arena contest join-link list")
def join_link_list(contest: ContestPath = CONTEST_FILE, wide: Wide = False, as_json: Json = False) -> None:
    """List join links, their uses and when they end; never the links themselves."""
    from leaderboard.classes.join_links import list_join_links
    from leaderboard.deadline import describe

    with load_contest(contest) as opened:
        links = list_join_links(opened)
    if as_json:
        return print_json([to_plain(link) for link in links])
    if not links:
        return say("no join link yet; `arena contest join-link new` makes one")
    columns = (Number("link"), Prose("team"), Number("uses left"), Column("ends", 2), Column("state"))
    now = current_time()
    rows = [
        (
            str(link.id),
            link.team or "each a new one",
            f"{link.n_uses_left} of {link.n_uses}",
            describe(link.expires_at),
            link.describe_state(now),
        )
        for link in links
    ]
    print_table(columns, rows)


@join_app.command("revoke", epilog='Example: arena contest join-link revoke 1 --reason "it was passed on"')
def join_link_revoke(
    number: Annotated[int, typer.Argument(metavar="LINK", help="Its number in `arena contest join-link list`.")],
    reason: Reason,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Let a join link serve nobody more; who joined by it stays."""
    from leaderboard.classes.join_links import revoke_join_link

    with load_contest(contest) as opened:
        revoke_join_link(opened, number, build_decision(reason))
    print(f"join link {number} serves nobody more")
