"""Names that became a wrong digit or a wrong speaker in silence, through the very commands."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
from typer.testing import CliRunner

from cnn.cli.data_collect import app

RATE_HZ = 8000


def make_recordings(folder: Path, names: Iterable[str]) -> Path:
    """Write a tone of 0.22 s, another one for each name."""
    for i, name in enumerate(names):
        time = np.arange(int(0.22 * RATE_HZ)) / RATE_HZ
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, 0.3 * np.hanning(len(time)) * np.sin(2 * np.pi * (200 + 7 * i) * time), RATE_HZ)
    return folder


def plan_import(folder: Path, *options: str) -> dict[str, tuple[str, str]]:
    """Return digit and speaker of each recording that `data import --dry-run` would write."""
    words = ["import", str(folder), str(folder.parent / "out"), "--dry-run", "--json", *options]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    clips = json.loads(result.stdout)["clips"]
    return {clip["source"]: (clip["file"][0], clip["file"][2:].rpartition("_")[0]) for clip in clips}


def test_the_number_of_a_speaker_is_no_digit(tmp_path: Path) -> None:
    names = [f"voces/hombre_{i}/hombre_{i}_{digit:02}.wav" for i in (3, 7) for digit in range(10)]
    clips = plan_import(make_recordings(tmp_path / "01", names))
    assert clips == {name: (name[-5], f"hombre-{name[13]}") for name in names}


def test_numbered_copies_are_takes_of_one_speaker(tmp_path: Path) -> None:
    names = [f"{digit}/{speaker} ({take}).wav" for digit in (0, 5, 7) for speaker in ("ana", "luis") for take in (1, 2)]
    names += ["0/ana - Copy.wav", "5/luis - copia.wav"]
    clips = plan_import(make_recordings(tmp_path / "02", names))
    assert clips == {name: (name[0], name[2:].partition(" ")[0]) for name in names}


def test_another_spelling_of_the_digit_is_no_part_of_a_name(tmp_path: Path) -> None:
    words = {"dos": ("2", "DOS"), "nueve": ("9", "NUEBE"), "ocho": ("8", "OTXO")}
    names = {
        f"{folder}/{speaker}_F_{word}_0{take}.wav": (digit, f"{speaker}-F")
        for folder, (digit, word) in words.items()
        for speaker in ("ANA", "LUIS")
        for take in (1, 2)
    }
    assert plan_import(make_recordings(tmp_path / "03", names)) == names


def test_a_folder_that_holds_all_is_nobody(tmp_path: Path) -> None:
    names = {f"mis_audios/{digit}/{digit}_{speaker}.wav": (digit, speaker) for digit in "057" for speaker in ("ana", "luis")}
    folder = make_recordings(tmp_path / "04", names)
    assert plan_import(folder) == names
    assert plan_import(folder / "mis_audios") == {name.removeprefix("mis_audios/"): clip for name, clip in names.items()}


def test_digits_with_a_zero_before_them_are_read(tmp_path: Path) -> None:
    names = {f"{speaker}/{speaker}_0{digit}.wav": (digit, speaker) for speaker in ("ana", "luis") for digit in "057"}
    folder = make_recordings(tmp_path / "13", names)
    assert plan_import(folder) == names
    assert plan_import(folder, "--pattern", "{speaker}/{any}_{label}") == names


def test_scan_refuses_a_digit_that_folder_and_name_contradict(tmp_path: Path) -> None:
    from cnn.corpus.scan import scan

    corpus = scan(make_recordings(tmp_path / "corpus", ["7/5_ana_2.wav", "7/7_ana_0.wav", "10_ana_1.wav"]))
    assert [(clip.id, clip.label, clip.speaker) for clip in corpus.clips] == [("7/7_ana_0", "7", "ana")]
    assert {problem.path: problem.reason for problem in corpus.problems} == {
        "10_ana_1.wav": "label '10' is not one of 0..9",
        "7/5_ana_2.wav": "says 7 by its folder '7' and 5 by '5' in its name; "
        "give --pattern '{label}/{any}_{speaker}_{take}' for 7 or "
        "--pattern '{any}/{label}_{speaker}_{take}' for 5 to `arena data import`",
    }
