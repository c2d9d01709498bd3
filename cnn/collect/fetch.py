"""Download of a public corpus into a folder: locked, fetched, unpacked, verified, renamed. A kill leaves no partial folder.

A download lies in `<archive>.part` until it is verified, and only then gets its name, if it is to be stored. One that fails
the check is renamed to `<archive>.unverified`; no later call uses that as the archive unless told to.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from arena.base.locks import hold_lock
from cnn.collect.catalogue import Source
from cnn.collect.download import Hooks, check_urls, download, file_sha256, remove_download
from cnn.collect.unpack import ArchiveError, DamagedArchiveError, make_empty_folder, unpack, write_notes
from cnn.corpus.metadata import ABOUT_NAME
from cnn.errors import CorpusError, RunError

_MB = 1_000_000
_SPARE_BYTES = 100 * _MB


class Bar(Protocol):
    """Function that opens a progress bar, given its title and number of steps."""

    def __call__(self, title: str, total: int, /) -> AbstractContextManager[Callable[[int], None]]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchOptions:
    """Options of a fetch."""

    mirrors: tuple[str, ...] = ()  # addresses that replace the source's own
    archive: Path | None = None  # a file that was downloaded before; it is not moved
    keep_archive: bool = False
    verify: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedCorpus:
    """A corpus in its folder."""

    folder: Path
    n_clips: int
    was_there: bool
    verified: str


def fetch_corpus(source: Source, out: Path, options: FetchOptions, bar: Bar, hooks: Hooks) -> FetchedCorpus:
    """Fetch the corpus into the folder `out`, unless it is there already. Concurrent calls wait for each other.

    Raises:
        CorpusError: the corpus cannot be fetched or fails the check, or `out` holds something else.
    """
    check_urls(options.mirrors)
    target = Path(os.path.abspath(out))
    if existing := _read_existing(source, out, target):
        return existing
    job = _Job(source=source, target=target, options=options, bar=bar, hooks=hooks)
    try:
        with hold_lock(target.parent / f".{target.name}.lock", lambda: hooks.say(f"another process is making {out}; waiting")):
            return _read_existing(source, out, target) or _fetch(job)
    except OSError as error:
        raise CorpusError(f"cannot write {out}: {error.strerror or error}; free some space or choose another folder") from error
    except RunError as error:
        raise CorpusError(str(error)) from error


def _read_existing(source: Source, out: Path, target: Path) -> FetchedCorpus | None:
    """Return the corpus in `out`, or None if the folder is missing or empty.

    Raises:
        CorpusError: `out` is a file, or holds something else.
    """
    try:
        names = os.listdir(target)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise CorpusError(f"{out} is a file, or lies in one; give a new folder") from None
    if not names:
        return None
    try:
        about = json.loads((target / ABOUT_NAME).read_bytes())
        name, n_clips, verified = about["name"], int(about["n_clips"]), str(about["verified"])
    except (OSError, ValueError, LookupError, TypeError):
        raise CorpusError(f"{out} is not empty and holds no corpus of `arena data get`; give a new folder") from None
    if name != source.name:
        raise CorpusError(f"{out} holds the corpus {name!r}; give a new folder for {source.name}")
    n_present = sum(file.endswith(".wav") for _, _, files in os.walk(target) for file in files)
    if n_present < n_clips:
        raise CorpusError(f"{out} holds {n_present:,} of its {n_clips:,} recordings; remove the folder and get it again")
    return FetchedCorpus(folder=out, n_clips=n_clips, was_there=True, verified=verified)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """One fetch: source, target folder, options and callbacks."""

    source: Source
    target: Path
    options: FetchOptions
    bar: Bar
    hooks: Hooks

    @property
    def archive(self) -> Path:
        return self.target.parent / self.source.archive_name

    @property
    def part(self) -> Path:
        return self.archive.with_name(self.archive.name + ".part")

    @property
    def rejected(self) -> Path:
        return self.archive.with_name(self.archive.name + ".unverified")


def _fetch(job: _Job) -> FetchedCorpus:
    if job.options.archive:
        return _from_file(job, job.options.archive)
    lock = job.archive.with_name(f".{job.archive.name}.lock")  # several folders may be made from one archive
    with hold_lock(lock, lambda: job.hooks.say(f"another process is fetching {job.archive.name}; waiting")):
        return _from_stored(job) or _from_network(job)


def _from_file(job: _Job, archive: Path) -> FetchedCorpus:
    source, verify = job.source, job.options.verify
    if not archive.is_file():
        raise CorpusError(f"{archive} is no file; give the archive as the browser saved it")
    if verify and source.sha256 and file_sha256(archive) != source.sha256:
        raise CorpusError(f"{archive} is not the published file (its SHA-256 is not {source.sha256[:16]}..); download it again")
    _check_space(job, archive)
    try:
        return _install(job, archive, "an archive that was at hand")
    except DamagedArchiveError as error:
        raise CorpusError(f"{archive} {error}; download it again") from error
    except ArchiveError as error:
        raise CorpusError(f"{archive} {error}; give another{', or take it with --unverified' * verify}") from error


def _from_stored(job: _Job) -> FetchedCorpus | None:
    """Make the corpus from an archive that an earlier call stored; return None if there is none, or it fails the check."""
    archive, published = job.archive, job.source.sha256
    if not (job.options.verify and archive.is_file()):
        return None
    _check_space(job, archive)
    try:
        if published and file_sha256(archive) != published:
            raise ArchiveError(f"is not the published file (its SHA-256 is not {published[:16]}..)")
        job.hooks.say(f"{archive} is there from an earlier call")
        return _install(job, archive, "an earlier download")
    except ArchiveError as error:
        archive.replace(job.rejected)
        job.hooks.say(f"{archive} {error}; it is {job.rejected.name} now, and another is fetched")
        return None


def _from_network(job: _Job) -> FetchedCorpus:
    source, options, part = job.source, job.options, job.part
    _check_space(job, part)
    job.hooks.say(f"{source.title}: {size_words(source)}, {source.licence}")
    with job.bar("downloading, MB", math.ceil(source.archive_bytes / _MB)) as advance:
        hooks = dataclasses.replace(job.hooks, advance=_in_megabytes(advance))
        url = download(options.mirrors or source.urls, part, source.sha256 if options.verify else "", hooks)
    try:
        corpus = _install(job, part, url)
    except DamagedArchiveError as error:
        remove_download(part)
        raise CorpusError(f"what {url} gave {error}; give the same command again for a new one") from error
    except ArchiveError as error:
        part.replace(job.rejected)
        remove_download(part)
        anyway = f", or take it as it is with --archive {job.rejected} --unverified" * options.verify
        raise CorpusError(
            f"what {url} gave {error}; it lies in {job.rejected}: get another with --mirror URL{anyway}"
        ) from error
    if options.keep_archive:
        part.replace(job.archive if options.verify else job.rejected)
    remove_download(part)
    return corpus


def _install(job: _Job, archive: Path, origin: str) -> FetchedCorpus:
    """Unpack the archive into a temporary folder, verify it and rename it to the target.

    Raises:
        ArchiveError: the archive is damaged, or holds something else.
        CorpusError, OSError, RunError: the folder cannot be written; the archive stays for the next call.
    """
    source, target = job.source, job.target
    part = target.parent / f".{target.name}.part"
    try:
        make_empty_folder(part)
        with job.bar("unpacking", source.n_clips) as advance:
            result = unpack(source, archive, part, advance, job.options.verify)
        write_notes(source, origin, result, part)
        with contextlib.suppress(FileNotFoundError):
            target.rmdir()  # `_read_existing` saw that it is empty
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return FetchedCorpus(folder=target, n_clips=sum(result.per_digit), was_there=False, verified=result.verified)


def _check_space(job: _Job, archive: Path) -> None:
    source, folder = job.source, job.target.parent
    n_present = archive.stat().st_size if archive.exists() else 0
    needed_bytes = max(0, source.archive_bytes - n_present) + source.unpacked_bytes + _SPARE_BYTES
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise CorpusError(
            f"{source.title} needs about {needed_bytes / 1e9:.1f} GB in {folder}, which has {free_bytes / 1e9:.1f} GB free; "
            f"free some space or choose another folder"
        )


def size_words(source: Source) -> str:
    """Return the size as `2.43 GB` or, if it is an estimate, `about 16 MB`."""
    n_bytes = source.archive_bytes
    words = f"{n_bytes / 1e9:.3g} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
    return words if source.is_size_exact else f"about {words}"


def _in_megabytes(advance: Callable[[int], None]) -> Callable[[int], None]:
    n_bytes = n_reported = 0

    def add(n: int) -> None:
        nonlocal n_bytes, n_reported
        n_bytes += n
        if n_bytes // _MB != n_reported:
            advance(n_bytes // _MB - n_reported)
            n_reported = n_bytes // _MB

    return add
