"""`arena sweep run`: make or continue studies, and train until their budgets are reached."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.locks import require_posix
from arena.base.options import (
    SWEEP_HELP,
    ConfigPath,
    Device,
    Every,
    Json,
    Overrides,
    Runs,
    Studies,
    Tiles,
    Wandb,
    WandbMode,
    Wide,
    budget_option,
    model_option,
    panels,
    variant_option,
)
from arena.base.terminal import print_json, say
from sweeps.cli.options import (
    RUN_PANELS,
    ClusterName,
    EngineName,
    Folds,
    Fuse,
    Hours,
    MaxFailures,
    Paired,
    Seeds,
    Source,
    Storage,
    Tries,
    Until,
    collect_settings,
    parse_fuse_option,
)

if TYPE_CHECKING:
    from sweeps.pool.plan import SweepRequest, Workers
    from sweeps.pool.pool import Pool, PoolReport
    from sweeps.pool.progress import PoolProgress
    from sweeps.pool.slots import Slot
    from sweeps.pool.spare import SpareAgent
    from sweeps.results import StudyFacts


app = typer.Typer(
    no_args_is_help=True,
    help="Tune learning rate, batch size and depth.",
    epilog="Example: `arena sweep run lenet5 --variant raw --budget 20`, then `arena sweep best lenet5.raw`",
)


@app.command(
    epilog="Examples: `arena sweep run lenet5 --variant raw --budget 16 --agents 2` · "
    "`arena sweep run my.yaml --variant raw --variant raw+aug train.epochs=8` · `arena sweep run --all --budget 16` · "
    "`arena sweep run --all --gpus 0,1 --per-gpu 2` · `arena sweep run lenet5 --variant raw --engine wandb` · "
    "`arena sweep run lenet5 --variant raw --try lr=0.003,depth=3 --hours 2`"
)
@panels(RUN_PANELS)
def run(
    file: Annotated[str | None, typer.Argument(metavar="SWEEP", help=SWEEP_HELP)] = None,
    overrides: Overrides = None,
    config: ConfigPath = None,
    variants: Annotated[list[str] | None, variant_option()] = None,
    models: Annotated[list[str] | None, model_option("A net instead of a file: its own sweep file; repeat for more.")] = None,
    every: Every = False,
    tiles: Tiles = Path("tiles"),
    runs: Runs = Path("runs"),
    studies: Studies = Path("studies"),
    storage: Storage = "",
    budget: Annotated[int | None, budget_option()] = None,
    hours: Hours = None,
    until: Until = None,
    folds: Folds = "",
    seeds: Seeds = None,
    tries: Tries = None,
    source: Source = "",
    paired: Paired = False,
    agents: Annotated[int, typer.Option(min=0, help="Processes; 0 chooses.", show_default="one a core")] = 0,
    device: Device = "auto",
    gpus: Annotated[str, typer.Option(help="Numbers of GPUs, such as 0,1: agents on each.")] = "",
    per_gpu: Annotated[int, typer.Option(min=1, max=64, help="With --gpus: agents on each.")] = 1,
    on: Annotated[ClusterName, typer.Option(help="Who places the agents: this machine, Slurm or Ray.")] = ClusterName.LOCAL,
    cluster_options: Annotated[
        list[str] | None,
        typer.Option("--place", metavar="KEY=VALUE", help="For Slurm, such as slurm_partition=gpu; repeat for more."),
    ] = None,
    fuse: Fuse = "off",
    seed: Annotated[int, typer.Option(min=0, help="Of the search; the training's own is train.seed.")] = 0,
    name: Annotated[str, typer.Option(help="Of the study.", show_default="model.variant")] = "",
    smoke: Annotated[bool, typer.Option("--smoke/--no-smoke", help="Try one batch of each net before the first trial.")] = True,
    max_failures: MaxFailures = 3,
    engine: Annotated[EngineName, typer.Option(help="Who chooses points and stops weak trials.")] = EngineName.OPTUNA,
    project: Annotated[str, typer.Option(help="At W&B, with --engine wandb.", show_default="WANDB_PROJECT, or arena")] = "",
    entity: Annotated[str, typer.Option(help="At W&B, with --engine wandb.", show_default="the account's own")] = "",
    wandb: Wandb = WandbMode.AUTO,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Tune: make or continue studies, and train until each has its budget of trials, exactly. Run again, it goes on."""
    require_posix("arena sweep run")
    from sweeps.pool.spare import hold_spare

    with hold_spare(is_wanted=on is ClusterName.LOCAL and not gpus) as spare:  # it loads torch while the rest is read
        from cnn.overrides import spell_out
        from cnn.project import open_project, select_settings, split_cell
        from cnn.runs.config_file import read_config_file
        from sweeps.errors import OptionError
        from sweeps.pool.agent_options import AgentOptions
        from sweeps.pool.plan import Locations, Search, SweepRequest, Workers, choose_studies
        from sweeps.study.limits import Limits
        from sweeps.training.configuration import check_tiles

        words = [word for word in (file, *(overrides or [])) if word]
        account = os.environ if engine is EngineName.WANDB else {}
        team, settings_file = open_project(), read_config_file(config)
        sweep_files = [word for word in words if "=" not in word]
        typed, nets, cell_variants = split_cell(
            spell_out([word for word in words if "=" in word]), models or (), variants or ()
        )
        nets = nets or (() if sweep_files else settings_file.models)
        try:
            files, variant_names = choose_studies(team, sweep_files, nets, cell_variants or settings_file.variants, every=every)
            request = SweepRequest(
                search=Search(
                    files=files,
                    variants=variant_names,
                    overrides=tuple(typed),
                    settings=(*select_settings(team), *settings_file.list_settings(nets)),
                    budget=budget or team.budget,
                    seed=seed,
                    limits=Limits(hours=hours, until=until),
                    arena=collect_settings(folds, seeds, paired=paired),
                    tries=tuple(tries or ()),
                    source=source,
                    name=name,
                    engine=engine.value,
                    project=project or account.get("WANDB_PROJECT", ""),
                    entity=entity or account.get("WANDB_ENTITY", ""),
                ),
                locations=Locations(tiles=tiles, runs=runs, storage=_strip_password(storage)),
                workers=Workers(
                    n_agents=agents, gpus=gpus, per_gpu=per_gpu, cluster=on.value, cluster_options=tuple(cluster_options or ())
                ),
                options=AgentOptions(
                    studies_dir=studies,
                    device=device,
                    max_failures=max_failures,
                    wandb=wandb.value,
                    fuse=parse_fuse_option(fuse),
                    smoke=smoke,
                ),
            )
            request.check()
            check_tiles(settings_file, tiles)
        except OptionError as error:
            raise typer.BadParameter(str(error)) from error
        if code := _run(request, spare, json):
            raise typer.Exit(code)


def _strip_password(storage: str) -> str:
    if not storage:
        return ""
    from sweeps.study.database import strip_password

    return strip_password(storage)


def _run(request: SweepRequest, spare: SpareAgent | None, json: bool) -> int:
    import dataclasses

    from sweeps.cli.tables import print_best

    facts, report = run_with_progress(request, spare)
    print_json([dataclasses.asdict(study) for study in facts]) if json else print_best(facts)
    for sentence in report.ends:
        say(sentence)
    if report.exit_code:
        say(f"{report.n_completed} of {report.budget} trials are done; {report.advice}")
    return report.exit_code


def run_with_progress(request: SweepRequest, spare: SpareAgent | None = None) -> tuple[list[StudyFacts], PoolReport]:
    """Make or continue the studies of a checked request, train with progress on the terminal, and return them.

    Raises:
        SweepError, CnnError: as `open_studies` and `run_agents` raise them.
    """
    import dataclasses

    from sweeps.cli import live
    from sweeps.pool import plan
    from sweeps.pool.pool import Pool, run_agents
    from sweeps.pool.slots import default_agents, has_usable_gpu, same_device
    from sweeps.results import read_outline
    from sweeps.study.paths import hold_paths
    from sweeps.wandb_sweeps.link import open_sweeps

    workers, options = request.workers, request.options
    is_local, gpu_slots = workers.cluster == "local", _gpu_slots(workers)
    if options.fuse > 1 and is_local and not has_usable_gpu(options.device):
        say("note: on a CPU fused trials are slower than one at a time; --fuse is meant for a GPU")
    open_studies = open_sweeps if request.search.engine == "wandb" else plan.open_studies
    specs = open_studies(request, say)
    names, budget = tuple(spec.name for spec in specs), sum(spec.budget for spec in specs)
    n_agents = workers.n_agents or default_agents(options.device, budget, options.fuse)
    pool = Pool(
        specs=specs,
        options=dataclasses.replace(options, names=names),
        slots=gpu_slots or same_device(n_agents, options.device),
        n_clips=plan.count_clips(specs),
        spare=spare,
    )
    live.say_live_page(names, options.studies_dir)
    paths = hold_paths(options.studies_dir / name for name in names)
    with paths, live.live_progress(f"study {names[0]}" if len(names) == 1 else f"{len(names)} studies") as show:
        report = run_agents(pool, show, say) if is_local else _run_on_cluster(workers, pool, show)
    return [read_outline(options.studies_dir, name) for name in names], report


def _run_on_cluster(workers: Workers, pool: Pool, show: Callable[[PoolProgress], None]) -> PoolReport:
    from sweeps.pool import cluster
    from sweeps.pool.ray_actors import RayActors
    from sweeps.pool.slurm_jobs import SlurmJobs, choose_jobs_folder

    settings = cluster.parse_place(workers.cluster_options)
    argvs = cluster.make_agent_argvs(pool, workers.n_agents)
    if workers.cluster == "ray":
        return cluster.run_on_cluster(pool, lambda: RayActors(argvs, settings, workers.per_gpu), show, say)
    names, folder = " ".join(pool.options.names), choose_jobs_folder(pool.options.studies_dir)
    return cluster.run_on_cluster(pool, lambda: SlurmJobs(folder, argvs, settings, names), show, say)


def _gpu_slots(workers: Workers) -> tuple[Slot, ...]:
    """Return the slots of `--gpus`, none without it. The environment is read here, at the edge."""
    from sweeps.pool.slots import parse_gpus, spread_over_gpus

    return spread_over_gpus(parse_gpus(workers.gpus, os.environ), workers.per_gpu) if workers.gpus else ()
