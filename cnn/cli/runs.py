"""`arena runs`: the list of runs in a folder, newest first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.terminal import print_json, print_table, say
from cnn.cli.options import Json, Runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnn.runs.index import RunLine


app = typer.Typer()


@app.command(epilog="Examples: `arena runs --state finished` · `arena runs --model resnet --variant raw+aug --json`")
def runs(
    folder: Runs = Path("runs"),
    model: Annotated[str, typer.Option(help="Only runs of this net.")] = "",
    variant: Annotated[str, typer.Option(help="Only runs on this variant.")] = "",
    state: Annotated[str, typer.Option(help="Only finished, unfinished, pruned, failed or damaged ones.")] = "",
    json: Json = False,
) -> None:
    """List runs, trainings and trials of sweeps alike, newest first."""
    import dataclasses

    from cnn.runs.folder import RunState
    from cnn.runs.index import DAMAGED, list_newest_first

    states = [*(member.value for member in RunState), DAMAGED]
    if state and state not in states:
        raise typer.BadParameter(f"--state is one of {', '.join(states)}, not {state!r}")
    filters = {"model": model, "variant": variant, "state": state}
    every_line = list_newest_first(folder)
    lines = [line for line in every_line if all(getattr(line, key) == value for key, value in filters.items() if value)]
    if json:
        return print_json([dataclasses.asdict(line) for line in lines])
    if lines:
        _print_lines(lines)
    else:
        of_these = f" of these among {len(every_line)}" if every_line else "; `arena train` makes one"
        say(f"no run in {folder}{of_these}")


def _print_lines(lines: Sequence[RunLine]) -> None:
    columns = ("run", "model", "variant", "split", "#epochs", "state", "#val F1", "#test F1", "changed", "")
    rows = []
    for line in lines:
        remark = line.cause or (f"trial {line.trial.number} of {line.trial.study}" if line.trial else "")
        facts = [line.digest, line.model, line.variant, line.split, f"{line.n_epochs} of {line.epochs}" if line.epochs else ""]
        scores = ["" if f1 is None else f"{f1:.3f}" for f1 in (line.val_macro_f1, line.test_macro_f1)]
        rows.append([*facts, line.state, *scores, line.changed_at[:16].replace("T", " "), remark])
    print_table(columns, rows)
