"""`arena contest`: make a contest, name its teams, check and send submissions, show attempts and standings."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena_terminal import JSON_HELP, print_json, print_table, say

if TYPE_CHECKING:
    from leaderboard.entry import Receipt
    from leaderboard.solution import Solution
    from leaderboard.statistics import Interval
    from leaderboard.store import Contest

app = typer.Typer(no_args_is_help=True, help="A contest: a solution file, teams, three attempts each, standings.")
team_app = typer.Typer(no_args_is_help=True, help="The teams of a contest.")
app.add_typer(team_app, name="team")

Where = Annotated[str, typer.Option("--contest", metavar="PATH", help="The contest: a SQLite file, or a postgresql:// URL.")]
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
Truth = Annotated[Path, typer.Argument(help="CSV: id,label and optionally Usage (Public or Private) and Group (the speaker).")]
File = Annotated[Path, typer.Argument(help="CSV: id,label and optionally one probability per class.")]
TeamName = Annotated[str, typer.Argument(help="The team's name, in any case.")]
_HERE = "contest.db"


@app.command(epilog='Example: arena contest init solution.csv --name "Digits 2026" --deadline 2026-12-01T18:00+01:00')
def init(
    solution: Truth,
    name: Annotated[str, typer.Option(help="What the contest is called.")],
    deadline: Annotated[str | None, typer.Option(help="The last moment that counts: ISO 8601 with its offset.")] = None,
    contest: Where = _HERE,
) -> None:
    """Make a contest from the true labels. Never overwrites one."""
    from leaderboard.deadline import parse_deadline
    from leaderboard.errors import SolutionError
    from leaderboard.solution import odd_labels, parse_solution
    from leaderboard.store import create_contest
    from leaderboard.table import read_file

    truth = parse_solution(read_file(solution, SolutionError), solution.name)
    last = None if deadline is None else parse_deadline(deadline)
    for remark in odd_labels(truth):
        say(f"{solution.name}: {remark}")
    with create_contest(contest, solution=truth, name=name, now=_now(), deadline=last) as made:
        print(f"{made.name}: {contest} holds {_facts(truth)}; {_closing(made)}")


def _facts(solution: Solution) -> str:
    from leaderboard.solution import describe_labels
    from leaderboard.table import counted

    facts = [counted(len(solution.ids), "id"), f"labels {describe_labels(solution.labels)}"]
    if solution.groups:
        facts.append(counted(len(solution.groups), "speaker"))
    if solution.has_private:
        facts.append(f"{int(solution.is_public.sum()):,} ids public")
    return ", ".join(facts)


@team_app.command("add", epilog='Example: arena contest team add "Team Alpha"')
def team_add(
    name: Annotated[str, typer.Argument(help="The new team's name; no other team has it in any case.")],
    contest: Where = _HERE,
) -> None:
    """Add a team."""
    with _open(contest) as opened:
        team = opened.add_team(name, _now())
        print(f"{team.name} takes part in {opened.name}")


@team_app.command("list", epilog="Example: arena contest team list --json")
def team_list(contest: Where = _HERE, as_json: AsJson = False) -> None:
    """List the teams and how many attempts each has used."""
    with _open(contest) as opened:
        used = [(team.name, len(opened.attempts(team))) for team in opened.teams()]
    if as_json:
        return print_json([{"team": name, "n_attempts": n} for name, n in used])
    print_table(("team", "#attempts"), [(name, str(n)) for name, n in used])


@app.command(epilog="Example: arena contest validate submission.csv")
def validate(file: File, contest: Where = _HERE, as_json: AsJson = False) -> None:
    """Check a file as often as you like: its form only, never a score; costs no attempt."""
    from leaderboard import entry
    from leaderboard.errors import SubmissionError
    from leaderboard.table import read_file

    with _open(contest) as opened:
        checked = entry.validate(opened, read_file(file, SubmissionError), file.name)
    n_rows, has_probabilities = len(checked.predicted), checked.probabilities is not None
    if as_json:
        return print_json({"file": file.name, "n_rows": n_rows, "has_probabilities": has_probabilities})
    print(f"{file.name} can be sent: {n_rows:,} rows, {'with' if has_probabilities else 'without'} probabilities")


@app.command(epilog='Example: arena contest submit "Team Alpha" submission.csv')
def submit(team: TeamName, file: File, contest: Where = _HERE, as_json: AsJson = False) -> None:
    """Score a file as one of the team's three attempts. A refused file costs none, the same file is scored once."""
    from leaderboard import entry
    from leaderboard.errors import SubmissionError
    from leaderboard.table import read_file

    with _open(contest) as opened:
        receipt = entry.submit(opened, team, read_file(file, SubmissionError), file.name, _now())
    if as_json:
        return print_json(_plain(receipt))
    print(_receipt_text(receipt))


def _receipt_text(receipt: Receipt) -> str:
    from leaderboard.table import counted

    attempt, interval = receipt.attempt, receipt.interval
    before = "" if receipt.is_new else "the same file was scored before, no attempt was used\n"
    over = f"{interval.level * 100:g} % interval {_range(interval)} over {interval.n_units:,} {interval.unit}"
    return (
        f"{before}{receipt.team}, attempt {attempt.number}: macro-F1 {_score(attempt.macro_f1)} ({over}), "
        f"accuracy {_score(attempt.accuracy)}\n"
        f"rank {receipt.rank} of {receipt.n_ranked}, {counted(receipt.n_left, 'attempt')} left"
    )


@app.command(epilog='Example: arena contest attempts "Team Alpha" --json')
def attempts(team: TeamName, contest: Where = _HERE, as_json: AsJson = False) -> None:
    """Show what a team has sent and reached."""
    from leaderboard.deadline import describe

    with _open(contest) as opened:
        sent = opened.attempts(opened.team(team))
    if as_json:
        return print_json([_plain(attempt) for attempt in sent])
    columns = ("#attempt", "#macro-F1", "#accuracy", "arrived", "file")
    rows = [(str(a.number), _score(a.macro_f1), _score(a.accuracy), describe(a.arrived_at), a.file_name) for a in sent]
    print_table(columns, rows)


@app.command(epilog="Example: arena contest standings --json")
def standings(
    contest: Where = _HERE,
    private: Annotated[bool, typer.Option("--private", help="Rank by the private rows; for the host's eyes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Rank the teams by the macro-F1 of their best attempt; equal scores share a rank."""
    from leaderboard.grading import Part

    with _open(contest) as opened:
        lines = opened.standings(Part.PRIVATE if private else Part.PUBLIC)
        if as_json:
            return print_json([_plain(line) for line in lines])
        columns = ("#rank", "team", "#macro-F1", "#95 % interval", "#accuracy", "#attempts")
        rows = [
            (str(s.rank), s.team, _score(s.macro_f1), _range(s.interval), _score(s.accuracy), str(s.n_attempts)) for s in lines
        ]
        print_table(columns, rows, title=opened.name)
        over = f"intervals are over {lines[0].interval.n_units:,} {lines[0].interval.unit}" if lines else "no attempt yet"
        say(f"{_closing(opened)}; {over}")


def _open(contest: str) -> Contest:
    from leaderboard.store import open_contest

    return open_contest(contest)


def _closing(contest: Contest) -> str:
    from leaderboard.deadline import describe

    if contest.deadline is None:
        return "no deadline"
    return f"{'closes' if _now() <= contest.deadline else 'closed'} at {describe(contest.deadline)}"


def _score(value: float) -> str:
    return f"{value:.4f}"


def _range(interval: Interval) -> str:
    return f"{_score(interval.low)} to {_score(interval.high)}"


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(dataclasses.asdict(value), default=datetime.isoformat))


def _now() -> datetime:
    return datetime.now(UTC)
