"""Parameters and multiply-adds of each net, for `arena models`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnn.check.net import check_net
from cnn.config import LABELS, MODELS, model_defaults
from cnn.errors import ConfigError
from cnn.models.registry import build_net, count_multiply_adds, count_parameters
from cnn.nets import NETS, PLUGIN_DEPTHS


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """One net at one depth and width, for pictures of one size."""

    name: str
    role: str
    paper: str
    depth: int
    depths: tuple[int, int]
    counts: str  # what depth counts
    n_parameters: int
    n_multiply_adds: int  # forward pass of one clip


def compute_costs(names: Sequence[str], size: int, depth: int | None, width: float | None) -> list[Cost]:
    """Return the costs of the nets `names`, or of all of ours that take `depth`; a plug-in is tried on random pictures first.

    Raises:
        ConfigError: no such net, or a depth or width that it does not take.
        ModelError: a plug-in that cannot be trained.
    """
    suited = [name for name in MODELS if depth is None or NETS[name].depths[0] <= depth <= NETS[name].depths[1]]
    if not (names or suited):
        raise ConfigError(f"no net of ours takes a depth of {depth}; `arena models` shows from where to where each goes")
    return [_cost(name, size, depth, width) for name in names or suited]


def _cost(name: str, size: int, depth: int | None, width: float | None) -> Cost:
    settings = model_defaults(name)
    settings = replace(settings, depth=depth or settings.depth, width=width or settings.width)
    if settings.is_plugin:
        check_net(settings, size, len(LABELS))
    net, entry = build_net(settings, size, len(LABELS)), NETS.get(name)
    return Cost(
        name=name,
        role=entry.role if entry else "your own",
        paper=entry.paper if entry else "",
        depth=settings.depth,
        depths=entry.depths if entry else PLUGIN_DEPTHS,
        counts=entry.counts if entry else "",
        n_parameters=count_parameters(net),
        n_multiply_adds=count_multiply_adds(net, size),
    )
