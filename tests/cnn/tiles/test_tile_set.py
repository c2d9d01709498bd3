"""Clips to tiles: shape, place in time, independence of neighbours, the folder on the disk."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
import torch
import torchaudio
from typer.testing import CliRunner

from cnn.cli.data_tiles import app
from cnn.config import TILES_FORMAT
from cnn.corpus.scan import scan
from cnn.errors import TilesError
from cnn.settings.tiles import TileSettings
from cnn.tiles.front_end import bilateral, compute_tile, compute_tiles, smooth_tiles
from cnn.tiles.prepare import prepare
from cnn.tiles.tile_set import TileSet, find_tiles, open_tiles
from support.tones import RATE_HZ, tone, write_tones

SETTINGS = TileSettings()


def burst(n_before: int, n_after: int, rate_hz: int = RATE_HZ) -> np.ndarray:
    """0.2 s of a 1 kHz tone in silence."""
    time = np.arange(rate_hz // 5) / rate_hz
    wave = np.sin(2 * np.pi * 1000 * time) * np.hanning(len(time))
    return np.concatenate([np.zeros(n_before), wave, np.zeros(n_after)]).astype(np.float32)


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("n_samples", [1, 100, 3000, 6400, 20_000])
def test_any_length_gives_a_tile_of_the_size_that_uses_the_whole_range(size: int, n_samples: int) -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)
    tile = compute_tile(wave, RATE_HZ, TileSettings(size=size))
    assert (tile.shape, tile.dtype, tile.max()) == ((size, size), np.uint8, 255)


def test_a_sound_stands_in_the_middle_wherever_it_stood_in_the_clip() -> None:
    tiles = [compute_tile(burst(*silence), RATE_HZ, SETTINGS) for silence in [(0, 0), (0, 4000), (3000, 0), (9000, 20_000)]]
    for tile in tiles:
        frames = np.flatnonzero(tile.max(0) > 128)
        assert abs((frames[0] + frames[-1]) / 2 - 32) <= 2


def test_a_sound_is_padded_and_never_stretched() -> None:
    tile = compute_tile(burst(0, 0), RATE_HZ, SETTINGS)
    n_frames = int((tile.max(0) > 200).sum())
    assert 8 <= n_frames <= 16  # 0.2 s of 0.8 s is 16 of 64 frames, its faded ends below 200


def test_the_loudness_of_a_clip_does_not_change_its_tile() -> None:
    wave = tone(3, 0, 0)
    difference = compute_tile(wave, RATE_HZ, SETTINGS).astype(int) - compute_tile(wave / 16, RATE_HZ, SETTINGS)
    assert np.abs(difference).max() <= 1


def test_a_clip_at_another_rate_gives_nearly_the_same_tile() -> None:
    at_48k = torchaudio.functional.resample(torch.from_numpy(tone(4, 1, 0)), RATE_HZ, 48_000).numpy()
    difference = compute_tile(at_48k, 48_000, SETTINGS).astype(int) - compute_tile(tone(4, 1, 0), RATE_HZ, SETTINGS)
    assert np.abs(difference).mean() < 3


def test_the_mel_scale_puts_a_tone_into_the_band_of_the_htk_formula() -> None:
    tile = compute_tile(burst(0, 0), RATE_HZ, SETTINGS)
    mel = 2595 * np.log10(1 + np.array([SETTINGS.f_min_hz, 1000, SETTINGS.f_max_hz]) / 700)
    expected = (mel[1] - mel[0]) / (mel[2] - mel[0]) * 65 - 1
    assert abs(int(tile.max(1).argmax()) - expected) <= 1


def test_silence_does_not_divide_by_zero() -> None:
    assert compute_tile(np.zeros(100, np.float32), RATE_HZ, SETTINGS).shape == (64, 64)


def test_the_filter_is_opencvs_and_keeps_shape_and_type() -> None:
    tile = compute_tile(tone(5, 0, 0), RATE_HZ, SETTINGS)
    expected = cv2.bilateralFilter(tile, 5, 40.0, 2.0)
    assert bilateral(tile, SETTINGS).dtype == np.uint8
    np.testing.assert_array_equal(bilateral(tile, SETTINGS), expected)
    turned = np.stack([tile, tile[:, ::-1]]).transpose(0, 2, 1)  # not contiguous
    np.testing.assert_array_equal(smooth_tiles(turned, SETTINGS), [bilateral(each, SETTINGS) for each in turned])


def test_a_tile_does_not_depend_on_the_other_clips(corpus_folder: Path, tiles: TileSet, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for name in ("3_bob_1.wav", "7_eve_0.wav"):
        shutil.copy(corpus_folder / name, few)
    prepared = prepare(scan(few), tiles.settings, tmp_path / "tiles")
    for name in ("raw", "bilateral"):
        for index, clip in enumerate(prepared.clips):
            expected = [c.id for c in tiles.clips].index(clip.id)
            np.testing.assert_array_equal(prepared.pictures(name)[index], tiles.pictures(name)[expected])


def test_a_clip_has_the_same_tile_alone_and_at_any_place_among_others() -> None:
    rng = np.random.default_rng(0)
    clips = [(tone(number % 10, number % 5, 0), RATE_HZ) for number in range(19)]
    clips[4] = (rng.normal(0, 0.1, 50_000).astype(np.float32), 48_000)
    alone = np.stack([compute_tile(*clip, SETTINGS) for clip in clips])
    np.testing.assert_array_equal(compute_tiles(clips, SETTINGS), alone)
    np.testing.assert_array_equal(compute_tiles(iter(clips[3:]), SETTINGS), alone[3:])


def test_the_same_recordings_and_settings_are_prepared_once(corpus_folder: Path, tiles: TileSet) -> None:
    before = (tiles.folder / "raw.npy").stat().st_mtime_ns
    assert prepare(scan(corpus_folder), tiles.settings, tiles.folder.parent).folder == tiles.folder
    assert (tiles.folder / "raw.npy").stat().st_mtime_ns == before
    assert isinstance(tiles.pictures("raw"), np.memmap)


def test_other_settings_make_another_folder(corpus_folder: Path, tiles: TileSet, tmp_path: Path) -> None:
    second = prepare(scan(corpus_folder), dataclasses.replace(tiles.settings, range_db=50.0), tmp_path)
    assert second.folder.name != tiles.folder.name
    assert find_tiles(tmp_path).folder == second.folder


def test_an_unwritable_place_is_one_line(corpus_folder: Path, tiles: TileSet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TilesError, match=r"cannot write tiles into .*file.*; choose another folder with --tiles"):
        prepare(scan(corpus_folder), tiles.settings, tmp_path / "file")


def refusal(folder: Path) -> str:
    with pytest.raises(TilesError) as refused:
        open_tiles(folder)
    return str(refused.value)


def test_where_there_are_no_tiles_is_said_how_to_make_some(tmp_path: Path) -> None:
    with pytest.raises(TilesError, match=r"no tiles in .*; make some with `arena data prepare"):
        find_tiles(tmp_path)
    assert "is no folder of tiles: its settings.json is missing or damaged" in refusal(tmp_path)


def changed(text: str, line: int, column: int, value: str) -> str:
    rows = [row.split(",") for row in text.splitlines()]
    rows[line - 1][column] = value
    return "\n".join(",".join(row) for row in rows) + "\n"


DAMAGES = {
    "a label": ("clips.csv line 7 is no clip with a known label: ", lambda text: changed(text, 7, 1, "12")),
    "a length": ("clips.csv line 7 is no clip with a known label: ", lambda text: changed(text, 7, 6, "long")),
    "a part": ("clips.csv line 7 is no clip with a known label: ", lambda text: changed(text, 7, 5, "both")),
    "a field": ("clips.csv line 7 is no clip with a known label: ", lambda text: changed(text, 7, 6, "0.5,more")),
    "a heading": ("first line of clips.csv", lambda text: changed(text, 1, 0, "name")),
    "rows": ("clips.csv has 6 rows, not 200", lambda text: "".join(text.splitlines(keepends=True)[:7])),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_table_of_clips_is_one_line_with_its_place_and_the_remedy(
    tiles: TileSet, tmp_path: Path, damage: str
) -> None:
    fault, damaged = DAMAGES[damage]
    copy = Path(shutil.copytree(tiles.folder, tmp_path / "copy"))
    (copy / "clips.csv").write_text(damaged((copy / "clips.csv").read_text()))
    message = refusal(copy)
    assert message.startswith(f"{copy} is damaged: ")
    assert fault in message
    assert message.endswith(f"; make it anew with `arena data prepare {tiles.corpus_folder} --tiles {tmp_path}`")
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"nonsense", b"", None, "half", "other"])
@pytest.mark.parametrize("name", ["raw", "bilateral"])
def test_damaged_pictures_are_one_line_without_pythons_words(
    tiles: TileSet, tmp_path: Path, name: str, content: bytes | str | None
) -> None:
    copy = Path(shutil.copytree(tiles.folder, tmp_path / "copy"))
    path = copy / f"{name}.npy"
    if content == "half":
        content = path.read_bytes()[: path.stat().st_size // 2]
    if content == "other":
        np.save(path, np.zeros((200, 32, 31), np.uint8))
    elif content is None:
        path.unlink()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    assert f"{copy} is damaged: its {name}.npy is missing or not of 200 whole tiles; make it anew" in refusal(copy)
    opened_before = dataclasses.replace(tiles, folder=copy)
    with pytest.raises(TilesError, match=f"is damaged: its {name}.npy"):
        opened_before.pictures(name)


def with_settings(folder: Path, **changes: object) -> None:
    content = json.loads((folder / "settings.json").read_text())
    (folder / "settings.json").write_text(json.dumps(content | changes))


def test_tiles_of_another_version_are_refused_by_those_who_read_them(tiles: TileSet, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiles.folder, tmp_path / "copy"))
    with_settings(copy, format=TILES_FORMAT - 1)
    difference = "format 3, not 4, which takes a constant offset out of the sound"
    assert refusal(copy).startswith(f"{copy} was made by another version of Arena ({difference}); make it anew with `arena")
    with_settings(copy, format=TILES_FORMAT, channels=2)
    assert f"{copy} holds tiles that this version of Arena cannot read: 2 channels and 10 labels; make it" in refusal(copy)
    with_settings(copy, channels=1)
    with_settings(copy, format=TILES_FORMAT, tiles=json.loads((copy / "settings.json").read_text())["tiles"] | {"contrast": 2})
    assert "was made by another version of Arena (its settings are not those of this one)" in refusal(copy)


def test_tiles_of_another_version_are_left_aside_where_there_are_usable_ones(tiles: TileSet, tmp_path: Path) -> None:
    for name in "ab":
        shutil.copytree(tiles.folder, tmp_path / name)
    with_settings(tmp_path / "a", format=TILES_FORMAT - 1)
    assert find_tiles(tmp_path).folder == tmp_path / "b"


def test_of_one_corpus_whose_recordings_changed_the_tiles_prepared_last_are_taken_with_a_note(
    tiles: TileSet, tmp_path: Path
) -> None:
    newer, index, message = write_tones(tmp_path / "own", 1), tmp_path / "tiles", list[str]()
    before = prepare(scan(newer), tiles.settings, index)
    assert find_tiles(index, message.append).folder == before.folder
    assert message == []
    changed_clip = (newer / "4_bob_0.wav").rename(tmp_path / "4_bob_0.wav")
    after = prepare(scan(newer), tiles.settings, index)
    assert find_tiles(index, message.append).folder == after.folder
    (note,) = message
    assert note.startswith(f"note: {index} holds 2 folders of tiles of {newer}, whose recordings changed; ")
    assert f"; taken is the one prepared last, {after.folder.name} of 20" in note
    result = CliRunner().invoke(app, ["show", "--tiles", str(index), "--out", str(tmp_path / "tiles.png"), "--per-digit", "1"])
    assert result.stderr.splitlines()[0] == note
    changed_clip.rename(newer / "4_bob_0.wav")
    assert prepare(scan(newer), tiles.settings, index).folder == before.folder
    assert find_tiles(index).folder == before.folder  # asked for again, it is the newest again


def test_tiles_of_several_corpora_or_settings_are_listed_to_choose_from(
    corpus_folder: Path, tiles: TileSet, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    shutil.copy(corpus_folder / "3_bob_1.wav", few)
    folders = [
        prepare(scan(few), dataclasses.replace(tiles.settings, range_db=50.0), tmp_path / "tiles").folder,
        prepare(scan(few), dataclasses.replace(tiles.settings, size=64), tmp_path / "tiles").folder,
        Path(shutil.copytree(tiles.folder, tmp_path / "tiles" / "old")),
    ]
    for number, folder in enumerate(folders):
        os.utime(folder / "settings.json", (0, 1795300260 + 60 * number))
    with pytest.raises(TilesError) as refused:
        find_tiles(tmp_path / "tiles")
    assert str(refused.value).splitlines() == [
        f"{tmp_path / 'tiles'} holds 3 folders of tiles; choose one with --tiles:",
        f"  {folders[2]}: 200 clips, 32 x 32 cells, range_db 40.0, prepared 2026-11-21 22:33 UTC, corpus {tiles.corpus_folder}",
        f"  {folders[1]}: 1 clip, 64 x 64 cells, range_db 40.0, prepared 2026-11-21 22:32 UTC, corpus {few}",
        f"  {folders[0]}: 1 clip, 32 x 32 cells, range_db 50.0, prepared 2026-11-21 22:31 UTC, corpus {few}",
    ]
    assert find_tiles(folders[1]).settings.size == 64


def test_tiles_of_a_corpus_that_moved_know_where_it_lies_now(tiles: TileSet, tmp_path: Path) -> None:
    old, new = write_tones(tmp_path / "old", 1), tmp_path / "new"
    prepared = prepare(scan(old), tiles.settings, tmp_path / "tiles")
    before = (prepared.folder / "raw.npy").stat().st_mtime_ns
    old.rename(new)
    samples, rate_hz = soundfile.read(new / "3_bob_0.wav", dtype="int16")
    soundfile.write(new / "3_bob_0.flac", samples, rate_hz)
    (new / "3_bob_0.wav").unlink()
    (new / "audioMNIST_meta.txt").write_text('{"bob": {"age": 30}}')
    moved = prepare(scan(new), tiles.settings, tmp_path / "tiles")
    assert (moved.folder, moved.corpus_folder, moved.speakers) == (prepared.folder, str(new), {"bob": {"age": 30}})
    assert (moved.folder / "raw.npy").stat().st_mtime_ns == before
    opened = open_tiles(prepared.folder)
    assert opened == moved
    assert all((new / clip.path).exists() for clip in opened.clips)
    (prepared.folder / "raw.npy").write_bytes(b"")
    assert f"`arena data prepare {new} --tiles" in refusal(prepared.folder)
    new.rename(old)
    assert "`arena data prepare CORPUS --tiles" in refusal(prepared.folder)
