"""`arena contest serve` and `host-token`: the contest on the web, and the token of its host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.locks import require_posix
from arena.base.options import CONTEST_FILE, ContestPath, port_option
from arena.base.terminal import say

if TYPE_CHECKING:
    from leaderboard.service.context import ServiceSettings


app = typer.Typer()


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
    from leaderboard.service.context import ServiceSettings
    from leaderboard.service.server import Address, listen

    settings = ServiceSettings(
        where=contest,
        root=_normalize_root(root),
        zone=_check_zone(zone),
        is_https=https,
        max_model_bytes=max_model_mb * 1_000_000,
    )
    _check_contest(settings)
    address = Address(host=host, port=port, proxies=proxy)
    if not https and host not in ("127.0.0.1", "localhost", "::1"):
        say("tokens are sent unencrypted; on the internet put a proxy with https in front, and serve with --https")
    listen(settings, address, lambda url: say(f"serving {contest.split('@')[-1]} at {url}{settings.root}/ (Ctrl-C ends it)"))


@app.command("host-token", epilog="Example: arena contest host-token --contest contest.db")
def print_host_token(contest: ContestPath = CONTEST_FILE) -> None:
    """Print the token that signs the host in to the host's page. It is made of the contest's own secret."""
    from leaderboard.service.security import host_token
    from leaderboard.store import open_contest

    with open_contest(contest) as opened:
        print(host_token(opened.secret_key()))


def _normalize_root(text: str) -> str:
    parts = [part for part in text.split("/") if part]
    if not all(part.replace("-", "").replace("_", "").replace(".", "").isalnum() and part.isascii() for part in parts):
        raise typer.BadParameter(f"--root is a path of letters and digits such as /contest, not {text[:60]!r}")
    return "".join(f"/{part}" for part in parts)


def _check_zone(name: str | None) -> str | None:
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
