"""Recordings that are not what they say, by the commands that people gave: scan, and import of a folder of MP3s."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from arena.cli import app
from cnn.corpus.audio import decode
from support.ffmpeg import convert_to, link_ffmpeg
from support.sounds import pcm16, voice, wav_around

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 4321\n"
MP4 = b"\0\0\0\x1cftypM4A \0\0\2\0M4A isomiso2"
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1"
HEADER = b"LIST\x14\0\0\0INFOISFT\x08\0\0\0Rec 1.0\0data\0\x19\0\0"


def run(*words: object, code: int = 0) -> tuple[str, str]:
    """Run `arena data ...` and return standard output and error, an error in one line."""
    result = CliRunner().invoke(app, ["data", *map(str, words)])
    assert result.exit_code == code, result.output
    return result.stdout, str(result.exception) if result.exception else result.stderr


def test_floats_without_scale_are_scaled_and_flagged(tmp_path: Path) -> None:
    (tmp_path / "5_ana_0.wav").write_bytes(wav_around((11_468 / 0.7 * voice()).astype("<f4").tobytes(), tag=3, bits=32))
    output, _ = run("scan", tmp_path)
    assert "clips     1 usable" in output
    assert (
        "flags     1 unscaled: used all the same\n          unscaled: floats written without scaling to +-1; scaled\n" in output
    )
    assert json.loads(run("scan", tmp_path, "--json")[0])["flagged"] == {"5_ana_0": ["unscaled"]}


def test_a_header_inside_the_sound_is_left_out_and_flagged(tmp_path: Path) -> None:
    body = pcm16(voice())
    (tmp_path / "5_ana_0.wav").write_bytes(wav_around(HEADER + body))
    output, _ = run("scan", tmp_path)
    assert (
        "flags     1 header: used all the same\n          header: a header or notes stood inside the sound; left out\n"
        in output
    )
    np.testing.assert_array_equal(decode(tmp_path / "5_ana_0.wav").samples[:, 0] * 32768, np.frombuffer(body, "<i2"))


def test_a_file_that_is_something_else_says_what_it_is(tmp_path: Path) -> None:
    contents = {3: POINTER, 4: b"<!DOCTYPE html>\n<html>Not found</html>", 5: MP4, 6: WEBM, 7: wav_around(pcm16(voice()))}
    for digit, content in contents.items():
        (tmp_path / f"{digit}_ana_0.wav").write_bytes(content)
    problems = json.loads(run("scan", tmp_path, "--json")[0])["problems"]
    web_page = "is a web page, not the recording: fetch the recording again, from an address that needs no login"
    assert {problem["path"]: problem["reason"].replace(str(tmp_path), "DIR") for problem in problems} == {
        "3_ana_0.wav": "is a Git LFS pointer, not the recording: fetch that with `git lfs pull`",
        "4_ana_0.wav": web_page,
        "5_ana_0.wav": "is M4A or MP4 (AAC), which is not read here: "
        "`mv DIR/5_ana_0.wav DIR/5_ana_0.m4a && ffmpeg -i DIR/5_ana_0.m4a DIR/5_ana_0.wav`",
        "6_ana_0.wav": "is WebM or Matroska, which is not read here: "
        "`mv DIR/6_ana_0.wav DIR/6_ana_0.webm && ffmpeg -i DIR/6_ana_0.webm DIR/6_ana_0.wav`",
    }


def test_import_refuses_m4a_called_mp3_with_the_command_that_converts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "mp3" / "ana" / "7.mp3"
    path.parent.mkdir(parents=True)
    path.write_bytes(MP4)
    output, error = run("import", tmp_path / "mp3", tmp_path / "out", "--dry-run", code=1)
    converted = path.with_suffix(".wav")
    assert f"  ana/7.mp3 is M4A or MP4 (AAC), which is not read here: `ffmpeg -i {path} {converted}`\n" in output
    assert error.startswith("none of the recordings in ")


def test_import_converts_m4a_called_mp3_where_ffmpeg_is_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_folder = link_ffmpeg(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(bin_folder))
    folder = tmp_path / "mp3" / "ana"
    folder.mkdir(parents=True)
    convert_to(folder / "7.m4a", voice(0, 16_000, 16_000), bin_folder).rename(folder / "7.mp3")
    (folder / "5.wav").write_bytes(wav_around(HEADER + pcm16(voice())))
    output, _ = run("import", tmp_path / "mp3", tmp_path / "out", "--dry-run")
    assert "converted: 1 recording, such as ana/7.mp3 (converted by ffmpeg)\n" in output
    assert "header: 1 recording, such as ana/5.wav (a header or notes stood inside the sound; left out)\n" in output
    run("import", tmp_path / "mp3", tmp_path / "out", "--yes")
    assert json.loads(run("scan", tmp_path / "out", "--json")[0])["flagged"] == {}  # the header is gone


def test_import_says_which_recordings_break_off(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    body = pcm16(voice())
    (tmp_path / "in" / "7_ana_0.wav").write_bytes(wav_around(body))
    (tmp_path / "in" / "5_ana_0.wav").write_bytes(wav_around(body[: len(body) // 2], size=len(body)))
    output, _ = run("import", tmp_path / "in", tmp_path / "out", "--yes")
    assert "truncated: 1 recording, such as 5_ana_0.wav (breaks off before the end that its header promises)\n" in output
