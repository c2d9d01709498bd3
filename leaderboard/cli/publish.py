"""`arena contest publish`, `gradebook` and `score`: results as files for web pages, grades and other platforms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath, out_option
from arena.base.terminal import say
from leaderboard.cli.options import YES_HINT, SolutionFile, SubmissionFile, Yes, current_time, load_contest

app = typer.Typer()


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


@app.command(epilog="Example: arena contest gradebook grades.csv --bonus 10")
def gradebook(
    file: Annotated[
        Path, typer.Argument(metavar="OUT", help="The CSV file to write: team, rank, score, attempts, bonus, basis.")
    ],
    bonus: Annotated[float, typer.Option(min=0, help="Points for the winner; all who share the first rank get them.")] = 10.0,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Write one row per team with the winner's bonus points."""
    from leaderboard.actions.gradebook import gradebook_csv

    with load_contest(contest) as opened:
        _write(file, gradebook_csv(opened, bonus))
        if not opened.rules().is_closed:
            say("the contest is not closed: these grades are by the public scores so far (`arena contest close` ends it)")
    print(file)


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
        _write(out, text)


def _write(path: Path, text: str) -> None:
    from leaderboard.errors import ContestError

    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise ContestError(f"{path} cannot be written ({error.strerror}); choose another place") from error
