"""Cache of scan results, one file for each corpus folder, so that an unchanged recording is not decoded again.

A recording counts as unchanged while size, times and inode of its file are the same. A file that changed so recently that
a second change could have the same time is not cached; a damaged cache file is ignored.
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
    """Cached scan results of one corpus folder: facts by path and stamp, as JSON values."""

    file: Path
    version: str  # version of the decoder; facts of another one are not used
    facts: dict[str, tuple[Stamp, Any]]

    def get(self, path: str, stamp: Stamp) -> Any:
        """Return the facts on the file at `path` if it has this stamp, else None."""
        cached_stamp, fact = self.facts.get(path, (None, None))
        return fact if cached_stamp == stamp else None

    def write(self, facts: Mapping[str, tuple[Stamp, Any]], started_ns: int) -> None:
        """Replace the cache file by `facts`, decoded from `started_ns` on; do nothing if it cannot be written."""
        stable = {path: fact for path, fact in facts.items() if max(fact[0][1:3]) < started_ns - _STABLE_NS}
        if stable == self.facts:
            return
        content = json.dumps({"make": self.version, "facts": stable}, separators=(",", ":")).encode()
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.file, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        except (OSError, RunError):
            pass  # the cache only saves time


def open_cache(cache: Path | None, folder: Path, version: str) -> ScanCache | None:
    """Return the scan results of `folder` cached below `cache`, maybe empty; None without a cache."""
    if cache is None:
        return None
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    file = cache / "scans" / f"{name}.json"
    return ScanCache(file=file, version=version, facts=dict(_read(file, version)))


def _read(file: Path, version: str) -> Iterable[tuple[str, tuple[Stamp, Any]]]:
    try:
        digest, _, content = file.read_bytes().partition(b"\n")
    except OSError:
        return ()
    if hashlib.sha256(content).hexdigest().encode() != digest:
        return ()
    stored = json.loads(content)
    if stored["make"] != version:
        return ()
    return (
        (path, ((size, mtime, ctime, inode), fact)) for path, ((size, mtime, ctime, inode), fact) in stored["facts"].items()
    )
