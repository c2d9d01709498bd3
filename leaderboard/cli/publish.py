"""`arena contest publish` and `score`: results as files for web pages and other platforms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath, out_option
from leaderboard.cli.options import YES_HINT, SolutionFile, SubmissionFile, Yes, current_time, load_contest, write_text

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
