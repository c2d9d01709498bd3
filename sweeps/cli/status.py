"""`arena sweep status`, `trials` and `best`; the last trains the best trial's settings anew where it is asked to."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.locks import require_posix
from arena.base.options import Device, Json, Overrides, Studies, Wandb, WandbMode, Wide, jobs_option
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
    from sweeps.engines.counts import explain_end, open_counter
    from sweeps.study.control import read_command
    from sweeps.study.folder import StudyFolder

    folder = StudyFolder(studies / name)
    spec = folder.read_spec()
    counts = open_counter(folder, spec).read()
    return Status(spec=spec, counts=counts, command=read_command(folder), end=explain_end(folder, spec, counts))


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


@app.command(epilog="Examples: `arena sweep best lenet5.raw` · `arena sweep best lenet5.raw --train --seeds 5 train.epochs=20`")
def best(
    name: Study,
    overrides: Overrides = None,
    train: Annotated[
        bool, typer.Option("--train", help="Train its settings with seeds of their own; tell mean, spread and test score.")
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1000, help="Trainings, with the seeds after the trial's own.", show_default="5"),
    ] = None,
    trial: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Another trial.", show_default="the best finished one")
    ] = None,
    studies: Studies = Path("studies"),
    storage: Storage = "",
    jobs: Annotated[int, jobs_option("Trainings at once; 0 chooses.")] = 0,
    device: Device = "auto",
    wandb: Wandb = WandbMode.AUTO,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Show the best trial of a study, or train its settings anew with --train, and tell what they are worth.

    A trial that is best of many was lucky, too: the mean of trainings that nobody chose says what to expect.
    """
    from sweeps.cli.retraining import RetrainingRequest, print_chosen, read_best, retrain_trial
    from sweeps.training.retraining import TrainingWorkers

    if not train and (overrides or seeds):
        raise typer.BadParameter("settings and --seeds need --train")
    _join_all(studies, storage)
    record = None
    if train:
        require_posix("arena sweep best --train")
        request = RetrainingRequest(trial=trial, n_seeds=seeds or 5, overrides=tuple(overrides or ()))
        record = retrain_trial(studies, name, request, TrainingWorkers(n_jobs=jobs, device=device, wandb=wandb))
    chosen = read_best(studies, name, trial, record)
    print_json(chosen.as_dict()) if json else print_chosen(chosen)
