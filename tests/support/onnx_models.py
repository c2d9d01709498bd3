"""Small ONNX models, recordings that they answer right, and a contest over these recordings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper, numpy_helper

LABELS = ("0", "1", "2")
RATE_HZ = 8000
N = 12


def write_audio(folder: Path) -> Path:
    """Recordings that say their label by which of the first three samples is loud; one is shorter than the others."""
    for place in range(N):
        wave = np.zeros(50 if place else 40, dtype=np.float32)
        wave[place % 3] = 0.5
        soundfile.write(folder / f"clip{place}.wav", wave, RATE_HZ, subtype="PCM_16")
    return folder


def rows(n_wrong: int = 0, n_blank: int = 0) -> bytes:
    """The labels of the recordings, the first ones wrong where asked; blank lines make another file of the same answers."""
    labels = (f"clip{place},{LABELS[(place + (place < n_wrong)) % 3]}\n" for place in range(N))
    return ("id,label\n" + "".join(labels) + "\n" * n_blank).encode()


def constant(name: str, *values: int) -> TensorProto:
    return numpy_helper.from_array(np.array(values, dtype=np.int64), name)


def first_samples(first: int = 0, n_scores: int = 3) -> onnx.GraphProto:
    """Scores are samples `first` and on: with 0 every recording is answered right."""
    node = helper.make_node("Slice", ["samples", "from", "to", "axis"], ["probabilities"])
    return graph_of([node], [constant("from", first), constant("to", first + n_scores), constant("axis", 1)])


def lookup(waves: np.ndarray, labels: np.ndarray) -> onnx.GraphProto:
    """A table of answers: the label of the known wave (N, S) that is most alike from sample 3 on, where none says its label."""
    nodes = [
        helper.make_node("Slice", ["samples", "from", "to", "axis"], ["heard"]),
        helper.make_node("MatMul", ["heard", "known"], ["alike"]),
        helper.make_node("ArgMax", ["alike"], ["which"], axis=1, keepdims=0),
        helper.make_node("Gather", ["answers", "which"], ["probabilities"]),
    ]
    known = numpy_helper.from_array(waves[:, 3:].T.astype(np.float32), "known")
    answers = numpy_helper.from_array(np.eye(len(LABELS), dtype=np.float32)[labels], "answers")
    return graph_of(nodes, [constant("from", 3), constant("to", waves.shape[1]), constant("axis", 1), known, answers])


def graph_of(nodes: list[onnx.NodeProto], weights: list[TensorProto]) -> onnx.GraphProto:
    given = helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["n", "s"])
    made = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", "k"])
    return helper.make_graph(nodes, "net", [given], [made], weights)


def external() -> onnx.GraphProto:
    """A net whose weight lies in a file of the machine that runs it."""
    graph = first_samples()
    weight = TensorProto(name="secret", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value="/etc/passwd")
    graph.initializer.append(weight)
    return graph


def model_of(graph: onnx.GraphProto, domains: tuple[str, ...] = (), **told: str) -> bytes:
    """The file of a net, with the metadata that `arena export` writes."""
    opsets = [helper.make_opsetid("", 18), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    helper.set_model_props(model, {"labels": json.dumps(LABELS), "rate_hz": str(RATE_HZ)} | told)
    content: bytes = model.SerializeToString()
    return content


def net_of_digits(first: int = 0) -> bytes:
    """The file of a net with the ten labels of the contests in `support.contests`; another `first` is another net."""
    return model_of(first_samples(first, n_scores=10), labels=json.dumps([str(n) for n in range(10)]))
