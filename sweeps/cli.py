"""`arena sweep`: run, agent, status, best, lint."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena_terminal import JSON_HELP, duration, print_json, print_table, progress, say

if TYPE_CHECKING:
    from sweeps.plan import SweepRequest
    from sweeps.results import StudyFacts, TrialFacts

app = typer.Typer(no_args_is_help=True)

Studies = Annotated[Path, typer.Option("--studies", help="Where studies are.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1.")]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


@app.command(
    epilog="Examples: `arena sweep run lenet5 --variant raw --budget 16 --agents 2` · "
    "`arena sweep run my.yaml --variant raw --variant raw+aug train.epochs=8` · `arena sweep run --all --budget 16`"
)
def run(
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="A sweep file, or a net such as lenet5.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Settings of all trials, such as train.epochs=8.")
    ] = None,
    variants: Annotated[
        list[str] | None,
        typer.Option("--variant", help="raw, bilateral, raw+aug, bilateral+aug; repeat for more."),
    ] = None,
    all_studies: Annotated[bool, typer.Option("--all", help="lenet5 and resnet on all four variants: eight studies.")] = False,
    tiles: Annotated[Path, typer.Option(help="A folder of tiles, or one that holds a single such folder.")] = Path("tiles"),
    runs: Annotated[Path, typer.Option(help="Where run folders are.")] = Path("runs"),
    studies: Studies = Path("studies"),
    budget: Annotated[int | None, typer.Option(min=1, help="Trials per study.", show_default="the file's run_cap")] = None,
    agents: Annotated[int, typer.Option(min=0, help="Processes; 0 chooses.", show_default="one a core")] = 0,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of the search; the training's own is train.seed.")] = 0,
    name: Annotated[str, typer.Option(help="Of the study.", show_default="model.variant")] = "",
    json: Json = False,
) -> None:
    """Tune: make or continue studies, and train until each has its budget of trials, exactly. Run again, it goes on."""
    from sweeps.plan import SweepRequest

    words = [word for word in (file, *(overrides or [])) if word]
    files, chosen = _scope([word for word in words if "=" not in word], variants or [], all_studies)
    request = SweepRequest(
        files=files,
        variants=chosen,
        tiles=tiles,
        runs=runs,
        studies=studies,
        budget=budget,
        n_agents=agents,
        device=device,
        seed=seed,
        name=name,
        overrides=tuple(word for word in words if "=" in word),
    )
    if code := _run(request, json):
        raise typer.Exit(code)


def _scope(files: list[str], variants: list[str], all_studies: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from sweeps.plan import all_eight

    if all_studies:
        if files or variants:
            raise typer.BadParameter("--all runs lenet5 and resnet on all variants: give it no file and no --variant")
        return all_eight()
    if len(files) != 1:
        raise typer.BadParameter(f"give one sweep file, or lenet5 or resnet, or --all; not {len(files)} files")
    if not variants:
        raise typer.BadParameter("choose what to train on with --variant: raw, bilateral, raw+aug or bilateral+aug")
    return tuple(files), tuple(variants)


def _run(request: SweepRequest, json: bool) -> int:
    from sweeps import launch, plan
    from sweeps.results import read_outline

    specs = plan.open_studies(request, say)
    total = sum(spec.budget for spec in specs)
    n_agents = request.n_agents or plan.default_agents(request.device, total)
    title = f"study {specs[0].name}" if len(specs) == 1 else f"{len(specs)} studies"
    with progress(f"{title}, trials", total) as advance:
        pool = launch.Pool(specs=specs, studies_dir=request.studies, n_agents=n_agents, device=request.device)
        report = launch.run_agents(pool, advance, say)
    facts = [read_outline(request.studies, spec.name) for spec in specs]
    print_json([_study_dict(study) for study in facts]) if json else _print_best(facts)
    if report.exit_code:
        say(f"{report.n_settled} of {report.budget} trials are done; the same command goes on with the rest")
    return report.exit_code


@app.command(epilog="Example: `arena sweep agent lenet5.raw`, in another terminal or on another machine that sees the folder.")
def agent(
    names: Annotated[list[str], typer.Argument(metavar="STUDY", help="Studies that `arena sweep run` made.")],
    studies: Studies = Path("studies"),
    device: Device = "auto",
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Join: train trials of these studies until their budgets are reached. Ctrl-C ends after the epoch, twice at once."""
    from sweeps.agent import Order, work

    order = Order(studies_dir=studies, names=tuple(dict.fromkeys(names)), device=device)
    order.stop.install()
    if with_parent:
        order.stop.with_parent()
    if code := work(order, say):
        raise typer.Exit(code)


@app.command(epilog="Examples: `arena sweep status` · `arena sweep status lenet5.raw --json`")
def status(
    name: Annotated[str | None, typer.Argument(metavar="STUDY", help="One study, with its trials.")] = None,
    studies: Studies = Path("studies"),
    json: Json = False,
) -> None:
    """Show all studies, or the trials of one."""
    from sweeps.results import list_studies, read_outline

    if name is not None:
        facts = read_outline(studies, name)
        return print_json(_study_dict(facts)) if json else _print_trials(facts)
    all_facts = [read_outline(studies, found) for found in list_studies(studies)]
    if json:
        return print_json([_study_dict(facts) for facts in all_facts])
    _print_studies(all_facts) if all_facts else say(f"no studies in {studies}; `arena sweep run` makes one")


@app.command(epilog="Example: `arena sweep best lenet5.raw`")
def best(
    name: Annotated[str, typer.Argument(metavar="STUDY")],
    studies: Studies = Path("studies"),
    json: Json = False,
) -> None:
    """Show the best trial of a study and the command that trains it."""
    from sweeps.errors import StudyError
    from sweeps.results import read_study

    facts = read_study(studies, name)
    if facts.best is None:
        raise StudyError(f"study {name!r} has no finished trial yet; run it with `arena sweep agent {name}`")
    if json:
        return print_json({"best": dataclasses.asdict(facts.best), "importances": facts.importances, "command": facts.command})
    rows = [[key, _shown(value), _share(facts, key)] for key, value in facts.best.params.items()]
    print(f"{name}: trial {facts.best.number}, {facts.metric} {facts.best.value:.4f}, run {facts.best.run}")
    print_table(("parameter", "#value", "#importance"), rows)
    print(facts.command)


@app.command(epilog="Examples: `arena sweep lint my.yaml` · `arena sweep lint lenet5`")
def lint(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A sweep file, or a net such as lenet5.")],
    json: Json = False,
) -> None:
    """Check a sweep file, and say what it means; what would search something else than it reads is refused with the fix."""
    from sweeps.lint import read_sweep
    from sweeps.space import n_points

    sweep = read_sweep(file)
    points = n_points(sweep.parameters)
    if json:
        spaces = [{**dataclasses.asdict(p), "n_values": p.n_values} for p in sweep.parameters]
        return print_json({"file": sweep.file, "method": sweep.method, "n_points": points, "parameters": spaces})
    rows = [[str(p.line), p.name, str(p.distribution), _range(p.values, p.low, p.high)] for p in sweep.parameters]
    print_table(("#line", "parameter", "distribution", "values"), rows)
    size = f"{points} points" if points is not None else "a continuous space"
    budget = f", {sweep.run_cap} trials" if sweep.run_cap else ""
    print(f"{sweep.file} is good: {sweep.method} over {size} will {sweep.goal} {sweep.metric}{budget}")


def _range(values: Sequence[object], low: float, high: float) -> str:
    return ", ".join(map(str, values)) if values else f"{low} to {high}"


def _print_studies(studies: Sequence[StudyFacts]) -> None:
    rows = []
    for facts in studies:
        counts = [str(facts.n(state)) for state in ("finished", "pruned", "running", "interrupted", "failed", "duplicate")]
        rows.append([facts.name, facts.method, str(facts.budget), *counts, facts.metric, _value(facts.best)])
    states = ("#finished", "#pruned", "#running", "#interrupted", "#failed", "#duplicates")
    print_table(("study", "method", "#budget", *states, "metric", "#best"), rows)


def _print_best(studies: Sequence[StudyFacts]) -> None:
    rows = []
    for facts in studies:
        varied = [p.name for p in facts.parameters if p.kind != "constant"]
        point = "  ".join(f"{key}={_shown(facts.best.params[key])}" for key in varied) if facts.best else "no finished trial"
        trials = f"{facts.n_settled} of {facts.budget}"
        rows.append(
            [facts.name, trials, str(facts.n("pruned")), _value(facts.best), point, facts.best.run if facts.best else ""]
        )
    print_table(("study", "#trials", "#pruned", "#best", "best configuration", "run"), rows)


def _print_trials(facts: StudyFacts) -> None:
    rows = []
    varied = [p.name for p in facts.parameters if p.kind != "constant"]
    for trial in facts.trials:
        point = [_shown(trial.params.get(key, "")) for key in varied]
        mark = "best" if facts.best and trial.number == facts.best.number else trial.cause
        seconds = duration(trial.seconds) if trial.seconds is not None else ""
        rows.append([str(trial.number), trial.state, _value(trial), str(len(trial.epochs)), seconds, *point, mark])
    print(f"{facts.name}: {facts.n_settled} of {facts.budget} trials, {facts.method}")
    columns = ("#trial", "state", f"#{facts.metric}", "#epochs", "#time", *(f"#{key}" for key in varied), "")
    print_table(columns, rows)


def _study_dict(facts: StudyFacts) -> dict[str, object]:
    return dataclasses.asdict(facts)


def _share(facts: StudyFacts, key: str) -> str:
    return f"{facts.importances[key]:.2f}" if key in facts.importances else ""


def _value(trial: TrialFacts | None) -> str:
    return f"{trial.value:.4f}" if trial and trial.value is not None else ""


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
