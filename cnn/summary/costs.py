"""Parameters and multiply-adds of each net, for `arena models`.

Those of our nets by default are stored in default_costs.json, so that they are listed without starting torch;
`python -m cnn.summary.costs` writes that file, and a test compares it with the nets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.config import VARIANTS, TilesInfo, default_config
from cnn.errors import ConfigError, ModelError
from cnn.nets import NETS, PLUGIN_DEPTHS
from cnn.overrides import apply_values
from cnn.plugin import shorten_name
from cnn.settings.data import DIGITS
from cnn.settings.model import MODELS, ModelSettings, model_defaults
from cnn.settings.tiles import TileSettings

_STORED = Path(__file__).parent / "default_costs.json"
_DEFAULT_SIZE = TileSettings().size


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
    spelling: str = ""  # a spelled net's, with all that makes it another than its paper's
    differs: str = ""

    @property
    def label(self) -> str:
        """The name for people; a plug-in has that of its class."""
        return shorten_name(self.name)


def compute_costs(
    names: Sequence[str], size: int, values: Mapping[str, object], log: Callable[[str], None] = lambda _text: None
) -> list[Cost]:
    """Return the costs of the nets `names`, or of all of ours that take the depth; a plug-in is tried on random pictures first.

    Args:
        values: settings of the nets, such as `model.depth`, instead of their defaults.
        log: called with the reason for each module of a whole file that is left out.

    Raises:
        ConfigError: no such net, or a setting that it does not take.
        ModelError: a plug-in that cannot be trained, or a file of such ones alone.
    """
    depth = values.get("model.depth")
    suited = [name for name in MODELS if depth is None or depth in range(NETS[name].depths[0], NETS[name].depths[1] + 1)]
    if not (names or suited):
        raise ConfigError(f"no net of ours takes a depth of {depth}; `arena models` shows from where to where each goes")
    stored = _read_stored() if size == _DEFAULT_SIZE and not values else {}
    costs: list[Cost] = []
    for name in names or suited:
        if name.endswith(".py"):
            costs += _compute_file_costs(Path(name), size, values, log)
        else:
            costs.append(_compute_cost(choose_settings(name, size, values), size, stored, log))
    return costs


def _compute_file_costs(path: Path, size: int, values: Mapping[str, object], log: Callable[[str], None]) -> list[Cost]:
    from cnn.models.own import list_nets

    costs: list[Cost] = []
    errors: list[ModelError] = []
    for name in list_nets(path):
        try:
            costs.append(_compute_cost(choose_settings(name, size, values), size, {}, log))
        except ModelError as error:
            errors.append(error)
    if not costs:
        raise errors[0]
    for reason in errors:
        log(f"left out: {reason}")
    return costs


def choose_settings(name: str, size: int, values: Mapping[str, object]) -> ModelSettings:
    """Return the settings of the net `name` for pictures of `size`: its defaults but for `values`.

    Raises:
        ConfigError: no such net, or a setting that it does not take.
        ModelError: a plug-in whose file or class is not there.
    """
    tiles = TilesInfo(settings=TileSettings(size=size))
    return apply_values(default_config(tiles, name, VARIANTS[0]), values).model


def _read_stored() -> dict[str, list[int]]:
    content: dict[str, list[int]] = json.loads(_STORED.read_bytes())
    return content


def _compute_cost(settings: ModelSettings, size: int, stored: dict[str, list[int]], log: Callable[[str], None]) -> Cost:
    if settings.is_plugin:
        from cnn.check.net import try_net
        from cnn.check.settings import explain_unread

        report = try_net(settings, size, len(DIGITS))
        ignored = [explain_unread(settings.name, report.ignored)] if report.ignored else []
        for warning in (*ignored, *report.warnings):
            log(f"warning: {warning}")
    n_parameters, n_multiply_adds = stored.get(settings.name) or measure(settings, size)
    entry = NETS.get(settings.name)
    return Cost(
        name=settings.name,
        role=entry.role if entry else "your own",
        paper=entry.paper if entry else "",
        depth=settings.depth,
        depths=entry.depths if entry else PLUGIN_DEPTHS,
        counts=entry.counts if entry else "",
        n_parameters=n_parameters,
        n_multiply_adds=n_multiply_adds,
        spelling=settings.spelling,
        differs=entry.differs.get("en", "") if entry else "",
    )


def measure(settings: ModelSettings, size: int) -> tuple[int, int]:
    """Build the net and return its parameters and multiply-adds; raises ModelError: a plug-in that cannot be made."""
    import torch

    from cnn.models.registry import build_net, count_multiply_adds, count_parameters
    from cnn.train.device import limit_threads

    with limit_threads(torch.device("cpu")):
        net = build_net(settings, size, len(DIGITS))
        return count_parameters(net), count_multiply_adds(net, size, settings.n_channels)


def format_default_costs() -> str:
    """Build our nets and return default_costs.json as it should be: parameters and multiply-adds by net."""
    lines = [f'  "{name}": {json.dumps(measure(model_defaults(name), _DEFAULT_SIZE))}' for name in MODELS]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    _STORED.write_text(format_default_costs(), encoding="utf-8")
