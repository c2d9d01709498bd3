"""A public corpus to a folder: locked, fetched, unpacked, verified, renamed into place. A kill leaves no half folder.

What comes lies in `<archive>.part` until it is verified, and only then gets its name, where it is to be kept. What is not what
it should be is set aside as `<archive>.unverified`; no later call takes that for the archive unless asked to.
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
from cnn.collect.download import Hooks, check_urls, fetch, forget, sha256_of
from cnn.collect.unpack import ArchiveError, DamagedArchiveError, make_room, unpack, write_notes
from cnn.corpus.metadata import ABOUT_NAME
from cnn.errors import CorpusError, RunError

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
    call = _Call(source=source, target=target, options=options, bar=bar, hooks=hooks)
    try:
        with hold_lock(target.parent / f".{target.name}.lock", lambda: hooks.say(f"another process is making {out}; waiting")):
            return _there(source, out, target) or _get(call)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    """What was asked for, and who hears of it."""

    source: Source
    target: Path
    options: GetOptions
    bar: Bar
    hooks: Hooks

    @property
    def archive(self) -> Path:
        return self.target.parent / self.source.archive_name

    @property
    def part(self) -> Path:
        return self.archive.with_name(self.archive.name + ".part")

    @property
    def aside(self) -> Path:
        return self.archive.with_name(self.archive.name + ".unverified")


def _get(call: _Call) -> Got:
    if call.options.archive:
        return _from_given(call, call.options.archive)
    lock = call.archive.with_name(f".{call.archive.name}.lock")  # several folders may be made of one archive
    with hold_lock(lock, lambda: call.hooks.say(f"another process is fetching {call.archive.name}; waiting")):
        return _from_kept(call) or _from_network(call)


def _from_given(call: _Call, archive: Path) -> Got:
    source, verify = call.source, call.options.verify
    if not archive.is_file():
        raise CorpusError(f"{archive} is no file; give the archive as the browser saved it")
    if verify and source.sha256 and sha256_of(archive) != source.sha256:
        raise CorpusError(f"{archive} is not the published file (its SHA-256 is not {source.sha256[:16]}..); download it again")
    _check_space(call, archive)
    try:
        return _unpacked(call, archive, "an archive that was at hand")
    except DamagedArchiveError as error:
        raise CorpusError(f"{archive} {error}; download it again") from error
    except ArchiveError as error:
        raise CorpusError(f"{archive} {error}; give another{', or take it with --unverified' * verify}") from error


def _from_kept(call: _Call) -> Got | None:
    """Of the archive that an earlier call was asked to keep; None where there is none, or no longer a good one."""
    archive, published = call.archive, call.source.sha256
    if not (call.options.verify and archive.is_file()):
        return None
    _check_space(call, archive)
    try:
        if published and sha256_of(archive) != published:
            raise ArchiveError(f"is not the published file (its SHA-256 is not {published[:16]}..)")
        call.hooks.say(f"{archive} is there from an earlier call")
        return _unpacked(call, archive, "an earlier download")
    except ArchiveError as error:
        archive.replace(call.aside)
        call.hooks.say(f"{archive} {error}; it is {call.aside.name} now, and another is fetched")
        return None


def _from_network(call: _Call) -> Got:
    source, options, part = call.source, call.options, call.part
    _check_space(call, part)
    call.hooks.say(f"{source.title}: {size_words(source)}, {source.licence}")
    with call.bar("downloading, MB", math.ceil(source.archive_bytes / _MB)) as advance:
        counted = dataclasses.replace(call.hooks, advance=_in_megabytes(advance))
        url = fetch(options.mirrors or source.urls, part, source.sha256 if options.verify else "", counted)
    try:
        got = _unpacked(call, part, url)
    except DamagedArchiveError as error:
        forget(part)
        raise CorpusError(f"what {url} gave {error}; give the same command again for a new one") from error
    except ArchiveError as error:
        part.replace(call.aside)
        forget(part)
        anyway = f", or take it as it is with --archive {call.aside} --unverified" * options.verify
        raise CorpusError(f"what {url} gave {error}; it lies in {call.aside}: get another with --mirror URL{anyway}") from error
    if options.keep_archive:
        part.replace(call.archive if options.verify else call.aside)
    forget(part)
    return got


def _unpacked(call: _Call, archive: Path, origin: str) -> Got:
    """
    Raises:
        ArchiveError: the archive is damaged, or not what it should be.
        CorpusError, OSError, RunError: the folder cannot be written; the archive stays for the next call.
    """
    source, target = call.source, call.target
    room = target.parent / f".{target.name}.part"
    try:
        make_room(room)
        with call.bar("unpacking", source.n_clips) as advance:
            unpacked = unpack(source, archive, room, advance, call.options.verify)
        write_notes(source, origin, unpacked, room)
        with contextlib.suppress(FileNotFoundError):
            target.rmdir()  # empty, as `_there` found
        room.rename(target)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return Got(folder=target, n_clips=sum(unpacked.per_digit), was_there=False, verified=unpacked.checked)


def _check_space(call: _Call, there: Path) -> None:
    source, folder = call.source, call.target.parent
    n_there = there.stat().st_size if there.exists() else 0
    needed = max(0, source.archive_bytes - n_there) + source.unpacked_bytes + _SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CorpusError(
            f"{source.title} needs about {needed / 1e9:.1f} GB in {folder}, which has {free / 1e9:.1f} GB free; "
            f"free some space or choose another folder"
        )


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
