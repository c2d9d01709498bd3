"""Strings are drawn from test clips alone, and cut into as many digits as were drawn."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from cnn.corpus.audio import decode_any, to_mono
from cnn.errors import CorpusError
from cnn.settings.split import SplitSettings
from cnn.splits import make_split
from cnn.strings.cut import Strip, cut_sound, cut_strip
from cnn.strings.draw import StringPlan, draw_strings
from cnn.strings.score import StringScore, read_strings, score_strings
from cnn.tiles.tile_set import TileSet


def written(text: str) -> Strip:
    """A strip with bright digits on black, of a height of about twenty cells."""
    strip = np.zeros((44, 26 * len(text) + 20), np.uint8)
    for n, digit in enumerate(text):
        cv2.putText(strip, digit, (10 + 26 * n, 32), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    return strip


def test_a_strip_is_cut_into_its_digits_each_with_its_mass_in_the_middle() -> None:
    digits = cut_strip(written("0427"), 28, 32)
    assert [digit.shape for digit in digits] == [(32, 32)] * 4
    for digit in digits:
        rows, columns = np.indices(digit.shape)
        centre = (rows * digit).sum() / digit.sum(), (columns * digit).sum() / digit.sum()
        assert max(abs(c - 15.5) for c in centre) <= 0.5 + 1e-6
    assert [digit.tolist() for digit in cut_strip(255 - written("0427"), 28, 32)] == [digit.tolist() for digit in digits]


def test_dust_is_no_digit_and_a_digit_in_two_parts_is_one() -> None:
    strip = written("11")
    strip[4:7, 40:43] = 255  # dust
    strip[20:23, :40] = 0  # the first digit breaks
    assert len(cut_strip(strip, 28, 32)) == 2
    assert cut_strip(np.zeros((20, 50), np.uint8), 28, 32) == []


def test_large_writing_is_made_smaller_than_the_picture() -> None:
    (digit,) = cut_strip(cv2.resize(written("8"), None, fx=4, fy=4).astype(np.uint8), 28, 32)
    rows, columns = np.flatnonzero(digit.any(1)), np.flatnonzero(digit.any(0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (20, 21)


def test_rows_of_recordings_are_of_one_test_speaker_and_cut_at_their_pauses(tiles: TileSet, tmp_path: Path) -> None:
    split = SplitSettings(test_speakers=("ann",))
    plan = StringPlan(n=6, shortest=2, longest=4, seed=1)
    for name in ("a", "b"):
        draw_strings(tiles, split, plan, tmp_path / name, tmp_path / f"{name}.csv", lambda: None)
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["Group"] for row in rows} == {tiles.clips[make_split(tiles.clips, split).test[0]].speaker} == {"ann"}
    assert all(2 <= len(row["string"]) <= 4 for row in rows)
    for row in rows:
        first, second = ((tmp_path / name / f"{row['id']}.wav").read_bytes() for name in ("a", "b"))
        assert first == second
        recording = decode_any(tmp_path / "a" / f"{row['id']}.wav")
        assert len(cut_sound(to_mono(recording.samples), recording.rate_hz)) == len(row["string"])


def test_strips_show_test_pictures_side_by_side(digit_tiles: TileSet, tmp_path: Path) -> None:
    plan = StringPlan(n=5, shortest=3, longest=3, seed=0)
    draw_strings(digit_tiles, SplitSettings(kind="official"), plan, tmp_path / "strips", tmp_path / "s.csv", lambda: None)
    assert (tmp_path / "s.csv").read_text().splitlines()[0] == "id,string"  # nobody spoke
    for number, string in enumerate(read_strings(tmp_path / "s.csv").values(), 1):
        strip = cv2.imread(str(tmp_path / "strips" / f"{number}.png"), cv2.IMREAD_GRAYSCALE)
        assert strip is not None
        assert len(string) == 3
        starts = np.flatnonzero(np.diff(strip.any(0).astype(int), prepend=0) == 1)
        assert len(starts) >= 3


def test_answers_are_scored_as_a_contest_scores_them(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id,string\na,0427\nb,1\n")
    truth = read_strings(tmp_path / "s.csv")
    assert score_strings({"a": "427", "b": "1"}, truth) == StringScore(n=2, exact_match=0.5, digit_error_rate=0.2)
    with pytest.raises(CorpusError, match="1 of 2 strings have no file, such as b"):
        score_strings({"a": "0427"}, truth)
    (tmp_path / "s.csv").write_text("id,label\na,0\n")
    with pytest.raises(CorpusError, match="has no column 'string'"):
        read_strings(tmp_path / "s.csv")


@pytest.mark.parametrize("rows", ["", "1,04\n1,05\n", "1\n", "1,\n", ",04\n"])
def test_true_strings_stand_there_once_each(tmp_path: Path, rows: str) -> None:
    (tmp_path / "s.csv").write_text(f"id,string\n{rows}")
    with pytest.raises(CorpusError, match="gives every id once, with its string, and some row does not"):
        read_strings(tmp_path / "s.csv")
