"""`arena inspect`: filters, maps and projections of trained nets, written into their run folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import RUN_HELP, Device, Json, Runs, Tiles, Wide
from arena.base.terminal import Column, Number, print_json, print_table, progress, say

if TYPE_CHECKING:
    from cnn.inference.inspect import Inspection
    from cnn.runs.folder import RunFolder


app = typer.Typer()

_LEAST_CLIPS = 2


@app.command(epilog="Examples: `arena inspect 4a5a` · `arena inspect --n-clips 8`, then `arena report build`")
def inspect(
    run: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN", help=f"{RUN_HELP} All if none."),
    ] = None,
    runs: Runs = Path("runs"),
    tiles: Tiles = Path("tiles"),
    n_clips: Annotated[
        int, typer.Option(metavar="N", help="Clips to look into, 2 to 12: mistakes beside clips heard right.")
    ] = 4,
    device: Device = "auto",
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Look into trained nets: filters, maps, Grad-CAM, occlusion, and where clips lie by t-SNE. `arena report build` shows it.

    Writes inspection.json and inspection.npz, a few hundred kB, into each run folder. Without RUN it looks into every finished
    training that no sweep made.
    """
    from cnn.inference.inspect import MOST_CLIPS, N_STEPS, inspect_run
    from cnn.inference.predict import find_finished_run

    if not _LEAST_CLIPS <= n_clips <= MOST_CLIPS:
        raise typer.BadParameter(f"--n-clips lies between {_LEAST_CLIPS} and {MOST_CLIPS}, not {n_clips}")
    folders = [find_finished_run(name, runs) for name in run] if run else _list_trainings(runs)
    inspected = []
    with progress("inspecting", N_STEPS * len(folders)) as advance:
        for folder in folders:
            inspected.append(inspect_run(folder, tiles, n_clips, device, advance))
            advance(0, folder.digest)
    print_json([_as_json(entry) for entry in inspected]) if json else print_inspections(inspected)


def _list_trainings(runs: Path) -> list[RunFolder]:
    from cnn.errors import RunError
    from cnn.runs.folder import RunState, list_runs

    finished = [folder for folder in list_runs(runs) if folder.state() is RunState.FINISHED]
    trainings = [folder for folder in finished if not folder.is_trial]
    if n_trials := len(finished) - len(trainings):
        say(f"{n_trials} trials of sweeps left out; name one to look into it")
    if not trainings:
        raise RunError(f"no finished training in {runs}; train with `arena train --all`")
    return trainings


def print_inspections(inspected: list[Inspection]) -> None:
    from cnn.plugin import shorten_name
    from cnn.runs import read_kind

    rows = []
    for entry in inspected:
        config = entry.run.config()
        names = [entry.run.digest, shorten_name(config["model"]["name"]), str(config["variant"])]
        clips = f"{entry.n_clips}, {entry.n_wrong} wrong"
        rows.append([*names, str(entry.n_layers), clips, str(entry.n_placed), f"{entry.size_bytes / 1e3:.0f} kB"])
    kinds = {read_kind(entry.run.config()) for entry in inspected}
    items = "/".join(sorted(kind.items for kind in kinds))
    counts = (Number("layers", 3), Number(items or "clips"), Number("placed", 2), Number("size", 4))
    print_table((Column("run"), Column("model"), Column("variant"), *counts), rows)
    for note in sorted({note for entry in inspected for note in entry.notes}):
        say(f"note: {note}")
    n_old = sum(not entry.is_new for entry in inspected)
    say((f"{n_old} inspected before; " if n_old else "") + "`arena report build` shows it")


def _as_json(entry: Inspection) -> dict[str, object]:
    facts = {name: getattr(entry, name) for name in ("n_layers", "n_clips", "n_wrong", "n_placed", "size_bytes", "is_new")}
    return {"run": str(entry.run.path), **facts, "notes": list(entry.notes)}
