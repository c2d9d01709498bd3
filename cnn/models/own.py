"""Loader of a team's own net from `path/to/file.py:ClassName`. The file is run, so load only what you trust."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
import traceback
import types
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from cnn.config import RunConfig
from cnn.errors import ModelError
from cnn.files import write_whole
from cnn.plugin import COPY_NAME, list_classes, locate_source, parse_path
from cnn.settings.model import ModelSettings

_MODULE = "arena_own_net"
_LONGEST = 300  # characters of a message
_INPLACE = "(such as x += y, x.relu_() or inplace=True): write x = x + y"
_HINTS = {  # what torch says, and what to do; {size} is the picture's
    "cannot assign .* before Module.__init__": "begin __init__ with super().__init__()",
    "mat1 and mat2 shapes": "pictures are {size} x {size}: work the linear layer's inputs out from `size`, or pool first; "
    "a filter of k x k keeps the size with padding=k//2",
    "is invalid for input of size": "pictures are {size} x {size}: write torch.flatten(x, 1)",
    "to have [0-9]+ channels, but got 1 channels": "a picture has one channel: begin with nn.Conv2d(1, ...)",
    "to have [0-9]+ channels, but got 3 channels": "pictures in colour have three channels: "
    "begin with nn.Conv2d(settings.n_channels, ...), with `settings` among the arguments of __init__",
    "view size is not compatible": "batches are laid out channels last: write torch.flatten(x, 1) or x.reshape for x.view",
    "[Oo]utput size is too small|can't be greater than actual input": "pictures are {size} x {size}: pool less, or pad",
    "modified by an inplace operation": "what this line needs for the backward pass is changed in place later " + _INPLACE,
    "inplace operation|in-place operation": "something is changed in place that backward needs " + _INPLACE,
    "backward through the graph a second time": "the net keeps a tensor of one batch for the next: keep x.detach() in a "
    "self.register_buffer(...) that changes in training alone, or nothing",
    "size mismatch for": "what register_buffer holds must keep its shape: of a batch keep the mean over its clips, or nothing",
    "does not require grad": "the output has no gradient: no detach(), no_grad(), argmax, numpy or .data inside forward",
    "on the same device|not compiled with CUDA|NVIDIA driver": "pictures and net lie on one device, "
    "which Arena chooses: no .cuda(), and device=x.device for what forward makes",
    "No module named": "one file holds the whole net (it is kept with the run), and imports what is installed",
}


def resolve_source(model: ModelSettings, folder: Path) -> ModelSettings:
    """Return `model` with the path of a plug-in's file: where it was, else in the run folder.

    Raises:
        ModelError: it is neither here nor there.
    """
    if not model.is_plugin:
        return model
    return replace(model, name=f"{locate_source(model.name, model.source, folder)}:{model.label}")


def pin_source(config: RunConfig, folder: Path) -> RunConfig:
    """Return `config` with the run folder's copy of a plug-in, which is made if it is missing.

    Raises:
        ModelError: the file has moved or changed, and was not kept.
    """
    if not config.model.is_plugin:
        return config
    copy = copy_source(parse_path(resolve_source(config.model, folder).name), folder)
    return replace(config, model=replace(config.model, name=f"{copy}:{config.model.label}"))


def build_plugin(settings: ModelSettings, size: int, n_classes: int) -> nn.Module:
    """Build the plug-in of `settings`: call its class with those of settings, size and n_classes that it names.

    Raises:
        ModelError: the file cannot be run, or the class is no net or cannot be made.
    """
    path = parse_path(settings.name)
    kind = _load_class(path, settings.label)
    arguments = _choose_arguments(kind, {"settings": settings, "size": size, "n_classes": n_classes}, path)
    with explain_errors(settings, size, "making it"):
        net: nn.Module = kind(**arguments)
    if any(map(nn.parameter.is_lazy, net.parameters())):
        _fill_lazy_layers(net, settings, size)
    return net


def _fill_lazy_layers(net: nn.Module, settings: ModelSettings, size: int) -> None:
    """Give lazy layers their weights, as an empty picture asks for them: an optimiser needs them."""
    shape = (1, settings.n_channels, size, size)
    was_training = net.training
    with explain_errors(settings, size, f"forward on {shape}"), torch.no_grad():
        net.eval()(torch.zeros(shape))
    net.train(was_training)
    names = [name.rpartition(".")[0] for name, weight in net.named_parameters() if nn.parameter.is_lazy(weight)]
    if names:
        cure = "use it, or give it its size: nn.Linear(...)"
        where = f"{parse_path(settings.name)}: {settings.label}"
        raise ModelError(f"{where}: self.{names[0]} is a Lazy layer that forward does not use in evaluation; {cure}")


@contextmanager
def explain_errors(
    settings: ModelSettings, size: int, doing: str, traces: Sequence[warnings.WarningMessage] = ()
) -> Iterator[None]:
    """Turn whatever a team's code raises into a ModelError of one line, with the line of their file and what to do.

    Args:
        traces: what torch's anomaly detection will have warned of, for an error with no line of the file in its traceback.
    """
    path = parse_path(settings.name)
    try:
        yield
    except (Exception, SystemExit) as error:
        lines = _lines(error, path) or _lines_of_forward(traces, path)
        raise _translated(error, _place(path, lines), f"{settings.label}, {doing}", size) from error


def list_nets(path: Path) -> list[str]:
    """Run a file and return the names `path:ClassName` of its torch modules, in its order.

    Raises:
        ModelError: the file cannot be run, or has no torch module.
    """
    names = list_classes(path)
    module = _run_file(path)
    kinds = {name: getattr(module, name, None) for name in names}
    nets = [f"{path}:{name}" for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, nn.Module)]
    if not nets:
        raise ModelError(f"{path} has no net; write `class MyNet(torch.nn.Module)`")
    return nets


def _run_file(path: Path) -> types.ModuleType:
    module = types.ModuleType(_MODULE)
    module.__file__ = str(path)
    sys.modules[_MODULE] = module  # dataclasses and pickles look their module up
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # no bytecode is left beside the file
    except (Exception, SystemExit) as error:
        raise _translated(error, _place(path, _lines(error, path)), "running the file", 0) from error
    return module


def _load_class(path: Path, class_name: str) -> type[nn.Module]:
    kind: object = getattr(_run_file(path), class_name, None)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise ModelError(f"{path}: {class_name} is no net; write `class {class_name}(torch.nn.Module)`")
    if kind.forward is nn.Module.forward:
        near = [name for name in vars(kind) if name.lower().strip("_").startswith(("forw", "forq", "fow", "frow", "call"))]
        hint = f"rename {near[0]}" if near else "write `def forward(self, x)`"
        raise ModelError(f"{path}: {class_name} has no method `forward`; {hint}")
    return kind


def _choose_arguments(kind: type[nn.Module], offered: dict[str, object], path: Path) -> dict[str, object]:
    """Choose what a class takes by name."""
    parameters = inspect.signature(kind).parameters.values()
    names = {
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if unknown := [name for name in needed if name not in offered]:
        rule = f"{kind.__name__} is made with any of {', '.join(offered)}, by name, and asks for {', '.join(unknown)} too"
        raise ModelError(f"{path}: {rule}; rename it, or give it a default")
    return {name: value for name, value in offered.items() if name in names}


def _lines(error: BaseException, path: Path) -> list[int]:
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.lineno for frame in frames if frame.filename == str(path) and frame.lineno]


def _lines_of_forward(traces: Sequence[warnings.WarningMessage], path: Path) -> list[int]:
    pattern = re.compile(rf'File "{re.escape(str(path))}", line (\d+)')
    return [int(number) for trace in traces for number in pattern.findall(str(trace.message))]


def _place(path: Path, lines: Sequence[int]) -> str:
    return f"{path} line {lines[-1]}" if lines else str(path)


def _translated(error: BaseException, where: str, doing: str, size: int) -> ModelError:
    text = " ".join(str(error).split()) or "no message"
    hints = [hint.format(size=size) for pattern, hint in _HINTS.items() if re.search(pattern, text)]
    if hints:
        text = text.partition(". ")[0]  # what follows is torch's own advice
    text = textwrap.shorten(text.rstrip(".:"), _LONGEST, placeholder=" ...")
    return ModelError(f"{where} ({doing}): {type(error).__name__}: {text}; {hints[0] if hints else 'mend it and try again'}")


def copy_source(path: Path, folder: Path) -> Path:
    """Copy `path` into the run folder, unless it is there already, and return the copy."""
    copy, content = folder / COPY_NAME, path.read_bytes()
    if not (copy.is_file() and copy.read_bytes() == content):
        write_whole(copy, content)
    return copy
