"""A team's own recordings: names read, sound cut, nothing overwritten, nothing added twice."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from arena.base.errors import ArenaError
from cnn.cli.data_collect import app
from cnn.collect.import_plan import ImportOptions, ImportPlan, Misfit
from cnn.collect.importing import plan_import, write_import
from cnn.collect.segmentation import find_pieces, trim
from cnn.corpus.scan import scan
from cnn.errors import CorpusError

RATE_HZ = 8000


def word(length_s: float, seed: int = 0) -> np.ndarray:
    time = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    hum = sum(np.sin(2 * np.pi * 150 * k * time + seed) / k for k in range(1, 8))
    return 0.2 * np.hanning(len(time)) ** 0.3 * hum * (1 + 0.01 * seed)


def quiet(length_s: float, level: float = 0.0005) -> np.ndarray:
    return np.random.default_rng(round(length_s * 1000)).normal(0, level, round(length_s * RATE_HZ))


def row_of_words(n_words: int, gap_s: float = 0.5, noise: float = 0.0005) -> np.ndarray:
    parts = [quiet(0.7, noise)]
    for seed in range(n_words):
        parts += [word(0.3 + 0.03 * seed, seed), quiet(gap_s, noise)]
    return np.concatenate(parts)


def write(path: Path, wave: np.ndarray | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = int.from_bytes(hashlib.sha256(path.name.encode() + path.parent.name.encode()).digest()[:2], "little")
    soundfile.write(path, word(0.4, seed) if wave is None else wave, RATE_HZ)
    return path


def run_import(folder: Path, out: Path, **options: object) -> ImportPlan:
    plan = plan_import(folder, out, ImportOptions(**options))  # type: ignore[arg-type]
    write_import(plan)
    return plan


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("noise", [0.0, 0.0005, 0.004])
def test_words_in_a_row_are_found_with_their_ends(noise: float) -> None:
    pieces = find_pieces(row_of_words(10, noise=noise), RATE_HZ, 0.25)
    assert len(pieces) == 10
    assert abs(pieces[0].start / RATE_HZ - 0.7) < 0.1
    assert abs(pieces[9].end / RATE_HZ - (len(row_of_words(10)) / RATE_HZ - 0.5)) < 0.1
    assert all(first.end <= second.start for first, second in itertools.pairwise(pieces))


def test_the_pause_before_a_final_t_splits_no_word() -> None:
    eight = np.concatenate([quiet(0.5), word(0.25), quiet(0.12), word(0.05), quiet(0.5)])
    assert len(find_pieces(eight, RATE_HZ, 0.25)) == 1
    cut = trim(eight, RATE_HZ)
    assert (cut.start / RATE_HZ, cut.end / RATE_HZ) == (pytest.approx(0.45, abs=0.03), pytest.approx(0.97, abs=0.04))


@pytest.mark.parametrize("wave", [np.zeros(100), np.ones(1), quiet(1.0, 0.1)])
def test_where_nothing_stands_out_nothing_is_trimmed(wave: np.ndarray) -> None:
    cut = trim(wave.astype(np.float32), RATE_HZ)
    assert (cut.start, cut.end) == (0, len(wave))


def test_an_import_is_a_corpus_and_leaves_the_originals_alone(tmp_path: Path) -> None:
    for speaker in ("ana", "Jörg"):
        for digit in ("cero", "siete"):
            write(tmp_path / "mine" / speaker / f"{digit}.wav")
    write(tmp_path / "mine" / "ana" / "cero-2.flac")
    before = {path: path.read_bytes() for path in (tmp_path / "mine").rglob("*.*")}
    plan = run_import(tmp_path / "mine", tmp_path / "out")
    assert names(tmp_path / "out") == [
        "0_Jörg_0.wav", "0_ana_0.wav", "0_ana_2.wav", "7_Jörg_0.wav", "7_ana_0.wav", "imported.csv",
    ]  # fmt: skip
    assert {path: path.read_bytes() for path in (tmp_path / "mine").rglob("*.*")} == before
    assert (tmp_path / "out" / "0_ana_0.wav").read_bytes() == before[tmp_path / "mine" / "ana" / "cero.wav"]
    assert plan.problems == ()
    corpus = scan(tmp_path / "out")
    assert [(clip.label, clip.speaker) for clip in corpus.clips][:2] == [("0", "Jörg"), ("0", "ana")]
    assert len(corpus.clips) == 5


def test_importing_again_adds_only_what_is_new(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "ana" / "uno.wav")
    run_import(tmp_path / "mine", tmp_path / "out")
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.wav")}
    (tmp_path / "mine" / "ana" / "uno.wav").rename(tmp_path / "mine" / "ana" / "uno-old.wav")
    write(tmp_path / "mine" / "ana" / "uno-new.wav")
    plan = run_import(tmp_path / "mine", tmp_path / "out")
    assert [(str(clip.origin.source), clip.name) for clip in plan.clips] == [("ana/uno-new.wav", "1_ana_1.wav")]
    assert plan.n_existing == 1
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    assert run_import(tmp_path / "mine", tmp_path / "out").clips == ()


def test_files_that_were_there_before_are_numbered_past(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "ana" / "uno.wav")
    run_import(tmp_path / "mine", tmp_path / "out")
    existing = write(tmp_path / "out" / "1_ana_4.wav")
    content = existing.read_bytes()
    write(tmp_path / "mine" / "ana" / "uno-new.wav")
    (clip,) = run_import(tmp_path / "mine", tmp_path / "out").clips
    assert clip.name == "1_ana_5.wav"
    assert existing.read_bytes() == content


def test_a_killed_import_goes_on_under_the_same_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for take in range(4):
        write(tmp_path / "mine" / "ana" / f"uno-{take}0.wav")
    plan = plan_import(tmp_path / "mine", tmp_path / "out", ImportOptions())

    def killed(n: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_import(plan, killed)
    assert names(tmp_path / "out") == ["1_ana_0.wav", "imported.csv"]
    run_import(tmp_path / "mine", tmp_path / "out")
    assert names(tmp_path / "out") == [*(f"1_ana_{take}.wav" for take in (0, 10, 20, 30)), "imported.csv"]
    assert len(scan(tmp_path / "out").clips) == 4


def test_a_label_that_changed_renames_the_file_and_is_not_written_twice(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "ana" / "uno.wav")
    run_import(tmp_path / "mine", tmp_path / "out")
    (tmp_path / "mine" / "ana" / "uno.wav").rename(tmp_path / "mine" / "ana" / "dos.wav")
    plan = run_import(tmp_path / "mine", tmp_path / "out")
    assert [(rename.old, rename.name) for rename in plan.renames] == [("1_ana_0.wav", "2_ana_0.wav")]
    assert names(tmp_path / "out") == ["2_ana_0.wav", "imported.csv"]


def test_one_bad_file_stops_nothing(tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "ana"
    write(mine / "uno.wav")
    (mine / "dos.wav").write_bytes(b"RIFF")
    (mine / "tres.m4a").write_bytes(b"x")
    write(mine / "diez.wav")
    write(mine / "cinco.wav", np.zeros(100))
    (mine / "uno-again.wav").write_bytes((mine / "uno.wav").read_bytes())
    plan = run_import(tmp_path / "mine", tmp_path / "out")
    assert [clip.name for clip in plan.clips] == ["1_ana_0.wav"]
    assert {problem.path: problem.reason for problem in plan.problems} == {
        "ana/dos.wav": "is a wav that breaks off before its sound; copy it again",
        "ana/tres.m4a": "is no recording that can be read: Format not recognised",
        "ana/diez.wav": "does not say its digit; say how with --pattern, --table or --words",
        "ana/cinco.wav": "holds no sound",
        "ana/uno-again.wav": "is the same file as ana/uno.wav",
    }


def test_a_row_of_digits_is_cut_into_ten(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "ana.wav", row_of_words(10))
    write(tmp_path / "mine" / "bob.wav", row_of_words(9))
    plan = run_import(tmp_path / "mine", tmp_path / "out", split_digits="0123456789")
    assert names(tmp_path / "out") == [*(f"{digit}_ana_0.wav" for digit in range(10)), "imported.csv"]
    lengths = [len(soundfile.read(tmp_path / "out" / f"{digit}_ana_0.wav")[0]) / RATE_HZ for digit in range(10)]
    assert lengths == pytest.approx([0.3 + 0.03 * seed + 0.1 for seed in range(10)], abs=0.06)
    (problem,) = plan.problems
    assert problem.path == "bob.wav"
    assert problem.reason.startswith("has 9 pieces between pauses, not 10 (seconds 0.6")
    assert run_import(tmp_path / "mine", tmp_path / "out", split_digits="0123456789").clips == ()


def test_trim_cuts_both_ends(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "ana" / "uno.wav", np.concatenate([quiet(0.8), word(0.4), quiet(0.9)]))
    (clip,) = run_import(tmp_path / "mine", tmp_path / "out", trim=True).clips
    assert clip.origin.length_s == pytest.approx(0.5, abs=0.05)
    assert soundfile.info(tmp_path / "out" / "1_ana_0.wav").duration == pytest.approx(clip.origin.length_s)


def test_a_table_names_what_no_pattern_could(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "a" / "x1.wav")
    write(tmp_path / "mine" / "x2.ogg")
    write(tmp_path / "mine" / "x3.wav")
    table = tmp_path / "labels.csv"
    table.write_text('path,label,speaker\na/x1.wav,siete,"Ana, B"\nx2.ogg,2,bob\n', encoding="utf-8-sig")
    plan = run_import(tmp_path / "mine", tmp_path / "out", table=table)
    assert names(tmp_path / "out") == ["2_bob_0.wav", "7_Ana-B_0.wav", "imported.csv"]
    assert plan.problems == (Misfit(path="x3.wav", reason=f"has no row in {table}"),)
    assert soundfile.info(tmp_path / "out" / "2_bob_0.wav").format == "WAV"
    with (tmp_path / "out" / "imported.csv").open(newline="", encoding="utf-8") as file:
        assert [row["speaker"] for row in csv.DictReader(file)] == ["bob", "Ana, B"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            "path,label\nx.wav,1\n",
            "lacks the column speaker; its first line is 'path,label', not path",
        ),
        ("", "lacks the columns path and label and speaker"),
        ("path,label,speaker\n", "has no row"),
        ("Filename;Dígito;speaker_id\nx;1;a\n", "rename 'Filename' to path, 'Dígito' to label, 'speaker_id' to speaker"),
        ("path,label,speaker,Path\nx.wav,1,a,y\n", "has the column path twice"),
        ("path,label,speaker\nx.wav,1,a\nx.wav,2,a\n", "line 3: x.wav stands there twice"),
        (
            "path,label,speaker\nx.wav,1,a, b\n",
            "line 2 has 4 values, the first line 3; put a value that holds the separator into quotes",
        ),
        ('path,label,speaker\n"x.wav" y,1,a\n', "line 2: "),
        ("path,label,speaker\n\udc81,1,a", "line 2: "),
        ("PK\x03\x04", ": this is a zip archive, no CSV"),
    ],
)
def test_a_broken_table_is_one_line(tmp_path: Path, content: str, reason: str) -> None:
    write(tmp_path / "mine" / "x.wav")
    table = tmp_path / "labels.csv"
    table.write_bytes(content.encode(errors="surrogateescape"))
    result = run("import", tmp_path / "mine", tmp_path / "out", "--table", table)
    assert isinstance(result.exception, CorpusError)
    assert "\n" not in str(result.exception)
    assert reason in str(result.exception)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_an_import_again_says_that_nothing_is_new(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "ana" / "uno.wav")
    words = ("import", tmp_path / "mine", tmp_path / "out")
    assert f"{tmp_path / 'out'}: 1 clip of 1 speaker written, 0 files left out" in run(*words, "--yes").stdout.splitlines()
    assert run(*words).stdout.splitlines()[0] == f"{tmp_path / 'out'}: nothing new, 1 there already, 0 files left out"


def test_an_import_prints_json_alone(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "ana" / "uno.wav")
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    words = ("import", tmp_path / "mine", tmp_path / "out", "--json")
    clip = {
        "source": "ana/uno.wav",
        "piece": 0,
        "file": "1_ana_0.wav",
        "digit": "1",
        "speaker": "ana",
        "take": "0",
        "length_s": 0.4,
    }
    content = {
        "written": False,
        "next": f"arena data import {tmp_path / 'mine'} {tmp_path / 'out'} --yes",
        "speakers": [{"name": "ana", "n_clips": 1, "digits": "1"}],
        "clips": [clip],
        "renames": [],
        "n_there_already": 0,
        "problems": [],
        "rows_without_file": [],
        "not_read": {".txt": 1},
        "notes": [],
        "doubts": {"n_speakers": 1, "single_digit": [], "namesakes": [], "alike": []},
        "flagged": {},
    }
    asked, agreed = run(*words), run(*words, "--yes")
    assert (asked.exit_code, agreed.exit_code) == (1, 0)
    assert json.loads(asked.stdout) == content
    assert json.loads(agreed.stdout) == content | {"written": True, "next": None}


def test_what_cannot_be_imported_at_all_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "x.wav")
    write(tmp_path / "others" / "1_ann_0.wav")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    for words, reason in (
        (("import", tmp_path / "mine", tmp_path / "out"), "none of the recordings in"),
        (("import", tmp_path / "none", tmp_path / "out"), "is no folder"),
        (("import", tmp_path / "mine", tmp_path / "mine"), "is the folder of the recordings itself"),
        (("import", tmp_path, tmp_path / "mine"), f"lies in {tmp_path}, which is only read; give a folder outside of it"),
        (("import", tmp_path / "mine", tmp_path), f"lies in the corpus folder {tmp_path}; give another folder"),
        (("import", tmp_path / "mine", tmp_path / "link" / "out"), "which is only read"),
        (("import", tmp_path / "empty", tmp_path / "out"), "empty is empty; give the folder"),
        (("import", tmp_path / "mine", tmp_path / "others"), "others is not empty and no import made it; give a new folder"),
        (
            ("import", tmp_path / "mine", tmp_path / "o", "--table", "x", "--pattern", "y"),
            "not by both",
        ),
        (
            ("import", tmp_path / "mine", tmp_path / "o", "--split-silence", "--digits", "1a"),
            "--digits is what is said",
        ),
        (("import", tmp_path / "mine", tmp_path / "others" / "1_ann_0.wav"), "is a file"),
    ):
        result = run(*words)
        assert isinstance(result.exception, ArenaError), words
        assert reason in str(result.exception)
        assert "\n" not in str(result.exception)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1_ann_0.wav", "empty", "link", "mine", "others", "x.wav"]


def test_a_folder_that_became_somebody_elses_meanwhile_is_not_written_into(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "ana" / "uno.wav")
    plan = plan_import(tmp_path / "mine", tmp_path / "out", ImportOptions())
    write(tmp_path / "out" / "1_ann_0.wav")
    with pytest.raises(CorpusError, match="is not empty and no import made it"):
        write_import(plan)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]
    assert names(tmp_path / "out") == ["1_ann_0.wav"]
