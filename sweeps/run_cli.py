"""`arena sweep run` and `arena sweep agent`: what trains."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena_terminal import print_json, say
from sweeps.options_cli import Device, Engine, Fuse, Json, MaxFailures, Storage, Studies, Wandb, WandbMode, Where, fused

if TYPE_CHECKING:
    from sweeps.gpus import Slot
    from sweeps.launch import Pool, PoolReport
    from sweeps.plan import SweepRequest
    from sweeps.watch import View

app = typer.Typer()


@app.command(
    epilog="Examples: `arena sweep run lenet5 --variant raw --budget 16 --agents 2` · "
    "`arena sweep run my.yaml --variant raw --variant raw+aug train.epochs=8` · `arena sweep run --all --budget 16` · "
    "`arena sweep run --all --gpus 0,1 --per-gpu 2` · `arena sweep run lenet5 --variant raw --engine wandb`"
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
    storage: Storage = "",
    budget: Annotated[int | None, typer.Option(min=1, help="Trials per study.", show_default="the file's run_cap")] = None,
    agents: Annotated[int, typer.Option(min=0, help="Processes; 0 chooses.", show_default="one a core")] = 0,
    device: Device = "auto",
    gpus: Annotated[str, typer.Option(help="Numbers of GPUs, such as 0,1: agents on each.")] = "",
    per_gpu: Annotated[int, typer.Option(min=1, max=64, help="With --gpus: agents on each.")] = 1,
    on: Annotated[Where, typer.Option(help="Who places the agents: this machine, Slurm or Ray.")] = Where.LOCAL,
    place: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="For Slurm, such as slurm_partition=gpu; repeat for more.")
    ] = None,
    fuse: Fuse = "off",
    seed: Annotated[int, typer.Option(min=0, help="Of the search; the training's own is train.seed.")] = 0,
    name: Annotated[str, typer.Option(help="Of the study.", show_default="model.variant")] = "",
    smoke: Annotated[bool, typer.Option("--smoke/--no-smoke", help="Try one batch of each net before the first trial.")] = True,
    max_failures: MaxFailures = 3,
    engine: Annotated[Engine, typer.Option(help="Who chooses points and stops weak trials.")] = Engine.OPTUNA,
    project: Annotated[str, typer.Option(help="At W&B, with --engine wandb.", show_default="WANDB_PROJECT, or arena")] = "",
    entity: Annotated[str, typer.Option(help="At W&B, with --engine wandb.", show_default="the account's own")] = "",
    wandb: Wandb = WandbMode.AUTO,
    json: Json = False,
) -> None:
    """Tune: make or continue studies, and train until each has its budget of trials, exactly. Run again, it goes on."""
    from sweeps.order import ALONE
    from sweeps.plan import SweepRequest

    words = [word for word in (file, *(overrides or [])) if word]
    files, chosen = _scope([word for word in words if "=" not in word], variants or [], all_studies)
    _check_gpus(gpus, per_gpu, agents, device) if on is Where.LOCAL else _check_place(on, gpus, agents)
    if engine is Engine.OPTUNA and (project or entity):
        raise typer.BadParameter(
            "--project and --entity belong to --engine wandb; the mirror takes WANDB_PROJECT and WANDB_ENTITY"
        )
    if engine is Engine.WANDB and fused(fuse) != ALONE:
        raise typer.BadParameter("--fuse belongs to --engine optuna; W&B hands its trials out one at a time")
    if engine is Engine.WANDB and (storage or on is not Where.LOCAL):
        raise typer.BadParameter("--storage and --on belong to --engine optuna; W&B's server coordinates its own agents")
    request = SweepRequest(
        files=files,
        variants=chosen,
        tiles=tiles,
        runs=runs,
        studies=studies,
        storage=_bare(storage),
        budget=budget,
        n_agents=agents,
        device=device,
        on=on.value,
        place=tuple(place or ()),
        gpus=gpus,
        per_gpu=per_gpu,
        fuse=fused(fuse),
        smoke=smoke,
        max_failures=max_failures,
        seed=seed,
        name=name,
        overrides=tuple(word for word in words if "=" in word),
        engine=engine.value,
        wandb=wandb.value,
        project=project or os.environ.get("WANDB_PROJECT", "arena"),
        entity=entity or os.environ.get("WANDB_ENTITY", ""),
    )
    if code := _run(request, json):
        raise typer.Exit(code)


def _bare(storage: str) -> str:
    if not storage:
        return ""
    from sweeps.database import bare_url

    return bare_url(storage)


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


def _check_gpus(gpus: str, per_gpu: int, agents: int, device: str) -> None:
    if not gpus and per_gpu > 1:
        raise typer.BadParameter("--per-gpu needs --gpus, such as --gpus 0")
    if gpus and agents:
        raise typer.BadParameter("give --gpus with --per-gpu, or --agents; not both")
    if gpus and device != "auto":
        raise typer.BadParameter(f"--gpus chooses the devices; drop --device {device}")


def _check_place(on: Where, gpus: str, agents: int) -> None:
    if not agents:
        raise typer.BadParameter(f"--on {on} needs --agents: how many it is to place")
    if gpus:
        raise typer.BadParameter(f"--gpus is for --on local; {on} chooses the GPUs")


def _run(request: SweepRequest, json: bool) -> int:
    import dataclasses

    from sweeps import launch, live, plan, wandb_link
    from sweeps.results import read_outline
    from sweeps.tables import print_best

    slots = _slots(request)
    if request.fuse > 1 and request.on == "local" and not plan.may_have_gpu(request.device):
        say("note: on a CPU fused trials are slower than one at a time; --fuse is meant for a GPU")
    specs = wandb_link.open_sweeps(request, say) if request.engine == "wandb" else plan.open_studies(request, say)
    pool = launch.Pool(
        specs=specs,
        studies_dir=request.studies,
        slots=slots or plan.default_slots(request, sum(spec.budget for spec in specs)),
        n_clips=plan.n_clips(specs),
        max_failures=request.max_failures,
        wandb=request.wandb,
        smoke=request.smoke,
        fuse=request.fuse,
    )
    with live.shown(f"study {specs[0].name}" if len(specs) == 1 else f"{len(specs)} studies") as show:
        report = launch.run_agents(pool, show, say) if request.on == "local" else _run_placed(request, pool, show)
    facts = [read_outline(request.studies, spec.name) for spec in specs]
    print_json([dataclasses.asdict(study) for study in facts]) if json else print_best(facts)
    if report.exit_code:
        say(f"{report.n_settled} of {report.budget} trials are done; {report.way_on}")
    return report.exit_code


def _run_placed(request: SweepRequest, pool: Pool, show: Callable[[View], None]) -> PoolReport:
    from sweeps import place, place_ray, place_slurm

    options = place.options_of(request.place)
    words = place.commands(pool, request.n_agents, request.device)
    if request.on == "ray":
        return place.run_placed(pool, lambda: place_ray.RayActors(words, options, request.per_gpu), show, say)
    names, folder = " ".join(spec.name for spec in pool.specs), place_slurm.folder_of(pool.studies_dir)
    return place.run_placed(pool, lambda: place_slurm.SlurmJobs(folder, words, options, names), show, say)


def _slots(request: SweepRequest) -> tuple[Slot, ...]:
    """Where `--gpus` puts agents; nowhere without it. The environment is read here, at the edge."""
    from sweeps import gpus

    return gpus.placement(gpus.chosen(request.gpus, os.environ), request.per_gpu) if request.gpus else ()


@app.command(
    epilog="Examples: `arena sweep agent lenet5.raw`, in another terminal or on another machine that sees the folder · "
    "`arena sweep agent lenet5.raw --storage postgresql+psycopg://me@db/arena --tiles tiles --runs runs`, on any machine"
)
def agent(
    names: Annotated[list[str], typer.Argument(metavar="STUDY", help="Studies that `arena sweep run` made.")],
    studies: Studies = Path("studies"),
    storage: Storage = "",
    tiles: Annotated[
        Path | None, typer.Option(help="With --storage: this machine's tiles.", show_default="where the study was made")
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(help="With --storage: this machine's run folders.", show_default="where the study was made")
    ] = None,
    device: Device = "auto",
    max_failures: MaxFailures = 3,
    fuse: Fuse = "off",
    smoke: Annotated[bool, typer.Option("--smoke", help="Try one batch of each net first.")] = False,
    shared: Annotated[bool, typer.Option("--shared", hidden=True)] = False,
    wandb: Wandb = WandbMode.AUTO,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
    ready: Annotated[int | None, typer.Option("--ready", hidden=True)] = None,
) -> None:
    """Join: train trials of these studies until their budgets are reached. Ctrl-C ends after the epoch, twice at once."""
    from sweeps.agents_run import work
    from sweeps.order import Order, Stop

    if storage:
        from sweeps.joining import join

        for name in names:
            join(studies, _bare(storage), name, tiles=tiles, runs=runs)
    elif tiles or runs:
        raise typer.BadParameter("--tiles and --runs of an agent belong to --storage; without it they are the study's own")
    order = Order(
        studies_dir=studies,
        names=tuple(dict.fromkeys(names)),
        device=device,
        max_failures=max_failures,
        smoke=smoke,
        wandb=wandb.value,
        fuse=fused(fuse),
        ready=ready,
        stop=Stop(alone=not shared),
    )
    order.stop.install()
    if with_parent:
        order.stop.with_parent()
    if code := work(order, say):
        raise typer.Exit(code)
