"""Import of a team's own recordings, of any naming, as corpus files `{digit}_{speaker}_{take}.wav`; originals are only read.

A plan reads everything and writes nothing; its files are written after it. `imported.csv` in the corpus records the source
of each file, so that importing again adds only new ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from arena.base.locks import hold_lock
from cnn.collect.import_plan import ImportClip, ImportOptions, ImportPlan, Misfit, Rename, SourcePiece
from cnn.collect.import_record import CorpusNames, Entry, Record, count_pieces, read_record, write_record
from cnn.collect.segmentation import LONGEST_ROW_S, LONGEST_S, MisfitError, Piece, cut_row, read_sound, read_wav, trim
from cnn.corpus.audio import to_mono
from cnn.corpus.listing import (
    RECORD_NAME,
    FileProblem,
    count_kinds,
    describe_no_recording,
    escape_unprintable,
    is_audio,
    walk_files,
)
from cnn.decoding.flags import TRUNCATED
from cnn.errors import CorpusError, RunError
from cnn.files import write_whole
from cnn.naming.reader import describe_merges, read_names
from cnn.naming.reading import NameReading
from cnn.naming.table import NameTable, read_table
from cnn.speakers.doubts import doubt_names


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


@dataclass(frozen=True, kw_only=True, slots=True)
class _FolderContent:
    recordings: tuple[PurePosixPath, ...]  # in natural order
    ignored: Mapping[str, int]  # other files, counted by kind
    problems: tuple[Misfit, ...]  # folders that cannot be opened


def find_files(folder: Path, out: Path) -> _FolderContent:
    """List the files below `folder`; hidden ones are left out.

    Raises:
        CorpusError: the folder is missing or holds no audio, or a check of `check_folders` fails.
    """
    check_folders(folder, out)
    closed: list[FileProblem] = []
    files = list(walk_files(folder, closed))
    recordings = [path for path in files if is_audio(path)]
    ignored = count_kinds(path for path in files if not is_audio(path))
    if not recordings:
        raise CorpusError(describe_no_recording(folder, ignored))
    recordings.sort(key=lambda path: ([_natural_key(part) for part in path.with_suffix("").parts], path.suffix))
    problems = tuple(Misfit(path=problem.path, reason=problem.reason) for problem in closed)
    return _FolderContent(recordings=tuple(recordings), ignored=ignored, problems=problems)


def _natural_key(part: str) -> list[tuple[int, str]]:
    """Return a sort key that puts `take 9` before `take 10`."""
    words = re.split(r"([0-9]+)", part)
    return [(int(word), "") if i % 2 else (-1, word) for i, word in enumerate(words)]


def plan_import(folder: Path, out: Path, options: ImportOptions, advance: Callable[[int], None] = lambda n: None) -> ImportPlan:
    """Plan the import into the corpus `out`; `advance(1)` is called for each recording of `find_files`.

    Raises:
        CorpusError: an option or the folder cannot be used, or speakers cannot be distinguished; not for a single bad file.
    """
    record = read_record(out)
    content = find_files(folder, out)
    table = read_table(options.table, folder, content.recordings, options.columns) if options.table else None
    speakers = tuple(entry.speaker for entry in record.values())
    readings = read_names(content.recordings, options.rules(folder, speakers, table))
    sources: list[list[SourcePiece]] = []
    problems = list(content.problems)
    for reading in readings:
        try:
            sources.append(_read_source(folder, reading, options, table))
        except MisfitError as error:
            problems.append(_misfit(reading.path, str(error)))
        advance(1)
    originals = _remove_copies(sources, problems)
    clips, renames, n_existing = _assign_names(originals, record, out, problems)
    return ImportPlan(
        folder=folder,
        out=out,
        options=options,
        clips=tuple(clips),
        renames=tuple(renames),
        n_existing=n_existing,
        problems=tuple(sorted(problems, key=lambda problem: problem.path)),
        notes=describe_merges(readings),
        doubts=doubt_names((piece.speaker, piece.label) for pieces in originals for piece in pieces),
        missing=table.missing if table else (),
        ignored=content.ignored,
        is_first=not record,
    )


def _misfit(path: PurePosixPath, reason: str) -> Misfit:
    return Misfit(path=escape_unprintable(str(path)), reason=reason)


def _read_source(folder: Path, reading: NameReading, options: ImportOptions, table: NameTable | None) -> list[SourcePiece]:
    path = reading.path
    if not str(path).isprintable():
        raise MisfitError("has a name that cannot be printed; rename it")
    if table and path not in table.rows:
        raise MisfitError(f"has no row in {options.table}")
    if reading.fault:
        raise MisfitError(reading.fault)
    try:
        sha256 = hashlib.sha256((folder / path).read_bytes()).hexdigest()
    except OSError as error:
        raise MisfitError(f"cannot be opened: {error.strerror}") from error
    recording = read_sound(folder / path, LONGEST_ROW_S if options.split_digits else LONGEST_S)
    wave, rate_hz, n_digits = to_mono(recording.samples), recording.rate_hz, len(options.split_digits)
    cuts: Sequence[Piece | None] = [trim(wave, rate_hz) if options.trim else None]
    if n_digits:
        cuts = cut_row(wave, rate_hz, n_digits, options.min_gap_s)
    pieces = []
    for index, (label, cut) in enumerate(zip(options.split_digits or reading.label, cuts, strict=True)):
        span = cut or Piece(start=0, end=len(wave))
        pieces.append(
            SourcePiece(
                source=path,
                sha256=sha256,
                piece=index,
                label=label,
                speaker=reading.speaker,
                spelling=reading.spelling,
                take=reading.take,
                cut=cut,
                flags=(*recording.flags, *([TRUNCATED] if recording.truncated else [])),
                length_s=(span.end - span.start) / rate_hz,
            )
        )
    return pieces


def _remove_copies(sources: Sequence[list[SourcePiece]], problems: list[Misfit]) -> list[list[SourcePiece]]:
    """Return the pieces of one file of each content, in their order; of none where its copies have another digit or speaker."""
    copies: dict[str, list[list[SourcePiece]]] = {}
    for pieces in sources:
        copies.setdefault(pieces[0].sha256, []).append(pieces)
    originals = []
    for group in copies.values():
        first, *others = (pieces[0] for pieces in group)
        rivals = [other for other in others if (other.label, other.speaker) != (first.label, first.speaker)]
        originals += [] if rivals else group[:1]
        for piece in (first, *others) if rivals else others:
            other = next(
                (rival for rival in (first, *rivals) if (rival.label, rival.speaker) != (piece.label, piece.speaker)), first
            )
            words = f", which is {other.label} of {other.speaker}, not {piece.label} of {piece.speaker}" if rivals else ""
            problems.append(_misfit(piece.source, f"is the same file as {other.source}{words}"))
    return originals


def _assign_names(
    sources: Sequence[list[SourcePiece]], record: Record, out: Path, problems: list[Misfit]
) -> tuple[list[ImportClip], list[Rename], int]:
    """Return the clips that are new, each with a free name, the renames, and the number of pieces that are there already."""
    names = CorpusNames(out, record)
    n_before = count_pieces(record, names)
    clips, renames, n_existing = list[ImportClip](), list[Rename](), 0
    for pieces in sources:
        if (n := n_before.get(pieces[0].sha256, 0)) not in (0, len(pieces)):
            n_existing += n
            reason = f"was imported in {n} piece{'s' * (n > 1)} and would be {len(pieces)} now; import it into another folder"
            problems.append(_misfit(pieces[0].source, reason))
            continue
        for piece in pieces:
            entry = record.get(piece.key)
            file, earlier = (names.locate(entry), entry.earlier) if entry else ("", ())
            has_name = entry and entry.file.startswith(f"{piece.label}_{piece.speaker}_")
            name = entry.file if entry and has_name else names.choose(piece.label, piece.speaker, piece.take, earlier)
            if not file:
                clips.append(ImportClip(name=name, origin=piece))
            elif file != name:
                renames.append(Rename(old=file, name=name, origin=piece))
            else:
                n_existing += 1
    return clips, renames, n_existing


def write_import(plan: ImportPlan, advance: Callable[[int], None] = lambda n: None) -> None:
    """Rename files of the corpus and write the clips of `plan`; `advance(1)` is called for each.

    After a kill the same import does the rest: the record is written first.

    Raises:
        CorpusError: the corpus cannot be written, or someone else wrote into it meanwhile.
    """
    out = plan.out
    try:
        with hold_lock(out.resolve().parent / f".{out.resolve().name}.lock"):
            check_folders(plan.folder, out)
            out.mkdir(parents=True, exist_ok=True)
            if plan.renames or plan.clips:
                write_record(out, _update_record(plan))
            for rename in plan.renames:
                _rename(out / rename.old, out / rename.name)
                advance(1)
            for clip in plan.clips:
                _check_free(out / clip.name)
                write_whole(out / clip.name, read_wav(plan.folder / clip.origin.source, clip.origin.cut))
                advance(1)
    except (OSError, RunError) as error:
        raise CorpusError(f"cannot write {out}: {getattr(error, 'strerror', None) or error}; free some space") from error
    except MisfitError as error:
        raise CorpusError(f"a recording changed meanwhile: {error}; give the same command again") from error


def _update_record(plan: ImportPlan) -> Record:
    record = read_record(plan.out)
    earlier = {rename.name: (*record[rename.origin.key].earlier, rename.old) for rename in plan.renames}
    for name, origin in [*((c.name, c.origin) for c in plan.clips), *((r.name, r.origin) for r in plan.renames)]:
        record[origin.key] = Entry(
            file=name,
            source=str(origin.source),
            sha256=origin.sha256,
            piece=origin.piece,
            speaker=origin.spelling,
            earlier=tuple(dict.fromkeys(before for before in earlier.get(name, ()) if before != name)),
        )
    return record


def _rename(old: Path, new: Path) -> None:
    if not (new.exists() and new.samefile(old)):  # a disk without case has both names for one file
        _check_free(new)
    old.rename(new)


def _check_free(path: Path) -> None:
    if path.exists():
        raise CorpusError(f"{path} was written by someone else meanwhile; give the same command again")
