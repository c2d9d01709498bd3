"""Who may import whom, read from every file, imports inside functions included."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from support.paths import ROOT

ROOMS = ("cnn", "sweeps", "leaderboard", "reports")
TOP = ("arena", "arena.demo", "arena.doctor")
COMMAND_LINE = ("arena.base.options", "arena.base.terminal")  # for files of commands
# Ground of all rooms: the standard library only. So are arena.base.scores and arena.base.resamples, with numpy, and arena.base.media.
BASE = ("arena.base.csv_export", "arena.base.locks", "arena.base.processes", "arena.base.suggest", "arena.base.texts")
STANDARD_ONLY = (
    *("cnn/runs.py", "cnn/config.py", "cnn/nets.py", "cnn/plugin.py", "cnn/overrides.py", "cnn/splits.py", "cnn/errors.py"),
    *(
        "cnn/machine.py",
        "cnn/setting.py",
        "cnn/shelf.py",
        "cnn/copies.py",
        "cnn/failure.py",
        *(
            "arena.base.csv_export.py",
            "arena.base.install.py",
            "arena.base.locks.py",
            "arena.base.processes.py",
            "arena.base.suggest.py",
            "arena.base.terminal.py",
        ),
    ),
)
GROUND = (
    "cnn.runs.folder",
    "cnn.runs.index",
    "cnn.errors",
)  # run folders and the errors they raise: every room above may read them
# What the runs of all folds say together: one computation, so that the report and `arena eval` cannot disagree; no torch.
STATISTICS = ("cnn.runs.evaluation", "cnn.runs.evaluation_sets")
NUMPY_AT_MOST = (
    *("cnn/evaluate.py", "cnn/evaluations.py", "cnn/folds.py"),
    *("arena.base.scores.py", "arena.base.resamples.py"),
)

# What a room may import of the others; a room is always allowed itself.
MAY_IMPORT = {
    "cnn": (),
    "leaderboard": (),
    "sweeps": (*GROUND, "cnn.nets"),
    "reports": (
        *GROUND,
        *STATISTICS,
        "cnn.nets",  # the pair that the report compares
        "cnn.config",  # standard library only: what a run's configuration asks for, as the command that trains it again
        "cnn.overrides",
        "sweeps.results",
        "sweeps.errors",
        "leaderboard.store",
        "leaderboard.scoring.grading",  # which part of the rows is asked for
        "leaderboard.standings",
        "leaderboard.errors",
    ),
    "arena.base.csv_export": (),
    "arena.base.locks": (),
    "arena.base.options": (),
    "arena.base.terminal": (),
    "arena.base.media": (),
}
MUST_NOT_IMPORT = {
    "cnn": {"optuna", "sqlalchemy", "pandas", "jinja2", "fastapi"},
    "sweeps": {"pandas", "sqlalchemy", "jinja2", "matplotlib"},
    "leaderboard": {"torch", "torchaudio", "optuna", "wandb", "pandas", "sklearn", "cv2", "matplotlib"},
    "reports": {"torch", "torchaudio", "optuna", "wandb", "sklearn", "cv2", "sqlalchemy"},
}
# One door each: these files alone may use what their room otherwise must not.
DOORS = {
    "sweeps/trial.py": ("cnn",),
    "sweeps/wandb_door.py": ("cnn",),
    "sweeps/fusing.py": ("cnn",),
    "sweeps/database.py": ("sqlalchemy",),
    "cnn/wandb_copy.py": ("wandb",),
    "cnn/card.py": ("jinja2",),
    "reports/formats.py": ("arena.base.terminal",),
    "leaderboard/metric.py": ("pandas",),
    "sweeps/tables.py": ("arena.base.terminal",),
    "sweeps/live.py": ("arena.base.terminal",),
}


def imports(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, module and imported name (empty for `import module`) of every import in a file."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno} is a relative import"
            for alias in node.names:
                yield node.lineno, node.module or "", alias.name
        elif isinstance(node, ast.Call) and _is_import(node.func) and node.args and isinstance(node.args[0], ast.Constant):
            yield node.lineno, str(node.args[0].value), ""


def _is_import(function: ast.expr) -> bool:
    """`__import__`, `importlib.import_module`, or the latter by its bare name."""
    name = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    return name in ("__import__", "import_module")


def violations(name: str, text: str) -> list[str]:
    """What the file `name` with content `text` imports and must not."""
    reasons = ((line, _reason(name, module, imported)) for line, module, imported in imports(text))
    return [f"{name}:{line} {reason}" for line, reason in reasons if reason]


def _reason(name: str, module: str, imported: str) -> str:
    room, target = name.split("/")[0].removesuffix(".py"), module.split(".")[0]
    whole = f"{module}.{imported}" if imported else module
    if imported.startswith("_") and not imported.startswith("__") and target in ROOMS:
        return f"reads {imported} of {module}, a name of its own"
    if target in BASE:
        return ""
    if name in STANDARD_ONLY and target not in sys.stdlib_module_names and not _is_lazy_terminal(name, target):
        if not (room == target == "cnn" and any(f"cnn/{module.partition('.')[2]}.py" == one for one in STANDARD_ONLY)):
            return f"imports {module}, and may use the standard library only"
        return ""
    if name in NUMPY_AT_MOST and target not in ("numpy", *sys.stdlib_module_names):
        is_as_light = f"{module.replace('.', '/')}.py" in (*NUMPY_AT_MOST, *STANDARD_ONLY)
        return "" if is_as_light else f"imports {module}, and may use numpy and the standard library only"
    if target in DOORS.get(name, ()) or room not in MAY_IMPORT:
        return ""
    if target in COMMAND_LINE:
        is_command_line = name.endswith("cli.py") or room in COMMAND_LINE
        return "" if is_command_line else f"imports {target}, which is for command lines"
    if target in TOP:
        return f"imports {module} from below"
    if target in ROOMS and target != room:
        allowed = MAY_IMPORT[room]
        return "" if module in allowed or whole in allowed else f"imports {whole}"
    if target in MUST_NOT_IMPORT.get(room, set()) or (room == "cnn" and target == "wandb"):
        return f"imports {module}"
    return ""


def _is_lazy_terminal(name: str, target: str) -> bool:
    return name == "arena.base.terminal.py" and target == "rich"


def test_every_import_goes_down_only() -> None:
    files = [*ROOT.glob("arena*.py"), *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    assert len(files) > 50
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(files)}
    assert [found for name, text in texts.items() for found in violations(name, text)] == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("cnn/train.py", "import wandb"),
        ("cnn/train.py", "from optuna import create_study"),
        ("cnn/train.py", "importlib.import_module('optuna')"),
        ("cnn/train.py", "import_module('optuna.trial')"),
        ("reports/facts.py", "x = __import__('torch')"),
        ("cnn/tiles.py", "import sweeps.training.trial"),
        ("cnn/tiles.py", "from arena.base.terminal import say"),
        ("leaderboard/store.py", "from arena.base.options import ContestPath"),
        ("cnn/runs.py", "import numpy"),
        ("cnn/evaluate.py", "import torch"),
        ("cnn/evaluations.py", "from cnn.tiles.prepare import open_tiles"),
        ("cnn/folds.py", "import sklearn.metrics"),
        ("cnn/runs.py", "from cnn.train.training_run import train"),
        ("leaderboard/store.py", "import torch"),
        ("leaderboard/entry.py", "from cnn.runs.folder import RunFolder"),
        ("sweeps/results.py", "from cnn import train"),
        ("sweeps/results.py", "from cnn.train.training_run import train"),
        ("reports/facts.py", "import optuna"),
        ("reports/facts.py", "import torch.nn"),
        ("reports/facts.py", "from cnn.tiles.prepare import open_tiles"),
        ("reports/facts.py", "from sweeps.study.folder import StudyFolder"),
        ("reports/facts.py", "import arena"),
        ("reports/facts.py", "from cnn.runs.folder import _epoch_row"),
        ("arena.base.csv_export.py", "import pandas"),
        ("arena.base.terminal.py", "import cnn.runs.folder"),
        ("arena.base.processes.py", "import cnn.runs.folder"),
    ],
)
@pytest.mark.parametrize("shape", ["{}", "def f() -> None:\n    {}", "if True:\n    class A:\n        {}"])
def test_one_forbidden_import_anywhere_in_a_file_is_found(file: str, line: str, shape: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8") + "\n\n" + shape.format(line) + "\n"
    (found,) = violations(file, text)
    assert found.startswith(f"{file}:")


def test_no_distribution_but_ours_brings_our_package_names() -> None:
    import importlib.metadata

    owners = importlib.metadata.packages_distributions()
    for room in ROOMS:
        assert set(owners.get(room, [])) <= {"arena-spoken-digits"}, f"{room} also comes from {owners[room]}; uninstall that"
