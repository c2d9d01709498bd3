"""`arena demo`: the whole pipeline by the commands that a user would type, each printed before it runs."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.base.locks import require_posix
from arena.base.options import CORPUS_HELP, WandbMode, budget_option, jobs_option, n_clips_option, n_speakers_option, out_option
from arena.base.project import FILE_NAME, format_project
from arena.base.terminal import duration, say

if TYPE_CHECKING:
    from cnn.runs.folder import RunFolder


_N_STEPS = 8
_QUICK = "model.width=1"  # the nets' default widths score higher on new speakers and train three times as long
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
    n_clips: Annotated[int, n_clips_option(100)] = 3000,
    n_speakers: Annotated[int, n_speakers_option(3)] = 60,
    epochs: Annotated[int, typer.Option(min=1, help="Of each of the eight trainings.")] = 8,
    budget: Annotated[int, budget_option(show_default=True)] = 5,
    trial_epochs: Annotated[int, typer.Option(min=1, help="Of each trial.")] = 3,
    jobs: Annotated[int, jobs_option()] = 0,
) -> None:
    """Run the whole line: recordings, tiles, eight trainings, eight sweeps, a contest of three teams, a report.

    Example: `arena demo --corpus ~/recordings`. Run it again and it goes on where it stopped.
    """
    require_posix("arena demo")
    started = time.monotonic()
    folder = _workplace(corpus.expanduser().resolve() if corpus else None, out, n_clips, n_speakers)
    with chdir(folder):
        _trainings(epochs, jobs)
        _sweeps(budget, trial_epochs, jobs)
        _contest(epochs)
        _report()
    say(f"the whole line took {duration(time.monotonic() - started)}; all of it is in {folder}")
    print(folder / "report.html")


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
    return [f"train.epochs={epochs}", _QUICK]


def _trainings(epochs: int, jobs: int) -> None:
    import cnn.cli.train

    _step(3, "eight trainings: both models on raw, bilateral, raw+aug, bilateral+aug")
    overrides = _settings(epochs)
    words = f"train --all --wandb offline {' '.join(overrides)}"
    _command(cnn.cli.train.train_command, words, every=True, jobs=jobs, wandb=WandbMode.OFFLINE, overrides=overrides)


def _sweeps(budget: int, epochs: int, jobs: int) -> None:
    import sweeps.cli.run

    _step(4, "eight sweeps: learning rate, batch size and depth of both models on the four variants")
    overrides = _settings(epochs)
    words = f"sweep run --all --budget {budget} {' '.join(overrides)}"
    _command(sweeps.cli.run.run, words, every=True, budget=budget, agents=jobs, overrides=overrides)


def _contest(epochs: int) -> None:
    import cnn.cli.data_tiles
    import cnn.cli.predict
    import leaderboard.cli.contest
    import leaderboard.cli.standings
    from leaderboard.errors import AttemptsExhausted

    _step(5, "a contest: three teams, three attempts each")
    if not Path("contest.db").exists():
        _command(cnn.cli.data_tiles.solution, "data solution --out solution.csv", out=Path("solution.csv"))
        init = leaderboard.cli.contest.init
        _command(init, "contest init solution.csv --name Digits", solution=Path("solution.csv"), name="Digits")
        for team in dict.fromkeys(team for team, _, _ in _SUBMISSIONS):
            _command(leaderboard.cli.contest.team_add, f"contest team add {shlex.quote(team)}", name=team)
    _step(6, "submissions: Formantes sends a fourth and is refused")
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
        except AttemptsExhausted as refusal:
            say(f"error: {refusal}")
    _step(7, "standings")
    _command(leaderboard.cli.standings.standings_command, "contest standings")


def _find_run(letter: str, variant: str, epochs: int) -> RunFolder:
    """Return the training of Model A or B on a variant, by the digest of its configuration."""
    from cnn.project import choose_models, configure, open_project
    from cnn.runs.folder import RunFolder
    from cnn.tiles.tile_set import find_tiles

    project, tiles = open_project(), find_tiles(Path("tiles"))
    model = choose_models(project)["AB".index(letter)]
    config = configure(project, tiles.corpus, tiles.settings, (model, variant), _settings(epochs))
    return RunFolder(Path("runs") / config.digest)


def _report() -> None:
    import reports.cli.report

    _step(8, "the report")
    _command(reports.cli.report.build_command, "report build")
