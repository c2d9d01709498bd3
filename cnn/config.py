"""One training as one value: frozen dataclasses whose defaults are the documentation.

Every field is a key of the one override syntax, `train.learning_rate=0.01`; the digest of the
whole names the run folder. Standard library only, so that a sweep file can be checked without starting torch.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cnn.errors import ConfigError
from cnn.nets import NETS, PLUGIN_DEPTHS, PLUGIN_WIDTHS, WIDTHS
from cnn.plugin import digest_of_file, is_plugin, label_of

VARIANTS = ("raw", "bilateral", "raw+aug", "bilateral+aug")
MODELS = tuple(NETS)
LABELS = tuple(str(digit) for digit in range(10))
TILE_SIZES = (32, 64)
TILES_FORMAT = 3  # a change of a folder of tiles, or of the front end that no setting names, is a new number
SPLIT_KINDS = ("speaker", "becker", "loso", "folds", "random")
FOLDED_KINDS = ("becker", "loso", "folds")  # whose parts `split.fold` chooses
VALIDATIONS = ("speakers", "takes")
ACTIVATIONS = ("relu", "tanh", "leaky_relu", "relu6", "silu")
OPTIMIZERS = ("adamw", "adam", "sgd")
SCHEDULES = ("cosine", "constant", "linear")


def _one_of(key: str, value: object, allowed: Sequence[object]) -> None:
    if value not in allowed:
        names = [str(item) for item in allowed]
        close = difflib.get_close_matches(str(value), names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigError(f"{key} is one of {', '.join(names)}, not {value!r}{hint}")


def _between(key: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also refuses NaN
        raise ConfigError(f"{key} lies between {low:g} and {high:g}, not {value:g}")


@dataclass(frozen=True, kw_only=True, slots=True)
class TileSettings:
    """How a recording becomes a picture of size x size mel bins and frames."""

    size: int = 64
    rate_hz: int = 8000  # FSDD's own rate; every other corpus is resampled to it
    length_s: float = 0.8  # 97 % of FSDD's clips fit whole
    window_s: float = 0.032
    f_min_hz: float = 60.0
    f_max_hz: float = 3800.0
    range_db: float = 40.0  # what lies further below the clip's loudest cell is black
    bilateral_diameter: int = 5
    bilateral_sigma_color: float = 40.0  # grey levels of 255
    bilateral_sigma_space: float = 2.0  # cells

    def __post_init__(self) -> None:
        _one_of("tiles.size", self.size, TILE_SIZES)
        _between("tiles.rate_hz", self.rate_hz, 4000, 192_000)
        _between("tiles.length_s", self.length_s, 0.1, 10.0)
        _between("tiles.window_s", self.window_s, 0.005, min(0.2, self.length_s))
        _between("tiles.f_min_hz", self.f_min_hz, 0, self.f_max_hz - 1)
        _between("tiles.f_max_hz", self.f_max_hz, 1, self.rate_hz / 2)
        _between("tiles.range_db", self.range_db, 10, 120)
        _between("tiles.bilateral_diameter", self.bilateral_diameter, 1, 25)
        _between("tiles.bilateral_sigma_color", self.bilateral_sigma_color, 0.1, 255)
        _between("tiles.bilateral_sigma_space", self.bilateral_sigma_space, 0.1, 64)


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitSettings:
    """Who is heard in training, validation and test; by speaker unless asked otherwise."""

    kind: str = "speaker"
    fold: int = 0  # becker: 0 to 4; loso: which speaker, in sorted order; folds: which group, from 0
    n_folds: int = 0  # folds: into how many groups the speakers are dealt; 0 for every other kind
    seed: int = 0  # which speakers, where neither fold nor names say so; which takes
    validation: str = "speakers"  # speakers: who are not trained on; takes: a tenth of the training speakers' clips
    test_speakers: tuple[str, ...] = ()
    val_speakers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _one_of("split.kind", self.kind, SPLIT_KINDS)
        _between("split.fold", self.fold, 0, 4 if self.kind == "becker" else 10_000)
        _between("split.seed", self.seed, 0, 2**31 - 1)
        _one_of("split.validation", self.validation, VALIDATIONS)
        if (self.test_speakers or self.val_speakers) and self.kind != "speaker":
            raise ConfigError(f"named speakers need split.kind=speaker, not {self.kind!r}; drop the names or the kind")
        self._check_folds()
        self._check_takes()

    def _check_folds(self) -> None:
        if self.kind != "folds":
            if self.n_folds:
                raise ConfigError(f"split.n_folds needs split.kind=folds, not {self.kind!r}; drop the one or change the other")
            return
        _between("split.n_folds", self.n_folds, 2 if self.validation == "takes" else 3, 10_000)
        _between("split.fold", self.fold, 0, self.n_folds - 1)

    def _check_takes(self) -> None:
        if self.validation == "takes" and self.kind in ("becker", "random"):
            raise ConfigError(
                f"split.validation=takes needs split.kind=speaker, loso or folds: {self.kind!r} says who validates; drop it"
            )
        if self.validation == "takes" and self.val_speakers:
            raise ConfigError("split.val_speakers are held out, and split.validation=takes holds none out; drop one of them")


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentSettings:
    """What is drawn anew for every clip of a batch in the `+aug` variants; docs/experiments.md has what each is worth."""

    freq_masks: int = 1
    freq_width: int = 5  # mel bins of 64; a mask is 0 to this wide
    time_masks: int = 1
    time_width: int = 5  # frames of 64
    tract: float = 0.15  # vocal tract length: all frequencies times exp of up to this, either way
    tract_bend: float = 1.5  # mel bins of 64 by which that factor may vary along the axis
    tempo: float = 0.2  # duration times exp of up to this, either way
    tempo_bend: float = 2.0  # frames of 64 by which that factor may vary along the clip
    shift: float = 4.0  # frames of 64, either way
    noise_db: float = 34.0  # loudest noise floor, below the clip's loudest cell

    def __post_init__(self) -> None:
        _between("augment.freq_masks", self.freq_masks, 0, 8)
        _between("augment.freq_width", self.freq_width, 0, 64)
        _between("augment.time_masks", self.time_masks, 0, 8)
        _between("augment.time_width", self.time_width, 0, 64)
        _between("augment.tract", self.tract, 0, 1)
        _between("augment.tract_bend", self.tract_bend, 0, 16)
        _between("augment.tempo", self.tempo, 0, 1)
        _between("augment.tempo_bend", self.tempo_bend, 0, 16)
        _between("augment.shift", self.shift, 0, 32)
        _between("augment.noise_db", self.noise_db, 0, 120)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSettings:
    """Which net, and how large."""

    name: str = "lenet5"  # one of MODELS, or path/to/file.py:ClassName
    depth: int = 2  # what it counts, and from where to where it goes, is each net's own: cnn/nets.py
    width: float = 1.0  # multiplies the channels of the net
    activation: str = "relu"
    dropout: float = 0.2  # before the last layer
    source: str = ""  # digest of a plug-in's file; empty for our own nets

    def __post_init__(self) -> None:
        if self.is_plugin:
            _between("model.depth of a plug-in", self.depth, *PLUGIN_DEPTHS)
            _between("model.width of a plug-in", self.width, *PLUGIN_WIDTHS)
        else:
            _check_name(self.name)
            net = NETS[self.name]
            _between(f"model.depth of {self.name} ({net.counts})", self.depth, *net.depths)
            _between("model.width", self.width, *WIDTHS)
        assert bool(self.source) == self.is_plugin, "model_defaults reads a plug-in's digest"
        _one_of("model.activation", self.activation, ACTIVATIONS)
        _between("model.dropout", self.dropout, 0, 0.9)

    @property
    def is_plugin(self) -> bool:
        return is_plugin(self.name)

    @property
    def label(self) -> str:
        """The name for people: of a plug-in its class."""
        return label_of(self.name)


def _check_name(name: str) -> None:
    if name not in MODELS:
        close = difflib.get_close_matches(name, MODELS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigError(f"model.name is one of {', '.join(MODELS)} or path/to/file.py:ClassName, not {name!r}{hint}")


def model_defaults(name: str, source: str = "") -> ModelSettings:
    """The net `name` with its default settings; of a plug-in the file is read, unless the digest of it is known.

    Raises:
        ConfigError: no such net.
        ModelError: a plug-in whose file or class is not there.
    """
    if is_plugin(name):
        return ModelSettings(name=name, source=source or digest_of_file(name))
    _check_name(name)
    net = NETS[name]
    return ModelSettings(name=name, depth=net.depth, width=net.width, activation=net.activation)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainSettings:
    """How the net is fitted."""

    learning_rate: float = 2e-3
    batch_size: int = 64
    epochs: int = 20
    optimizer: str = "adamw"
    schedule: str = "cosine"
    warmup: float = 0.1  # fraction of all steps in which the learning rate rises
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    side_views: int = 2  # when it is scored, a clip is also looked at so often a little earlier, and as often later
    patience: int = 0  # epochs without a better validation macro-F1 before training stops; 0 never stops early
    seed: int = 0  # weights, order of the clips, dropout, augmentation

    def __post_init__(self) -> None:
        _between("train.learning_rate", self.learning_rate, 1e-7, 10)
        _between("train.batch_size", self.batch_size, 2, 65_536)
        _between("train.epochs", self.epochs, 1, 10_000)
        _one_of("train.optimizer", self.optimizer, OPTIMIZERS)
        _one_of("train.schedule", self.schedule, SCHEDULES)
        _between("train.warmup", self.warmup, 0, 0.9)
        _between("train.weight_decay", self.weight_decay, 0, 10)
        _between("train.label_smoothing", self.label_smoothing, 0, 0.9)
        _between("train.side_views", self.side_views, 0, 7)
        _between("train.patience", self.patience, 0, 10_000)
        _between("train.seed", self.seed, 0, 2**31 - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """The whole of one training. Equal values give the same digest, hence the same run folder."""

    corpus: str  # digest of the recordings, as the tiles' settings.json has it
    variant: str = "raw"
    tiles: TileSettings = field(default_factory=TileSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    train: TrainSettings = field(default_factory=TrainSettings)

    def __post_init__(self) -> None:
        _one_of("variant", self.variant, VARIANTS)
        if self.train.patience and self.split.validation == "takes":
            raise ConfigError("train.patience needs split.validation=speakers: voices heard in training tell no time to stop")

    @property
    def filter(self) -> str:
        """Which tiles it reads: `raw` or `bilateral`."""
        return self.variant.removesuffix("+aug")

    @property
    def augmented(self) -> bool:
        return self.variant.endswith("+aug")

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that name the run folder; augmentation counts only where the variant uses it.

        The format of the tiles counts: the same settings name other pictures where the front end has changed.
        A plug-in counts by its class and the content of its file, wherever that lies.
        """
        content = to_dict(self)
        content["tiles"]["format"] = TILES_FORMAT
        content["model"]["name"] = self.model.label
        if not self.augmented:
            del content["augment"]
        return digest_of(content)


def digest_of(content: object) -> str:
    """16 hexadecimal digits of the SHA-256 of `content` as canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def default_config(corpus: str, tiles: TileSettings, model: str, variant: str) -> RunConfig:
    """The configuration of `model` on `variant` that needs no choices.

    Raises:
        ConfigError: an unknown model or variant.
    """
    return RunConfig(corpus=corpus, tiles=tiles, variant=variant, model=model_defaults(model))


def to_dict(config: Any) -> dict[str, Any]:
    """The configuration as JSON holds it; tuples become lists."""
    content: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return content
