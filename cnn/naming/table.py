"""Tables that say digit and speaker of each file, as spreadsheets and programs write them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from arena.base.tables import reader as base_reader
from cnn.errors import CorpusError
from cnn.naming.reading import Namer, Naming
from cnn.naming.table_paths import locate_files
from cnn.naming.words import fold_word, read_digit

_COLUMNS = ("path", "label", "speaker", "take")
_OTHER_WORDS = {  # headers of other tables, folded and without what stands between words
    "path": "file filename filepath fname name audio audiofile audiopath wav clip recording archivo fichero ruta nombre",
    "label": "digit class number word target category text transcript sentence digito etiqueta clase numero palabra",
    "speaker": "speakerid spk spkid clientid voice person user userid participant subject hablante locutor voz persona",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NameTable:
    """Content of a table whose paths were looked up among the files of an import."""

    rows: Mapping[PurePosixPath, Naming]  # by path below the imported folder
    missing: tuple[str, ...]  # rows without a file, such as `line 2: clip_99.wav`


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    line: int
    path: str
    naming: Naming


def table_namer(rows: Mapping[PurePosixPath, Naming], words: Mapping[str, str]) -> Namer:
    """Return a namer that looks paths up in the rows of a table and labels in `words`."""

    def read_name(path: PurePosixPath) -> Naming:
        row = rows.get(path, Naming(label=""))
        return Naming(label=read_digit(row.label, words), speaker=row.speaker, take=row.take)

    return read_name


def read_table(file: Path, folder: Path, paths: Sequence[PurePosixPath], required: Sequence[str]) -> NameTable:
    """Read a table with the columns `required`, of path, label, speaker and take, on the files `paths` below `folder`.

    Raises:
        CorpusError: the table cannot be read, lacks a column, contradicts itself, or its paths are no files of the import.
    """
    rows = list(_read_rows(file, required))
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
    return NameTable(rows=names, missing=tuple(missing))


def _read_rows(file: Path, required: Sequence[str]) -> Iterator[_Row]:
    try:
        rows = base_reader.read_table(file.read_bytes(), base_reader.ANY_SEPARATOR)
        _, header = next(rows, (1, []))
        columns = _find_columns(file, header, required)
        for line, values in rows:
            if len(values) <= max(columns.values()) or any(values[len(header) :]):
                rule = "put a value that holds the separator into quotes"
                raise CorpusError(f"{file} line {line} has {len(values)} values, the first line {len(header)}; {rule}")
            facts = {name: unicodedata.normalize("NFC", values[index]) for name, index in columns.items()}
            yield _Row(line=line, path=facts.pop("path"), naming=Naming(**{"label": ""} | facts))
    except OSError as error:
        advice = "give a CSV with the columns path,label,speaker"
        raise CorpusError(f"{file} cannot be opened: {error.strerror}; {advice}") from error
    except base_reader.TableFault as error:
        raise CorpusError(f"{file}{':' if error.line is None else ''} {error}") from error


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
