"""Settings of the augmentation."""

from __future__ import annotations

from dataclasses import dataclass

from cnn.errors import ConfigError
from cnn.settings.data import DataKind
from cnn.settings.fields import check_fields, number


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
    blur: int = number(
        0, 0, 16, "mel bins of 64, either side: half of the clips are smoothed over them, more or less", later=True
    )
    equaliser: float = number(
        0.0, 0, 40, "dB: half of the clips sound as by another microphone, whose tilt is up to this, either way", later=True
    )
    flip: float = number(0.0, 0, 1, "pictures: how often one is mirrored, left to right", later=True)
    rotate: float = number(0.0, 0, 180, "pictures: degrees, either way", later=True)
    erase: int = number(0, 0, 64, "pictures: cells of 64; the side of a square that is blanked is 0 to this", later=True)

    def __post_init__(self) -> None:
        check_fields(self, "augment")


SOUND_KEYS = (
    *("freq_masks", "freq_width", "time_masks", "time_width", "tract", "tract_bend", "tempo", "tempo_bend", "noise_db"),
    *("blur", "equaliser"),
)
PICTURE_KEYS = ("flip", "rotate", "erase")
# Of pictures a shift alone: +0.005 in accuracy on 4,000 of Fashion-MNIST (2 seeds, 2026-11). A blank square added nothing to
# it, a mirror or a turn brought less, and no digit is mirrored (docs/explanation/experiments.md).
AUGMENT_DEFAULTS = {
    DataKind.SOUND: AugmentSettings(blur=3, equaliser=12.0),
    DataKind.PICTURES: AugmentSettings(**dict.fromkeys(SOUND_KEYS, 0), shift=4.0),
}


def check_kind(settings: AugmentSettings, kind: DataKind) -> None:
    """Refuse what is no augmentation for data of this kind: the warps of speech cost pictures of shirts 4.6 points.

    Raises:
        ConfigError: names the key.
    """
    for name in PICTURE_KEYS if kind is DataKind.SOUND else SOUND_KEYS:
        if value := getattr(settings, name):
            rule = f"augment.{name}={value:g} is for {'pictures' if kind is DataKind.SOUND else 'recordings'}"
            raise ConfigError(f"{rule}, and these tiles are of {kind}; leave it out")
