"""`arena sweep status`, `trials` and `best`: the read-only commands."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import Json, Studies, Wide
from arena.base.terminal import print_json, say
from sweeps.cli.options import AnyStudies, Storage, Study

if TYPE_CHECKING:
    from sweeps.cli.tables import Status


app = typer.Typer()


@app.command(epilog="Examples: `arena sweep status` · `arena sweep status lenet5.raw --json`")
def status(
    names: AnyStudies = None,
    studies: Studies = Path("studies"),
    storage: Storage = "",
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Show how studies stand: trials by state, the best, and whether one is paused or stopped."""
    from sweeps.cli.tables import print_studies
    from sweeps.results import list_studies

    _join_all(studies, storage)
    rows = [_read_status(studies, name) for name in names or list_studies(studies)]
    if json:
        return print_json([study.as_dict() for study in rows])
    print_studies(rows) if rows else say(f"no studies in {studies}; `arena sweep run` makes one")


def _join_all(studies: Path, storage: str) -> None:
    if storage:
        from sweeps.study.database import strip_password
        from sweeps.study.join import join_all_studies

        join_all_studies(studies, strip_password(storage))


def _read_status(studies: Path, name: str) -> Status:
    from sweeps.cli.tables import Status
    from sweeps.engines.counts import open_counter
    from sweeps.study.control import read_command
    from sweeps.study.folder import StudyFolder

    folder = StudyFolder(studies / name)
    spec = folder.read_spec()
    return Status(spec=spec, counts=open_counter(folder, spec.sweep.goal).read(), command=read_command(folder))


@app.command(epilog="Examples: `arena sweep trials lenet5.raw` · `arena sweep trials lenet5.raw --csv > trials.csv`")
def trials(
    name: Study,
    studies: Studies = Path("studies"),
    storage: Storage = "",
    wide: Wide = False,
    json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row for each trial, with numbers in full.")] = False,
) -> None:
    """List the trials of a study: parameters, epochs, result, and the cause of a failure."""
    from sweeps.cli.tables import print_csv, print_trials
    from sweeps.results import read_outline

    if json and as_csv:
        raise typer.BadParameter("give --json or --csv, not both")
    _join_all(studies, storage)
    facts = read_outline(studies, name)
    if json:
        return print_json([dataclasses.asdict(trial) for trial in facts.trials])
    print_csv(facts) if as_csv else print_trials(facts)


@app.command(epilog="Example: `arena sweep best lenet5.raw`")
def best(
    name: Study,
    studies: Studies = Path("studies"),
    storage: Storage = "",
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Show the best trial of a study and the command that trains it."""
    from sweeps.cli.tables import print_point
    from sweeps.errors import StudyError
    from sweeps.importance import explain_absence
    from sweeps.results import read_study

    _join_all(studies, storage)
    facts = read_study(studies, name)
    if facts.best is None:
        raise StudyError(f"study {name!r} has no finished trial yet; run it with `arena sweep agent {name}`")
    note = "" if facts.importances else explain_absence(facts.n_completed)
    if json:
        shares = {
            "importances": {name: dataclasses.asdict(i) for name, i in facts.importances.items()},
            "importances_note": note,
        }
        return print_json({"best": dataclasses.asdict(facts.best), **shares, "command": facts.command})
    print(f"{name}: trial {facts.best.number}, {facts.metric} {facts.best.value:.4f}, run {facts.best.run}")
    print_point(facts.best, facts.importances)
    if note:
        print(note)
    print(facts.command)
