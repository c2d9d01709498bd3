"""Preparation that is killed, interrupted, doubled, out of space or asked again: the same bytes, and nothing made twice."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arena.base.locks import hold_lock
from cnn.config import FILTERS, TILES_FORMAT
from cnn.corpus.scan import scan
from cnn.errors import CnnError, CorpusError, TilesError
from cnn.processes import Progress, WorkOptions, map_in_processes
from cnn.settings.tiles import TileSettings
from cnn.tiles import chunks
from cnn.tiles.prepare import locate_tiles, prepare
from cnn.tiles.tile_set import TileSet, open_tiles
from support.tones import RATE_HZ, tone

FILES = (*(f"{name}.npy" for name in chunks.ARRAYS), "clips.csv", "settings.json")
N_CLIPS = 200


def read_bytes(folder: Path) -> dict[str, bytes]:
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    return {name: (folder / name).read_bytes() for name in FILES}


class Witness:
    """Work options that remember how many tiles were to be made, how many were, and what was said."""

    def __init__(self, n_jobs: int = 1) -> None:
        self.n_to_make = self.n_made = 0
        self.said: list[str] = []
        self.hands = WorkOptions(n_jobs=n_jobs, bar=self._bar, log=self.said.append)

    @contextmanager
    def _bar(self, total: int) -> Iterator[Progress]:
        self.n_to_make += total
        yield self._advance

    def _advance(self, n: int) -> None:
        self.n_made += n


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 8)


def test_two_processes_make_the_bytes_of_one(corpus_folder: Path, tiles: TileSet, tmp_path: Path, small_chunks: None) -> None:
    witness = Witness(n_jobs=2)
    prepared = prepare(scan(corpus_folder), tiles.settings, tmp_path, witness.hands)
    assert (witness.n_to_make, witness.n_made, witness.said) == (N_CLIPS, N_CLIPS, [])
    assert read_bytes(prepared.folder) == read_bytes(tiles.folder)


# Prepares in chunks of 8, slowly; its answer is what it said and the number of tiles that it was to make.
SCRIPT = """
import contextlib, sys, time
from pathlib import Path
from cnn.tiles import chunks
from cnn.config import TILES_FORMAT
from cnn.settings.tiles import TileSettings
from cnn.corpus.scan import scan
from cnn.processes import WorkOptions
from cnn.tiles.prepare import prepare

chunks.CHUNK = 8
make = chunks._make_chunk
chunks._make_chunk = lambda task: time.sleep(float(sys.argv[3])) or make(task)

@contextlib.contextmanager
def bar(total):
    print("to make", total, flush=True)
    yield lambda n: print("made", n, flush=True)

hands = WorkOptions(n_jobs=1, bar=bar, log=lambda text: print("said", text, flush=True))
prepare(scan(Path(sys.argv[1])), TileSettings(size=32), Path(sys.argv[2]), hands)
print("prepared", flush=True)
"""


@contextmanager
def preparing(corpus: Path, tiles_dir: Path, pause_s: float = 0.05) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", SCRIPT, str(corpus), str(tiles_dir), str(pause_s)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_chunks(process: subprocess.Popen[str], n: int) -> None:
    assert process.stdout is not None
    while n and (line := process.stdout.readline()):
        n -= line.startswith("made")


def test_a_preparation_that_was_killed_goes_on_and_ends_in_the_same_bytes(
    corpus_folder: Path, tiles: TileSet, tmp_path: Path, small_chunks: None
) -> None:
    with preparing(corpus_folder, tmp_path) as process:
        wait_for_chunks(process, 5)
        process.send_signal(signal.SIGKILL)
    assert not locate_tiles(scan(corpus_folder), tiles.settings, tmp_path).exists()
    witness = Witness()
    prepared = prepare(scan(corpus_folder), tiles.settings, tmp_path, witness.hands)
    assert 0 < witness.n_to_make <= N_CLIPS - 5 * 8
    assert witness.said == [f"{N_CLIPS - witness.n_to_make} of {N_CLIPS} tiles are there from before"]
    assert read_bytes(prepared.folder) == read_bytes(tiles.folder)
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_what_the_journal_does_not_vouch_for_is_made_again(
    corpus_folder: Path, tiles: TileSet, tmp_path: Path, small_chunks: None
) -> None:
    with preparing(corpus_folder, tmp_path) as process:
        wait_for_chunks(process, 4)
        process.send_signal(signal.SIGKILL)
    (part,) = tmp_path.glob(".*.part")
    lines = (part / "journal").read_text().splitlines()
    (part / "journal").write_text("\n".join(lines[:4])[:-3])  # three lines, the last incomplete
    head = (part / "raw.npy").stat().st_size - N_CLIPS * 32 * 32
    with (part / "raw.npy").open("r+b") as file:
        file.seek(head + 8 * 32 * 32)
        file.write(b"\x00" * 8 * 32 * 32)  # the second chunk never reached the disk when the power failed
    witness = Witness()
    prepared = prepare(scan(corpus_folder), tiles.settings, tmp_path, witness.hands)
    assert witness.n_to_make == N_CLIPS - 8
    assert read_bytes(prepared.folder) == read_bytes(tiles.folder)


def test_two_preparations_at_once_make_every_tile_once(corpus_folder: Path, tiles: TileSet, tmp_path: Path) -> None:
    with preparing(corpus_folder, tmp_path) as first:
        wait_for_chunks(first, 2)
        with preparing(corpus_folder, tmp_path) as second:
            answers = [process.communicate(timeout=120)[0].splitlines() for process in (first, second)]
    assert [answer[-1] for answer in answers] == ["prepared", "prepared"]
    assert answers[1][-2:] == ["said these tiles were made before", "prepared"]
    assert read_bytes(locate_tiles(scan(corpus_folder), tiles.settings, tmp_path)) == read_bytes(tiles.folder)


def test_the_second_of_two_preparations_says_that_it_waits(corpus_folder: Path, tiles: TileSet, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiles.folder, tmp_path / tiles.folder.name))
    witness = Witness()
    second = threading.Thread(target=lambda: prepare(scan(corpus_folder), tiles.settings, tmp_path, witness.hands))
    with hold_lock(tmp_path / f".{folder.name}.lock"):
        second.start()
        deadline = time.monotonic() + 120
        while not witness.said and time.monotonic() < deadline:
            time.sleep(0.01)
        assert witness.said == ["another process is making these tiles; waiting"]
    second.join()
    assert witness.said[1:] == ["these tiles were made before"]


def test_a_preparation_that_was_killed_goes_on_where_the_corpus_lies_now(
    own_corpus: Path, tmp_path: Path, small_chunks: None
) -> None:
    with preparing(own_corpus, tmp_path / "tiles") as process:
        wait_for_chunks(process, 5)
        process.send_signal(signal.SIGKILL)
    (part,) = (tmp_path / "tiles").glob(".*.part")
    settings = TileSettings(**json.loads((part / "settings.json").read_text())["tiles"])
    moved = own_corpus.rename(tmp_path / "moved")
    witness = Witness()
    assert prepare(scan(moved), settings, tmp_path / "tiles", witness.hands).corpus_folder == str(moved)
    assert 0 < witness.n_to_make <= N_CLIPS - 5 * 8


@pytest.fixture
def own_corpus(corpus_folder: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(corpus_folder, tmp_path / "own"))


def test_a_changed_clip_has_only_its_own_tile_made(own_corpus: Path, tiles: TileSet, tmp_path: Path) -> None:
    before = prepare(scan(own_corpus), tiles.settings, tmp_path / "tiles")
    soundfile.write(own_corpus / "4_bob_2.wav", tone(7, 4, 99), RATE_HZ, subtype="PCM_16")
    witness = Witness()
    after = prepare(scan(own_corpus), tiles.settings, tmp_path / "tiles", witness.hands)
    assert (witness.n_to_make, witness.said) == (1, ["199 of 200 tiles are there from before"])
    anew = prepare(scan(own_corpus), tiles.settings, tmp_path / "anew")
    assert read_bytes(after.folder) == read_bytes(anew.folder)
    index = [clip.id for clip in after.clips].index("4_bob_2")
    for name in FILTERS:
        differ = (before.pictures(name) != after.pictures(name)).any(axis=(1, 2))
        assert differ.nonzero()[0].tolist() == [index]


def test_a_changed_clip_keeps_what_a_killed_call_had_made(
    own_corpus: Path, tiles: TileSet, tmp_path: Path, small_chunks: None
) -> None:
    with preparing(own_corpus, tmp_path / "tiles") as process:
        wait_for_chunks(process, 20)
        process.send_signal(signal.SIGKILL)
    (own_corpus / "0_ann_0.wav").unlink()
    witness = Witness()
    prepared = prepare(scan(own_corpus), tiles.settings, tmp_path / "tiles", witness.hands)
    assert witness.n_to_make <= N_CLIPS - 20 * 8
    assert list((tmp_path / "tiles").glob(".*.part")) == []
    assert read_bytes(prepared.folder) == read_bytes(prepare(scan(own_corpus), tiles.settings, tmp_path / "anew").folder)


def test_other_settings_keep_no_tile(own_corpus: Path, tiles: TileSet, tmp_path: Path) -> None:
    prepare(scan(own_corpus), tiles.settings, tmp_path / "tiles")
    witness = Witness()
    prepare(scan(own_corpus), dataclasses.replace(tiles.settings, range_db=50.0), tmp_path / "tiles", witness.hands)
    assert witness.n_to_make == N_CLIPS


def test_a_clip_that_changes_between_scan_and_tiles_is_refused(own_corpus: Path, tiles: TileSet, tmp_path: Path) -> None:
    corpus = scan(own_corpus)
    soundfile.write(own_corpus / "4_bob_2.wav", tone(7, 4, 99), RATE_HZ, subtype="PCM_16")
    with pytest.raises(CorpusError, match=r"4_bob_2\.wav changed while tiles were made of it; run the same command again"):
        prepare(corpus, tiles.settings, tmp_path / "tiles")
    (own_corpus / "4_bob_2.wav").unlink()
    gone = r"4_bob_2\.wav cannot be opened: No such file .* moment ago: run the same command again"
    with pytest.raises(CorpusError, match=gone):
        prepare(corpus, tiles.settings, tmp_path / "tiles")


@pytest.mark.parametrize("damage", ["format", "raw", "bilateral-wide"])
def test_tiles_that_cannot_be_used_are_made_anew_with_a_word(
    corpus_folder: Path, tiles: TileSet, tmp_path: Path, damage: str
) -> None:
    folder = Path(shutil.copytree(tiles.folder, tmp_path / tiles.folder.name))
    if damage == "format":
        content = json.loads((folder / "settings.json").read_text())
        (folder / "settings.json").write_text(json.dumps(content | {"format": TILES_FORMAT - 1}))
        reason = "was made by another version of Arena (format 3, not 4, which takes a constant offset out of the sound)"
    else:
        (folder / f"{damage}.npy").write_bytes(b"half")
        reason = f"is damaged: its {damage}.npy is missing or not of 200 whole tiles"
    witness = Witness()
    prepared = prepare(scan(corpus_folder), tiles.settings, tmp_path, witness.hands)
    assert (witness.said, witness.n_to_make) == ([f"{folder} {reason}: its tiles are made anew"], N_CLIPS)
    assert read_bytes(prepared.folder) == read_bytes(tiles.folder)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_tiles_of_before_there_was_an_equaliser_get_what_it_reads_and_keep_what_a_net_denoised(
    corpus_folder: Path, tiles: TileSet, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiles.folder, tmp_path / tiles.folder.name))
    for path in folder.glob("*-wide.npy"):
        path.unlink()
    np.save(folder / "denoised.npy", np.ones(tiles.shape, np.uint8))
    before = open_tiles(folder)
    assert not before.has_wide
    assert np.array_equal(before.pictures("bilateral"), tiles.pictures("bilateral"))
    with pytest.raises(TilesError, match=r"holds no tiles of twice the range, .*; make them with `arena data prepare .*=0$"):
        before.pictures("raw-wide")
    witness = Witness()
    prepared = prepare(scan(corpus_folder), tiles.settings, tmp_path, witness.hands)
    assert witness.said == [
        f"{folder} holds no tiles of twice the range, which augment.equaliser reads: its tiles are made anew"
    ]
    assert prepared.pictures("denoised").min() == 1
    (folder / "denoised.npy").unlink()
    assert read_bytes(folder) == read_bytes(tiles.folder)


def test_tiles_of_twice_the_range_show_what_lies_below_the_others(tiles: TileSet) -> None:
    raw, wide = (tiles.pictures(name).astype(int) for name in ("raw", "raw-wide"))
    assert np.abs(raw - (2 * wide - 255).clip(0)).max() <= 1
    assert (wide[raw == 0] > 0).mean() > 0.5
    smooth, wide_smooth = (tiles.pictures(name).astype(int) for name in ("bilateral", "bilateral-wide"))
    heard = raw > 120  # no neighbour that the filter weighs was cut off
    assert np.abs(smooth - (2 * wide_smooth - 255).clip(0))[heard].mean() < 1 < np.abs(smooth - raw)[heard].mean()


def test_a_full_disk_loses_nothing(
    corpus_folder: Path, tiles: TileSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_chunks: None
) -> None:
    write = chunks._Files.write

    def full_later(files: chunks._Files, indices: tuple[int, ...], pictures: chunks.Pictures) -> None:
        if indices[0] >= 40:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(files, indices, pictures)

    with monkeypatch.context() as patch:
        patch.setattr(chunks._Files, "write", full_later)
        with pytest.raises(CnnError, match=r"No space left on device; free some space"):
            prepare(scan(corpus_folder), tiles.settings, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == []
    witness = Witness()
    prepared = prepare(scan(corpus_folder), tiles.settings, tmp_path, witness.hands)
    assert witness.n_to_make == N_CLIPS - 40
    assert read_bytes(prepared.folder) == read_bytes(tiles.folder)


def test_a_full_disk_names_the_folder_and_the_way_on(
    corpus_folder: Path, tiles: TileSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(chunks._Files, "write", full)
    with pytest.raises(TilesError) as refused:
        prepare(scan(corpus_folder), tiles.settings, tmp_path)
    assert str(refused.value) == (
        f"cannot write tiles into {tmp_path}: No space left on device; free some space and run the same command again, "
        "which goes on with what is done, or choose another folder with --tiles"
    )


def test_ctrl_c_ends_all_processes_with_one_line_and_keeps_what_is_done(corpus_folder: Path, tmp_path: Path) -> None:
    for attempt in range(5):  # on a busy machine the work may end before the signal comes
        tiles = tmp_path / str(attempt)
        code, error, group = interrupted(corpus_folder, tiles)
        if code:
            break
    lines = [line for line in error.splitlines() if not line.startswith(("making tiles", "listening"))]
    assert lines == ["interrupted; nothing is lost: the same command goes on where it stopped"]
    assert code == 130
    deadline = time.monotonic() + 120
    while is_alive(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(group)


def interrupted(corpus_folder: Path, tiles: Path) -> tuple[int, str, int]:
    """Exit code, standard error and process group of a `data prepare` that gets Ctrl-C after its first chunk."""
    code = f"from cnn.tiles import chunks; chunks.CHUNK = 2; import arena.__main__, sys; sys.argv[1:] = {['data', 'prepare']}"
    code += f" + [{str(corpus_folder)!r}, '--tiles', {str(tiles)!r}, '--jobs', '2']; arena.__main__.main()"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        deadline = time.monotonic() + 120
        while not any(path.stat().st_size for path in tiles.glob(".*.part/journal")) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        error = process.communicate(timeout=60)[1]
    return process.returncode, error, process.pid


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_one_line() -> None:
    with pytest.raises(
        CnnError, match=r"a process that shared the work was killed .* run the same command again with --jobs 1"
    ):
        list(map_in_processes(die, [1, 2, 3], 2))
