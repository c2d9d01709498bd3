"""`arena sweep pause`, `resume`, `stop` and `dashboard`: the commands for use while agents work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import Studies, port_option
from arena.base.terminal import say
from sweeps.cli.options import AnyStudies, SomeStudies

if TYPE_CHECKING:
    from sweeps.study.control import Command


app = typer.Typer()


@app.command(epilog="Example: `arena sweep pause lenet5.raw`, and later `arena sweep resume lenet5.raw`")
def pause(names: SomeStudies, studies: Studies = Path("studies")) -> None:
    """Pause: all agents, wherever they run, end their epoch, give the trial up and wait. Nothing is lost."""
    from sweeps.study.control import Command

    _write_command(
        studies, names, Command.PAUSE, "paused: agents end their epoch and wait; `arena sweep resume {}` lets them go on"
    )


@app.command(epilog="Example: `arena sweep resume lenet5.raw`")
def resume(names: SomeStudies, studies: Studies = Path("studies")) -> None:
    """Undo `pause` or `stop`: waiting agents go on at once; agents that left are started again by `arena sweep agent`."""
    from sweeps.study.control import Command

    _write_command(studies, names, Command.RUN, "goes on: waiting agents begin at once; `arena sweep agent {}` starts another")


@app.command(epilog="Example: `arena sweep stop lenet5.raw`; `arena sweep resume lenet5.raw` undoes it")
def stop(names: SomeStudies, studies: Studies = Path("studies")) -> None:
    """Stop: all agents end their epoch and leave the study. Its trials stay, and unfinished ones can go on."""
    from sweeps.study.control import Command

    how = "`arena sweep resume {0}` and `arena sweep agent {0}` go on"
    _write_command(studies, names, Command.STOP, f"stopped: agents leave it after their epoch; {how}")


@app.command(epilog="Examples: `arena sweep dashboard` · `arena sweep dashboard lenet5.raw --port 8090`")
def dashboard(
    names: AnyStudies = None,
    studies: Studies = Path("studies"),
    port: Annotated[int, port_option()] = 8080,
) -> None:
    """Open Optuna's dashboard on studies as they grow; it only looks. Ctrl-C ends it."""
    from sweeps.cli.dashboard import serve_dashboard
    from sweeps.errors import StudyError
    from sweeps.study.folder import StudyFolder, list_names

    folders = [StudyFolder(studies / name) for name in names or list_names(studies)]
    if not folders:
        raise StudyError(f"no study to show in {studies}; `arena sweep run` makes one")
    serve_dashboard(folders, port, lambda url: print(url, flush=True))


def _write_command(studies: Path, names: list[str], command: Command, message: str) -> None:
    from sweeps.study import control
    from sweeps.study.folder import StudyFolder
    from sweeps.study.lease import utc_now

    folders = [StudyFolder(studies / name) for name in dict.fromkeys(names)]
    for folder in folders:
        folder.read_spec()  # a misspelt name changes no study
    for folder in folders:
        control.write_command(folder, command, utc_now())
        say(f"study {folder.name} {message.format(folder.name)}")
