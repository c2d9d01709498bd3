"""Fine tuning: weights of another training to begin with, of which the first layers may stay as they are."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from cnn.config import RunConfig
from cnn.errors import CnnError, ConfigError, RunError
from cnn.files import read_json
from cnn.models.columns import Columns
from cnn.overrides import config_from_dict
from cnn.start import locate_weights

if TYPE_CHECKING:
    from cnn.train.trainer import Trainer


@dataclass(frozen=True, slots=True)
class LayerGroup:
    """A layer with filters or a matrix, and what follows it up to the next: its normalisation."""

    name: str  # path within the net
    modules: tuple[nn.Module, ...]


def group_layers(net: nn.Module, pictures: torch.Tensor) -> list[LayerGroup]:
    """Return the layers with filters or a matrix, in the order in which forward calls them first on (B, C, F, T)."""
    paths = {module: path for path, module in net.named_modules()}
    calls: dict[nn.Module, None] = {}
    hooks = [
        module.register_forward_pre_hook(lambda module, _inputs: calls.setdefault(module))
        for module in paths
        if [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    ]
    was_training = net.training
    with torch.no_grad():
        net.eval()(pictures)
    net.train(was_training)
    for hook in hooks:
        hook.remove()
    groups: list[LayerGroup] = []
    for module in calls:
        if has_weights(module):
            groups.append(LayerGroup(paths[module], (module,)))
        elif groups:
            groups[-1] = LayerGroup(groups[-1].name, (*groups[-1].modules, module))
    return groups


def group_columns(net: nn.Module, pictures: torch.Tensor) -> list[list[LayerGroup]]:
    """Return the layers of each column, which `train.frozen` counts anew in each; a net without columns is one."""
    groups = group_layers(net, pictures)
    if not isinstance(net, Columns):
        return [groups]
    return [[group for group in groups if group.name.startswith(f"columns.{n}.")] for n in range(len(net.columns))]


def _empty_picture(net: nn.Module, config: RunConfig) -> torch.Tensor:
    size = config.tiles.size
    return torch.zeros(1, config.data.channels, size, size, device=next(net.parameters()).device)


def has_weights(module: nn.Module) -> bool:
    """Tell whether a module has filters or a matrix of its own; normalisation has neither."""
    return any(parameter.ndim > 1 for parameter in module.parameters(recurse=False))


def freeze_layers(net: nn.Module, config: RunConfig) -> tuple[nn.Module, ...]:
    """Exclude the first `train.frozen` layers of each column from training; return their modules, to stay in evaluation mode.

    Raises:
        ConfigError: the net has no more layers than that.
    """
    n_frozen = config.train.frozen
    if not n_frozen:
        return ()
    columns = group_columns(net, _empty_picture(net, config))
    least, label = min(map(len, columns)), config.model.label
    if n_frozen >= least:
        whose = label if len(columns) == 1 else f"a column of {label}"
        rule = f"train.frozen={n_frozen} leaves nothing to train: {whose} has {least} layers with weights"
        raise ConfigError(f"{rule}; freeze {least - 1} at most (`arena models {label} --layers` lists them)")
    modules = tuple(module for column in columns for group in column[:n_frozen] for module in group.modules)
    for module in modules:
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(False)
    return modules


def begin_training(trainer: Trainer, checkpoint: Path) -> str:
    """Resume the trainer from its checkpoint, or put the weights of its start into it; return what to say of them.

    The start is in the first checkpoint, so that a run which has begun needs it no more.

    Raises:
        RunError: as `load_start`, and as `Trainer.resume`.
    """
    if trainer.resume(checkpoint) or not trainer.config.train.start:
        return ""
    note = load_start(trainer.net, trainer.config)
    trainer.save(checkpoint)
    return note


def load_start(net: nn.Module, config: RunConfig) -> str:
    """Put the start's weights into the net; return a line on the last layer, or an empty text.

    The last layer is left as it was drawn where the start is for other labels.

    Raises:
        RunError: the file is not there, has changed, or holds something else than weights of this net.
    """
    start, state = config.train.start, net.state_dict()
    weights = _read_weights(config)
    _check_split(config)
    last = [column[-1].name for column in group_columns(net, _empty_picture(net, config))]
    of_last = {name for name in state if name.rpartition(".")[0] in last}
    if missing := [*(state.keys() - weights.keys()), *(weights.keys() - state.keys())]:
        whose = "is of this net alone" if missing[0] in state else "is of that file alone"
        raise RunError(
            f"train.start={start} holds the weights of another net than {config.model.label} ({min(missing)} {whose}); "
            "choose its net and its settings of model"
        )
    is_anew = config.train.start_labels not in ((), config.data.labels) and not config.model.is_autoencoder
    for name, value in state.items():
        if value.shape == weights[name].shape:
            continue
        if name not in of_last or value.shape[1:] != weights[name].shape[1:] or config.train.start_labels == config.data.labels:
            sizes = f"{_size(weights[name])} there and {_size(value)} here"
            raise RunError(f"train.start={start} does not fit: {name} is {sizes}; choose the same settings of model, and tiles")
        is_anew = True
    net.load_state_dict({name: value for name, value in weights.items() if not (is_anew and name in of_last)}, strict=False)
    if is_anew:
        labels = len(config.train.start_labels) or len(weights[max(of_last)])
        return f"train.start={start} is for {labels} other labels: {_name_last(last)} drawn anew"
    return "" if config.train.start_labels else f"train.start={start} says no labels: {_name_last(last)} taken as it is"


def _name_last(layers: Sequence[str]) -> str:
    return f"the last layer, {layers[0]}, is" if len(layers) == 1 else f"the last layer of each column, {', '.join(layers)}, is"


def _check_split(config: RunConfig) -> None:
    """Refuse a start that trained on these clips by another split, since it has seen some of those that are tested here."""
    start = config.train.start
    try:
        other = config_from_dict(read_json(locate_weights(start).with_name("config.json")))
    except (CnnError, KeyError, TypeError, ValueError, AttributeError):  # a file that somebody brought says nothing
        return
    if config.corpus and other.corpus == config.corpus and other.split != config.split:
        rule = f"train.start={start} was trained on these tiles by another split than this training has"
        raise RunError(
            f"{rule}, so it may have seen what is tested here, a leak; give both one split, or start from other tiles"
        )


def _size(value: torch.Tensor) -> str:
    return "x".join(map(str, value.shape)) or "one number"


def _read_weights(config: RunConfig) -> Mapping[str, torch.Tensor]:
    start, path = config.train.start, locate_weights(config.train.start)
    try:
        content = path.read_bytes()
    except OSError as error:
        rule = f"train.start={start} is not there any more ({error.strerror}), and this run has not begun"
        raise RunError(f"{rule}; put it back, or choose another start") from error
    if hashlib.sha256(content).hexdigest() != config.train.start_digest:
        raise RunError(f"train.start={start} has changed since this run was named; put it back, or type the command again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, on pickles that are refused below
            weights = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen kinds; a pickle that would run something is one of them
        rule = f"train.start={start} is no file of weights alone, as torch.save(net.state_dict(), path) writes it"
        raise RunError(f"{rule} ({type(error).__name__}); nothing in it was run; choose another") from error
    rows = weights.items() if isinstance(weights, Mapping) else ()
    if not rows or not all(isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in rows):
        rule = f"train.start={start} holds no weights by name, as torch.save(net.state_dict(), path) writes them"
        raise RunError(f"{rule}; choose another file")
    return dict(rows)
