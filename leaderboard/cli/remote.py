"""`arena submit` and `arena pseudonym`: commands of a team that talk to a contest's service."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.base.options import ADDRESS_HELP, TEAM_HELP, Json, reading_line
from arena.base.project import check_address, find_project
from arena.base.terminal import print_json, say
from leaderboard.cli.options import (
    AGAIN_HINT,
    YES_HINT,
    Again,
    ModelFile,
    Note,
    Pseudonym,
    Remove,
    SubmissionFile,
    Yes,
    say_notes,
)

if TYPE_CHECKING:
    from leaderboard.client import Endpoint

SAMPLE_NAME = "sample_submission.csv"


_CODES = (
    "Exit codes: 0 scored or fit to be sent, 2 usage, 3 the file or the model is invalid (no attempt used), 4 no attempt left, "
    "too many refused files, or an attempt that takes no other model, 5 the contest is closed, 6 the service is not reached, "
    "7 the token is not accepted, 8 the labels are those of an earlier attempt, 1 anything else.\n\n"
    "Examples: `ARENA_TOKEN=... arena submit submission.csv --address https://digits.example.org --team Formantes` · "
    "`arena submit submission.csv --check` · `arena submit submission.csv --onnx model.onnx`, with ARENA_ADDRESS, "
    "ARENA_TEAM and ARENA_TOKEN set"
)
app = typer.Typer()
Address = Annotated[
    str, typer.Option("--address", metavar="URL", help=ADDRESS_HELP, envvar="ARENA_ADDRESS", show_default=False)
]
Check = Annotated[
    bool, typer.Option("--check", "--dry-run", help="Check the file, as often as you like: no score, no attempt.")
]
TokenFile = Annotated[Path | None, typer.Option(help="A file that holds the token; else ARENA_TOKEN is read.")]


@app.command("submit", epilog=_CODES)
def remote_submit_command(
    context: typer.Context,
    file: SubmissionFile,
    address: Address = "",
    team: Annotated[str, typer.Option("--team", metavar="TEAM", help=TEAM_HELP, envvar="ARENA_TEAM", show_default=False)] = "",
    onnx: ModelFile = None,
    note: Note = "",
    again: Again = False,
    yes: Yes = False,
    check: Check = False,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Send a file to a contest's service as one of your team's attempts. The token comes from ARENA_TOKEN or a file.

    The team must be the one that the token was given to. With --check the service says whether the file could be sent: no
    score, no attempt, as often as you like; without a token the sample beside arena.toml says it. A model costs no attempt,
    also beside a file that was scored before.
    """
    from leaderboard.client import Endpoint, check_file, send_file

    with reading_line():
        check_address(address)
    if not address and find_project().contest:
        raise typer.BadParameter(f"the contest of arena.toml is no page: arena contest submit {file} --team {team or 'TEAM'}")
    if check and not (address and (token_file or os.environ.get("ARENA_TOKEN", "").strip())):
        sample = find_project().folder / SAMPLE_NAME
        if sample.is_file():
            return _print_check(_check_by_sample(file, sample, address, onnx, yes=yes), as_json)
    _require(address, "address", "--address", "ARENA_ADDRESS")
    if not check:
        _require(team, "team", "--team", "ARENA_TEAM")
    endpoint = Endpoint(url=address, team=team, token=_read_token(token_file))
    answer = _request(
        context,
        endpoint,
        lambda: (
            check_file(endpoint, file, say, onnx, yes=yes)
            if check
            else send_file(endpoint, file, say, onnx, again=again, yes=yes, note=note)
        ),
    )
    if check:
        return _print_check(answer, as_json)
    if as_json:
        return print_json(answer)
    say_notes(answer.get("notes", ()))
    print(_format_receipt(answer))


def _check_by_sample(file: Path, sample: Path, address: str, onnx: Path | None, *, yes: bool) -> dict[str, Any]:
    """Return the answer of the sample; after a refusal print it and exit with the code of an invalid file."""
    from leaderboard.client import InvalidFile
    from leaderboard.errors import ContradictoryLabels, FileError, LeaderboardError
    from leaderboard.files.sample import check_by_sample

    missing = "ARENA_TOKEN" if address else "the contest's address and ARENA_TOKEN"
    say(f"checked by {sample.name}; with {missing} the contest itself is asked")
    try:
        return check_by_sample(file, sample, onnx, yes=yes)
    except (LeaderboardError, OSError) as error:
        say(f"error: {error}{YES_HINT if isinstance(error, ContradictoryLabels) else ''}")
        for fault in error.others if isinstance(error, FileError) else ():
            say(f"  {fault}")
        raise typer.Exit(InvalidFile.exit_code) from error


def _print_check(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        return print_json(answer)
    say_notes(answer["notes"])
    print(_format_check(answer))


@app.command(
    "pseudonym",
    epilog="Examples: `arena pseudonym Nightjar --address https://digits.example.org` · `arena pseudonym --remove` · "
    "`arena pseudonym --remove --json`, with ARENA_ADDRESS and ARENA_TOKEN set",
)
def remote_pseudonym_command(
    context: typer.Context,
    address: Address = "",
    name: Pseudonym = None,
    remove: Remove = False,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show your team to others under a pseudonym. The host sees both names; grades use the name."""
    from leaderboard.client import Endpoint, send_pseudonym

    if (name is None) is not remove:
        raise typer.BadParameter("give the pseudonym, or --remove to show the team's name again")
    _require(address, "address", "--address", "ARENA_ADDRESS")
    with reading_line():
        check_address(address)
    endpoint = Endpoint(url=address, team="", token=_read_token(token_file))
    team = _request(context, endpoint, lambda: send_pseudonym(endpoint, name, say))
    if as_json:
        return print_json({"team": team["team"], "pseudonym": team["pseudonym"]})
    print(f"others see {team['team']} {'as ' + team['pseudonym'] if team['pseudonym'] else 'by its name'}")


def _require(value: str, key: str, option: str, variable: str) -> None:
    if not value:
        raise typer.BadParameter(
            f"the contest's {key} is missing; give {option}, set {variable}, or write {key} = ... below [contest] in arena.toml"
        )


def _request(context: typer.Context, endpoint: Endpoint, send: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the answer of the service; after a refusal print it and exit with its code."""
    from leaderboard.client import ClientError, ContradictoryFile, InvalidFile, Repeated

    source = context.get_parameter_source("address")
    if source and source.name == "DEFAULT_MAP":
        say(f"the token goes to {endpoint.url}, the address in arena.toml")
    try:
        if endpoint.is_unencrypted:
            say(f"{endpoint.url} is not encrypted: whoever is on the way can read the token")
        return send()
    except ClientError as error:
        hints = {Repeated: AGAIN_HINT, ContradictoryFile: YES_HINT}
        say(f"error: {error}{hints.get(type(error), '')}")
        for fault in error.others if isinstance(error, InvalidFile) else ():
            say(f"  {fault}")
        raise typer.Exit(error.exit_code) from error


def _read_token(path: Path | None) -> str:
    from leaderboard.client import ClientError

    if path is None:
        token = os.environ.get("ARENA_TOKEN", "").strip()
        if not token:
            raise typer.BadParameter("no token was given; set ARENA_TOKEN or name a file with --token-file")
        return token
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ClientError(f"--token-file names no file with a token ({reason}); give its path, or set ARENA_TOKEN") from error


def _format_check(answer: dict[str, Any]) -> str:
    with_or_without = "with" if answer["has_probabilities"] else "without"
    model = f", and {answer['model_name']} is an ONNX model" if answer["model_name"] else ""
    repeats = f"; its labels are those of attempt {answer['repeats']}, so --again is needed" if answer["repeats"] else ""
    return f"{answer['file_name']} can be sent: {answer['n_rows']:,} rows, {with_or_without} probabilities{model}{repeats}"


def _format_receipt(receipt: dict[str, Any]) -> str:
    from leaderboard.files.csv_table import format_count
    from leaderboard.standings import name_metrics

    attempt, interval = receipt["attempt"], receipt["interval"]
    before = "" if receipt["is_new"] else "the same file was scored before, no attempt was used\n"
    over = f"{interval['level'] * 100:g} % interval {interval['low']:.2f} to {interval['high']:.2f}"
    rank = f"rank {receipt['rank']} of {receipt['n_ranked']}, " if receipt["rank"] else ""
    return (
        f"{before}{receipt['team']}, attempt {attempt['number']}: {receipt['metric']} {attempt['score']:.3f} "
        f"({over} over {interval['n_units']:,} {interval['unit']}){name_metrics(attempt)}\n"
        f"{rank}{format_count(receipt['n_left'], 'attempt')} left{_format_model(attempt)}"
    )


def _format_model(attempt: dict[str, Any]) -> str:
    model = attempt["model"]
    if model is None:
        return ""
    states = {
        "carried": "not run yet",
        "same": "run again, it answers what was sent",
        "verified": "it answers what was sent, and hidden recordings about as well",
        "differs": "it does not answer what was sent",
        "doubted": "it answers what was sent, and hidden recordings far worse",
    }
    beside = f"{model['file_name']} ({model['digest'][:12]}) is kept beside attempt {attempt['number']}"
    return f"\n{beside}: {states[model['state']]}"
