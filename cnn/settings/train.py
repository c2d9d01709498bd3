"""Settings of the optimisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cnn.errors import ConfigError
from cnn.nets import NETS
from cnn.settings.data import SPOKEN_DIGITS, DataKind, DataSettings
from cnn.settings.fields import check_fields, choice, custom, number

OPTIMIZERS = ("adamw", "adam", "sgd", "rmsprop")
SCHEDULES = ("cosine", "constant", "linear")
NORMALISATIONS = ("bands", "corpus", "unit", "none")
LOSSES = ("cross_entropy", "hinge")
BALANCES = ("none", "weights", "draws")
NORMALISE_MEANING = "each row's mean taken out and each clip's spread; the corpus's mean and spread; 0 to 1; 0 to 255"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainSettings:
    """Optimisation of the net."""

    learning_rate: float = number(2e-3, 1e-7, 10, "the highest, after the warm-up")
    batch_size: int = number(64, 0, 65_536, "clips an update, or a few less so that all have as many; 0: all")
    epochs: int = number(20, 1, 10_000, "times that every training clip is seen")
    optimizer: str = choice("adamw", OPTIMIZERS, "plain sgd is optimizer=sgd with momentum=0")
    schedule: str = choice("cosine", SCHEDULES, "how the learning rate falls")
    warmup: float = number(0.1, 0, 0.9, "fraction of all steps in which the learning rate rises")
    weight_decay: float = number(0.02, 0, 10, "of filters and matrices; biases and normalisation are not decayed")
    label_smoothing: float = number(0.05, 0, 0.9, "part of each label that is spread over all classes, in the cross-entropy")
    side_views: int = number(2, 0, 7, "a clip is also scored so often a little earlier, and as often later")
    patience: int = number(0, 0, 10_000, "epochs without a better validation macro-F1 until training stops; 0: never")
    seed: int = number(0, 0, 2**31 - 1, "weights, order of the clips, dropout, augmentation")
    balance: str = choice("none", BALANCES, "rare digits weigh more in the loss, or each is drawn equally often", later=True)
    momentum: float = number(0.9, 0, 0.999, "of sgd alone; 0: plain sgd, which goes down the gradient", later=True)
    nesterov: int = choice(1, (1, 0), "1: sgd's momentum looks ahead (Nesterov); 0: classical momentum", later=True)
    looks_every: int = number(0, 0, 1_000_000, "updates from one validation to the next; 0: after each epoch", later=True)
    loss: str = choice("cross_entropy", LOSSES, "hinge: margins of Crammer and Singer, as a perceptron", later=True)
    normalise: str = choice("bands", NORMALISATIONS, NORMALISE_MEANING, later=True)
    start: str = custom("", "a run or FILE.pt", "weights to begin with; empty: drawn by the seed", later=True)
    frozen: int = number(0, 0, 1000, "first layers with weights that stay as they are in the start", later=True)
    start_digest: str = custom("", "a digest", "SHA-256 of the start's file", later=True)
    start_labels: tuple[str, ...] = custom((), "labels", "of the start, where a run says them", later=True)

    def __post_init__(self) -> None:
        check_fields(self, "train")
        if self.frozen and not self.start:
            raise ConfigError(
                f"train.frozen={self.frozen} needs train.start: weights as they are drawn are not worth keeping; leave it out"
            )


# Views aside helped sounds (156 trainings: +0.004), not pictures (4 nets on Fashion-MNIST: +0.001 with a spread of 0.003).
_SIDE_VIEWS = {DataKind.SOUND: 2, DataKind.PICTURES: 0}


def train_defaults(model: str, data: DataSettings = SPOKEN_DIGITS) -> TrainSettings:
    """Return the default settings of the optimisation of the net `model`, on tiles of this kind."""
    recipe: Mapping[str, Any] = NETS[model].recipe if model in NETS else {}
    by_kind: dict[str, Any] = {"normalise": data.normalisation, "side_views": _SIDE_VIEWS[data.kind]}
    return TrainSettings(**by_kind | dict(recipe))


def change_net(train: TrainSettings, before: str, after: str, data: DataSettings) -> TrainSettings:
    """Return the settings for another net: those that had the defaults of the net before have its own ones."""
    old, new = train_defaults(before, data), train_defaults(after, data)
    names = [name for name in TrainSettings.__slots__ if getattr(train, name) == getattr(old, name)]
    return replace(train, **{name: getattr(new, name) for name in names})
