"""Standard error of a real process while damaged MP3s are decoded: nothing of the library's, all of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from support.sounds import encode, voice

DECODE = """
import sys
from pathlib import Path
from cnn.corpus.audio import decode
from cnn.errors import CorpusError

def read(path):
    try:
        return len(decode(path).samples)
    except CorpusError as error:
        return str(error)

paths = sorted(Path(sys.argv[1]).glob("*.mp3"))
"""
THREADS = """
import os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from cnn.decoding.library_notes import drop_library_notes

def hold(number):
    with drop_library_notes():
        os.write(2, b"Note: Trying to resync...\\n")
        other = threading.Thread(target=lambda: print(f"line {number}", file=sys.stderr, flush=True))
        other.start()
        other.join()

with ThreadPoolExecutor(4) as pool:
    list(pool.map(hold, range(100)))
"""


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve MP3s with damage that libmpg123 writes of."""
    folder = tmp_path_factory.mktemp("mp3")
    content = encode(voice(0, 24_000, 16_000), "MP3", rate_hz=16_000)
    rng = np.random.default_rng(0)
    for number in range(12):
        broken = bytearray(content)
        for index in rng.integers(100, len(broken), 20):
            broken[index] = rng.integers(256)
        (folder / f"{number}.mp3").write_bytes(bytes(broken))
    return folder


def run(code: str, folder: Path, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, os.fspath(folder)], text=True, check=True, stdout=subprocess.PIPE, **more
    )  # type: ignore[call-overload,no-any-return]


def test_without_care_the_library_writes_to_the_terminal(damaged: Path) -> None:
    code = "import sys, soundfile, pathlib\nfor p in pathlib.Path(sys.argv[1]).glob('*.mp3'): soundfile.read(p)"
    assert "libmpg123" in run(code, damaged, stderr=subprocess.PIPE).stderr


def test_no_note_of_the_library_reaches_the_terminal(damaged: Path) -> None:
    done = run(DECODE + "print(sum(isinstance(read(path), int) for path in paths))", damaged, stderr=subprocess.PIPE)
    assert (done.stderr, done.stdout.strip()) == ("", "12")


def test_every_line_that_other_threads_write_meanwhile_arrives(damaged: Path) -> None:
    lines = run(THREADS, damaged, stderr=subprocess.PIPE).stderr.splitlines()
    assert sorted(lines) == sorted(f"line {number}" for number in range(100))


def test_decoding_works_without_any_standard_error(damaged: Path) -> None:
    code = "import os; os.close(2)" + DECODE + "print(sum(isinstance(read(path), int) for path in paths))"
    assert run(code, damaged).stdout.strip() == "12"
