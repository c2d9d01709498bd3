"""One name that deviates among a hundred regular ones, and numbers that look like lengths, versions or classes."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from cnn.naming.reader import read_names
from cnn.naming.reading import NameReading, NameRules

LAYOUTS = {  # with the folder that a stray lies in
    "{s}/{d}_{t}": "ana/",
    "{s}/{d}": "ana/",
    "{s}_{d}_{t}": "",
    "{d}_{s}_{t}": "",
    "{d}/{s}_{t}": "3/",
    "{s}/digit {d} ({t})": "ana/",
}
STRAYS = ("3 y 4 juntos", "ana 3 s 4", "luis_4 y ana_3", "3_1_4", "ana 3 cuatro", "ana_ch3_4", "mal 3 bien 4", "3x 4 ana")


def _read(names: list[str]) -> tuple[NameReading, ...]:
    return read_names([PurePosixPath(f"{name}.wav") for name in names], NameRules())


def _list_names(layout: str, speakers: tuple[str, ...] = ("ana", "luis", "eva"), n_takes: int = 3) -> list[str]:
    takes = range(1, n_takes + 1) if n_takes < 10 else range(n_takes)
    return [layout.format(s=speaker, d=digit, t=take) for speaker in speakers for digit in range(10) for take in takes]


@pytest.mark.parametrize("stray", STRAYS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_name_like_no_other_with_two_digits_is_left_out_with_a_pattern_for_each(layout: str, stray: str) -> None:
    *regular, reading = _read([*_list_names(layout), LAYOUTS[layout] + stray])
    assert [clip.fault for clip in regular if clip.fault] == []
    assert re.search("says [34] by .* and [134] by", reading.fault)
    for pattern, label in re.findall(r"--pattern '([^']+)' for ([0-9])", reading.fault):
        (again,) = read_names([reading.path], NameRules(pattern=pattern, speaker="ana"))
        assert (again.label, again.fault) == (label, "")


def test_a_stray_with_one_digit_is_read() -> None:
    strays = ["ana/4 repetido", "ana/otra vez cuatro", "ana/4 (2)"]
    assert [reading.label for reading in _read([*_list_names("{s}/{d}_{t}"), *strays])[-3:]] == ["4", "4", "4"]


@pytest.mark.parametrize("layout", ["{d}s_{s}_{t}", "{s}_{d}ª_{t}", "{s}_v{d}_{t}", "{s}/{d}x_{t}", "{s}_ch{d}_{t}"])
def test_a_number_that_runs_over_the_digits_is_no_length_or_version(layout: str) -> None:
    names = _list_names(layout, n_takes=10)
    readings = zip(_read(names), (re.findall("[0-9]", name) for name in names), strict=True)
    assert [reading.path for reading, (digit, _) in readings if not reading.fault and reading.label != digit] == []


@pytest.mark.parametrize("groups", [("5", "6", "6"), ("uno", "dos", "tres"), ("3", "3", "3")])
def test_folders_of_school_classes_are_no_digits(groups: tuple[str, ...]) -> None:
    people = zip(groups, ("ana", "luis", "eva"), strict=True)
    names = [f"{group}/{speaker}_{digit}" for group, speaker in people for digit in range(10)]
    assert all(reading.fault or reading.label == reading.path.stem[-1] for reading in _read(names))


def test_a_number_that_is_part_of_a_speakers_name_stays_there_in_the_pattern() -> None:
    reading = _read(_list_names("{s}_{d}_{t}", speakers=("ana1", "ana2")))[0]
    pattern = re.findall(r"--pattern '([^']+)' for 0", reading.fault)[0]
    (again,) = read_names([reading.path], NameRules(pattern=pattern))
    assert (again.label, again.speaker) == ("0", "ana1")


def test_marks_of_windows_and_numbers_of_common_voice_say_nothing() -> None:
    names = [f"{mark}{name}" for name in _list_names("{s}_{d}", n_takes=1) for mark in ("", "Kopie (2) von ")]
    assert {reading.speaker for reading in _read(names) if not reading.fault} == {"ana", "luis", "eva"}
    voices = _read([f"{digit}/common_voice_en_{1000 + digit}" for digit in range(10)])
    assert {reading.fault.partition(";")[0] for reading in voices} == {"does not say who speaks"}


def test_a_word_against_the_digit_of_the_imported_folder_is_left_out() -> None:
    paths = [PurePosixPath(f"{name}.wav") for name in ("ana_1", "ana_2", "luis_1", "ana_tres_1")]
    *others, last = read_names(paths, NameRules(folder="7"))
    assert [reading.label for reading in others] == ["7", "7", "7"]
    assert "says 7 by its folder '7' and 3 by 'tres' in its name" in last.fault


def test_every_proposed_pattern_reads_the_path_that_it_is_proposed_for() -> None:
    for layout in ("{s}{t}_{d}_x_{t}", "{s}_F_67_d{d}_r{t}", "{s}a_{d}_{t}"):
        reading = _read(_list_names(layout, speakers=("a3f9c", "b7d1", "P012")))[0]
        for option, label in re.findall(r"--pattern '([^']+)'(?: for ([0-9]))?", reading.fault):
            (again,) = read_names([reading.path], NameRules(pattern=option, speaker="x"))
            assert (again.fault, again.label) == ("", label or "0")
    (reading,) = (
        r for r in _read(_list_names("{s}_F_67_d{d}_r{t}", speakers=("P012", "P013"))) if "P012_F_67_d7_r1" in str(r.path)
    )
    assert "if 'P012_F' speaks, give --pattern '{speaker}_67_d{label}_r{take}', else say it by --table" in reading.fault
