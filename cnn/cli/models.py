"""`arena models`: the nets, their papers, costs and layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import Json, Wide, reading_line
from arena.base.terminal import Column, Number, Prose, print_json, print_table, say

if TYPE_CHECKING:
    from cnn.summary.costs import Cost
    from cnn.summary.layers import LayerSummary

app = typer.Typer()

_LEGEND = """\
no.: layers with weights, which `train.frozen=N` counts with what follows each;
in a net of columns from 1 in each column
kernel: 3x3/2 has a stride of 2, 3x3 d2 is dilated twice
field: rows x columns of the picture that a number of the output may depend on,
the most of any; through branches the widest; the whole picture at most
what forward computes between layers (x + y, F.relu): in the next layer's field
mult-adds: of convolutions and matrix products, one clip forward"""


@app.command(
    "models",
    epilog="Examples: `arena models resnet --depth 3 --width 2` · `arena models my_nets.py` · `arena models resnet --layers` · "
    "`arena models stack model.stack='(conv-relu-pool)*4-fc' --layers` · `arena models scratch --check-gradients`",
)
def models_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NET",
            help="Some nets; path/to/file.py:ClassName, or a whole file. Settings such as model.stack=... may follow.",
            show_default="all",
        ),
    ] = None,
    size: Annotated[int, typer.Option(help="Of the pictures: 32 or 64.")] = 64,
    depth: Annotated[int | None, typer.Option(min=1, help="Instead of each net's own.")] = None,
    width: Annotated[float | None, typer.Option(min=0.01, help="Times the channels of each net.")] = None,
    layers: Annotated[bool, typer.Option("--layers", help="List the layers of one net, with their receptive fields.")] = False,
    check_gradients: Annotated[
        bool, typer.Option("--check-gradients", help="Compare the slopes of the net from scratch with measured ones.")
    ] = False,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """List the nets with their papers, depths and costs; try a net of your own before training it."""
    import dataclasses

    from cnn.settings.tiles import TileSettings
    from cnn.summary import costs

    if check_gradients:
        return _check_gradients(names or [], json)
    with reading_line():
        size = TileSettings(size=size).size
        nets, values = _divide(names or [])
    values |= {key: number for key, number in (("model.depth", depth), ("model.width", width)) if number is not None}
    if not layers:
        table = costs.compute_costs(nets, size, values, say)
        if json:
            return print_json([dataclasses.asdict(cost) for cost in table])
        print_costs(table, size)
        return print_spellings(table) if nets else None
    from cnn.summary.layers import list_layers

    if len(nets) != 1:
        raise typer.BadParameter("it takes one net: `arena models lenet5 --layers`", param_hint="--layers")
    rows = list_layers(costs.choose_settings(nets[0], size, values), size)
    return print_json([dataclasses.asdict(layer) for layer in rows]) if json else print_layers(rows)


def _check_gradients(names: Sequence[str], as_json: bool) -> None:
    import dataclasses

    from cnn.scratch.gradients import TOLERANCE, check_example
    from cnn.settings.scratch import SCRATCH

    if list(names) != [SCRATCH]:
        raise typer.BadParameter(
            f"it takes the net from scratch: `arena models {SCRATCH} --check-gradients`", param_hint="--check-gradients"
        )
    errors = check_example()
    if as_json:
        return print_json([dataclasses.asdict(error) for error in errors])
    rows = [(error.layer, error.activation, str(error.n_weights), f"{error.worst:.1e}") for error in errors]
    print_table((Column("layer"), Column("activation"), Number("weights"), Number("worst relative error")), rows)
    worst = max(error.worst for error in errors)
    verdict = "backward is right" if worst < TOLERANCE else "backward is wrong in a layer above"
    say(f"slopes by backward beside measured ones, float64; {worst:.1e} at worst: {verdict} (right: 1e-7, wrong: 1e-2)")
    if worst >= TOLERANCE:
        raise typer.Exit(1)


def _divide(words: Sequence[str]) -> tuple[list[str], dict[str, object]]:
    """Return the nets, and the settings of `key=value` words; raises cnn's ConfigError."""
    from cnn.keys import keys
    from cnn.overrides import parse_assignments

    nets = [word for word in words if "=" not in word or ".py" in word]
    allowed = [key for key in keys() if key.startswith("model.") and key != "model.name"]
    return nets, parse_assignments([word for word in words if word not in nets], allowed)


def print_costs(costs: Sequence[Cost], size: int) -> None:
    columns = (Column("net"), Column("role", 2), Prose("paper", 3), Number("parameters"), Number("multiply-adds"))
    numbers = [(f"{cost.n_parameters:,}", f"{cost.n_multiply_adds:,}") for cost in costs]
    print_table(columns, [(cost.label, cost.role, cost.paper, *texts) for cost, texts in zip(costs, numbers, strict=True)])
    print()
    depths = [(cost.label, str(cost.depth), "{}, {}".format(*cost.depths), cost.counts) for cost in costs]
    print_table((Column("net"), Number("depth"), Column("from, to"), Prose("depth counts")), depths)
    say(f"multiply-adds: one clip of {size} x {size} forward; a net of your own: `--model path/to/file.py:ClassName`")


def print_spellings(costs: Sequence[Cost]) -> None:
    """Print the layers of the spelled nets among `costs`; nothing without any."""
    rows = [(cost.label, cost.spelling, cost.differs) for cost in costs if cost.spelling]
    if rows:
        print()
        print_table((Column("net"), Prose("spelling"), Prose("against its paper")), rows)


def print_layers(layers: Sequence[LayerSummary]) -> None:
    rows = [
        [
            *(str(layer.number or ""), layer.name, layer.kind, _times(layer.shape), _format_kernel(layer), _times(layer.field)),
            *(f"{layer.n_parameters:,}", f"{layer.n_multiply_adds:,}"),
        ]
        for layer in layers
    ]
    sums = (sum(layer.n_parameters for layer in layers), sum(layer.n_multiply_adds for layer in layers))
    rows.append(["", "sum", "", "", "", "", *(f"{number:,}" for number in sums)])
    columns = (Number("no."), Column("layer"), Column("kind", 4), Column("output"), Column("kernel", 3), Column("field"))
    print_table((*columns, Number("params"), Number("mult-adds", 2)), rows)
    say(_LEGEND)


def _times(numbers: Sequence[int]) -> str:
    return "x".join(map(str, numbers))


def _format_kernel(layer: LayerSummary) -> str:
    """Return such as `5x5`, `3x3/2` with a stride of 2, `2x2/2x1`, `3x3 d2` where dilated."""
    stride, dilation = (_times(v[:1] if len(set(v)) == 1 else v) for v in (layer.stride, layer.dilation))
    text = _times(layer.kernel) + (f"/{stride}" if stride not in ("", "1") else "")
    return text + (f" d{dilation}" if dilation not in ("", "1") else "")
