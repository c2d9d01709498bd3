"""The files of a corpus folder, before any is opened: which are recordings, and which recordings cannot be taken."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from cnn.config import LABELS
from cnn.corpus.metadata import METADATA_NAME, parse_recording_path
from cnn.corpus.scan_cache import Stamp, file_stamp
from cnn.errors import CorpusError

SUFFIXES = (".wav", ".flac")
_OTHER_AUDIO = (".mp3", ".m4a", ".aac", ".ogg", ".opus", ".wma", ".aif", ".aiff", ".webm", ".amr", ".3gp")
_N_SHOWN = 3
NAMING_RULE = "name the files {digit}_{speaker}_{take}.wav or put them into one folder per digit, 0 to 9"


class ProblemKind(StrEnum):
    """Why a file is not used."""

    UNREADABLE = "unreadable"  # damaged, of unknown coding, or not permitted
    FORMAT = "format"  # a recording, though neither wav nor flac
    EMPTY = "empty"  # no samples
    SILENT = "silent"  # nothing above -60 dBFS, or a constant
    LONG = "long"  # more than a spoken digit
    LABEL = "label"  # a number that is no digit
    NAME = "name"  # neither its name nor its folder says a digit, or another file has the same id
    DUPLICATE = "duplicate"  # the same sound as another file
    METADATA = "metadata"  # the metadata file; the recordings are used without it


@dataclass(frozen=True, kw_only=True, slots=True)
class FileProblem:
    """A file that is not used."""

    path: str  # below the corpus folder
    kind: ProblemKind
    reason: str  # the rest of a sentence that begins with the path


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedFile:
    """A file that may be a recording of a digit."""

    id: str  # the path without its suffix; composed, so that a Mac and a Linux machine give the same
    path: PurePosixPath  # below the corpus folder
    stamp: Stamp  # changes with the file


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What lies below a corpus folder."""

    recordings: tuple[ListedFile, ...]  # in order of id; each names a digit
    metadata: PurePosixPath | None
    problems: tuple[FileProblem, ...]
    n_ignored: int  # hidden files, and files that are no recordings


def list_recordings(folder: Path) -> Listing:
    """The wav and flac files below `folder`; hidden folders are left out, links are followed.

    Raises:
        CorpusError: the folder is missing or holds no recording of a digit.
    """
    _check_folder(folder)
    recordings: list[ListedFile] = []
    metadata: list[PurePosixPath] = []
    problems: list[FileProblem] = []
    n_ignored = 0
    for path in _walk(folder, problems):
        if path.name == METADATA_NAME:
            metadata.append(path)
        elif path.name.startswith(".") or path.suffix.lower() not in SUFFIXES + _OTHER_AUDIO:
            n_ignored += 1
        else:
            found = _judged(folder, path)
            recordings.append(found) if isinstance(found, ListedFile) else problems.append(found)
    if not recordings:
        raise CorpusError(_nothing_found(folder, sorted(problems, key=lambda p: p.path), n_ignored))
    recordings.sort(key=lambda found: (found.id, found.path.name))
    shallowest = min(metadata, key=lambda path: (len(path.parts), path), default=None)
    return Listing(recordings=tuple(recordings), metadata=shallowest, problems=tuple(problems), n_ignored=n_ignored)


def nothing_usable(folder: Path, problems: list[FileProblem]) -> str:
    """One line on a folder none of whose recordings can be used, with the first reasons."""
    shown = "; ".join(f"{problem.path} {problem.reason}" for problem in problems[:_N_SHOWN])
    more = f"; and {len(problems) - _N_SHOWN} more" if len(problems) > _N_SHOWN else ""
    return f"{folder} holds no usable recording: {shown}{more}; repair or replace them"


def _check_folder(folder: Path) -> None:
    try:
        os.scandir(folder).close()
    except FileNotFoundError:
        raise CorpusError(f"{folder} does not exist; give the folder that holds the recordings") from None
    except NotADirectoryError:
        raise CorpusError(f"{folder} is a file; give the folder that holds the recordings") from None
    except OSError as error:
        raise CorpusError(f"{folder} cannot be opened: {error.strerror}; give a folder that you may read") from error


def _walk(folder: Path, problems: list[FileProblem]) -> Iterator[PurePosixPath]:
    def refused(error: OSError) -> None:
        path = Path(error.filename).relative_to(folder)
        reason = f"cannot be opened: {error.strerror}"
        problems.append(FileProblem(path=_printable(str(path)), kind=ProblemKind.UNREADABLE, reason=reason))

    seen: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=refused, followlinks=True):
        true_place = os.path.realpath(place)
        folders[:] = [] if true_place in seen else sorted(name for name in folders if not name.startswith("."))
        if true_place not in seen:  # a link may lead back up
            seen.add(true_place)
            inner = PurePosixPath(Path(place).relative_to(folder).as_posix())
            yield from (inner / name for name in names)


def _judged(folder: Path, path: PurePosixPath) -> ListedFile | FileProblem:
    def problem(kind: ProblemKind, reason: str) -> FileProblem:
        return FileProblem(path=_printable(str(path)), kind=kind, reason=reason)

    if _printable(str(path)) != str(path):
        return problem(ProblemKind.NAME, "has a name that cannot be printed; rename it")
    if path.suffix.lower() in _OTHER_AUDIO:
        return problem(ProblemKind.FORMAT, "is neither wav nor flac; convert it, for instance with ffmpeg")
    label = parse_recording_path(path).label
    if not label:
        return problem(ProblemKind.NAME, "names no digit, nor does its folder")
    if label not in LABELS:
        return problem(ProblemKind.LABEL, f"label {label!r} is not one of 0..9")
    try:
        state = (folder / path).stat()
    except OSError as error:
        return problem(ProblemKind.UNREADABLE, f"cannot be opened: {error.strerror}")
    if not stat.S_ISREG(state.st_mode):
        return problem(ProblemKind.UNREADABLE, "is no ordinary file")
    if not state.st_size:
        return problem(ProblemKind.EMPTY, "is of 0 bytes")
    composed = unicodedata.normalize("NFC", str(path)[: -len(path.suffix)])
    return ListedFile(id=composed, path=path, stamp=file_stamp(state))


def _nothing_found(folder: Path, problems: list[FileProblem], n_ignored: int) -> str:
    kinds = {problem.kind for problem in problems}
    if not problems:
        others = f"{n_ignored} other file{'s' if n_ignored > 1 else ''}"
        what = f"holds no wav or flac file, only {others}" if n_ignored else "is empty"
        return f"{folder} {what}; give the folder that holds the recordings"
    if kinds <= {ProblemKind.NAME, ProblemKind.LABEL}:
        return f"none of {len(problems)} recordings in {folder} names a digit (the first is {problems[0].path}); {NAMING_RULE}"
    return nothing_usable(folder, problems)


def _printable(text: str) -> str:
    """The text with what would break a line, or is no UTF-8, as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
