"""A model is told from its bytes: what onnx reads is taken, what is something else is named, and nothing breaks the reader."""

from __future__ import annotations

import contextlib
import io
import pickle
import zipfile

import numpy as np
import onnx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from leaderboard.errors import ModelRefused
from leaderboard.files import onnx_check as model_form
from leaderboard.files.onnx_check import ModelNeeds, check_form
from leaderboard.verification import sandbox
from support.onnx_models import LABELS, RATE_HZ, external, first_samples, graph_of, model_of

GOOD = model_of(first_samples())


def refusal(content: bytes, needs: ModelNeeds | None = None) -> ModelRefused:
    with pytest.raises(ModelRefused) as caught:
        check_form(content, "net.onnx", needs)
    assert "\n" not in str(caught.value)
    assert caught.value.translate("es") != str(caught.value)
    return caught.value


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"x")
    return file.getvalue()


def test_a_model_is_taken_whatever_else_its_format_has() -> None:
    check_form(GOOD, "net.onnx")
    model = onnx.load_model_from_string(GOOD)
    model.producer_name, model.doc_string, model.model_version = "test", "ü" * 1000, 2**62
    inner = helper.make_function("own", "F", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], [])
    model.functions.append(inner)
    model.graph.initializer.append(numpy_helper.from_array(np.ones((40, 50)), "weights"))
    unpacked = onnx.TensorProto(name="u", data_type=1, dims=[3], float_data=[1, 2, 3])
    model.graph.initializer.append(unpacked)
    check_form(model.SerializeToString(), "net.onnx")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "net.onnx is no ONNX model, or a broken one; send the file that `arena export`"),
        (b"id,label\nclip_0000,7\n", "is no ONNX model"),
        (pickle.dumps({"weights": [1.0]}), "is a pickle, which is never opened, and no ONNX model"),
        (zipped(), "is a zip archive, as torch.save writes, and no ONNX model"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "is an HDF5 file and no ONNX model"),
        (b"<!doctype html>", "is a page of the web and no ONNX model"),
        (GOOD[:-1], "is no ONNX model, or a broken one"),
        (model_of(graph_of([], [])), "is an ONNX model without a net"),
        (model_of(external()), "keeps its weights in another file"),
        (onnx.GraphProto.SerializeToString(first_samples()), "is no ONNX model"),  # a part of one
    ],
)
def test_what_is_none_is_named_in_one_line(content: bytes, expected: str) -> None:
    assert expected in str(refusal(content))


def with_input(*values: onnx.ValueInfoProto) -> bytes:
    graph = first_samples()
    del graph.input[:]
    graph.input.extend(values)
    return model_of(graph)


def tensor(element: int, shape: list[str] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info("samples", element, shape)


NEEDS = ModelNeeds(labels=LABELS, rate_hz=RATE_HZ)
IN_BRANCH = helper.make_graph([helper.make_node("Mine", [], ["y"], domain="b")], "g", [], [tensor(1, ["n", "k"])])
FOREIGN = graph_of([helper.make_node("Run\x1b[2J", ["samples"], ["probabilities"], domain="com.mallory")], [])
NESTED = graph_of([helper.make_node("If", ["samples"], ["probabilities"], then_branch=IN_BRANCH, else_branch=IN_BRANCH)], [])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (model_of(FOREIGN, ("com.mallory",)), "net.onnx uses the operator com.mallory::Run [2J, and only those of the ONNX"),
        (model_of(NESTED), "net.onnx uses the operator b::Mine, and only"),
        (with_input(), "net.onnx takes 0 inputs; a model takes one float32 tensor (clips, samples)"),
        (with_input(tensor(11, ["n", "s"])), "net.onnx takes an input that is not float32"),
        (with_input(tensor(1, None)), "net.onnx does not tell the shape of its input"),
        (with_input(tensor(1, ["n", "1", "s"])), "net.onnx takes an input of 3 dimensions"),
        (with_input(tensor(2, ["n", "3", "32", "32"])), "net.onnx takes pictures, and models are verified on recordings alone"),
        (
            model_of(first_samples(), rate_hz="16000"),
            "at 16000 Hz and the test recordings have 8000; export it",
        ),
        (
            model_of(first_samples(), labels='["a", "b"]'),
            "answers with the labels 'a', 'b', and the contest has 0..2",
        ),
        (model_of(first_samples(), labels="[" * 9999), "has labels in its metadata that are no list of words"),
    ],
)
def test_what_the_contest_could_not_run_is_told_from_the_file(content: bytes, expected: str) -> None:
    assert expected in str(refusal(content, NEEDS))


def test_a_model_of_the_contest_is_taken_and_one_that_tells_no_rate_and_no_labels_too() -> None:
    check_form(GOOD, "net.onnx", NEEDS)
    check_form(GOOD, "net.onnx", ModelNeeds(labels=("2", "0", "1"), rate_hz=None))
    check_form(model_of(first_samples(), rate_hz="", labels=""), "net.onnx", NEEDS)
    old = first_samples()  # weights stand among the inputs of models before IR version 4
    old.input.extend(helper.make_tensor_value_info(weight.name, 7, [1]) for weight in old.initializer)
    check_form(model_of(old), "net.onnx", NEEDS)


def test_the_standard_is_the_one_of_the_sandbox() -> None:
    assert model_form.STANDARD == sandbox.STANDARD


@given(st.one_of(st.binary(max_size=200), st.integers(0, len(GOOD) - 1).map(lambda n: GOOD[:n])))
@example(b"\xff" * 30)
@example(b"\x3a" + b"\xff" * 9 + b"\x01")
def test_whatever_is_sent_the_reader_ends_with_an_answer(content: bytes) -> None:
    with contextlib.suppress(ModelRefused):
        check_form(content, "net.onnx")


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=3))
@settings(max_examples=200)
def test_what_onnx_reads_as_a_net_is_taken_and_what_is_no_message_is_not(changes: list[tuple[int, int]]) -> None:
    content = bytearray(GOOD)
    for index, value in changes:
        content[index] = value
    try:
        model = onnx.load_model_from_string(bytes(content))
    except Exception:
        model = None
    try:
        check_form(bytes(content), "net.onnx")
    except ModelRefused:
        if model is None or not model.ir_version or not model.graph.node or not model.graph.output or not model.opset_import:
            return
        values = [value for value in model.graph.input if value.name not in {t.name for t in model.graph.initializer}]
        types = [value.type.tensor_type for value in values]
        if [(kind.elem_type, kind.HasField("shape"), len(kind.shape.dim)) for kind in types] != [(1, True, 2)]:
            return
        if {node.domain for node in model.graph.node} - {"", "ai.onnx"}:
            return
        assert any(tensor.external_data or tensor.data_location for tensor in model.graph.initializer)


def test_a_file_of_countless_tiny_fields_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    many = GOOD + b"\x28\x01" * 1000  # model_version, a thousand times
    check_form(many, "net.onnx")
    monkeypatch.setattr(model_form, "_MAX_FIELDS", 500)
    assert "is no ONNX model" in str(refusal(many))
