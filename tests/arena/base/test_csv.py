"""CSV for people: no cell is run by a spreadsheet, and a harmless one stays as it is."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.base.csv_export import escape_formula, format_csv

SIGNS = "=+-@"
# Each sign as itself, full-width, small, superscript and subscript, where Unicode has the form.
FORMS = [chr(n) for n in range(0x20, 0x10000) if unicodedata.normalize("NFKC", chr(n)) in tuple(SIGNS)]
INVISIBLE = ["", " ", "\t", "\r", "\n", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u2060", "\x0b"]


def test_the_forms_hold_what_spreadsheets_run() -> None:
    assert {"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66"} <= set(FORMS)


@given(st.lists(st.sampled_from(INVISIBLE), max_size=3), st.sampled_from(FORMS), st.text(max_size=10))
def test_a_formula_is_set_apart_behind_blanks_and_in_every_form_of_its_sign(blanks: list[str], sign: str, rest: str) -> None:
    cell = "".join(blanks) + sign + rest
    assert escape_formula(cell) == f"'{cell}"


@given(st.text(max_size=20))
def test_every_text_comes_back_and_none_begins_as_a_formula(cell: str) -> None:
    read = next(csv.reader(io.StringIO(format_csv([[cell, "x"]], newline="\r\n"), newline=""), strict=True))[0]
    assert read in (cell, f"'{cell}")
    assert not unicodedata.normalize("NFKC", read).strip().startswith(tuple(SIGNS))
    assert not read.startswith(("\t", "\r", "\n"))


@given(st.from_regex(r"[A-Za-z0-9_.,:;/()\"' \u00e4\u03b1\u4e00]*", fullmatch=True))
def test_harmless_texts_are_written_as_the_csv_module_writes_them(cell: str) -> None:
    plain = io.StringIO()
    csv.writer(plain, lineterminator="\n").writerow([cell, "x"])
    assert format_csv([[cell, "x"]]) == plain.getvalue()


@pytest.mark.parametrize("cell", [-0.5, -1, 1e-05, None, True])
def test_what_is_no_text_is_never_changed(cell: object) -> None:
    assert escape_formula(cell) is cell


def test_numbers_keep_all_their_digits() -> None:
    text = format_csv([("team", "f1"), ('=HYPERLINK("x")', -0.5), ("+1", 0.1 + 0.2), ("ann, bob", None)])
    assert text.splitlines() == ["team,f1", '"\'=HYPERLINK(""x"")",-0.5', "'+1,0.30000000000000004", '"ann, bob",']
