"""Predictions of a trained net: those stored for its own held-out splits, or new ones for any recordings or pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from cnn.commands import format_retraining
from cnn.config import DENOISED, RunConfig
from cnn.corpus.audio import to_mono
from cnn.corpus.recordings import RECORDINGS, RecordingFile, Source, SourceKind, decode_recording
from cnn.errors import CorpusError, RunError
from cnn.files import write_csv
from cnn.models.own import pin_source
from cnn.models.registry import build_net, to_device
from cnn.overrides import check_format, config_from_dict
from cnn.runs.evaluation import read_labels
from cnn.runs.folder import PREDICTION_HEAD, RunFolder, RunState
from cnn.runs.reference import find_run
from cnn.settings.data import DataKind, read_kind
from cnn.tiles.front_end import Samples, bilateral, compute_tile
from cnn.tiles.inputs import Inputs, to_channels
from cnn.tiles.tile_set import find_run_tiles
from cnn.tiles.tta import log_probabilities
from cnn.train.device import limit_threads, resolve_device
from cnn.train.weights_file import load_weights

_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One line of a submission."""

    id: str
    label: str
    probabilities: tuple[float, ...]  # (K,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """A recording or a picture without an answer."""

    name: str  # its path, or `standard input`
    reason: str  # the rest of a sentence that begins with the name


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """A net's answers to several recordings, in their order."""

    labels: tuple[str, ...]  # (K,)
    answers: tuple[Answer, ...]
    skipped: tuple[Skipped, ...] = ()
    flagged: tuple[tuple[str, tuple[str, ...]], ...] = ()  # names and flags of recordings that were repaired, or are doubtful

    def probabilities(self, answer: Answer) -> dict[str, float]:
        """Return an answer's probabilities by label."""
        return dict(zip(self.labels, answer.probabilities, strict=True))


def find_finished_run(name: str, runs_dir: Path) -> RunFolder:
    """Return the finished run that `name` names, as `cnn.runs.reference` reads it.

    Raises:
        RunError: none, several, or not finished.
    """
    run = find_run(name, runs_dir)
    if run.state() is not RunState.FINISHED:
        advice = "a process trains it now: wait for its end" if run.is_in_use() else "train it to its end"
        raise RunError(f"{run.path} is {run.state()}; only a finished run predicts: {advice}")
    return run


def find_classifier(name: str, runs_dir: Path) -> RunFolder:
    """Return the finished run that `name` names, as `find_finished_run`, if its net answers with classes.

    Raises:
        RunError: also for an autoencoder.
    """
    run = find_finished_run(name, runs_dir)
    if run.is_autoencoder:
        rule = f"{run.path} is an autoencoder, which answers with pictures and not with classes"
        raise RunError(f"{rule}; `arena inspect {run.digest}` shows its latent space, `arena report build` its reconstructions")
    return run


def complete_trial(run: RunFolder, tiles: Path, device: str) -> None:
    """Score a sweep's finished trial on its test clips, once, as `complete_run` does; of another run it has been done.

    Args:
        tiles: the folder of the run's tiles, or one that holds it.

    Raises:
        CnnError: as `complete_run`; or the tiles are missing, or of another format.
    """
    if run.is_whole:
        return
    content = run.config()
    check_format(content, str(run.path), f"train it anew with `{format_retraining(run.path)}`")
    from cnn.train.training_run import complete_run  # late: most runs are whole, and then no trainer is needed

    complete_run(run, find_run_tiles(config_from_dict(content), tiles), device)


def choose_files(run: RunFolder) -> SourceKind:
    """Return the kind of files that the run answers: recordings or pictures."""
    if read_kind(run.config()) is DataKind.SOUND:
        return RECORDINGS
    from cnn.pictures.folders import PICTURES

    return PICTURES


def read_answers(run: RunFolder, split: str) -> Answers:
    """Return the answers to the `val` or `test` clips that the run stored when it finished."""
    rows = [row for row in run.predictions() if row.split == split]
    answers = tuple(Answer(id=row.id, label=row.label, probabilities=row.probabilities) for row in rows)
    return Answers(labels=read_labels([run]), answers=answers)


def predict_recordings(run: RunFolder, sources: Sequence[Source], device: str, progress: Callable[..., None]) -> Answers:
    """Return the run's answers to recordings, or to pictures if it was trained on some; what cannot be read is skipped.

    Raises:
        RunError: the run's weights are damaged.
    """
    target = resolve_device(device)
    answers: list[Answer] = []
    skipped: list[Skipped] = []
    flagged: list[tuple[str, tuple[str, ...]]] = []
    with limit_threads(target):
        config, net = load_net(run, target)
        check_filter(config, run)
        for start in range(0, len(sources), _AT_ONCE):
            batch = sources[start : start + _AT_ONCE]
            tiles: dict[int, np.ndarray] = {}  # by index in the batch
            for index, source in enumerate(batch):
                try:
                    tiles[index], flags = _make_tile(source, config)
                    flagged += [(source.label, flags)] if flags else []
                except CorpusError as error:
                    skipped.append(Skipped(name=source.label, reason=str(error)))
            if tiles:
                pictures = to_channels(torch.from_numpy(np.stack(list(tiles.values()))).to(target))  # (B, C, F, T)
                rows = log_probabilities(net, pictures, Inputs([config])).cpu()
                answers += [_answer(batch[index].name, row, config.data.labels) for index, row in zip(tiles, rows, strict=True)]
            progress(len(batch))
    return Answers(labels=config.data.labels, answers=tuple(answers), skipped=tuple(skipped), flagged=tuple(flagged))


def check_filter(config: RunConfig, run: RunFolder) -> None:
    """Raise RunError for a net of denoised tiles: an autoencoder makes them for a corpus, and none stands in the run."""
    if config.filter == DENOISED:
        rule = f"{run.path} takes denoised tiles, which `arena data denoise` makes of a whole corpus and not of new files"
        raise RunError(f"{rule}; choose a run on raw or bilateral tiles")


def _make_tile(source: Source, config: RunConfig) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    """Return the tile that the run's net takes, and the flags of a recording."""
    if config.data.is_sound:
        recording = decode_recording(source)
        return make_picture(to_mono(recording.samples), recording.rate_hz, config), recording.flags
    if not isinstance(source, RecordingFile):
        raise CorpusError("is sound, and the run was trained on pictures; give picture files")
    from cnn.pictures.fit import fit_picture
    from cnn.pictures.image_file import read_image

    channels = config.data.channels
    tile = fit_picture(read_image(source.path, channels), config.tiles.size, channels)
    tile = bilateral(tile, config.tiles) if config.filter == "bilateral" else tile
    return tile.transpose(2, 0, 1) if channels == 3 else tile, ()


def load_net(run: RunFolder, device: torch.device) -> tuple[RunConfig, torch.nn.Module]:
    """Return the run's configuration, and its net with the trained weights, in evaluation mode.

    Raises:
        ConfigError: it was trained on tiles of another format.
        ModelError: a plug-in's file has moved or changed, and the run has no copy.
        RunError: the run's weights are damaged.
    """
    content = run.config()
    check_format(content, str(run.path), f"train it anew with `{format_retraining(run.path)}`")
    config = pin_source(config_from_dict(content), run.path)
    net = build_net(config.model, config.tiles.size, config.data.n_classes)
    load_weights(net, run.path, torch.device("cpu"))
    return config, to_device(net, device).eval()


def write_submission(path: Path, result: Answers) -> None:
    """Write a CSV that the contest takes: id, label, one probability column per class."""
    rows = ([a.id, a.label, *(f"{p:.9g}" for p in a.probabilities)] for a in result.answers)
    write_csv(path, (*PREDICTION_HEAD, *result.labels), rows)


def make_picture(samples: Samples, rate_hz: int, config: RunConfig) -> npt.NDArray[np.uint8]:
    """Return the (F, T) picture that the run's net takes, made from (S,) samples."""
    tile = compute_tile(samples, rate_hz, config.tiles)
    return bilateral(tile, config.tiles) if config.filter == "bilateral" else tile


def _answer(name: str, log_probabilities: torch.Tensor, labels: Sequence[str]) -> Answer:
    label = labels[int(log_probabilities.argmax())]
    return Answer(id=name, label=label, probabilities=tuple(log_probabilities.double().softmax(0).tolist()))
