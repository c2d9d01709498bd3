"""`arena data synth` and `arena data scan` as a person meets them: what is printed where, and how it ends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from arena.base.errors import ArenaError
from arena.cli import app


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, words)])


def refusal(*words: str | Path) -> str:
    result = run(*words)
    assert isinstance(result.exception, ArenaError)
    return str(result.exception)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """3 speakers x 10 digits, and 22 recordings without sound."""
    root = tmp_path / "mine"
    root.mkdir()
    for digit in range(10):
        for number, name in enumerate(("ann", "bob", "eve")):
            wave = np.random.default_rng([digit, number]).uniform(-0.5, 0.5, 2000)
            soundfile.write(root / f"{digit}_{name}_0.wav", wave, 8000)
    for take in range(22):
        (root / f"5_ann_{take + 10}.wav").write_bytes(b"")
    (root / "README.md").write_text("mine")
    return root


def test_scan_prints_what_a_teacher_asks_for(folder: Path) -> None:
    result = run("scan", folder)
    assert result.exit_code == 0
    digest = json.loads(run("scan", folder, "--json").stdout)["digest"]
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines == [
        f"{folder}  digest {digest}",
        "clips     30 usable, 22 problems",
        "speakers  3 (ann 10, bob 10, eve 10)",
        "length    shortest 0.25 s, 5 % 0.25 s, median 0.25 s, 95 % 0.25 s, longest 0.25 s",
        "rate      8,000 Hz",
        "channels  mono",
        "others    1 file is not read: 1 .md",
        "",
        "digit   0   1   2   3   4   5   6   7   8   9",
        45 * "─",
        "clips   3   3   3   3   3   3   3   3   3   3",
        "",
        "Augmentation is called for: 3 clips of the rarest digit are few (rule of thumb: 5,000); and a split by speaker leaves "
        "1 of 3 voices for training, so that a new voice lies outside their range in a trait such as pitch with chance 100%. "
        "The digits are balanced (3 clips each), so class balance is no reason for it.",
        "",
        "Not used: 22 files (22 empty)",
        *(f"  5_ann_{take}.wav is of 0 bytes" for take in range(10, 30)),
        "  and 2 more; list them with --all-problems",
    ]
    assert result.stderr.startswith("listening: 30 of 30 done in ")


def test_scan_lists_all_problems_when_asked(folder: Path) -> None:
    lines = run("scan", folder, "--all-problems").stdout.splitlines()
    assert lines[-22:] == [f"  5_ann_{take}.wav is of 0 bytes" for take in range(10, 32)]


def test_scan_names_what_varies(folder: Path) -> None:
    soundfile.write(folder / "0_ann_1.flac", np.sign(np.sin(np.arange(96_000) / 40)).reshape(48_000, 2), 48_000)
    shutil.copy(folder / "1_bob_0.wav", folder / "lonely.wav")
    printed = run("scan", folder).stdout
    for line in (
        "clips     31 usable, 23 problems",
        "rate      8,000 Hz in 30 clips, 48,000 Hz in 1 clip",
        "channels  mono in 30 clips, 2 channels in 1 clip",
        "flags     1 clipped: used all the same",
        "Not used: 23 files (22 empty, 1 name)",
    ):
        assert line in printed.splitlines()


def test_scan_gives_json_alone_on_stdout(folder: Path) -> None:
    content = json.loads(run("scan", folder, "--json").stdout)
    assert sorted(content) == [
        *("advice", "balance", "digest", "doubts", "flagged", "folder", "name", "not_read", "notes", "problems", "speakers")
    ]
    assert content["problems"][0] == {"path": "5_ann_10.wav", "kind": "empty", "reason": "is of 0 bytes"}
    assert content["balance"]["per_digit"] == dict.fromkeys("0123456789", 3)
    assert content["balance"]["augment"] is True


def test_scan_is_strict_when_asked(folder: Path) -> None:
    assert refusal("scan", folder, "--strict") == f"22 problems in {folder} and --strict was given; fix or remove those files"
    for path in folder.glob("5_ann_[123]*.wav"):
        path.unlink()
    assert run("scan", folder, "--strict").exit_code == 0


def test_scan_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert refusal("scan", tmp_path / "x") == f"{tmp_path / 'x'} does not exist; give the folder that holds the recordings"


def test_synth_makes_a_corpus_once_and_scan_reads_it(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    out = tmp_path / "digits"
    words = ("synth", out, "--n-clips", "20", "--n-speakers", "2", "--language", "es")
    result = run(*words)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines()[-1] == f"{out} holds 20 clips of 2 voices; next: arena data scan {out}"
    again = run(*words)
    assert (again.exit_code, again.stderr) == (0, f"{out} holds these 20 clips of 2 voices already\n")
    assert "speakers  2 (01 10, 02 10); 1 female, 1 male" in run("scan", out).stdout.splitlines()
    assert refusal(*words, "--seed", "1").endswith("give a new folder")


def test_synth_refuses_an_unknown_language(tmp_path: Path) -> None:
    assert refusal("synth", tmp_path / "x", "--language", "fr") == "--language is en or es, or both as en,es, not 'fr'"


@pytest.mark.parametrize("command", ["synth", "scan"])
def test_each_command_has_help_with_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert re.search(rf"Examples?:[\s•]*arena data {command} ", result.stdout)


def test_help_starts_neither_numpy_nor_rich() -> None:
    code = "import sys, cnn.cli.data; print({'numpy', 'soundfile', 'rich'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_prepare_takes_settings_alone_where_a_project_names_the_recordings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / "arena.toml").write_text('corpus = "mine"\n')
    monkeypatch.chdir(folder.parent)
    assert "30 clips of 32 x 32 cells" in run("prepare", "tiles.size=32", "--jobs", "1").stdout
