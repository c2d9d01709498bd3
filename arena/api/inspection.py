"""Views of what a trained net looks at, from Python: filters, maps, occlusion and an embedding as arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from arena.api.arguments import Location, choose_folder
from cnn.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Inspection:
    """The content of inspection.json and inspection.npz.

    `arrays` has `pictures` (N, F, T) of the clips looked into, `filters` (C, F, T) of the first convolution, `maps_0`
    (N, C, F, T) and further ones by layer, `occlusion` and `cam_label` (N, F, T), and `places` (E, 2), the embedding by t-SNE.
    """

    facts: dict[str, Any] = field(repr=False)  # clips, layers, and which clips have a place
    arrays: dict[str, npt.NDArray[Any]] = field(repr=False)


def inspect(
    run: Location = "best",
    *,
    tiles: Location | None = None,
    runs: Location | None = None,
    n_clips: int = 4,
    device: str = "auto",
) -> Inspection:
    """Look into a finished run's net, as `arena inspect` does; a look that is stored is read.

    Args:
        run: a Run, or what names one.
        tiles, runs: folders; the project's if none are given.
        n_clips: clips to look into, 2 to 12: mistakes beside clips that were answered right.
        device: auto, cpu, cuda, cuda:1.

    Raises:
        Error: no such run, or its tiles are missing.
    """
    from cnn.files import read_json
    from cnn.inference.inspect import ARRAYS_NAME, JSON_NAME, MOST_CLIPS, inspect_run
    from cnn.inference.predict import find_finished_run

    if not 2 <= n_clips <= MOST_CLIPS:
        raise ConfigError(f"n_clips lies between 2 and {MOST_CLIPS}, not {n_clips}")
    folder = find_finished_run(os.fspath(run), choose_folder("runs", runs))
    inspect_run(folder, choose_folder("tiles", tiles), n_clips, device, lambda *_: None)
    with np.load(folder.path / ARRAYS_NAME) as stored:
        return Inspection(read_json(folder.path / JSON_NAME), dict(stored))
