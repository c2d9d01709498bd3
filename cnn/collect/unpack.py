"""Unpacking of a downloaded archive into a corpus folder: only files that its source names, no links, none outside the folder.

Standard library only. A tar is read in one pass, as a stream.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from cnn.collect.catalogue import Source
from cnn.corpus.metadata import ABOUT_NAME, METADATA_NAME
from cnn.errors import CorpusError
from cnn.files import write_json, write_whole
from cnn.settings.data import DIGITS

_LARGEST_BYTES = 32 << 20  # limit of one file; a spoken digit of 60 s at 192 kHz has 23 MB


class ArchiveError(CorpusError):
    """The archive is not that of the corpus; the text is the rest of a sentence that begins with the archive's name."""


class DamagedArchiveError(ArchiveError):
    """The file is truncated or no archive, and so of no use."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnpackResult:
    """Recordings that were unpacked from an archive."""

    per_digit: tuple[int, ...]
    digest: str  # `content_digest` of all recordings
    verified: str  # sentence on the checks that the recordings passed


def content_digest(digests: Mapping[str, str]) -> str:
    """Return the SHA-256 over the lines `<SHA-256>  <path>` of recordings, sorted by path, in sha256sum's format."""
    lines = (f"{digest}  {path}\n" for path, digest in sorted(digests.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def unpack(source: Source, archive: Path, folder: Path, advance: Callable[[int], None], verify: bool = True) -> UnpackResult:
    """Write the corpus into the empty `folder`; `advance(1)` is called for each recording.

    Raises:
        ArchiveError: the archive is damaged or holds something else.
        CorpusError: the folder cannot be written.
    """
    digests: dict[str, str] = {}
    try:
        for member, size, content in _members(archive):
            path = source.corpus_path(member) or source.corpus_path(member.partition("/")[2])
            if path is None or path in digests:
                continue
            if size > _LARGEST_BYTES:
                raise ArchiveError(f"is not {source.title}: {member} has {size:,} bytes")
            digests[path] = _write(folder / path, content())
            if source.read_label(path):
                advance(1)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        UnicodeError,
    ) as error:
        raise _damage(error) from error
    except OSError as error:
        if error.errno is None:  # gzip.BadGzipFile
            raise _damage(error) from error
        raise CorpusError(f"cannot unpack {archive} into {folder}: {error.strerror}; free some space") from error
    return _verify(source, {path: digest for path, digest in digests.items() if source.read_label(path)}, verify)


def _damage(error: Exception) -> DamagedArchiveError:
    return DamagedArchiveError(f"is damaged: {str(error) or type(error).__name__}")


def _members(archive: Path) -> Iterator[tuple[str, int, Callable[[], IO[bytes]]]]:
    """Yield path, size in bytes and an opener of each ordinary file of a tar or zip."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as box:
            for info in box.infolist():
                if not info.is_dir() and (info.external_attr >> 28) in (0, 8):  # Unix file type: unknown or a file, no link
                    yield info.filename, info.file_size, partial(box.open, info)
        return
    with tarfile.open(archive, "r|*") as tar:
        for member in tar:
            if member.isreg():
                yield member.name.removeprefix("./"), member.size, partial(_open_member, tar, member)


def _open_member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    assert file is not None  # it is an ordinary file
    return file


def _write(path: Path, content: IO[bytes]) -> str:
    path.parent.mkdir(exist_ok=True)
    with content, path.open("xb") as file:
        sound = content.read(_LARGEST_BYTES)
        file.write(sound)
    return hashlib.sha256(sound).hexdigest()


def _verify(source: Source, digests: Mapping[str, str], verify: bool) -> UnpackResult:
    """Compare the recordings with those of the source, unless `verify` is False.

    Raises:
        ArchiveError: they differ, or there are none.
    """
    counts = Counter(map(source.read_label, digests))
    per_digit = tuple(counts[label] for label in DIGITS)
    digest = content_digest(digests)
    if not digests:
        raise ArchiveError(f"holds no recording of {source.title}")
    if not verify:
        return UnpackResult(per_digit=per_digit, digest=digest, verified="nothing was verified, as asked for")
    if per_digit != source.per_digit:
        differences = ", ".join(
            f"{n:,} of digit {label} instead of {expected:,}"
            for label, n, expected in zip(DIGITS, per_digit, source.per_digit, strict=True)
            if n != expected
        )
        raise ArchiveError(f"is not the {source.title} that is known: {differences}")
    pattern = source.checked_paths
    checked = {path: digest for path, digest in digests.items() if pattern and pattern.fullmatch(path)}
    if checked and content_digest(checked) != source.checked_digest:
        raise ArchiveError("has the right number of recordings, yet other ones than are known")
    return UnpackResult(per_digit=per_digit, digest=digest, verified=_describe_checks(source, len(checked)))


def _describe_checks(source: Source, n_checked: int) -> str:
    counts = f"the {source.n_clips:,} recordings and their number per digit"
    if source.sha256:
        return f"the archive's published SHA-256, {counts}"
    if n_checked == source.n_clips:
        return f"{counts}, each recording by its SHA-256 against a known copy"
    return f"{counts}; {n_checked:,} of them by their SHA-256 against a known copy (no checksum of the whole is published)"


def write_notes(source: Source, url: str, result: UnpackResult, folder: Path) -> None:
    """Write README.md with licence and citation, SOURCE.json for `arena data card`, and speakers and lists in our own form.

    Raises:
        OSError, RunError: the files cannot be written.
    """
    about = {
        "name": source.name,
        "title": source.title,
        "licence": source.licence,
        "licence_url": source.licence_url,
        "citation": source.citation,
        "homepage": source.homepage,
        "fetched_from": url,
        "n_clips": sum(result.per_digit),
        "content_digest": result.digest,
        "verified": result.verified,
    }
    write_json(folder / ABOUT_NAME, about)
    lines = [
        f"# {source.title}",
        f"{sum(result.per_digit):,} recordings of spoken digits, fetched by `arena data get {source.name}` from {url}.",
        f"Licence: {source.licence}, {source.licence_url}. Whoever passes these files on passes on the licence.",
        f"Cite: {source.citation}",
        f"Home: {source.homepage}",
        f"Verified: {result.verified}. SHA-256 over all recordings: {result.digest}",
    ]
    write_whole(folder / "README.md", ("\n\n".join(lines) + "\n").encode())
    if source.speakers:
        write_json(folder / METADATA_NAME, source.speakers)
    for name in source.extra_files.values():
        if name.endswith("_list.txt"):
            _rename_lines(source, folder / name)


def _rename_lines(source: Source, path: Path) -> None:
    """Replace the archive's paths in a list by those of the corpus; words that are no digits are left out."""
    if path.exists():
        paths = (source.corpus_path(line.strip()) for line in path.read_text(encoding="utf-8").splitlines())
        write_whole(path, "".join(f"{name}\n" for name in paths if name).encode())


def make_empty_folder(folder: Path) -> None:
    """Make an empty folder, removing the remains of a killed call.

    Raises:
        OSError: the folder cannot be made.
    """
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
