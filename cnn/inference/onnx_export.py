"""ONNX export of a finished run: one file from samples to probabilities, checked in onnxruntime against the trained net.

N clips, S samples, K classes, V views, F mel bins, T frames. docs/how-to/pack.md lists the file's inputs, outputs and metadata.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from arena.base.install import install_command
from cnn.config import TILES_FORMAT, RunConfig
from cnn.corpus.audio import LONGEST_S, RATES_HZ, to_mono
from cnn.errors import ConfigError, ModelError, RunError
from cnn.files import write_whole
from cnn.inference.onnx_front_end import FrontEnd
from cnn.inference.predict import check_filter, load_net, make_picture
from cnn.runs.folder import RunFolder
from cnn.tiles.front_end import Samples
from cnn.tiles.inputs import Inputs, to_channels
from cnn.tiles.tta import average_views, log_probabilities

if TYPE_CHECKING:
    import onnx
    import onnxruntime


FORMAT = 1  # version of the metadata
OPSET = 18  # the newest that torch 2.11 writes without a conversion; onnxruntime reads it from 1.14 on
_SAMPLES, _PROBABILITIES, _TILES = "samples", "probabilities", "tiles"
_NEEDS = ("onnx", "onnxruntime", "onnxscript")
_NET_WITHIN = (
    1e-4  # in probability, on equal pictures; measured on every net of the table: up to 4e-6 (torch 2.11, onnxruntime 1.31)
)
_LEVELS_WITHIN = 1  # grey levels; a cell between two is rounded to either
_CELLS_WITHIN = 1e-3  # as a share; measured on 200 clips of FSDD: 2e-6 raw, 2e-5 filtered


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """An exported file, and its differences from the trained net on `n_clips` clips."""

    path: Path
    run: str  # its digest
    rate_hz: int  # sample rate of the input
    size_bytes: int
    n_clips: int
    net_difference: float  # the largest over all probabilities, both nets given the same pictures
    difference: float  # the same from samples on, where a picture may differ by a grey level
    n_cells: int  # cells of the pictures that differ by a grey level
    n_labels: int  # labels that differ


class EndToEndNet(nn.Module):
    """(N, S) samples to (N, K) probabilities, and the (N, F, T) uint8 pictures between."""

    def __init__(self, front: FrontEnd, net: nn.Module, inputs: Inputs) -> None:
        super().__init__()
        self.front, self.net, self.inputs = front, net, inputs

    def forward(self, samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        grey = self.front(samples)
        views = self.inputs.views(to_channels(grey / 255))
        logits = self.net(torch.cat(views))  # (V * N, K)
        probabilities = average_views(logits.reshape(len(views), -1, logits.shape[1])).exp()
        return probabilities, grey.to(torch.uint8)


def export_run(run: RunFolder, out: Path, rate_hz: int, clips: Sequence[Samples] = ()) -> Export:
    """Write the run's net with its front end and test-time augmentation, once its answers equal the trained net's.

    Args:
        rate_hz: sample rate of the input; 0: that of the run's tiles.
        clips: (S,) each, at that rate, to compare both nets on; none: synthetic sounds.

    Raises:
        ConfigError: the packages of the extra `onnx` are not installed, or the rate is out of range.
        ModelError: the net cannot be written as ONNX.
        RunError: the run's weights are damaged, the file's answers differ from the net's, or it cannot be written.
    """
    check_onnx_packages()
    config, net = load_net(run, torch.device("cpu"))
    check_filter(config, run)
    rate_hz = rate_hz or config.tiles.rate_hz
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise ConfigError(f"--rate-hz lies between {RATES_HZ[0]} and {RATES_HZ[1]}, not {rate_hz}")
    end_to_end = EndToEndNet(FrontEnd(config.tiles, rate_hz, config.filter), net, Inputs([config])).eval()
    model = _trace(end_to_end, rate_hz, config)
    _describe(model, run, config, rate_hz)
    content = model.SerializeToString()
    comparison = _compare(content, net, config, rate_hz, clips or synthesise_clips(rate_hz))
    _check(comparison, config)
    write_whole(out, content)
    return Export(path=out, run=run.digest, rate_hz=rate_hz, size_bytes=len(content), **asdict(comparison))


def check_onnx_packages() -> None:
    """Raise ConfigError with the command that installs the extra `onnx` where it is missing."""
    for name in _NEEDS:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise ConfigError(
                f"an export needs the package {name}, which is not installed: {install_command('onnx')}"
            ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the log and the warnings of torch's exporter."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning, module="torch|copyreg")
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            yield
    finally:
        logger.setLevel(before)


def _trace(end_to_end: EndToEndNet, rate_hz: int, config: RunConfig) -> onnx.ModelProto:
    # Two clips and an odd length: torch takes a dimension of 1, or two equal dimensions, for constants.
    example = torch.linspace(-0.5, 0.5, 2 * (rate_hz // 2 + 1)).reshape(2, -1)
    n, s = torch.export.Dim("n"), torch.export.Dim("s", min=2, max=int(LONGEST_S * rate_hz))
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                end_to_end,
                (example,),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=[_SAMPLES],
                output_names=[_PROBABILITIES, _TILES],
                dynamic_shapes=({0: n, 1: s},),
            )
    except Exception as error:  # torch raises many kinds, each of many lines
        reason = " ".join(str(error.__cause__ or error).split())[:200]
        raise ModelError(
            f"{config.model.label} cannot be written as ONNX ({type(error).__name__}: {reason}); "
            "use plain layers and operations of torch in forward, without numpy and without branches on values"
        ) from error
    assert program is not None
    return program.model_proto


def _describe(model: onnx.ModelProto, run: RunFolder, config: RunConfig, rate_hz: int) -> None:
    """Write the file's metadata, and remove torch's notes on the source files and lines of this machine."""
    for function in (model.graph, *model.functions):
        function.doc_string = ""
        del function.metadata_props[:]
        for node in function.node:
            node.doc_string = ""
            del node.metadata_props[:]
    facts: dict[str, Any] = {
        "arena_format": FORMAT,
        "labels": list(config.data.labels),
        "rate_hz": rate_hz,
        "run": run.digest,
        "model": config.model.label,
        "variant": config.variant,
        "side_views": config.train.side_views,
        "tiles": asdict(config.tiles) | {"format": TILES_FORMAT},
        "opset": OPSET,
        "versions": {name: importlib.metadata.version(name) for name in ("arena-spoken-digits", "torch", *_NEEDS)},
    }
    del model.metadata_props[:]
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value if isinstance(value, str) else json.dumps(value))
    model.producer_name, model.doc_string = "arena", ""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Comparison:
    n_clips: int
    net_difference: float
    difference: float
    n_cells: int
    n_labels: int


def _compare(content: bytes, net: nn.Module, config: RunConfig, rate_hz: int, clips: Sequence[Samples]) -> _Comparison:
    tiles = np.stack([make_picture(to_mono(clip[:, None]), rate_hz, config) for clip in clips])
    probabilities, pictures = _answers(_session(content), clips)
    expected, on_pictures = (
        log_probabilities(net, to_channels(torch.from_numpy(grey)), Inputs([config])).exp().numpy()
        for grey in (tiles, pictures)
    )
    level_differences = np.abs(pictures.astype(np.int64) - tiles)
    n_cells = int((level_differences > 0).sum()) if level_differences.max() <= _LEVELS_WITHIN else level_differences.size
    return _Comparison(
        n_clips=len(clips),
        net_difference=float(np.abs(probabilities - on_pictures).max()),
        difference=float(np.abs(probabilities - expected).max()),
        n_cells=n_cells,
        n_labels=int((probabilities.argmax(1) != expected.argmax(1)).sum()),
    )


def _session(content: bytes) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _answers(session: onnxruntime.InferenceSession, clips: Sequence[Samples]) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, K) probabilities and (N, F, T) pictures of clips of any length, each padded with silence to the longest of
    its batch."""
    outputs: list[list[np.ndarray]] = []
    for start in range(0, len(clips), 16):
        chunk = clips[start : start + 16]
        batch = np.zeros((len(chunk), max(2, *map(len, chunk))), dtype=np.float32)
        for row, clip in zip(batch, chunk, strict=True):
            row[: len(clip)] = clip
        outputs.append(session.run([_PROBABILITIES, _TILES], {_SAMPLES: batch}))
    probabilities, pictures = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
    return probabilities, pictures


def _check(result: _Comparison, config: RunConfig) -> None:
    n_cells = result.n_clips * config.tiles.size**2
    if result.net_difference > _NET_WITHIN or result.n_cells > _CELLS_WITHIN * n_cells:
        raise RunError(
            f"an exported net says what the trained one says, and this one does not on {result.n_clips} clips: probabilities "
            f"differ by up to {result.net_difference:.1g}, and {result.n_cells:,} of {n_cells:,} cells of the pictures; "
            "nothing is written: check versions with `arena doctor`, and that a net of your own computes the same twice"
        )
