"""Headers of RIFF WAVE files, and what recorders and converters get wrong in them: sizes, headers within the sound."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

_NO_SIZE = 0xFFFFFFFF  # size that a streaming program writes, as it cannot go back to fill it in; others leave 0,
_MIN_NO_SIZE = 0x7FFF0000  # or write about 2 GiB (sox, arecord), which is more than any recording here
_HEADER_BYTES = 44  # length of a plain header, which some count as part of the sound
_CHUNK = re.compile(rb"[\x20-\x7e]{4}")
_RIFF = re.compile(rb"RIFF....WAVE(?=fmt |LIST|JUNK|bext|fact)", re.DOTALL)
_NOTES = re.compile(rb"(?:LIST....(?:INFO|adtl)|id3 ....ID3|ID3 ....ID3)", re.DOTALL)
_ID3V1_BYTES = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class WavSound:
    """The sound of a wav, without what does not belong to it."""

    header: bytes  # all before the sound; the last four bytes are to be its size
    body: bytes
    truncated: bool  # the header promises more than the file holds
    has_header_inside: bool  # headers or notes stood within the sound, and are left out of it
    n_unread: int  # bytes behind the declared end of the sound that are no chunks
    is_changed: bool  # body or size differ from the file's

    def to_bytes(self) -> bytes:
        """Return the file as it should have been."""
        size = min(len(self.body), _NO_SIZE)
        return self.header[:-4] + struct.pack("<I", size) + self.body


@dataclass(frozen=True, kw_only=True, slots=True)
class WavHeader:
    """Content of the chunks before the sound."""

    start: int  # offset of the sound
    size: int  # declared bytes of sound
    block_align: int
    bytes_per_s: int


def read_header(content: bytes, start: int = 0) -> WavHeader | None:
    """Return the header of the wav that begins at `start`; None if it is none, or breaks off before its sound."""
    if content[start : start + 4] != b"RIFF" or content[start + 8 : start + 12] != b"WAVE":
        return None
    offset, block_align, bytes_per_s = start + 12, 1, 0
    while offset + 8 <= len(content):
        size = struct.unpack_from("<I", content, offset + 4)[0]
        if content[offset : offset + 4] == b"data":
            return WavHeader(start=offset + 8, size=size, block_align=max(1, block_align), bytes_per_s=bytes_per_s)
        if content[offset : offset + 4] == b"fmt " and offset + 24 <= len(content):
            rate_hz, _, block_align = struct.unpack_from("<IIH", content, offset + 12)
            bytes_per_s = rate_hz * block_align
        offset += 8 + size + size % 2  # a chunk of odd length has a pad byte
    return None


def extract_sound(content: bytes) -> WavSound | None:
    """Return the sound of a wav; None if it is none that can be understood."""
    header = read_header(content)
    if not header:
        return None
    start, n_left = header.start, len(content) - header.start
    is_streamed = header.size >= _MIN_NO_SIZE or (header.size == 0 and not _is_chunks(content[start:]))
    size = n_left if is_streamed else min(header.size, n_left)
    body = content[start : start + size]
    n_missing = 0 if is_streamed else max(0, header.size - n_left)
    rest = content[start + size :]
    inner = read_header(body)
    if inner and (sound := extract_sound(body)):  # the header next to the sound is the recorder's own
        return WavSound(
            header=sound.header,
            body=sound.body,
            truncated=sound.truncated,
            has_header_inside=True,
            n_unread=sound.n_unread,
            is_changed=True,
        )
    clean = _remove_headers(body[_skip_chunks(body) :])
    return WavSound(
        header=content[:start],
        body=clean,
        truncated=n_missing >= header.block_align and n_missing > _HEADER_BYTES and n_missing != start,
        has_header_inside=len(clean) != len(body),
        n_unread=0 if _is_no_sound(rest) or _is_no_sound(rest[size % 2 :]) else len(rest),  # some write no pad byte
        is_changed=len(clean) != header.size,
    )


def _is_no_sound(rest: bytes) -> bool:
    return _is_chunks(rest) or not rest.strip(b"\0") or rest[:3] == b"TAG"


def _is_chunks(content: bytes) -> bool:
    """Return whether the bytes are none or a sequence of chunks, and so no sound."""
    offset = 0
    while offset + 8 <= len(content) and _CHUNK.fullmatch(content, offset, offset + 4):
        size = struct.unpack_from("<I", content, offset + 4)[0]
        offset += 8 + size + size % 2
    return offset in (len(content), len(content) + 1)


def _skip_chunks(body: bytes) -> int:
    """Return the offset of the sound in a body that begins with chunks, the last of which is `data`; else 0."""
    offset = 0
    while offset + 8 <= len(body) and _CHUNK.fullmatch(body, offset, offset + 4):
        size, n_left = struct.unpack_from("<I", body, offset + 4)[0], len(body) - offset - 8
        if body[offset : offset + 4] == b"data":
            is_header = offset > 0 or size == 0 or size >= _MIN_NO_SIZE or abs(size - n_left) <= 8 + _HEADER_BYTES
            return offset + 8 if is_header else 0
        offset += 8 + size + size % 2
    return 0


def _remove_headers(body: bytes) -> bytes:
    """Return the sound without whole headers in its middle (wavs joined end to end) and notes at its end."""
    parts, position = [], 0
    for match in _RIFF.finditer(body) if b"WAVE" in body else ():
        header = read_header(body, match.start())
        if header and match.start() >= position:
            parts.append(body[position : match.start()])
            position = header.start
    body = b"".join([*parts, body[position:]])
    for match in _NOTES.finditer(body) if any(word in body for word in (b"LIST", b"id3 ", b"ID3 ")) else ():
        if _is_chunks(body[match.start() :]):
            return body[: match.start()]
    tag = body[-_ID3V1_BYTES:]
    is_tag = len(body) > _ID3V1_BYTES and re.fullmatch(rb"TAG[\0\x20-\x7e\xa0-\xff]{124}.", tag, re.DOTALL)
    return body[:-_ID3V1_BYTES] if is_tag else body
