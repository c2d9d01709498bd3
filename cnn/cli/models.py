"""`arena models`: the nets, their papers and their costs."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.base.terminal import print_json, print_table, say
from cnn.cli.options import Json

app = typer.Typer()


@app.command(
    "models", epilog="Examples: `arena models` · `arena models resnet --depth 3 --width 2` · `arena models my_net.py:MyNet`"
)
def models_command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NET", help="Some nets, or path/to/file.py:ClassName.", show_default="all")
    ] = None,
    size: Annotated[int, typer.Option(help="Of the pictures: 32 or 64.")] = 64,
    depth: Annotated[int | None, typer.Option(min=1, help="Instead of each net's own.")] = None,
    width: Annotated[float | None, typer.Option(min=0.01, help="Times the channels of each net.")] = None,
    json: Json = False,
) -> None:
    """List the nets with their papers, depths and costs; try a net of your own before training it."""
    import dataclasses

    from cnn.config import TileSettings
    from cnn.summary.costs import compute_costs

    table = compute_costs(names or [], TileSettings(size=size).size, depth, width)
    if json:
        return print_json([dataclasses.asdict(cost) for cost in table])
    columns = ("net", "role", "paper", "#depth", "from, to", "#parameters", "#multiply-adds", "depth counts")
    rows = []
    for cost in table:
        depths = [str(cost.depth), f"{cost.depths[0]}, {cost.depths[1]}"]
        numbers = [f"{cost.n_parameters:,}", f"{cost.n_multiply_adds:,}"]
        rows.append([cost.name, cost.role, cost.paper, *depths, *numbers, cost.counts])
    print_table(columns, rows)
    say(f"multiply-adds: one clip of {size} x {size} forward; a net of your own: --model path/to/file.py:ClassName")
