"""Plan of an import: options, files to be written, files left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cnn.collect.segmentation import Piece
from cnn.errors import CorpusError
from cnn.naming.reading import NameRules
from cnn.naming.table import NameTable
from cnn.settings.data import DIGITS
from cnn.speakers.doubts import SpeakerDoubts


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportOptions:
    """Options for reading names and cutting sound; at most one of `pattern` and `table`."""

    pattern: str = ""
    table: Path | None = None
    words: str = ""  # ten words for 0 to 9, separated by commas
    speaker: str = ""  # speaker of files that name none
    split_digits: str = ""  # digits spoken in a row in each file; empty if a file holds one digit
    min_gap_s: float = 0.25
    trim: bool = False

    def __post_init__(self) -> None:
        if self.pattern and self.table:
            raise CorpusError("names are read by --pattern or by --table, not by both; leave one out")
        if any(digit not in DIGITS for digit in self.split_digits):
            raise CorpusError(f"--digits is what is said in order, such as 0123456789, not {self.split_digits!r}")
        if not 0.05 <= self.min_gap_s <= 5:
            raise CorpusError(f"--min-gap lies between 0.05 and 5 seconds, not {self.min_gap_s:g}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that a table must have."""
        return ("path", *(() if self.split_digits else ("label",)), *(() if self.speaker else ("speaker",)))

    def rules(self, folder: Path, speakers: tuple[str, ...], table: NameTable | None) -> NameRules:
        """Return the rules for reading names in `folder`; `speakers` are those of the corpus."""
        return NameRules(
            pattern=self.pattern,
            table=table.rows if table else None,
            words=self.words,
            speaker=self.speaker,
            folder=folder.resolve().name,
            has_digit=not self.split_digits,
            speakers=speakers,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SourcePiece:
    """A recording, or a piece of it, with its digit and speaker."""

    source: PurePosixPath  # path relative to the imported folder
    sha256: str  # SHA-256 of the source file
    piece: int  # index of the piece in the source file
    label: str
    speaker: str  # as in file names
    spelling: str  # the speaker as the source spells it
    take: str  # as the source says it; empty if it does not
    cut: Piece | None  # None: the whole file
    flags: tuple[str, ...]  # flags of a recording that was repaired, or is doubtful
    length_s: float

    @property
    def key(self) -> tuple[str, int]:
        """Key of the piece in the record, whatever its path."""
        return self.sha256, self.piece


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportClip:
    """A file to be written."""

    name: str  # file name in the corpus
    origin: SourcePiece

    @property
    def take(self) -> str:
        return PurePosixPath(self.name).stem.rpartition("_")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rename:
    """A file of the corpus whose digit or speaker now reads otherwise."""

    old: str
    name: str
    origin: SourcePiece


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfit:
    """A file that is left out."""

    path: str
    reason: str  # the rest of a sentence that begins with the path


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportPlan:
    """Files that an import would write or rename, and those that it would leave out."""

    folder: Path
    out: Path
    options: ImportOptions
    clips: tuple[ImportClip, ...]
    renames: tuple[Rename, ...]
    n_existing: int  # pieces that an earlier import wrote
    problems: tuple[Misfit, ...]  # sorted by path
    notes: tuple[str, ...]  # sentences on speakers whom names spell differently, and on the table
    doubts: SpeakerDoubts  # speakers who may be one person, by names and digits
    missing: tuple[str, ...]  # rows of the table without a file
    ignored: Mapping[str, int]  # files that are no recordings, counted by kind
    is_first: bool  # nothing was imported into `out` before

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to import, now or before."""
        return not self.clips and not self.renames and not self.n_existing

    @property
    def needs_consent(self) -> bool:
        """Return whether a person should look first: names were read by looks alone, or files of the corpus get others."""
        by_looks = not self.options.pattern and not self.options.table and not self._is_standard
        return bool(self.renames) or (self.is_first and bool(self.clips) and by_looks)

    @property
    def _is_standard(self) -> bool:
        """Return whether every name is `{digit}_{speaker}_{take}` and nothing had to be merged."""
        origins = (clip.origin for clip in self.clips)
        heads = ((origin.source.stem, f"{origin.label}_{origin.speaker}_") for origin in origins)
        return not self.notes and all(s.startswith(head) and s.removeprefix(head).isdecimal() for s, head in heads)
