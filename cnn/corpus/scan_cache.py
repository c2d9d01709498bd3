"""What was heard in a corpus before, kept in a file of its own, so that an unchanged recording is not decoded again.

A recording counts as unchanged while size, times and inode of its file are the same. A file that changed so lately that
a second change could bear the same time is not kept; a damaged file of memories is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnn.errors import RunError
from cnn.files import write_whole

Stamp = tuple[int, int, int, int]  # size in bytes, time of content and of change in ns, inode
_STABLE_NS = 3_000_000_000  # the coarsest clock of a file system (FAT) ticks every two seconds


def file_stamp(state: os.stat_result) -> Stamp:
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanCache:
    """The memories of one corpus folder: facts by path and stamp, as JSON holds them."""

    file: Path
    make: str  # of what hears: other makes, other facts
    facts: dict[str, tuple[Stamp, Any]]

    def fact(self, path: str, stamp: Stamp) -> Any:
        """What is known of the file at `path` with this stamp, or None."""
        known, fact = self.facts.get(path, (None, None))
        return fact if known == stamp else None

    def keep(self, facts: Mapping[str, tuple[Stamp, Any]], started_ns: int) -> None:
        """Write `facts`, heard from `started_ns` on, in place of what is there; a folder that cannot be written is let be."""
        settled = {path: fact for path, fact in facts.items() if max(fact[0][1:3]) < started_ns - _STABLE_NS}
        if settled == self.facts:
            return
        content = json.dumps({"make": self.make, "facts": settled}, separators=(",", ":")).encode()
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.file, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        except (OSError, RunError):
            pass  # a memory only saves time


def open_cache(cache: Path | None, folder: Path, make: str) -> ScanCache | None:
    """The memories of `folder` that are kept below `cache`, empty where there are none; None without a cache."""
    if cache is None:
        return None
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    file = cache / "scans" / f"{name}.json"
    return ScanCache(file=file, make=make, facts=dict(_read(file, make)))


def _read(file: Path, make: str) -> Iterable[tuple[str, tuple[Stamp, Any]]]:
    try:
        digest, _, content = file.read_bytes().partition(b"\n")
    except OSError:
        return ()
    if hashlib.sha256(content).hexdigest().encode() != digest:
        return ()
    kept = json.loads(content)
    if kept["make"] != make:
        return ()
    return ((path, ((size, mtime, ctime, inode), fact)) for path, ((size, mtime, ctime, inode), fact) in kept["facts"].items())
