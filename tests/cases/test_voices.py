"""Speakers who may be one person under several names, as a teacher meets them: scan, prepare and train say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena.cli
from support.voices import write_words

CASE_3 = {"ANA-F": "2", "ANA-F-OTXO": "8", "ANA-F-NUEBE": "9", "LUIS-F": "2", "LUIS-F-OTXO": "8", "LUIS-F-NUEBE": "9"}
SINGLE = (
    "warning: 6 of 6 speakers say one digit alone (ANA-F, ANA-F-NUEBE, ANA-F-OTXO, LUIS-F and 2 more): "
    "probably one person under several names; `arena data import` with --pattern gives each person one name"
)
NAMES = (
    "warning: names that are probably of one person: ANA-F, ANA-F-NUEBE and ANA-F-OTXO; LUIS-F, LUIS-F-NUEBE and LUIS-F-OTXO; "
    "`arena data import` with --pattern gives each person one name"
)
APART = (
    "warning: this split puts some of them into different parts: if they are one person, the voice that is tested is heard in "
    "training, and the scores are too good"
)


def invoke(*words: str) -> tuple[str, str]:
    result = CliRunner().invoke(arena.cli.app, words, catch_exceptions=False, env={"COLUMNS": "300"})
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    return tmp_path


def test_words_of_digits_in_names_are_told_wherever_the_corpus_goes(home: Path) -> None:
    for name, digit in CASE_3.items():
        write_words(home / "corpus", name, 0 if name < "B" else 1, digit, range(2))
    assert [line for line in invoke("data", "scan", "corpus")[0].splitlines() if "warning" in line] == [SINGLE, NAMES]
    doubts = json.loads(invoke("data", "scan", "corpus", "--json")[0])["doubts"]
    assert doubts == {
        "n_speakers": 6,
        "single_digit": sorted(CASE_3),
        "namesakes": [sorted(CASE_3)[:3], sorted(CASE_3)[3:]],
        "alike": [],
    }
    stdout, stderr = invoke("data", "prepare", "corpus", "tiles.size=32", "--json")
    assert json.loads(stdout)["doubts"] == doubts
    assert [line for line in stderr.splitlines() if "warning" in line] == [SINGLE, NAMES]
    _, stderr = invoke("train", "--model", "mlp", "train.epochs=1")
    assert [line for line in stderr.splitlines() if line in (SINGLE, NAMES, APART)] == [SINGLE, NAMES, APART]


def test_a_voice_under_two_names_is_told_from_twenty_clips_on(home: Path) -> None:
    write_words(home / "corpus", "12", 1, "0123456789", range(2))
    write_words(home / "corpus", "31", 1, "0123456789", range(2, 4))
    write_words(home / "corpus", "40", 2, "0123456789", range(2))
    stdout = invoke("data", "scan", "corpus")[0]
    assert [line for line in stdout.splitlines() if "warning" in line] == [
        "warning: speakers who sound like one person: 12 and 31; listen, and if they are, give them one name"
    ]
    (home / "corpus" / "9_31_3.wav").unlink()
    assert "warning" not in invoke("data", "scan", "corpus")[0]
