"""Texts of sweep files: of a path, a shipped one, or that of a net, which is written from the shipped one of lenet5."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

from arena.base.project import quote
from arena.base.suggest import did_you_mean
from cnn.errors import RunError
from cnn.files import write_whole
from cnn.nets import NETS
from cnn.plugin import is_plugin, list_own_nets, shorten_name
from sweeps.errors import SweepFileError

_MAX_BYTES = 1_000_000
_SHIPPED = importlib.resources.files("sweeps")


def list_shipped() -> list[str]:
    """Return the names that stand for a sweep file: those of the nets, then those of the other shipped files."""
    files = (file.name for file in _SHIPPED.iterdir())
    return list(dict.fromkeys((*NETS, *sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml")))))


def read_text(file: str) -> tuple[str, str]:
    """Read a sweep file by path, or that of a net (`lenet5`, `nets.py:MyNet`); return its name for messages and its text.

    Raises:
        SweepFileError: it cannot be read.
    """
    path = Path(file)
    if is_plugin(file):
        return f"the sweep of {shorten_name(file)}", _write_without_depth(shorten_name(file), quote(file))
    if file in list_shipped() and not path.exists():
        return f"{file}.yaml", _read_shipped(file)
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        names = {net.lower(): text for net, text in list_own_nets().items()} | {name: name for name in list_shipped()}
        hint = did_you_mean(file.lower(), names, f"shipped are {', '.join(list_shipped())}")
        raise SweepFileError(f"the sweep file cannot be read ({error.strerror or error}){hint}", file=file) from error
    if len(content) > _MAX_BYTES:
        raise SweepFileError("larger than 1 MB, so hardly a sweep file; choose another", file=file)
    try:
        return file, content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SweepFileError("not UTF-8 text; save it as UTF-8", file=file, line=line) from error


def write_text(path: Path, text: str) -> None:
    """Write a sweep file whole, with the mark of its encoding where it had one; raises SweepFileError."""
    try:
        mark = b"\xef\xbb\xbf" if path.read_bytes().startswith(b"\xef\xbb\xbf") else b""
        path, mode = path.resolve(), path.stat().st_mode
        write_whole(path, mark + text.encode())
        path.chmod(mode)
    except (OSError, RunError) as error:
        raise SweepFileError(f"cannot be written ({error})", file=str(path)) from error


def _read_shipped(name: str) -> str:
    """Return a shipped file, or that of lenet5 with another net's own words and depths."""
    if (file := _SHIPPED / f"{name}.yaml").is_file():
        return file.read_text(encoding="utf-8")
    if NETS[name].spelling:
        return _write_without_depth(f"{name} ({NETS[name].role})", name)
    text = (_SHIPPED / "lenet5.yaml").read_text(encoding="utf-8")
    for old, new in zip(_list_differences("lenet5"), _list_differences(name), strict=True):
        text = text.replace(old, new)
    return text


def _write_without_depth(title: str, name: str) -> str:
    """Return the file of lenet5 for a net whose depth is fixed, or means what its author alone knows."""
    text = (_SHIPPED / "lenet5.yaml").read_text(encoding="utf-8")
    text = text.replace("LeNet5 (Model A)", title).replace("lenet5", name)
    return text[: text.index("  model.depth:")]


def _list_differences(name: str) -> tuple[str, ...]:
    net = NETS[name]
    least, most = net.depths
    step = max(1, (most - least) // 3)
    depths = range(max(least, step), most + 1, step)[:3]
    return f"{net.class_name} ({net.role})", name, net.counts, str(list(depths))
