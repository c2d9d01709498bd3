"""Folders of recordings, judged: every layout, every problem with its words, and the verdict on balance."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cnn.corpus.balance import measure_balance
from cnn.corpus.scan import Corpus, scan
from cnn.errors import CorpusError
from support.paths import ROOT

RATE_HZ = 8000
SHARED = ROOT.parent / "shared/corpora"


def wav(path: Path, seed: int = 0, level: float = 0.3, n_samples: int = 2000) -> Path:
    """A noise that no other seed makes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = level * np.random.default_rng(seed).uniform(-1, 1, n_samples)
    soundfile.write(path, samples, RATE_HZ)
    return path


def make_corpus(folder: Path, names: list[str]) -> Corpus:
    for seed, name in enumerate(names):
        wav(folder / name, seed)
    return scan(folder)


def read(corpus: Corpus) -> list[tuple[str, str, str, str]]:
    return [(clip.id, clip.label, clip.speaker, clip.take) for clip in corpus.clips]


def problems(corpus: Corpus) -> dict[str, tuple[str, str]]:
    return {problem.path: (problem.kind.value, problem.reason) for problem in corpus.problems}


def test_flat_names_give_digit_speaker_and_take(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, ["3_george_12.wav", "0_mary_ann_1.WAV", "9_x_0.flac"])
    assert read(corpus) == [
        ("0_mary_ann_1", "0", "mary_ann", "1"),
        ("3_george_12", "3", "george", "12"),
        ("9_x_0", "9", "x", "0"),
    ]


def test_audiomnist_folders_are_speakers_not_digits(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, ["01/0_01_0.wav", "02/7_02_3.wav"])
    assert read(corpus) == [("01/0_01_0", "0", "01", "0"), ("02/7_02_3", "7", "02", "3")]


def test_folders_per_class_name_the_digit(tmp_path: Path) -> None:
    names = ["0/a.wav", "Seven/b.wav", "ocho/session 2/c.wav", "two/00176480_nohash_1.wav", "one/1_ann_0.wav"]
    assert read(make_corpus(tmp_path, names)) == [
        ("0/a", "0", "", ""),
        ("Seven/b", "7", "", ""),
        ("ocho/session 2/c", "8", "", ""),
        ("one/1_ann_0", "1", "ann", "0"),
        ("two/00176480_nohash_1", "2", "00176480", "1"),
    ]


def test_a_clip_says_what_it_sounds_like(tmp_path: Path) -> None:
    samples = np.zeros((12_000, 2))
    samples[:, 0] = np.where(np.arange(12_000) % 100 < 50, 0.5, -0.5)
    soundfile.write(tmp_path / "1_ann_0.flac", samples, 48_000)
    (clip,) = scan(tmp_path).clips
    facts = (clip.path, clip.n_samples, clip.rate_hz, clip.n_channels, clip.length_s, clip.peak, clip.flags)
    assert facts == (Path("1_ann_0.flac"), 12_000, 48_000, 2, 0.25, 0.25, ())


def test_every_problem_is_listed_with_its_reason(tmp_path: Path) -> None:
    wav(tmp_path / "0_ann_0.wav")
    wav(tmp_path / "12_george_0.wav", 1)
    wav(tmp_path / "hello.wav", 2)
    wav(tmp_path / "1_ann_0.wav", 3, n_samples=0)
    wav(tmp_path / "2_ann_0.wav", 4, level=0.0005)
    wav(tmp_path / "2_bob_0.wav", 4, level=0)
    wav(tmp_path / "3_ann_0.wav", 5).write_bytes(b"RIFF, but not for long")
    (tmp_path / "4_ann_0.wav").write_bytes(b"")
    (tmp_path / "5_ann_0.mp3").write_bytes(b"ID3")
    (tmp_path / "6_ann_0.wav").symlink_to(tmp_path / "gone.wav")
    shutil.copy(tmp_path / "0_ann_0.wav", tmp_path / "0_ann_1.wav")
    shutil.copy(tmp_path / "0_ann_0.wav", tmp_path / "7_ann_0.wav")
    wav(tmp_path / "8_ann_0.flac", 6)
    wav(tmp_path / "8_ann_0.wav", 7)
    wav(tmp_path / "9_a\nb_0.wav", 8)
    soundfile.write(tmp_path / "2_cleo_0.wav", np.full(2000, 0.5), RATE_HZ)
    wav(tmp_path / "9_dan_0.wav", 9, n_samples=61 * RATE_HZ)
    os.mkfifo(tmp_path / "9_ann_0.wav")
    corpus = scan(tmp_path)
    assert [clip.id for clip in corpus.clips] == ["0_ann_0", "8_ann_0"]
    assert problems(corpus) == {
        "0_ann_1.wav": ("duplicate", "is the same sound as 0_ann_0.wav"),
        "12_george_0.wav": ("label", "label '12' is not one of 0..9"),
        "1_ann_0.wav": ("empty", "holds no samples"),
        "2_ann_0.wav": ("silent", "is silent: its peak is -66 dBFS"),
        "2_bob_0.wav": ("silent", "is silent: all its samples are 0"),
        "2_cleo_0.wav": ("silent", "is silent: all its samples are alike"),
        "3_ann_0.wav": ("unreadable", "is a wav that breaks off before its sound; copy it again"),
        "4_ann_0.wav": ("empty", "is of 0 bytes"),
        "5_ann_0.mp3": ("format", "is neither wav nor flac; `arena data import` reads it"),
        "6_ann_0.wav": ("unreadable", "cannot be opened: No such file or directory"),
        "7_ann_0.wav": ("duplicate", "is the same sound as 0_ann_0.wav, yet labelled 7 and not 0: one label is wrong"),
        "8_ann_0.wav": ("name", "has the same name as 8_ann_0.flac; rename or remove one"),
        "9_ann_0.wav": ("unreadable", "is no ordinary file"),
        "9_dan_0.wav": ("long", "lasts longer than 60 s, not one spoken digit"),
        "9_a\\nb_0.wav": ("name", "has a name that cannot be printed; rename it"),
        "hello.wav": ("name", "names no digit, nor does its folder"),
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_problem(tmp_path: Path) -> None:
    wav(tmp_path / "0_ann_0.wav")
    wav(tmp_path / "1_ann_0.wav", 1).chmod(0)
    assert problems(scan(tmp_path)) == {"1_ann_0.wav": ("unreadable", "cannot be opened: Permission denied")}


def test_clips_too_short_for_a_digit_are_used_and_flagged(tmp_path: Path) -> None:
    wav(tmp_path / "0_ann_0.wav", 0, n_samples=80)
    wav(tmp_path / "0_ann_1.wav", 1, n_samples=799)
    broken = wav(tmp_path / "0_ann_2.wav", 2, n_samples=900)
    broken.write_bytes(broken.read_bytes()[:-202])
    wav(tmp_path / "0_ann_3.wav", 3, n_samples=800)
    flags = {clip.id: clip.flags for clip in scan(tmp_path).clips}
    assert flags == {"0_ann_0": ("short",), "0_ann_1": ("short",), "0_ann_2": ("short", "truncated"), "0_ann_3": ()}


def test_clipped_and_truncated_clips_are_used_and_flagged(tmp_path: Path) -> None:
    wave = np.sin(2 * np.pi * 200 * np.arange(4000) / RATE_HZ)
    soundfile.write(tmp_path / "0_ann_0.wav", np.clip(3 * wave, -1, 1), RATE_HZ)
    soundfile.write(tmp_path / "0_ann_1.wav", wave, RATE_HZ)  # touches full scale, which is no clipping
    soundfile.write(tmp_path / "0_ann_2.wav", np.clip(3 * wave, -1, 1), RATE_HZ, subtype="PCM_U8")
    path = wav(tmp_path / "0_ann_3.wav")
    path.write_bytes(path.read_bytes()[:-1000])
    flags = {clip.id: clip.flags for clip in scan(tmp_path).clips}
    assert flags == {"0_ann_0": ("clipped",), "0_ann_1": (), "0_ann_2": ("clipped",), "0_ann_3": ("truncated",)}


def test_other_files_are_counted_and_hidden_folders_left_out(tmp_path: Path) -> None:
    for name in ("README.md", ".DS_Store", "._0_ann_0.wav"):
        (tmp_path / name).write_text("x")
    wav(tmp_path / ".cache" / "1_ann_0.wav", 1)
    (tmp_path / "loop").symlink_to(tmp_path)
    corpus = make_corpus(tmp_path, ["0_ann_0.wav"])
    assert ([clip.id for clip in corpus.clips], corpus.problems, corpus.ignored) == (["0_ann_0"], (), {"hidden": 2, ".md": 1})


def test_the_digest_knows_the_recordings_and_nothing_else(tmp_path: Path) -> None:
    original = make_corpus(tmp_path / "here", ["0_ann_0.wav", "1_bob_0.wav"])
    shutil.copytree(tmp_path / "here", tmp_path / "there" / "deeper")
    (tmp_path / "there" / "deeper" / "notes.txt").write_text("moved")
    os.utime(tmp_path / "there" / "deeper" / "0_ann_0.wav", (1, 1))
    copy = scan(tmp_path / "there" / "deeper")
    samples, rate_hz = soundfile.read(tmp_path / "here" / "0_ann_0.wav")
    (tmp_path / "there" / "deeper" / "0_ann_0.wav").unlink()
    soundfile.write(tmp_path / "there" / "deeper" / "0_ann_0.flac", samples, rate_hz)
    as_flac = scan(tmp_path / "there" / "deeper")
    louder = make_corpus(tmp_path / "here", ["1_bob_0.wav"])
    assert (copy.digest, as_flac.digest, copy.name) == (original.digest, original.digest, "deeper")
    assert len(original.digest) == 16
    assert louder.digest != original.digest


QUIRKS = {
    "01": {"accent": "german", "age": 30, "gender": "male", "native speaker": "no", "recordingroom": "VR-Room"},
    "02": {"accent": "Egyptian_American?", "age": "25", "gender": "Female", "recordingroom": "vr-romm"},
    "3": {"accent": "South Korean", "age": "1234", "gender": "male", "recordingdate": "17-06-22-11-04-28"},
    "60": {"age": "not heard here"},
}


def test_audiomnist_metadata_survives_its_quirks(tmp_path: Path) -> None:
    (tmp_path / "audioMNIST_meta.txt").write_text(json.dumps(QUIRKS))
    corpus = make_corpus(tmp_path, ["01/0_01_0.wav", "02/0_02_0.wav", "03/0_03_0.wav", "04/0_04_0.wav"])
    assert corpus.speakers == {
        "01": {"accent": "German", "age": 30, "gender": "male", "native_speaker": "no", "recording_room": "vr-room"},
        "02": {"accent": "Egyptian American", "age": 25, "gender": "female", "recording_room": "vr-room"},
        "03": {"accent": "South Korean", "age": None, "gender": "male", "recording_date": "17-06-22-11-04-28"},
    }
    assert corpus.notes == ("audioMNIST_meta.txt: speaker 03's age '1234' is not plausible and taken as unknown",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('["01"]', "holds no object with one object for each speaker"),
        ('{"01": 5}', "holds no object with one object for each speaker"),
    ],
)
def test_broken_metadata_is_a_problem_and_the_recordings_are_used(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "audioMNIST_meta.txt").write_text(text)
    corpus = make_corpus(tmp_path, ["01/0_01_0.wav"])
    assert (len(corpus.clips), corpus.speakers) == (1, {})
    assert problems(corpus) == {"audioMNIST_meta.txt": ("metadata", reason)}


def refusal(folder: Path) -> str:
    with pytest.raises(CorpusError) as refused:
        scan(folder)
    return str(refused.value).replace(str(folder), "FOLDER")


def test_a_folder_that_cannot_be_used_is_refused_with_what_to_do(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone") == "FOLDER does not exist; give the folder that holds the recordings"
    assert refusal(wav(tmp_path / "a.wav")) == "FOLDER is a file; give the folder that holds the recordings"
    folder = tmp_path / "corpus"
    folder.mkdir()
    assert refusal(folder) == "FOLDER is empty; give the folder that holds the recordings"
    (folder / "notes.txt").write_text("x")
    (folder / "a.mp3").write_text("x")
    assert refusal(folder) == (
        "none of 1 recording in FOLDER is a wav or flac that names a digit (the first is a.mp3; 1 .mp3 among them); "
        "name the files {digit}_{speaker}_{take}.wav or put them into one folder per digit, 0 to 9; "
        "what other names lack is said by `arena data import FOLDER corpus-corpus`"
    )
    (folder / "a.mp3").unlink()
    wav(folder / "hello.wav")
    wav(folder / "12_ann_0.wav")
    assert refusal(folder) == (
        "none of 2 recordings in FOLDER names a digit (the first is 12_ann_0.wav); "
        "name the files {digit}_{speaker}_{take}.wav or put them into one folder per digit, 0 to 9; "
        "what other names lack is said by `arena data import FOLDER corpus-corpus`"
    )
    for take in range(3):
        (folder / f"1_ann_{take}.wav").write_bytes(b"")
    assert refusal(folder) == (
        "FOLDER holds no usable recording: 12_ann_0.wav label '12' is not one of 0..9; 1_ann_0.wav is of 0 bytes; "
        "1_ann_1.wav is of 0 bytes; and 2 more; repair or replace them"
    )


def test_balance_counts_and_justifies_augmentation(tmp_path: Path) -> None:
    names = [f"{d}_{s}_{t}.wav" for s in "abcdef" for d in range(10) for t in range(1 + (d == 0 and s < "d"))]
    facts = measure_balance(make_corpus(tmp_path, [name for name in names if name != "9_f_0.wav"]))
    assert (facts.n_clips, facts.n_speakers, facts.imbalance) == (62, 6, 9 / 5)
    assert facts.per_digit == {"0": 9, **dict.fromkeys("12345678", 6), "9": 5}
    assert facts.per_speaker == {"a": 11, "b": 11, "c": 11, "d": 10, "e": 10, "f": 9}
    assert facts.missing_by_speaker == {"f": ("9",)}
    assert (facts.rates_hz, facts.channels, facts.length_s["median"]) == ({8000: 62}, {1: 62}, 0.25)
    assert facts.augment
    assert facts.verdict == (
        "Augmentation is called for: 5 clips of the rarest digit are few (rule of thumb: 5,000); and a split by speaker "
        "leaves 3 of 6 voices for training, so that a new voice lies outside their range in a trait such as pitch with "
        "chance 50%. The digits are balanced (5 to 9 clips each), so class balance is no reason for it."
    )


def test_balance_names_missing_digits_and_unbalanced_ones(tmp_path: Path) -> None:
    few = measure_balance(make_corpus(tmp_path / "few", ["0/a.wav", "1/b.wav", "1/c.wav"]))
    assert (few.imbalance, few.n_without_speaker, few.missing_digits) == (2.0, 3, tuple("23456789"))
    assert few.verdict.startswith("Augmentation is called for: some digits have 1 clip or none (rule of thumb: 5,000); ")
    assert few.verdict.endswith(
        "and the speakers are unknown, so nothing shows that they are many. "
        "No clip of 2 to 9: augmentation cannot make up for that; record them. The digits are unbalanced (1 to 2 clips each, "
        "ratio 2.0): augmentation here varies all digits alike and does not even them out. Record more of 0, and judge by "
        "macro-F1, which counts every digit the same."
    )
    one_each = measure_balance(make_corpus(tmp_path / "one", [f"{d}_a_0.wav" for d in range(10)]))
    assert "1 clip of the rarest digit is few (rule of thumb: 5,000)" in one_each.verdict
    names = [f"{d}_{s}_{t}.wav" for s in "ab" for d in range(10) for t in range(3 if d == 4 else 1)]
    uneven = measure_balance(make_corpus(tmp_path / "uneven", names))
    assert uneven.verdict.endswith(
        "and 2 speakers are too few to hold any out. "
        "The digits are unbalanced (2 to 6 clips each, ratio 3.0): augmentation here varies all digits alike and does not even "
        "them out. Record more of 0 to 3, 5 to 9, and judge by macro-F1, which counts every digit the same."
    )
    names = [f"{d}_{s}_{t}.wav" for s in "ab" for d in range(10) for t in range(1 if d > 7 else 5)]
    skewed = measure_balance(make_corpus(tmp_path / "skewed", names))
    assert skewed.verdict.endswith(
        "Record more of 8, 9, and judge by macro-F1, which counts every digit the same. "
        "`arena train train.balance=draws` draws each digit equally often, which helps at so large a ratio."
    )


@pytest.mark.skipif(not SHARED.exists(), reason="the real recordings lie in ../shared/corpora")
def test_fsdd_is_read_whole() -> None:
    corpus = scan(SHARED / "fsdd/recordings")
    facts = measure_balance(corpus)
    assert (len(corpus.clips), corpus.problems, corpus.digest) == (3000, (), "8747ae59b4410715")
    assert facts.per_digit == dict.fromkeys("0123456789", 300)
    assert facts.per_speaker == dict.fromkeys(("george", "jackson", "lucas", "nicolas", "theo", "yweweler"), 500)


@pytest.mark.skipif(not SHARED.exists(), reason="the real recordings lie in ../shared/corpora")
def test_the_audiomnist_sample_is_read_whole_with_its_speakers() -> None:
    corpus = scan(SHARED / "audiomnist_sample")
    assert (len(corpus.clips), corpus.problems, len(corpus.speakers)) == (141, (), 13)
    assert corpus.speakers["01"]["age"] == 30
    assert {clip.rate_hz for clip in corpus.clips} == {48_000}
