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
    from leaderboard.verification.sent_models import SentModel
    from leaderboard.verification.verify import Limits, Samples, Verification


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

    content = read_model(onnx)
    with load_contest(contest) as opened:
        sender = opened.team(team)
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
    tolerate: Annotated[int | None, typer.Option(min=0, help="Rows that may differ.", show_default="0.5 %")] = None,
    time_s: Annotated[float, typer.Option(min=1, help="Seconds that one model may take.")] = 300,
    memory_mb: Annotated[int, typer.Option(min=256, help="Memory that one model may take.")] = 2048,
    again: Annotated[bool, again_option("Also models that were verified before.")] = False,
    contest: ContestPath = CONTEST_FILE,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Run what teams sent on the test recordings, and mark each score whose model says the same. Exit code 1: some do not.

    Each model runs in a process of its own with limits on time, memory and files; nothing of it is unpickled.
    """
    require_posix("arena contest verify")
    from leaderboard.verification.verify import Limits

    if all_teams == (team is not None):
        raise typer.BadParameter("name one team, or give --all-teams")
    limits = Limits(wall_s=time_s, memory_bytes=memory_mb << 20)
    with load_contest(contest) as opened:
        lines = _verify_models(opened, _select_models(opened, team, again), audio, limits, tolerate)
    print_json(lines) if as_json else print_verdicts(lines)
    if not all(line["is_verified"] for line in lines):
        raise typer.Exit(1)


def _select_models(contest: Contest, team: str | None, again: bool) -> list[SentModel]:
    from leaderboard.errors import ContestError
    from leaderboard.verification.sent_models import read_sent_models

    models = read_sent_models(contest, contest.teams() if team is None else [contest.team(team)])
    if not models:
        raise ContestError("no model was sent; teams send one with `arena submit FILE --onnx model.onnx`, or on their page")
    todo = [model for model in models if again or not model.is_verified]
    if len(todo) < len(models):
        say(f"{len(models) - len(todo)} verified before; --again runs them too")
    return todo


def _verify_models(
    contest: Contest, models: list[SentModel], audio: Path, limits: Limits, tolerate: int | None
) -> list[dict[str, Any]]:
    import tempfile

    from leaderboard.verification.sent_models import record_verification
    from leaderboard.verification.verify import write_samples

    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="arena-verify-") as folder:
        samples = write_samples(audio, contest.solution.ids, Path(folder, "samples")) if models else None
        with progress("verifying, models", len(models)) as advance:
            for model in models:
                assert samples is not None
                started = current_time()
                verdict = _verify(contest, model, samples, limits, tolerate)
                finished = current_time()
                record_verification(contest, model, verdict, finished)
                lines.append(
                    {
                        "team": model.team,
                        "attempt": model.number,
                        "model": model.digest,
                        "is_verified": verdict.is_verified,
                        "remark": verdict.remark,
                        "seconds": (finished - started).total_seconds(),
                    }
                )
                advance(1, model.team)
    return lines


def _verify(contest: Contest, model: SentModel, samples: Samples, limits: Limits, tolerate: int | None) -> Verification:
    from leaderboard.errors import ModelRefused
    from leaderboard.verification.sent_models import read_model_content
    from leaderboard.verification.verify import compare_answers, reject_model, run_model

    solution = contest.solution
    try:
        answers = run_model(read_model_content(contest, model.digest), model.file_name, samples, solution.labels, limits)
    except ModelRefused as refusal:
        return reject_model(refusal, len(solution.ids))
    return compare_answers(answers, model.predicted, solution.ids, tolerate)


def print_verdicts(lines: list[dict[str, Any]]) -> None:
    words = {True: "verified", False: "NOT verified"}
    rows = [
        (line["team"], str(line["attempt"]), words[line["is_verified"]], duration(line["seconds"]), line["remark"])
        for line in lines
    ]
    if rows:
        columns = (Prose("team"), Number("attempt"), Column("verdict"), Number("time", 2), Prose("what was found"))
        print_table(columns, rows)
