"""From what a user asks for to the studies it means: one for each sweep file and variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cnn.nets import PAIR
from sweeps.errors import OptionError, StudyError, SweepFileError
from sweeps.pool.agent_options import ALONE, AgentOptions, Say
from sweeps.pool.slots import Slot, same_device
from sweeps.results import read_outline
from sweeps.study.folder import StudyFolder, StudySpec, check_name, create_or_continue
from sweeps.sweepfile import lint
from sweeps.sweepfile.sweep import Sweep
from sweeps.training import configuration

_MOST_AGENTS = 8  # by default: each holds torch and the tiles in memory


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """What is searched, and by which engine."""

    files: tuple[str, ...]  # sweep files, or names of shipped ones
    variants: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    budget: int | None = None  # per study; None: the file's run_cap, or all points of a grid
    seed: int = 0
    name: str = ""  # of the study; a prefix where there are several
    engine: str = "optuna"  # or wandb
    project: str = ""  # at W&B, of its own sweep; empty: arena
    entity: str = ""  # at W&B; empty: the account's own


@dataclass(frozen=True, kw_only=True, slots=True)
class Locations:
    """Where a sweep reads and writes; its studies' folder is an option of its agents."""

    tiles: Path = Path("tiles")
    runs: Path = Path("runs")
    storage: str = ""  # URL of a database without password; empty: files in the studies' folder


@dataclass(frozen=True, kw_only=True, slots=True)
class Workers:
    """How many agents work, and on which machines and devices."""

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


def choose_studies(
    files: Sequence[str], variants: Sequence[str], *, all_studies: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sweep files and variants to search: those given, or Model A and Model B on the four variants.

    Raises:
        OptionError: both are asked for, or not one file and a variant.
    """
    if all_studies:
        if files or variants:
            raise OptionError("--all runs lenet5 and resnet on all variants: give it no file and no --variant")
        return PAIR, configuration.variants()
    if len(files) != 1:
        raise OptionError(f"give one sweep file, or lenet5 or resnet, or --all; not {len(files)} files")
    if not variants:
        raise OptionError("choose what to train on with --variant: raw, bilateral, raw+aug or bilateral+aug")
    return tuple(files), tuple(variants)


def plan(request: SweepRequest) -> tuple[list[StudySpec], list[str]]:
    """The studies that are asked for, and notes; nothing is written.

    Raises:
        SweepError: a sweep file, a name or a budget that cannot be used.
        CnnError: tiles, overrides, a split or a device that cannot be used.
    """
    search, locations = request.search, request.locations
    configuration.check_device_name(request.options.device)
    sweeps = [lint.read_sweep(file) for file in search.files]
    for sweep in sweeps:
        _refuse_both(sweep, search.overrides)
    specs: list[StudySpec] = []
    notes: list[str] = []
    tiles = configuration.find_tiles_folder(locations.tiles, notes.append).resolve()
    for sweep in sweeps:
        budget, note = lint.compute_budget(sweep, search.budget)
        notes += [note] if note else []
        model = lint.find_model(sweep)
        for variant in search.variants:
            several = len(sweeps) * len(search.variants) > 1
            name = _name(search.name, configuration.model_label(model), variant, several)
            check_name(name)
            spec = StudySpec(
                name=name,
                sweep=sweep,
                base=configuration.base_configuration(tiles, model, variant, search.overrides),
                overrides=search.overrides,
                tiles=tiles,
                runs=locations.runs.resolve(),
                budget=budget,
                seed=search.seed,
                engine=search.engine,
                storage=locations.storage,
            )
            specs.append(spec)
        notes += _stopping_notes(specs[-1])
    _refuse_twins(specs)
    return specs, notes


def _stopping_notes(spec: StudySpec) -> list[str]:
    """What never ends a trial is refused in a file, and a note where epochs were set for this once."""
    epochs = 0 if spec.sweep.has("train.epochs") else int(spec.base["train"]["epochs"])
    try:
        lint.check_stopping(spec.sweep, epochs)
    except SweepFileError as error:
        if "train.epochs" not in configuration.override_keys(spec.overrides):
            raise
        return [f"note: {error}"]
    return []


def open_studies(request: SweepRequest, say: Say) -> list[StudySpec]:
    """The planned studies, each in its folder.

    Raises:
        SweepError, CnnError: as `plan`, or a study of this name searches something else.
    """
    specs, notes = plan(request)
    configuration.check_runs(request.locations.runs)
    for note in notes:
        say(note)
    studies, keeps_budget = request.options.studies_dir, request.search.budget is None
    opened: list[StudySpec] = []
    for wanted in specs:
        spec = wanted if keeps_budget else _within_reach(studies, wanted, say)
        folder, note = create_or_continue(studies, spec, keep_budget=keeps_budget)
        if note:
            say(note)
        opened.append(folder.spec())
    return opened


def _within_reach(studies: Path, wanted: StudySpec, say: Say) -> StudySpec:
    """`wanted` with a budget that is not below the trials that its study has already."""
    if not StudyFolder(studies / wanted.name).exists:
        return wanted
    n_settled = read_outline(studies, wanted.name).n_completed
    if n_settled <= wanted.budget:
        return wanted
    say(f"study {wanted.name}: {n_settled} trials are done, more than --budget {wanted.budget}; none is taken back")
    return replace(wanted, budget=n_settled)


def n_clips(specs: Sequence[StudySpec]) -> list[int]:
    """How many clips each study trains in an epoch; studies that share tiles and split are asked once."""
    known: dict[str, int] = {}
    found = []
    for spec in specs:
        key = repr((spec.tiles, spec.base["split"]))
        if key not in known:
            known[key] = configuration.n_training_clips(spec.tiles, spec.base)
        found.append(known[key])
    return found


def default_slots(request: SweepRequest, budget: int) -> tuple[Slot, ...]:
    """Where agents work that no `--gpus` places."""
    options = request.options
    n_agents = request.workers.n_agents or default_agents(options.device, budget, fuse=options.fuse)
    return same_device(n_agents, options.device)


def may_have_gpu(device: str) -> bool:
    """Whether agents may find a GPU here; asking torch would take seconds."""
    return device != "cpu" and Path("/dev/nvidiactl").exists()


def default_agents(device: str, budget: int, fuse: int = ALONE) -> int:
    """One agent a core on a CPU, two on a GPU (one that fuses trials fills it), no more than there are trials."""
    has_gpu = may_have_gpu(device)
    if has_gpu and fuse != ALONE:
        return 1
    return configuration.n_processes(on_gpu=has_gpu, n_tasks=min(_MOST_AGENTS, budget))


def _name(wanted: str, model: str, variant: str, several: bool) -> str:
    if not wanted:
        return f"{model}.{variant}"
    return f"{wanted}.{model}.{variant}" if several else wanted


def _refuse_both(sweep: Sweep, overrides: Sequence[str]) -> None:
    for key in configuration.override_keys(overrides):
        if key in [parameter.name for parameter in sweep.parameters]:
            raise StudyError(
                f"{key} is tuned by {sweep.file} line {sweep.find_line(key)}, so it cannot be set here; drop one of them"
            )


def _refuse_twins(specs: Sequence[StudySpec]) -> None:
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise StudyError(f"two studies would be called {name!r}; give each variant and each model once")
