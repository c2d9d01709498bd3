"""Check of an ONNX model from its bytes alone: nothing of it is run, unpickled or imported.

The file is parsed as protocol buffers (onnx.proto3) down to the weights' own fields. Errors that only a full parser sees are
reported when the host verifies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from arena.base.texts import Localized
from leaderboard.errors import ModelRefused
from leaderboard.files.csv_table import quote_short
from leaderboard.files.protobuf import SIZED, VARINT, NoProtobuf, Reader, WireField
from leaderboard.files.solution import LabelList
from leaderboard.messages import message

MAX_MODEL_BYTES = 20_000_000
STANDARD = ("", "ai.onnx")  # domains of the operators in the ONNX standard
_MAX_FIELDS = 200_000  # fields that are parsed; the eight nets of 2026-11 in one file have 26,614
_IR_VERSION, _GRAPH, _OPSET, _METADATA, _FUNCTION = 1, 7, 8, 14, 25  # field numbers of ModelProto
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12  # fields of GraphProto
_OPERATOR, _ATTRIBUTE, _DOMAIN = 4, 5, 7  # fields of NodeProto
_SUBGRAPHS = (6, 11)  # fields of AttributeProto
_FUNCTION_NAME, _FUNCTION_NODE, _FUNCTION_DOMAIN = 1, 7, 10  # fields of FunctionProto
_TENSOR_NAME, _EXTERNAL_DATA, _DATA_LOCATION = 8, 13, 14  # fields of TensorProto
_VALUE_NAME, _TYPE = 1, 2  # fields of ValueInfoProto; below: TypeProto.tensor_type, its elem_type and shape, the shape's dims
_TENSOR_TYPE, _ELEMENT, _SHAPE, _DIMENSION = 1, 1, 2, 1
_FLOAT, _UINT8 = 1, 2  # TensorProto.DataType
_KEY, _VALUE = 1, 2  # fields of StringStringEntryProto
_MAX_SHOWN = 40  # characters of a model's own words in a refusal
_OTHER_FORMATS = (  # files that teams send by mistake, by their first bytes
    (b"PK\x03\x04", "model_zip"),
    (b"\x80", "model_pickle"),
    (b"\x89HDF", "model_hdf5"),
    (b"<", "model_page"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelNeeds:
    """What a contest's models must fit."""

    labels: tuple[str, ...]
    rate_hz: int | None  # rate of the test recordings; None: unknown


def build_size_refusal(name: str, max_bytes: int) -> ModelRefused:
    """Build the refusal of a model with more bytes than allowed."""
    problem = message("model_too_large", megabytes=f"{max_bytes / 1e6:g}")
    return ModelRefused(message("in_file", file=name, line=None, problem=problem, more=""))


def check_form(content: bytes, name: str, needs: ModelNeeds | None = None) -> None:
    """Refuse a file that cannot be an ONNX model in one file, or a model that the contest could not run.

    Raises:
        ModelRefused: it has another format, no net, its weights in another file, operators outside the standard, another
            input than (clips, samples), pictures among them, or the rate or the labels of another contest.
    """
    reader = Reader(content, _MAX_FIELDS)
    try:
        top = list(reader.read_fields(0, len(content)))
        kinds = {(field.number, field.kind) for field in top}
        if not {(_IR_VERSION, VARINT), (_GRAPH, SIZED), (_OPSET, SIZED)} <= kinds:
            raise NoProtobuf
        graph = [inner for field in _select(top, _GRAPH) for inner in reader.read(field)]
        is_outside = any(_has_external_data(reader, field) for field in _select(graph, _INITIALIZER))
        operator = _find_foreign_operator(reader, top, graph)
        shapes = _read_inputs(reader, graph)
        metadata = dict(_read_metadata(reader, top))
    except NoProtobuf:
        raise _build_format_refusal(content, name) from None
    if not {_NODE, _OUTPUT} <= {field.number for field in graph if field.kind == SIZED}:
        raise ModelRefused(message("model_no_net", file=name))
    if is_outside:
        raise ModelRefused(message("model_outside", file=name))
    if operator is not None:
        raise ModelRefused(message("model_operator", file=name, operator=_shorten(operator)))
    if shapes == [(_UINT8, 4)]:
        raise ModelRefused(message("model_pictures", file=name))
    if shapes != [(_FLOAT, 2)]:
        raise ModelRefused(message("model_input", file=name, came=_describe_inputs(shapes)))
    if needs is not None:
        _check_metadata(metadata, name, needs)


def _select(fields: Sequence[WireField], *numbers: int) -> Iterator[WireField]:
    return (field for field in fields if field.number in numbers and field.kind == SIZED)


def _build_format_refusal(content: bytes, name: str) -> ModelRefused:
    came = next((key for start, key in _OTHER_FORMATS if content.startswith(start)), None)
    return ModelRefused(
        message("model_no_onnx", file=name) if came is None else message("model_other", file=name, came=message(came))
    )


def _has_external_data(reader: Reader, tensor: WireField) -> bool:
    return any(
        part.number == _EXTERNAL_DATA or (part.number == _DATA_LOCATION and part.kind == VARINT and part.start)
        for part in reader.read(tensor)
    )


def _read_last_text(reader: Reader, fields: Sequence[WireField], number: int) -> str:
    return next((reader.read_text(field) for field in reversed(fields) if field.number == number), "")


def _find_foreign_operator(reader: Reader, top: Sequence[WireField], graph: Sequence[WireField]) -> str | None:
    """Return the first operator that neither the standard has nor the model's own functions; None where all are known."""
    functions = [reader.read(field) for field in _select(top, _FUNCTION)]
    own = {tuple(_read_last_text(reader, parts, n) for n in (_FUNCTION_DOMAIN, _FUNCTION_NAME)) for parts in functions}
    graphs = [(graph, _NODE), *((parts, _FUNCTION_NODE) for parts in functions)]
    while graphs:
        fields, number = graphs.pop()
        for node in _select(fields, number):
            parts = reader.read(node)
            domain, operator = (_read_last_text(reader, parts, n) for n in (_DOMAIN, _OPERATOR))
            if domain not in STANDARD and (domain, operator) not in own:
                return f"{domain}::{operator}"
            attributes = (reader.read(field) for field in _select(parts, _ATTRIBUTE))
            graphs += [(reader.read(inner), _NODE) for fields in attributes for inner in _select(fields, *_SUBGRAPHS)]
    return None


def _read_inputs(reader: Reader, graph: Sequence[WireField]) -> list[tuple[int, int | None]]:
    """Return the element type and the number of dimensions of each input, None without a shape; weights are no inputs."""
    weights = {_read_last_text(reader, reader.read(field), _TENSOR_NAME) for field in _select(graph, _INITIALIZER)}
    inputs: list[tuple[int, int | None]] = []
    for value in _select(graph, _INPUT):
        parts = reader.read(value)
        if _read_last_text(reader, parts, _VALUE_NAME) in weights:
            continue
        tensor = [
            inner
            for kind in _select(parts, _TYPE)
            for field in _select(reader.read(kind), _TENSOR_TYPE)
            for inner in reader.read(field)
        ]
        element = next((field.start for field in reversed(tensor) if field.number == _ELEMENT and field.kind == VARINT), 0)
        shapes = [reader.read(field) for field in _select(tensor, _SHAPE)]
        n_dimensions = sum(field.number == _DIMENSION for shape in shapes for field in shape)
        inputs.append((element, n_dimensions if shapes else None))
    return inputs


def _describe_inputs(inputs: Sequence[tuple[int, int | None]]) -> Localized:
    if len(inputs) != 1:
        return message("model_inputs", n=len(inputs))
    element, n_dimensions = inputs[0]
    if element != _FLOAT:
        return message("model_not_float")
    return message("model_no_shape") if n_dimensions is None else message("model_dimensions", n=n_dimensions)


def _read_metadata(reader: Reader, top: Sequence[WireField]) -> Iterator[tuple[str, str]]:
    for field in _select(top, _METADATA):
        parts = reader.read(field)
        yield _read_last_text(reader, parts, _KEY), _read_last_text(reader, parts, _VALUE)


def _check_metadata(metadata: dict[str, str], name: str, needs: ModelNeeds) -> None:
    """Refuse the rate or the labels of another contest; a model that tells neither is checked when it is run."""
    rate_hz = metadata.get("rate_hz", "")
    if rate_hz and needs.rate_hz and rate_hz != str(needs.rate_hz):
        raise ModelRefused(message("model_rate", file=name, rate=_shorten(rate_hz), needed=needs.rate_hz))
    text = metadata.get("labels", "")
    if not text:
        return
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError):
        labels = None
    if not (isinstance(labels, list) and all(isinstance(label, str) for label in labels)):
        raise ModelRefused(message("model_bad_labels", file=name))
    if sorted(labels) != sorted(needs.labels):
        came = ", ".join(map(quote_short, labels[:12])) or "—"
        raise ModelRefused(message("model_labels", file=name, came=came, needed=LabelList(needs.labels)))


def _shorten(text: str) -> str:
    """Shorten a model's own words and blank what does not print."""
    return "".join(char if char.isprintable() else " " for char in text[:_MAX_SHOWN])
