"""Whether a file is an ONNX model, told from its bytes alone: nothing of it is run, unpickled or imported.

The file is walked as protocol buffers (protobuf.dev, Encoding; onnx.proto3: ModelProto, GraphProto, TensorProto) down to the
weights' own fields. What only a parser of the format can tell is told when the host verifies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leaderboard.errors import ModelRefused
from leaderboard.messages import message

MAX_MODEL_BYTES = 20_000_000
_MOST_FIELDS = 200_000  # that are looked at; all eight nets of Arena in one file have 3,207
_VARINT, _EIGHT, _SIZED, _FOUR = 0, 1, 2, 5  # kinds of fields
_LONGEST_VARINT = 10
_IR_VERSION, _GRAPH, _OPSET = 1, 7, 8  # of ModelProto
_NODE, _INITIALIZER, _OUTPUT = 1, 5, 12  # of GraphProto
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of TensorProto
_OTHERS = (  # what teams send instead, by how it begins
    (b"PK\x03\x04", "model_zip"),
    (b"\x80", "model_pickle"),
    (b"\x89HDF", "model_hdf5"),
    (b"<", "model_page"),
)


class _NoMessage(Exception):  # noqa: N818
    """The bytes are no protocol buffer."""


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    kind: int
    start: int  # of its value; a varint's value itself
    end: int


def build_size_refusal(name: str, max_bytes: int) -> ModelRefused:
    """The refusal of a model with more bytes than are taken."""
    problem = message("model_too_large", megabytes=f"{max_bytes / 1e6:g}")
    return ModelRefused(message("in_file", file=name, line=None, problem=problem, more=""))


def check_form(content: bytes, name: str) -> None:
    """Refuse what cannot be an ONNX model in one file.

    Raises:
        ModelRefused: it is another format, has no net, or keeps its weights elsewhere.
    """
    left = [_MOST_FIELDS]
    try:
        top = list(_fields(content, 0, len(content), left))
        found = {(field.number, field.kind) for field in top}
        if not {(_IR_VERSION, _VARINT), (_GRAPH, _SIZED), (_OPSET, _SIZED)} <= found:
            raise _NoMessage
        graph = [
            inner
            for field in top
            if field.number == _GRAPH and field.kind == _SIZED
            for inner in _fields(content, field.start, field.end, left)
        ]
        is_outside = any(_is_outside(content, field, left) for field in graph)
    except _NoMessage:
        raise _refused_format(content, name) from None
    if not {_NODE, _OUTPUT} <= {field.number for field in graph if field.kind == _SIZED}:
        raise ModelRefused(message("model_no_net", file=name))
    if is_outside:
        raise ModelRefused(message("model_outside", file=name))


def _refused_format(content: bytes, name: str) -> ModelRefused:
    came = next((key for start, key in _OTHERS if content.startswith(start)), None)
    return ModelRefused(
        message("model_no_onnx", file=name) if came is None else message("model_other", file=name, came=message(came))
    )


def _is_outside(content: bytes, field: _Field, left: list[int]) -> bool:
    if (field.number, field.kind) != (_INITIALIZER, _SIZED):
        return False
    tensor = list(_fields(content, field.start, field.end, left))
    return any(
        one.number == _EXTERNAL_DATA or (one.number == _DATA_LOCATION and one.kind == _VARINT and one.start) for one in tensor
    )


def _fields(content: bytes, at: int, end: int, left: list[int]) -> Iterator[_Field]:
    """The fields of one message; `left` counts down how many more are looked at."""
    while at < end:
        left[0] -= 1
        key, at = _varint(content, at, end)
        number, kind = key >> 3, key & 7
        if not number or left[0] < 0:
            raise _NoMessage
        if kind == _VARINT:
            value, at = _varint(content, at, end)
            yield _Field(number, kind, value, at)
            continue
        size = {_EIGHT: 8, _FOUR: 4}.get(kind)
        if kind == _SIZED:
            size, at = _varint(content, at, end)
        if size is None or at + size > end:
            raise _NoMessage
        yield _Field(number, kind, at, at + size)
        at += size


def _varint(content: bytes, at: int, end: int) -> tuple[int, int]:
    """A whole number in groups of seven bits, lowest first, and where it ends."""
    value = 0
    for place in range(_LONGEST_VARINT):
        if at >= end:
            raise _NoMessage
        byte = content[at]
        at += 1
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at
    raise _NoMessage
