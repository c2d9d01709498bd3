"""Protocol buffers read from their bytes alone (protobuf.dev, Encoding): the fields of one message, without a schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

VARINT, EIGHT, SIZED, FOUR = 0, 1, 2, 5  # wire types
_MAX_VARINT_BYTES = 10


class NoProtobuf(Exception):
    """The bytes are no protocol buffer, or one of more fields than are read."""


@dataclass(frozen=True, slots=True)
class WireField:
    """A field of a message."""

    number: int
    kind: int  # wire type
    start: int  # first byte of the value; for a varint, the value itself
    end: int


@dataclass(slots=True)
class Reader:
    """Reads the messages inside one file; all of them together may have `n_left` fields."""

    content: bytes = field(repr=False)
    n_left: int

    def read(self, outer: WireField) -> list[WireField]:
        """Return the fields of the message in a field; none if it holds no message.

        Raises:
            NoProtobuf: the bytes are something else.
        """
        return list(self.read_fields(outer.start, outer.end)) if outer.kind == SIZED else []

    def read_fields(self, position: int, end: int) -> Iterator[WireField]:
        """Yield the fields of the message in these bytes.

        Raises:
            NoProtobuf: the bytes are something else.
        """
        while position < end:
            self.n_left -= 1
            key, position = self._read_varint(position, end)
            number, kind = key >> 3, key & 7
            if not number or self.n_left < 0:
                raise NoProtobuf
            if kind == VARINT:
                value, position = self._read_varint(position, end)
                yield WireField(number, kind, value, position)
                continue
            size = {EIGHT: 8, FOUR: 4}.get(kind)
            if kind == SIZED:
                size, position = self._read_varint(position, end)
            if size is None or position + size > end:
                raise NoProtobuf
            yield WireField(number, kind, position, position + size)
            position += size

    def read_text(self, outer: WireField) -> str:
        """Return the text in a field, unreadable bytes replaced; empty for a field of another kind."""
        return self.content[outer.start : outer.end].decode("utf-8", "replace") if outer.kind == SIZED else ""

    def _read_varint(self, position: int, end: int) -> tuple[int, int]:
        """Return an integer stored in groups of seven bits, lowest first, and the position after it."""
        value = 0
        for index in range(_MAX_VARINT_BYTES):
            if position >= end:
                raise NoProtobuf
            byte = self.content[position]
            position += 1
            value |= (byte & 127) << 7 * index
            if byte < 128:
                return value, position
        raise NoProtobuf
