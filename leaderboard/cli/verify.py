"""`arena contest attach` and `verify`: a team's net beside its submission, run to see if it gives the same labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.base.locks import require_posix
from arena.base.options import CONTEST_FILE, ONNX_HELP, TEAM_HELP, ContestPath, Json, Wide, again_option
from arena.base.terminal import Column, Number, Prose, duration, print_json, print_table, progress, say
from leaderboard.cli.options import TeamName, current_time, load_contest

if TYPE_CHECKING:
    from leaderboard.store import Contest
    from leaderboard.verification.hidden_part import HiddenPart
    from leaderboard.verification.model_run import TestSet
    from leaderboard.verification.sent_models import SentModel
    from leaderboard.verification.verify import Limits, Verification


app = typer.Typer()


@app.command(epilog='Example: arena contest attach "Team Alpha" model.onnx --attempt 2')
def attach(
    team: TeamName,
    onnx: Annotated[Path, typer.Argument(metavar="FILE", help=ONNX_HELP)],
    attempt: Annotated[int, typer.Option(min=0, help="To which attempt.", show_default="the last")] = 0,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Keep the model of an attempt that was sent before, so that the host can verify it. Costs no attempt."""
    from leaderboard.verification.verify import read_model

    with load_contest(contest) as opened:
        content, sender = read_model(onnx, opened.model_needs()), opened.team(team)
        number = attempt or len(opened.attempts(sender))
        print(attach_checked_model(opened, sender.name, number, (content, onnx.name)))


def attach_checked_model(contest: Contest, team: str, number: int, model: tuple[bytes, str]) -> str:
    """Store the content and name of a checked model beside an attempt, and return one line that says so."""
    from leaderboard.verification.sent_models import attach_model

    stored = attach_model(contest, contest.team(team), number, model, current_time())
    size = f"{stored.size_bytes / 1e6:.1f} MB"
    return f"{stored.file_name} ({size}, {stored.digest[:12]}) is kept beside attempt {number} of {team}"


@app.command(epilog='Examples: arena contest verify "Team Alpha" · arena contest verify --all-teams --audio pack/students/test')
def verify(
    team: Annotated[str | None, typer.Argument(metavar="TEAM", help=TEAM_HELP, show_default=False)] = None,
    all_teams: Annotated[bool, typer.Option("--all-teams", help="Every team that sent a model.")] = False,
    audio: Annotated[Path, typer.Option(help="The test recordings, <id>.wav.")] = Path("pack/students/test"),
    hidden: Annotated[
        Path | None, typer.Option(help="Recordings that nobody was given.", show_default="host/hidden of the same pack")
    ] = None,
    tolerate: Annotated[int | None, typer.Option(min=0, help="Rows that may differ.", show_default="0.5 %")] = None,
    time_s: Annotated[float, typer.Option(min=1, help="Seconds that one model may take.")] = 300,
    memory_mb: Annotated[int, typer.Option(min=256, help="Memory that one model may take.")] = 2048,
    again: Annotated[bool, again_option("Also models that were verified before.")] = False,
    contest: ContestPath = CONTEST_FILE,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Run what teams sent on the test recordings, and mark each score whose model says the same. Exit code 1: some do not.

    Hidden recordings tell a net from a table of answers, whose hidden score is far below the given one. Each model runs in a
    process of its own with limits on time, memory and files; nothing of it is unpickled.
    """
    require_posix("arena contest verify")
    from leaderboard.actions.hidden_part import open_hidden_part
    from leaderboard.verification.verify import Limits

    if all_teams == (team is not None):
        raise typer.BadParameter("name one team, or give --all-teams")
    limits = Limits(wall_s=time_s, memory_bytes=memory_mb << 20)
    with load_contest(contest) as opened:
        part = open_hidden_part(opened, audio, hidden, current_time())
        lines = _verify_models(opened, _select_models(opened, team, again, part), (audio, part), limits, tolerate)
    if part is None:
        say(
            "no hidden recordings: a table of answers gives the same answers too; `arena contest pack` keeps some, see --hidden"
        )
    print_json(lines) if as_json else print_verdicts(lines)
    if not all(line["is_verified"] and not line["is_suspicious"] for line in lines):
        raise typer.Exit(1)


def _select_models(contest: Contest, team: str | None, again: bool, hidden: HiddenPart | None) -> list[SentModel]:
    from leaderboard.errors import ContestError
    from leaderboard.verification.sent_models import read_sent_models

    models = read_sent_models(contest, contest.teams() if team is None else [contest.team(team)])
    if not models:
        raise ContestError("no model was sent; teams send one with `arena submit FILE --onnx model.onnx`, or on their page")
    digest = None if hidden is None else hidden.solution.digest
    todo = [model for model in models if again or not model.is_verified or model.hidden_digest != digest]
    if len(todo) < len(models):
        say(f"{len(models) - len(todo)} verified before; --again runs them too")
    return todo


def _verify_models(
    contest: Contest, models: list[SentModel], where: tuple[Path, HiddenPart | None], limits: Limits, tolerate: int | None
) -> list[dict[str, Any]]:
    from leaderboard.verification.model_run import prepare_test_set, verify_model
    from leaderboard.verification.sent_models import record_verification

    lines: list[dict[str, Any]] = []
    if not models:
        return lines
    with prepare_test_set(contest.solution, *where) as test, progress("verifying, models", len(models)) as advance:
        for model in models:
            started = current_time()
            verification = verify_model(contest, model, test, limits, tolerate)
            finished = current_time()
            record_verification(contest, model, verification, finished)
            lines.append(_to_line(model, test, verification) | {"seconds": (finished - started).total_seconds()})
            advance(1, model.team)
    return lines


def _to_line(model: SentModel, test: TestSet, verification: Verification) -> dict[str, Any]:
    from arena.base.scores import macro_f1
    from leaderboard.verification.hidden_part import PredictedClasses

    given = PredictedClasses(solution=test.solution, predicted=model.predicted)
    rerun, hidden, drop = verification.rerun, verification.hidden, verification.drop
    return {
        "team": model.team,
        "attempt": model.number,
        "model": model.digest,
        "is_verified": verification.is_verified,
        "is_suspicious": verification.is_suspicious,
        "remark": verification.remark,
        "given": macro_f1(given.confusion()),
        "rerun": None if rerun is None else macro_f1(rerun),
        "hidden": None if hidden is None else macro_f1(hidden.confusion()),
        "n_given": len(test.solution.scored),
        "n_hidden": 0 if hidden is None else len(hidden.predicted),
        "drop": None if drop is None else drop.value,
        "drop_error": None if drop is None else drop.error,
    }


def print_verdicts(lines: list[dict[str, Any]]) -> None:
    equal = "verified" if any(line["n_hidden"] for line in lines) else "same answers"
    words = {(True, False): equal, (True, True): "SUSPICIOUS", (False, False): "NOT verified"}
    rows = [
        (
            *(line["team"], str(line["attempt"]), words[line["is_verified"], line["is_suspicious"]]),
            *(_format_score(line[name]) for name in ("given", "rerun", "hidden")),
            *(duration(line["seconds"]), line["remark"]),
        )
        for line in lines
    ]
    if not rows:
        return
    scores = (Number("given"), Number("re-run", 1), Number("hidden"))
    columns = (Prose("team"), Number("attempt", 3), Column("verdict"), *scores, Number("time", 4), Prose("what was found", 2))
    print_table(columns, rows)
    n_given, n_hidden = lines[0]["n_given"], max(line["n_hidden"] for line in lines)
    on_hidden = f", and on {n_hidden:,} hidden ones" if n_hidden else ""
    say(f"macro-F1 of the submission and of the model, run again on {n_given:,} given clips{on_hidden}")
    for line in lines:
        if line["is_suspicious"]:
            _say_suspicion(line)


def _format_score(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _say_suspicion(line: dict[str, Any]) -> None:
    from leaderboard.verification.hidden_part import HONEST_DROP

    drop = f"{line['drop']:.2f} ± {2 * line['drop_error']:.2f}"
    say(
        f"{line['team']}, attempt {line['attempt']}: the hidden score is {drop} below the given one, a net's at most "
        f"{HONEST_DROP:g}: the model may be a table of answers; ask how it was made"
    )
