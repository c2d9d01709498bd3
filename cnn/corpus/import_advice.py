"""Command that imports a folder whose names a scan does not read, or not whole."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from cnn.naming.reader import read_names
from cnn.naming.reading import NameRules

_OPTION = re.compile(r"--pattern ('[^']+')")


def advise_import(folder: Path, digitless: Sequence[PurePosixPath], speakerless: Sequence[PurePosixPath]) -> str:
    """Return a sentence with the command that reads digits or speakers which a scan of `folder` does not; empty if none does.

    Args:
        digitless: files whose digit the scan does not read.
        speakerless: files whose digit it reads, though not who speaks.
    """
    paths = [*digitless, *speakerless]
    pattern, is_read = _choose_pattern(folder, paths)
    n_digits, n_speakers = sum(is_read[: len(digitless)]), sum(is_read[len(digitless) :])
    if not n_digits and not n_speakers:
        return ""
    facts = [f"the digit of {n_digits:,} file{'s' * (n_digits > 1)}"] if n_digits else []
    facts += [f"the speaker of {n_speakers:,} file{'s' * (n_speakers > 1)}"] if n_speakers else []
    return f"`{format_import(folder, pattern)}` reads {' and '.join(facts)} that a scan does not read"


def format_import(folder: Path, pattern: str) -> str:
    """Return the command that imports `folder` into a new corpus."""
    words = ["arena", "data", "import", str(folder), str(_choose_corpus(folder))]
    return shlex.join([*words, *(["--pattern", pattern, "--dry-run"] if pattern else [])])  # a pattern is a guess: look first


def _choose_pattern(folder: Path, paths: Sequence[PurePosixPath]) -> tuple[str, list[bool]]:
    """Return the pattern that most names need, empty if they need none, and of each path whether it is read then."""
    name = folder.resolve().name
    readings = read_names(paths, NameRules(folder=name))
    is_read = [not reading.fault for reading in readings]
    patterns = {shlex.split(option)[0] for reading in readings for option in _OPTION.findall(reading.fault)}
    results = {"": is_read} | {
        p: [not r.fault for r in read_names(paths, NameRules(folder=name, pattern=p))] for p in sorted(patterns)[:4]
    }
    most = max(sum(result) for result in results.values())
    best = [pattern for pattern, result in results.items() if sum(result) == most]
    return (best[0], results[best[0]]) if len(best) == 1 or best[0] == "" else ("", is_read)


def _choose_corpus(folder: Path) -> Path:
    """Return a new folder for the corpus, which lies outside of the recordings'."""
    source = folder.resolve()
    name = f"{source.name or 'recordings'}-corpus"
    return source.parent / name if Path.cwd().is_relative_to(source) else Path(name)
