"""Clips inside the page: what was in the tile and the recording is in the picture and the sound, and nothing breaks without."""

from __future__ import annotations

import base64
import dataclasses
import io
import struct
import wave
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from arena.base.media import palette_png, png_uri
from cnn.config import TILES_FORMAT
from cnn.tiles.tile_set import TileSet
from reports.figures.media import MOST_S, RATE_HZ, wav_uri
from reports.reading.clips import read_media
from reports.reading.tiles import TileFolder, find_tile_folder
from support.report_facts import tone_wav


def read_content(uri: str, kind: str) -> bytes:
    head, _, body = uri.partition(",")
    assert head == f"data:{kind};base64"
    return base64.b64decode(body)


def read_pixels(png: bytes) -> np.ndarray:
    """The palette numbers of an indexed PNG of unfiltered rows."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    offset, parts = 8, {}
    while offset < len(png):
        (size,) = struct.unpack(">I", png[offset : offset + 4])
        kind, body = png[offset + 4 : offset + 8], png[offset + 8 : offset + 8 + size]
        assert struct.unpack(">I", png[offset + 8 + size : offset + 12 + size])[0] == zlib.crc32(kind + body)
        parts[kind], offset = body, offset + 12 + size
    width, height, depth, colour = struct.unpack(">IIBB", parts[b"IHDR"][:10])
    assert (depth, colour, len(parts[b"PLTE"])) == (8, 3, 768)
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:]


def test_a_tile_stands_upright_in_its_picture() -> None:
    tile = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert read_pixels(read_content(png_uri(palette_png(tile)), "image/png")).tolist() == tile[::-1].tolist()


@pytest.mark.parametrize(("rate_hz", "length_s"), [(8000, 0.4), (16_000, 0.4), (48_000, 0.31), (44_100, 5.0)])
def test_sound_is_mono_small_loud_and_of_the_same_pitch(tmp_path: Path, rate_hz: int, length_s: float) -> None:
    (tmp_path / "a.wav").write_bytes(tone_wav(rate_hz, length_s))
    content = read_content(wav_uri(tmp_path / "a.wav"), "audio/wav")
    assert len(content) <= 44 + 2 * RATE_HZ * MOST_S
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    assert len(sound) / RATE_HZ == pytest.approx(min(length_s, MOST_S), abs=0.001)
    assert np.abs(sound).max() == pytest.approx(0.9, abs=0.02)
    spectrum = np.abs(np.fft.rfft(sound))
    assert spectrum.argmax() * RATE_HZ / len(sound) == pytest.approx(440, abs=RATE_HZ / len(sound))


def test_a_recording_that_is_gone_damaged_or_silent_has_no_sound(tmp_path: Path) -> None:
    assert wav_uri(tmp_path / "gone.wav") == ""
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    assert wav_uri(tmp_path / "bad.wav") == ""
    soundfile.write(tmp_path / "still.wav", np.zeros(100), 8000)
    assert wav_uri(tmp_path / "still.wav") == ""


def config_of_tiles(tiles: TileSet) -> dict[str, object]:
    return {"corpus": tiles.corpus, "tiles": {**dataclasses.asdict(tiles.settings), "format": TILES_FORMAT}}


def test_the_tiles_that_are_prepared_are_the_tiles_that_are_read(tiles: TileSet) -> None:
    for where in (tiles.folder, tiles.folder.parent):
        result = find_tile_folder(where, config_of_tiles(tiles))
        assert isinstance(result, TileFolder)
        assert list(result.rows) == [clip.id for clip in tiles.clips]
        for index in (0, 37, len(tiles.clips) - 1):
            clip = tiles.clips[index]
            for name in ("raw", "bilateral"):
                picture = result.picture(name, clip.id)
                assert picture is not None
                assert np.array_equal(picture, tiles.pictures(name)[index])
            assert result.recording(clip.id) == Path(tiles.corpus_folder) / clip.path
    media = read_media(result, [tiles.clips[3].id, "nobody"])
    assert media["nobody"].raw == media["nobody"].sound == ""
    assert read_pixels(read_content(media[tiles.clips[3].id].raw, "image/png")).shape == (32, 32)
    assert media[tiles.clips[3].id].sound


def test_tiles_of_another_corpus_or_damaged_ones_are_not_taken(tiles: TileSet, tmp_path: Path) -> None:
    config = config_of_tiles(tiles)
    assert find_tile_folder(tiles.folder, {**config, "corpus": "0" * 16}) is None
    assert find_tile_folder(tmp_path, config) is None
    copy = tmp_path / tiles.folder.name
    copy.mkdir()
    (copy / "settings.json").write_bytes((tiles.folder / "settings.json").read_bytes())
    assert find_tile_folder(tmp_path, config) is None
    (copy / "clips.csv").write_bytes((tiles.folder / "clips.csv").read_bytes())
    result = find_tile_folder(tmp_path, config)
    assert result is not None
    assert result.picture("raw", tiles.clips[0].id) is None
