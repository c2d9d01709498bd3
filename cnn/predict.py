"""What a trained net says of clips: of its own held-out splits, or of recordings it never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cnn.audio import read_clip
from cnn.batches import normalised
from cnn.bilateral import bilateral
from cnn.config import LABELS, RunConfig
from cnn.device import one_thread, resolve
from cnn.errors import CorpusError, RunError
from cnn.models.table import build, placed
from cnn.overrides import from_dict
from cnn.runs import RunFolder, RunState, list_runs, write_csv
from cnn.spectrogram import tile_of

_AT_ONCE = 256
_SUFFIXES = (".wav", ".flac")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One line of a submission."""

    id: str
    label: str
    probabilities: tuple[float, ...]  # (K,)


def find_run(name: str, runs_dir: Path) -> RunFolder:
    """The finished run of that path, digest, or unmistakable beginning of one.

    Raises:
        RunError: none, several, or not finished.
    """
    path = Path(name)
    found = [RunFolder(path)] if (path / "config.json").exists() else []
    found = found or [run for run in list_runs(runs_dir) if run.digest.startswith(path.name)]
    if len(found) != 1:
        many = f"{len(found)} runs begin so" if found else "there is none"
        raise RunError(f"no single run {name!r} in {runs_dir}: {many}; `ls {runs_dir}` shows their names")
    if found[0].state() is not RunState.FINISHED:
        raise RunError(f"{found[0].path} is {found[0].state()}; only a finished run predicts: train it to its end")
    return found[0]


def answers_of_split(run: RunFolder, split: str) -> list[Answer]:
    """What the run said of its `val` or `test` clips when it finished."""
    rows = [row for row in run.predictions() if row.split == split]
    return [Answer(id=row.id, label=row.label, probabilities=row.probabilities) for row in rows]


def recordings_in(folder: Path) -> list[Path]:
    """Every wav and flac file below `folder`, whatever its name.

    Raises:
        CorpusError: there is none.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder} is {'a file' if folder.exists() else 'not there'}; give the folder of the recordings")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES and not p.name.startswith("."))
    if not paths:
        raise CorpusError(f"no wav or flac files in {folder}; give the folder that holds the recordings")
    return paths


def answers_of_recordings(
    run: RunFolder, folder: Path, paths: Sequence[Path], device: str, advance: Callable[..., None]
) -> list[Answer]:
    """The run's net on recordings; ids are their paths below `folder` without suffix.

    Raises:
        CorpusError: one of them cannot be read.
    """
    config, target = from_dict(run.config()), resolve(device)
    answers: list[Answer] = []
    with one_thread(target):
        net = _load(run, config, target)
        for start in range(0, len(paths), _AT_ONCE):
            some = paths[start : start + _AT_ONCE]
            logits = _logits(net, [_tile(path, config) for path in some], target)
            ids = [path.relative_to(folder).with_suffix("").as_posix() for path in some]
            answers += [_answer(*pair) for pair in zip(ids, logits, strict=True)]
            advance(len(some))
    return answers


def write_submission(path: Path, answers: Sequence[Answer]) -> None:
    """A CSV that the contest takes: id, label, one probability column per class."""
    rows = ([a.id, a.label, *(f"{p:.9g}" for p in a.probabilities)] for a in answers)
    write_csv(path, ["id", "label", *LABELS], rows)


def _load(run: RunFolder, config: RunConfig, device: torch.device) -> torch.nn.Module:
    net = build(config.model, config.tiles.size, len(LABELS))
    try:
        net.load_state_dict(torch.load(run.path / "model.pt", map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises a dozen kinds for a damaged file
        raise RunError(
            f"{run.path / 'model.pt'} is damaged ({type(error).__name__}); delete {run.path} and train again"
        ) from error
    return placed(net, device).eval()


def _tile(path: Path, config: RunConfig) -> np.ndarray:
    samples, rate_hz = read_clip(path)
    if not len(samples):
        raise CorpusError(f"{path} holds no samples; record it again or take it out of the folder")
    tile = tile_of(samples, rate_hz, config.tiles)
    return bilateral(tile, config.tiles) if config.filter == "bilateral" else tile


def _logits(net: torch.nn.Module, tiles: Sequence[np.ndarray], device: torch.device) -> torch.Tensor:
    grey = torch.from_numpy(np.stack(tiles)).to(device).float().div_(255)  # (B, F, T)
    with torch.no_grad():
        logits: torch.Tensor = net(normalised(grey).unsqueeze(1).contiguous(memory_format=torch.channels_last))
    return logits.cpu()


def _answer(name: str, logits: torch.Tensor) -> Answer:
    label = LABELS[int(logits.argmax())]
    return Answer(id=name, label=label, probabilities=tuple(logits.double().softmax(0).tolist()))
