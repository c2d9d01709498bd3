"""Kinds of files that are given in place of a CSV, told by their first bytes. Standard library only."""

from __future__ import annotations

_STARTS = (
    ("parquet", b"PAR1"),
    ("feather", b"ARROW1"),
    ("feather", b"FEA1"),
    ("xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("gzip", b"\x1f\x8b"),
    ("bzip2", b"BZh"),
    ("xz", b"\xfd7zXZ\0"),
    ("zstd", b"\x28\xb5\x2f\xfd"),
    ("seven_zip", b"7z\xbc\xaf\x27\x1c"),
    ("rar", b"Rar!\x1a\x07"),
    ("pdf", b"%PDF"),
    ("picture", b"\x89PNG"),
    ("picture", b"\xff\xd8\xff"),
    ("picture", b"GIF8"),
    ("sqlite", b"SQLite format 3\0"),
    ("numpy", b"\x93NUMPY"),
    ("hdf5", b"\x89HDF"),
    ("sound", b"RIFF"),
    ("sound", b"fLaC"),
    ("sound", b"OggS"),
    ("sound", b"ID3\x03"),
    ("sound", b"ID3\x04"),
    ("lfs_pointer", b"version https://git-lfs"),
    ("rtf", b"{\\rtf"),
    ("web_page", b"<"),
)
_JSON_STARTS = (b'{"', b"[{", b"[[", b'["', b"{}", b"{'")
_PICKLE_VERSIONS = (2, 3, 4, 5)
_TAR_MARK, _TAR_POSITION = b"ustar", 257


def name_kind(content: bytes) -> str | None:
    """Return the kind of a file that is no CSV, a key of the texts; None for what may be one."""
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _name_zip(content)
    text = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    for kind, start in _STARTS:
        if content.startswith(start) or text.startswith(start):
            return kind
    if content[_TAR_POSITION : _TAR_POSITION + len(_TAR_MARK)] == _TAR_MARK:
        return "tar"
    if content[:1] == b"\x80" and content[1:2] and content[1] in _PICKLE_VERSIONS:
        return "pickle"
    squeezed = b"".join(text.split())
    if squeezed.startswith(_JSON_STARTS):
        return "notebook" if b'"nbformat"' in content else "json"
    return None


def _name_zip(content: bytes) -> str:
    if b"[Content_Types].xml" in content or b"xl/workbook" in content:
        return "xlsx"
    if b"application/vnd.oasis.opendocument" in content[:200]:
        return "ods"
    if b"Index/Document.iwa" in content:
        return "numbers"
    if content[30:200].find(b".npy") >= 0:
        return "npz"
    return "torch" if b"/data.pkl" in content[:200] else "zip"
