"""What a trained net says of clips: of its own held-out splits, or of recordings it never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from cnn.config import LABELS, RunConfig
from cnn.corpus.recordings import RecordingFile, read_recording
from cnn.errors import CorpusError, RunError
from cnn.files import write_csv
from cnn.models.own import kept
from cnn.models.registry import build, placed
from cnn.overrides import from_dict
from cnn.runs.folder import RunFolder, RunState
from cnn.runs.index import find_run
from cnn.tiles.front_end import Samples, bilateral, compute_tile
from cnn.tiles.tta import log_probabilities
from cnn.train.device import one_thread, resolve
from cnn.train.weights_file import unsealed

SUBMISSION_HEADER = ("id", "label", *LABELS)
_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One line of a submission."""

    id: str
    label: str
    probabilities: tuple[float, ...]  # (K,)

    def by_digit(self) -> dict[str, float]:
        return dict(zip(LABELS, self.probabilities, strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Unheard:
    """A recording without an answer."""

    name: str  # where it lies, or `standard input`
    reason: str  # the rest of a sentence that begins with the name


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What a net says of some recordings, in their order."""

    answers: tuple[Answer, ...]
    unheard: tuple[Unheard, ...]


def finished_run(name: str, runs_dir: Path) -> RunFolder:
    """The finished run of that path, digest, or unmistakable beginning of one.

    Raises:
        RunError: none, several, or not finished.
    """
    found = find_run(name, runs_dir)
    if found.state() is not RunState.FINISHED:
        raise RunError(f"{found.path} is {found.state()}; only a finished run predicts: train it to its end")
    return found


def answers_of_split(run: RunFolder, split: str) -> list[Answer]:
    """What the run said of its `val` or `test` clips when it finished."""
    rows = [row for row in run.predictions() if row.split == split]
    return [Answer(id=row.id, label=row.label, probabilities=row.probabilities) for row in rows]


def answers_of_recordings(
    run: RunFolder, sources: Sequence[RecordingFile], device: str, advance: Callable[..., None]
) -> Answers:
    """The run's net on recordings; those that it cannot hear are named and stop no other.

    Raises:
        RunError: the run's weights are damaged.
    """
    target = resolve(device)
    answers: list[Answer] = []
    unheard: list[Unheard] = []
    with one_thread(target):
        config, net = trained(run, target)
        for start in range(0, len(sources), _AT_ONCE):
            some = sources[start : start + _AT_ONCE]
            tiles: dict[int, np.ndarray] = {}  # by place
            for place, source in enumerate(some):
                try:
                    tiles[place] = picture_of(*read_recording(source), config)
                except CorpusError as error:
                    unheard.append(Unheard(name=source.label, reason=str(error)))
            if tiles:
                pictures = torch.from_numpy(np.stack(list(tiles.values()))).to(target)  # (B, F, T)
                found = log_probabilities(net, pictures, config.train.side_views).cpu()
                answers += [_answer(some[place].name, row) for place, row in zip(tiles, found, strict=True)]
            advance(len(some))
    return Answers(answers=tuple(answers), unheard=tuple(unheard))


def trained(run: RunFolder, device: torch.device) -> tuple[RunConfig, torch.nn.Module]:
    """The run's configuration, and its net with the kept weights, in evaluation mode.

    Raises:
        ModelError: the file of a plug-in has moved or changed, and was not kept.
        RunError: the run's weights are damaged.
    """
    config = kept(from_dict(run.config()), run.path)
    net = build(config.model, config.tiles.size, len(LABELS))
    try:
        net.load_state_dict(unsealed(run.path / "model.pt", torch.device("cpu")))
    except RunError as error:
        raise RunError(f"{error}; delete {run.path} and train again") from error
    except RuntimeError as error:
        raise RunError(f"{run.path / 'model.pt'} is of another net; delete {run.path} and train again") from error
    return config, placed(net, device).eval()


def write_submission(path: Path, answers: Sequence[Answer]) -> None:
    """A CSV that the contest takes: id, label, one probability column per class."""
    rows = ([a.id, a.label, *(f"{p:.9g}" for p in a.probabilities)] for a in answers)
    write_csv(path, SUBMISSION_HEADER, rows)


def picture_of(samples: Samples, rate_hz: int, config: RunConfig) -> npt.NDArray[np.uint8]:
    """(S,) samples as the (F, T) picture that the run's net is shown."""
    tile = compute_tile(samples, rate_hz, config.tiles)
    return bilateral(tile, config.tiles) if config.filter == "bilateral" else tile


def _answer(name: str, log_probabilities: torch.Tensor) -> Answer:
    label = LABELS[int(log_probabilities.argmax())]
    return Answer(id=name, label=label, probabilities=tuple(log_probabilities.double().softmax(0).tolist()))
