"""The process that opens a student's model: run as a script, with limits on memory, time and files, and nothing else of Arena.

    python -I sandbox.py REQUEST.json

The request names the model, the samples and where the answer goes. Both are files of one folder that is thrown away.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STANDARD = ("", "ai.onnx")  # domains of operators that onnxruntime brings itself and the format's standard defines
BUILT_IN = ("com.microsoft", "com.ms.", "ai.onnx", "org.pytorch")  # how those begin of which it brings operators of its own
AT_ONCE = 64  # clips
MOST_ANSWER_BYTES = 16 << 20


class Refused(Exception):  # noqa: N818
    """Why the model is not run: the rest of a sentence that begins with its name."""


def run_request(request: dict[str, Any]) -> None:
    """Write {"predicted": [...], "labels": [...]} or {"refused": "..."} to the file that the request names."""
    _limit(request)
    try:
        answer = _answer(request)
    except Refused as refusal:
        answer = {"refused": str(refusal)}
    except MemoryError:
        answer = {"refused": f"needs more than {request['memory_bytes'] >> 20} MB of memory"}
    except Exception as error:  # onnx and onnxruntime raise many kinds for what they cannot read or run
        answer = {"refused": f"cannot be run ({type(error).__name__}: {' '.join(str(error).split())[:300]})"}
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def _limit(request: dict[str, Any]) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, request["memory_bytes"]),
        (resource.RLIMIT_CPU, request["cpu_s"]),
        (resource.RLIMIT_FSIZE, MOST_ANSWER_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    import onnx

    content = Path(request["model"]).read_bytes()
    model = onnx.load_model_from_string(content)
    check_contained(model)
    told = {item.key: item.value for item in model.metadata_props}
    rate_hz, given_hz = told.get("rate_hz", ""), request["rate_hz"]
    if given_hz and rate_hz and rate_hz != str(given_hz):
        came = f"takes samples at {rate_hz[:20]} Hz and the test recordings have {given_hz}"
        raise Refused(f"{came}; export it with --rate-hz {given_hz}")
    labels = _labels(told.get("labels", ""))
    return {"labels": labels, "predicted": _predicted(content, request) if request["samples"] else []}


def check_contained(model: Any) -> None:
    """Refuse a model that reads other files or brings operators of its own.

    Raises:
        Refused: it does.
    """
    if not model.graph.node:
        raise Refused("is no ONNX model, or one without a net")
    # Of a function that is called like an operator of its own onnxruntime 1.31 runs the operator.
    own = {(one.domain, one.name) for one in model.functions if not one.domain.startswith(BUILT_IN)}
    graphs: list[Any] = [model.graph, *model.functions]
    while graphs:
        graph = graphs.pop()
        for node in graph.node:
            if node.domain not in STANDARD and (node.domain, node.op_type) not in own:
                raise Refused(
                    f"uses the operator {node.domain[:40]}::{node.op_type[:40]}; only those of the ONNX standard are run"
                )
            for attribute in node.attribute:
                graphs += [inner for inner in (attribute.g, *attribute.graphs) if inner.ByteSize()]
        for tensor in _tensors(graph):
            if tensor.data_location or tensor.external_data:
                raise Refused("keeps its weights in another file; a model is one file: export it with its weights inside")


def _tensors(graph: Any) -> Iterator[Any]:
    sparse = list(getattr(graph, "sparse_initializer", ()))
    yield from getattr(graph, "initializer", ())  # a function has none, and may have usual values of its attributes
    for attribute in (*getattr(graph, "attribute_proto", ()), *(one for node in graph.node for one in node.attribute)):
        yield attribute.t
        yield from attribute.tensors
        sparse += [attribute.sparse_tensor, *attribute.sparse_tensors]
    for one in sparse:
        yield from (one.values, one.indices)


def _labels(text: str) -> list[str]:
    if not text:
        return []
    try:
        labels = json.loads(text)
    except ValueError:
        labels = None
    if not (isinstance(labels, list) and all(isinstance(label, str) for label in labels)):
        raise Refused("has labels in its metadata that are no list of words")
    return labels


def _predicted(content: bytes, request: dict[str, Any]) -> list[int]:
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # What was checked is the file as ONNX. Unasked onnxruntime takes it for its own format where bytes 4 to 8 say so.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 2:
        raise Refused("does not take one float32 tensor of clips and samples; docs/pack.md says what a model takes and gives")
    n_clips, n_samples = request["shape"]
    predicted: list[int] = []
    with open(request["samples"], "rb") as file:
        while len(predicted) < n_clips:
            n_now = min(AT_ONCE, n_clips - len(predicted))
            batch = np.fromfile(file, dtype="<f4", count=n_now * n_samples).reshape(n_now, n_samples)
            scores = np.asarray(session.run([session.get_outputs()[0].name], {inputs[0].name: batch})[0])
            if scores.shape != (n_now, request["n_labels"]) or not np.isfinite(scores).all():
                came = " x ".join(map(str, scores.shape))
                raise Refused(f"gives {came} scores, or such as are no numbers, and not {n_now} x {request['n_labels']}")
            predicted += [int(place) for place in scores.argmax(axis=1)]
    return predicted


if __name__ == "__main__":
    run_request(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
