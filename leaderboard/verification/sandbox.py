"""Child process that runs a student's model: a script with limits on memory, time and files, importing nothing of Arena.

    python -I sandbox.py REQUEST.json

The request names the model, the samples and the file for the answer. Request and answer are in one temporary folder.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STANDARD = ("", "ai.onnx")  # domains of the operators in the ONNX standard
BUILT_IN = ("com.microsoft", "com.ms.", "ai.onnx", "org.pytorch")  # prefixes of domains with onnxruntime's own operators
BATCH_SIZE = 64  # clips
MAX_ANSWER_BYTES = 16 << 20


class Rejection(Exception):
    """A model that is not run; the message continues a sentence that begins with its name."""


def run_request(request: dict[str, Any]) -> None:
    """Write {"predicted": [...], "labels": [...]} or {"refused": "..."} to the file that the request names."""
    _limit_resources(request)
    try:
        answer = _run_model(request)
    except Rejection as refusal:
        answer = {"refused": str(refusal)}
    except MemoryError:
        answer = {"refused": f"needs more than {request['memory_bytes'] >> 20} MB of memory"}
    except Exception as error:  # onnx and onnxruntime raise many kinds
        answer = {"refused": f"cannot be run ({type(error).__name__}: {' '.join(str(error).split())[:300]})"}
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def _limit_resources(request: dict[str, Any]) -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, request["memory_bytes"]),
        (resource.RLIMIT_CPU, request["cpu_s"]),
        (resource.RLIMIT_FSIZE, MAX_ANSWER_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def _run_model(request: dict[str, Any]) -> dict[str, Any]:
    import onnx

    content = Path(request["model"]).read_bytes()
    model = onnx.load_model_from_string(content)
    check_contained(model)
    metadata = {item.key: item.value for item in model.metadata_props}
    rate_hz, given_hz = metadata.get("rate_hz", ""), request["rate_hz"]
    if given_hz and rate_hz and rate_hz != str(given_hz):
        fault = f"takes samples at {rate_hz[:20]} Hz and the test recordings have {given_hz}"
        raise Rejection(f"{fault}; export it with --rate-hz {given_hz}")
    labels = _parse_labels(metadata.get("labels", ""))
    return {"labels": labels, "predicted": _predict(content, request) if request["samples"] else []}


def check_contained(model: Any) -> None:
    """Refuse a model that reads other files or brings operators of its own.

    Raises:
        Rejection: it does.
    """
    if not model.graph.node:
        raise Rejection("is no ONNX model, or one without a net")
    # onnxruntime 1.31 runs its own operator in place of a function with the same name.
    functions = {(function.domain, function.name) for function in model.functions if not function.domain.startswith(BUILT_IN)}
    graphs: list[Any] = [model.graph, *model.functions]
    while graphs:
        graph = graphs.pop()
        for node in graph.node:
            if node.domain not in STANDARD and (node.domain, node.op_type) not in functions:
                raise Rejection(
                    f"uses the operator {node.domain[:40]}::{node.op_type[:40]}; only those of the ONNX standard are run"
                )
            for attribute in node.attribute:
                graphs += [inner for inner in (attribute.g, *attribute.graphs) if inner.ByteSize()]
        for tensor in _tensors(graph):
            if tensor.data_location or tensor.external_data:
                raise Rejection("keeps its weights in another file; a model is one file: export it with its weights inside")


def _tensors(graph: Any) -> Iterator[Any]:
    sparse = list(getattr(graph, "sparse_initializer", ()))
    yield from getattr(graph, "initializer", ())  # a function has none, and may have default attributes
    in_nodes = (attribute for node in graph.node for attribute in node.attribute)
    for attribute in (*getattr(graph, "attribute_proto", ()), *in_nodes):
        yield attribute.t
        yield from attribute.tensors
        sparse += [attribute.sparse_tensor, *attribute.sparse_tensors]
    for tensor in sparse:
        yield from (tensor.values, tensor.indices)


def _parse_labels(text: str) -> list[str]:
    if not text:
        return []
    try:
        labels = json.loads(text)
    except ValueError:
        labels = None
    if not (isinstance(labels, list) and all(isinstance(label, str) for label in labels)):
        raise Rejection("has labels in its metadata that are no list of words")
    return labels


def _predict(content: bytes, request: dict[str, Any]) -> list[int]:
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # The check read the file as ONNX. By default onnxruntime reads its own format where bytes 4 to 8 say so.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 2:
        raise Rejection("does not take one float32 tensor (clips, samples), as the models of `arena export` do")
    n_clips, n_samples = request["shape"]
    predicted: list[int] = []
    with open(request["samples"], "rb") as file:
        while len(predicted) < n_clips:
            n_batch = min(BATCH_SIZE, n_clips - len(predicted))
            batch = np.fromfile(file, dtype="<f4", count=n_batch * n_samples).reshape(n_batch, n_samples)
            scores = np.asarray(session.run([session.get_outputs()[0].name], {inputs[0].name: batch})[0])
            if scores.shape != (n_batch, request["n_labels"]) or not np.isfinite(scores).all():
                shape = " x ".join(map(str, scores.shape))
                raise Rejection(f"gives {shape} scores, or such as are no numbers, and not {n_batch} x {request['n_labels']}")
            predicted += [int(index) for index in scores.argmax(axis=1)]
    return predicted


if __name__ == "__main__":
    run_request(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
