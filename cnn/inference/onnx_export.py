"""ONNX export of a finished run: one file from samples, or from pictures, to probabilities, checked in onnxruntime.

N clips, S samples, K classes, V views, C channels, F mel bins, T frames. docs/how-to/pack.md lists the file's inputs, outputs
and metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cnn.config import RunConfig
from cnn.corpus.audio import LONGEST_S, RATES_HZ, to_mono
from cnn.errors import ConfigError
from cnn.files import write_whole
from cnn.inference.onnx_file import (
    PROBABILITIES,
    Comparison,
    check_answers,
    check_onnx_packages,
    compare_answers,
    open_session,
    trace,
    write_metadata,
)
from cnn.inference.onnx_front_end import Bilateral, FrontEnd
from cnn.inference.predict import check_filter, load_net, make_picture
from cnn.models.blocks import average_answers
from cnn.runs.folder import RunFolder
from cnn.tiles.front_end import Samples, smooth_tiles
from cnn.tiles.inputs import Inputs, to_channels

if TYPE_CHECKING:
    import onnxruntime

_SAMPLES, _PICTURES, _TILES = "samples", "pictures", "tiles"


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """An exported file, and its differences from the trained net on `n_clips` clips."""

    path: Path
    run: str  # its digest
    rate_hz: int  # sample rate of the input; 0 of pictures
    size_bytes: int
    n_clips: int
    net_difference: float  # the largest over all probabilities, both nets given the same pictures
    difference: float  # the same from samples on, where a picture may differ by a grey level
    n_cells: int  # cells of the pictures that differ by a grey level
    n_labels: int  # labels that differ


class EndToEndNet(nn.Module):
    """The run's input to (N, K) probabilities, and the (N, F, T) uint8 tiles between, (N, 3, F, T) in colour."""

    def __init__(self, front: nn.Module, net: nn.Module, inputs: Inputs) -> None:
        """`front` maps the input to levels of whole numbers from 0 to 255."""
        super().__init__()
        self.front, self.net, self.inputs = front, net, inputs

    def forward(self, given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        levels = self.front(given)
        views = self.inputs.views(to_channels(levels / 255))
        logits = self.net(torch.cat(views))  # (V * N, K)
        probabilities = average_answers(logits.reshape(len(views), -1, logits.shape[1])).exp()
        return probabilities, levels.to(torch.uint8)


class PictureFrontEnd(nn.Module):
    """(N, C, F, T) uint8 tiles to levels of the same shape, filtered where the run's variant is."""

    def __init__(self, config: RunConfig) -> None:
        super().__init__()
        self.filter = Bilateral(config.tiles) if config.filter == "bilateral" else nn.Identity()

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        levels: torch.Tensor = self.filter(pictures.float())
        return levels


def export_run(run: RunFolder, out: Path, rate_hz: int = 0, clips: Sequence[Samples] = ()) -> Export:
    """Write the run's net with its front end and test-time augmentation, once its answers equal the trained net's.

    Args:
        rate_hz: sample rate of the input; 0: that of the run's tiles. A net of pictures has none.
        clips: (S,) each, at that rate, to compare both nets on; none: synthetic sounds.

    Raises:
        ConfigError: the packages of the extra `onnx` are not installed, or the rate is out of range, or of pictures.
        ModelError: the net cannot be written as ONNX.
        RunError: the run's weights are damaged, the file's answers differ from the net's, or it cannot be written.
    """
    check_onnx_packages()
    config, net = load_net(run, torch.device("cpu"))
    check_filter(config, run)
    if config.data.is_sound:
        rate_hz = rate_hz or config.tiles.rate_hz
        if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
            raise ConfigError(f"--rate-hz lies between {RATES_HZ[0]} and {RATES_HZ[1]}, not {rate_hz}")
        content = _write_sound(run, config, net, rate_hz)
        comparison = _compare_sound(content, config, net, rate_hz, clips or synthesise_clips(rate_hz))
    elif rate_hz or clips:
        raise ConfigError("--rate-hz and --recordings are for nets of sound, and this one answers pictures; leave them out")
    else:
        content = _write_pictures(run, config, net)
        comparison = _compare_pictures(content, config, net)
    check_answers(comparison, config)
    write_whole(out, content)
    return Export(path=out, run=run.digest, rate_hz=rate_hz, size_bytes=len(content), **asdict(comparison))


def _write_sound(run: RunFolder, config: RunConfig, net: nn.Module, rate_hz: int) -> bytes:
    end_to_end = EndToEndNet(FrontEnd(config.tiles, rate_hz, config.filter), net, Inputs([config])).eval()
    # Two clips and an odd length: torch takes a dimension of 1, or two equal dimensions, for constants.
    example = torch.linspace(-0.5, 0.5, 2 * (rate_hz // 2 + 1)).reshape(2, -1)
    axes = {0: torch.export.Dim("n"), 1: torch.export.Dim("s", min=2, max=int(LONGEST_S * rate_hz))}
    model = trace(end_to_end, example, (_SAMPLES, [PROBABILITIES, _TILES]), axes, config.model.label)
    return write_metadata(model, run, config, {"rate_hz": rate_hz})


def _write_pictures(run: RunFolder, config: RunConfig, net: nn.Module) -> bytes:
    end_to_end = EndToEndNet(PictureFrontEnd(config), net, Inputs([config])).eval()
    example = torch.from_numpy(synthesise_pictures(config)[:2])
    model = trace(end_to_end, example, (_PICTURES, [PROBABILITIES, _TILES]), {0: torch.export.Dim("n")}, config.model.label)
    facts = {"kind": config.data.kind, "channels": config.data.channels, "side": config.data.side}
    return write_metadata(model, run, config, facts)


def _compare_sound(content: bytes, config: RunConfig, net: nn.Module, rate_hz: int, clips: Sequence[Samples]) -> Comparison:
    tiles = np.stack([make_picture(to_mono(clip[:, None]), rate_hz, config) for clip in clips])
    return compare_answers(*_answers(open_session(content), clips), tiles, net, config)


def _compare_pictures(content: bytes, config: RunConfig, net: nn.Module) -> Comparison:
    tiles = synthesise_pictures(config)
    probabilities, pictures = open_session(content).run([PROBABILITIES, _TILES], {_PICTURES: tiles})
    if config.filter == "bilateral":
        tiles = smooth_tiles(np.ascontiguousarray(tiles.transpose(0, 2, 3, 1)), config.tiles).transpose(0, 3, 1, 2)
    return compare_answers(probabilities, pictures, tiles, net, config)


def synthesise_pictures(config: RunConfig) -> npt.NDArray[np.uint8]:
    """Return twelve synthetic pictures (12, C, F, T) uint8: smooth patches over noise of several levels."""
    rng = np.random.default_rng(0)
    size, channels = config.tiles.size, config.data.channels
    coarse = torch.from_numpy(rng.uniform(0, 255, (12, channels, 6, 6)))
    smooth = nn.functional.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=True).numpy()
    noise = rng.normal(0, 1, smooth.shape) * np.linspace(0, 40, 12).reshape(-1, 1, 1, 1)
    return (smooth + noise).clip(0, 255).astype(np.uint8)


def synthesise_clips(rate_hz: int) -> list[Samples]:
    """Return twelve synthetic sounds of 0.2 to 1.4 s: gliding tones over noise of several levels."""
    rng = np.random.default_rng(0)
    clips = []
    for number in range(12):
        n = int(rate_hz * (0.2 + 0.1 * number) * rng.uniform(0.9, 1.1))
        time = np.arange(n) / rate_hz
        pitch = rng.uniform(200, 900) + rng.uniform(-300, 900) * time
        wave = np.sin(2 * np.pi * np.cumsum(pitch) / rate_hz) * np.hanning(n) * rng.uniform(0.1, 0.7)
        clips.append((wave + rng.normal(0, 10 ** rng.uniform(-4, -2), n)).astype(np.float32))
    return clips


def _answers(session: onnxruntime.InferenceSession, clips: Sequence[Samples]) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, K) probabilities and (N, F, T) pictures of clips of any length, each padded with silence to the longest of
    its batch."""
    outputs: list[list[np.ndarray]] = []
    for start in range(0, len(clips), 16):
        chunk = clips[start : start + 16]
        batch = np.zeros((len(chunk), max(2, *map(len, chunk))), dtype=np.float32)
        for row, clip in zip(batch, chunk, strict=True):
            row[: len(clip)] = clip
        outputs.append(session.run([PROBABILITIES, _TILES], {_SAMPLES: batch}))
    probabilities, pictures = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
    return probabilities, pictures
