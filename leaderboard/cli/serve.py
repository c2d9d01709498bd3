"""`arena contest serve` and `host-token`: the contest on the web, and the tokens of its hosts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.locks import require_posix
from arena.base.options import CONTEST_FILE, ContestPath, Json, Wide, port_option
from arena.base.terminal import Column, Prose, print_json, print_table, say
from leaderboard.cli.options import Reason, build_decision, load_contest, to_plain
from leaderboard.hosts import Role

if TYPE_CHECKING:
    from leaderboard.service.context import ServiceSettings


app = typer.Typer()
host_token_app = typer.Typer(
    no_args_is_help=True,
    help="Tokens of hosts and assistants, who sign in to the host's pages with them.",
    epilog="Example: `arena contest host-token new --name Ana`",
)
app.add_typer(host_token_app, name="host-token")

webhook_app = typer.Typer(
    no_args_is_help=True,
    help="The webhook of contest.yaml: Slack, Discord, a receiver of JSON, or mail.",
    epilog="Example: `arena contest webhook test`",
)
app.add_typer(webhook_app, name="webhook")

MAIL_PASSWORD = "ARENA_SMTP_PASSWORD"  # environment variable
HostName = Annotated[str, typer.Argument(metavar="NAME", help="Whose token it is.")]


@app.command(
    "serve",
    epilog="Example: arena contest serve --contest contest.db --port 8000",
)
def serve_contest_command(
    contest: ContestPath = CONTEST_FILE,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for a whole network.")] = "127.0.0.1",
    port: Annotated[int, port_option()] = 8000,
    https: Annotated[bool, typer.Option("--https", help="Readers come by https only, through a proxy.")] = False,
    proxy: Annotated[str, typer.Option(help="Addresses of proxies whose X-Forwarded headers are believed.")] = "127.0.0.1",
    root: Annotated[str, typer.Option(help="Path of the board on the proxy's site, such as /contest.")] = "",
    max_model_mb: Annotated[int, typer.Option(min=1, max=200, help="Megabytes that a team's model may have.")] = 20,
    zone: Annotated[str | None, typer.Option(help="Time zone of the host, such as Europe/Madrid; else this machine's.")] = None,
) -> None:
    """Serve the contest's pages and API until Ctrl-C. Nothing is lost when it is killed."""
    require_posix("arena contest serve")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: a second thread only waits, at full load
    from leaderboard.server.server import Address, listen
    from leaderboard.service.context import ServiceSettings

    settings = ServiceSettings(
        where=contest,
        root=_normalize_root(root),
        zone=check_zone(zone),
        is_https=https,
        max_model_bytes=max_model_mb * 1_000_000,
        mail_password=os.environ.get(MAIL_PASSWORD),
    )
    _check_contest(settings)
    address = Address(host=host, port=port, proxies=proxy)
    if not https and host not in ("127.0.0.1", "localhost", "::1"):
        say("tokens are sent unencrypted; on the internet put a proxy with https in front, and serve with --https")
    listen(
        settings, address, lambda url: say(f"serving {contest.split('@')[-1]} at {url}{settings.root}/ (Ctrl-C ends it)"), say
    )


@host_token_app.command("new", epilog="Example: arena contest host-token new --name Ana --role assistant")
def host_token_new(
    name: Annotated[str, typer.Option(help="Whose token it is; the name stands in the log.")],
    role: Annotated[Role, typer.Option(help="An assistant looks, announces and downloads, and decides nothing.")] = Role.HOST,
    reason: Reason = "to sign in to the host's page",
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Print a token that signs somebody in to the host's pages: shown this once, kept as a hash."""
    from leaderboard.actions.host_tokens import give_host_token

    with load_contest(contest) as opened:
        print(give_host_token(opened, name, role, build_decision(reason)))
    say(f"{name} signs in with it as {role.value}; it cannot be shown again")


@host_token_app.command("rotate", epilog='Example: arena contest host-token rotate Ana --reason "it was on a projector"')
def host_token_rotate(name: HostName, reason: Reason, contest: ContestPath = CONTEST_FILE) -> None:
    """Print another token for a name; the one before is worthless at once, and its sessions end."""
    from leaderboard.actions.host_tokens import rotate_host_token

    with load_contest(contest) as opened:
        print(rotate_host_token(opened, name, build_decision(reason)))
    say(f"{name} signs in with it; the token before no longer works, and this one cannot be shown again")


@host_token_app.command("revoke", epilog='Example: arena contest host-token revoke Ana --reason "the course is over"')
def host_token_revoke(name: HostName, reason: Reason, contest: ContestPath = CONTEST_FILE) -> None:
    """Make the token of a name worthless at once; its sessions end."""
    from leaderboard.actions.host_tokens import revoke_host_token

    with load_contest(contest) as opened:
        print(f"the token of {revoke_host_token(opened, name, build_decision(reason))} is revoked")


@host_token_app.command("list", epilog="Example: arena contest host-token list --json")
def host_token_list(contest: ContestPath = CONTEST_FILE, wide: Wide = False, as_json: Json = False) -> None:
    """List whose tokens sign in to the host's pages, and in which role; never the tokens."""
    from leaderboard.actions.host_tokens import list_host_tokens
    from leaderboard.deadline import describe

    with load_contest(contest) as opened:
        tokens = list_host_tokens(opened)
    if as_json:
        return print_json([to_plain(token) for token in tokens])
    if not tokens:
        return say("no host has a token yet; `arena contest host-token new --name Ana` makes one")
    rows = [(t.name, t.role.value, describe(t.created_at), describe(t.revoked_at) if t.revoked_at else "") for t in tokens]
    print_table((Prose("name"), Column("role"), Column("made", 2), Column("revoked", 2)), rows)


@webhook_app.command("test", epilog="Example: arena contest webhook test")
def webhook_test(contest: ContestPath = CONTEST_FILE) -> None:
    """Send a test to the contest's webhook. By mail, the account's password comes from ARENA_SMTP_PASSWORD."""
    from leaderboard.errors import ContestError
    from leaderboard.messages import message
    from leaderboard.notices import Notice, send_notices

    with load_contest(contest) as opened:
        rules = opened.rules()
    if rules.webhook is None:
        raise ContestError("the contest has no webhook; write one into contest.yaml and run `arena contest apply contest.yaml`")
    test = Notice(sentence=message("notice_test"), facts={"event": "test"})
    send_notices(rules.webhook, rules.name, [test], os.environ.get(MAIL_PASSWORD))
    print("the webhook's receiver took the test")


def _normalize_root(text: str) -> str:
    parts = [part for part in text.split("/") if part]
    if not all(part.replace("-", "").replace("_", "").replace(".", "").isalnum() and part.isascii() for part in parts):
        raise typer.BadParameter(f"--root is a path of letters and digits such as /contest, not {text[:60]!r}")
    return "".join(f"/{part}" for part in parts)


def check_zone(name: str | None) -> str | None:
    """Return the name of a time zone as it is; refuse one that is none."""
    import zoneinfo

    if name is not None:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise typer.BadParameter(f"--zone is a name such as Europe/Madrid, not {name[:60]!r}") from error
    return name


def _check_contest(settings: ServiceSettings) -> None:
    from leaderboard.service.context import open_service

    with open_service(settings):
        pass
