"""Forward pass on a pretended GPU: torch computes on the CPU, and tells the net that pictures and weights lie on a GPU.

Every call of torch is seen, together with the line of the net's file that made it, and none is stopped. A tensor's
device is a property of its storage, so that views need no rule of their own.
"""

from __future__ import annotations

import contextlib
import pickle
import random
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as torch_modules
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from cnn.check.lines import Lines, find_current_line

_GPU = torch.device("cuda", 0)
_TO_NUMPY = {"numpy", "__array__"}
_READS = {"__bool__", "__int__", "__float__", "__index__", "item", "tolist", "equal", "allclose", "nonzero", "unique"}
_READS |= {"masked_select", "argwhere", *_TO_NUMPY}  # what forward does next may depend on these values
# Their tensors may lie on two devices:
_MIXING = {"__getitem__", "__setitem__", "index_put", "index_put_", "copy_", "to", "type_as", "new_tensor"}
_WITH_LENGTHS = {"_pack_padded_sequence", "_pad_packed_sequence", "lstm", "gru", "rnn_tanh", "rnn_relu", "tensor_split"}
_SHAPING = {"flatten", "reshape", "squeeze", "unsqueeze", "view", "contiguous", "clone", "float", "to", "dropout"}
_SHAPING |= {"permute", "transpose", "__getitem__"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of torch."""

    name: str
    line: int  # in the net's file; 0 if it is not known
    is_factory: bool  # takes no tensors


@dataclass(frozen=True, slots=True)
class Stray:
    """A tensor on the CPU that meets one on the GPU."""

    tensor: torch.Tensor
    origin: Call | None  # that made it; None outside forward, or outside torch
    use: Call


@dataclass(frozen=True, slots=True)
class NewLayer:
    """A layer, or a weight, that forward makes."""

    owner: nn.Module
    name: str  # the weight's
    line: int


def trace_forward(net: nn.Module, pictures: torch.Tensor, path: Path, lines: Lines) -> Trace:
    """Run forward once as in training and once as in evaluation; an error ends the trace, and is the caller's to find again."""
    trace = Trace(net, path, lines)
    with torch.no_grad(), warnings.catch_warnings(), contextlib.suppress(Exception, SystemExit):
        warnings.simplefilter("ignore")
        for is_training in (True, False):
            trace.run(net.train(is_training), pictures.clone())
        trace.is_complete = True
    return trace


class Trace(TorchFunctionMode):
    """The facts of a trace."""

    def __init__(self, net: nn.Module, path: Path, lines: Lines) -> None:
        super().__init__()
        self.is_complete = False
        self.stray: Stray | None = None
        self.numpy: Call | None = None  # a tensor of the GPU is handed to numpy
        self.change: Call | None = None  # the pictures are changed in place
        self.new_layer: NewLayer | None = None
        self.foreign: Call | None = None  # takes weights that are not the net's
        self.logits: object = None
        self.end: Call | None = None  # made the logits
        self.reads_values = False  # or draws at random: other pictures may go another way
        self.layers: set[int] = set()  # identities of the modules that were called
        self.uses: dict[int, Call] = {}  # first call that takes a storage
        self._path = str(path)
        layers = [(owner, name, child) for owner in net.modules() for name, child in owner.named_children()]
        self._lines = {id(child): lines.get((id(owner), name), 0) for owner, name, child in layers}
        self._weights = {id(weight) for weight in net.parameters()}
        self._stack = [net]
        self._on_gpu: set[int] = set()
        self._makers: dict[int, Call] = {}
        self._storages: dict[int, torch.UntypedStorage] = {}  # all stay alive, so that no address is used twice
        self._pictures = torch.empty(0)

    def run(self, net: nn.Module, pictures: torch.Tensor) -> None:
        """Trace forward on `pictures`."""
        self._pictures, self._stack = pictures, [net]
        self._on_gpu |= {self.key(tensor) for tensor in (pictures, *net.parameters(), *net.buffers())}
        draws = _draw_state()
        with self._watch_layers(), _Spread(self), self:
            self.logits = net(pictures)
        self.reads_values |= draws != _draw_state()
        if isinstance(self.logits, torch.Tensor):
            self.end = self._makers.get(self.key(self.logits))

    def key(self, tensor: torch.Tensor) -> int:
        """Return a number that a tensor shares with its views alone; 0 if it has no storage."""
        try:
            storage = tensor.untyped_storage()
        except (RuntimeError, NotImplementedError):
            return 0
        key: int = storage._cdata
        self._storages[key] = storage
        return key

    def spread(self, arguments: object, result: object) -> None:
        """Put what is computed of a tensor of the GPU on the GPU."""
        if any(map(self._is_on_gpu, _tensors(arguments))):
            self._on_gpu.update(map(self.key, _tensors(result)))

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name: str = getattr(func, "__name__", "")
        if name in ("__get__", "__set__"):
            return self._access(func, args)
        if func is torch.device:
            return func(*args, **kwargs)
        tensors = list(_tensors((args, kwargs)))
        call = Call(name, self._line(), not tensors)
        self._inspect(call, tensors)
        version = self._pictures._version
        target = self._target(name, args, kwargs)
        if name == "cuda":
            result = args[0].clone()
        else:
            result = func(*map(_as_cpu, args), **{key: _as_cpu(value) for key, value in kwargs.items()})
        if self._pictures._version != version:
            self.change = self.change or call
        return self._place(result, target, call, tensors)

    def _access(self, func: Any, args: tuple[Any, ...]) -> Any:
        """Read or write an attribute of a tensor."""
        if func.__self__ is torch.Tensor.device and self._is_on_gpu(args[0]):
            return _GPU
        if func.__self__ is torch.Tensor.is_cuda:
            return self._is_on_gpu(args[0])
        return func(*args)

    def _inspect(self, call: Call, tensors: list[torch.Tensor]) -> None:
        for tensor in tensors:
            self.uses.setdefault(self.key(tensor), call)
            if isinstance(tensor, nn.Parameter) and tensor.requires_grad and id(tensor) not in self._weights:
                self.foreign = self.foreign or call
        self.reads_values |= call.name in _READS
        on_gpu = [self._is_on_gpu(tensor) for tensor in tensors]
        if call.name in _TO_NUMPY and any(on_gpu):
            self.numpy = self.numpy or call
        if self.stray or call.name in _MIXING or not any(on_gpu):
            return
        for tensor, is_on_gpu in zip(tensors, on_gpu, strict=True):
            is_length = call.name in _WITH_LENGTHS and tensor.dtype is torch.int64
            if not is_on_gpu and tensor.dim() and not is_length:
                self.stray = Stray(tensor, self._makers.get(self.key(tensor)), call)
                return

    def _target(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Return the device type that the result is asked to lie on; empty if it lies where the arguments do."""
        if name in ("cpu", "cuda"):
            return name
        device = kwargs.get("device")
        if name in ("to", "type_as") and device is None:
            device = next((value for value in args[1:] if isinstance(value, str | torch.device | torch.Tensor)), None)
        if name in ("tensor", "as_tensor", "asarray") and device is None:
            device = args[0] if isinstance(args[0], torch.Tensor) else "cpu"
        if isinstance(device, torch.Tensor):
            return "cuda" if self._is_on_gpu(device) else "cpu"
        return "" if device is None else torch.device(device).type

    def _place(self, result: Any, target: str, call: Call, tensors: list[torch.Tensor]) -> Any:
        if target and isinstance(result, torch.Tensor) and self._is_on_gpu(result) != (target == "cuda"):
            result = result.clone()  # what is moved has a storage of its own
        strays = [tensor for tensor in tensors if not self._is_on_gpu(tensor)]
        is_on_gpu = target == "cuda" if target else len(strays) < len(tensors)
        changes = (call.name.endswith("_") and not call.name.startswith("__")) or call.name == "__setitem__"
        before = tensors[:1] if call.name in _SHAPING else [] if is_on_gpu else strays[:1]
        maker = next((self._makers[key] for key in map(self.key, before) if key in self._makers), call)
        for tensor in _tensors(result):
            key = self.key(tensor)
            self._on_gpu.add(key) if is_on_gpu else self._on_gpu.discard(key)
            self._makers[key] = call if changes and is_on_gpu else self._makers.get(key, maker)
        return result

    def _is_on_gpu(self, tensor: torch.Tensor) -> bool:
        key = self.key(tensor)
        return key == 0 or key in self._on_gpu

    def _line(self) -> int:
        return find_current_line(self._path) or next(
            (n for layer in reversed(self._stack) if (n := self._lines.get(id(layer), 0))), 0
        )

    @contextlib.contextmanager
    def _watch_layers(self) -> Iterator[None]:
        def enter(layer: nn.Module, _args: object) -> None:
            self._stack.append(layer)
            self.layers.add(id(layer))

        def leave(_layer: nn.Module, _args: object, _result: object) -> None:
            self._stack.pop()

        def register(owner: nn.Module, name: str, weight: nn.Parameter) -> None:
            if id(weight) not in self._weights:
                self.new_layer = self.new_layer or NewLayer(owner, name, self._line())

        handles = [
            torch_modules.register_module_forward_pre_hook(enter),
            torch_modules.register_module_forward_hook(leave),
            torch_modules.register_module_parameter_registration_hook(register),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


class _Spread(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows what runs below Python: scripted functions, operators without a function of their own."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._trace = trace

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to skip it torch would load it, sympy included: 1 s and more

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch._C.DisableTorchFunction():
            result = func(*args, **(kwargs or {}))
            self._trace.spread((args, kwargs), result)
        return result


def _draw_state() -> bytes:
    return pickle.dumps((random.getstate(), np.random.get_state()))


def _as_cpu(value: Any) -> Any:
    """Return the CPU for the pretended GPU."""
    is_gpu = (isinstance(value, torch.device) and value.type == "cuda") or (isinstance(value, str) and value.startswith("cuda"))
    return "cpu" if is_gpu else value


def _tensors(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
