"""MP3s of variable bit rate that lack the frame which says how long they are: libsndfile guesses from the first, and cuts."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_KBPS = {  # by version (1 is MPEG-1) and index; layer III
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8000)}  # by version bits
_MONO = 3
_LENGTH_MARKS = (b"Xing", b"Info", b"VBRI")


def add_length(content: bytes) -> bytes | None:
    """Return an MP3 with a frame that says its length; None if it needs none, or is no MP3."""
    start = 10 + read_tag_size(content) if content[:3] == b"ID3" else 0
    frames = list(_frames(content, start))
    if len(frames) < 2 or len({content[offset + 2] >> 4 for offset, _ in frames}) == 1:
        return None  # with one bit rate the guess is right
    offset, size = frames[0]
    if any(mark in content[offset : offset + min(size, 64)] for mark in _LENGTH_MARKS):
        return None
    header = bytearray(content[offset : offset + 4])
    is_first_version, is_mono = header[1] >> 3 & 3 == 3, header[3] >> 6 == _MONO
    header[1] |= 1  # without a checksum
    header[2] = header[2] & 0x0D | 0xC0  # a bit rate whose frame has room, without padding
    side_bytes = (17 if is_mono else 32) if is_first_version else (9 if is_mono else 17)
    _, n_bytes = next(_frames(bytes(header) + bytes(4), 0, is_alone=True))
    mark = bytes(header) + bytes(side_bytes) + struct.pack(">4sII", b"Xing", 1, len(frames))
    return mark.ljust(n_bytes, b"\0") + content[offset:]


def read_tag_size(content: bytes) -> int:
    """Return the size of the ID3 tag at the beginning, without its head of 10 bytes."""
    return sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(content[6:10]))


def _frames(content: bytes, offset: int, *, is_alone: bool = False) -> Iterator[tuple[int, int]]:
    """Yield offset and size of each frame of layer III from `offset` on, to the first that is none or breaks off."""
    while offset + 4 <= len(content):
        first, second, third = content[offset : offset + 3]
        version, index, rate_index = second >> 3 & 3, third >> 4, third >> 2 & 3
        if first != 0xFF or second & 0xE6 != 0xE2 or version == 1 or index in (0, 15) or rate_index == 3:
            return
        kbps = _KBPS[1 if version == 3 else 2][index]
        size = (144_000 if version == 3 else 72_000) * kbps // _RATES_HZ[version][rate_index] + (third >> 1 & 1)
        if offset + size > len(content) and not is_alone:
            return
        yield offset, size
        offset += size
