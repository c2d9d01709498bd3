"""From what a user asks for to the studies it means: one for each sweep file and variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sweeps import lint, trial
from sweeps.errors import StudyError, SweepFileError
from sweeps.gpus import Slot, same_device
from sweeps.order import ALONE, MAX_FAILURES, Say
from sweeps.results import read_outline
from sweeps.study import StudyFolder, StudySpec, check_name, create_or_continue
from sweeps.sweepfile import PAIR, Sweep

_MOST_AGENTS = 8  # by default: each holds torch and the tiles in memory


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepRequest:
    """One `arena sweep run`."""

    files: tuple[str, ...]  # sweep files, or names of shipped ones
    variants: tuple[str, ...]
    tiles: Path = Path("tiles")
    runs: Path = Path("runs")
    studies: Path = Path("studies")
    storage: str = ""  # URL of a database without password; empty: files below `studies`
    budget: int | None = None  # per study; None: the file's run_cap, or all points of a grid
    n_agents: int = 0  # 0: one a core
    device: str = "auto"
    gpus: str = ""  # numbers, such as 0,1
    per_gpu: int = 1
    on: str = "local"  # or slurm, ray
    place: tuple[str, ...] = ()  # key=value for slurm and ray
    smoke: bool = True
    fuse: int = ALONE  # trials that an agent trains as one net
    max_failures: int = MAX_FAILURES
    seed: int = 0
    engine: str = "optuna"  # or wandb
    wandb: str = "auto"  # mode of the mirror
    project: str = "arena"  # at W&B, of its own sweep
    entity: str = ""  # at W&B; empty: the account's own
    name: str = ""  # of the study; a prefix where there are several
    overrides: tuple[str, ...] = ()


def all_eight() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The shipped files of Model A and Model B, and the four variants."""
    return PAIR, trial.variants()


def plan(request: SweepRequest) -> tuple[list[StudySpec], list[str]]:
    """The studies that are asked for, and notes; nothing is written.

    Raises:
        SweepError: a sweep file, a name or a budget that cannot be used.
        CnnError: tiles, overrides, a split or a device that cannot be used.
    """
    trial.check_device_name(request.device)
    sweeps = [lint.read_sweep(file) for file in request.files]
    for sweep in sweeps:
        _refuse_both(sweep, request.overrides)
    specs: list[StudySpec] = []
    notes: list[str] = []
    tiles = trial.find_tiles_folder(request.tiles, notes.append).resolve()
    for sweep in sweeps:
        budget, note = lint.budget_of(sweep, request.budget)
        notes += [note] if note else []
        model = lint.model_of(sweep)
        for variant in request.variants:
            several = len(sweeps) * len(request.variants) > 1
            name = _name(request.name, trial.model_label(model), variant, several)
            check_name(name)
            spec = StudySpec(
                name=name,
                sweep=sweep,
                base=trial.base_configuration(tiles, model, variant, request.overrides),
                overrides=request.overrides,
                tiles=tiles,
                runs=request.runs.resolve(),
                budget=budget,
                seed=request.seed,
                engine=request.engine,
                storage=request.storage,
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
        if "train.epochs" not in trial.override_keys(spec.overrides):
            raise
        return [f"note: {error}"]
    return []


def open_studies(request: SweepRequest, say: Say) -> list[StudySpec]:
    """The planned studies, each in its folder.

    Raises:
        SweepError, CnnError: as `plan`, or a study of this name searches something else.
    """
    specs, notes = plan(request)
    trial.check_runs(request.runs)
    for note in notes:
        say(note)
    opened: list[StudySpec] = []
    for wanted in specs:
        spec = wanted if request.budget is None else _within_reach(request.studies, wanted, say)
        folder, note = create_or_continue(request.studies, spec, keep_budget=request.budget is None)
        if note:
            say(note)
        opened.append(folder.spec())
    return opened


def _within_reach(studies: Path, wanted: StudySpec, say: Say) -> StudySpec:
    """`wanted` with a budget that is not below the trials that its study has already."""
    if not StudyFolder(studies / wanted.name).exists:
        return wanted
    n_settled = read_outline(studies, wanted.name).n_settled
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
            known[key] = trial.n_training_clips(spec.tiles, spec.base)
        found.append(known[key])
    return found


def default_slots(request: SweepRequest, budget: int) -> tuple[Slot, ...]:
    """Where agents work that no `--gpus` places."""
    n_agents = request.n_agents or default_agents(request.device, budget, fuse=request.fuse)
    return same_device(n_agents, request.device)


def may_have_gpu(device: str) -> bool:
    """Whether agents may find a GPU here; asking torch would take seconds."""
    return device != "cpu" and Path("/dev/nvidiactl").exists()


def default_agents(device: str, budget: int, fuse: int = ALONE) -> int:
    """One agent a core on a CPU, two on a GPU (one that fuses trials fills it), no more than there are trials."""
    has_gpu = may_have_gpu(device)
    if has_gpu and fuse != ALONE:
        return 1
    return trial.n_processes(on_gpu=has_gpu, n_tasks=min(_MOST_AGENTS, budget))


def _name(wanted: str, model: str, variant: str, several: bool) -> str:
    if not wanted:
        return f"{model}.{variant}"
    return f"{wanted}.{model}.{variant}" if several else wanted


def _refuse_both(sweep: Sweep, overrides: Sequence[str]) -> None:
    for key in trial.override_keys(overrides):
        if key in [parameter.name for parameter in sweep.parameters]:
            raise StudyError(
                f"{key} is tuned by {sweep.file} line {sweep.line_of(key)}, so it cannot be set here; drop one of them"
            )


def _refuse_twins(specs: Sequence[StudySpec]) -> None:
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise StudyError(f"two studies would be called {name!r}; give each variant and each model once")
