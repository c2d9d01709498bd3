"""Check of an ONNX model from its bytes alone: nothing of it is run, unpickled or imported.

The file is parsed as protocol buffers (protobuf.dev, Encoding; onnx.proto3: ModelProto, GraphProto, TensorProto) down to the
weights' own fields. Errors that only a full parser sees are reported when the host verifies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leaderboard.errors import ModelRefused
from leaderboard.messages import message

MAX_MODEL_BYTES = 20_000_000
_MAX_FIELDS = 200_000  # fields that are parsed; the eight nets of 2026-11 in one file have 3,207
_VARINT, _EIGHT, _SIZED, _FOUR = 0, 1, 2, 5  # wire types
_MAX_VARINT_BYTES = 10
_IR_VERSION, _GRAPH, _OPSET = 1, 7, 8  # field numbers of ModelProto
_NODE, _INITIALIZER, _OUTPUT = 1, 5, 12  # field numbers of GraphProto
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # field numbers of TensorProto
_OTHER_FORMATS = (  # files that teams send by mistake, by their first bytes
    (b"PK\x03\x04", "model_zip"),
    (b"\x80", "model_pickle"),
    (b"\x89HDF", "model_hdf5"),
    (b"<", "model_page"),
)


class _NoMessage(Exception):
    """The bytes are no protocol buffer."""


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    kind: int
    start: int  # first byte of the value; for a varint, the value itself
    end: int


def build_size_refusal(name: str, max_bytes: int) -> ModelRefused:
    """Build the refusal of a model with more bytes than allowed."""
    problem = message("model_too_large", megabytes=f"{max_bytes / 1e6:g}")
    return ModelRefused(message("in_file", file=name, line=None, problem=problem, more=""))


def check_form(content: bytes, name: str) -> None:
    """Refuse a file that cannot be an ONNX model in one file.

    Raises:
        ModelRefused: it has another format, no net, or its weights in another file.
    """
    budget = [_MAX_FIELDS]
    try:
        top = list(_read_fields(content, 0, len(content), budget))
        kinds = {(field.number, field.kind) for field in top}
        if not {(_IR_VERSION, _VARINT), (_GRAPH, _SIZED), (_OPSET, _SIZED)} <= kinds:
            raise _NoMessage
        graph = [
            inner
            for field in top
            if field.number == _GRAPH and field.kind == _SIZED
            for inner in _read_fields(content, field.start, field.end, budget)
        ]
        is_outside = any(_has_external_data(content, field, budget) for field in graph)
    except _NoMessage:
        raise _build_format_refusal(content, name) from None
    if not {_NODE, _OUTPUT} <= {field.number for field in graph if field.kind == _SIZED}:
        raise ModelRefused(message("model_no_net", file=name))
    if is_outside:
        raise ModelRefused(message("model_outside", file=name))


def _build_format_refusal(content: bytes, name: str) -> ModelRefused:
    came = next((key for start, key in _OTHER_FORMATS if content.startswith(start)), None)
    return ModelRefused(
        message("model_no_onnx", file=name) if came is None else message("model_other", file=name, came=message(came))
    )


def _has_external_data(content: bytes, field: _Field, budget: list[int]) -> bool:
    if (field.number, field.kind) != (_INITIALIZER, _SIZED):
        return False
    tensor = list(_read_fields(content, field.start, field.end, budget))
    return any(
        part.number == _EXTERNAL_DATA or (part.number == _DATA_LOCATION and part.kind == _VARINT and part.start)
        for part in tensor
    )


def _read_fields(content: bytes, position: int, end: int, budget: list[int]) -> Iterator[_Field]:
    """Yield the fields of a message; `budget` counts down how many more may be parsed."""
    while position < end:
        budget[0] -= 1
        key, position = _read_varint(content, position, end)
        number, kind = key >> 3, key & 7
        if not number or budget[0] < 0:
            raise _NoMessage
        if kind == _VARINT:
            value, position = _read_varint(content, position, end)
            yield _Field(number, kind, value, position)
            continue
        size = {_EIGHT: 8, _FOUR: 4}.get(kind)
        if kind == _SIZED:
            size, position = _read_varint(content, position, end)
        if size is None or position + size > end:
            raise _NoMessage
        yield _Field(number, kind, position, position + size)
        position += size


def _read_varint(content: bytes, position: int, end: int) -> tuple[int, int]:
    """Return an integer stored in groups of seven bits, lowest first, and the position after it."""
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        if position >= end:
            raise _NoMessage
        byte = content[position]
        position += 1
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, position
    raise _NoMessage
