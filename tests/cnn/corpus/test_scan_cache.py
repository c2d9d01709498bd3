"""Scan cache: an unchanged file is not decoded again, a changed one always is, and a damaged cache is ignored."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile

from cnn.corpus import scan_cache
from cnn.corpus.scan import Corpus, scan
from cnn.processes import Progress, WorkOptions
from support.tones import RATE_HZ, tone


@pytest.fixture
def folder(corpus_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the corpus that may be changed, whose files are cached however new they are."""
    monkeypatch.setattr(scan_cache, "_STABLE_NS", -1_000_000_000_000)
    return Path(shutil.copytree(corpus_folder, tmp_path / "corpus"))


def scan_counting(folder: Path, cache: Path | None, n_jobs: int = 1) -> tuple[Corpus, int]:
    """Return the corpus, and how many recordings were decoded for it."""
    totals = []

    @contextmanager
    def bar(total: int) -> Iterator[Progress]:
        totals.append(total)
        yield lambda _: None

    return scan(folder, WorkOptions(n_jobs=n_jobs, bar=bar), cache), sum(totals)


def test_an_unchanged_corpus_is_decoded_once_and_is_the_same(folder: Path, tmp_path: Path) -> None:
    (folder / "3_ann_9.wav").write_bytes(b"")
    soundfile.write(folder / "4_ann_9.wav", tone(4, 0, 0) * 0, RATE_HZ)
    first, n_first = scan_counting(folder, tmp_path / "cache")
    second, n_second = scan_counting(folder, tmp_path / "cache")
    assert (n_first, n_second) == (201, 0)
    assert second == first == scan(folder)


def test_two_processes_decode_as_one_does(folder: Path) -> None:
    assert scan_counting(folder, None, n_jobs=2)[0] == scan_counting(folder, None)[0]


def test_without_a_cache_nothing_is_cached(folder: Path) -> None:
    assert [scan_counting(folder, None)[1] for _ in range(2)] == [200, 200]


def change_in_place(path: Path) -> None:
    """Change the content and keep size and times."""
    before = path.stat()
    samples, rate_hz = soundfile.read(path)
    soundfile.write(path, samples[::-1], rate_hz, subtype="PCM_16")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def replace_file(path: Path) -> None:
    shutil.copy2(path.with_name("5_bob_0.wav"), path.with_name("x.wav"))
    path.with_name("x.wav").replace(path)


@pytest.mark.parametrize("change", [change_in_place, replace_file])
def test_a_changed_file_is_decoded_again_whatever_its_times(folder: Path, tmp_path: Path, change: object) -> None:
    before, _ = scan_counting(folder, tmp_path / "cache")
    time.sleep(0.02)  # a clock of the file system's ticks
    change(folder / "3_ann_0.wav")
    after, n_decoded = scan_counting(folder, tmp_path / "cache")
    assert n_decoded == 1
    assert after == scan(folder)
    assert after.digest != before.digest


def test_a_new_and_a_renamed_file_are_decoded_and_a_removed_one_is_dropped(folder: Path, tmp_path: Path) -> None:
    scan_counting(folder, tmp_path / "cache")
    (folder / "0_ann_0.wav").rename(folder / "0_ann_70.wav")
    (folder / "0_ann_1.wav").unlink()
    soundfile.write(folder / "9_new_0.wav", tone(9, 2, 77), RATE_HZ)
    after, n_decoded = scan_counting(folder, tmp_path / "cache")
    assert (len(after.clips), n_decoded) == (200, 2)
    assert after == scan(folder)


def test_a_file_of_this_moment_is_not_cached(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_cache, "_STABLE_NS", 3_000_000_000)
    assert [scan_counting(folder, tmp_path / "cache")[1] for _ in range(2)] == [200, 200]


def test_what_cannot_be_read_is_tried_again(folder: Path, tmp_path: Path) -> None:
    (folder / "3_ann_9.wav").write_bytes(b"RIFF, but not for long")
    assert [scan_counting(folder, tmp_path / "cache")[1] for _ in range(2)] == [201, 1]


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\n{}", None])
def test_a_damaged_cache_is_ignored_and_replaced(folder: Path, tmp_path: Path, damage: bytes | None) -> None:
    first, _ = scan_counting(folder, tmp_path / "cache")
    (file,) = (tmp_path / "cache" / "scans").iterdir()
    content = file.read_bytes()
    flipped = content.replace(b"8000", b"8001", 1)
    file.write_bytes(flipped if damage is None else damage)
    assert scan_counting(folder, tmp_path / "cache") == (first, 200)
    assert scan_counting(folder, tmp_path / "cache") == (first, 0)


def test_a_cache_of_another_version_is_ignored(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan_counting(folder, tmp_path / "cache")
    monkeypatch.setattr("cnn.corpus.scan._VERSION", "another")
    assert [scan_counting(folder, tmp_path / "cache")[1] for _ in range(2)] == [200, 0]


def test_a_cache_that_cannot_be_written_stops_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert [scan_counting(folder, tmp_path / "file")[1] for _ in range(2)] == [200, 200]
