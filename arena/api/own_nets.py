"""A class as a net of one's own: by the file of its module, or, of a notebook or script, written as a file that runs alone."""

from __future__ import annotations

import ast
import builtins
import hashlib
import inspect
import linecache
import sys
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from cnn.errors import ModelError
from cnn.files import write_whole

_FOLDER = ".nets"  # in the folder of runs; each run has its own copy
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def list_several(values: object) -> list[Any]:
    """Return nets or variants as a list: one alone is a list of one."""
    return [values] if isinstance(values, str | type) else list(cast(Iterable[Any], values))


def name_net(net: object, runs_dir: Path) -> str:
    """Return a net as `arena train --model` takes it; a class of a notebook or a script is written to a file below `runs_dir`.

    Raises:
        ModelError: no class, or one that cannot be written as a file that runs alone.
    """
    if isinstance(net, str):
        return net
    if isinstance(net, list | tuple):
        raise ModelError("one net is taken here, and several came; `train_all` and `sweep_all` take several")
    if not inspect.isclass(net):
        kind = type(net).__name__
        raise ModelError(f"a net is a name, `file.py:Class` or a class, not an object of {kind}; give the class: {kind}")
    if "." in net.__qualname__:
        raise ModelError(f"{net.__qualname__} is made inside something else; write the class at the left margin")
    if net.__module__ != "__main__":
        return f"{_locate_module(net)}:{net.__name__}"
    content = _Writer(net.__name__).write(net).encode()
    path = runs_dir / _FOLDER / f"{net.__name__}-{hashlib.sha256(content).hexdigest()[:8]}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
    return f"{path}:{net.__name__}"


def _locate_module(net: type) -> Path:
    """Return the file of a class's module, from the working folder if it lies below."""
    try:
        path = Path(inspect.getsourcefile(net) or "")
    except TypeError:
        path = Path()
    if path.suffix != ".py":
        raise ModelError(
            f"{net.__name__} is made in no Python file; write a `class {net.__name__}(torch.nn.Module)` of your own"
        )
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


class _Writer:
    """The text of a class, and of all that it uses: imports, constants, functions and classes of the same notebook."""

    def __init__(self, net: str) -> None:
        self._net = net
        self._imports: set[str] = set()
        self._parts: dict[str, str] = {}  # by name, each after those that it uses

    def write(self, net: type) -> str:
        self._add_definition(net.__name__, net)
        imports = "\n".join(sorted(self._imports))
        return "\n\n\n".join(filter(None, (imports, *self._parts.values()))) + "\n"

    def _add_definition(self, name: str, value: type | types.FunctionType) -> None:
        self._parts[name] = ""  # it may use itself
        node, text = _find_definition(value, self._net)
        for used in _list_names(node):
            self._add(used)
        del self._parts[name]
        self._parts[name] = text

    def _add(self, name: str) -> None:
        scope = vars(sys.modules["__main__"])
        if name in self._parts or name.startswith("__") or (name not in scope and hasattr(builtins, name)):
            return
        if name not in scope:
            raise ModelError(f"{self._net} uses {name!r}, which is not there; run its cell first")
        value = scope[name]
        if isinstance(value, types.ModuleType):
            self._imports.add(f"import {value.__name__}" + (f" as {name}" if name != value.__name__ else ""))
        elif isinstance(value, type | types.FunctionType) and value.__module__ == "__main__":
            self._add_definition(name, value)
        elif _is_plain(value):
            self._parts[name] = f"{name} = {value!r}"
        elif (module := _find_module(value)) != "__main__":
            original = str(getattr(value, "__name__", ""))
            self._imports.add(f"from {module} import {original}" + (f" as {name}" if name != original else ""))
        else:
            raise ModelError(
                f"a run holds its net as a file that runs alone, and {self._net} uses {name!r}, {type(value).__name__}; "
                f"put both into nets.py, and train 'nets.py:{self._net}'"
            )


def _find_module(value: object) -> str:
    """Return a module that has `value` by its own name, its own if possible; `__main__` where none has."""
    home, name = str(getattr(value, "__module__", "")), str(getattr(value, "__name__", ""))
    for module in (home, *(module for module in sys.modules if module != "__main__")):
        if name and getattr(sys.modules.get(module), "__dict__", {}).get(name) is value:
            return module
    return "__main__"


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, (*value, *value.values())))
    return type(value) in _PLAIN and value == value and value not in (float("inf"), -float("inf"))


def _find_definition(value: type | types.FunctionType, net: str) -> tuple[ast.AST, str]:
    """Return a class or function of a notebook or script as a tree and as text."""
    for name in _list_files(value):
        text = "".join(linecache.getlines(name))
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        for node in reversed(tree.body):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == value.__name__:
                first = min(part.lineno for part in (node, *node.decorator_list))
                return node, "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise ModelError(f"the source of {value.__name__} is not to be had; put {net} into nets.py, and train 'nets.py:{net}'")


def _list_files(value: type | types.FunctionType) -> Iterator[str]:
    """Yield the files that may define `value`: of a class without functions the script, or the cells, the newest first."""
    members = vars(value).values() if isinstance(value, type) else [value]
    yield from (member.__code__.co_filename for member in members if isinstance(member, types.FunctionType))
    yield getattr(sys.modules["__main__"], "__file__", "")
    yield from (name for name in reversed(list(linecache.cache)) if not Path(name).exists())


def _list_names(node: ast.AST) -> list[str]:
    """Return the names that a definition reads and does not bind itself, in order."""
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    bound = {part.id for part in names if not isinstance(part.ctx, ast.Load)}
    bound |= {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    bound |= {part.name for part in ast.walk(node) if isinstance(part, ast.ClassDef | ast.FunctionDef)}
    return list(dict.fromkeys(part.id for part in names if part.id not in bound))
