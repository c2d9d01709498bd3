"""Files of a corpus folder, before any is opened: the recordings, and the reasons why others cannot be used."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from cnn.config import AUDIO_SUFFIXES, PICTURE_SUFFIXES
from cnn.corpus.metadata import ABOUT_NAME, METADATA_NAME
from cnn.corpus.scan_cache import Stamp, file_stamp
from cnn.errors import CorpusError
from cnn.naming.layouts import find_label
from cnn.naming.reading import NameReading, NameRules
from cnn.settings.data import DIGITS

SUFFIXES = (".wav", ".flac")
_ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
_LONGEST_SUFFIX = 9  # letters; a longer end of a name, or one with blanks, is no format
RECORD_NAME = "imported.csv"  # sources of an import
SYNTH_NAME = "synth.json"  # settings of synthetic recordings
_RECORDS = (ABOUT_NAME, RECORD_NAME, SYNTH_NAME)
_N_REASONS = 3
_N_KINDS = 6
NAMING_RULE = "name the files {digit}_{speaker}_{take}.wav or put them into one folder per digit, 0 to 9"


class ProblemKind(StrEnum):
    """Kinds of reasons why a file is not used."""

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

    id: str  # the path without its suffix, in Unicode's form NFC, so that a Mac and a Linux machine give the same
    path: PurePosixPath  # below the corpus folder
    label: str
    speaker: str  # empty if unknown
    take: str  # empty if unknown
    stamp: Stamp  # changes with the file


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Content of a corpus folder."""

    recordings: tuple[ListedFile, ...]  # sorted by id; each names a digit
    metadata: PurePosixPath | None
    problems: tuple[FileProblem, ...]
    ignored: Mapping[str, int]  # files that are no recordings, counted by kind
    notes: tuple[str, ...]  # speakers whom names spell differently


def list_recordings(folder: Path) -> Listing:
    """List the wav and flac files below `folder`; hidden folders are left out, links are followed.

    Raises:
        CorpusError: the folder is missing or holds no recording of a digit.
    """
    from cnn.naming.reader import describe_merges, read_names  # late: a recording to predict needs no name to be read

    _check_folder(folder)
    recordings: list[ListedFile] = []
    metadata: list[PurePosixPath] = []
    problems: list[FileProblem] = []
    ignored: list[PurePosixPath] = []
    audio: list[PurePosixPath] = []
    for path in walk_files(folder, problems):
        if path.name == METADATA_NAME:
            metadata.append(path)
        elif not is_audio(path):
            ignored += [path] if path.name not in _RECORDS else []
        else:
            audio.append(path)
    readings = read_names(audio, NameRules(is_corpus=True))
    for reading in readings:
        result = _check_file(folder, reading)
        recordings.append(result) if isinstance(result, ListedFile) else problems.append(result)
    if not recordings:
        raise CorpusError(_describe_empty(folder, sorted(problems, key=lambda p: p.path), count_kinds(ignored)))
    recordings.sort(key=lambda file: (file.id, file.path.name))
    shallowest = min(metadata, key=lambda path: (len(path.parts), path), default=None)
    return Listing(
        recordings=tuple(recordings),
        metadata=shallowest,
        problems=tuple(problems),
        ignored=count_kinds(ignored),
        notes=describe_merges([reading for reading in readings if find_label(reading.path)]),
    )


def is_audio(path: PurePosixPath) -> bool:
    """Return whether a file is a recording by its suffix; hidden files are none."""
    return not path.name.startswith(".") and path.suffix.lower() in AUDIO_SUFFIXES


def count_kinds(paths: Iterable[PurePosixPath]) -> dict[str, int]:
    """Count files by kind, the most frequent first: `.zip`, `hidden`, `without suffix`, or `other`."""
    return dict(Counter(sorted(map(_name_kind, paths))).most_common())


def _name_kind(path: PurePosixPath) -> str:
    if path.name.startswith("."):
        return "hidden"
    suffix = path.suffix.lower()
    if len(suffix) > _LONGEST_SUFFIX or not suffix[1:].replace("~", "").isalnum():
        return "other" if suffix else "without suffix"
    return suffix


def list_kinds(kinds: Mapping[str, int]) -> str:
    """Return `5 .caf, 4 .zip, 3 others`."""
    rows = [f"{n:,} {kind}" for kind, n in list(kinds.items())[:_N_KINDS]]
    rest = sum(list(kinds.values())[_N_KINDS:])
    return ", ".join([*rows, f"{rest:,} of other kinds"] if rest else rows)


def describe_kinds(kinds: Mapping[str, int]) -> str:
    """Return a line on files that are not read, and what to do: `9 files are not read: 5 .zip, 4 .txt; unpack .zip`."""
    total = sum(kinds.values())
    verb = "file is" if total == 1 else "files are"
    return f"{total:,} {verb} not read: {list_kinds(kinds)}" + _advise(kinds, "")


def _advise(kinds: Iterable[str], otherwise: str) -> str:
    packed = ", ".join(kind for kind in kinds if kind in _ARCHIVES)
    return f"; unpack {packed}" if packed else otherwise


def list_digitless(problems: Iterable[FileProblem]) -> list[PurePosixPath]:
    """Return the paths of recordings that an import may read: of another format, or without a digit that is understood."""
    kinds = (ProblemKind.NAME, ProblemKind.LABEL, ProblemKind.FORMAT)
    return [PurePosixPath(problem.path) for problem in problems if problem.kind in kinds]


def describe_unusable(folder: Path, problems: list[FileProblem]) -> str:
    """Return one line on a folder without usable recordings, with the first reasons."""
    reasons = "; ".join(f"{problem.path} {problem.reason}" for problem in problems[:_N_REASONS])
    more = f"; and {len(problems) - _N_REASONS} more" if len(problems) > _N_REASONS else ""
    return f"{folder} holds no usable recording: {reasons}{more}; repair or replace them"


def _check_folder(folder: Path) -> None:
    try:
        os.scandir(folder).close()
    except FileNotFoundError:
        raise CorpusError(f"{folder} does not exist; give the folder that holds the recordings") from None
    except NotADirectoryError:
        raise CorpusError(f"{folder} is a file; give the folder that holds the recordings") from None
    except OSError as error:
        raise CorpusError(f"{folder} cannot be opened: {error.strerror}; give a folder that you may read") from error


def walk_files(folder: Path, problems: list[FileProblem]) -> Iterator[PurePosixPath]:
    """Yield all files below `folder`, relative to it; folders that cannot be opened are added to `problems`.

    Hidden folders are left out, links are followed.
    """

    def add_problem(error: OSError) -> None:
        path = Path(error.filename).relative_to(folder)
        reason = f"cannot be opened: {error.strerror}"
        problems.append(FileProblem(path=escape_unprintable(str(path)), kind=ProblemKind.UNREADABLE, reason=reason))

    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=add_problem, followlinks=True):
        real_parent = os.path.realpath(parent)
        folders[:] = [] if real_parent in seen else sorted(name for name in folders if not name.startswith("."))
        if real_parent not in seen:  # a link may lead back up
            seen.add(real_parent)
            inner = PurePosixPath(Path(parent).relative_to(folder).as_posix())
            yield from (inner / name for name in names)


def _check_file(folder: Path, reading: NameReading) -> ListedFile | FileProblem:
    path = reading.path

    def problem(kind: ProblemKind, reason: str) -> FileProblem:
        return FileProblem(path=escape_unprintable(str(path)), kind=kind, reason=reason)

    if escape_unprintable(str(path)) != str(path):
        return problem(ProblemKind.NAME, "has a name that cannot be printed; rename it")
    if path.suffix.lower() not in SUFFIXES:
        return problem(ProblemKind.FORMAT, "is neither wav nor flac; `arena data import` reads it")
    label = find_label(path)
    if not label:
        return problem(ProblemKind.NAME, "names no digit, nor does its folder")
    if label not in DIGITS and reading.fault:
        return problem(ProblemKind.LABEL, f"label {label!r} is not one of 0..9")
    if reading.fault:
        return problem(ProblemKind.NAME, f"{reading.fault} to `arena data import`")
    try:
        state = (folder / path).stat()
    except OSError as error:
        return problem(ProblemKind.UNREADABLE, f"cannot be opened: {error.strerror}")
    if not stat.S_ISREG(state.st_mode):
        return problem(ProblemKind.UNREADABLE, "is no ordinary file")
    if not state.st_size:
        return problem(ProblemKind.EMPTY, "is of 0 bytes")
    composed = unicodedata.normalize("NFC", str(path)[: -len(path.suffix)])
    return ListedFile(
        id=composed,
        path=path,
        label=reading.label,
        speaker=reading.speaker,
        take=reading.take,
        stamp=file_stamp(state),
    )


def describe_no_recording(folder: Path, kinds: Mapping[str, int], noun: str = "recording") -> str:
    """Return one line on a folder without recordings, with the kinds of files that it holds and what to do."""
    content = f"holds no {noun} that can be read, only {list_kinds(kinds)}" if kinds else "is empty"
    has_pictures = any(kind in (*PICTURE_SUFFIXES, ".npz") for kind in kinds) or any(folder.glob("*idx?-ubyte*"))
    if noun == "recording" and has_pictures:
        return f"{folder} {content}; tiles of pictures are made by `arena data pictures {folder}`"
    return f"{folder} {content}{_advise(kinds, f'; give the folder that holds the {noun}s')}"


def _describe_empty(folder: Path, problems: list[FileProblem], ignored: Mapping[str, int]) -> str:
    if not problems:
        return describe_no_recording(folder, ignored)
    if {problem.kind for problem in problems} <= {ProblemKind.NAME, ProblemKind.LABEL, ProblemKind.FORMAT}:
        from cnn.corpus.import_advice import advise_import, format_import  # late: it reads names of any folder

        by_hand = f"{NAMING_RULE}; what other names lack is said by `{format_import(folder, '')}`"
        advice = advise_import(folder, list_digitless(problems), ()) or by_hand
        rule = f"names a digit (the first is {problems[0].path})"
        if formats := count_kinds(PurePosixPath(p.path) for p in problems if p.kind is ProblemKind.FORMAT):
            rule = f"is a wav or flac that {rule[:-1]}; {list_kinds(formats)} among them)"
        return f"none of {len(problems)} recording{'s' * (len(problems) > 1)} in {folder} {rule}; {advice}"
    return describe_unusable(folder, problems)


def escape_unprintable(text: str) -> str:
    """Return the text with unprintable characters and invalid UTF-8 escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
