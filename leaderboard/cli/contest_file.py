"""`arena contest init`, `apply` and `config`: a contest made of a file, changed by it, and written as one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath, DryRun, Json, Wide
from arena.base.terminal import Prose, print_json, print_table, say
from leaderboard.cli.options import YES_HINT, build_decision, current_time, load_contest, to_plain
from leaderboard.cli.team import say_change, summarize_change
from leaderboard.rules import N_REFUSALS_PER_HOUR, DetailsFrom, RankBy, Rules, Ties

if TYPE_CHECKING:
    from leaderboard.classes.class_list import ClassList
    from leaderboard.classes.roster import RosterChange
    from leaderboard.contest_file.read import ContestFile
    from leaderboard.database.create import ContestSettings
    from leaderboard.files.solution import Solution
    from leaderboard.store import Contest

app = typer.Typer()
_NEXT = "next: `arena contest host-token new --name NAME` makes the token that you sign in with on the contest's site"
_YAML = (".yaml", ".yml")
_DURING = (
    "teams see confusion matrices while the contest runs: three attempts that ask for labels instead of answering "
    "lifted a macro-F1 from 0.76 to 0.91"
)
Source = Annotated[
    Path, typer.Argument(metavar="SOLUTION", help="The true labels, CSV, or a contest.yaml (`arena contest config --example`).")
]
YamlFile = Annotated[Path, typer.Argument(metavar="YAML", help="A contest.yaml, as `arena contest config` prints it.")]
MetricFile = Annotated[
    Path | None, typer.Option(metavar="FILE.py", help="Your own score(solution, submission, row_id_column_name), as on Kaggle.")
]


@app.command(epilog='Example: arena contest init solution.csv --name "Digits 2026" --deadline 2026-12-01T18:00+01:00')
def init(
    source: Source,
    name: Annotated[str, typer.Option(help="What the contest is called.", show_default=False)] = "",
    deadline: Annotated[str | None, typer.Option(help="The last moment that counts: ISO 8601 with its offset.")] = None,
    metric: MetricFile = None,
    lower_is_better: Annotated[bool, typer.Option("--lower-is-better", help="Of the metric's values.")] = False,
    ties: Annotated[Ties, typer.Option(help="Equal scores share a rank, or the earlier one stands above.")] = Ties.SHARE,
    ladder: Annotated[bool, typer.Option("--ladder", help="Show a new public score only where it is surely better.")] = False,
    refusals: Annotated[
        int, typer.Option(min=1, help="Files an hour that a team may send and that cannot be scored.")
    ] = N_REFUSALS_PER_HOUR,
    details: Annotated[
        DetailsFrom, typer.Option(help="When teams see confusion matrices, which give labels away.")
    ] = DetailsFrom.CLOSE,
    rank: Annotated[RankBy, typer.Option(help="Rank by the submission, or by its model on hidden recordings.")] = RankBy.SCORE,
    yes: Annotated[bool, typer.Option("--yes", help="Go on although the file looks like a slip.")] = False,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Make a contest from the true labels, or from a contest.yaml. Never overwrites one."""
    from leaderboard.database.create import ContestSettings
    from leaderboard.errors import SolutionError
    from leaderboard.files.csv_table import read_file
    from leaderboard.files.pack_files import read_pack_files
    from leaderboard.rules import STRING_METRICS
    from leaderboard.scoring.custom_metric import name_metric

    if source.suffix.lower() in _YAML:
        given = {"--name": name, "--deadline": deadline, "--metric": metric, "--lower-is-better": lower_is_better}
        given |= {"--ties": ties != Ties.SHARE, "--ladder": ladder, "--refusals": refusals != N_REFUSALS_PER_HOUR}
        given |= {"--details": details != DetailsFrom.CLOSE, "--rank": rank != RankBy.SCORE}
        _refuse_options([option for option, value in given.items() if value], source)
        return _print_created(_create_from_yaml(source, contest, yes=yes), contest)
    if not name:
        raise typer.BadParameter("a contest has a name; give --name, or a contest.yaml that says it")
    pack = read_pack_files(source)
    settings = ContestSettings(
        metric=None if metric is None or metric.name in STRING_METRICS else read_file(metric, SolutionError),
        metric_name=name_metric(None if metric is None else metric.name),
        is_lower_better=lower_is_better,
        ties=ties,
        is_ladder=ladder,
        n_refusals_per_hour=refusals,
        details=details,
        rank_by=rank,
        hidden=pack.hidden,
        rate_hz=pack.rate_hz,
    )
    _print_created(_create_from_csv(source, contest, name, deadline, settings, yes=yes), contest)


def _refuse_options(options: list[str], source: Path) -> None:
    """Refuse rules on the command line beside a file of rules."""
    if options:
        raise typer.BadParameter(f"{source.name} holds the rules and {options[0]} is one more; write it into the file")


def _create_from_yaml(path: Path, contest: str | Path, *, yes: bool) -> Contest:
    from leaderboard.contest_file.create import create_from_file, read_solution
    from leaderboard.contest_file.read import read_contest_file

    file = read_contest_file(path)
    solution = read_solution(file)
    roster = _read_roster(file)
    _check_solution(solution, file.values["solution"].name, yes=yes)
    created = create_from_file(file, solution, contest, current_time())
    if roster is not None:
        _import_roster(created, roster, "the class list")
    return created


def _read_roster(file: ContestFile) -> ClassList | None:
    """Return the class list that the file names, read before anything is made or changed."""
    from leaderboard.classes.class_list import GroupChoice, parse_class_list
    from leaderboard.errors import ClassListError
    from leaderboard.files.csv_table import read_file

    path = file.values.get("teams")
    return parse_class_list(read_file(path, ClassListError), path.name, GroupChoice()) if isinstance(path, Path) else None


def _import_roster(contest: Contest, roster: ClassList, reason: str, *, is_dry_run: bool = False) -> RosterChange:
    """Add what is new in a class list, as `arena contest team import` does without options."""
    from leaderboard.classes.roster import RosterOptions, import_roster

    change = import_roster(contest, roster, RosterOptions(is_dry_run=is_dry_run), build_decision(reason))
    if not is_dry_run:
        say_change(roster, change, moves=False)
        say(summarize_change(change))
    return change


def _create_from_csv(
    path: Path, contest: str | Path, name: str, deadline: str | None, settings: ContestSettings, *, yes: bool
) -> Contest:
    from leaderboard.deadline import parse_deadline
    from leaderboard.errors import SolutionError
    from leaderboard.files.csv_table import read_file
    from leaderboard.files.solution import parse_solution
    from leaderboard.store import create_contest

    solution = parse_solution(read_file(path, SolutionError), path.name)
    last = None if deadline is None else parse_deadline(deadline)
    _check_solution(solution, path.name, yes=yes)
    return create_contest(contest, solution=solution, name=name, now=current_time(), deadline=last, settings=settings)


def _check_solution(solution: Solution, file_name: str, *, yes: bool) -> None:
    """Refuse a solution that looks like a slip, and say what is odd in one."""
    from leaderboard.errors import ContestError, SolutionError
    from leaderboard.files.solution_doubts import check_doubts, list_remarks

    if not yes:
        try:
            check_doubts(solution, file_name)
        except SolutionError as error:
            raise ContestError(f"{error}{YES_HINT}") from error
    for remark in list_remarks(solution):
        say(f"{file_name}: {remark}")


def _print_created(created: Contest, location: str | Path) -> None:
    from leaderboard.scoring.power import describe_power

    with created:
        rules = created.rules()
        facts = _describe_solution(created.solution)
        if n_teams := len(created.teams()):
            facts += f", {n_teams:,} team{'s' if n_teams > 1 else ''}"
        if rules.details is DetailsFrom.DURING:
            say(_DURING)
        if rules.is_tested and not rules.has_strings:
            say(describe_power(created.solution))
        if created.hidden_part is not None:
            facts += f"; models are verified on {len(created.hidden_part.ids):,} hidden recordings too"
        print(f"{created.name}: {str(location).split('@')[-1]} holds {facts}; {_describe_closing(rules)}")
    say(_NEXT)


def _describe_solution(solution: Solution) -> str:
    from leaderboard.files.csv_table import format_count
    from leaderboard.files.solution import LabelList

    facts = [
        format_count(len(solution.ids), "id"),
        "strings of digits" if solution.strings else f"labels {LabelList(solution.labels)}",
    ]
    if solution.groups:
        facts.append(format_count(len(solution.groups), "speaker"))
    if solution.has_private:
        facts.append(f"{int(solution.is_public.sum()):,} ids public")
    if n_ignored := len(solution.ids) - len(solution.scored):
        facts.append(f"{n_ignored:,} ignored")
    return ", ".join(facts)


def _describe_closing(rules: Rules) -> str:
    from leaderboard.deadline import describe_for_reader

    if rules.deadline is None:
        return "no deadline"
    verb = "closes" if current_time() <= rules.deadline else "closed"
    return f"{verb} at {describe_for_reader(rules.deadline, current_time())}"


@app.command(
    epilog="Examples: `arena contest apply contest.yaml --dry-run` · "
    '`arena contest apply contest.yaml --reason "the rules name the licence"`'
)
def apply(
    file: YamlFile,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the log.", show_default=False)
    ] = "",
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Change without asking.")] = False,
    contest: ContestPath = CONTEST_FILE,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Show how a contest.yaml differs from the running contest, ask, and change the contest. A key that it leaves out stays."""
    from leaderboard.contest_file.changes import apply_changes, find_changes
    from leaderboard.contest_file.read import read_contest_file
    from leaderboard.errors import ContestError

    wanted = read_contest_file(file)
    roster = _read_roster(wanted)
    with load_contest(contest) as opened:
        changes = find_changes(wanted, opened)
        listed = None if roster is None else _import_roster(opened, roster, "what would change", is_dry_run=True)
        is_same = not changes and (listed is None or listed.is_empty)
        if as_json:
            print_json([to_plain(change) for change in changes])
        elif is_same:
            say(f"{file.name} and {opened.name} agree; nothing is changed")
        elif changes:
            print_table((Prose("key"), Prose("now"), Prose("then")), [change.words for change in changes])
        if listed is not None and not listed.is_empty:
            say(f"class list: {summarize_change(listed)}")
        if dry_run or is_same:
            return
        decision = build_decision(reason)
        if not yes and not sys.stdin.isatty():
            raise ContestError("`arena contest apply` asks before it changes, and this is no terminal; add --yes, or --dry-run")
        if not yes:
            typer.confirm(f"Change {opened.name} so?", abort=True, err=True)
        n = len(apply_changes(wanted, opened, decision))
        if roster is not None:
            _import_roster(opened, roster, reason)
    say(f"{n} change{'s' if n > 1 else ''} made, each with its line in `arena contest log`")


@app.command(
    epilog="Examples: `arena contest config > contest.yaml` · `arena contest config --example > contest.yaml` · "
    "`arena contest config --out next-year`"
)
def config(
    example: Annotated[bool, typer.Option("--example", help="A commented file to start from.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="A new folder for the file and all that it names.", show_default=False),
    ] = None,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Print the running contest as a contest.yaml, which `apply` takes back after you have edited it."""
    from leaderboard.contest_file.current import read_current
    from leaderboard.contest_file.write import read_example, write_contest_file, write_contest_folder

    if example:
        return print(read_example(), end="")
    with load_contest(contest) as opened:
        if out is not None:
            n = len(write_contest_folder(opened, out))
            return say(f"{out} holds {n} files; the solution is among them, so the folder is yours alone")
        print(write_contest_file(read_current(opened)), end="")
