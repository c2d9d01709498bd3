"""Request of `arena sweep run` and the studies that it makes: one for each sweep file and variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arena.base.project import Project
from cnn.hardware import check_device_name
from cnn.project import choose_cells, choose_models
from sweeps.errors import OptionError, StudyError, SweepFileError
from sweeps.linting import lint
from sweeps.linting.overrides import list_stopping_notes, refuse_silent_augmentation, refuse_tuned_overrides
from sweeps.linting.settings import override_settings
from sweeps.pool.agent_options import ALONE, AgentOptions, Say
from sweeps.pool.cluster import parse_place
from sweeps.pool.known_points import Wishes, choose_points
from sweeps.results import read_outline
from sweeps.study.folder import StudyFolder, StudySpec, check_continuation, check_name, create_or_continue
from sweeps.study.limits import Limits
from sweeps.sweepfile.metric import explain_range
from sweeps.sweepfile.sweep import Sweep
from sweeps.training import configuration
from sweeps.training.folds import plan_folds


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Sweep files, variants and budget to search, and the engine."""

    files: tuple[str, ...]  # sweep files, or nets whose own they are
    variants: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()  # the project's, before the overrides: those that a file tunes give way
    budget: int | None = None  # per study; None: the file's run_cap, or all points of a grid
    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    tries: tuple[str, ...] = ()  # points to try first, each `key=value,key=value`
    source: str = ""  # another study, by name or folder, whose best points to try first
    name: str = ""  # name of the study; a prefix where there are several
    engine: str = "optuna"  # or wandb
    project: str = ""  # project of a sweep at W&B; empty: arena
    entity: str = ""  # entity of a sweep at W&B; empty: the account's own
    arena: Mapping[str, Any] = field(default_factory=dict)  # entries of `arena:` that the command line gives


@dataclass(frozen=True, kw_only=True, slots=True)
class Locations:
    """Tiles, run folders and database of a sweep; the studies' folder is an option of its agents."""

    tiles: Path = Path("tiles")
    runs: Path = Path("runs")
    storage: str = ""  # URL of a database without password; empty: files in the studies' folder


@dataclass(frozen=True, kw_only=True, slots=True)
class Workers:
    """Number of agents, and their machines and devices."""

    n_agents: int = 0  # 0: one a core
    gpus: str = ""  # numbers, such as 0,1
    per_gpu: int = 1
    cluster: str = "local"  # or slurm, ray
    cluster_options: tuple[str, ...] = ()  # key=value for slurm and ray


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepRequest:
    """One `arena sweep run`."""

    search: Search
    locations: Locations = Locations()
    workers: Workers = Workers()
    options: AgentOptions = field(default_factory=AgentOptions)

    def check(self) -> None:
        """Refuse options that do not go together; raises OptionError."""
        self._check_devices() if self.workers.cluster == "local" else self._check_cluster()
        search = self.search
        if search.engine == "optuna" and (search.project or search.entity):
            raise OptionError(
                "--project and --entity belong to --engine wandb; the mirror takes WANDB_PROJECT and WANDB_ENTITY"
            )
        if search.engine == "wandb" and self.options.fuse != ALONE:
            raise OptionError("--fuse belongs to --engine optuna; W&B hands its trials out one at a time")
        if search.engine == "wandb" and (self.locations.storage or self.workers.cluster != "local"):
            raise OptionError("--storage and --on belong to --engine optuna; W&B's server coordinates its own agents")
        if search.engine == "wandb" and (
            search.tries or search.source or "paired" in search.arena or search.limits != Limits()
        ):
            raise OptionError(
                "--try, --from, --paired, --hours and --until belong to --engine optuna; W&B's server draws the points"
            )

    def _check_devices(self) -> None:
        workers, device = self.workers, self.options.device
        if not workers.gpus and workers.per_gpu > 1:
            raise OptionError("--per-gpu needs --gpus, such as --gpus 0")
        if workers.gpus and workers.n_agents:
            raise OptionError("give --gpus with --per-gpu, or --agents; not both")
        if workers.gpus and device != "auto":
            raise OptionError(f"--gpus chooses the devices; drop --device {device}")

    def _check_cluster(self) -> None:
        workers = self.workers
        if not workers.n_agents:
            raise OptionError(f"--on {workers.cluster} needs --agents: how many it is to place")
        if workers.gpus:
            raise OptionError(f"--gpus is for --on local; {workers.cluster} chooses the GPUs")
        parse_place(workers.cluster_options)


def choose_studies(
    project: Project, files: Sequence[str], models: Sequence[str], variants: Sequence[str], *, every: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sweep files, or nets whose own they are, and the variants to search.

    Args:
        every: Models A and B where neither file nor net is named, the project's or all variants where none is.

    Raises:
        OptionError: files beside nets, nothing to tune, or no variant.
        ConfigError: a net or a variant is named twice.
    """
    if files and (models or len(files) > 1):
        is_pair = len(files) == len(models) == 1
        hint = f"; a file names its net below `parameters:`, `model.name: {{value: {models[0]}}}`" if is_pair else ""
        raise OptionError(f"give one sweep file, or nets with --model, or --all; not {', '.join([*files, *models])}{hint}")
    if not (files or models or every):
        raise OptionError("choose what to tune: a sweep file, a net such as lenet5, or --all for Models A and B")
    if not (variants or every):
        raise OptionError("choose what to train on with --variant: raw, bilateral, raw+aug or bilateral+aug")
    cells = choose_cells(project, models, variants, every=every)
    nets = dict(zip(choose_models(project), project.sweep_files, strict=True))
    chosen = files or [nets.get(model) or model for model in dict.fromkeys(model for model, _ in cells)]
    return tuple(chosen), tuple(dict.fromkeys(variant for _, variant in cells))


def _check_until(sweep: Sweep, until: float | None) -> None:
    if until is not None and (reason := explain_range(sweep.metric, until)):
        raise OptionError(f"--until {until:g} {reason}")


def plan(request: SweepRequest) -> tuple[list[StudySpec], list[str]]:
    """Return the studies of a request, and notes for the user; write nothing.

    Raises:
        SweepError: a sweep file, a name or a budget that cannot be used.
        CnnError: tiles, overrides, a split or a device that cannot be used.
    """
    search, locations = request.search, request.locations
    check_device_name(request.options.device)
    sweeps = [override_settings(lint.read_sweep(file), search.arena) for file in search.files]
    for sweep in sweeps:
        refuse_tuned_overrides(sweep, search.overrides)
        _check_until(sweep, search.limits.until)
    wishes = Wishes(tries=search.tries, source=search.source, studies_dir=request.options.studies_dir, settings=search.settings)
    specs: list[StudySpec] = []
    notes: list[str] = []
    tiles = configuration.find_tiles_folder(locations.tiles, notes.append).resolve()
    for sweep in sweeps:
        budget, note = lint.compute_budget(sweep, search.budget)
        model = lint.find_model(sweep)
        overrides, words = _choose_overrides(sweep, search, tiles)
        notes += [text for text in (note, *words, *lint.list_sweep_notes(sweep, engine=search.engine)) if text]
        for variant in search.variants:
            several = len(sweeps) * len(search.variants) > 1
            name = _choose_name(search.name or sweep.name, configuration.model_label(model), variant, several)
            check_name(name)
            refuse_silent_augmentation(sweep, variant)
            base = configuration.base_configuration(tiles, model, variant, overrides)
            configuration.check_objective(base, sweep.metric)
            spec = StudySpec(
                name=name,
                sweep=sweep,
                base=base,
                folds=plan_folds(tiles, base, sweep.settings.folds),
                overrides=overrides,
                tiles=tiles,
                runs=locations.runs.resolve(),
                budget=budget,
                seed=search.seed,
                engine=search.engine,
                limits=replace(search.limits, until=sweep.rules.target if search.limits.until is None else search.limits.until),
                storage=locations.storage,
            )
            lint.check_points(sweep, spec.base)
            _refuse_costs_at_wandb(spec)
            if spec.engine == "optuna":
                points, words = choose_points(spec, wishes)
                spec, notes = replace(spec, points=points), [*notes, *words]
            specs.append(spec)
        notes += [*list_stopping_notes(specs[-1]), *configuration.note_digits(tiles, specs[-1].bases)]
    _refuse_namesakes(specs)
    return specs, list(dict.fromkeys(notes))


def _refuse_costs_at_wandb(spec: StudySpec) -> None:
    for name in ("objectives", "constraints"):
        if spec.engine == "wandb" and getattr(spec.settings, name):
            raise SweepFileError(f"arena.{name} needs --engine optuna; W&B's server knows one metric", file=spec.sweep.file)


def _choose_overrides(sweep: Sweep, search: Search, tiles: Path) -> tuple[tuple[str, ...], list[str]]:
    """Return the settings of all trials: the project's without what the file tunes, then those of the command line.

    A team's own net is tried, and notes return its warnings. What it does not read is refused where it is tuned, or set for
    it alone, and left out else.
    """
    tuned = [parameter.name for parameter in sweep.parameters]
    settings = [text for text in search.settings if text.partition("=")[0] not in tuned]
    overrides, model = (*settings, *search.overrides), lint.find_model(sweep)
    net = configuration.try_own_net(tiles, model, search.variants[0], overrides)
    for key in tuned:
        if key in net.unread:
            raise SweepFileError(configuration.explain_unread_key(model, key), file=sweep.file, line=sweep.find_line(key))
    for key in configuration.override_keys(search.overrides):
        if key in net.unread and len(search.files) == 1:
            raise StudyError(configuration.explain_unread_key(model, key))
    given_way = [text for text in search.settings if text not in settings]
    left_out = [text for text in overrides if text.partition("=")[0] in net.unread]
    label = configuration.model_label(model)
    words = [f"{label} does not read {text.partition('=')[0]}: its trials run without {text}" for text in left_out]
    words += [
        f"note: {sweep.file} has {text.partition('=')[0]}, so {text} of arena.toml or --config does not hold"
        for text in given_way
    ]
    return tuple(text for text in overrides if text not in left_out), [*net.warnings, *words]


def open_studies(request: SweepRequest, say: Say) -> list[StudySpec]:
    """Create or continue the planned studies, each in its folder, and return them.

    Raises:
        SweepError, CnnError: as `plan`, or a study of this name searches something else.
    """
    specs, notes = plan(request)
    configuration.check_runs(request.locations.runs)
    for note in notes:
        say(note)
    studies, keeps_budget = request.options.studies_dir, request.search.budget is None
    for spec in specs:  # all before the first is written
        check_continuation(studies, spec)
    opened: list[StudySpec] = []
    for spec in specs:
        spec = spec if keeps_budget else _raise_budget(studies, spec, say)
        folder, note = create_or_continue(studies, spec, keep_budget=keeps_budget)
        if note:
            say(note)
        opened.append(folder.read_spec())
    return opened


def _raise_budget(studies: Path, spec: StudySpec, say: Say) -> StudySpec:
    """Return `spec` with a budget of at least the trials that its study has completed."""
    if not StudyFolder(studies / spec.name).exists:
        return spec
    n_completed = read_outline(studies, spec.name).n_completed
    if n_completed <= spec.budget:
        return spec
    say(f"study {spec.name}: {n_completed} trials are done, more than --budget {spec.budget}; none is taken back")
    return replace(spec, budget=n_completed)


def count_clips(specs: Sequence[StudySpec]) -> list[int]:
    """Return the clips of an epoch, or of a training where trials have several; equal tiles and splits are read once."""
    keys = [repr((spec.tiles, spec.base["split"])) for spec in specs]
    specs_by_key = dict(zip(keys, specs, strict=True))
    counts = {key: configuration.count_training_clips(spec.tiles, spec.base) for key, spec in specs_by_key.items()}
    steps = [int(spec.base["train"]["epochs"]) if spec.settings.n_trainings > 1 else 1 for spec in specs]
    return [counts[key] * n for key, n in zip(keys, steps, strict=True)]


def _choose_name(prefix: str, model: str, variant: str, several: bool) -> str:
    if not prefix:
        return f"{model}.{variant}"
    return f"{prefix}.{model}.{variant}" if several else prefix


def _refuse_namesakes(specs: Sequence[StudySpec]) -> None:
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise StudyError(f"two studies would be called {name!r}; give each variant and each model once")
