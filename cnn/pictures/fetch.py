"""Fetch of a public corpus of pictures into a folder: each file verified by its content, and none kept that is not.

A kill leaves the downloads to go on from, and no partial folder.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from arena.base.locks import hold_lock
from cnn.collect.download import Hooks, check_urls, download, remove_download
from cnn.collect.fetch import FetchedCorpus, FetchOptions
from cnn.collect.picture_catalogue import PictureCorpus
from cnn.collect.unpack import make_empty_folder
from cnn.corpus.metadata import ABOUT_NAME
from cnn.errors import CorpusError
from cnn.files import write_json, write_whole
from cnn.pictures.streams import reading

_BLOCK_BYTES = 1 << 20
_MOST_BYTES = 1 << 28  # one file, unpacked; the largest has 47 MB
_PACKED = b"\x1f\x8b"
_MD5_LETTERS = 32

Opener = Callable[[], IO[bytes]]


def fetch_pictures(corpus: PictureCorpus, out: Path, options: FetchOptions, hooks: Hooks) -> FetchedCorpus:
    """Fetch the corpus into the folder `out`, unless it is there already, or take its files from an archive or a folder.

    Raises:
        CorpusError: the corpus cannot be fetched or fails the check, or `out` holds something else.
    """
    check_urls(options.mirrors)
    target = Path(os.path.abspath(out))
    try:
        with hold_lock(target.parent / f".{target.name}.lock", lambda: hooks.say(f"another process is making {out}; waiting")):
            if target.exists() and any(target.iterdir()):
                return _check_existing(corpus, out)
            part = target.parent / f".{target.name}.part"
            try:
                make_empty_folder(part)
                origin = _fill(corpus, part, options, hooks)
                verified = (
                    f"each of its {len(corpus.files)} files by its content" if options.verify else "nothing, as asked for"
                )
                _write_notes(corpus, part, origin, verified)
                if target.exists():
                    target.rmdir()  # it is empty
                part.rename(target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise CorpusError(f"cannot write {out}: {error.strerror or error}; free some space or choose another folder") from error
    return FetchedCorpus(folder=out, n_clips=corpus.n_clips, was_there=False, verified=verified)


def _check_existing(corpus: PictureCorpus, out: Path) -> FetchedCorpus:
    for name, digest in corpus.files:
        if not (out / name).is_file() or _read_digest(out / name, digest) != digest:
            raise CorpusError(f"{out} is not empty, and its {name} is not that of {corpus.title}; give a new folder")
    return FetchedCorpus(folder=out, n_clips=corpus.n_clips, was_there=True, verified="each file by its content")


def _fill(corpus: PictureCorpus, folder: Path, options: FetchOptions, hooks: Hooks) -> str:
    """Write all files into the folder, and return where they came from."""
    if options.archive is not None:
        _take(corpus, options.archive, folder, options)
        return "files that were at hand"
    part = folder.parent / f"{corpus.archive_name}.part"
    if corpus.archive_name:
        url = download(options.mirrors or corpus.urls, part, "", hooks)
        try:
            _take(corpus, part, folder, options)
        finally:
            remove_download(part)
        return url
    urls = [url.rstrip("/") for url in options.mirrors or corpus.urls]
    for name, digest in corpus.files:
        part = folder.parent / f"{corpus.name}-{name}.gz.part"
        url = download([f"{base}/{name}.gz" for base in urls], part, "", hooks)
        try:
            with part.open("rb") as file:
                _write_file(file, folder / name, digest if options.verify else "", f"what {url} gave")
        finally:
            remove_download(part)
    return urls[0]


def _take(corpus: PictureCorpus, archive: Path, folder: Path, options: FetchOptions) -> None:
    """Take the files from an archive, a folder, or a folder with packed files."""
    digests = dict(corpus.files)
    missing = dict.fromkeys(digests)
    for name, open_member in _list_members(archive):
        stem = name.removesuffix(".gz")
        if stem in missing:
            with open_member() as file:
                _write_file(file, folder / stem, digests[stem] if options.verify else "", f"{name} in {archive}")
            del missing[stem]
    if missing:
        raise CorpusError(f"{archive} lacks {', '.join(missing)} of {corpus.title}; give the folder or archive that holds them")


def _list_members(archive: Path) -> Iterator[tuple[str, Opener]]:
    """Yield name and opener of each ordinary file, in whatever folder of the archive it stands."""
    if archive.is_dir():
        yield from ((path.name, partial(_open_file, path)) for path in sorted(archive.rglob("*")) if path.is_file())
        return
    if not archive.is_file():
        raise CorpusError(f"{archive} is not there; give the folder that holds the files, or the archive as a browser saved it")
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as box:
            yield from ((Path(info.filename).name, partial(box.open, info)) for info in box.infolist() if not info.is_dir())
        return
    with reading(archive), _open_tar(archive) as tar:
        for member in tar:
            if member.isreg():
                yield Path(member.name).name, partial(_extract, tar, member)


def _open_file(path: Path) -> IO[bytes]:
    return path.open("rb")


def _open_tar(archive: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(archive, "r|*")
    except tarfile.TarError as error:
        raise CorpusError(f"{archive} is neither a tar nor a zip; give the archive as a browser saved it") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    assert file is not None  # it is an ordinary file
    return file


def _write_file(file: IO[bytes], path: Path, digest: str, origin: str) -> None:
    """Unpack a file that gzip packed, write it, and compare its content.

    Raises:
        CorpusError: it is another file; the text begins with `origin`.
    """
    is_packed = cast("Any", file).peek(len(_PACKED)).startswith(_PACKED)  # files of folders, tars and zips can
    content = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if is_packed else file
    counted = _new_digest(digest)
    n_bytes = 0
    try:
        with path.open("xb") as target:
            while block := content.read(_BLOCK_BYTES):
                n_bytes += len(block)
                if n_bytes > _MOST_BYTES:
                    raise CorpusError(f"{origin} unpacks to more than {_MOST_BYTES:,} bytes, as no file of it does")
                counted.update(block)
                target.write(block)
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
        raise CorpusError(f"{origin} is damaged: {error}; get it again") from error
    if digest and counted.hexdigest() != digest:
        rule = f"is not the published {path.name} (the digest of its content is not {digest[:16]}..)"
        raise CorpusError(f"{origin} {rule}; get it again, or take it with --unverified")


def _new_digest(digest: str) -> Any:
    return hashlib.md5(usedforsecurity=False) if len(digest) == _MD5_LETTERS else hashlib.sha256()


def _read_digest(path: Path, digest: str) -> str:
    counted = _new_digest(digest)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            counted.update(block)
    return str(counted.hexdigest())


def _write_notes(corpus: PictureCorpus, folder: Path, origin: str, verified: str) -> None:
    names = ("name", "title", "licence", "licence_url", "citation", "homepage", "n_clips")
    about = {name: getattr(corpus, name) for name in names} | {"fetched_from": origin, "verified": verified}
    write_json(folder / ABOUT_NAME, about)
    lines = [
        f"# {corpus.title}",
        f"{corpus.n_clips:,} pictures of {corpus.n_classes} classes, fetched by `arena data get {corpus.name}` from {origin}.",
        f"Licence: {corpus.licence}, {corpus.licence_url}. Whoever passes these files on passes on the licence.",
        f"Cite: {corpus.citation}",
        f"Home: {corpus.homepage}",
        f"Verified: {verified}.",
    ]
    write_whole(folder / "README.md", ("\n\n".join(lines) + "\n").encode())
