"""True kinds of files, by their first bytes: a name says little (phones call M4A `.mp3`, servers send web pages as `.wav`)."""

from __future__ import annotations

import codecs
import os
import re
import shlex
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cnn.decoding.codings import is_raw_sound
from cnn.errors import CorpusError

HEAD_BYTES = 4096  # enough for any signature here


@dataclass(frozen=True, kw_only=True, slots=True)
class FileKind:
    """Kind of a file that libsndfile does not read."""

    name: str  # as in `is a web page`
    advice: str = ""  # empty for sound that ffmpeg converts
    suffix: str = ""  # usual suffix of such sound
    demuxer: str = ""  # ffmpeg's name of the format; given to it, so that no playlist makes it open other files


class ForeignFileError(CorpusError):
    """The file is no recording, or one that only ffmpeg reads; the text is the rest of a sentence that begins with its path."""

    def __init__(self, path: Path, kind: FileKind) -> None:
        super().__init__(f"is {kind.name}: {kind.advice or f'`{describe_conversion(path, kind.suffix)}`'}")
        self.kind = kind


def describe_conversion(path: Path, suffix: str) -> str:
    """Return the command line that turns `path` into a wav; a file that is called wav already gets its true suffix first."""
    source, target = path, path.with_suffix(".wav")
    if source == target or path.suffix == ".WAV":
        source = path.with_suffix(suffix if suffix != ".wav" else ".old.wav")
    rename = "" if source == path else f"{_quote('mv', path, source)} && "
    return f"{rename}{_quote('ffmpeg', '-i', source, target)}"


def describe_unreadable(path: Path, head: bytes, reason: str) -> str:
    """Return why a file that libsndfile does not read cannot be used, as the rest of a sentence that begins with its path."""
    if not head:
        return "is empty"
    if reason == "Format not recognised" and is_raw_sound(head):
        target = path.with_suffix(".wav" if path.suffix.lower() != ".wav" else ".new.wav")
        command = _quote("ffmpeg", "-f", "s16le", "-ar", "RATE", "-ac", "1", "-i", path, target)
        return f"has no header, only samples of 16 bits; say their rate with `{command}`"
    if head.startswith(b"RIFF") and len(head) < HEAD_BYTES and b"data" not in head:
        return "is a wav that breaks off before its sound; copy it again"
    return f"is no recording that can be read: {'it is damaged' if 'regular file' in reason else reason}"


def _quote(*words: str | Path) -> str:
    """Return words for the shell; a path that begins with a dash is no option."""
    safe = [f"./{word}" if isinstance(word, Path) and str(word).startswith("-") else str(word) for word in words]
    return subprocess.list2cmdline(safe) if os.name == "nt" else shlex.join(safe)


def _sound(name: str, suffix: str, demuxer: str) -> FileKind:
    return FileKind(name=f"{name}, which is not read here", suffix=suffix, demuxer=demuxer)


_FETCH = "fetch the recording again"
_REPLACE = "put the recording in its place"
_APPLE_DOUBLE = FileKind(name="a Mac's note about another file (AppleDouble), no recording", advice="remove it")
_LFS = FileKind(name="a Git LFS pointer, not the recording", advice="fetch that with `git lfs pull`")
_WEB_PAGE = FileKind(name="a web page, not the recording", advice=f"{_FETCH}, from an address that needs no login")
_JSON = FileKind(name="JSON, such as a server's error, not the recording", advice=_FETCH)
_TEXT = FileKind(name="text, not a recording", advice=_REPLACE)
_ANNEX = FileKind(name="a git-annex pointer, not the recording", advice="fetch that with `git annex get`")
_FORM = FileKind(name="a form as a browser sends it, with the recording inside", advice="let the server save the file alone")
_BASE64 = FileKind(name="base64 text of a recording", advice="decode it, such as with `base64 -d`")
_ZEROS = FileKind(name="nothing but zeros", advice="a copy or download broke off; copy it again")
_MP4 = _sound("M4A or MP4 (AAC)", ".m4a", "mov")
_3GP = _sound("3GP", ".3gp", "mov")
_SIGNATURES: tuple[tuple[int, bytes, FileKind], ...] = (
    (0, b"version https://git-lfs", _LFS),
    (0, b"/annex/objects/", _ANNEX),
    (0, b"data:audio/", _BASE64),
    *((0, start, _BASE64) for start in (b"UklGR", b"T2dnU", b"ZkxhQ", b"SUQz", b"GkXfo")),  # RIFF, OggS, fLaC, ID3, WebM
    (0, b"\x00\x05\x16\x07", _APPLE_DOUBLE),
    (4, b"ftyp3g", _3GP),
    (4, b"ftyp", _MP4),
    (4, b"moov", _MP4),
    (0, b"\x1aE\xdf\xa3", _sound("WebM or Matroska", ".webm", "matroska")),
    (0, b"#!AMR", _sound("AMR", ".amr", "amr")),
    (0, b"0&\xb2u\x8ef\xcf\x11", _sound("WMA", ".wma", "asf")),
    (0, b"ADIF", _sound("AAC", ".aac", "aac")),
    (0, b"FLV\x01", _sound("a Flash video", ".flv", "flv")),
    (0, b"MAC ", _sound("Monkey's Audio", ".ape", "ape")),
    (0, b"wvpk", _sound("WavPack", ".wv", "wv")),
    (0, b"PK\x03\x04", FileKind(name="a zip archive (or an office document)", advice="unpack it and give what is inside")),
    (0, b"\x1f\x8b", FileKind(name="compressed with gzip", advice="unpack it with `gunzip`")),
    (0, b"7z\xbc\xaf\x27\x1c", FileKind(name="a 7z archive", advice="unpack it and give what is inside")),
    (0, b"Rar!", FileKind(name="a rar archive", advice="unpack it and give what is inside")),
    (0, b"BZh", FileKind(name="compressed with bzip2", advice="unpack it with `bunzip2`")),
    (0, b"\xfd7zXZ", FileKind(name="compressed with xz", advice="unpack it with `unxz`")),
    (0, b"%PDF", FileKind(name="a PDF, not a recording", advice=_REPLACE)),
    (0, b"\x89PNG", FileKind(name="a picture (PNG), not a recording", advice=_REPLACE)),
    (0, b"\xff\xd8\xff", FileKind(name="a picture (JPEG), not a recording", advice=_REPLACE)),
    (0, b"GIF8", FileKind(name="a picture (GIF), not a recording", advice=_REPLACE)),
    (8, b"WEBP", FileKind(name="a picture (WebP), not a recording", advice=_REPLACE)),
    (8, b"AVI ", _sound("a video (AVI)", ".avi", "avi")),
    (0, b"\xd0\xcf\x11\xe0", FileKind(name="an office document, not a recording", advice=_REPLACE)),
    (0, b"SQLite format 3", FileKind(name="a database, not a recording", advice=_REPLACE)),
    (0, b"MThd", FileKind(name="MIDI, notes without sound", advice=_REPLACE)),
    (0, b"\x93NUMPY", FileKind(name="a numpy array, not a recording", advice="write its samples as a wav, with their rate")),
)
_CODINGS = {0x50: "MPEG", 0x55: "MP3", 0xFF: "AAC", 0x160: "WMA", 0x161: "WMA", 0x162: "WMA", 0x1610: "AAC", 0x674F: "Vorbis"}
_TEXT_BYTES = re.compile(rb"[\t\n\f\r\x1b\x20-\x7e\x80-\xff]*")


def identify(head: bytes) -> FileKind | None:
    """Return the kind of the file that begins with `head`; None if libsndfile may read it, or nobody knows."""
    for offset, signature, kind in _SIGNATURES:
        if head.startswith(signature, offset):
            return kind
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xF6 == 0xF0:  # layer bits 00, which no MP3 has
        return _sound("AAC", ".aac", "aac")
    if head[:4] == b"NIST" and b"shorten" in head[:1024]:
        return FileKind(name="NIST SPHERE packed with shorten", advice="unpack it with `sph2pipe -f wav`")
    return _identify_text(head)


def identify_sound(head: bytes) -> FileKind | None:
    """Return the kind of the sound that begins with `head` where samples should be; None if they are samples."""
    for signature, name in ((b"OggS", "Ogg"), (b"fLaC", "FLAC"), (b"ID3", "MP3")):
        if head.startswith(signature):
            return FileKind(name=name)
    kind = next((kind for offset, signature, kind in _SIGNATURES if head.startswith(signature, offset)), None)
    return kind if kind and kind.demuxer else None


def identify_coding(head: bytes) -> FileKind | None:
    """Return the kind of a file whose container libsndfile reads, though not its coding; None if it is another or damaged."""
    if head.startswith(b"caff"):
        return _sound("CAF in a coding such as AAC", ".caf", "caf")
    if head.startswith(b"OggS") and b"Speex   " in head[:128]:
        return _sound("Speex", ".spx", "ogg")
    start = head.find(b"fmt ") + 8
    tag = struct.unpack_from("<H", head, start)[0] if head.startswith(b"RIFF") and 8 <= start <= len(head) - 2 else 0
    if tag in _CODINGS:
        return _sound(f"a wav that holds {_CODINGS[tag]}", ".wav", "wav")
    return None


def _identify_text(head: bytes) -> FileKind | None:
    if head[:2] == b"--" and b"content-disposition:" in head[:1024].lower():
        return _FORM
    if head and not head.strip(b"\0"):
        return _ZEROS
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<?xml")):
        return _WEB_PAGE
    if not _TEXT_BYTES.fullmatch(head):
        return None
    if re.match(rb"\{\s*[\"}]|\[\s*[\[{\"0-9]", text):
        return _JSON
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return None
    return _TEXT if len(text) > 3 and not text.startswith((b"riff", b"form", b"oggs", b"flac", b"nist")) else None
