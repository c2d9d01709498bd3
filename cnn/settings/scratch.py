"""Limits of the net from scratch: one file of NumPy has plain SGD on a log loss, and no more."""

from __future__ import annotations

from typing import Any

from cnn.errors import ConfigError
from cnn.settings.model import ModelSettings
from cnn.settings.train import TrainSettings

SCRATCH = "scratch"
_MODEL: dict[str, tuple[Any, ...]] = {"activation": ("relu", "sigmoid"), "dropout": (0,)}
_TRAIN: dict[str, tuple[Any, ...]] = {
    "optimizer": ("sgd",),
    "momentum": (0,),
    "weight_decay": (0,),
    "label_smoothing": (0,),
    "loss": ("cross_entropy",),
    "balance": ("none", "draws"),
    "frozen": (0,),
}


def check_scratch(model: ModelSettings, train: TrainSettings) -> None:
    """Refuse what the net from scratch cannot do.

    Raises:
        ConfigError: names the key, what it takes there, and the net that can do it.
    """
    if model.name != SCRATCH:
        return
    for section, settings, limits in (("model", model, _MODEL), ("train", train, _TRAIN)):
        for name, allowed in limits.items():
            if (value := getattr(settings, name)) not in allowed:
                key, values = f"{section}.{name}", " or ".join(map(str, allowed))
                raise ConfigError(
                    f"{key} of the net from scratch is {values}, not {value}; leave it out, or choose --model mlp"
                )
