"""Answers to strings: every file is cut into digits, a net answers each, and the labels are read from left to right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from cnn.config import RunConfig
from cnn.corpus.recordings import RecordingFile, find_recordings, read_recording
from cnn.errors import CorpusError
from cnn.files import write_csv
from cnn.inference.predict import load_net, make_picture
from cnn.overrides import config_from_dict
from cnn.runs.folder import RunFolder
from cnn.strings.cut import Strip, cut_sound, cut_strip
from cnn.strings.draw import SOLUTION_HEADER
from cnn.tiles.front_end import smooth_tiles
from cnn.tiles.inputs import Inputs, to_channels
from cnn.tiles.tta import log_probabilities
from cnn.train.device import limit_threads, resolve_device

_AT_ONCE = 64  # files
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


@dataclass(frozen=True, kw_only=True, slots=True)
class StringAnswer:
    """The answer to one file."""

    id: str  # its name without suffix
    string: str  # empty where nothing was found in it
    probability: float  # the least certain digit's; 1 for an empty string
    problem: str = ""  # why it could not be read: the rest of a sentence that begins with its name


def find_strings(run: RunFolder, folder: Path) -> list[Path]:
    """Find the files of `folder` that the run's net takes, recordings or pictures, by name.

    Raises:
        CorpusError: there is none, or the net takes pictures in colour.
    """
    data = config_from_dict(run.config()).data
    if data.channels != 1:
        raise CorpusError(f"{run.path} takes pictures in colour, and strings are cut from grey ones; choose another run")
    if data.is_sound:
        return [file.path for file in find_recordings(folder)]
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in _PICTURES) if folder.is_dir() else []
    if not paths:
        raise CorpusError(f"{folder} has no picture ({', '.join(_PICTURES)}); give the folder of the strips")
    return paths


def answer_strings(run: RunFolder, files: Sequence[Path], device: str, progress: Callable[[int], None]) -> list[StringAnswer]:
    """Return the answers to files that `find_strings` found, in their order.

    Raises:
        ConfigError, ModelError, RunError: as `load_net`.
    """
    target = resolve_device(device)
    with limit_threads(target):
        config, net = load_net(run, target)
        answers: list[StringAnswer] = []
        for start in range(0, len(files), _AT_ONCE):
            batch = files[start : start + _AT_ONCE]
            cuts = [_cut_file(path, config) for path in batch]
            tiles = [tile for cut in cuts if not isinstance(cut, str) for tile in cut]
            rest: Iterator[torch.Tensor] = iter(())
            if tiles:
                pictures = to_channels(torch.from_numpy(np.stack(tiles)).to(target))
                rest = iter(log_probabilities(net, pictures, Inputs([config])).cpu())
            answers += [_join(path, cut, rest, config.data.labels) for path, cut in zip(batch, cuts, strict=True)]
            progress(len(batch))
    return answers


def write_strings(path: Path, answers: Sequence[StringAnswer]) -> None:
    """Write a CSV that a contest of strings takes."""
    write_csv(path, SOLUTION_HEADER, ([answer.id, answer.string] for answer in answers))


def _cut_file(path: Path, config: RunConfig) -> list[Strip] | str:
    """Return the tiles of a file's digits, or why there are none."""
    try:
        if config.data.is_sound:
            wave, rate_hz = read_recording(RecordingFile(name=path.stem, label=str(path), path=path))
            return [make_picture(piece, rate_hz, config) for piece in cut_sound(wave, rate_hz)]
    except CorpusError as error:
        return str(error)
    strip = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE) if path.stat().st_size else None
    if strip is None:
        return "is no picture that can be read"
    tiles = cut_strip(strip.astype(np.uint8), config.data.side or config.tiles.size, config.tiles.size)
    return list(smooth_tiles(np.stack(tiles), config.tiles)) if tiles and config.filter == "bilateral" else tiles


def _join(path: Path, cut: list[Strip] | str, rows: Iterator[torch.Tensor], labels: Sequence[str]) -> StringAnswer:
    if isinstance(cut, str):
        return StringAnswer(id=path.stem, string="", probability=1.0, problem=cut)
    digits = [next(rows) for _ in cut]
    return StringAnswer(
        id=path.stem,
        string="".join(labels[int(row.argmax())] for row in digits),
        probability=min((float(row.max().exp()) for row in digits), default=1.0),
    )
