"""Settings of the front end, from a recording or a picture to a tile."""

from __future__ import annotations

from dataclasses import dataclass

from cnn.errors import ConfigError
from cnn.settings.fields import check_fields, check_range, choice, number

TILE_SIZES = (32, 64)
WIDE_TIMES = 2  # range of the tiles that `augment.equaliser` reads, in ranges of those that are seen
SOUND_KEYS = ("rate_hz", "length_s", "window_s", "f_min_hz", "f_max_hz", "range_db")


@dataclass(frozen=True, kw_only=True, slots=True)
class TileSettings:
    """Front-end settings: a recording becomes a picture of size x size mel bins and frames."""

    size: int = choice(64, TILE_SIZES, "mel bins, and frames, of the picture")
    rate_hz: int = number(8000, 4000, 192_000, "samples a second; recordings are resampled to it (FSDD has 8000)")
    length_s: float = number(0.8, 0.1, 10, "seconds around the sound (97 % of FSDD's clips fit whole)")
    window_s: float = number(0.032, 0.005, 0.2, "seconds of one spectrum; below length_s")
    f_min_hz: float = number(60.0, 0, 96_000, "lower end of the lowest band; below f_max_hz")
    f_max_hz: float = number(3800.0, 1, 96_000, "upper end of the highest band; at most half of rate_hz")
    range_db: float = number(40.0, 10, 120, "what lies further below the clip's loudest cell is black")
    bilateral_diameter: int = number(5, 1, 25, "cells that the bilateral filter looks at")
    bilateral_sigma_color: float = number(40.0, 0.1, 255, "grey levels of 255 that count as near")
    bilateral_sigma_space: float = number(2.0, 0.1, 64, "cells that count as near")

    def __post_init__(self) -> None:
        check_fields(self, "tiles")
        if round(self.window_s * self.rate_hz) >= round(self.length_s * self.rate_hz):
            rule = f"tiles.window_s is below tiles.length_s ({self.length_s:g})"
            raise ConfigError(f"{rule}, not {self.window_s:g}; choose a shorter window or a longer tile")
        check_range("tiles.f_max_hz", self.f_max_hz, 1, self.rate_hz / 2, "half of tiles.rate_hz")
        check_range("tiles.f_min_hz", self.f_min_hz, 0, self.f_max_hz - 1, "1 below tiles.f_max_hz")
