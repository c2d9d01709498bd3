"""Trial of a team's own net on random pictures: what would fail in training fails here, in one line."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import nn
from torch.nn import functional as F

from cnn.check import advice
from cnn.check.lines import record_lines
from cnn.check.settings import KEYS, explain_unread, watch
from cnn.check.trace import Trace, trace_forward
from cnn.errors import ModelError
from cnn.models.own import explain_errors
from cnn.models.registry import build_net, seed_generators, to_device
from cnn.plugin import parse_path
from cnn.settings.model import ModelSettings, model_defaults

_N_CLIPS = 4
_CPU = torch.device("cpu")
_BATCH_SIZES = (1, 2, 4, 8, 10, 16, 20, 32, 50, 64, 100, 128)  # that a net may be written for
_STEP = 1e-3  # Adam's
_EQUAL = 1e-5  # tolerance between logits of the same weights; rounding is 1e-7


@dataclass(frozen=True, kw_only=True, slots=True)
class NetReport:
    """Report on a net that can be trained."""

    warnings: tuple[str, ...]
    unread: frozenset[str]  # settings such as `depth` that the net does not read
    ignored: tuple[str, ...]  # those among them that are set to another value than the default


def check_net(settings: ModelSettings, size: int, n_classes: int) -> NetReport:
    """Check that a plug-in net can be trained on (B, C, size, size), and reads what is set.

    Raises:
        ModelError: the first thing that is wrong with it.
    """
    report = try_net(settings, size, n_classes)
    if report.ignored:
        raise ModelError(explain_unread(settings.name, report.ignored))
    return report


def try_net(settings: ModelSettings, size: int, n_classes: int) -> NetReport:
    """Try a plug-in net on random pictures; the caller's random state stays as it is.

    Raises:
        ModelError: the first thing that would fail in training.
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # few clips: more threads wait for each other, minutes on a busy machine
    try:
        with seed_generators(0, _CPU):
            return _Check(settings, size, n_classes).run()
    finally:
        torch.set_num_threads(n_threads)


class _Check:
    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        self._settings = settings
        self._size = size
        self._n_classes = n_classes
        self._path = parse_path(settings.name)
        self._watched = watch(settings)
        with record_lines(self._path) as self._lines:
            self._net = build_net(self._watched, size, n_classes)

    def run(self) -> NetReport:
        self._has_weights()
        to_device(self._net, _CPU)
        names = set(self._net.state_dict())
        trace = trace_forward(self._net, self._pictures(), self._path, self._lines)
        self._learns(n_batches=2)  # the second meets what the net keeps of the first
        self._refuse(advice.find_untrained_layer(trace, self._net))
        if new := set(self._net.state_dict()) ^ names:
            self._fail(f"forward makes or drops weights ({_some(new)}); make every layer in __init__")
        self._refuse(advice.find_change_of_input(trace))
        self._answers(self._pictures())
        self._is_all_in_its_state(self._pictures())
        self._refuse(advice.find_gpu_fault(trace, self._net))
        return self._report(trace)

    def _refuse(self, finding: advice.Remark | None) -> None:
        if finding:
            self._fail(finding.text, finding.line)

    def _fail(self, text: str, line: int = 0) -> NoReturn:
        raise ModelError(self._format(text, line))

    def _format(self, text: str, line: int) -> str:
        where = f"{self._path} line {line}" if line else str(self._path)
        return f"{where}: {self._settings.label}: {text}"

    def _report(self, trace: Trace) -> NetReport:
        findings = advice.list_warnings(trace, self._net, self._lines)
        unread = frozenset(KEYS) - self._watched.reads
        defaults = model_defaults(self._settings.name, self._settings.source)
        changed = (key for key in KEYS if getattr(self._settings, key) != getattr(defaults, key))
        return NetReport(
            warnings=tuple(self._format(finding.text, finding.line) for finding in findings),
            unread=unread,
            ignored=tuple(key for key in changed if key in unread),
        )

    def _pictures(self, n_clips: int = _N_CLIPS) -> torch.Tensor:
        batch = torch.randn(n_clips, self._settings.n_channels, self._size, self._size)
        return batch.contiguous(memory_format=torch.channels_last)  # as in training

    def _has_weights(self) -> None:
        registered = {id(p) for p in self._net.parameters()}
        for name, parameter in _loose(self._net):
            if id(parameter) not in registered:
                self._fail(
                    f"{name} holds weights that torch does not see; wrap it: nn.ModuleList, nn.ModuleDict or nn.Parameter"
                )
        if not any(p.requires_grad for p in self._net.parameters()):
            self._fail("no weights to train; give it layers such as nn.Conv2d or nn.Linear, made in __init__")

    def _forward(self, pictures: torch.Tensor) -> torch.Tensor:
        try:
            return self._logits(pictures)
        except ModelError:
            if n_clips := self._only_batch_size():
                rule = f"forward works on batches of {n_clips} clips alone, and a batch may hold any number"
                self._fail(f"{rule}; write torch.flatten(x, 1), or len(x) for {n_clips}")
            raise

    def _only_batch_size(self) -> int:
        """Return the single batch size that works; 0 if the batch size is not the fault."""
        self._net.eval()
        works = [n_clips for n_clips in _BATCH_SIZES if self._works_on(n_clips)]
        return works[0] if len(works) == 1 else 0

    def _works_on(self, n_clips: int) -> bool:
        with torch.no_grad(), contextlib.suppress(Exception):
            return tuple(self._net(self._pictures(n_clips)).shape) == (n_clips, self._n_classes)
        return False

    def _logits(self, pictures: torch.Tensor) -> torch.Tensor:
        shape = tuple(pictures.shape)
        with explain_errors(self._settings, self._size, f"forward on {shape}"):
            logits = self._net(pictures)
        expected = (len(pictures), self._n_classes)
        if not isinstance(logits, torch.Tensor):
            self._fail(f"forward returns a {type(logits).__name__}; return one tensor of logits {expected}")
        is_of_columns = self._net.training and logits.ndim == 3 and logits.shape[::2] == expected
        if tuple(logits.shape) != expected and not is_of_columns:
            self._fail(f"forward makes {tuple(logits.shape)} of {shape}; wanted are logits {expected}: clips, classes")
        if not (logits.is_floating_point() and bool(logits.isfinite().all())):
            self._fail("forward gives no finite numbers on random pictures; look for log(0), division by 0 and huge weights")
        return logits

    def _learns(self, n_batches: int) -> None:
        self._net.train()
        with warnings.catch_warnings(record=True) as traces, torch.autograd.set_detect_anomaly(True, check_nan=False):
            warnings.simplefilter("always")  # where backward fails, torch warns with the lines of forward that led there
            for _ in range(n_batches):
                self._takes_in(self._pictures(), traces)

    def _takes_in(self, pictures: torch.Tensor, traces: list[warnings.WarningMessage]) -> None:
        answers = self._forward(pictures).flatten(0, -2)  # (B n, K) of n columns
        truth = (torch.arange(_N_CLIPS) % self._n_classes).repeat_interleave(len(answers) // _N_CLIPS)
        with explain_errors(self._settings, self._size, "backward", traces):
            F.cross_entropy(answers, truth).backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in self._net.parameters() if p.grad is not None]
        if not all(bool(gradient.isfinite().all()) for gradient in gradients):
            self._fail("the gradient is no finite number; look for sqrt(0), log(0) and division by 0")

    def _answers(self, pictures: torch.Tensor) -> None:
        self._net.eval()
        with torch.no_grad():
            logits, again = self._forward(pictures), self._forward(pictures)
            self._forward(pictures[:1])  # what `squeeze()` makes of a single clip
        if not _close(logits, again):
            advice = "use nn.Dropout (or F.dropout with training=self.training), and change what it keeps in training alone"
            self._fail(f"the same pictures get other logits the second time; {advice}")
        first, others = self._influence(pictures)
        if not first and _close(logits, logits[:1].expand_as(logits)):
            self._fail("all pictures get the same logits: the output does not depend on the input; follow x through forward")
        if others:
            rule = "a clip's logits depend on the other clips of its batch"
            self._fail(f"{rule}; the first axis counts clips: never sum, flatten or attend over it")

    def _is_all_in_its_state(self, pictures: torch.Tensor) -> None:
        """Refuse what a run folder could not give back: a new net with the weights of a trained one must be that one."""
        self._learns(n_batches=1)
        with torch.no_grad():
            for weight in self._net.parameters():
                if weight.grad is not None:
                    weight.sub_(_STEP * weight.grad.sign())  # Adam's first step; torch.optim would load more than a second
        new = to_device(build_net(self._settings, self._size, self._n_classes), _CPU)
        with explain_errors(self._settings, self._size, "its weights in a new one"):
            new.load_state_dict(self._net.state_dict())
        attributes = _other_attributes(self._net, new)  # before another batch changes them
        for is_training in (False, True):
            logits, again = (_said_by(net.train(is_training), pictures) for net in (self._net, new))
            if logits.shape != again.shape or not _close(logits, again, _EQUAL):
                cause = attributes or "something of its own (a generator, a list)"
                rule = f"the net depends on {cause}, which is not in its state_dict"
                harm = "`arena predict`, and a training that goes on, would not have it"
                self._fail(f"{rule}: {harm}; hold it in self.register_buffer(...), or keep nothing between batches")

    def _influence(self, pictures: torch.Tensor) -> tuple[bool, bool]:
        """Return whether the first clip, and whether the other clips, have a part in the first clip's logits.

        By gradients: a fresh net's logits may differ too little from clip to clip to be told apart from rounding.
        """
        leaf = pictures.clone().requires_grad_()
        logits = self._forward(leaf * 1)  # forward may change its input in place, but no leaf
        (gradient,) = torch.autograd.grad(logits[0].sum(), leaf, allow_unused=True)
        return (False, False) if gradient is None else (bool(gradient[0].any()), bool(gradient[1:].any()))


def _said_by(net: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    """Return the logits, with the same draws every time; none if forward needs an attribute that the net lacks."""
    with seed_generators(0, _CPU), torch.no_grad(), contextlib.suppress(Exception):
        logits: torch.Tensor = net(pictures)
        return logits
    return torch.empty(0)


def _close(a: torch.Tensor, b: torch.Tensor, rtol: float = 1e-3) -> bool:
    return torch.allclose(a, b, rtol=rtol, atol=0.1 * rtol * float(b.abs().max().clamp_min(1e-6)))


def _other_attributes(net: nn.Module, new: nn.Module) -> str:
    """Name plain tensors and numbers of a net, or of its parts, that differ in a new one."""
    parts = dict(new.named_modules())
    return _some(
        {
            f"self.{path}.{name}".replace("..", ".")
            for path, part in net.named_modules()
            for name, value in vars(part).items()
            if not name.startswith("_") and path in parts and _is_other(value, vars(parts[path]).get(name))
        }
    )


def _is_other(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return not torch.equal(a, b)
    return isinstance(a, torch.Tensor | int | float) and (type(a) is not type(b) or bool(a != b))


def _loose(net: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield weights in plain lists, tuples, dicts and attributes of any part of the net, with the attribute's name."""
    for module in net.modules():
        for name, value in vars(module).items():
            if name.startswith("_"):
                continue  # torch's own tables
            for item in _items(value):
                if isinstance(item, nn.Module):
                    yield from ((f"self.{name}", parameter) for parameter in item.parameters())
                elif isinstance(item, torch.Tensor) and item.requires_grad and item.is_leaf:
                    yield f"self.{name}", nn.Parameter(item)


def _items(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else [value]


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3])
