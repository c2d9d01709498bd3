"""Link of a study to its sweep at W&B, stored in the study's folder; the sweep gets more runs when the study goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from arena.base.install import install_command
from cnn.files import read_json, write_json
from sweeps.errors import StudyError
from sweeps.pool import plan
from sweeps.pool.agent_options import Say
from sweeps.pool.plan import SweepRequest
from sweeps.results import read_outline
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.training import wandb_runs
from sweeps.wandb_sweeps import config as wandb_config

_NAME = "wandb.json"
_WAIT_S = 60
_MAX_EPOCHS = 10_000  # the most that a training may have
_MAX_PRIOR_RUNS = 1000  # W&B takes no more


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepLink:
    """A sweep at W&B."""

    entity: str
    project: str
    sweep: str
    url: str
    follows: bool = False  # made by `wandb agent`: another folder counts the sweep's budget

    @property
    def path(self) -> str:
        """Name of the sweep for `wandb agent`."""
        return f"{self.entity}/{self.project}/{self.sweep}"


def read_link(folder: StudyFolder) -> SweepLink:
    """Return the sweep of a study; raises StudyError where it has none."""
    path = folder.path / _NAME
    if not path.exists():
        raise StudyError(f"study {folder.name!r} has no sweep at W&B; make one with `arena sweep run --engine wandb`")
    return SweepLink(**read_json(path))


def write_link(folder: StudyFolder, link: SweepLink) -> None:
    write_json(folder.path / _NAME, dataclasses.asdict(link))


def open_sweeps(request: SweepRequest, say: Say) -> list[StudySpec]:
    """Create or continue the planned studies, each with its sweep at W&B, and return them.

    Raises:
        SweepError, CnnError: as `sweeps.pool.plan.open_studies`; not logged in, or W&B does not support the sweep.
    """
    planned, _ = plan.plan(request)
    for spec in planned:
        wandb_config.check_supported(spec)
    refuse_namesake()
    wandb_runs.require_account()
    specs = plan.open_studies(request, say)
    studies = request.options.studies_dir
    for spec in specs:
        facts = read_outline(studies, spec.name)
        n_missing = spec.budget - facts.n_completed - facts.n("running") - facts.n("interrupted")
        project = request.search.project or spec.sweep.project or "arena"
        link, note = register(StudyFolder(studies / spec.name), project, request.search.entity or spec.sweep.entity, n_missing)
        say(f"study {spec.name} at W&B: {link.url}{note}")
    return specs


def refuse_namesake() -> None:
    """Refuse a package of W&B's local controller that overwrites Arena's `sweeps`; raises StudyError."""
    try:
        importlib.metadata.distribution("sweeps")
    except importlib.metadata.PackageNotFoundError:
        return
    fix = f"pip uninstall sweeps, then {install_command()}"
    raise StudyError(f"the package `sweeps` (of wandb[sweeps]) is installed over Arena's own; {fix}")


def register(folder: StudyFolder, project: str, entity: str, n_missing: int) -> tuple[SweepLink, str]:
    """Return the study's sweep at W&B, created or resumed if need be, and a note where it replaces another.

    W&B changes no sweep that has started: one that cannot give `n_missing` more runs is replaced, its ended runs taken over.

    Args:
        n_missing: trials up to the budget, without those that agents will take over.

    Raises:
        StudyError: W&B is not reached, or refuses the project or entity.
    """
    spec = folder.read_spec()
    with folder.lock_folder(), wandb_session("the sweep is not made"):
        if not (folder.path / _NAME).exists():
            return _create_sweep(spec, folder, project, entity), ""
        link = read_link(folder)
        if n_missing <= 0:
            return link, ""
        runs, obstacle = _resume(link, n_missing)
        if not obstacle:
            return link, ""
        new = _create_sweep(spec, folder, link.project, link.entity, runs)
        return new, f" (its sweep {link.sweep} {obstacle}; this one takes over its {len(runs)} ended runs)"


def _create_sweep(spec: StudySpec, folder: StudyFolder, project: str, entity: str, prior_runs: Sequence[str] = ()) -> SweepLink:
    import wandb

    config = wandb_config.make_sweep_config(spec, wandb_config.agent_command(spec, folder.path.parent))
    with contextlib.redirect_stdout(io.StringIO()):  # wandb prints the sweep's id and page; `open_sweeps` does that
        sweep = wandb.sweep(config, project=project, entity=entity or None, prior_runs=list(prior_runs))
    # wandb.sweep leaves the entity and project that it resolved in the environment.
    entity, project = os.environ.get("WANDB_ENTITY", entity), os.environ.get("WANDB_PROJECT", project)
    url = str(wandb.Api().sweep(f"{entity}/{project}/{sweep}").url)
    link = SweepLink(entity=entity, project=project, sweep=sweep, url=url)
    write_link(folder, link)
    return link


def _resume(link: SweepLink, n_missing: int) -> tuple[list[str], str]:
    """Let W&B hand out runs again; return the ended runs of a sweep that cannot give `n_missing` more, and the reason."""
    import wandb

    try:
        sweep = wandb.Api().sweep(link.path)
    except wandb.errors.CommError as error:
        if not isinstance(error.exc, ValueError):  # which says that there is none; else W&B was not reached
            raise
        return [], "is not at W&B any more"
    runs = list(sweep.runs)
    ended = [run.id for run in runs if run.state in ("finished", "killed")][-_MAX_PRIOR_RUNS:]
    cap = sweep.config.get("run_cap")  # sent by an older Arena, or by a file for `wandb sweep`
    if cap is not None and cap < len(runs) + n_missing:
        return ended, f"is capped at {cap} runs"
    if sweep.state not in ("RUNNING", "PENDING"):
        try:
            _run_wandb("sweep", "--resume", link.path)
        except StudyError:
            return ended, f"is {sweep.state.lower()}"
    return [], ""


def finish_sweep(link: SweepLink) -> None:
    """Tell W&B that the budget is reached, so that plain `wandb agent` ends elsewhere too; W&B shows the sweep as finished."""
    with contextlib.suppress(StudyError):  # another agent said so, or W&B is not reached: no trial depends on it
        _run_wandb("sweep", "--stop", link.path)


def _run_wandb(*words: str) -> None:
    command = [sys.executable, "-P", "-m", "wandb", *words]
    name = f"`wandb {' '.join(words[:2])}`"
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_WAIT_S)
    except subprocess.TimeoutExpired as error:
        raise StudyError(f"{name} had no answer within {_WAIT_S} s") from error
    if process.returncode:
        last = (process.stderr or process.stdout).strip().splitlines()[-1:]
        raise StudyError(f"{name} failed: {' '.join(last)}")


def read_sweep_config(path: str) -> dict[str, Any]:
    """Return the configuration of a sweep at W&B; raises StudyError."""
    import wandb

    with wandb_session("the sweep is not found"):
        return dict(wandb.Api().sweep(path).config)


def read_histories(path: str, metric: str) -> dict[str, list[float]]:
    """Return the values of `metric` that each run of a sweep at W&B has logged, by its id; errors are wandb's."""
    import wandb

    histories = {}
    for run in wandb.Api().sweep(path).runs:
        rows = run.history(samples=_MAX_EPOCHS, keys=[metric], pandas=False)
        histories[str(run.id)] = [float(row[metric]) for row in rows if isinstance(row.get(metric), int | float)]
    return histories


@contextlib.contextmanager
def wandb_session(failure: str) -> Iterator[None]:
    """Translate errors of W&B, and end its process afterwards, so that agents begin one of their own.

    Raises:
        StudyError: W&B failed; the text begins with `failure`.
    """
    import wandb

    os.environ["WANDB_SILENT"] = "true"
    try:
        yield
    except StudyError:
        raise
    except Exception as error:  # wandb raises many kinds
        text = " ".join(str(error).split())[:300] or type(error).__name__
        rule = f"{failure}: W&B says {text!r}"
        raise StudyError(f"{rule}; check --project and --entity, `wandb login` and WANDB_BASE_URL, and run it again") from error
    finally:
        wandb.teardown()
        for name in [name for name in os.environ if name.startswith("WANDB") and name.endswith("SERVICE")]:
            del os.environ[name]
