"""`arena contest team`: the teams of a contest and their members."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import CONTEST_FILE, LANG_HELP, ContestPath, DryRun, Json, Wide, panels
from arena.base.terminal import Column, Number, Prose, print_json, print_table, say
from arena.base.texts import ENGLISH, list_languages
from leaderboard.cli.options import REASON_HELP, Reason, TeamName, build_decision, load_contest
from leaderboard.messages import TEXTS

if TYPE_CHECKING:
    from leaderboard.classes.class_list import ClassList
    from leaderboard.classes.handouts import HandoutSettings
    from leaderboard.classes.roster import RosterChange
    from leaderboard.store import Contest

app = typer.Typer()
team_app = typer.Typer(
    no_args_is_help=True, help="The teams of a contest and their members.", epilog="Example: `arena contest team add Alpha`"
)
app.add_typer(team_app, name="team")


class HandoutLanguage(StrEnum):
    """Languages of a handout: those that have a file of texts."""

    vars().update({code.upper(): code for code in list_languages(TEXTS)})


IN_ENGLISH = HandoutLanguage(ENGLISH)


@team_app.command("add", epilog='Example: arena contest team add "Team Alpha"')
def team_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new team's name; no other team has it in any case.")],
    baseline: Annotated[bool, typer.Option("--baseline", help="One of the host's own: shown, without rank or bonus.")] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=REASON_HELP)] = "it takes part",
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Add a team."""
    from leaderboard.actions.host import add_team

    with load_contest(contest) as opened:
        team = add_team(opened, name, build_decision(reason), is_baseline=baseline)
        print(f"{team.name} {'is a baseline of' if baseline else 'takes part in'} {opened.name}")


@team_app.command("list", epilog="Example: arena contest team list --json")
def team_list(contest: ContestPath = CONTEST_FILE, wide: Wide = False, as_json: Json = False) -> None:
    """List the teams and how many attempts each has used."""
    with load_contest(contest) as opened:
        used = [(team, len(opened.attempts(team))) for team in opened.teams()]
    if as_json:
        return print_json([{"team": team.name, "pseudonym": team.pseudonym, "n_attempts": n} for team, n in used])
    if not used:
        return say('no team yet; `arena contest team add "Team Alpha"` adds one')
    has_pseudonyms = any(team.pseudonym for team, _ in used)
    rows = [(team.name, *([team.pseudonym or ""] if has_pseudonyms else []), str(n)) for team, n in used]
    print_table((Prose("team"), *([Prose("shown as")] if has_pseudonyms else []), Number("attempts")), rows)


@team_app.command(
    "import",
    epilog="Examples: `arena contest team import class.csv --dry-run` · "
    "`arena contest team import class.csv --handouts handouts --address https://digits.example.org`",
)
@panels(
    {
        "Teams": "group_by only alone move dry_run reason",
        "Handouts": "handouts address lang zone new_tokens",
    }
)
def team_import(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="CLASS",
            help="The class list of Moodle, Canvas, Blackboard, Google Classroom or your own, as CSV; or one team a line.",
        ),
    ],
    group_by: Annotated[
        str | None,
        typer.Option("--group-by", metavar="HEADING", help="The column with the teams.", show_default="the one of groups"),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="PATTERN", help="Groups that are teams, such as 'Team *'.", show_default=False),
    ] = None,
    alone: Annotated[bool, typer.Option("--alone", help="Students without a group are a team each: Solo 1, Solo 2.")] = False,
    move: Annotated[bool, typer.Option("--move", help="Put those who changed their group into their new team.")] = False,
    handouts: Annotated[
        Path | None, typer.Option("--handouts", metavar="DIR", help="Write a sheet a team, and tokens.csv.", show_default=False)
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="The contest's page, http:// or https://.", show_default="the contest's")
    ] = None,
    lang: Annotated[HandoutLanguage, typer.Option("--lang", help=LANG_HELP)] = IN_ENGLISH,
    zone: Annotated[str | None, typer.Option(help="Time zone of the host, such as Europe/Madrid; else this machine's.")] = None,
    new_tokens: Annotated[
        bool, typer.Option("--new-tokens", help="End all earlier tokens of the teams, and hand out new ones.")
    ] = False,
    dry_run: DryRun = False,
    reason: Reason = "the class list",
    contest: ContestPath = CONTEST_FILE,
    as_json: Json = False,
) -> None:
    """Add the teams and members of a class list. Again with a changed list it adds what is new and deletes nothing."""
    from leaderboard.classes.class_list import GroupChoice, parse_class_list
    from leaderboard.classes.roster import RosterOptions, import_roster
    from leaderboard.errors import ClassListError
    from leaderboard.files.csv_table import read_file

    choice = GroupChoice(heading=group_by, pattern=only, is_alone=alone)
    roster = parse_class_list(read_file(file, ClassListError), file.name, choice)
    options = RosterOptions(is_alone=alone, moves=move, is_dry_run=dry_run)
    with load_contest(contest) as opened:
        settings = None if handouts is None else _build_settings(opened, handouts, address, lang, zone, renew=new_tokens)
        change = import_roster(opened, roster, options, build_decision(reason))
        say_change(roster, change, moves=move)
        if settings is not None and not dry_run:
            _write_handouts(opened, settings, reason)
    if as_json:
        return print_json(_to_json(change))
    if dry_run:
        say("dry run: nothing was changed")
    print(summarize_change(change))


def _build_settings(
    contest: Contest, folder: Path, address: str | None, lang: HandoutLanguage, zone: str | None, *, renew: bool
) -> HandoutSettings:
    from zoneinfo import ZoneInfo

    from leaderboard.classes.handouts import HandoutSettings
    from leaderboard.cli.serve import check_zone

    url = choose_address(contest, address)
    zone_info = None if (name := check_zone(zone)) is None else ZoneInfo(name)
    return HandoutSettings(folder=folder, address=url, language=lang, zone=zone_info, is_renewed=renew)


def choose_address(contest: Contest, address: str | None) -> str:
    """Return the address of the contest's page without its last slash: the one given, else the contest's own."""
    known = address or (contest.rules().overview or {}).get("address")
    if not known or not str(known).startswith(("http://", "https://")):
        raise typer.BadParameter(f"--address is the contest's page, such as https://digits.example.org, not {known!r}")
    return str(known).rstrip("/")


def _write_handouts(contest: Contest, settings: HandoutSettings, reason: str) -> None:
    from leaderboard.classes.handout_pages import write_handout_pages
    from leaderboard.classes.handouts import TOKENS, make_handouts
    from leaderboard.files.csv_table import format_count

    handouts = make_handouts(contest, settings, build_decision(reason))
    written, left = write_handout_pages(handouts, settings)
    say(
        f"{settings.folder}: {format_count(len(written), 'file')} written, {format_count(handouts.n_new, 'new token')}, "
        f"{handouts.n_known} as before; {TOKENS} holds all of them and is yours alone: hand out the sheets, not the folder"
    )
    if handouts.n_unknown:
        n = format_count(handouts.n_unknown, "token")
        rule = "handed out before cannot be printed again, since hashes alone are kept"
        say(f"{n} {rule}; --new-tokens ends them and makes new ones")
    for name in left:
        say(f"{settings.folder / name} stays as it is: it may hold such a token")


def say_change(roster: ClassList, change: RosterChange, *, moves: bool) -> None:
    """Say what is odd in a class list, and what was left as it is."""
    for note in roster.notes:
        say(f"note: {note}")
    if roster.group_heading is not None:
        say(f"teams by the column {roster.group_heading!r}")
    for move in change.moves:
        what = "moved" if moves else "is in another group now and was not moved (--move does it)"
        say(f"{move.person.name}: {what}: {move.before} to {move.after}")
    for placement in change.gone:
        who = f"{placement.person.name} of {placement.team}"
        say(f"{who} is not in the list any more and stays; `arena contest team forget` ends that")
    for person in change.without_group:
        say(f"{person.name} has no group and was not added (--alone makes a team of one)")


def summarize_change(change: RosterChange) -> str:
    """Return `2 teams and 5 members new, 0 updated, 3 as before`."""
    from leaderboard.files.csv_table import format_count

    parts = [
        f"{format_count(len(change.new_teams), 'team')} and {format_count(len(change.new_members), 'member')} new",
        f"{change.n_updated:,} updated",
        f"{change.n_unchanged:,} as before",
    ]
    return ", ".join(parts)


def _to_json(change: RosterChange) -> dict[str, object]:
    return {
        "new_teams": change.new_teams,
        "new_members": [{"name": placement.person.name, "team": placement.team} for placement in change.new_members],
        "n_updated": change.n_updated,
        "n_unchanged": change.n_unchanged,
        "moves": [{"name": move.person.name, "before": move.before, "after": move.after} for move in change.moves],
        "gone": [{"name": placement.person.name, "team": placement.team} for placement in change.gone],
        "without_group": [person.name for person in change.without_group],
    }


@team_app.command("show", epilog="Example: arena contest team show Alpha")
def team_show(team: TeamName, contest: ContestPath = CONTEST_FILE, wide: Wide = False, as_json: Json = False) -> None:
    """Show a team's members, their tokens and the last use of each. For the host's eyes."""
    from leaderboard.classes.members import list_holders
    from leaderboard.deadline import describe

    with load_contest(contest) as opened:
        holders = list_holders(opened, opened.team(team))
    if as_json:
        return print_json([holder.to_json() for holder in holders])
    columns = (Prose("member"), Column("e-mail"), Column("login"), Column("id"), Number("tokens"), Column("last use", 2))
    rows = [
        (
            "the whole team" if holder.person is None else holder.person.name,
            *(("", "", "") if holder.person is None else (value or "" for value in holder.person.shown_ids)),
            str(holder.n_tokens),
            "never" if holder.used_at is None else describe(holder.used_at),
        )
        for holder in holders
    ]
    print_table(columns, rows)


@team_app.command(
    "forget",
    epilog='Examples: `arena contest team forget ana@example.org --reason "she asked for it"` · '
    '`arena contest team forget --team Alpha --reason "the term is over"`',
)
def team_forget(
    reason: Reason,
    who: Annotated[
        str | None, typer.Argument(metavar="MEMBER", help="Their e-mail, login, id or name.", show_default=False)
    ] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="TEAM", help="The team's name, in any case.")] = None,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Delete name, e-mail, ids and tokens of a member, or of a whole team's members. Attempts stay."""
    from leaderboard.classes.member_tokens import forget_members
    from leaderboard.files.csv_table import format_count

    if who is None and team is None:
        raise typer.BadParameter("name a member by e-mail, login, id or name, or all members of a team with --team")
    with load_contest(contest) as opened:
        n = forget_members(opened, who, None if team is None else opened.team(team), build_decision(reason))
    print(f"{format_count(n, 'member')} forgotten: name, e-mail, ids and tokens; the attempts stay")
    say("backups, handouts, tokens.csv, gradebooks and class lists still hold them: delete those too")
