"""Plug-in nets, `path/to/file.py:ClassName`: name, file and its digest. Reads the file, never runs it."""

from __future__ import annotations

import ast
import hashlib
from contextlib import suppress
from pathlib import Path

from arena.base.project import find_project
from arena.base.suggest import did_you_mean
from cnn.errors import ModelError

COPY_NAME = "model.py"  # in the run folder
_MAX_BYTES = 2**20
_MOST_FILES = 50


def is_plugin(name: str) -> bool:
    """Return True if a model's name is that of a file: `net.py:MyNet`, or `net.py` with the class forgotten."""
    return name.endswith(".py") or name.rpartition(":")[0].endswith(".py")


def shorten_name(name: str) -> str:
    """Return the name without the path: `MyNet` for `team/net.py:MyNet`, `lenet5` for itself."""
    return name.rpartition(":")[2] if is_plugin(name) else name


def parse_path(name: str) -> Path:
    """Return the path in `path:ClassName`."""
    return Path(name.rpartition(":")[0])


def compute_source_digest(name: str) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of the file in `path:ClassName`.

    Raises:
        ModelError: no such file or class, or the file is not Python.
    """
    path, class_name = parse_path(name), shorten_name(name)
    if name.endswith(".py"):
        offered = _classes(_parsed(Path(name), _content(Path(name))))
        examples = " or ".join(f"{name}:{offer}" for offer in offered or ["MyNet"])
        raise ModelError(f"a net of your own is named path/to/file.py:ClassName; write {examples}")
    content = _content(path)
    tree = _parsed(path, content)
    if class_name not in _names(tree):
        offered = _classes(tree)
        texts = {name: name for name in offered}
        hint = did_you_mean(class_name, texts, f"it has {', '.join(offered) or 'no class at all'}")
        raise ModelError(f"{path} has no class {class_name!r}{hint}")
    return _digest(content)


def list_classes(path: Path) -> list[str]:
    """Return the names of the classes that a file defines, in its order.

    Raises:
        ModelError: no such file, or it is not Python.
    """
    return _classes(_parsed(path, _content(path)))


def list_own_nets() -> dict[str, str]:
    """Return the classes of the project's nets and of the Python files in the working folder, each as `--model` takes it."""
    nets = {shorten_name(net): net for net in find_project().models if is_plugin(net)}
    for path in sorted(Path().glob("*.py"))[:_MOST_FILES]:
        with suppress(ModelError):
            nets = {name: f"{path}:{name}" for name in list_classes(path)} | nets
    return nets


def locate_source(name: str, source: str, folder: Path) -> Path:
    """Return the file whose digest is `source`: the original, or the run folder's copy if that has moved or changed.

    Raises:
        ModelError: neither is that file.
    """
    original, copy = parse_path(name), folder / COPY_NAME
    for path in (original, copy):
        if path.is_file() and _digest(path.read_bytes()) == source:
            return path
    problem = "has changed since this run was named" if original.is_file() else f"is not there (looked from {Path.cwd()})"
    raise ModelError(f"{original} {problem}, and {copy} is no copy of it; put the file back, or train again as another run")


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        texts = {file.name: str(file) for file in path.parent.glob("*.py")} if path.parent.is_dir() else {}
        hint = did_you_mean(path.name, texts, f"the path is read from {Path.cwd()}")
        raise ModelError(f"cannot read the net in {path} ({error.strerror}){hint}") from error
    if len(content) > _MAX_BYTES:
        raise ModelError(f"{path} is larger than 1 MB, so hardly the code of a net; choose another file")
    return content


def _parsed(path: Path, content: bytes) -> ast.Module:
    try:
        return ast.parse(content)
    except SyntaxError as error:
        raise ModelError(f"{path} line {error.lineno} is not Python: {error.msg}; mend it first") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not Python: {error}; mend it first") from error


def _classes(tree: ast.Module) -> list[str]:
    return [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


def _names(tree: ast.Module) -> set[str]:
    """Return the names that the file may bind: classes, functions, imports and assignments."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
