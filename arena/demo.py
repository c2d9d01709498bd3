"""`arena demo`: the whole pipeline by the commands that a user would type, each printed before it runs."""

from __future__ import annotations

import os
import shlex
import sys
import time
import webbrowser
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.base.locks import require_posix
from arena.base.options import (
    CORPUS_HELP,
    WandbMode,
    budget_option,
    jobs_option,
    n_clips_option,
    n_speakers_option,
    out_option,
)
from arena.base.project import FILE_NAME, format_project
from arena.base.terminal import duration, is_notebook, say

if TYPE_CHECKING:
    from cnn.runs.folder import RunFolder


_N_STEPS = 9
# The nets' default widths and side views score higher on new speakers, and train six times as long.
_QUICK = ("model.width=1", "train.side_views=0")
_SEED = 2  # the searches begin with it: their first points are weak ones, so that one sees a search get better
_LONG_STUDY = "raw+aug"  # Model A's: twelve trials are the fewest that importances are computed from
_LONGER = 3
_REFRESH_S = 15
# Each submission of the contest: a team, and the model and variant it sends. Formantes tries a fourth time.
_SUBMISSIONS = (
    ("Formantes", "A", "raw"),
    ("Mel Street", "B", "raw"),
    ("Formantes", "A", "bilateral+aug"),
    ("Cepstrum Club", "A", "raw+aug"),
    ("Mel Street", "B", "bilateral+aug"),
    ("Formantes", "B", "raw+aug"),
    ("Formantes", "B", "bilateral"),
)


def demo(
    corpus: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help=CORPUS_HELP, show_default="synthetic ones are made")
    ] = None,
    out: Annotated[Path, out_option("Where all is written.")] = Path("demo"),
    n_clips: Annotated[int, n_clips_option(100)] = 1600,
    n_speakers: Annotated[int, n_speakers_option(3)] = 20,
    epochs: Annotated[int, typer.Option(min=1, help="Of each of the eight trainings.")] = 8,
    budget: Annotated[int, budget_option(show_default=True)] = 4,
    trial_epochs: Annotated[int, typer.Option(min=1, help="Of each trial.")] = 4,
    jobs: Annotated[int, jobs_option()] = 0,
    open_page: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open the report in a browser.", show_default="on a desktop's terminal"),
    ] = None,
) -> None:
    """Run the whole line: recordings, tiles, eight trainings, eight sweeps, a contest of three teams, a report.

    One study gets three times the budget. The report is there after the trainings, and grows. Run it again and it goes on
    where it stopped. Example: `arena demo --corpus ~/recordings`.
    """
    require_posix("arena demo")
    started = time.monotonic()
    folder = _workplace(corpus.expanduser().resolve() if corpus else None, out, n_clips, n_speakers)
    page = folder / "report.html"
    with chdir(folder):
        _trainings(epochs, jobs)
        _step(4, "a first report, which grows")
        _early_report()
        say(f"{page} is there after {duration(time.monotonic() - started)}")
        if _is_desktop() if open_page is None else open_page:
            webbrowser.open(page.as_uri())
        _sweeps(budget, trial_epochs, jobs)
        _early_report()
        _contest(epochs)
        _report()
    say(f"the whole line took {duration(time.monotonic() - started)}; all of it is in {folder}")
    print(page)


def _is_desktop() -> bool:
    """Return True where somebody sits before a browser: a terminal of a desktop, not a pipe, CI, SSH or a notebook."""
    has_display = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    is_elsewhere = is_notebook() or any(os.environ.get(name) for name in ("CI", "SSH_CONNECTION"))
    return has_display and not is_elsewhere and sys.stdout.isatty() and sys.stderr.isatty()


def _step(number: int, title: str) -> None:
    say(f"\n[{number}/{_N_STEPS}] {title}")


def _command(function: Callable[..., Any], words: str, /, **arguments: Any) -> None:
    """Print `arena words`, then call the command's function."""
    say(f"$ arena {words}")
    try:
        function(**arguments)
    except typer.Exit as exit_request:
        if exit_request.exit_code:
            raise


def _workplace(corpus: Path | None, out: Path, n_clips: int, n_speakers: int) -> Path:
    """Scan this corpus, prepare its tiles, and return the folder of its demo."""
    import cnn.cli.data
    import cnn.cli.data_collect
    import cnn.cli.data_tiles
    from cnn.corpus.scan import scan

    _step(1, "recordings")
    source = corpus or (out / f"corpus-{n_clips}-{n_speakers}").resolve()
    if corpus is None:
        words = f"data synth {source} --n-clips {n_clips} --n-speakers {n_speakers}"
        _command(cnn.cli.data_collect.synth, words, out=source, n_clips=n_clips, n_speakers=n_speakers)
    _command(cnn.cli.data.scan_command, f"data scan {shlex.quote(str(source))}", folder=source)
    folder = (out / f"{source.name}-{scan(source).digest[:6]}").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    _write_project(folder, source)
    with chdir(folder):
        _step(2, f"tiles, in {folder}")
        _command(cnn.cli.data_tiles.prepare_command, f"data prepare {shlex.quote(str(source))}", folder=source)
        _command(cnn.cli.data_tiles.show_command, "data show --out tiles.png", out=Path("tiles.png"))
    return folder


def _write_project(folder: Path, corpus: Path) -> None:
    """Make the demo's folder a project with the nets of the surrounding one, so that its commands work there by hand."""
    from cnn.files import write_whole
    from cnn.project import choose_models, open_project

    if not (folder / FILE_NAME).exists():
        with chdir(folder):
            content = format_project(str(corpus), choose_models(open_project()))
        write_whole(folder / FILE_NAME, content.encode())


def _settings(epochs: int) -> list[str]:
    return [f"train.epochs={epochs}", *_QUICK]


def _trainings(epochs: int, jobs: int) -> None:
    import cnn.cli.train

    _step(3, "eight trainings: both models on raw, bilateral, raw+aug, bilateral+aug")
    overrides = _settings(epochs)
    words = f"train --all --wandb offline {' '.join(overrides)}"
    _command(cnn.cli.train.train_command, words, every=True, jobs=jobs, wandb=WandbMode.OFFLINE, overrides=overrides)


def _sweeps(budget: int, epochs: int, jobs: int) -> None:
    import sweeps.cli.run
    from cnn.project import choose_models, open_project

    _step(5, "eight sweeps: learning rate, batch size and depth of both models on the four variants")
    overrides, model = _settings(epochs), choose_models(open_project())[0]
    shared = {"seed": _SEED, "wandb": WandbMode.OFF, "agents": jobs, "overrides": overrides}
    tail = f"--seed {_SEED} --wandb off {' '.join(overrides)}"
    _command(sweeps.cli.run.run, f"sweep run --all --budget {budget} {tail}", every=True, budget=budget, **shared)
    words = f"sweep run --model {shlex.quote(model)} --variant {_LONG_STUDY} --budget {_LONGER * budget} {tail}"
    choice = {"models": [model], "variants": [_LONG_STUDY], "budget": _LONGER * budget}
    _command(sweeps.cli.run.run, words, **choice, **shared)


def _contest(epochs: int) -> None:
    import cnn.cli.data_tiles
    import cnn.cli.predict
    import leaderboard.cli.contest
    import leaderboard.cli.contest_file
    import leaderboard.cli.standings
    import leaderboard.cli.team
    from leaderboard.errors import LeaderboardError

    _step(6, "a contest: three teams, three attempts each")
    say("it counts for nothing: everybody knows the seed of its recordings, so that demos are alike, and names tell labels")
    if not Path("contest.db").exists():
        _command(cnn.cli.data_tiles.solution, "data solution --out solution.csv", out=Path("solution.csv"))
        init = leaderboard.cli.contest_file.init
        _command(init, "contest init solution.csv --name Digits", source=Path("solution.csv"), name="Digits")
    for team in _missing_teams():
        _command(leaderboard.cli.team.team_add, f"contest team add {shlex.quote(team)}", name=team)
    _step(7, "submissions: Formantes sends a fourth and is refused")
    for team, letter, variant in _SUBMISSIONS:
        run, file = _find_run(letter, variant, epochs), Path(f"{letter}.{variant}.csv")
        _command(cnn.cli.predict.predict, f"predict {run.digest} --out {file}", run=run.digest, out=file)
        try:
            _command(
                leaderboard.cli.contest.submit_command,
                f"contest submit {file} --team {shlex.quote(team)}",
                team=team,
                file=file,
            )
        except LeaderboardError as refusal:
            say(f"error: {refusal}")
    _step(8, "standings")
    _command(leaderboard.cli.standings.standings_command, "contest standings")


def _missing_teams() -> list[str]:
    """Return the teams that are to be added: all, or those that a killed demo had not come to."""
    from arena.base.options import CONTEST_FILE
    from leaderboard.cli.options import load_contest

    with load_contest(CONTEST_FILE) as contest:
        names = {team.name for team in contest.teams()}
    return [team for team in dict.fromkeys(team for team, _, _ in _SUBMISSIONS) if team not in names]


def _find_run(letter: str, variant: str, epochs: int) -> RunFolder:
    """Return the training of Model A or B on a variant, by the digest of its configuration."""
    from cnn.project import choose_models, configure, open_project
    from cnn.runs.folder import RunFolder
    from cnn.tiles.tile_set import find_tiles

    project, tiles = open_project(), find_tiles(Path("tiles"))
    model = choose_models(project)["AB".index(letter)]
    config = configure(project, tiles.info, (model, variant), _settings(epochs))
    return RunFolder(Path("runs") / config.digest)


def _early_report() -> None:
    """Write the page of what is there; unlike the last one it says that it is not final, and prints no table."""
    from reports.cli.report import build_with_bar, resolve_sources

    sources = resolve_sources(Path("runs"), None, None, refresh_s=_REFRESH_S)
    _command(build_with_bar, f"report build --refresh {_REFRESH_S}", sources=sources, out=Path("report.html"), pdf=False)


def _report() -> None:
    import reports.cli.report

    _step(9, "the report")
    _command(reports.cli.report.build_command, "report build")
