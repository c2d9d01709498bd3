"""One training as one value: frozen dataclasses whose fields say their default, range and meaning.

Every field is a key of the one override syntax, `train.learning_rate=0.01`; the digest of the
whole names the run folder. Standard library only, so that a sweep file can be checked without starting torch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.base.errors import UsageError
from arena.base.suggest import did_you_mean
from cnn.errors import ConfigError
from cnn.fields import check_fields, check_range, choice, custom, drop_later_defaults, number
from cnn.nets import NETS, PLUGIN_DEPTHS, PLUGIN_WIDTHS, SEES, WIDTHS
from cnn.plugin import compute_source_digest, is_plugin, list_own_nets, shorten_name

FILTERS = ("raw", "bilateral")
VARIANTS = (*FILTERS, *(f"{name}+aug" for name in FILTERS))
MODELS = tuple(NETS)
LABELS = tuple(str(digit) for digit in range(10))
AUDIO_SUFFIXES = (  # files of the first line are read by libsndfile, the others by ffmpeg, unless their bytes are of the first
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".aif", ".aiff", ".aifc", ".au", ".snd", ".w64", ".rf64"),
    *(".m4a", ".m4b", ".m4r", ".mp4", ".mov", ".qta", ".aac", ".caf", ".3gp", ".3gpp", ".amr", ".wma"),
    *(".webm", ".weba", ".mka", ".wv", ".ape", ".spx", ".gsm"),
)
TILE_SIZES = (32, 64)
TILES_FORMAT = 4  # any change of the tiles' folder or bytes is a new number; a new setting, declared `later`, is none
SPLIT_KINDS = ("speaker", "becker", "loso", "folds", "random")
FOLDED_KINDS = ("becker", "loso", "folds")  # whose parts `split.fold` chooses
VALIDATIONS = ("speakers", "takes")
ACTIVATIONS = ("relu", "tanh", "leaky_relu", "relu6", "silu")
OPTIMIZERS = ("adamw", "adam", "sgd")
SCHEDULES = ("cosine", "constant", "linear")
BALANCES = ("none", "weights", "draws")
# Imbalance harms, the more the larger the ratio (Buda, Maki and Mazurowski, arXiv 1710.05381). On FSDD a digit with half the
# clips of another gained nothing from `train.balance`, one with a fifth much: docs/explanation/experiments.md.
UNBALANCED, SKEWED = 2.0, 5.0


def read_format(content: Mapping[str, Any]) -> int:
    """Return the format of the tiles of a run's config.json or a study's base; the oldest of them do not say it."""
    return int((content.get("tiles") or {}).get("format", 3))


def describe_format(version: object) -> str:
    """Return the difference of tiles of another format from those that this version makes, to be put into a sentence."""
    is_older = isinstance(version, int) and version < TILES_FORMAT
    return f"format {version}, not {TILES_FORMAT}" + ", which takes a constant offset out of the sound" * is_older


def check_variants(names: Sequence[str]) -> None:
    """Refuse values of `--variant` that are no variants.

    Raises:
        UsageError: as a value outside a fixed list, with what was likely meant.
    """
    for name in names:
        if name not in VARIANTS:
            raise UsageError(f"variant is one of {', '.join(VARIANTS)}, not {name!r}{did_you_mean(name, VARIANTS, '')}")


@dataclass(frozen=True, kw_only=True, slots=True)
class TileSettings:
    """Front-end settings: a recording becomes a picture of size x size mel bins and frames."""

    size: int = choice(64, TILE_SIZES, "mel bins, and frames, of the picture")
    rate_hz: int = number(8000, 4000, 192_000, "samples a second; recordings are resampled to it (FSDD has 8000)")
    length_s: float = number(0.8, 0.1, 10, "seconds around the sound (97 % of FSDD's clips fit whole)")
    window_s: float = number(0.032, 0.005, 0.2, "seconds of one spectrum; at most length_s")
    f_min_hz: float = number(60.0, 0, 96_000, "lower end of the lowest band; below f_max_hz")
    f_max_hz: float = number(3800.0, 1, 96_000, "upper end of the highest band; at most half of rate_hz")
    range_db: float = number(40.0, 10, 120, "what lies further below the clip's loudest cell is black")
    bilateral_diameter: int = number(5, 1, 25, "cells that the bilateral filter looks at")
    bilateral_sigma_color: float = number(40.0, 0.1, 255, "grey levels of 255 that count as near")
    bilateral_sigma_space: float = number(2.0, 0.1, 64, "cells that count as near")

    def __post_init__(self) -> None:
        check_fields(self, "tiles")
        if self.length_s < 0.2:
            check_range("tiles.window_s", self.window_s, 0.005, self.length_s, "tiles.length_s")
        check_range("tiles.f_max_hz", self.f_max_hz, 1, self.rate_hz / 2, "half of tiles.rate_hz")
        check_range("tiles.f_min_hz", self.f_min_hz, 0, self.f_max_hz - 1, "1 below tiles.f_max_hz")


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitSettings:
    """The split into training, validation and test; by speaker unless another kind is set."""

    kind: str = choice("speaker", SPLIT_KINDS, "by named or drawn speakers, AudioMNIST's folds, leave one out, groups, clips")
    fold: int = number(0, 0, 10_000, "becker: 0 to 4; loso: which speaker, in sorted order; folds: which group, from 0")
    n_folds: int = custom(0, "3 to 10,000 with folds", "folds: into how many groups the speakers are dealt; else 0")
    seed: int = number(0, 0, 2**31 - 1, "which speakers, where neither fold nor names say so; which takes")
    validation: str = choice("speakers", VALIDATIONS, "who are not trained on, or a tenth of the training speakers' clips")
    test_speakers: tuple[str, ...] = custom((), "names with commas", "who are tested; needs kind=speaker")
    val_speakers: tuple[str, ...] = custom((), "names with commas", "who validate; needs kind=speaker")

    def __post_init__(self) -> None:
        check_fields(self, "split")
        if self.kind == "becker":
            check_range("split.fold", self.fold, 0, 4)
        if (self.test_speakers or self.val_speakers) and self.kind != "speaker":
            raise ConfigError(f"named speakers need split.kind=speaker, not {self.kind!r}; drop the names or the kind")
        self._check_folds()
        self._check_takes()

    def _check_folds(self) -> None:
        if self.kind != "folds":
            if self.n_folds:
                raise ConfigError(f"split.n_folds needs split.kind=folds, not {self.kind!r}; drop the one or change the other")
            return
        check_range("split.n_folds", self.n_folds, 2 if self.validation == "takes" else 3, 10_000)
        check_range("split.fold", self.fold, 0, self.n_folds - 1)

    def _check_takes(self) -> None:
        if self.validation == "takes" and self.kind in ("becker", "random"):
            raise ConfigError(
                f"split.validation=takes needs split.kind=speaker, loso or folds: {self.kind!r} says who validates; drop it"
            )
        if self.validation == "takes" and self.val_speakers:
            raise ConfigError("split.val_speakers are held out, and split.validation=takes holds none out; drop one of them")


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentSettings:
    """Augmentation of the `+aug` variants, drawn anew for every clip of a batch; see docs/explanation/experiments.md."""

    freq_masks: int = number(1, 0, 8, "masks over mel bins")
    freq_width: int = number(5, 0, 64, "mel bins of 64; a mask is 0 to this wide")
    time_masks: int = number(1, 0, 8, "masks over frames")
    time_width: int = number(5, 0, 64, "frames of 64; a mask is 0 to this wide")
    tract: float = number(0.15, 0, 1, "vocal tract length: all frequencies times exp of up to this, either way")
    tract_bend: float = number(1.5, 0, 16, "mel bins of 64 by which that factor may vary along the axis")
    tempo: float = number(0.2, 0, 1, "duration times exp of up to this, either way")
    tempo_bend: float = number(2.0, 0, 16, "frames of 64 by which that factor may vary along the clip")
    shift: float = number(4.0, 0, 32, "frames of 64, either way")
    noise_db: float = number(34.0, 0, 120, "loudest noise floor, below the clip's loudest cell")

    def __post_init__(self) -> None:
        check_fields(self, "augment")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSettings:
    """The net and its size."""

    name: str = custom("lenet5", "a net of `arena models`", "which net, or path/to/file.py:ClassName")
    depth: int = custom(2, "each net's own", "what it counts is each net's own: `arena models`")
    width: float = custom(1.0, "{:g} to {:g}".format(*WIDTHS), "multiplies the maps of the net")
    sees: str = choice("picture", SEES, "the picture alone, or with its differences along time and along frequency")
    activation: str = choice("relu", ACTIVATIONS, "after each convolution or linear layer")
    dropout: float = number(0.2, 0, 0.9, "of the inputs of the last layer")
    source: str = custom("", "a digest", "of a plug-in's file; empty for our own nets")

    def __post_init__(self) -> None:
        check_fields(self, "model")
        if self.is_plugin:
            check_range("model.depth of a net of your own", self.depth, *PLUGIN_DEPTHS)
            check_range("model.width of a net of your own", self.width, *PLUGIN_WIDTHS)
        else:
            _check_name(self.name)
            net = NETS[self.name]
            check_range(f"model.depth of {self.name} ({net.counts})", self.depth, *net.depths)
            check_range("model.width", self.width, *WIDTHS)
        if self.sees != "picture" and (self.is_plugin or not NETS[self.name].has_first_stage):
            raise ConfigError(f"model.sees={self.sees} needs a net with a first stage of ours, not {self.label}; drop it")
        assert bool(self.source) == self.is_plugin, "model_defaults reads a plug-in's digest"

    @property
    def is_plugin(self) -> bool:
        return is_plugin(self.name)

    @property
    def label(self) -> str:
        """The name for people; a plug-in has that of its class."""
        return shorten_name(self.name)


def _check_name(name: str) -> None:
    if name not in MODELS:
        texts = {net.lower(): text for net, text in list_own_nets().items()} | {net: repr(net) for net in MODELS}
        hint = did_you_mean(name.lower(), texts, "")
        raise ConfigError(f"model.name is one of {', '.join(MODELS)} or path/to/file.py:ClassName, not {name!r}{hint}")


def model_defaults(name: str, source: str = "") -> ModelSettings:
    """Return the default settings of the net `name`; a plug-in's file is read, unless its digest is given as `source`.

    Raises:
        ConfigError: no such net.
        ModelError: a plug-in whose file or class is not there.
    """
    if is_plugin(name):
        return ModelSettings(name=name, source=source or compute_source_digest(name))
    _check_name(name)
    net = NETS[name]
    return ModelSettings(name=name, depth=net.depth, width=net.width, sees=net.sees, activation=net.activation)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainSettings:
    """Optimisation of the net."""

    learning_rate: float = number(2e-3, 1e-7, 10, "the highest, after the warm-up")
    batch_size: int = number(64, 2, 65_536, "clips a step, or a few less so that all steps have as many")
    epochs: int = number(20, 1, 10_000, "times that every training clip is seen")
    optimizer: str = choice("adamw", OPTIMIZERS, "sgd has Nesterov's momentum of 0.9")
    schedule: str = choice("cosine", SCHEDULES, "how the learning rate falls")
    warmup: float = number(0.1, 0, 0.9, "fraction of all steps in which the learning rate rises")
    weight_decay: float = number(0.02, 0, 10, "of filters and matrices; biases and normalisation are not decayed")
    label_smoothing: float = number(0.05, 0, 0.9, "part of each label that is spread over all classes")
    side_views: int = number(2, 0, 7, "a clip is also scored so often a little earlier, and as often later")
    patience: int = number(0, 0, 10_000, "epochs without a better validation macro-F1 until training stops; 0: never")
    seed: int = number(0, 0, 2**31 - 1, "weights, order of the clips, dropout, augmentation")
    balance: str = choice("none", BALANCES, "rare digits weigh more in the loss, or each is drawn equally often", later=True)

    def __post_init__(self) -> None:
        check_fields(self, "train")


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """The whole of one training. Equal values give the same digest, hence the same run folder."""

    corpus: str  # digest of the recordings, as the tiles' settings.json has it
    variant: str = choice("raw", VARIANTS, "tiles as they are or bilateral-filtered, with augmentation or without")
    tiles: TileSettings = field(default_factory=TileSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    train: TrainSettings = field(default_factory=TrainSettings)

    def __post_init__(self) -> None:
        check_fields(self, "")
        if self.train.patience and self.split.validation == "takes":
            raise ConfigError("train.patience needs split.validation=speakers: voices heard in training tell no time to stop")

    @property
    def filter(self) -> str:
        """The filter of the tiles: `raw` or `bilateral`."""
        return self.variant.removesuffix("+aug")

    @property
    def augmented(self) -> bool:
        return self.variant.endswith("+aug")

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that name the run folder; augmentation counts only where the variant uses it.

        The format of the tiles counts: the same settings name other pictures where the front end has changed.
        A plug-in counts by its class and the content of its file, wherever that lies. A field declared `later` counts
        only where it differs from its default, so that a new one renames no run.
        """
        content = drop_later_defaults(self)
        content["tiles"]["format"] = TILES_FORMAT
        content["model"]["name"] = self.model.label
        if not self.augmented:
            del content["augment"]
        return compute_digest(content)


def compute_digest(content: object) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of `content` as canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def default_config(corpus: str, tiles: TileSettings, model: str, variant: str) -> RunConfig:
    """Return the default configuration of `model` on `variant`.

    Raises:
        ConfigError: an unknown model or variant.
    """
    return RunConfig(corpus=corpus, tiles=tiles, variant=variant, model=model_defaults(model))


def config_to_dict(config: Any) -> dict[str, Any]:
    """Return the configuration as JSON holds it; tuples become lists."""
    content: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return content


def config_to_json(config: RunConfig) -> dict[str, Any]:
    """Return the content of config.json: the configuration, and the format of the tiles that the run was trained on."""
    content = config_to_dict(config)
    content["tiles"]["format"] = TILES_FORMAT
    return content
