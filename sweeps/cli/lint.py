"""`arena sweep lint`: the check of a sweep file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import SWEEP_HELP, Json, Wide
from arena.base.terminal import Column, Number, Prose, print_json, print_table, print_text, say

if TYPE_CHECKING:
    from sweeps.linting.lint import Report
    from sweeps.sweepfile.space import Parameter
    from sweeps.sweepfile.sweep import Sweep

app = typer.Typer()


@app.command(
    epilog="Examples: `arena sweep lint my.yaml` · `arena sweep lint my.yaml --fix --dry-run` · `arena sweep lint lenet5`"
)
def lint(
    file: Annotated[str, typer.Argument(metavar="SWEEP", help=SWEEP_HELP)],
    fix: Annotated[bool, typer.Option("--fix", help="Write what has one answer, and show it.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fix: show it, and write nothing.")] = False,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Check a sweep file, and say what it means; what would search something else than it reads is refused with the fix."""
    from sweeps.linting.lint import examine
    from sweeps.sweepfile.shipped import read_text

    if dry_run and not fix:
        raise typer.BadParameter("--dry-run belongs to --fix")
    name, text = read_text(file)
    if fix:
        text = _fix(file, text, is_dry=dry_run)
    report = examine(text, name)
    if report.faults:
        _refuse(report, fix, json)
    assert report.sweep is not None
    if json:
        return print_json(_describe(report, report.sweep))
    _print(report.sweep)
    for note in report.notes:
        print_text(note)


def _fix(file: str, text: str, *, is_dry: bool) -> str:
    """Mend the file, unless `is_dry`, and print the difference; return the text that is good where it can be."""
    from sweeps.linting.lint import mend
    from sweeps.sweepfile.edits import write_diff
    from sweeps.sweepfile.shipped import write_text

    if not Path(file).is_file():
        raise typer.BadParameter(f"--fix writes a file, and {file} is a net: its sweep file is Arena's own, and good")
    mended = mend(text, file)
    if mended != text:
        if not is_dry:
            write_text(Path(file), mended)
        print(write_diff(text, mended, file))
    say("nothing to write" if mended == text else "shown alone, not written" if is_dry else f"{file} is written")
    return mended


def _refuse(report: Report, was_fixed: bool, json: bool) -> None:
    """Say all faults, and end with exit code 1."""
    from sweeps.sweepfile.faults import make_error

    error = make_error(report.file, report.faults)
    n_mendable = sum(bool(fault.edits) for fault in report.faults)
    if json:
        lines = [f"error: {error}", *(f"  {line}" for line in error.others)]
        faults = [{"line": f.line, "message": f.message, "fix": f.fix, "has_one_answer": bool(f.edits)} for f in report.faults]
        print_json({"error": str(error), "exit_code": 1, "file": report.file, "faults": faults, "notes": report.notes})
        say("\n".join(lines))
        raise typer.Exit(1)
    if n_mendable and not was_fixed:
        command = f"`arena sweep lint {report.file} --fix`"
        how = f"{n_mendable} of the {len(report.faults)}" if n_mendable < len(report.faults) else "all of it"
        error.others = (*error.others, f"{command} mends {how}")
    raise error


def _describe(report: Report, sweep: Sweep) -> dict[str, object]:
    from sweeps.linting.lint import find_epochs
    from sweeps.sweepfile.space import n_points

    spaces = [{**dataclasses.asdict(p), "n_values": p.n_values} for p in sweep.parameters]
    bands = sweep.stopping.list_bands(find_epochs(sweep)) if sweep.stopping else []
    size = {
        "n_points": n_points(sweep.parameters),
        "parameters": spaces,
        "bands": bands,
        "arena": dataclasses.asdict(sweep.settings),
    }
    return {"file": sweep.file, "method": sweep.method, **size, "faults": [], "notes": report.notes}


def _print(sweep: Sweep) -> None:
    from sweeps.linting.lint import describe_bands, find_epochs
    from sweeps.sweepfile.space import n_points

    rows = [[str(p.line), p.name, str(p.distribution), _range(p)] for p in sweep.parameters]
    print_table((Number("line", 2), Column("parameter"), Column("distribution"), Prose("values")), rows)
    if bands := describe_bands(sweep, find_epochs(sweep)):
        print_text(bands)
    points = n_points(sweep.parameters)
    size = f"{points} points" if points is not None else "a continuous space"
    budget = f", {sweep.run_cap} trials" if sweep.run_cap else ""
    costs = f" and minimize {', '.join(sweep.settings.objectives)}" if sweep.settings.objectives else ""
    limits = "".join(f", {name} at most {most:,.12g}" for name, most in sweep.settings.constraints.items())
    scored = f" over {sweep.settings}" if sweep.settings.n_trainings > 1 else ""
    goal = f"{sweep.goal} {sweep.metric}{scored}{costs}{limits}"
    print_text(f"{sweep.file} is good: {sweep.method} over {size} will {goal}{budget}")


def _range(parameter: Parameter) -> str:
    if parameter.values:
        return ", ".join(map(str, parameter.values))
    low, high = (f"{bound:g}" if parameter.shape else str(bound) for bound in parameter.bounds)
    return f"{low} to {high}" + (f", most around {parameter.to_value(0.5)}" if parameter.shape else "")
