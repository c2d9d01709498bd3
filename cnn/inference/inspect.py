"""Inspection of a finished run's net: activations, Grad-CAM, occlusion maps and an embedding of its clips.

Written into the run folder as inspection.json, and inspection.npz with the arrays that it names; both are read without
torch. N inspected clips, E clips in the embedding, F mel bins, T frames, C channels.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cnn.config import RunConfig
from cnn.errors import RunError
from cnn.files import read_json, write_json, write_whole
from cnn.inference.inspect_clips import choose_clips, choose_split
from cnn.inference.predict import complete_trial, load_net
from cnn.inference.saliency import MapLayer, compute_features, compute_maps, first_filters, grad_cam, map_layers, occlusion
from cnn.models.columns import Columns
from cnn.reconstruction.result import read_reconstructions
from cnn.runs.folder import Prediction, RunFolder
from cnn.runs.marks import lock_run
from cnn.tiles.inputs import Inputs, to_channels
from cnn.tiles.tile_set import find_run_tiles
from cnn.train.device import limit_threads, read_versions, resolve_device

FORMAT = 1
JSON_NAME, ARRAYS_NAME = "inspection.json", "inspection.npz"
MOST_CLIPS = 12
N_STEPS = 4  # calls of a caller's `progress`
_MOST_FILTERS = 64
_MOST_CHANNELS = 8  # per layer: those that differ most over the picture
_MOST_MAPPED = 2  # clips whose activations are stored: the first mistake and its counterpart
_MOST_EMBEDDED = 300  # clips
_PERPLEXITY = 30.0  # the default of scikit-learn, and the upper part of the range that the paper calls robust
_SEED = 0
_AT_ONCE = 128
_NO_MAPS = "a net without Conv2d has no filters, no maps and no Grad-CAM; the rest is there"
_COLUMNS = "filters, maps, Grad-CAM and t-SNE show one column each, which its layer's name says; hiding is asked of the vote"

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """Summary of the inspection in a run folder."""

    run: RunFolder
    n_layers: int
    n_clips: int
    n_wrong: int  # among the `n_clips`
    n_placed: int
    size_bytes: int
    is_new: bool
    notes: tuple[str, ...] = field(default=())


def inspect_run(run: RunFolder, tiles: Path, n_clips: int, device: str, progress: Callable[..., None]) -> Inspection:
    """Inspect a finished run's net, or return its stored inspection if that is of the same weights and as many clips.

    A sweep's trial is given its test part, whose mistakes an inspection shows.

    Args:
        tiles: the folder of the run's tiles, or one that holds it.
        progress: called after each of N_STEPS steps.

    Raises:
        RunError: the run's weights or predictions are damaged, or the folder cannot be written.
        TilesError: its tiles are missing.
        ModelError: a plug-in's file has moved or changed, and the run has no copy.
    """
    with lock_run(run):
        complete_trial(run, tiles, device)
        request = {"format": FORMAT, "n_clips": n_clips, "weights": weights_digest(run)}
        if (stored := _read_stored(run, request)) is not None:
            progress(N_STEPS)
            return stored
        target = resolve_device(device)
        with limit_threads(target):
            facts, arrays = _inspect(run, tiles, n_clips, target, progress)
        content = _compress(arrays)
        write_whole(run.path / ARRAYS_NAME, content)
        digest = hashlib.sha256(content).hexdigest()
        write_json(
            run.path / JSON_NAME,
            {"asked": request, "arrays": digest, "device": target.type, "versions": read_versions(), **facts},
        )
    return _summarise(run, facts, is_new=True)


def weights_digest(run: RunFolder) -> str:
    """Return the SHA-256 of model.pt, which ties an inspection to its weights.

    Raises:
        RunError: the file is missing or cannot be read.
    """
    try:
        return hashlib.sha256((run.path / "model.pt").read_bytes()).hexdigest()
    except OSError as error:
        raise RunError(
            f"{run.path / 'model.pt'} cannot be read: {error.strerror}; delete {run.path} and train again"
        ) from error


def _read_stored(run: RunFolder, request: dict[str, Any]) -> Inspection | None:
    try:
        facts = read_json(run.path / JSON_NAME)
        digest = hashlib.sha256((run.path / ARRAYS_NAME).read_bytes()).hexdigest()
        is_same = facts.get("asked") == request and facts.get("arrays") == digest
        return _summarise(run, facts, is_new=False) if is_same else None
    except (RunError, OSError, KeyError, TypeError):
        return None


def _summarise(run: RunFolder, facts: dict[str, Any], *, is_new: bool) -> Inspection:
    return Inspection(
        run=run,
        n_layers=len(facts["layers"]),
        n_clips=len(facts["clips"]),
        n_wrong=sum(clip["label"] != clip["truth"] for clip in facts["clips"]),
        n_placed=len(facts["embedding"]["clips"]),
        size_bytes=sum((run.path / name).stat().st_size for name in (JSON_NAME, ARRAYS_NAME)),
        is_new=is_new,
        notes=tuple(facts["notes"]),
    )


def _compress(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


class _Pictures:
    """The run's clips as inputs of its net, the middle view alone."""

    def __init__(self, config: RunConfig, folder: Path, device: torch.device) -> None:
        self.device = device
        self.inputs = Inputs([config])
        tiles = find_run_tiles(config, folder)
        self.grey = tiles.pictures(config.filter)
        self.indices = {clip.id: index for index, clip in enumerate(tiles.clips)}

    def batch(self, rows: Sequence[Prediction]) -> torch.Tensor:
        """Return (B, C, F, T) normalised; in 0..1 for an autoencoder."""
        grey = torch.from_numpy(self.grey[[self.indices[row.id] for row in rows]]).to(self.device)
        return self.inputs.plain(to_channels(grey))


def _inspect(
    run: RunFolder, folder: Path, n_clips: int, device: torch.device, progress: Callable[..., None]
) -> tuple[dict[str, Any], Arrays]:
    config, net = load_net(run, device)
    predictions = _read_rows(run) if config.model.is_autoencoder else run.predictions()
    split = choose_split(predictions)
    rows = [row for row in predictions if row.split == split]
    pictures = _Pictures(config, folder, device)
    if config.model.is_autoencoder:
        return _inspect_latent(net, pictures, rows, progress)
    clips = choose_clips(rows, n_clips)
    arrays: Arrays = {}
    batch = pictures.batch(clips)
    layers, channels_by_layer = _activations(net, batch[:_MOST_MAPPED], arrays)
    filters = _filters(net, arrays)
    progress()
    _attention(net, batch, clips, layers, arrays, config.data.labels)
    progress()
    hidden = [occlusion(net, batch[n : n + 1], config.data.labels.index(row.label)) for n, row in enumerate(clips)]
    arrays["occlusion"] = torch.stack(hidden).cpu().numpy().astype(np.float16)  # (N, F, T)
    arrays["pictures"] = pictures.grey[[pictures.indices[row.id] for row in clips]]  # (N, F, T) uint8, (N, 3, F, T) in colour
    progress()
    sample = _sample_evenly(rows, _MOST_EMBEDDED)
    embedding = _embedding(net, pictures, sample, arrays)
    progress()
    n_columns = len(net.columns) if isinstance(net, Columns) else 1
    facts = {
        "split": split,
        "n_columns": n_columns,
        "clips": [{**asdict(row), "probabilities": list(row.probabilities)} for row in clips],
        "filters": filters,
        "layers": [{**asdict(layer), "channels": numbers} for layer, numbers in zip(layers, channels_by_layer, strict=True)],
        "n_mapped": min(_MOST_MAPPED, len(clips)) if layers else 0,
        "embedding": {**embedding, "clips": [[row.id, row.truth, row.label, row.speaker] for row in sample], "of": len(rows)},
        "notes": [_COLUMNS] if n_columns > 1 else [] if layers else [_NO_MAPS],
    }
    return facts, arrays


def _read_rows(run: RunFolder) -> list[Prediction]:
    """Return the held-out tiles of an autoencoder's run as rows without an answer."""
    rows = [row for row in read_reconstructions(run.path) if row.split != "train"]
    blank = {"label": "", "probabilities": ()}
    return [Prediction(id=row.id, truth=row.truth, speaker=row.speaker, split=row.split, **blank) for row in rows]  # type: ignore[arg-type]


def _inspect_latent(
    net: torch.nn.Module, pictures: _Pictures, rows: Sequence[Prediction], progress: Callable[..., None]
) -> tuple[dict[str, Any], Arrays]:
    """Place an autoencoder's tiles by their latent numbers, which its last linear layer, the decoder's first, is given."""
    arrays: Arrays = {}
    filters, sample = _filters(net, arrays), _sample_evenly(rows, _MOST_EMBEDDED)
    embedding = _embedding(net, pictures, sample, arrays)
    progress(N_STEPS)
    facts: dict[str, Any] = {"split": rows[0].split, "clips": [], "filters": filters, "layers": [], "n_mapped": 0}
    placed = [[row.id, row.truth, row.label, row.speaker] for row in sample]
    notes = ["an autoencoder's picture shows its latent numbers; it has no mistakes to look into"]
    return {**facts, "embedding": {**embedding, "clips": placed, "of": len(rows)}, "notes": notes}, arrays


def _filters(net: torch.nn.Module, arrays: Arrays) -> dict[str, Any] | None:
    layer = first_filters(net)
    if layer is None:
        return None
    name, kernels = layer
    arrays["filters"] = kernels[:_MOST_FILTERS].numpy()  # (C, F, T) float32
    return {"layer": name, "n": len(kernels)}


def _activations(net: torch.nn.Module, batch: torch.Tensor, arrays: Arrays) -> tuple[tuple[MapLayer, ...], list[list[int]]]:
    """Return the layers, and which channels of each are stored in `arrays`.

    `maps_0` (N, C, F, T) is uint8: 255 is the largest value of a channel over the clips, 0 the smallest.
    """
    layers = map_layers(net, batch)
    channels_by_layer = []
    for number, maps in enumerate(compute_maps(net, batch, layers)):
        spread = maps.float().var((2, 3)).mean(0)
        channels = sorted(spread.topk(min(_MOST_CHANNELS, len(spread))).indices.tolist())
        selection = maps[:, channels].float()
        low, high = selection.amin((0, 2, 3), keepdim=True), selection.amax((0, 2, 3), keepdim=True)
        grey = (selection - low) / (high - low).clamp_min(1e-12) * 255
        arrays[f"maps_{number}"] = grey.round().byte().cpu().numpy()
        channels_by_layer.append(channels)
    return layers, channels_by_layer


def _attention(
    net: torch.nn.Module,
    batch: torch.Tensor,
    clips: Sequence[Prediction],
    layers: Sequence[MapLayer],
    arrays: Arrays,
    labels: Sequence[str],
) -> None:
    """Add Grad-CAM of the last layer, for the answer as `cam_label` and for the true class as `cam_truth`.

    Both are (N, F, T) float16.
    """
    for name in ("label", "truth") if layers else ():
        classes = torch.tensor([labels.index(getattr(row, name)) for row in clips], device=batch.device)
        arrays[f"cam_{name}"] = grad_cam(net, batch, classes, layers[-1]).cpu().numpy().astype(np.float16)


def _embedding(net: torch.nn.Module, pictures: _Pictures, rows: Sequence[Prediction], arrays: Arrays) -> dict[str, Any]:
    """Add t-SNE of the last hidden layer as `places` (E, 2) float32 (van der Maaten and Hinton 2008)."""
    batches = [pictures.batch(rows[start : start + _AT_ONCE]) for start in range(0, len(rows), _AT_ONCE)]
    features = compute_features(net, batches)
    perplexity = min(_PERPLEXITY, max(1.0, (len(rows) - 1) / 3))  # the paper wants it well below the number of points
    if len(rows) > 3:
        arrays["places"] = _tsne(features.values.numpy(), perplexity)
    else:
        arrays["places"] = np.zeros((len(rows), 2), dtype=np.float32)
    n_features = features.values.shape[1]
    return {"layer": features.source, "n_features": n_features, "perplexity": perplexity, "seed": _SEED}


def _tsne(values: npt.NDArray[np.float32], perplexity: float) -> npt.NDArray[np.float32]:
    from sklearn.manifold import TSNE

    spread = values.std()  # t-SNE takes distances as they are; a common scale changes nothing but its numerics
    points = TSNE(perplexity=perplexity, init="pca", random_state=_SEED).fit_transform(values / max(float(spread), 1e-12))
    return np.asarray(points, dtype=np.float32)


def _sample_evenly(rows: Sequence[Prediction], n: int) -> list[Prediction]:
    """Return at most `n` rows, in even steps by digit and speaker: all digits and speakers keep their shares."""
    ordered = sorted(rows, key=lambda row: (row.truth, row.speaker, row.id))
    if len(ordered) <= n:
        return ordered
    return [ordered[step * len(ordered) // n] for step in range(n)]
