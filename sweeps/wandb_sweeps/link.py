"""Which sweep at W&B a study is: made once, kept in the study's folder, and given more runs when the study is to go on."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from arena.base.install import install_command
from cnn.files import read_json, write_json
from sweeps.errors import StudyError
from sweeps.pool import plan
from sweeps.pool.agent_options import Say
from sweeps.pool.plan import SweepRequest
from sweeps.results import read_outline
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.training import wandb_runs as wandb_door
from sweeps.wandb_sweeps import config as wandb_config

_NAME = "wandb.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One sweep at W&B."""

    entity: str
    project: str
    sweep: str
    url: str

    @property
    def path(self) -> str:
        """As `wandb agent` takes it."""
        return f"{self.entity}/{self.project}/{self.sweep}"


def link_of(folder: StudyFolder) -> Link:
    """The sweep of a study; raises StudyError where it has none."""
    path = folder.path / _NAME
    if not path.exists():
        raise StudyError(f"study {folder.name!r} has no sweep at W&B; make one with `arena sweep run --engine wandb`")
    return Link(**read_json(path))


def write_link(folder: StudyFolder, link: Link) -> None:
    write_json(folder.path / _NAME, dataclasses.asdict(link))


def open_sweeps(request: SweepRequest, say: Say) -> list[StudySpec]:
    """The planned studies, each in its folder and with its sweep at W&B.

    Raises:
        SweepError, CnnError: as `sweeps.pool.plan.open_studies`; not logged in, or W&B cannot do what is asked.
    """
    planned, _ = plan.plan(request)
    for spec in planned:
        wandb_config.check(spec)
    refuse_namesake()
    wandb_door.check_login()
    specs = plan.open_studies(request, say)
    studies = request.options.studies_dir
    for spec in specs:
        facts = read_outline(studies, spec.name)
        n_missing = spec.budget - facts.n_completed - facts.n("running") - facts.n("interrupted")
        link = register(StudyFolder(studies / spec.name), request.search.project or "arena", request.search.entity, n_missing)
        say(f"study {spec.name} at W&B: {link.url}")
    return specs


def refuse_namesake() -> None:
    """W&B's local controller comes with a package that writes into a folder of our name; raises StudyError."""
    try:
        importlib.metadata.distribution("sweeps")
    except importlib.metadata.PackageNotFoundError:
        return
    fix = f"pip uninstall sweeps, then {install_command()}"
    raise StudyError(f"the package `sweeps` (of wandb[sweeps]) is installed over Arena's own; {fix}")


def register(folder: StudyFolder, project: str, entity: str, n_missing: int) -> Link:
    """The study's sweep at W&B, made if need be; one that goes on may start as many runs more as are missing.

    Args:
        n_missing: trials up to the budget, less those that agents take over.

    Raises:
        StudyError: W&B is not reached, or refuses the project or entity.
    """
    spec = folder.spec()
    with folder.held(), asked("the sweep is not made"):
        if (folder.path / _NAME).exists():
            link = link_of(folder)
            _allow_more(link, n_missing)
            return link
        link = _made(spec, folder, project, entity)
        write_link(folder, link)
        return link


def _made(spec: StudySpec, folder: StudyFolder, project: str, entity: str) -> Link:
    import wandb

    command = wandb_config.agent_command(spec, folder.path.parent)
    with contextlib.redirect_stdout(io.StringIO()):  # wandb prints the sweep's id and page; we do that below
        sweep = wandb.sweep(wandb_config.sweep_config(spec, command), project=project, entity=entity or None)
    # wandb leaves what it resolved where the agents of this process would look for it.
    where = os.environ.get("WANDB_ENTITY", entity), os.environ.get("WANDB_PROJECT", project)
    return Link(
        entity=where[0], project=where[1], sweep=sweep, url=str(wandb.Api().sweep(f"{where[0]}/{where[1]}/{sweep}").url)
    )


def _allow_more(link: Link, n_missing: int) -> None:
    """Runs that failed or repeated a point count in W&B's run_cap, and not in a study's budget."""
    import wandb

    found = wandb.Api().sweep(link.path)
    config = dict(found.config)
    cap = len(found.runs) + n_missing
    if n_missing <= 0 or config.get("run_cap", cap) >= cap:
        return
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "sweep.yaml"
        file.write_text(yaml.safe_dump({**config, "run_cap": cap}), encoding="utf-8")
        _wandb("sweep", "--update", link.path, str(file))
    _wandb("sweep", "--resume", link.path)


def _wandb(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "wandb", *words], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise StudyError(f"`wandb {' '.join(words[:2])}` failed: {' '.join(last)}")


def config_at_wandb(path: str) -> dict[str, Any]:
    """The configuration of a sweep as W&B has it; raises StudyError."""
    import wandb

    with asked("the sweep is not found"):
        return dict(wandb.Api().sweep(path).config)


@contextlib.contextmanager
def asked(what_fails: str) -> Iterator[None]:
    """Around questions to W&B: its errors become ours, and its process ends, so that agents begin one of their own.

    Raises:
        StudyError: with what W&B said, in one line.
    """
    import wandb

    os.environ["WANDB_SILENT"] = "true"
    try:
        yield
    except StudyError:
        raise
    except Exception as error:  # wandb raises many kinds
        text = " ".join(str(error).split())[:300] or type(error).__name__
        law = f"{what_fails}: W&B says {text!r}"
        raise StudyError(f"{law}; check --project and --entity, `wandb login` and WANDB_BASE_URL, and run it again") from error
    finally:
        wandb.teardown()
        for name in [name for name in os.environ if name.startswith("WANDB") and name.endswith("SERVICE")]:
            del os.environ[name]
