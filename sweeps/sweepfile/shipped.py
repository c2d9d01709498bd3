"""Texts of sweep files: of a path, or of a net, whose own file is written from the shipped one of lenet5."""

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


def read_text(file: str) -> tuple[str, str]:
    """Read a sweep file by path, or that of a net (`lenet5`, `nets.py:MyNet`); return its name for messages and its text.

    Raises:
        SweepFileError: it cannot be read.
    """
    path = Path(file)
    if is_plugin(file):
        return f"the sweep of {shorten_name(file)}", _write_own(file)
    if file in NETS and not path.exists():
        return f"{file}.yaml", _write_file(file)
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        nets = {net.lower(): text for net, text in list_own_nets().items()} | {net: net for net in NETS}
        hint = did_you_mean(file.lower(), nets, f"shipped are {', '.join(NETS)}")
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


def _write_file(net: str) -> str:
    """Return the sweep file of a net: its own shipped one, or that of lenet5 with the net's words and depths."""
    own = importlib.resources.files("sweeps") / f"{net}.yaml"
    if own.is_file():
        return own.read_text(encoding="utf-8")
    text = (importlib.resources.files("sweeps") / "lenet5.yaml").read_text(encoding="utf-8")
    for old, new in zip(_list_differences("lenet5"), _list_differences(net), strict=True):
        text = text.replace(old, new)
    return text


def _write_own(net: str) -> str:
    """Return the shipped sweep file for a team's own net, without a depth: only its author knows what that means there."""
    text = (importlib.resources.files("sweeps") / "lenet5.yaml").read_text(encoding="utf-8")
    text = text.replace("LeNet5 (Model A)", shorten_name(net)).replace("lenet5", quote(net))
    lines = text.splitlines(keepends=True)
    depth = next(number for number, line in enumerate(lines) if line.startswith("  model.depth:"))
    return "".join(lines[:depth])


def _list_differences(name: str) -> tuple[str, ...]:
    net = NETS[name]
    least, most = net.depths
    step = max(1, (most - least) // 3)
    depths = range(max(least, step), most + 1, step)[:3]
    return f"{net.class_name} ({net.role})", name, net.counts, str(list(depths))
