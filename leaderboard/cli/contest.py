"""`arena contest`: make a contest, check and send submissions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import CONTEST_FILE, TEAM_HELP, ContestPath, Json
from arena.base.terminal import print_json, say
from leaderboard.cli.options import (
    AGAIN_HINT,
    YES_HINT,
    Again,
    ModelFile,
    Note,
    SubmissionFile,
    Yes,
    current_time,
    load_contest,
    say_notes,
    to_plain,
)
from leaderboard.cli.verify import attach_checked_model

if TYPE_CHECKING:
    from leaderboard.actions.submit import Receipt
    from leaderboard.store import Contest


app = typer.Typer(
    no_args_is_help=True,
    help="A contest: a solution file, teams, three attempts each, standings.",
    epilog="Example: `arena contest init solution.csv --name Digits`, then `arena contest team add Alpha`",
)


@app.command(epilog="Example: arena contest validate submission.csv")
def validate(file: SubmissionFile, yes: Yes = False, contest: ContestPath = CONTEST_FILE, as_json: Json = False) -> None:
    """Check a file as often as you like: its form only, never a score; costs no attempt."""
    from leaderboard.actions.submit import validate_submission
    from leaderboard.errors import ContestError, ContradictoryLabels, SubmissionError
    from leaderboard.files.contradictions import list_oddities
    from leaderboard.files.csv_table import read_file

    with load_contest(contest) as opened:
        try:
            checked = validate_submission(opened, read_file(file, SubmissionError), file.name, yes=yes)
        except ContradictoryLabels as error:
            raise ContestError(f"{error}{YES_HINT}") from error
        notes = [str(note) for note in list_oddities(checked, opened.solution)]
    n_rows, has_probabilities = len(checked.predicted), checked.probabilities is not None
    if as_json:
        facts = {"file": file.name, "n_rows": n_rows, "has_probabilities": has_probabilities}
        return print_json({**facts, "notes": notes})
    say_notes(notes)
    print(f"{file.name} can be sent: {n_rows:,} rows, {'with' if has_probabilities else 'without'} probabilities")


@app.command("submit", epilog='Example: arena contest submit submission.csv --team "Team Alpha" -m "lenet5, 30 epochs"')
def submit_command(
    file: SubmissionFile,
    team: Annotated[str, typer.Option("--team", metavar="TEAM", help=TEAM_HELP)],
    onnx: ModelFile = None,
    note: Note = "",
    again: Again = False,
    yes: Yes = False,
    contest: ContestPath = CONTEST_FILE,
    as_json: Json = False,
) -> None:
    """Score a file as one of the team's three attempts. A refused file costs none, the same file is scored once."""
    from leaderboard.actions.submit import submit
    from leaderboard.errors import ContestError, ContradictoryLabels, RepeatedLabels, SubmissionError
    from leaderboard.files.csv_table import read_file

    with load_contest(contest) as opened:
        content = None if onnx is None else _read_model(onnx, opened)  # before an attempt is used
        try:
            answers = read_file(file, SubmissionError)
            receipt = submit(opened, team, answers, file.name, current_time(), again=again, yes=yes, note=note)
        except RepeatedLabels as error:
            raise ContestError(f"{error}{AGAIN_HINT}") from error
        except ContradictoryLabels as error:
            raise ContestError(f"{error}{YES_HINT}") from error
        if onnx is not None and content is not None:
            say(attach_checked_model(opened, receipt.team, receipt.attempt.number, (content, onnx.name)))
    if as_json:
        return print_json(to_plain(receipt))
    say_notes(receipt.notes)
    print(_format_receipt(receipt))


def _read_model(path: Path, contest: Contest) -> bytes:
    from leaderboard.verification.verify import read_model

    return read_model(path, contest.model_needs())


def _format_receipt(receipt: Receipt) -> str:
    from leaderboard.files.csv_table import format_count
    from leaderboard.rules import MACRO_F1, STRING_METRICS
    from leaderboard.standings import name_metrics, name_unit

    attempt, interval = receipt.attempt, receipt.interval
    before = "" if receipt.is_new else "the same file was scored before, no attempt was used\n"
    ends = f"{interval.low:.2f} to {interval.high:.2f}"
    over = f"{interval.level * 100:g} % interval {ends} over {interval.n_units:,} {name_unit(interval.unit)}"
    note = "" if attempt.is_shown else f" (shown as attempt {attempt.shown_number}: no sure improvement)"
    rank = f"rank {receipt.rank} of {receipt.n_ranked}, " if receipt.rank else "out of rank, "
    value = "" if attempt.score == attempt.macro_f1 else f"score {attempt.score:.3f}, "
    name = receipt.metric if receipt.metric in STRING_METRICS.values() else MACRO_F1
    return (
        f"{before}{receipt.team}, attempt {attempt.number}{note}: {value}{name} {attempt.macro_f1:.3f} ({over})"
        f"{name_metrics(attempt.metrics)}\n"
        f"{rank}{format_count(receipt.n_left, 'attempt')} left"
    )
