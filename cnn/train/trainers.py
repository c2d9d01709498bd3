"""The trainers: the choice of one, and the outcome that it leaves: its weights, their answers and scores on every part."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from cnn.config import RunConfig
from cnn.models.registry import count_multiply_adds
from cnn.reconstruction.result import Reconstruction, ReconstructionResult, read_reconstructions, write_reconstructions
from cnn.runs.folder import Prediction, RunFolder, RunResult, RunState, Score
from cnn.runs.verdict import FitScores, judge
from cnn.settings.scratch import SCRATCH
from cnn.tiles.batches import Clips
from cnn.train.device import describe_device, read_versions
from cnn.train.reconstruction import (
    ReconstructionTrainer,
    learn_components,
    list_reconstructions,
    score_reconstructions,
    write_pairs,
)
from cnn.train.scratch_trainer import ScratchTrainer
from cnn.train.trainer import Trainer

if TYPE_CHECKING:
    from cnn.train.training_run import SplitData


def make_trainer(config: RunConfig, device: torch.device) -> Trainer:
    """Return the trainer of `config`, its net with fresh weights: one of its own for a net from scratch or an autoencoder.

    Raises:
        ConfigError, ModelError: a net that cannot be trained with these settings, or there.
    """
    if config.model.is_autoencoder:
        return ReconstructionTrainer(config, device)
    return (ScratchTrainer if config.model.name == SCRATCH else Trainer)(config, device)


def make_result(fit: Trainer, data: SplitData, folder: RunFolder, state: RunState) -> RunResult:
    """Write the kept weights and their answers, and return the result with their scores on every part."""
    fit.restore_weights()
    fit.save_weights(folder.path / "model.pt")
    # Nobody chooses by a pruned run's test score.
    clips = {part: clips for part, clips in data.clips.items() if not (state is RunState.PRUNED and part == "test")}
    result = RunResult(
        state=state,
        labels=fit.config.data.labels,
        best_epoch=fit.best_epoch,
        n_epochs=len(fit.rows),
        speakers={part: data.list_speakers(part) for part in clips},
        n_parameters=fit.n_parameters,
        n_multiply_adds=count_multiply_adds(fit.net, fit.config.tiles.size, fit.config.data.channels),
        wall_s=fit.wall_s,
        n_clips_per_s=fit.n_clips_trained / max(fit.training_s, 1e-9),
        device=describe_device(data.device),
        versions=read_versions(),
    )
    if isinstance(fit, ReconstructionTrainer):
        reconstruction, rows = _score_pictures(fit, data, folder, clips)
        write_reconstructions(folder.path, rows)
        return dataclasses.replace(result, reconstruction=reconstruction)
    scores: dict[str, Score] = {}
    predictions: list[Prediction] = []
    for part, clips_of_part in clips.items():
        scores[part], log_probabilities = fit.score(clips_of_part)
        if part != "train":
            predictions += data.list_predictions(part, log_probabilities)
    if state is RunState.FINISHED:
        folder.write_predictions(fit.config.data.labels, predictions)
    return dataclasses.replace(result, scores=scores, verdict=judge(fit.rows, _fit_scores(fit, data, scores)))


def add_test_part(fit: Trainer, data: SplitData, folder: RunFolder, result: RunResult) -> None:
    """Add the test part to a finished run, whose weights stand in the net; rows of one may be there from before a kill.

    Args:
        data: the test part; of an autoencoder the training part, too.
    """
    speakers = result.speakers | {"test": data.list_speakers("test")}
    if isinstance(fit, ReconstructionTrainer):
        assert result.reconstruction is not None
        added, rows = _score_pictures(fit, data, folder, {"test": data.clips["test"]})
        before = [row for row in read_reconstructions(folder.path) if row.split != "test"]
        write_reconstructions(folder.path, [*before, *rows])
        total = dataclasses.replace(result.reconstruction, scores=result.reconstruction.scores | added.scores)
        folder.update_result(reconstruction=total, speakers=speakers)
        return
    score, log_probabilities = fit.score(data.clips["test"])
    predictions = [row for row in folder.stored_predictions() if row.split != "test"]
    folder.write_predictions(result.labels, [*predictions, *data.list_predictions("test", log_probabilities)])
    folder.update_result(scores=result.scores | {"test": score}, speakers=speakers)


def _score_pictures(
    fit: ReconstructionTrainer, data: SplitData, folder: RunFolder, clips: Mapping[str, Clips]
) -> tuple[ReconstructionResult, list[Reconstruction]]:
    """Score the parts beside PCA of the training tiles, and write some tiles of the last part with their reconstructions."""
    components = learn_components(data.clips["train"], fit.config.model.latent)
    reconstruction, errors = score_reconstructions(fit, clips, components)
    rows = []
    for part in clips:
        rows += list_reconstructions(errors[part], data.list_clips(part), part)
    last = list(clips)[-1]
    write_pairs(folder.path, fit, clips[last], [clip.id for clip in data.list_clips(last)], components)
    return reconstruction, rows


def _fit_scores(fit: Trainer, data: SplitData, scores: Mapping[str, Score]) -> FitScores:
    return FitScores(
        train=scores["train"].macro_f1,
        train_accuracy=scores["train"].accuracy,
        val=scores["val"].macro_f1,
        is_balanced=fit.config.train.balance != "none",
        is_augmented=fit.config.augmented,
        hears_val=data.split.val_heard,
        kind=fit.config.data.kind,
    )
