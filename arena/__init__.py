"""Arena: spoken digits for courses and small competitions, from Python. Importing it loads neither torch nor pandas."""

from __future__ import annotations

import importlib

from arena.base.errors import ArenaError as Error
from arena.base.namesakes import check_namesakes
from arena.command_line.interrupt import guard_command_line

TYPE_CHECKING = False  # typing is not imported before Ctrl-C is guarded
if TYPE_CHECKING:
    from arena.api.digits import prepare_digits
    from arena.api.inspection import Inspection, inspect
    from arena.api.prediction import predict
    from arena.api.reporting import report
    from arena.api.runs import Run, Runs, runs
    from arena.api.scoring import Score, score
    from arena.api.sweeping import SearchOptions, Studies, Study, sweep, sweep_all
    from arena.api.tiles import TileSet, load, prepare
    from arena.api.training import train, train_all

    __version__: str

guard_command_line()
check_namesakes()  # before a namesake is imported in place of one of Arena's packages

_MODULES = {
    "tiles": ("TileSet", "load", "prepare"),
    "digits": ("prepare_digits",),
    "training": ("train", "train_all"),
    "runs": ("Run", "Runs", "runs"),
    "inspection": ("Inspection", "inspect"),
    "prediction": ("predict",),
    "sweeping": ("SearchOptions", "Studies", "Study", "sweep", "sweep_all"),
    "scoring": ("Score", "score"),
    "reporting": ("report",),
}
__all__ = [
    "Error",
    "Inspection",
    "Run",
    "Runs",
    "Score",
    "SearchOptions",
    "Studies",
    "Study",
    "TileSet",
    "inspect",
    "load",
    "predict",
    "prepare",
    "prepare_digits",
    "report",
    "runs",
    "score",
    "sweep",
    "sweep_all",
    "train",
    "train_all",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("arena-spoken-digits")
    for module, names in _MODULES.items():
        if name in names:
            value = globals()[name] = getattr(importlib.import_module(f"arena.api.{module}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
