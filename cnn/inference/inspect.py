"""What a net learned, written into its run folder: inspection.json, and inspection.npz with the arrays that it names.

Both are read without torch. N clips that are looked into, E clips whose place is shown, F mel bins, T frames, C channels.
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

from cnn.config import LABELS, RunConfig, digest_of
from cnn.errors import RunError, TilesError
from cnn.files import read_json, write_json, write_whole
from cnn.inference.inspect_clips import split_of, telling_clips
from cnn.inference.predict import trained
from cnn.inference.saliency import Layer, features_of, first_filters, grad_cam, map_layers, maps_of, occlusion
from cnn.runs.folder import Prediction, RunFolder, lock_run
from cnn.tiles.batches import normalise, to_input
from cnn.tiles.tile_set import TileSet, find_tiles, open_tiles
from cnn.train.device import one_thread, resolve
from cnn.train.training_run import versions

FORMAT = 1
JSON_NAME, ARRAYS_NAME = "inspection.json", "inspection.npz"
MOST_CLIPS = 12
N_STEPS = 4  # of which a caller's `advance` hears
_MOST_FILTERS = 64
_MOST_CHANNELS = 8  # of a layer, those that differ most over the picture
_MOST_MAPPED = 2  # clips whose activations are kept: the first mistake and its counterpart
_MOST_PLACED = 300  # clips among the embeddings
_PERPLEXITY = 30.0  # the default of scikit-learn, and the upper part of the range that the paper calls robust
_SEED = 0
_AT_ONCE = 128

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspected:
    """An inspection that stands in a run folder."""

    run: RunFolder
    n_layers: int
    n_clips: int
    n_wrong: int  # of these
    n_placed: int
    size_bytes: int
    is_new: bool
    notes: tuple[str, ...] = field(default=())


def inspect_run(run: RunFolder, tiles: Path, n_clips: int, device: str, advance: Callable[..., None]) -> Inspected:
    """Look into a finished run's net; one that was looked into before, with as many clips, is answered from its folder.

    Args:
        tiles: the folder of the run's tiles, or one that holds it.
        advance: told of each of N_STEPS steps.

    Raises:
        RunError: the run's weights or predictions are damaged, or the folder cannot be written.
        TilesError: its tiles are not there.
        ModelError: the file of a plug-in has moved or changed, and was not kept.
    """
    with lock_run(run):
        asked = {"format": FORMAT, "n_clips": n_clips, "weights": weights_digest(run)}
        if (known := _known(run, asked)) is not None:
            advance(N_STEPS)
            return known
        target = resolve(device)
        with one_thread(target):
            facts, arrays = _looked_into(run, tiles, n_clips, target, advance)
        content = _packed(arrays)
        write_whole(run.path / ARRAYS_NAME, content)
        digest = hashlib.sha256(content).hexdigest()
        write_json(
            run.path / JSON_NAME, {"asked": asked, "arrays": digest, "device": target.type, "versions": versions(), **facts}
        )
    return _inspected(run, facts, is_new=True)


def weights_digest(run: RunFolder) -> str:
    """SHA-256 of model.pt: an inspection is of these weights.

    Raises:
        RunError: there is none.
    """
    try:
        return hashlib.sha256((run.path / "model.pt").read_bytes()).hexdigest()
    except OSError as error:
        raise RunError(
            f"{run.path / 'model.pt'} cannot be read: {error.strerror}; delete {run.path} and train again"
        ) from error


def _known(run: RunFolder, asked: dict[str, Any]) -> Inspected | None:
    try:
        facts = read_json(run.path / JSON_NAME)
        found = hashlib.sha256((run.path / ARRAYS_NAME).read_bytes()).hexdigest()
        whole = facts.get("asked") == asked and facts.get("arrays") == found
        return _inspected(run, facts, is_new=False) if whole else None
    except (RunError, OSError, KeyError, TypeError):
        return None


def _inspected(run: RunFolder, facts: dict[str, Any], *, is_new: bool) -> Inspected:
    return Inspected(
        run=run,
        n_layers=len(facts["layers"]),
        n_clips=len(facts["clips"]),
        n_wrong=sum(clip["label"] != clip["truth"] for clip in facts["clips"]),
        n_placed=len(facts["embedding"]["clips"]),
        size_bytes=sum((run.path / name).stat().st_size for name in (JSON_NAME, ARRAYS_NAME)),
        is_new=is_new,
        notes=tuple(facts["notes"]),
    )


def _packed(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


class _Pictures:
    """The run's clips as its net is shown them, the middle view alone."""

    def __init__(self, config: RunConfig, where: Path, device: torch.device) -> None:
        self.device = device
        tiles = _tiles_of(config, where)
        self.grey = tiles.pictures(config.filter)
        self.places = {clip.id: place for place, clip in enumerate(tiles.clips)}

    def batch(self, rows: Sequence[Prediction]) -> torch.Tensor:
        """(B, 1, F, T) normalised."""
        grey = torch.from_numpy(self.grey[[self.places[row.id] for row in rows]]).to(self.device)
        return to_input(normalise(grey.float().div_(255)))


def _tiles_of(config: RunConfig, where: Path) -> TileSet:
    named = where / digest_of({"corpus": config.corpus, "tiles": asdict(config.tiles)})
    found = open_tiles(named) if (named / "settings.json").exists() else find_tiles(where)
    if (found.corpus, found.settings) != (config.corpus, config.tiles):
        raise TilesError(
            f"{found.folder} holds other tiles than the run was trained on ({named.name}); name those with --tiles"
        )
    return found


def _looked_into(
    run: RunFolder, where: Path, n_clips: int, device: torch.device, advance: Callable[..., None]
) -> tuple[dict[str, Any], Arrays]:
    config, net = trained(run, device)
    predictions = run.predictions()
    split = split_of(predictions)
    rows = [row for row in predictions if row.split == split]
    pictures = _Pictures(config, where, device)
    clips = telling_clips(rows, n_clips)
    arrays: Arrays = {}
    batch = pictures.batch(clips)
    layers, kept = _activations(net, batch[:_MOST_MAPPED], arrays)
    filters = _filters(net, arrays)
    advance()
    _attention(net, batch, clips, layers, arrays)
    advance()
    hidden = [occlusion(net, batch[n : n + 1], LABELS.index(row.label)) for n, row in enumerate(clips)]
    arrays["occlusion"] = torch.stack(hidden).cpu().numpy().astype(np.float16)  # (N, F, T)
    arrays["pictures"] = pictures.grey[[pictures.places[row.id] for row in clips]]  # (N, F, T) uint8
    advance()
    placed = _evenly(rows, _MOST_PLACED)
    embedding = _embedding(net, pictures, placed, arrays)
    advance()
    facts = {
        "split": split,
        "clips": [{**asdict(row), "probabilities": list(row.probabilities)} for row in clips],
        "filters": filters,
        "layers": [{**asdict(layer), "channels": channels} for layer, channels in zip(layers, kept, strict=True)],
        "n_mapped": min(_MOST_MAPPED, len(clips)) if layers else 0,
        "embedding": {**embedding, "clips": [[row.id, row.truth, row.label, row.speaker] for row in placed], "of": len(rows)},
        "notes": [] if layers else ["a net without Conv2d has no filters, no maps and no Grad-CAM; the rest is there"],
    }
    return facts, arrays


def _filters(net: torch.nn.Module, arrays: Arrays) -> dict[str, Any] | None:
    found = first_filters(net)
    if found is None:
        return None
    name, kernels = found
    arrays["filters"] = kernels[:_MOST_FILTERS].numpy()  # (C, F, T) float32
    return {"layer": name, "n": len(kernels)}


def _activations(net: torch.nn.Module, batch: torch.Tensor, arrays: Arrays) -> tuple[tuple[Layer, ...], list[list[int]]]:
    """The layers, and which channels of each are kept: `maps_0` (N, C, F, T) uint8, 255 the largest of a channel and 0 its
    least over the clips."""
    layers = map_layers(net, batch)
    kept = []
    for number, maps in enumerate(maps_of(net, batch, layers)):
        spread = maps.float().var((2, 3)).mean(0)
        channels = sorted(spread.topk(min(_MOST_CHANNELS, len(spread))).indices.tolist())
        some = maps[:, channels].float()
        low, high = some.amin((0, 2, 3), keepdim=True), some.amax((0, 2, 3), keepdim=True)
        grey = (some - low) / (high - low).clamp_min(1e-12) * 255
        arrays[f"maps_{number}"] = grey.round().byte().cpu().numpy()
        kept.append(channels)
    return layers, kept


def _attention(
    net: torch.nn.Module, batch: torch.Tensor, clips: Sequence[Prediction], layers: Sequence[Layer], arrays: Arrays
) -> None:
    """`cam_label` and `cam_truth` (N, F, T) float16: Grad-CAM of the last layer for the answer, and for the digit spoken."""
    for name in ("label", "truth") if layers else ():
        classes = torch.tensor([LABELS.index(getattr(row, name)) for row in clips], device=batch.device)
        arrays[f"cam_{name}"] = grad_cam(net, batch, classes, layers[-1]).cpu().numpy().astype(np.float16)


def _embedding(net: torch.nn.Module, pictures: _Pictures, rows: Sequence[Prediction], arrays: Arrays) -> dict[str, Any]:
    """`places` (E, 2) float32: t-SNE of the last hidden layer (van der Maaten and Hinton 2008)."""
    batches = [pictures.batch(rows[start : start + _AT_ONCE]) for start in range(0, len(rows), _AT_ONCE)]
    features = features_of(net, batches)
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
    found = TSNE(perplexity=perplexity, init="pca", random_state=_SEED).fit_transform(values / max(float(spread), 1e-12))
    return np.asarray(found, dtype=np.float32)


def _evenly(rows: Sequence[Prediction], n: int) -> list[Prediction]:
    """At most `n`, in even steps through the rows by digit and speaker, so that all are there in their shares."""
    ordered = sorted(rows, key=lambda row: (row.truth, row.speaker, row.id))
    if len(ordered) <= n:
        return ordered
    return [ordered[place * len(ordered) // n] for place in range(n)]
