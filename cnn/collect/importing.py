"""A team's own recordings, of any naming, into corpus files `{digit}_{speaker}_{take}.wav`; the originals are only read.

First a plan, which reads everything and writes nothing; then its files. `imported.csv` in the corpus says what came from where,
so that importing again adds only what is new.
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
from cnn.collect.naming import Named, Namer, by_looking, by_pattern, by_table, check_speakers, clean_speaker, label_table
from cnn.collect.segmentation import LONGEST_ROW_S, LONGEST_S, MisfitError, Piece, cuts_in_row, read_sound, trimmed, wav_of
from cnn.config import LABELS
from cnn.corpus.audio import mono
from cnn.errors import CorpusError, RunError
from cnn.files import write_csv, write_whole

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")
_UNREADABLE = (".m4a", ".aac", ".wma", ".webm", ".opus", ".amr", ".3gp", ".mp4")
RECORD_NAME = "imported.csv"
_HEADER = ("file", "source", "sha256", "piece", "speaker")
_CORPUS_NAME = re.compile(r"([0-9])_(.+)_([0-9]+)\.wav")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportOptions:
    """How names are read and sound is cut; at most one of `pattern` and `table`."""

    pattern: str = ""
    table: Path | None = None
    words: str = ""  # ten, with commas, for 0 to 9
    speaker: str = ""  # of files that name none
    split_digits: str = ""  # what is said in a row in each file; empty where a file holds one digit
    min_gap_s: float = 0.25
    trim: bool = False

    def __post_init__(self) -> None:
        if self.pattern and self.table:
            raise CorpusError("names are read by --pattern or by --csv, not by both; leave one out")
        if any(digit not in LABELS for digit in self.split_digits):
            raise CorpusError(f"--digits is what is said in order, such as 0123456789, not {self.split_digits!r}")
        if not 0.05 <= self.min_gap_s <= 5:
            raise CorpusError(f"--min-gap lies between 0.05 and 5 seconds, not {self.min_gap_s:g}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportClip:
    """One file to be written."""

    source: PurePosixPath  # below the imported folder
    name: str  # in the corpus
    speaker: str  # as the source spells it
    sha256: str  # of the source file
    piece: int  # of its pieces, from 0
    cut: Piece | None  # None: the whole file
    length_s: float  # of what is written


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What an import would do."""

    folder: Path
    out: Path
    clips: tuple[ImportClip, ...]  # to be written
    n_known: int  # there already, from an earlier import
    problems: tuple[tuple[str, str], ...]  # path, and the rest of a sentence that begins with it


@dataclass(frozen=True, kw_only=True, slots=True)
class _Heard:
    source: PurePosixPath
    sha256: str
    speaker: str
    cleaned: str
    labels: str  # one per piece
    cuts: tuple[Piece | None, ...]
    lengths_s: tuple[float, ...]


def check_places(folder: Path, out: Path) -> None:
    """Neither folder may lie in the other, and `out` is new, empty, or was made by an import.

    Raises:
        CorpusError: it is not so, or the folder is missing.
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
    """The audio files below `folder`, in natural order; hidden ones are left out.

    Raises:
        CorpusError: the folder is missing or holds no audio, or as `check_places`.
    """
    check_places(folder, out)
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inner = PurePosixPath(Path(place).relative_to(folder).as_posix())
        found += [inner / n for n in names if not n.startswith(".") and Path(n).suffix.lower() in SUFFIXES + _UNREADABLE]
    if not found:
        raise CorpusError(f"{folder} holds no recording ({', '.join(SUFFIXES)}); give the folder that does")
    return sorted(found, key=lambda path: ([_natural(part) for part in path.with_suffix("").parts], path.suffix))


def _natural(part: str) -> list[tuple[int, str]]:
    """So that `take 9` stands before `take 10`."""
    words = re.split(r"([0-9]+)", part)
    return [(int(word), "") if place % 2 else (-1, word) for place, word in enumerate(words)]


def plan_import(folder: Path, out: Path, options: ImportOptions, advance: Callable[[int], None] = lambda n: None) -> Plan:
    """What would be written into the corpus `out`; `advance(1)` hears of each of `find_files`.

    Raises:
        CorpusError: an option or the folder cannot be used, or speakers cannot be told apart; not for a single bad file.
    """
    namer = _namer(options)
    heard: list[_Heard] = []
    problems: list[tuple[str, str]] = []
    of_sound: dict[str, PurePosixPath] = {}
    for path in find_files(folder, out):
        try:
            one = _hear(folder, path, namer(path), options)
            if first := of_sound.get(one.sha256):
                raise MisfitError(f"is the same file as {first}")
            of_sound[one.sha256] = path
            heard.append(one)
        except MisfitError as misfit:
            problems.append((_printable(str(path)), str(misfit)))
        advance(1)
    record = _read_record(out)
    speakers = {one.speaker: one.cleaned for one in heard}
    check_speakers(speakers | {row["speaker"]: clean_speaker(row["speaker"]) for row in record.values()})
    clips, n_known = _named(heard, record, out, problems)
    return Plan(folder=folder, out=out, clips=tuple(clips), n_known=n_known, problems=tuple(sorted(problems)))


def _namer(options: ImportOptions) -> Namer:
    table = label_table(options.words)
    if options.pattern:
        return by_pattern(options.pattern, table)
    return by_table(options.table, table) if options.table else by_looking(table)


def _hear(folder: Path, path: PurePosixPath, named: Named, options: ImportOptions) -> _Heard:
    if not str(path).isprintable():
        raise MisfitError("has a name that cannot be printed; rename it")
    if path.suffix.lower() in _UNREADABLE:
        raise MisfitError("is of a format that cannot be read here; convert it to wav, for instance with ffmpeg")
    speaker = named.speaker or options.speaker
    cleaned = clean_speaker(speaker)
    if not options.split_digits and named.label not in LABELS:
        what = f"names {named.label!r}, which is no digit" if named.label else "does not say its digit"
        raise MisfitError(f"{what}; say how with --pattern, --csv or --words")
    if not cleaned:
        raise MisfitError("does not say who speaks; say it with --speaker, --pattern or --csv")
    try:
        sha256 = hashlib.sha256((folder / path).read_bytes()).hexdigest()
    except OSError as error:
        raise MisfitError(f"cannot be opened: {error.strerror}") from error
    samples, rate_hz, _ = read_sound(folder / path, LONGEST_ROW_S if options.split_digits else LONGEST_S)
    wave, n_digits = mono(samples), len(options.split_digits)
    cuts: Sequence[Piece | None] = [trimmed(wave, rate_hz) if options.trim else None]
    if n_digits:
        cuts = cuts_in_row(wave, rate_hz, n_digits, options.min_gap_s)
    ends = [cut or Piece(start=0, end=len(samples)) for cut in cuts]
    return _Heard(
        source=path,
        sha256=sha256,
        speaker=speaker,
        cleaned=cleaned,
        labels=options.split_digits or named.label,
        cuts=tuple(cuts),
        lengths_s=tuple((cut.end - cut.start) / rate_hz for cut in ends),
    )


def _read_record(out: Path) -> dict[tuple[str, int], dict[str, str]]:
    """The rows of `imported.csv` by source digest and piece.

    Raises:
        CorpusError: it is damaged.
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


def _named(
    heard: Sequence[_Heard], record: Mapping[tuple[str, int], Mapping[str, str]], out: Path, problems: list[tuple[str, str]]
) -> tuple[list[ImportClip], int]:
    """The clips with a free take each, and how many are there already."""
    taken = _takes(out, [row["file"] for row in record.values()])
    clips, n_known = [], 0
    for one in heard:
        for piece, (label, cut, length_s) in enumerate(zip(one.labels, one.cuts, one.lengths_s, strict=True)):
            head = f"{label}_{one.cleaned}_"
            name = record.get((one.sha256, piece), {}).get("file", "")
            if name and (out / name).exists():
                n_known += 1
                if not name.startswith(head):
                    problems.append((_printable(str(one.source)), f"is there as {name}; remove that to have it as {head}.."))
                continue
            if not name.startswith(head) or not name:
                taken[head] += 1
                name = f"{head}{taken[head]}.wav"
            clips.append(
                ImportClip(
                    source=one.source,
                    name=name,
                    speaker=one.speaker,
                    sha256=one.sha256,
                    piece=piece,
                    cut=cut,
                    length_s=length_s,
                )
            )
    return clips, n_known


def _takes(out: Path, recorded: Sequence[str]) -> dict[str, int]:
    """The highest take in use, by what stands before it in a name."""
    taken: dict[str, int] = defaultdict(lambda: -1)
    there = [path.name for path in out.rglob("*.wav")] if out.is_dir() else []
    for name in [*there, *recorded]:
        if found := _CORPUS_NAME.fullmatch(unicodedata.normalize("NFC", name)):
            head = f"{found[1]}_{found[2]}_"
            taken[head] = max(taken[head], int(found[3]))
    return taken


def write_import(plan: Plan, advance: Callable[[int], None] = lambda n: None) -> None:
    """Write the clips of `plan`; `advance(1)` hears of each. After a kill the same import writes what is missing.

    Raises:
        CorpusError: the corpus cannot be written, or someone else wrote into it meanwhile.
    """
    out = plan.out
    try:
        with hold_lock(out.resolve().parent / f".{out.resolve().name}.lock"):
            check_places(plan.folder, out)
            out.mkdir(parents=True, exist_ok=True)
            _write_record(plan)
            for clip in plan.clips:
                if (out / clip.name).exists():
                    raise CorpusError(f"{out / clip.name} was written by someone else meanwhile; give the same command again")
                write_whole(out / clip.name, wav_of(plan.folder / clip.source, clip.cut))
                advance(1)
    except (OSError, RunError) as error:
        raise CorpusError(f"cannot write {out}: {getattr(error, 'strerror', None) or error}; free some space") from error
    except MisfitError as misfit:
        raise CorpusError(f"a recording changed meanwhile: {misfit}; give the same command again") from misfit


def _write_record(plan: Plan) -> None:
    rows = _read_record(plan.out)
    for clip in plan.clips:
        told = (clip.name, str(clip.source), clip.sha256, str(clip.piece), clip.speaker)
        rows[clip.sha256, clip.piece] = dict(zip(_HEADER, told, strict=True))
    if plan.clips:
        write_csv(plan.out / RECORD_NAME, _HEADER, sorted([row[name] for name in _HEADER] for row in rows.values()))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
