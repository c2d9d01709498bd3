"""`arena contest publish`, `gradebook` and `score`: results as files for web pages, grades and other platforms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath, out_option, panels
from arena.base.terminal import say
from leaderboard.cli.options import (
    YES_HINT,
    SolutionFile,
    SubmissionFile,
    Yes,
    current_time,
    load_contest,
    write_bytes,
    write_text,
)
from leaderboard.points import PointsBy

if TYPE_CHECKING:
    from leaderboard.classes.gradebook import CsvForm, ModelCondition, TeamGrade

app = typer.Typer()
_SEPARATORS = {",": ",", ";": ";", "tab": "\t", "\t": "\t"}


@app.command("publish", epilog="Example: arena contest publish site/ --contest contest.db")
def publish_command(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Where the files go; made where it is not there.")],
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Write the standings as web pages, CSV and JSON for any web space. Private scores only after the contest is closed."""
    from leaderboard.pages.publish import publish

    with load_contest(contest) as opened:
        files = publish(opened, folder, current_time())
    print(f"{len(files)} files in {folder}: open {folder / 'index.html'}")


@app.command(
    epilog="Examples: `arena contest gradebook grades.csv --bonus 10` · "
    "`arena contest gradebook grades.csv --by rank --points 10:1` · "
    "`arena contest gradebook filled.csv --by thresholds --points 0.9:10,0.8:8 --template canvas.csv "
    '--column "Digits (1234)"`',
)
@panels(
    {
        "Points": "by bonus points unverified_too verified_only",
        "File": "template column separator bom decimal_comma",
    }
)
def gradebook(
    file: Annotated[Path, typer.Argument(metavar="OUT", help="The CSV file to write.")],
    by: Annotated[
        PointsBy,
        typer.Option(
            "--by",
            help="winner: the bonus for the first rank; rank: points by rank; thresholds: by score. Ties share.",
        ),
    ] = PointsBy.WINNER,
    bonus: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Points for the winner; all who share the first rank get them.",
            show_default="the contest's, 10",
        ),
    ] = None,
    points: Annotated[
        str | None,
        typer.Option(
            metavar="POINTS",
            help="By rank 10:1, first to last in equal steps, or 10,8,6 and then 0; by thresholds 0.9:10,0.8:8, else 0.",
            show_default=False,
        ),
    ] = None,
    unverified_too: Annotated[
        bool, typer.Option("--unverified-too", help="Points also for a model whose answers differ from the submission.")
    ] = False,
    verified_only: Annotated[
        bool,
        typer.Option("--verified-only", help="Points only where a model gave the same answers and none is in doubt."),
    ] = False,
    template: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="The learning platform's own file: one column is filled, all else stays.",
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        str | None, typer.Option(metavar="HEADING", help="The template's column for the points.", show_default=False)
    ] = None,
    separator: Annotated[str, typer.Option(help="Between cells: , or ; or tab.")] = ",",
    bom: Annotated[bool, typer.Option("--bom", help="Begin with a byte order mark, by which Excel knows UTF-8.")] = False,
    decimal_comma: Annotated[bool, typer.Option("--decimal-comma", help="Write 7,5 and not 7.5.")] = False,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Write a row per student, or per team where nobody is listed, with points. A failed verification has none."""
    from leaderboard.classes.gradebook import CsvForm, ModelCondition, compute_grades, format_gradebook
    from leaderboard.points import parse_points

    if unverified_too and verified_only:
        raise typer.BadParameter("--unverified-too and --verified-only exclude each other; give one")
    if separator not in _SEPARATORS:
        raise typer.BadParameter(f"--separator is , or ; or tab, not {separator[:10]!r}")
    if (template is None) is not (column is None):
        raise typer.BadParameter("--template and --column go together: the file, and the heading of the column to fill")
    if template is not None and (bom or separator != ","):
        raise typer.BadParameter("a template keeps its own separator and byte order mark; leave out --separator and --bom")
    form = CsvForm(separator=_SEPARATORS[separator], has_mark=bom, has_decimal_comma=decimal_comma)
    verification = ModelCondition.ALL if unverified_too else ModelCondition.VERIFIED_ALONE if verified_only else None
    with load_contest(contest) as opened:
        rules = opened.rules()
        rule = parse_points(by, points, rules.bonus if bonus is None else bonus, is_lower_better=rules.is_lower_better)
        grades = compute_grades(opened, rule, verification)
        if template is not None:
            _fill(file, template, str(column), grades, form)
        else:
            write_text(file, format_gradebook(grades, rules.metric_name, form))
        _say_remarks(grades, is_closed=rules.is_closed, verification=verification)
    print(file)


def _fill(file: Path, template: Path, column: str, grades: list[TeamGrade], form: CsvForm) -> None:
    from leaderboard.classes.lms_template import fill_column
    from leaderboard.errors import ClassListError
    from leaderboard.files.csv_table import format_count, read_file

    content = read_file(template, ClassListError)
    filled = fill_column(content, template.name, column, grades, has_decimal_comma=form.has_decimal_comma)
    write_bytes(file, filled.content)
    say(f"{format_count(filled.n_filled, 'row')} of {template.name} filled in column {column!r}, nothing else changed")
    if filled.unknown_lines:
        lines = ", ".join(str(line) for line in filled.unknown_lines)
        say(f"no member of a team answers to line {lines} of {template.name}: left as they were")
    if filled.missing:
        names = ", ".join(member.person.name for member in filled.missing)
        say(f"{template.name} does not have {names}: their points are in no row")


def _say_remarks(grades: list[TeamGrade], *, is_closed: bool, verification: ModelCondition | None) -> None:
    from leaderboard.classes.gradebook import NO_POINTS, NOT_RUN
    from leaderboard.files.csv_table import format_count

    if not is_closed:
        say("the contest is not closed: these grades are by the public scores so far (`arena contest close` ends it)")
    if n := sum(grade.model == NOT_RUN for grade in grades):
        say(f"{format_count(n, 'team')} sent a model that was not run yet: `arena contest verify --all-teams --audio FOLDER`")
    if n := sum(NO_POINTS in grade.basis for grade in grades):
        say(
            f"{format_count(n, 'team')} without points for the model's sake, see the column basis (--unverified-too gives them)"
        )


@app.command("score", epilog="Example: arena contest score solution.csv submission.csv --format codabench --out scores.json")
def score_command(
    solution: SolutionFile,
    submission: SubmissionFile,
    to: Annotated[str, typer.Option("--format", help="codabench, evalai or gradescope.")] = "codabench",
    out: Annotated[Path | None, out_option("The file to write.", show_default="standard output")] = None,
    yes: Yes = False,
) -> None:
    """Score a file by our rules, without a contest, in the form that another platform reads."""
    import json

    from leaderboard.errors import ContestError, ContradictoryLabels
    from leaderboard.scoring.platforms import FORMATS, score_submission

    if to not in FORMATS:
        raise typer.BadParameter(f"--format is one of {', '.join(FORMATS)}, not {to[:40]!r}")
    try:
        text = json.dumps(score_submission(solution, submission, to, yes=yes), indent=2) + "\n"
    except ContradictoryLabels as error:
        raise ContestError(f"{error}{YES_HINT}") from error
    if out is None:
        print(text, end="")
    else:
        write_text(out, text)
