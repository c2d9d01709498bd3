"""A downloaded archive to a corpus folder: only the files that its source names, never a link, never outside the folder.

Standard library only. A tar is read in one pass, without knowing in advance what follows.
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
from cnn.config import LABELS
from cnn.corpus.metadata import ABOUT_NAME, METADATA_NAME
from cnn.errors import CorpusError
from cnn.files import write_json, write_whole

_LARGEST_BYTES = 32 << 20  # of one file; a spoken digit of 60 s at 192 kHz has 23 MB


class ArchiveError(CorpusError):
    """An archive that is not the corpus's; the text is the rest of a sentence that begins with its name."""


class DamagedArchiveError(ArchiveError):
    """It breaks off, or is no archive: of no use to anyone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unpacked:
    """What was taken from an archive."""

    per_digit: tuple[int, ...]
    digest: str  # `content_digest` of all recordings
    checked: str  # what it was compared with, as a sentence


def content_digest(digests: Mapping[str, str]) -> str:
    """SHA-256 over the lines `<SHA-256>  <path>` of recordings, by path, as sha256sum prints them."""
    lines = (f"{digest}  {place}\n" for place, digest in sorted(digests.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def unpack(source: Source, archive: Path, folder: Path, advance: Callable[[int], None], verify: bool = True) -> Unpacked:
    """Write the corpus into the empty `folder`; `advance(n)` hears of `n` more recordings.

    Raises:
        ArchiveError: the archive is damaged or holds something else.
        CorpusError: the folder cannot be written.
    """
    digests: dict[str, str] = {}
    try:
        for path, size, content in _members(archive):
            place = source.place_of(path) or source.place_of(path.partition("/")[2])
            if place is None or place in digests:
                continue
            if size > _LARGEST_BYTES:
                raise ArchiveError(f"is not {source.title}: {path} has {size:,} bytes")
            digests[place] = _write(folder / place, content())
            if source.label_of(place):
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
        raise _damaged(error) from error
    except OSError as error:
        if error.errno is None:  # gzip.BadGzipFile
            raise _damaged(error) from error
        raise CorpusError(f"cannot unpack {archive} into {folder}: {error.strerror}; free some space") from error
    return _judge(source, {place: digest for place, digest in digests.items() if source.label_of(place)}, verify)


def _damaged(error: Exception) -> DamagedArchiveError:
    return DamagedArchiveError(f"is damaged: {str(error) or type(error).__name__}")


def _members(archive: Path) -> Iterator[tuple[str, int, Callable[[], IO[bytes]]]]:
    """The ordinary files of a tar or zip: path, bytes, and a way to open it."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as box:
            for info in box.infolist():
                if not info.is_dir() and (info.external_attr >> 28) in (0, 8):  # of Unix: unsaid or a file, no link
                    yield info.filename, info.file_size, partial(box.open, info)
        return
    with tarfile.open(archive, "r|*") as tar:
        for member in tar:
            if member.isreg():
                yield member.name.removeprefix("./"), member.size, partial(_opened, tar, member)


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    assert file is not None  # it is an ordinary file
    return file


def _write(path: Path, content: IO[bytes]) -> str:
    path.parent.mkdir(exist_ok=True)
    with content, path.open("xb") as file:
        sound = content.read(_LARGEST_BYTES)
        file.write(sound)
    return hashlib.sha256(sound).hexdigest()


def _judge(source: Source, digests: Mapping[str, str], verify: bool) -> Unpacked:
    """
    Raises:
        ArchiveError: what was found is not what the source is known to hold.
    """
    counts = Counter(map(source.label_of, digests))
    found = tuple(counts[label] for label in LABELS)
    digest = content_digest(digests)
    if not digests:
        raise ArchiveError(f"holds no recording of {source.title}")
    if not verify:
        return Unpacked(per_digit=found, digest=digest, checked="nothing was verified, as asked for")
    if found != source.per_digit:
        off = ", ".join(
            f"{n:,} of digit {label} instead of {known:,}"
            for label, n, known in zip(LABELS, found, source.per_digit, strict=True)
            if n != known
        )
        raise ArchiveError(f"is not the {source.title} that is known: {off}")
    known = {place: digest for place, digest in digests.items() if source.known and source.known.fullmatch(place)}
    if known and content_digest(known) != source.known_digest:
        raise ArchiveError("has the right number of recordings, yet other ones than are known")
    return Unpacked(per_digit=found, digest=digest, checked=_checked(source, len(known)))


def _checked(source: Source, n_known: int) -> str:
    counts = f"the {source.n_clips:,} recordings and their number per digit"
    if source.sha256:
        return f"the archive's published SHA-256, {counts}"
    if n_known == source.n_clips:
        return f"{counts}, each recording by its SHA-256 against a known copy"
    return f"{counts}; {n_known:,} of them by their SHA-256 against a known copy (no checksum of the whole is published)"


def write_notes(source: Source, url: str, unpacked: Unpacked, folder: Path) -> None:
    """README.md with licence and citation, SOURCE.json for `arena data card`, and speakers and lists in our own form.

    Raises:
        OSError, RunError: they cannot be written.
    """
    about = {
        "name": source.name,
        "title": source.title,
        "licence": source.licence,
        "licence_url": source.licence_url,
        "citation": source.citation,
        "homepage": source.homepage,
        "fetched_from": url,
        "n_clips": sum(unpacked.per_digit),
        "content_digest": unpacked.digest,
        "verified": unpacked.checked,
    }
    write_json(folder / ABOUT_NAME, about)
    lines = [
        f"# {source.title}",
        f"{sum(unpacked.per_digit):,} recordings of spoken digits, fetched by `arena data get {source.name}` from {url}.",
        f"Licence: {source.licence}, {source.licence_url}. Whoever passes these files on passes on the licence.",
        f"Cite: {source.citation}",
        f"Home: {source.homepage}",
        f"Verified: {unpacked.checked}. SHA-256 over all recordings: {unpacked.digest}",
    ]
    write_whole(folder / "README.md", ("\n\n".join(lines) + "\n").encode())
    if source.speakers:
        write_json(folder / METADATA_NAME, source.speakers)
    for name in source.others.values():
        if name.endswith("_list.txt"):
            _rename_lines(source, folder / name)


def _rename_lines(source: Source, path: Path) -> None:
    """A list of the archive's paths becomes one of the corpus's, words that are no digits left out."""
    if path.exists():
        places = (source.place_of(line.strip()) for line in path.read_text(encoding="utf-8").splitlines())
        kept = [place for place in places if place]
        write_whole(path, "".join(f"{place}\n" for place in kept).encode())


def make_room(folder: Path) -> None:
    """An empty folder, whatever a killed call left there.

    Raises:
        OSError: it cannot be made.
    """
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
