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
from cnn.settings.augment import AUGMENT_DEFAULTS, AugmentSettings, check_kind
from cnn.settings.data import SPOKEN_DIGITS, DataSettings
from cnn.settings.fields import check_fields, choice, custom, drop_later_defaults, later_defaults
from cnn.settings.model import ModelSettings, model_defaults
from cnn.settings.scratch import check_scratch
from cnn.settings.split import SplitSettings
from cnn.settings.stack import check_stack
from cnn.settings.tiles import TileSettings
from cnn.settings.train import TrainSettings, train_defaults
from cnn.start import check_start

FILTERS = ("raw", "bilateral")
VARIANTS = (*FILTERS, *(f"{name}+aug" for name in FILTERS))  # the eight trainings are two nets on each
DENOISED = "denoised"  # tiles that `arena data denoise` makes; no training is on them unless it is asked for
WIDE = "-wide"  # ends the names of tiles of twice the range, which `augment.equaliser` reads; those seen are cut from them
EVERY_VARIANT = (*VARIANTS, DENOISED, f"{DENOISED}+aug")
AUDIO_SUFFIXES = (  # files of the first line are read by libsndfile, the others by ffmpeg, unless their bytes are of the first
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".aif", ".aiff", ".aifc", ".au", ".snd", ".w64", ".rf64"),
    *(".m4a", ".m4b", ".m4r", ".mp4", ".mov", ".qta", ".aac", ".caf", ".3gp", ".3gpp", ".amr", ".wma"),
    *(".webm", ".weba", ".mka", ".wv", ".ape", ".spx", ".gsm"),
)
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
TILES_FORMAT = 4  # any change of the tiles' folder or bytes is a new number; a new setting, declared `later`, is none
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
        if name not in EVERY_VARIANT:
            hint = did_you_mean(name, EVERY_VARIANT, "")
            raise UsageError(f"variant is one of {', '.join(EVERY_VARIANT)}, not {name!r}{hint}")


@dataclass(frozen=True, kw_only=True, slots=True)
class TilesInfo:
    """The part of a configuration that a set of tiles gives."""

    corpus: str = ""  # digest of the recordings or pictures
    settings: TileSettings = field(default_factory=TileSettings)
    data: DataSettings = SPOKEN_DIGITS
    denoiser: str = ""  # digest of the autoencoder that denoised them


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """The whole of one training. Equal values give the same digest, hence the same run folder."""

    corpus: str  # digest of the recordings, as the tiles' settings.json has it
    variant: str = choice("raw", EVERY_VARIANT, "tiles as they are, filtered or denoised; with augmentation or without")
    denoiser: str = custom("", "a digest", "of the autoencoder that denoised the tiles; read from them", later=True)
    data: DataSettings = SPOKEN_DIGITS
    tiles: TileSettings = field(default_factory=TileSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    train: TrainSettings = field(default_factory=TrainSettings)

    def __post_init__(self) -> None:
        check_fields(self, "")
        check_scratch(self.model, self.train)
        if self.model.spelling:
            check_stack(self.model, self.tiles.size, self.data.n_classes)
        if self.corpus:  # else settings of a project, before its tiles are known
            check_kind(self.augment, self.data.kind)
        if self.filter == DENOISED and self.corpus and not self.denoiser:
            raise ConfigError(f"variant {self.variant} needs tiles that are denoised: make them with `arena data denoise RUN`")
        if self.filter == DENOISED and self.augmented and self.augment.equaliser and self.corpus:
            raise ConfigError("augment.equaliser reads tiles of twice the range, which no net denoises; leave it out")
        if self.model.is_autoencoder:
            self._check_autoencoder()
        if self.train.patience and self.split.validation == "takes" and self.data.is_sound:
            raise ConfigError("train.patience needs split.validation=speakers: voices heard in training tell no time to stop")

    def _check_autoencoder(self) -> None:
        if self.augmented or self.filter == DENOISED:
            raise ConfigError(f"an autoencoder's target is the tile itself, so variant is raw or bilateral, not {self.variant}")
        if self.train.balance != "none":
            raise ConfigError(f"an autoencoder sees no labels, so train.balance={self.train.balance} is none of its; drop it")
        if self.train.looks_every:
            raise ConfigError("an autoencoder is scored after each epoch, not between updates; leave train.looks_every out")
        if self.train.loss != TrainSettings().loss:
            raise ConfigError(f"an autoencoder's loss is the mean squared error, not train.loss={self.train.loss}; drop it")

    @property
    def tiles_info(self) -> TilesInfo:
        return TilesInfo(corpus=self.corpus, settings=self.tiles, data=self.data, denoiser=self.denoiser)

    @property
    def filter(self) -> str:
        """The filter of the tiles: `raw`, `bilateral` or `denoised`."""
        return self.variant.removesuffix("+aug")

    @property
    def augmented(self) -> bool:
        return self.variant.endswith("+aug")

    @property
    def training_pictures(self) -> str:
        """The name of the tiles that a training learns from; those of `filter` are scored."""
        return self.filter + WIDE * bool(self.augmented and self.augment.equaliser)

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that name the run folder; augmentation counts only where the variant uses it.

        The format of the tiles counts: the same settings name other pictures where the front end has changed.
        A plug-in counts by its class and the content of its file, a start by its content and its labels, wherever they lie.
        A field declared `later` counts only where it differs from its default, so that a new one renames no run.
        """
        content = drop_later_defaults(self)
        del content["data"]  # the corpus's
        content["tiles"]["format"] = TILES_FORMAT
        content["model"]["name"] = self.model.label
        check_start(self.train)
        content["train"].pop("start", "")
        if not self.augmented:
            del content["augment"]
        if self.filter != DENOISED:
            content.pop("denoiser", None)
        return compute_digest(content)


def compute_digest(content: object) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of `content` as canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def default_config(tiles: TilesInfo, model: str, variant: str, source: str = "") -> RunConfig:
    """Return the default configuration of `model` on `variant` of these tiles; `source` as `model_defaults` takes it.

    Raises:
        ConfigError: an unknown model or variant.
    """
    augment = AUGMENT_DEFAULTS[tiles.data.kind]
    if variant.startswith(DENOISED):
        augment = dataclasses.replace(augment, equaliser=0.0)
    return RunConfig(
        corpus=tiles.corpus,
        variant=variant,
        data=tiles.data,
        denoiser=tiles.denoiser,
        tiles=tiles.settings,
        split=SplitSettings(kind=tiles.data.split),
        augment=augment,
        model=model_defaults(model, source, tiles.data),
        train=train_defaults(model, tiles.data),
    )


def reset_config(config: RunConfig) -> RunConfig:
    """Return the default configuration of the same net on the same variant of the same tiles."""
    return default_config(config.tiles_info, config.model.name, config.variant, config.model.source)


def config_to_dict(config: Any) -> dict[str, Any]:
    """Return the configuration as JSON holds it; tuples become lists."""
    content: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    if isinstance(config, RunConfig):
        content["data"] = config.data.to_json()
        if config.filter != DENOISED:
            del content["denoiser"]
    return content


def config_to_json(config: RunConfig) -> dict[str, Any]:
    """Return the content of config.json: the configuration, and the format of the tiles that the run was trained on."""
    content = config_to_dict(config)
    content["tiles"]["format"] = TILES_FORMAT
    return content


def fill_config(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a config.json with the settings that came later than it, so that files of any age compare."""
    filled = {"data": SPOKEN_DIGITS.to_json(), **content}
    sections = {"split": SplitSettings, "augment": AugmentSettings, "model": ModelSettings, "train": TrainSettings}
    for name, section in sections.items():
        if isinstance(content.get(name), Mapping):
            filled[name] = later_defaults(section) | content[name]
    return filled
