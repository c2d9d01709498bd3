"""ONNX files: a net traced by torch, without the notes of this machine, and compared in onnxruntime with the net itself."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from arena.base.install import install_command
from cnn.config import TILES_FORMAT, RunConfig
from cnn.errors import ConfigError, ModelError, RunError
from cnn.runs.folder import RunFolder
from cnn.tiles.inputs import Inputs, to_channels
from cnn.tiles.tta import log_probabilities

if TYPE_CHECKING:
    import onnx
    import onnxruntime

FORMAT = 1  # version of the metadata
OPSET = 18  # the newest that torch 2.11 writes without a conversion; onnxruntime reads it from 1.14 on
PROBABILITIES = "probabilities"  # the output of every exported net
_NET_WITHIN = (
    1e-4  # in probability, on equal pictures; measured on every net of the table: up to 4e-6 (torch 2.11, onnxruntime 1.31)
)
_LEVELS_WITHIN = 1  # grey levels; a cell between two is rounded to either
_CELLS_WITHIN = 1e-3  # as a share; measured on 200 clips of FSDD: 2e-6 raw, 2e-5 filtered
_NEEDS = ("onnx", "onnxruntime", "onnxscript")


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


def trace(
    net: nn.Module, example: torch.Tensor, names: tuple[str, Sequence[str]], axes: Mapping[int, torch.export.Dim], label: str
) -> onnx.ModelProto:
    """Return a net as ONNX.

    Args:
        example: an input; torch takes an axis of 1, or two equal ones, for constants.
        names: of the input, and of the outputs.
        axes: those of the input whose length may differ.
        label: the net's name for people.

    Raises:
        ModelError: torch cannot write it.
    """
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                net,
                (example,),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=[names[0]],
                output_names=list(names[1]),
                dynamic_shapes=(dict(axes),),
            )
    except Exception as error:  # torch raises many kinds, each of many lines
        reason = " ".join(str(error.__cause__ or error).split())[:200]
        raise ModelError(
            f"{label} cannot be written as ONNX ({type(error).__name__}: {reason}); "
            "use plain layers and operations of torch in forward, without numpy and without branches on values"
        ) from error
    assert program is not None
    return program.model_proto


def write_metadata(model: onnx.ModelProto, run: RunFolder, config: RunConfig, more: Mapping[str, Any]) -> bytes:
    """Write the file's metadata, remove torch's notes on the source files and lines of this machine, and return the file."""
    for function in (model.graph, *model.functions):
        function.doc_string = ""
        del function.metadata_props[:]
        for node in function.node:
            node.doc_string = ""
            del node.metadata_props[:]
    facts: dict[str, Any] = {
        "arena_format": FORMAT,
        "labels": list(config.data.labels),
        **more,
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
    content: bytes = model.SerializeToString()
    return content


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """Open a file in onnxruntime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The differences of a file's answers from the trained net's."""

    n_clips: int
    net_difference: float  # in probability, on equal pictures
    difference: float  # from the file's input on
    n_cells: int  # cells of the pictures that differ by a grey level
    n_labels: int  # labels that differ


def compare_answers(
    probabilities: np.ndarray, pictures: np.ndarray, tiles: npt.NDArray[np.uint8], net: nn.Module, config: RunConfig
) -> Comparison:
    """Compare a file's (N, K) probabilities, and the pictures that it made, with the trained net's on the `tiles`."""
    expected, on_pictures = (
        log_probabilities(net, to_channels(torch.from_numpy(levels)), Inputs([config])).exp().numpy()
        for levels in (tiles, pictures)
    )
    level_differences = np.abs(pictures.astype(np.int64) - tiles)
    n_cells = int((level_differences > 0).sum()) if level_differences.max() <= _LEVELS_WITHIN else level_differences.size
    return Comparison(
        n_clips=len(tiles),
        net_difference=float(np.abs(probabilities - on_pictures).max()),
        difference=float(np.abs(probabilities - expected).max()),
        n_cells=n_cells,
        n_labels=int((probabilities.argmax(1) != expected.argmax(1)).sum()),
    )


def check_answers(result: Comparison, config: RunConfig) -> None:
    """Raise RunError where the differences are more than those of rounding."""
    n_cells = result.n_clips * config.data.channels * config.tiles.size**2
    if result.net_difference > _NET_WITHIN or result.n_cells > _CELLS_WITHIN * n_cells:
        raise RunError(
            f"an exported net says what the trained one says, and this one does not on {result.n_clips} clips: probabilities "
            f"differ by up to {result.net_difference:.1g}, and {result.n_cells:,} of {n_cells:,} cells of the pictures; "
            "nothing is written: check versions with `arena doctor`, and that a net of your own computes the same twice"
        )
