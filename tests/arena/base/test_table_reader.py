"""Tables that people wrote: read line by line, or refused in a line that says what the file is."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.base.tables.reader import ANY_SEPARATOR, TEXTS, TableFault, read_table
from arena.base.texts import ENGLISH, Words
from support.paths import ROOT

PLAIN = b"path,label\na.wav,1\nb.wav,2\n"
ROWS = [(1, ["path", "label"]), (2, ["a.wav", "1"]), (3, ["b.wav", "2"])]


def zipped(**content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name.replace("__", "/"), data)
    return file.getvalue()


@pytest.mark.parametrize("separator", list(ANY_SEPARATOR))
@pytest.mark.parametrize("first", ["", "\ufeff", "sep={}\n", '"sep={}"\r\n'], ids=["plain", "mark", "sep", "quoted sep"])
def test_rows_are_read_whatever_separates_their_columns(separator: str, first: str) -> None:
    text = first.format(separator) + PLAIN.decode().replace(",", f" {separator} ")
    is_second = "sep" in first
    assert list(read_table(text.encode(), ANY_SEPARATOR)) == [(line + is_second, cells) for line, cells in ROWS]


def test_a_separator_in_quotes_or_behind_commas_is_part_of_a_value() -> None:
    assert list(read_table(b'"a;b",c\nd;e,f\n', ANY_SEPARATOR)) == [(1, ["a;b", "c"]), (2, ["d;e", "f"])]
    assert list(read_table(b"path\nmy;clip.wav\n")) == [(1, ["path"]), (2, ["my;clip.wav"])]
    assert list(read_table(b"", ANY_SEPARATOR)) == []
    assert list(read_table(b'\n\nid,a\n"x\ny",1\nz,2\n')) == [(3, ["id", "a"]), (4, ["x\ny", "1"]), (6, ["z", "2"])]


REFUSED = {
    "zip": (zipped(a=PLAIN), "this is a zip archive, no CSV; send the CSV inside"),
    "xlsx": (
        zipped(**{"[Content_Types].xml": b"<x/>", "xl__workbook.xml": b"<x/>"}),
        "this is an Excel workbook (xlsx), no CSV; save its sheet as 'CSV UTF-8' and send that",
    ),
    "ods": (
        b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        "this is a LibreOffice spreadsheet (ods), no CSV; save its sheet as 'CSV UTF-8' and send that",
    ),
    "xls": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        "this is an Excel workbook (xls), no CSV; save its sheet as 'CSV UTF-8' and send that",
    ),
    "npz": (zipped(**{"a.npy": b"x"}), "this is a file of NumPy (npz), no CSV; write its table as CSV and send that"),
    "gzip": (gzip.compress(PLAIN), "this is a gzip archive, no CSV; send the CSV inside"),
    "bzip2": (bz2.compress(PLAIN), "this is a bzip2 archive, no CSV; send the CSV inside"),
    "xz": (lzma.compress(PLAIN), "this is an xz archive, no CSV; send the CSV inside"),
    "tar": (b"p.csv".ljust(257, b"\0") + b"ustar\x0000", "this is a tar archive, no CSV; send the CSV inside"),
    "parquet": (b"PAR1\x15\x04", "this is a Parquet file, no CSV; write its table as CSV and send that"),
    "pickle": (b"\x80\x04\x95", "this is a pickle, no CSV; write its table as CSV and send that"),
    "json": (b'[ {"id": "a"} ]', "this is JSON, no CSV; write its table as CSV and send that"),
    "notebook": (b'{"cells": [], "nbformat": 4}', "this is a notebook (ipynb), no CSV; write its table as CSV and send that"),
    "pdf": (b"%PDF-1.7", "this is a PDF, no CSV; write its table as CSV and send that"),
    "picture": (b"\x89PNG\r\n", "this is a picture, no CSV; write its table as CSV and send that"),
    "recording": (b"RIFF\x24\0\0\0WAVE", "this is a recording, no CSV; send the CSV"),
    "web page": (
        b"\n<!doctype html>",
        "this is a page of the web, no CSV; download the file itself, not the page that shows it",
    ),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "this is a pointer of Git LFS, no CSV; `git lfs pull` fetches the file itself",
    ),
    "UTF-16": (
        PLAIN.decode().encode("utf-16"),
        "the file is UTF-16, as Excel's 'Unicode Text' and PowerShell's > write it; save it as 'CSV UTF-8' and try again",
    ),
    "UTF-16 without its mark": (
        PLAIN.decode().encode("utf-16-be"),
        "the file is UTF-16, as Excel's 'Unicode Text' and PowerShell's > write it; save it as 'CSV UTF-8' and try again",
    ),
    "Windows-1252": (
        PLAIN + "señal.wav,3\n".encode("cp1252"),
        "line 4: the file is not UTF-8 (byte 0xf1, ñ in Windows' own encoding); save it as 'CSV UTF-8' and try again",
    ),
    "no text": (b"a\x81", "line 1: the file is not UTF-8 (byte 0x81); save it as 'CSV UTF-8' and try again"),
    "NUL": (PLAIN + b"c\0,1", "line 4: the line holds a NUL byte; save the file as plain 'CSV UTF-8' and try again"),
    "open quote": (
        PLAIN + b'"c,1',
        "line 4: the row cannot be read as CSV (unexpected end of data); correct its quotes and try again",
    ),
    "a long cell": (
        PLAIN + b"c," + b"x" * 10_000_000,
        "line 4: a cell has more than 131,072 characters, mostly for a quote that is never closed; correct it and try again",
    ),
    "blank lines": (
        PLAIN + b"\n" * 100_001,
        "line 100004: the file has more than 100,000 blank lines; leave them out and try again",
    ),
    "semicolons": (
        b"sep=;\npath;label\na;1\n",
        "line 2: columns are separated by commas and this file uses semicolons; save it with commas and try again",
    ),
    "decimal commas": (
        b"id;0;1\na;0,5;0,5\n",
        "line 1: columns are separated by commas and numbers have a point, and this file uses semicolons and decimal commas; "
        "save it with commas and points and try again",
    ),
    **{
        name: (
            start,
            f"line 1: columns are separated by commas and this file uses {name}; save it with commas and try again",
        )
        for name, start in (("tabs", b"id\tlabel\n"), ("vertical bars", b"|id|label|\n"), ("spaces", b"  id  label\n0  a  1\n"))
    },
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_of_commas_says_what_it_is_and_what_to_do(case: str) -> None:
    content, message = REFUSED[case]
    with pytest.raises(TableFault) as caught:
        list(read_table(content))
    assert str(caught.value) == message
    assert caught.value.problem.translate("es") != str(caught.value.problem)


def test_every_text_is_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "arena" / "base" / "tables").glob("*.py"))
    assert [
        key for key in Words.read(TEXTS, ENGLISH).table if re.search(rf"""["'.]{key.partition(".")[2]}["']""", code) is None
    ] == []


@given(
    st.binary(max_size=80) | st.text('a,;\t|"\n\r=sep 0é', max_size=80).map(str.encode),
    st.sampled_from([",", ANY_SEPARATOR]),
)
def test_any_bytes_are_rows_or_one_line(content: bytes, separators: str) -> None:
    try:
        cells = [cell for _, row in read_table(content, separators) for cell in row]
    except TableFault as fault:
        message, cells = str(fault), []
    else:
        message = "fine"
    assert (len(message.splitlines()), [cell.strip() for cell in cells]) == (1, cells)
