"""Plan of an import: options, files to be written, files left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cnn.collect.segmentation import Piece
from cnn.config import LABELS
from cnn.errors import CorpusError
from cnn.naming.reading import NameRules
from cnn.naming.table import NameTable


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
        if any(digit not in LABELS for digit in self.split_digits):
            raise CorpusError(f"--digits is what is said in order, such as 0123456789, not {self.split_digits!r}")
        if not 0.05 <= self.min_gap_s <= 5:
            raise CorpusError(f"--min-gap lies between 0.05 and 5 seconds, not {self.min_gap_s:g}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a table must have."""
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
class ImportClip:
    """One file to be written."""

    source: PurePosixPath  # path relative to the imported folder
    name: str  # file name in the corpus
    speaker: str  # the source's spelling
    sha256: str  # SHA-256 of the source file
    piece: int  # index of the piece in the source file
    cut: Piece | None  # None: the whole file
    length_s: float  # length of the new file


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportPlan:
    """Files that an import would write, and those that it would leave out."""

    folder: Path
    out: Path
    clips: tuple[ImportClip, ...]
    n_existing: int  # pieces that an earlier import wrote
    problems: tuple[tuple[str, str], ...]  # path, and the rest of a sentence that begins with it
    notes: tuple[str, ...]  # sentences on speakers whom names spell differently
