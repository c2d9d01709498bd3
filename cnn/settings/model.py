"""Settings of the net."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from arena.base.suggest import did_you_mean
from cnn.errors import ConfigError
from cnn.nets import NETS, NORMS, PLUGIN_DEPTHS, PLUGIN_WIDTHS, SEES, SPELLED, WIDTHS
from cnn.plugin import compute_source_digest, is_plugin, list_own_nets, shorten_name
from cnn.settings.data import SPOKEN_DIGITS, DataSettings
from cnn.settings.fields import check_fields, check_range, choice, custom, number
from cnn.settings.spelling import ACT, ACTIVATIONS, MOST_PARAMETERS, parse_stack

MODELS = tuple(NETS)
INPUTS = ("same", "noisy", "half")
DEFAULT_LATENT, DEFAULT_NOISE = 16, 0.1
OURS = ("stack", "norm", "hidden", "latent", "input", "noise")  # settings that a net of one's own is refused
MOST_HIDDEN, MOST_HIDDEN_LAYERS = 65_536, 100
_HIDDEN = re.compile(r"[1-9][0-9]{0,4}(,[1-9][0-9]{0,4})*")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSettings:
    """The net and its size."""

    name: str = custom("lenet5", "a net of `arena models`", "which net, or path/to/file.py:ClassName")
    depth: int = custom(2, "each net's own", "what it counts is each net's own: `arena models`")
    width: float = custom(1.0, "{:g} to {:g}".format(*WIDTHS), "multiplies the maps of the net")
    sees: str = choice("picture", SEES, "the picture alone, or with its differences along time and along frequency")
    activation: str = choice("relu", ACTIVATIONS, "after each convolution or linear layer")
    dropout: float = number(0.2, 0, 0.9, "of the inputs of the last layer")
    latent: int = custom(0, "at most 1,024", "autoencoder: numbers that a tile becomes; else 0", later=True)
    input: str = choice("same", INPUTS, "autoencoder: the picture, with noise, or at half its size", later=True)
    noise: float = number(DEFAULT_NOISE, 0.001, 1, "of input=noisy: standard deviation, cells lie in 0..1", later=True)
    source: str = custom("", "a digest", "of a plug-in's file; empty for our own nets")
    stack: str = custom("", "a spelling such as (conv-relu-pool)*2-fc", "the layers of the net `stack`", later=True, text=True)
    norm: str = choice("batch", NORMS, "after each convolution of a spelled net", later=True)
    n_channels: int = custom(1, "1 or 3", "of the tiles; 3 in colour", later=True)
    hidden: str = custom("", "such as 512,32", "widths of the hidden layers; empty: depth says", later=True, text=True)
    side: int = custom(0, "a number", "of the tiles: cells of a picture's own side; 0 of sound", later=True)

    def __post_init__(self) -> None:
        check_fields(self, "model")
        if self.is_plugin:
            check_range("model.depth of a net of your own", self.depth, *PLUGIN_DEPTHS)
            check_range("model.width of a net of your own", self.width, *PLUGIN_WIDTHS)
        else:
            _check_name(self.name)
            net = NETS[self.name]
            if net.spelling and self.depth != net.depth:
                raise ConfigError(
                    f"model.depth of {self.name} is {net.depth}: its spelling has every layer; for others write "
                    f"model.name={SPELLED} and model.stack, beginning with {net.spelling}"
                )
            check_range(f"model.depth of {self.name} ({net.counts})", self.depth, *net.depths)
            check_range("model.width", self.width, *WIDTHS)
        _check_spelling(self)
        if self.hidden:
            _check_hidden(self)
        if self.sees != "picture" and (self.is_plugin or not NETS[self.name].has_first_stage):
            raise ConfigError(f"model.sees={self.sees} needs a net with a first stage of ours, not {self.label}; drop it")
        if self.sees != "picture" and self.n_channels > 1:
            raise ConfigError(
                f"model.sees={self.sees} needs tiles of one channel, and these are in colour; choose model.sees=picture"
            )
        self._check_autoencoder()
        assert bool(self.source) == self.is_plugin, "model_defaults reads a plug-in's digest"

    def _check_autoencoder(self) -> None:
        if self.is_autoencoder:
            check_range("model.latent of the autoencoder", self.latent, 1, 1024)
        elif self.latent or self.input != "same":
            key = f"model.latent={self.latent}" if self.latent else f"model.input={self.input}"
            raise ConfigError(f"{key} needs model.name=autoencoder, not {self.label}; drop it")
        if self.noise != DEFAULT_NOISE and self.input != "noisy":
            raise ConfigError(f"model.noise={self.noise:g} needs model.input=noisy, not {self.input!r}; drop it or set that")

    @property
    def is_plugin(self) -> bool:
        return is_plugin(self.name)

    @property
    def is_autoencoder(self) -> bool:
        """True of a net whose answer is a picture, and whose loss is its distance from the tile."""
        return self.name in NETS and not NETS[self.name].is_classifier

    @property
    def spelling(self) -> str:
        """The layers of a spelled net; empty for any other."""
        return self.stack or (NETS[self.name].spelling if self.name in NETS else "")

    @property
    def hidden_widths(self) -> tuple[int, ...]:
        """The numbers of `hidden`."""
        return tuple(map(int, self.hidden.split(","))) if self.hidden else ()

    @property
    def label(self) -> str:
        """The name for people; a plug-in has that of its class."""
        return shorten_name(self.name)


def _check_spelling(settings: ModelSettings) -> None:
    """Check what only a spelled net has, and that its spelling can be read; `check_stack` counts its cells."""
    if settings.stack and settings.name != SPELLED:
        raise ConfigError(
            f"model.stack spells the net {SPELLED}, not {settings.label}; write model.name={SPELLED}, or leave it out"
        )
    if not settings.spelling:
        if settings.norm != NORMS[0]:
            nets = [name for name, net in NETS.items() if net.spelling]
            raise ConfigError(f"model.norm={settings.norm} is of {', '.join(nets)}, not of {settings.label}; leave it out")
        return
    kinds = {word.kind for word in parse_stack(settings.spelling)}
    if settings.activation != "relu" and ACT not in kinds:
        raise ConfigError(
            f"model.activation={settings.activation} is of the layer {ACT}, and {settings.spelling} has none; "
            f"write {ACT} where it holds, or {settings.activation} itself"
        )


def _check_hidden(settings: ModelSettings) -> None:
    nets = [name for name, net in NETS.items() if net.hidden]
    if settings.name not in nets:
        raise ConfigError(f"model.hidden is of {' and '.join(nets)}, not of {settings.label}; leave it out")
    if not _HIDDEN.fullmatch(settings.hidden) or max(settings.hidden_widths) > MOST_HIDDEN:
        rule = f"model.hidden is numbers from 1 to {MOST_HIDDEN:,} with commas, such as 512,32"
        raise ConfigError(f"{rule}, not {settings.hidden[:60]!r}")
    n_layers, net = len(settings.hidden_widths), NETS[settings.name]
    n_weights = sum(before * after for before, after in pairwise(settings.hidden_widths))
    if n_layers > MOST_HIDDEN_LAYERS or n_weights > MOST_PARAMETERS:
        most = f"at most {MOST_HIDDEN_LAYERS} layers and {MOST_PARAMETERS:,} weights between them"
        raise ConfigError(f"model.hidden has {most}, not {n_layers:,} and {n_weights:,}; write fewer or narrower ones")
    if settings.depth not in (net.depth, n_layers):
        raise ConfigError(
            f"model.hidden={settings.hidden} is {n_layers} layers, and model.depth says {settings.depth}; leave the depth out"
        )
    if settings.width != net.width:
        raise ConfigError(f"model.hidden={settings.hidden} says all widths, and model.width scales them; leave one out")


def _check_name(name: str) -> None:
    if name not in MODELS:
        texts = {net.lower(): text for net, text in list_own_nets().items()} | {net: repr(net) for net in MODELS}
        hint = did_you_mean(name.lower(), texts, "")
        raise ConfigError(f"model.name is one of {', '.join(MODELS)} or path/to/file.py:ClassName, not {name!r}{hint}")


def model_defaults(name: str, source: str = "", data: DataSettings = SPOKEN_DIGITS) -> ModelSettings:
    """Return the default settings of the net `name`; a plug-in's file is read, unless its digest is given as `source`.

    A net that sees differences by default sees colour as it is.

    Raises:
        ConfigError: no such net.
        ModelError: a plug-in whose file or class is not there.
    """
    if is_plugin(name):
        settings = ModelSettings(name=name, source=source or compute_source_digest(name))
    else:
        _check_name(name)
        net = NETS[name]
        sees = net.sees if data.channels == 1 else "picture"
        settings = ModelSettings(
            name=name,
            depth=net.depth,
            width=net.width,
            sees=sees,
            activation=net.activation,
            dropout=net.dropout,
            stack=net.spelling if name == SPELLED else "",
            norm=net.norm,
            latent=0 if net.is_classifier else DEFAULT_LATENT,
        )
    return replace(settings, n_channels=data.channels, side=data.side)
