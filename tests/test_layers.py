"""Who may import whom, read from every file, imports inside functions included."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from support.paths import ROOT

PACKAGES = ("arena", "cnn", "sweeps", "leaderboard", "reports")
# Neighbours of which a package may import the root, and `cnn.runs`; `sweeps.training` alone imports the rest of cnn.
NEIGHBOURS = {"cnn": (), "leaderboard": (), "sweeps": ("cnn",), "reports": ("cnn", "sweeps", "leaderboard")}
FORBIDDEN = {
    "cnn": {"optuna", "sqlalchemy", "pandas", "fastapi", "wandb"},
    "sweeps": {"pandas", "sqlalchemy", "jinja2", "matplotlib"},
    "leaderboard": {"torch", "torchaudio", "optuna", "wandb", "pandas", "sklearn", "cv2", "matplotlib"},
    "reports": {"torch", "torchaudio", "optuna", "wandb", "sklearn", "cv2", "sqlalchemy"},
}
# One door each: the only file of its package that may import it.
DOORS = {
    "cnn/runs/wandb_client.py": "wandb",
    "sweeps/study/database.py": "sqlalchemy",
    "leaderboard/scoring/custom_metric.py": "pandas",
}
MAX_FILES, MAX_LINES = 14, 300
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


def imports(text: str, *, with_types: bool = True) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every import in a file; `with_types`: also of those for type checkers alone."""
    pending: list[ast.AST] = [ast.parse(text)]
    while pending:
        node = pending.pop()
        if not with_types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        pending.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno} is a relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("__import__", "import_module"):
            yield from ((node.lineno, str(word.value)) for word in node.args[:1] if isinstance(word, ast.Constant))


def as_module(dotted: str) -> str:
    """Return the file that holds `dotted`, without its ending."""
    parts = dotted.split(".")
    for n in (len(parts), len(parts) - 1):
        path = "/".join(parts[:n])
        if f"{path}.py" in TEXTS:
            return path
        if f"{path}/__init__.py" in TEXTS:
            return f"{path}/__init__"
    return "/".join(parts)


def violations(file: str, text: str) -> list[str]:
    reasons = ((line, reason(file, dotted)) for line, dotted in imports(text))
    return [f"{file}:{line} {fault}" for line, fault in reasons if fault]


def reason(file: str, dotted: str) -> str:
    """Return why `file` must not import `dotted`; empty if it may."""
    package, target = file.split("/")[0], dotted.split(".")[0]
    if target in PACKAGES and dotted.split(".")[-1].startswith("_") and not dotted.endswith("__"):
        return f"reads {dotted}, a name of its own"
    if target not in PACKAGES:
        at_root = package == "cnn" and file.count("/") == 1
        if at_root and target not in sys.stdlib_module_names:
            return f"imports {dotted}, and may use the standard library only"
        return f"imports {dotted}" if target in FORBIDDEN.get(package, ()) and DOORS.get(file) != target else ""
    module = as_module(dotted)
    if file.startswith("arena/base/"):
        return "" if module.startswith("arena/base/") else f"imports {dotted}, and is the ground of all"
    if package in (target, "arena") or module.startswith("arena/base/"):
        return ""
    if target not in NEIGHBOURS[package]:
        return f"imports {dotted}, no neighbour of {package}"
    is_face = module.count("/") == 1 or module.startswith("cnn/runs/")
    is_door = target == "cnn" and file.startswith("sweeps/training/")
    return "" if is_face or is_door else f"imports {dotted}, a room of {target}"


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Return the nodes left when those with no way in or no way out have been taken away, again and again."""
    graph = {node: {t for t in targets if t in graph and t != node} for node, targets in graph.items()}
    while True:
        reached = set().union(*graph.values()) if graph else set()
        ends = {node for node, targets in graph.items() if not targets or node not in reached}
        if not ends:
            return sorted(graph)
        graph = {node: targets - ends for node, targets in graph.items() if node not in ends}


def test_every_import_is_allowed() -> None:
    assert len(TEXTS) > 250
    assert [fault for file, text in TEXTS.items() for fault in violations(file, text)] == []


def test_no_modules_and_no_rooms_import_each_other_in_a_circle() -> None:
    graph = {f.removesuffix(".py"): {as_module(d) for _, d in imports(t, with_types=False)} for f, t in TEXTS.items()}
    assert circles(graph) == []

    def room(module: str) -> str:
        """A room is its folder; a file at a package's root stands for itself, since the root is both ground and face."""
        return module if module.count("/") == 1 else module.rpartition("/")[0]

    rooms: dict[str, set[str]] = {}
    for module, targets in graph.items():
        rooms.setdefault(room(module), set()).update(room(target) for target in targets)
    assert circles(rooms) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c"]


def test_no_room_and_no_file_grows_too_large() -> None:
    n_files = Counter(file.rpartition("/")[0] for file in TEXTS if not file.endswith("__init__.py"))
    assert {room: n for room, n in n_files.items() if n > MAX_FILES} == {}
    assert {file: n for file, text in TEXTS.items() if (n := text.count("\n")) > MAX_LINES} == {}


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("cnn/train/trainer.py", "import wandb"),
        ("cnn/train/trainer.py", "from optuna import create_study"),
        ("cnn/train/trainer.py", "importlib.import_module('optuna')"),
        ("cnn/train/trainer.py", "import_module('optuna.trial')"),
        ("cnn/train/trainer.py", "from arena.cli import app"),
        ("cnn/train/trainer.py", "import sweeps.results"),
        ("cnn/config.py", "import numpy"),
        ("leaderboard/store.py", "import torch"),
        ("leaderboard/store.py", "from cnn.runs import RunFolder"),
        ("sweeps/results.py", "from cnn.train import trainer"),
        ("sweeps/pool/plan.py", "from cnn.train.trainer import Trainer"),
        ("reports/facts/report.py", "x = __import__('torch')"),
        ("reports/facts/report.py", "import torch.nn"),
        ("reports/facts/report.py", "from cnn.tiles.tile_set import open_tiles"),
        ("reports/facts/report.py", "from sweeps.study.folder import StudyFolder"),
        ("reports/facts/report.py", "import arena"),
        ("reports/facts/report.py", "from cnn.runs.folder import _epoch_row"),
        ("arena/base/terminal.py", "import cnn.runs"),
        ("arena/base/terminal.py", "import arena.cli"),
    ],
)
@pytest.mark.parametrize("shape", ["{}", "def f() -> None:\n    {}", "if True:\n    class A:\n        {}"])
def test_one_forbidden_import_anywhere_in_a_file_is_reported(file: str, line: str, shape: str) -> None:
    (fault,) = violations(file, TEXTS[file] + "\n\n" + shape.format(line) + "\n")
    assert fault.startswith(f"{file}:")


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("arena.base.scores", "torch cnn sweeps leaderboard reports"),
        (" ".join(f"cnn.{path.stem}" for path in (ROOT / "cnn").glob("[a-z]*.py")), "torch numpy"),
        ("leaderboard.store", "torch cnn pandas"),
        ("sweeps.results", "torch"),
    ],
)
def test_what_is_light_stays_light(modules: str, absent: str) -> None:
    program = f"import sys, {', '.join(modules.split())}; print([name for name in {absent.split()} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert printed == "[]\n"


def test_no_distribution_but_ours_brings_our_package_names() -> None:
    owners = importlib.metadata.packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, [])) <= {"arena-spoken-digits"}, f"uninstall the other owner of {package}"


def test_tests_import_builders_and_never_each_other() -> None:
    files = sorted((ROOT / "tests").rglob("*.py"))
    names = {path.stem for path in files if path.stem.startswith("test_")}
    for path in files:
        targets = {part for _, dotted in imports(path.read_text(encoding="utf-8")) for part in dotted.split(".")}
        assert targets & names == set(), path
