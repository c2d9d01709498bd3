"""A team's own net tried on random pictures before it is trained: what would go wrong later is said now, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

import torch
from torch import nn
from torch.nn import functional as F

from cnn.config import ModelSettings
from cnn.errors import ModelError
from cnn.models.own import explained
from cnn.models.table import build, placed
from cnn.plugin import file_of

_N_CLIPS = 4
_CPU = torch.device("cpu")


def check(settings: ModelSettings, size: int, n_classes: int) -> None:
    """Refuse a plug-in net that cannot be trained on (B, 1, size, size); the caller's random state stays as it is.

    Raises:
        ModelError: the first thing that is wrong with it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _Check(settings, size, n_classes).run()


class _Check:
    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        self._settings = settings
        self._size = size
        self._n_classes = n_classes
        self._net = build(settings, size, n_classes)

    def run(self) -> None:
        self._has_weights()
        placed(self._net, _CPU)
        names = set(self._net.state_dict())
        for _ in range(2):  # the second batch finds what is kept of the first
            self._learns(self._pictures())
        if new := set(self._net.state_dict()) ^ names:
            self._fail(f"forward makes or drops weights ({_some(new)}); make every layer in __init__")
        self._answers(self._pictures())

    def _fail(self, text: str) -> NoReturn:
        raise ModelError(f"{file_of(self._settings.name)}: {self._settings.label}: {text}")

    def _pictures(self) -> torch.Tensor:
        batch = torch.randn(_N_CLIPS, 1, self._size, self._size)
        return batch.contiguous(memory_format=torch.channels_last)  # as in training

    def _has_weights(self) -> None:
        known = {id(p) for p in self._net.parameters()}
        for name, parameter in _loose(self._net):
            if id(parameter) not in known:
                self._fail(
                    f"{name} holds weights that torch does not see; wrap it: nn.ModuleList, nn.ModuleDict or nn.Parameter"
                )
        if not any(p.requires_grad for p in self._net.parameters()):
            self._fail("no weights to train; give it layers such as nn.Conv2d or nn.Linear, made in __init__")
        if any(nn.parameter.is_lazy(p) for p in self._net.parameters()):
            self._fail("a Lazy layer has no weights before its first batch; work its size out from `size`")

    def _forward(self, pictures: torch.Tensor) -> torch.Tensor:
        shape = tuple(pictures.shape)
        with explained(self._settings, self._size, f"forward on {shape}"):
            logits = self._net(pictures)
        wanted = (len(pictures), self._n_classes)
        if not isinstance(logits, torch.Tensor):
            self._fail(f"forward returns a {type(logits).__name__}; return one tensor of logits {wanted}")
        if tuple(logits.shape) != wanted:
            self._fail(f"forward makes {tuple(logits.shape)} of {shape}; wanted are logits {wanted}: clips, classes")
        if not (logits.is_floating_point() and bool(logits.isfinite().all())):
            self._fail("forward gives no finite numbers on random pictures; look for log(0), division by 0 and huge weights")
        return logits

    def _learns(self, pictures: torch.Tensor) -> None:
        self._net.train()
        logits = self._forward(pictures)
        if bool((logits >= 0).all()) and bool(((logits.sum(1) - 1).abs() < 1e-4).all()):
            self._fail("forward returns probabilities; return the logits, the training's loss does the softmax itself")
        with explained(self._settings, self._size, "backward"):
            F.cross_entropy(logits, torch.arange(_N_CLIPS) % self._n_classes).backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in self._net.parameters() if p.grad is not None]
        if not all(bool(gradient.isfinite().all()) for gradient in gradients):
            self._fail("the gradient is no finite number; look for sqrt(0), log(0) and division by 0")

    def _answers(self, pictures: torch.Tensor) -> None:
        self._net.eval()
        with torch.no_grad():
            logits, again = self._forward(pictures), self._forward(pictures)
            self._forward(pictures[:1])  # what `squeeze()` makes of a single clip
        if not _close(logits, again):
            advice = "use nn.Dropout (or F.dropout with training=self.training), and keep nothing between batches"
            self._fail(f"the same pictures get other logits the second time; {advice}")
        first, others = self._influence(pictures)
        if not first and _close(logits, logits[:1].expand_as(logits)):
            self._fail("all pictures get the same logits: the output does not depend on the input; follow x through forward")
        if others:
            law = "a clip's logits depend on the other clips of its batch"
            self._fail(f"{law}; the first axis counts clips: never sum, flatten or attend over it")

    def _influence(self, pictures: torch.Tensor) -> tuple[bool, bool]:
        """Whether the first clip and the other clips have a part in the first clip's logits.

        By gradients: a fresh net's logits may differ too little from clip to clip to be told apart from rounding.
        """
        leaf = pictures.clone().requires_grad_()
        logits = self._forward(leaf * 1)  # forward may change its input in place, but no leaf
        (gradient,) = torch.autograd.grad(logits[0].sum(), leaf, allow_unused=True)
        return (False, False) if gradient is None else (bool(gradient[0].any()), bool(gradient[1:].any()))


def _close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max().clamp_min(1e-6)))


def _loose(net: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Weights in plain lists, tuples, dicts and attributes of any part of the net, with the attribute's name."""
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
