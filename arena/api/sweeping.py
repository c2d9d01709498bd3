"""Sweeps from Python: studies with their trials as a pandas table."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.api.arguments import Location, Setting, choose_folder, format_settings
from arena.api.own_nets import list_several, name_net
from arena.api.runs import Run
from arena.base.locks import require_posix
from arena.command_line.defaults import export_wandb
from cnn.plugin import shorten_name
from cnn.project import open_project, select_settings
from sweeps.errors import StudyError
from sweeps.study.limits import Limits

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from sweeps.results import StudyFacts

_SECTIONS = ("split", "augment", "model", "train")
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, eq=False)
class Study:
    """A study: what was searched, its trials, and the best of them."""

    facts: StudyFacts
    runs_dir: Path

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def trials(self) -> pd.DataFrame:
        """A row for each trial: state, value, settings, epochs, seconds, run."""
        import pandas as pd

        rows = [
            {"trial": trial.number, "state": trial.state, "value": trial.value, **_drop_model(trial.params)}
            | {"epochs": len(trial.epochs), "seconds": trial.seconds, "run": trial.run}
            for trial in self.facts.trials
        ]
        return pd.DataFrame(rows).set_index("trial") if rows else pd.DataFrame()

    @property
    def best(self) -> Run:
        """The run of the best trial.

        Raises:
            Error: no trial is finished.
        """
        if self.facts.best is None:
            raise StudyError(f"no trial of {self.name} is finished; give it a larger budget")
        return Run(self.runs_dir / self.facts.best.run)

    @property
    def best_settings(self) -> dict[str, Any]:
        """The tuned settings of the best trial, as keywords of `arena.train`; empty where none is finished."""
        params = _drop_model(self.facts.best.params) if self.facts.best else {}
        return {key.replace(".", "_"): value for key, value in params.items()}

    def __repr__(self) -> str:
        best = f"the best {self.facts.metric} {self.facts.best.value:.4f}" if self.facts.best else "none finished"
        return f"Study({self.name}, {self.facts.n_completed} of {self.facts.budget} trials, {best})"

    def _repr_html_(self) -> str:
        table: str = self.trials.to_html(float_format="{:.4g}".format, na_rep="", max_rows=20)
        return f"<p>{html.escape(repr(self)[6:-1])}</p>{table}"


def _drop_model(params: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in params.items() if key != "model.name"}


class Studies(tuple[Study, ...]):
    """Several studies; `studies.table` has a row for each."""

    @property
    def table(self) -> pd.DataFrame:
        """A row for each study: model, variant, trials, the best value, and the settings of the best trial."""
        import pandas as pd

        rows = [
            {
                "study": study.name,
                "model": shorten_name(study.facts.model),
                "variant": study.facts.variant,
                "trials": study.facts.n_completed,
            }
            | {"best": study.facts.best.value if study.facts.best else None, **study.best_settings}
            for study in self
        ]
        return pd.DataFrame(rows).set_index("study") if rows else pd.DataFrame()

    def _repr_html_(self) -> str:
        text: str = self.table.to_html(float_format="{:.4g}".format, na_rep="")
        return text


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchOptions:
    """Points to try first, limits, folds and seeds of a sweep, as the options of `arena sweep run` give them."""

    tries: Sequence[Mapping[str, Setting]] = ()  # `--try`: points such as {"lr": 0.003, "depth": 3}
    source: str = ""  # `--from`
    hours: float | None = None
    until: float | None = None
    folds: int | None = None
    seeds: int | None = None
    paired: bool | None = None

    def spell_out(self) -> dict[str, Any]:
        """Return the fields of a request's search."""
        arena = {name: getattr(self, name) for name in ("folds", "seeds", "paired")}
        return {
            "tries": tuple(",".join(f"{key}={value}" for key, value in point.items()) for point in self.tries),
            "source": self.source,
            "limits": Limits(hours=self.hours, until=self.until),
            "arena": {name: value for name, value in arena.items() if value is not None},
        }


def sweep(
    net: str | type[nn.Module] | None = None,
    variant: str = "raw",
    *,
    budget: int | None = None,
    tiles: Location | None = None,
    runs: Location | None = None,
    studies: Location | None = None,
    agents: int = 0,
    device: str = "auto",
    wandb: str = "auto",
    search: SearchOptions | None = None,
    **settings: Setting,
) -> Study:
    """Tune a net on a variant, until its study has its budget of trials. Called again, it goes on.

    Args:
        net: a sweep file, or a net as in `train`, whose own sweep file is taken; the project's Model A if none is given.
        variant: raw, bilateral, raw+aug or bilateral+aug.
        budget: trials; the project's, or the file's run_cap if none is given.
        tiles, runs, studies: folders; the project's if none are given.
        agents: processes; 0 chooses.
        device, wandb: as in `train`.
        search: points to try first, limits of hours and value, folds and seeds of each point.
        settings: of all trials, as in `train`.

    Raises:
        Error: what cannot be searched or trained, or a budget that is not reached.
    """
    request = _Request(tiles, runs, studies, budget, agents, device, wandb, search or SearchOptions())
    (study,) = _sweep(() if net is None else (net,), (variant,), request, settings)
    return study


def sweep_all(
    nets: Sequence[str | type[nn.Module]] = (),
    variants: Sequence[str] = (),
    *,
    budget: int | None = None,
    tiles: Location | None = None,
    runs: Location | None = None,
    studies: Location | None = None,
    agents: int = 0,
    device: str = "auto",
    wandb: str = "auto",
    search: SearchOptions | None = None,
    **settings: Setting,
) -> Studies:
    """Tune each of several nets on each of several variants; the project's, or Models A and B on all four, if none are given.

    Raises:
        Error: as `sweep`.
    """
    request = _Request(tiles, runs, studies, budget, agents, device, wandb, search or SearchOptions())
    return _sweep(list_several(nets), list_several(variants), request, settings)


@dataclass(frozen=True, slots=True)
class _Request:
    tiles: Location | None
    runs: Location | None
    studies: Location | None
    budget: int | None
    agents: int
    device: str
    wandb: str
    search: SearchOptions


def _sweep(
    nets: Sequence[str | type[nn.Module]], variants: Sequence[str], wish: _Request, settings: Mapping[str, Setting]
) -> Studies:
    require_posix("arena.sweep")
    from sweeps.cli.run import run_with_progress
    from sweeps.pool.agent_options import AgentOptions
    from sweeps.pool.plan import Locations, Search, SweepRequest, Workers, choose_studies

    project, runs = open_project(), choose_folder("runs", wish.runs)
    export_wandb(project)
    names = [name_net(net, runs) for net in nets]
    is_file = [name.endswith(_SUFFIXES) for name in names]
    files, models = ((names, ()) if all(is_file) else ((), names)) if names else ((), ())
    chosen_files, chosen_variants = choose_studies(project, files, models, variants, every=True)
    request = SweepRequest(
        search=Search(
            files=chosen_files,
            variants=chosen_variants,
            overrides=tuple(format_settings(settings, _SECTIONS)),
            settings=select_settings(project),
            budget=wish.budget or project.budget,
            **wish.search.spell_out(),
        ),
        locations=Locations(tiles=choose_folder("tiles", wish.tiles), runs=runs),
        workers=Workers(n_agents=wish.agents),
        options=AgentOptions(
            studies_dir=choose_folder("studies", wish.studies), device=wish.device, wandb=wish.wandb, smoke=True
        ),
    )
    request.check()
    facts, report = run_with_progress(request)
    if report.interrupted:
        raise KeyboardInterrupt
    if report.exit_code:
        raise StudyError(f"{report.n_completed} of {report.budget} trials are done; {report.advice}")
    return Studies(Study(study, runs) for study in facts)
