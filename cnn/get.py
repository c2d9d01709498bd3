"""A public corpus to a folder: locked, fetched, unpacked, verified, renamed into place. A kill leaves no half folder."""

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

from cnn.catalogue import Source
from cnn.download import Hooks, check_urls, fetch, sha256_of
from cnn.errors import CorpusError, RunError
from cnn.runs import lock_of
from cnn.unpack import ABOUT_NAME, DamagedArchiveError, make_room, unpack, write_notes

_MB = 1_000_000
_SPARE_BYTES = 100 * _MB


class Bar(Protocol):
    """Opens a progress bar: a title and how many steps."""

    def __call__(self, title: str, total: int, /) -> AbstractContextManager[Callable[[int], None]]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class GetOptions:
    """How to get a corpus."""

    mirrors: tuple[str, ...] = ()  # tried instead of the source's own addresses
    archive: Path | None = None  # a file that was downloaded before; it stays where it is
    keep_archive: bool = False
    verify: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Got:
    """A corpus in its folder."""

    folder: Path
    n_clips: int
    was_there: bool
    verified: str


def get(source: Source, out: Path, options: GetOptions, bar: Bar, hooks: Hooks) -> Got:
    """The corpus in the folder `out`; at once where it is there already. Two calls at the same time wait for each other.

    Raises:
        CorpusError: it cannot be fetched, is not what it should be, or `out` holds something else.
    """
    check_urls(options.mirrors)
    target = Path(os.path.abspath(out))
    if got := _there(source, out, target):
        return got
    try:
        with lock_of(target.parent / f".{target.name}.lock"):
            return _there(source, out, target) or _get(source, target, options, bar, hooks)
    except OSError as error:
        raise CorpusError(f"cannot write {out}: {error.strerror or error}; free some space or choose another folder") from error
    except RunError as error:
        raise CorpusError(str(error)) from error


def _there(source: Source, out: Path, target: Path) -> Got | None:
    """
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
    n_found = sum(file.endswith(".wav") for _, _, files in os.walk(target) for file in files)
    if n_found < n_clips:
        raise CorpusError(f"{out} holds {n_found:,} of its {n_clips:,} recordings; remove the folder and get it again")
    return Got(folder=out, n_clips=n_clips, was_there=True, verified=verified)


def _get(source: Source, target: Path, options: GetOptions, bar: Bar, hooks: Hooks) -> Got:
    archive = options.archive or target.parent / source.archive_name
    _check_space(source, target, archive)
    origin = _bring(source, archive, options, bar, hooks)
    part = target.parent / f".{target.name}.part"
    try:
        make_room(part)
        with bar("unpacking", source.n_clips) as advance:
            unpacked = unpack(source, archive, part, advance, options.verify)
        write_notes(source, origin, unpacked, part)
        with contextlib.suppress(FileNotFoundError):
            target.rmdir()  # empty, as `_there` found
        part.rename(target)
    except DamagedArchiveError:
        if not options.archive:
            archive.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    if not options.archive and not options.keep_archive:
        archive.unlink(missing_ok=True)
    return Got(folder=target, n_clips=sum(unpacked.per_digit), was_there=False, verified=unpacked.checked)


def _check_space(source: Source, target: Path, archive: Path) -> None:
    part = archive.with_name(archive.name + ".part")
    n_there = next((path.stat().st_size for path in (archive, part) if path.exists()), 0)
    needed = max(0, source.archive_bytes - n_there) + source.unpacked_bytes + _SPARE_BYTES
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise CorpusError(
            f"{source.title} needs about {needed / 1e9:.1f} GB in {target.parent}, which has {free / 1e9:.1f} GB free; "
            f"free some space or choose another folder"
        )


def _bring(source: Source, archive: Path, options: GetOptions, bar: Bar, hooks: Hooks) -> str:
    """Have the archive at its place; gives where it came from."""
    if options.archive:
        if not archive.is_file():
            raise CorpusError(f"{archive} is no file; give the archive as the browser saved it")
        if options.verify and source.sha256 and sha256_of(archive) != source.sha256:
            raise CorpusError(
                f"{archive} is not the published file (its SHA-256 is not {source.sha256[:16]}..); download it again"
            )
        return "an archive that was at hand"
    if archive.is_file() and (not source.sha256 or sha256_of(archive) == source.sha256):
        hooks.say(f"{archive} is there from an earlier call")
        return "an earlier download"
    hooks.say(f"{source.title}: {size_words(source)}, {source.licence}")
    with bar("downloading, MB", math.ceil(source.archive_bytes / _MB)) as advance:
        counted = dataclasses.replace(hooks, advance=_in_megabytes(advance))
        sha256 = source.sha256 if options.verify else ""
        return fetch(options.mirrors or source.urls, archive, sha256, counted)


def size_words(source: Source) -> str:
    """`2.43 GB` or, where the archive is made anew for each, `about 16 MB`."""
    n_bytes = source.archive_bytes
    words = f"{n_bytes / 1e9:.3g} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
    return words if source.is_size_exact else f"about {words}"


def _in_megabytes(advance: Callable[[int], None]) -> Callable[[int], None]:
    n_bytes = n_shown = 0

    def more(n: int) -> None:
        nonlocal n_bytes, n_shown
        n_bytes += n
        if n_bytes // _MB != n_shown:
            advance(n_bytes // _MB - n_shown)
            n_shown = n_bytes // _MB

    return more
