"""Import of a team's own recordings, of any naming, as corpus files `{digit}_{speaker}_{take}.wav`; originals are only read.

A plan reads everything and writes nothing; its files are written after it. `imported.csv` in the corpus records the source
of each file, so that importing again adds only new ones.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from arena.base.locks import hold_lock
from cnn.collect.import_plan import ImportClip, ImportOptions, ImportPlan
from cnn.collect.segmentation import LONGEST_ROW_S, LONGEST_S, MisfitError, Piece, cut_row, read_sound, read_wav, trim
from cnn.corpus.audio import to_mono
from cnn.corpus.listing import escape_unprintable
from cnn.errors import CorpusError, RunError
from cnn.files import write_csv, write_whole
from cnn.naming.reader import describe_merges, read_names
from cnn.naming.reading import NameReading
from cnn.naming.table import read_table

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")
_UNREADABLE = (".m4a", ".aac", ".wma", ".webm", ".opus", ".amr", ".3gp", ".mp4")
RECORD_NAME = "imported.csv"
_HEADER = ("file", "source", "sha256", "piece", "speaker")
_CORPUS_NAME = re.compile(r"([0-9])_(.+)_([0-9]+)\.wav")


@dataclass(frozen=True, kw_only=True, slots=True)
class _SourceFile:
    path: PurePosixPath
    sha256: str
    speaker: str
    cleaned_speaker: str
    labels: str  # one digit per piece
    cuts: tuple[Piece | None, ...]
    lengths_s: tuple[float, ...]


def check_folders(folder: Path, out: Path) -> None:
    """Check that neither folder lies in the other, and that `out` is new, empty, or was made by an import.

    Raises:
        CorpusError: a check fails, or the folder is missing.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder} is no folder; give the one that holds the recordings")
    source, corpus = folder.resolve(), out.resolve()
    if source == corpus:
        raise CorpusError(f"{out} is the folder of the recordings itself; give another one for the corpus")
    if corpus.is_relative_to(source):
        raise CorpusError(f"{out} lies in {folder}, which is only read; give a folder outside of it for the corpus")
    if source.is_relative_to(corpus):
        raise CorpusError(f"{folder} lies in the corpus folder {out}; give another folder for the corpus")
    if out.is_dir() and not (out / RECORD_NAME).exists() and any(not path.name.startswith(".") for path in out.iterdir()):
        raise CorpusError(f"{out} is not empty and no import made it; give a new folder, or one that was imported into before")


def find_files(folder: Path, out: Path) -> list[PurePosixPath]:
    """List the audio files below `folder`, in natural order; hidden ones are left out.

    Raises:
        CorpusError: the folder is missing or holds no audio, or a check of `check_folders` fails.
    """
    check_folders(folder, out)
    files = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inner = PurePosixPath(Path(parent).relative_to(folder).as_posix())
        files += [inner / n for n in names if not n.startswith(".") and Path(n).suffix.lower() in SUFFIXES + _UNREADABLE]
    if not files:
        raise CorpusError(f"{folder} holds no recording ({', '.join(SUFFIXES)}); give the folder that does")
    return sorted(files, key=lambda path: ([_natural_key(part) for part in path.with_suffix("").parts], path.suffix))


def _natural_key(part: str) -> list[tuple[int, str]]:
    """Return a sort key that puts `take 9` before `take 10`."""
    words = re.split(r"([0-9]+)", part)
    return [(int(word), "") if i % 2 else (-1, word) for i, word in enumerate(words)]


def plan_import(folder: Path, out: Path, options: ImportOptions, advance: Callable[[int], None] = lambda n: None) -> ImportPlan:
    """Plan the import into the corpus `out`; `advance(1)` is called for each of `find_files`.

    Raises:
        CorpusError: an option or the folder cannot be used, or speakers cannot be distinguished; not for a single bad file.
    """
    record = _read_record(out)
    files = find_files(folder, out)
    table = read_table(options.table, folder, files, options.columns) if options.table else None
    readings = read_names(files, options.rules(folder, tuple(row["speaker"] for row in record.values()), table))
    sources: dict[str, _SourceFile] = {}  # by SHA-256
    problems: list[tuple[str, str]] = []
    for reading in readings:
        try:
            source = _read_source(folder, reading, options)
            if first := sources.get(source.sha256):
                raise MisfitError(f"is the same file as {first.path}")
            sources[source.sha256] = source
        except MisfitError as error:
            problems.append((escape_unprintable(str(reading.path)), str(error)))
        advance(1)
    clips, n_existing = _assign_names(list(sources.values()), record, out, problems)
    return ImportPlan(
        folder=folder,
        out=out,
        clips=tuple(clips),
        n_existing=n_existing,
        problems=tuple(sorted(problems)),
        notes=describe_merges(readings),
    )


def _read_source(folder: Path, reading: NameReading, options: ImportOptions) -> _SourceFile:
    path = reading.path
    if not str(path).isprintable():
        raise MisfitError("has a name that cannot be printed; rename it")
    if path.suffix.lower() in _UNREADABLE:
        raise MisfitError("is of a format that cannot be read here; convert it to wav, for instance with ffmpeg")
    if reading.fault:
        raise MisfitError(reading.fault)
    try:
        sha256 = hashlib.sha256((folder / path).read_bytes()).hexdigest()
    except OSError as error:
        raise MisfitError(f"cannot be opened: {error.strerror}") from error
    samples, rate_hz, _ = read_sound(folder / path, LONGEST_ROW_S if options.split_digits else LONGEST_S)
    wave, n_digits = to_mono(samples), len(options.split_digits)
    cuts: Sequence[Piece | None] = [trim(wave, rate_hz) if options.trim else None]
    if n_digits:
        cuts = cut_row(wave, rate_hz, n_digits, options.min_gap_s)
    pieces = [cut or Piece(start=0, end=len(samples)) for cut in cuts]
    return _SourceFile(
        path=path,
        sha256=sha256,
        speaker=reading.spelling,
        cleaned_speaker=reading.speaker,
        labels=options.split_digits or reading.label,
        cuts=tuple(cuts),
        lengths_s=tuple((piece.end - piece.start) / rate_hz for piece in pieces),
    )


def _read_record(out: Path) -> dict[tuple[str, int], dict[str, str]]:
    """Read the rows of `imported.csv`, by SHA-256 of the source and piece.

    Raises:
        CorpusError: the file is damaged.
    """
    path = out / RECORD_NAME
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        return {(row["sha256"], int(row["piece"])): {name: row[name] for name in _HEADER} for row in rows}
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        raise CorpusError(f"{out} is a file; give a folder for the corpus") from None
    except (OSError, ValueError, LookupError, TypeError, csv.Error) as error:
        raise CorpusError(f"{path} cannot be read ({error}); move it away to begin a new record") from error


def _assign_names(
    sources: Sequence[_SourceFile],
    record: Mapping[tuple[str, int], Mapping[str, str]],
    out: Path,
    problems: list[tuple[str, str]],
) -> tuple[list[ImportClip], int]:
    """Return the clips, each with a free take, and the number of pieces that are in the corpus already."""
    last_takes = _last_takes(out, [row["file"] for row in record.values()])
    clips, n_existing = [], 0
    for source in sources:
        for piece, (label, cut, length_s) in enumerate(zip(source.labels, source.cuts, source.lengths_s, strict=True)):
            head = f"{label}_{source.cleaned_speaker}_"
            name = record.get((source.sha256, piece), {}).get("file", "")
            if name and (out / name).exists():
                n_existing += 1
                if not name.startswith(head):
                    reason = f"is there as {name}; remove that to have it as {head}.."
                    problems.append((escape_unprintable(str(source.path)), reason))
                continue
            if not name.startswith(head) or not name:
                last_takes[head] += 1
                name = f"{head}{last_takes[head]}.wav"
            clips.append(
                ImportClip(
                    source=source.path,
                    name=name,
                    speaker=source.speaker,
                    sha256=source.sha256,
                    piece=piece,
                    cut=cut,
                    length_s=length_s,
                )
            )
    return clips, n_existing


def _last_takes(out: Path, recorded: Sequence[str]) -> dict[str, int]:
    """Return the highest take in use by the part of the name before it; -1 if there is none."""
    last_takes: dict[str, int] = defaultdict(lambda: -1)
    existing = [path.name for path in out.rglob("*.wav")] if out.is_dir() else []
    for name in [*existing, *recorded]:
        if match := _CORPUS_NAME.fullmatch(unicodedata.normalize("NFC", name)):
            head = f"{match[1]}_{match[2]}_"
            last_takes[head] = max(last_takes[head], int(match[3]))
    return last_takes


def write_import(plan: ImportPlan, advance: Callable[[int], None] = lambda n: None) -> None:
    """Write the clips of `plan`; `advance(1)` is called for each. After a kill the same import writes the missing ones.

    Raises:
        CorpusError: the corpus cannot be written, or someone else wrote into it meanwhile.
    """
    out = plan.out
    try:
        with hold_lock(out.resolve().parent / f".{out.resolve().name}.lock"):
            check_folders(plan.folder, out)
            out.mkdir(parents=True, exist_ok=True)
            _write_record(plan)
            for clip in plan.clips:
                if (out / clip.name).exists():
                    raise CorpusError(f"{out / clip.name} was written by someone else meanwhile; give the same command again")
                write_whole(out / clip.name, read_wav(plan.folder / clip.source, clip.cut))
                advance(1)
    except (OSError, RunError) as error:
        raise CorpusError(f"cannot write {out}: {getattr(error, 'strerror', None) or error}; free some space") from error
    except MisfitError as error:
        raise CorpusError(f"a recording changed meanwhile: {error}; give the same command again") from error


def _write_record(plan: ImportPlan) -> None:
    rows = _read_record(plan.out)
    for clip in plan.clips:
        values = (clip.name, str(clip.source), clip.sha256, str(clip.piece), clip.speaker)
        rows[clip.sha256, clip.piece] = dict(zip(_HEADER, values, strict=True))
    if plan.clips:
        write_csv(plan.out / RECORD_NAME, _HEADER, sorted([row[name] for name in _HEADER] for row in rows.values()))
