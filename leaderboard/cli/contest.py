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
    SolutionFile,
    SubmissionFile,
    Yes,
    current_time,
    load_contest,
    say_notes,
    to_plain,
)
from leaderboard.cli.verify import attach_checked_model
from leaderboard.rules import RankBy, Rules, Ties

if TYPE_CHECKING:
    from leaderboard.actions.submit import Receipt
    from leaderboard.files.solution import Solution


app = typer.Typer(
    no_args_is_help=True,
    help="A contest: a solution file, teams, three attempts each, standings.",
    epilog="Example: `arena contest init solution.csv --name Digits`, then `arena contest team add Alpha`",
)

MetricFile = Annotated[
    Path | None, typer.Option(metavar="FILE.py", help="Your own score(solution, submission, row_id_column_name), as on Kaggle.")
]


@app.command(epilog='Example: arena contest init solution.csv --name "Digits 2026" --deadline 2026-12-01T18:00+01:00')
def init(
    solution: SolutionFile,
    name: Annotated[str, typer.Option(help="What the contest is called.")],
    deadline: Annotated[str | None, typer.Option(help="The last moment that counts: ISO 8601 with its offset.")] = None,
    metric: MetricFile = None,
    lower_is_better: Annotated[bool, typer.Option("--lower-is-better", help="Of the metric's values.")] = False,
    ties: Annotated[Ties, typer.Option(help="Equal scores share a rank, or the earlier one stands above.")] = Ties.SHARE,
    ladder: Annotated[bool, typer.Option("--ladder", help="Show a new public score only where it is surely better.")] = False,
    refusals: Annotated[int, typer.Option(min=1, help="Files an hour that a team may send and that cannot be scored.")] = 60,
    rank: Annotated[
        RankBy, typer.Option(help="The final rank is by score, or by the models' scores on the pack's hidden recordings.")
    ] = RankBy.SCORE,
    yes: Yes = False,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Make a contest from the true labels. Never overwrites one. A pack's hidden part and rate are read beside them."""
    from leaderboard.database.create import ContestSettings
    from leaderboard.deadline import parse_deadline
    from leaderboard.errors import ContestError, SolutionError
    from leaderboard.files.csv_table import read_file
    from leaderboard.files.pack_files import read_pack_files
    from leaderboard.files.solution import parse_solution
    from leaderboard.files.solution_doubts import check_doubts, list_remarks
    from leaderboard.store import create_contest

    truth = parse_solution(read_file(solution, SolutionError), solution.name)
    last = None if deadline is None else parse_deadline(deadline)
    if not yes:
        try:
            check_doubts(truth, solution.name)
        except SolutionError as error:
            raise ContestError(f"{error}{YES_HINT}") from error
    for remark in list_remarks(truth):
        say(f"{solution.name}: {remark}")
    pack = read_pack_files(solution, truth)
    settings = ContestSettings(
        metric=None if metric is None else read_file(metric, SolutionError),
        metric_name="macro-F1" if metric is None else metric.stem,
        is_lower_better=lower_is_better,
        ties=ties,
        is_ladder=ladder,
        n_refusals_per_hour=refusals,
        rank_by=rank,
        hidden=pack.hidden,
        rate_hz=pack.rate_hz,
    )
    with create_contest(contest, solution=truth, name=name, now=current_time(), deadline=last, settings=settings) as created:
        closing = _describe_closing(created.rules())
        print(f"{created.name}: {contest.split('@')[-1]} holds {_describe_solution(truth)}; {closing}")
        if pack.hidden is not None:
            say(f"models are verified on {len(pack.hidden.ids):,} hidden recordings too; the final rank is by {rank}")


def _describe_solution(solution: Solution) -> str:
    from leaderboard.files.csv_table import format_count
    from leaderboard.files.solution import LabelList

    facts = [format_count(len(solution.ids), "id"), f"labels {LabelList(solution.labels)}"]
    if solution.groups:
        facts.append(format_count(len(solution.groups), "speaker"))
    if solution.has_private:
        facts.append(f"{int(solution.is_public.sum()):,} ids public")
    if n_ignored := len(solution.ids) - len(solution.scored):
        facts.append(f"{n_ignored:,} ignored")
    return ", ".join(facts)


@app.command(epilog="Example: arena contest validate submission.csv")
def validate(file: SubmissionFile, yes: Yes = False, contest: ContestPath = CONTEST_FILE, as_json: Json = False) -> None:
    """Check a file as often as you like: its form only, never a score; costs no attempt."""
    from leaderboard.actions.submit import validate_submission
    from leaderboard.errors import ContestError, ContradictoryLabels, SubmissionError
    from leaderboard.files.contradictions import list_notes
    from leaderboard.files.csv_table import read_file

    with load_contest(contest) as opened:
        try:
            checked = validate_submission(opened, read_file(file, SubmissionError), file.name, yes=yes)
        except ContradictoryLabels as error:
            raise ContestError(f"{error}{YES_HINT}") from error
        notes = [str(note) for note in list_notes(checked, opened.solution)]
    n_rows, has_probabilities = len(checked.predicted), checked.probabilities is not None
    if as_json:
        facts = {"file": file.name, "n_rows": n_rows, "has_probabilities": has_probabilities}
        return print_json({**facts, "notes": notes})
    say_notes(notes)
    print(f"{file.name} can be sent: {n_rows:,} rows, {'with' if has_probabilities else 'without'} probabilities")


@app.command("submit", epilog='Example: arena contest submit submission.csv --team "Team Alpha"')
def submit_command(
    file: SubmissionFile,
    team: Annotated[str, typer.Option("--team", metavar="TEAM", help=TEAM_HELP)],
    onnx: ModelFile = None,
    again: Again = False,
    yes: Yes = False,
    contest: ContestPath = CONTEST_FILE,
    as_json: Json = False,
) -> None:
    """Score a file as one of the team's three attempts. A refused file costs none, the same file is scored once."""
    from leaderboard.actions.submit import submit
    from leaderboard.errors import ContestError, ContradictoryLabels, RepeatedLabels, SubmissionError
    from leaderboard.files.csv_table import read_file

    content = None if onnx is None else _read_model(onnx)  # before an attempt is used
    with load_contest(contest) as opened:
        try:
            receipt = submit(opened, team, read_file(file, SubmissionError), file.name, current_time(), again=again, yes=yes)
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


def _read_model(path: Path) -> bytes:
    from leaderboard.verification.verify import read_model

    return read_model(path)


def _format_receipt(receipt: Receipt) -> str:
    from leaderboard.files.csv_table import format_count
    from leaderboard.standings import name_metrics

    attempt, interval = receipt.attempt, receipt.interval
    before = "" if receipt.is_new else "the same file was scored before, no attempt was used\n"
    ends = f"{interval.low:.4f} to {interval.high:.4f}"
    over = f"{interval.level * 100:g} % interval {ends} over {interval.n_units:,} {interval.unit}"
    note = "" if attempt.is_shown else f" (shown as attempt {attempt.shown_number}: no sure improvement)"
    value = "" if attempt.score == attempt.macro_f1 else f"score {attempt.score:.4f}, "
    return (
        f"{before}{receipt.team}, attempt {attempt.number}{note}: {value}macro-F1 {attempt.macro_f1:.4f} ({over}), "
        f"{name_metrics(attempt.metrics)}\n"
        f"rank {receipt.rank} of {receipt.n_ranked}, {format_count(receipt.n_left, 'attempt')} left"
    )


def _describe_closing(rules: Rules) -> str:
    from leaderboard.deadline import describe_for_reader

    if rules.deadline is None:
        return "no deadline"
    verb = "closes" if current_time() <= rules.deadline else "closed"
    return f"{verb} at {describe_for_reader(rules.deadline, current_time())}"
