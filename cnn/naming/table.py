"""Tables that say digit and speaker of each file, as spreadsheets and programs write them. Standard library only."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cnn.errors import CorpusError
from cnn.naming.reading import Namer, Naming
from cnn.naming.table_paths import locate_files
from cnn.naming.words import fold_word, read_label

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_COLUMNS = ("path", "label", "speaker", "take")
_OTHER_WORDS = {  # headers of other tables, folded and without what stands between words
    "path": "file filename filepath fname name audio audiofile audiopath wav clip recording archivo fichero ruta nombre",
    "label": "digit class number word target category text transcript sentence digito etiqueta clase numero palabra",
    "speaker": "speakerid spk spkid clientid voice person user userid participant subject hablante locutor voz persona",
}
_BOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx and ods, xls


@dataclass(frozen=True, kw_only=True, slots=True)
class NameTable:
    """Content of a table whose paths were looked up among the files of an import."""

    rows: Mapping[PurePosixPath, Naming]  # by path below the imported folder
    missing: tuple[str, ...]  # rows without a file, such as `line 2: clip_99.wav`
    note: str  # a sentence on the encoding; empty if it is UTF-8 or UTF-16


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    line: int
    path: str
    naming: Naming


def table_namer(rows: Mapping[PurePosixPath, Naming], words: Mapping[str, str]) -> Namer:
    """Return a namer that looks paths up in the rows of a table and labels in `words`."""

    def read_name(path: PurePosixPath) -> Naming:
        row = rows.get(path, Naming(label=""))
        return Naming(label=read_label(row.label, words), speaker=row.speaker, take=row.take)

    return read_name


def read_table(file: Path, folder: Path, paths: Sequence[PurePosixPath], required: Sequence[str]) -> NameTable:
    """Read a table with the columns `required`, of path, label, speaker and take, on the files `paths` below `folder`.

    Raises:
        CorpusError: the table cannot be read, lacks a column, contradicts itself, or its paths are no files of the import.
    """
    text, is_guess = _decode(file)
    rows = list(_read_rows(file, text, required))
    if not rows:
        raise CorpusError(f"{file} has no row; give a table with the columns {','.join(required)}")
    located = locate_files([row.path for row in rows], file, folder, paths)
    names: dict[PurePosixPath, Naming] = {}
    missing = []
    for row, path in zip(rows, located, strict=True):
        if not path:
            missing.append(f"line {row.line}: {row.path}")
        elif names.setdefault(path, row.naming) != row.naming:
            raise CorpusError(
                f"{file} line {row.line}: {row.path} stands there twice, with another digit or speaker; remove one"
            )
    return NameTable(rows=names, missing=tuple(missing), note=_describe_guess(file, text) if is_guess else "")


def _decode(file: Path) -> tuple[str, bool]:
    """Return the text of a table, and whether its encoding is a guess."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CorpusError(
            f"{file} cannot be opened: {error.strerror}; give a CSV with the columns path,label,speaker"
        ) from error
    if content.startswith(_BOOKS):
        raise CorpusError(f"{file} is a spreadsheet or an archive and no CSV; save the sheet as CSV (UTF-8)")
    halves = [content[::2].count(0), content[1::2].count(0)]  # in UTF-16 every other byte of plain text is 0
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff")) or max(halves) > len(content) // 8
    wide = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-16-be", "utf-16-le")[halves[1] > halves[0]]
    for encoding in (wide,) if is_wide else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding).lstrip("\ufeff"), encoding == "cp1252"
        except UnicodeDecodeError:
            continue
    raise CorpusError(f"{file} is neither UTF-8 nor UTF-16; save it as CSV (UTF-8)")


def _describe_guess(file: Path, text: str) -> str:
    word = next(word for word in text.translate(dict.fromkeys(map(ord, '",;|'), " ")).split() if not word.isascii())
    return f"{file} is not UTF-8 and is read as Windows-1252; if {word!r} is misread, save it as CSV (UTF-8)"


def _read_rows(file: Path, text: str, required: Sequence[str]) -> Iterator[_Row]:
    lines = text.splitlines(keepends=True)
    n_before = 1 if lines and lines[0].strip(' "\r\n').lower().startswith("sep=") else 0  # Excel's own first line
    first = lines[n_before] if len(lines) > n_before else ""
    separator = max(_SEPARATORS, key=lambda mark: (_count_columns(first, mark), first.count(mark)))
    reader = csv.reader(io.StringIO("".join(lines[n_before:]), newline=""), delimiter=separator, strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        columns = _find_columns(file, header, required)
        for cells in reader:
            values = [cell.strip() for cell in cells]
            line = n_before + reader.line_num
            if any(values) and (len(values) <= max(columns.values()) or any(values[len(header) :])):
                rule = f"put a value that holds {_SEPARATORS[separator]} into quotes"
                raise CorpusError(f"{file} line {line} has {len(values)} values, the first line {len(header)}; {rule}")
            if any(values):
                facts = {name: unicodedata.normalize("NFC", values[index]) for name, index in columns.items()}
                yield _Row(line=line, path=facts.pop("path"), naming=Naming(**{"label": ""} | facts))
    except csv.Error as error:
        raise CorpusError(f"{file} line {n_before + reader.line_num} is no CSV: {error}; save it as CSV (UTF-8)") from error


def _count_columns(line: str, separator: str) -> int:
    words = {_fold_header(cell) for cell in line.split(separator)}
    return sum(name in words or any(word in words for word in _OTHER_WORDS[name].split()) for name in _OTHER_WORDS)


def _fold_header(cell: str) -> str:
    return "".join(letter for letter in fold_word(cell) if letter.isalnum())


def _find_columns(file: Path, header: Sequence[str], required: Sequence[str]) -> dict[str, int]:
    """Return the index of each column by its name."""
    folded = [_fold_header(cell) for cell in header]
    if repeated := [name for name in _COLUMNS if folded.count(name) > 1]:
        raise CorpusError(f"{file} has the column {repeated[0]} twice; remove one")
    if missing := [name for name in required if name not in folded]:
        renames = []
        for name in missing:
            alike = [cell for cell, word in zip(header, folded, strict=True) if word in _OTHER_WORDS[name].split()]
            renames += [f"{' or '.join(map(repr, alike))} to {name}"] if alike else []
        others = f"its first line is {','.join(header)[:60]!r}, not {','.join(required)}"
        advice = f"rename {', '.join(renames)}" if renames else others
        raise CorpusError(f"{file} lacks the column{'s' * (len(missing) > 1)} {' and '.join(missing)}; {advice}")
    return {name: folded.index(name) for name in _COLUMNS if name in folded}
