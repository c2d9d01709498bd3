"""Record of an import, `imported.csv`: the source of each file of the corpus, and the names that the file had before."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnn.corpus.listing import RECORD_NAME
from cnn.errors import CorpusError
from cnn.files import write_csv

_HEADER = ("file", "source", "sha256", "piece", "speaker", "earlier")
_LONGEST_TAKE = 4  # digits of a take that is kept; a longer number is a date or a time


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One file of the corpus."""

    file: str
    source: str  # path in the imported folder
    sha256: str  # SHA-256 of the source
    piece: int  # index of the piece in the source
    speaker: str  # as the source spells it
    earlier: tuple[str, ...] = ()  # names that the file had, the last one last; a killed import may not have renamed it yet


Record = Mapping[tuple[str, int], Entry]  # by SHA-256 of the source and piece


def read_record(out: Path) -> dict[tuple[str, int], Entry]:
    """Read `imported.csv` of the corpus `out`; empty if there is none.

    Raises:
        CorpusError: the file is damaged.
    """
    path = out / RECORD_NAME
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        entries = [
            Entry(
                **{name: row[name] for name in ("file", "source", "sha256", "speaker")},
                piece=int(row["piece"]),
                earlier=tuple((row.get("earlier") or "").split()),
            )
            for row in rows
        ]
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        raise CorpusError(f"{out} is a file; give a folder for the corpus") from None
    except (OSError, ValueError, LookupError, TypeError, csv.Error) as error:
        raise CorpusError(f"{path} cannot be read ({error}); move it away to begin a new record") from error
    return {(entry.sha256, entry.piece): entry for entry in entries}


def write_record(out: Path, record: Record) -> None:
    """Write `imported.csv`, whole."""
    rows = ((e.file, e.source, e.sha256, e.piece, e.speaker, " ".join(e.earlier)) for e in record.values())
    write_csv(out / RECORD_NAME, _HEADER, sorted(rows))


class CorpusNames:
    """File names of a corpus: those in use, and free ones."""

    def __init__(self, out: Path, record: Record) -> None:
        existing = [path.name for path in out.rglob("*.wav")] if out.is_dir() else []
        self._existing = set(existing)
        self._owned = {entry.file for entry in record.values()}
        self._takes: dict[str, set[int]] = {}  # by the part of the name before the take
        for name in (*existing, *(name for entry in record.values() for name in (entry.file, *entry.earlier))):
            self._use(name)

    def _use(self, name: str) -> None:
        head, _, take = unicodedata.normalize("NFC", name).removesuffix(".wav").rpartition("_")
        if take.isdecimal():
            self._takes.setdefault(head, set()).add(int(take))

    def locate(self, entry: Entry) -> str:
        """Return the name under which the file is there; empty if it is not. A killed import may have left an earlier one."""
        names = (entry.file, *(name for name in entry.earlier[-1:] if name not in self._owned))
        return next((name for name in names if name in self._existing), "")

    def choose(self, label: str, speaker: str, take: str, earlier: Iterable[str]) -> str:
        """Return a free name and use it: one that the file had before, or with its own take, or with the next one."""
        head = f"{label}_{speaker}"
        for name in earlier:
            if name.startswith(f"{head}_") and name not in self._existing | self._owned:
                self._owned.add(name)
                return name
        takes = self._takes.setdefault(head, set())
        number = int(take) if take.isdecimal() and len(take) <= _LONGEST_TAKE else None
        if number is None or number in takes:
            number = max(takes, default=-1) + 1
        takes.add(number)
        return f"{head}_{number}.wav"


def count_pieces(record: Record, names: CorpusNames) -> Mapping[str, int]:
    """Count the pieces of each source, by its SHA-256, of which some piece is there."""
    present = {entry.sha256 for entry in record.values() if names.locate(entry)}
    return Counter(sha256 for sha256, _ in record if sha256 in present)
