"""Decisions of a contest's host, from `arena contest extend` to `rescore`: each has a reason and stands in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath, DryRun, Json, Wide
from arena.base.terminal import Column, Number, Prose, print_json, print_table, say
from leaderboard.cli.options import (
    YES_HINT,
    Pseudonym,
    Reason,
    Remove,
    SolutionFile,
    TeamName,
    build_decision,
    current_time,
    load_contest,
)

if TYPE_CHECKING:
    from datetime import datetime

    from leaderboard.actions.host import HostDecision
    from leaderboard.actions.merge_teams import AttemptMove
    from leaderboard.actions.rescore import RescoredAttempt, Rescoring


app = typer.Typer()


@app.command(
    epilog='Examples: `arena contest extend 2026-12-02T18:00+01:00 --reason "the cluster was down"` · '
    '`arena contest extend 2026-12-03T18:00+01:00 --team "Team Alpha" --reason "two late days"`'
)
def extend(
    reason: Reason,
    deadline: Annotated[
        str | None,
        typer.Argument(
            metavar="DEADLINE",
            help="The new last moment: ISO 8601 with its offset, later than the old one.",
            show_default=False,
        ),
    ] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="TEAM", help="For this team alone.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take a team's own deadline back.")] = False,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Move the deadline to a later moment, for all or for one team."""
    from leaderboard.deadline import parse_deadline

    if remove and (team is None or deadline is not None):
        raise typer.BadParameter("--remove takes back the own deadline of a --team, and goes without a new one")
    if deadline is None and not remove:
        raise typer.BadParameter("give the new deadline, such as 2026-12-02T18:00+01:00")
    last = None if deadline is None else parse_deadline(deadline)
    if team is not None:
        return _extend_team(contest, team, last, build_decision(reason))
    assert last is not None
    _extend_all(contest, last, build_decision(reason))


def _extend_team(contest: str, name: str, last: datetime | None, decision: HostDecision) -> None:
    from leaderboard.actions.host import extend_team
    from leaderboard.deadline import describe_for_reader

    with load_contest(contest) as opened:
        team = extend_team(opened, opened.team(name), last, decision)
        rules = opened.rules()
    if last is None:
        return print(f"{team.name} has no deadline of its own any more")
    closed = ", once `arena contest reopen` opens the contest" if rules.is_closed else ""
    print(f"submissions of {team.name} count until {describe_for_reader(last, current_time())}{closed}")


def _extend_all(contest: str, last: datetime, decision: HostDecision) -> None:
    from leaderboard.actions.host import extend_deadline
    from leaderboard.deadline import describe_for_reader

    with load_contest(contest) as opened:
        extend_deadline(opened, last, decision)
        is_closed = opened.rules().closed_at is not None
    moment = describe_for_reader(last, current_time())
    if is_closed:
        print(f"the deadline is {moment}, the contest stays closed until `arena contest reopen`")
    else:
        print(f"submissions count until {moment}")


@app.command(epilog='Example: arena contest close --reason "the lecture begins"')
def close(
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Also with 0 for teams whose models were not run.")] = False,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """End the contest: nothing counts any more, and private or hidden scores decide and are shown, where it has them."""
    from leaderboard.actions.host import close_contest
    from leaderboard.errors import ContestError, ModelsNotRun
    from leaderboard.standings import Part

    with load_contest(contest) as opened:
        try:
            close_contest(opened, build_decision(reason), yes=yes)
        except ModelsNotRun as error:
            raise ContestError(f"{error}{YES_HINT}") from error
        board = opened.board()
    print(f"{board.rules.name} is closed and ranks by the {board.part} scores; {board.sentence}")
    without = [line.team for line in board.lines if line.model is None]
    if board.part is Part.HIDDEN and without:
        say(f"without a model, and so with 0: {', '.join(without)}")


@app.command(epilog='Example: arena contest reopen --reason "closed a day too early"')
def reopen(reason: Reason, contest: ContestPath = CONTEST_FILE) -> None:
    """Take submissions again, until the deadline. Private scores that were seen cannot be unseen."""
    from leaderboard.actions.host import reopen_contest

    with load_contest(contest) as opened:
        reopen_contest(opened, build_decision(reason))
        print(f"{opened.name} takes submissions again")


@app.command(epilog='Example: arena contest grant "Team Alpha" --reason "the server lost their third file"')
def grant(
    team: TeamName,
    reason: Reason,
    n_attempts: Annotated[int, typer.Option("--n-attempts", metavar="N", min=1, help="How many more.")] = 1,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Allow a team attempts beyond its three."""
    from leaderboard.actions.host import grant_attempts

    with load_contest(contest) as opened:
        granted = grant_attempts(opened, opened.team(team), n_attempts, build_decision(reason))
    print(f"{granted.name} has {granted.n_allowed} attempts")


@app.command(epilog='Example: arena contest void "Team Alpha" 2 --reason "they sent last week\'s file"')
def void(
    team: TeamName,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Which attempt, from 1.")],
    reason: Reason,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Take a wrong upload out of the ranking and give its team another attempt. The upload stays stored, with its score."""
    from leaderboard.actions.host import void_attempt

    with load_contest(contest) as opened:
        voided = void_attempt(opened, opened.team(team), number, build_decision(reason))
        n_left = voided.n_allowed - len(opened.attempts(voided))
    print(f"attempt {number} of {voided.name} no longer counts; they have {n_left} left")


@app.command("disqualify", epilog='Example: arena contest disqualify "Team Alpha" --reason "labelled the test audio by ear"')
def disqualify_command(team: TeamName, reason: Reason, contest: ContestPath = CONTEST_FILE) -> None:
    """Take a team out of the ranking; `reinstate` takes it back, with its attempts."""
    from leaderboard.actions import host

    with load_contest(contest) as opened:
        host.disqualify(opened, opened.team(team), build_decision(reason))
    print(f"{team} has no rank and sends nothing until `arena contest reinstate`")


@app.command("reinstate", epilog='Example: arena contest reinstate "Team Alpha" --reason "it was another team"')
def reinstate_command(team: TeamName, reason: Reason, contest: ContestPath = CONTEST_FILE) -> None:
    """Take a disqualified team back."""
    from leaderboard.actions import host

    with load_contest(contest) as opened:
        host.reinstate(opened, opened.team(team), build_decision(reason))
    print(f"{team} takes part again")


@app.command("rename", epilog='Example: arena contest rename "Team Alpha" "Team Omega" --reason "they asked for it"')
def rename_command(
    team: TeamName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name; no other team has it in any case.")],
    reason: Reason,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Give a team another name."""
    from leaderboard.actions import host

    with load_contest(contest) as opened:
        renamed = host.rename(opened, opened.team(team), name, build_decision(reason))
    print(f"{team} is {renamed.name} now")


@app.command(
    epilog='Examples: `arena contest pseudonym "Team Alpha" Nightjar --reason "they asked for it"` · '
    '`arena contest pseudonym "Team Alpha" --remove --reason "not a name for a class"`',
)
def pseudonym(
    team: TeamName,
    reason: Reason,
    name: Pseudonym = None,
    remove: Remove = False,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Show a team to others under another name. A team does it itself on its page, or with `arena pseudonym`."""
    from leaderboard.actions import host

    if (name is None) is not remove:
        raise typer.BadParameter("give the pseudonym, or --remove to show the team's name again")
    with load_contest(contest) as opened:
        renamed = host.assign_pseudonym(opened, opened.team(team), name, build_decision(reason))
    print(f"others see {renamed.name} as {renamed.shown_as}" if renamed.pseudonym else f"others see {renamed.name} by its name")


@app.command(epilog='Example: arena contest merge "Team Beta" --into "Team Alpha" --reason "two of them left" --dry-run')
def merge(
    team: TeamName,
    into: Annotated[str, typer.Option(metavar="TEAM", help="The team that stays.")],
    reason: Reason,
    dry_run: DryRun = False,
    wide: Wide = False,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Make one team of two. The attempts of both that arrived first count, up to the limit; the rest no longer does."""
    from leaderboard.actions.merge_teams import merge_teams

    with load_contest(contest) as opened:
        moves = merge_teams(opened, opened.team(team), opened.team(into), build_decision(reason), is_dry_run=dry_run)
    columns = (Prose("team"), Number("attempt"), Column("arrived", 2), Column("file"), Column("becomes"))
    print_table(columns, [_format_move(move) for move in moves])
    say("dry run: nothing was changed" if dry_run else f"{team} is part of {into} now, and its tokens are tokens of {into}")


def _format_move(move: AttemptMove) -> tuple[str, ...]:
    from leaderboard.deadline import describe

    becomes = "no longer counts" if move.new_number is None else f"attempt {move.new_number}"
    return move.team, str(move.number), describe(move.arrived_at), move.file_name, becomes


@app.command("rescore", epilog='Example: arena contest rescore corrected.csv --reason "clip_0417 is a 6" --dry-run')
def rescore_command(
    solution: SolutionFile,
    reason: Reason,
    dry_run: DryRun = False,
    wide: Wide = False,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Score every attempt again by a corrected solution with the same ids. The old scores are kept."""
    from leaderboard.actions.rescore import rescore
    from leaderboard.errors import SolutionError
    from leaderboard.files.csv_table import format_count, read_file
    from leaderboard.files.solution import parse_solution

    corrected = parse_solution(read_file(solution, SolutionError), solution.name)
    with load_contest(contest) as opened:
        result = rescore(opened, corrected, build_decision(reason), is_dry_run=dry_run)
    public, private = ((Number(f"{part} before"), Number("after")) for part in ("public", "private"))
    columns = (Prose("team"), Number("attempt"), *public, *private)
    print_table(columns, [_format_rescored(attempt) for attempt in result.attempts])
    say(f"{format_count(result.n_rows_changed, 'row')} of the solution changed{_describe_ranks(result)}")
    say("dry run: nothing was changed" if dry_run else "the old scores are kept; `arena contest standings` shows the new ones")


def _format_rescored(attempt: RescoredAttempt) -> tuple[str, ...]:
    scores = (attempt.public_before, attempt.public_after, attempt.private_before, attempt.private_after)
    return attempt.team, str(attempt.number), *("" if score is None else f"{score:.4f}" for score in scores)


def _describe_ranks(result: Rescoring) -> str:
    after = result.ranks_after
    if after is None:
        return ""
    moved = [f"{team} {rank} to {after[team]}" for team, rank in result.ranks_before.items() if after[team] != rank]
    return f"; public ranks that changed: {', '.join(moved) or 'none'}"


@app.command(epilog="Example: arena contest log --json")
def log(contest: ContestPath = CONTEST_FILE, wide: Wide = False, as_json: Json = False) -> None:
    """Show what the host did, when and why. The database lets nobody change it."""
    from leaderboard.deadline import describe

    with load_contest(contest) as opened:
        entries = opened.log()
    if as_json:
        names = ("id", "action", "actor", "team", "reason", "details")
        return print_json([{n: getattr(e, n) for n in names} | {"done_at": e.done_at.isoformat()} for e in entries])
    rows = [(describe(e.done_at), e.actor, e.action, e.team or "", e.change, e.reason) for e in entries]
    texts = (Prose("action"), Prose("team"), Prose("change", 3), Prose("reason"))
    columns = (Prose("when", 2), Prose("by", silent="host"), *texts)
    print_table(columns, rows)
