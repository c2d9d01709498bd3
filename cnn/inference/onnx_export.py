"""A finished run as one ONNX file: from samples to probabilities, checked in onnxruntime against the net that was trained.

N clips, S samples, K classes, V views, F mel bins, T frames. What the file takes, gives and says of itself is in docs/pack.md.
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
from cnn.config import LABELS, RunConfig
from cnn.corpus.audio import LONGEST_S, RATES_HZ
from cnn.errors import ConfigError, ModelError, RunError
from cnn.files import write_whole
from cnn.inference.onnx_front_end import FrontEnd
from cnn.inference.predict import picture_of, trained
from cnn.runs.folder import RunFolder
from cnn.tiles.front_end import Samples
from cnn.tiles.tta import average_views, log_probabilities, make_views

if TYPE_CHECKING:
    import onnx
    import onnxruntime


FORMAT = 1  # of the metadata
OPSET = 18  # the newest that torch 2.11 writes without a conversion; onnxruntime reads it from 1.14 on
_SAMPLES, _PROBABILITIES, _TILES = "samples", "probabilities", "tiles"
_NEEDS = ("onnx", "onnxruntime", "onnxscript")
_NET_WITHIN = 1e-4  # of a probability, on equal pictures; seen on eight nets: up to 4e-6 (torch 2.11, onnxruntime 1.31)
_LEVELS_WITHIN = 1  # of 255; a cell between two grey levels is rounded to either
_CELLS_WITHIN = 1e-3  # of all; seen on 200 clips of FSDD: 2e-6 raw, 2e-5 filtered


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """A file that was written, and how far it is from the net it was made of, on `n_clips` clips."""

    path: Path
    run: str  # its digest
    rate_hz: int  # of the samples that it takes
    size_bytes: int
    n_clips: int
    net_difference: float  # the largest of all probabilities, both given the same pictures
    difference: float  # the same from samples on, where a picture may differ by a grey level
    n_cells: int  # of the pictures that differ by one
    n_labels: int  # that differ


class Listener(nn.Module):
    """(N, S) samples to (N, K) probabilities, and the (N, F, T) uint8 pictures between."""

    def __init__(self, front: FrontEnd, net: nn.Module, n_aside: int) -> None:
        super().__init__()
        self.front, self.net, self.n_aside = front, net, n_aside

    def forward(self, samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        grey = self.front(samples)
        views = make_views(grey / 255, self.n_aside)
        logits = self.net(torch.cat(views))  # (V * N, K)
        probabilities = average_views(logits.reshape(len(views), -1, logits.shape[1])).exp()
        return probabilities, grey.to(torch.uint8)


def export(run: RunFolder, out: Path, rate_hz: int, clips: Sequence[Samples] = ()) -> Exported:
    """Write the run's net with all that comes before and after it; nothing is written that does not say what the net says.

    Args:
        rate_hz: of the samples that it will take; 0: that of the run's tiles.
        clips: (S,) each, at that rate, on which it is checked; none: sounds that are made up.

    Raises:
        ConfigError: the packages of the extra `onnx` are not installed, or no such rate.
        ModelError: the net cannot be written as ONNX.
        RunError: the run's weights are damaged, the file says something else than the net, or cannot be written.
    """
    check_packages()
    config, net = trained(run, torch.device("cpu"))
    rate_hz = rate_hz or config.tiles.rate_hz
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise ConfigError(f"--rate-hz lies between {RATES_HZ[0]} and {RATES_HZ[1]}, not {rate_hz}")
    listener = Listener(FrontEnd(config.tiles, rate_hz, config.filter), net, config.train.side_views).eval()
    model = _traced(listener, rate_hz, config)
    _describe(model, run, config, rate_hz)
    content = model.SerializeToString()
    found = _compared(content, net, config, rate_hz, clips or made_up(rate_hz))
    _check(found, config)
    write_whole(out, content)
    return Exported(path=out, run=run.digest, rate_hz=rate_hz, size_bytes=len(content), **asdict(found))


def check_packages() -> None:
    """Raises ConfigError with what to install where the extra `onnx` is not."""
    for name in _NEEDS:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise ConfigError(
                f"an export needs the package {name}, which is not installed: {install_command('onnx')}"
            ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporter says of its own inside."""
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


def _traced(listener: Listener, rate_hz: int, config: RunConfig) -> onnx.ModelProto:
    # Two clips and an odd length: torch takes a dimension of 1 or one that another equals for a constant.
    example = torch.linspace(-0.5, 0.5, 2 * (rate_hz // 2 + 1)).reshape(2, -1)
    n, s = torch.export.Dim("n"), torch.export.Dim("s", min=2, max=int(LONGEST_S * rate_hz))
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                listener,
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
    """What the file says of itself; what torch noted of this machine's files and lines is taken out."""
    for function in (model.graph, *model.functions):
        function.doc_string = ""
        del function.metadata_props[:]
        for node in function.node:
            node.doc_string = ""
            del node.metadata_props[:]
    facts: dict[str, Any] = {
        "arena_format": FORMAT,
        "labels": list(LABELS),
        "rate_hz": rate_hz,
        "run": run.digest,
        "model": config.model.label,
        "variant": config.variant,
        "side_views": config.train.side_views,
        "tiles": asdict(config.tiles),
        "opset": OPSET,
        "versions": {name: importlib.metadata.version(name) for name in ("arena-spoken-digits", "torch", *_NEEDS)},
    }
    del model.metadata_props[:]
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value if isinstance(value, str) else json.dumps(value))
    model.producer_name, model.doc_string = "arena", ""


def made_up(rate_hz: int) -> list[Samples]:
    """Twelve sounds of 0.2 to 1.4 s that need no recordings: gliding tones over noise of several levels."""
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
class _Compared:
    n_clips: int
    net_difference: float
    difference: float
    n_cells: int
    n_labels: int


def _compared(content: bytes, net: nn.Module, config: RunConfig, rate_hz: int, clips: Sequence[Samples]) -> _Compared:
    tiles = np.stack([picture_of(clip, rate_hz, config) for clip in clips])
    probabilities, pictures = _answers(_session(content), clips)
    expected, same = (
        log_probabilities(net, torch.from_numpy(some), config.train.side_views).exp().numpy() for some in (tiles, pictures)
    )
    apart = np.abs(pictures.astype(np.int64) - tiles)
    return _Compared(
        n_clips=len(clips),
        net_difference=float(np.abs(probabilities - same).max()),
        difference=float(np.abs(probabilities - expected).max()),
        n_cells=int((apart > 0).sum()) if apart.max() <= _LEVELS_WITHIN else apart.size,
        n_labels=int((probabilities.argmax(1) != expected.argmax(1)).sum()),
    )


def _session(content: bytes) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _answers(session: onnxruntime.InferenceSession, clips: Sequence[Samples]) -> tuple[np.ndarray, np.ndarray]:
    """(N, K) and (N, F, T) of clips of any length, each filled up with silence to that of the longest of its batch."""
    found: list[list[np.ndarray]] = []
    for start in range(0, len(clips), 16):
        some = clips[start : start + 16]
        batch = np.zeros((len(some), max(2, *map(len, some))), dtype=np.float32)
        for row, clip in zip(batch, some, strict=True):
            row[: len(clip)] = clip
        found.append(session.run([_PROBABILITIES, _TILES], {_SAMPLES: batch}))
    return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])


def _check(found: _Compared, config: RunConfig) -> None:
    n_cells = found.n_clips * config.tiles.size**2
    if found.net_difference > _NET_WITHIN or found.n_cells > _CELLS_WITHIN * n_cells:
        raise RunError(
            f"an exported net says what the trained one says, and this one does not on {found.n_clips} clips: probabilities "
            f"differ by up to {found.net_difference:.1g}, and {found.n_cells:,} of {n_cells:,} cells of the pictures; nothing "
            "is written: check versions with `arena doctor`, and that a net of your own computes the same twice"
        )
