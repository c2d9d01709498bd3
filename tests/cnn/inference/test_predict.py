"""Answers of a run: the same for a recording as for its tile, in a file that the contest takes."""

from __future__ import annotations

import csv
import json
import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import arena.cli
from cnn.config import TilesInfo, default_config
from cnn.corpus.recordings import RecordedSamples, RecordingFile, find_recordings
from cnn.errors import ConfigError, RunError
from cnn.inference.predict import Skipped, find_finished_run, predict_recordings, read_answers, write_submission
from cnn.overrides import config_from_dict, override
from cnn.pack.solution import write_solution
from cnn.runs.config_file import read_config_file
from cnn.runs.folder import RunFolder
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import Decision, train
from cnn.train.weights_file import dump_checksummed
from support.ffmpeg import convert_to, link_ffmpeg


@pytest.fixture(scope="module", params=["raw", "bilateral+aug"])
def run(request: pytest.FixtureRequest, tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    config = override(default_config(tiles.info, "resnet", request.param), ["train.epochs=3"])
    return train(config, tiles, tmp_path_factory.mktemp("runs"))


def test_a_recording_gets_the_answer_that_its_tile_got(run: RunFolder, corpus_folder: Path, tmp_path: Path) -> None:
    expected = {answer.id: answer for answer in read_answers(run, "test").answers}
    for number, name in enumerate(sorted(expected)):
        shutil.copy(corpus_folder / f"{name}.wav", tmp_path / f"x{number:03d}.WAV")
    progress: list[int] = []
    result = predict_recordings(run, find_recordings(tmp_path), "cpu", progress.append)
    answers = result.answers
    assert result.skipped == ()
    assert [answer.id for answer in answers] == [f"x{number:03d}" for number in range(len(expected))]
    assert sum(progress) == len(expected) == 40
    for answer, name in zip(answers, sorted(expected), strict=True):
        assert answer.label == expected[name].label
        np.testing.assert_allclose(answer.probabilities, expected[name].probabilities, atol=1e-5)


def test_a_net_of_tiles_of_another_format_answers_nothing_and_names_the_command_that_trains_it_anew(
    run: RunFolder, tiles: TileSet, corpus_folder: Path, tmp_path: Path
) -> None:
    old = RunFolder(Path(shutil.copytree(run.path, tmp_path / "old")))
    content = old.config()
    silent = {key: value for key, value in content["tiles"].items() if key != "format"}
    for settings in (silent | {"format": 3}, silent):
        old.write_config(content | {"tiles": settings})
        with pytest.raises(ConfigError) as refused:
            predict_recordings(old, find_recordings(corpus_folder), "cpu", lambda n: None)
        assert str(refused.value) == (
            f"{old.path} was trained on tiles of format 3, not 4, which takes a constant offset out of the sound: "
            f"a net would see other pictures now; train it anew with `arena train --config {old.path / 'config.json'}`"
        )
    file = read_config_file(old.path / "config.json")
    anew = override(
        default_config(TilesInfo(corpus=content["corpus"], settings=tiles.settings), *file.models, *file.variants),
        file.list_settings(),
    )
    assert anew.digest == run.digest


def test_samples_get_the_answer_of_their_file(run: RunFolder, corpus_folder: Path) -> None:
    path = corpus_folder / "4_ann_0.wav"
    wave, rate_hz = soundfile.read(path, dtype="float32")
    silence = RecordedSamples(name="none", samples=np.zeros(8000, dtype=np.float32), rate_hz=8000)
    sources = [
        RecordingFile(name="a", label="a", path=path),
        RecordedSamples(name="b", samples=wave, rate_hz=rate_hz),
        RecordedSamples(name="slow", samples=wave, rate_hz=1),
        silence,
    ]
    result = predict_recordings(run, sources, "cpu", lambda n: None)
    assert result.answers[0].probabilities == result.answers[1].probabilities
    assert [(clip.name, clip.reason) for clip in result.skipped] == [
        ("slow", "has a rate of 1 Hz, not between 4000 and 384000"),
        ("none", "is silent; record it again"),
    ]


def test_a_submission_holds_the_ids_of_the_solution_once(run: RunFolder, tiles: TileSet, tmp_path: Path) -> None:
    write_submission(tmp_path / "submission.csv", read_answers(run, "test"))
    write_solution(tmp_path / "solution.csv", tiles, config_from_dict(run.config()).split)
    tables = [list(csv.DictReader((tmp_path / f"{name}.csv").read_text().splitlines())) for name in ("submission", "solution")]
    assert list(tables[0][0]) == ["id", "label", *(str(digit) for digit in range(10))]
    assert list(tables[1][0]) == ["id", "label", "Group"]
    assert sorted(row["id"] for row in tables[0]) == sorted(row["id"] for row in tables[1])
    assert all(abs(sum(float(row[str(d)]) for d in range(10)) - 1) < 1e-6 for row in tables[0])


def test_a_run_is_found_by_path_digest_or_its_beginning(run: RunFolder) -> None:
    runs = run.path.parent
    for name in (str(run.path), run.digest, run.digest[:5]):
        assert find_finished_run(name, runs).digest == run.digest
    with pytest.raises(RunError, match=r"^no run 'zzz' in .*; `arena runs` lists them$"):
        find_finished_run("zzz", runs)


def test_an_unfinished_run_does_not_predict(tiles: TileSet, tmp_path: Path) -> None:
    config = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=3"])
    paused = train(config, tiles, tmp_path, on_epoch=lambda row: Decision.PAUSE)
    with pytest.raises(RunError, match="is unfinished; only a finished run predicts"):
        find_finished_run(paused.digest, tmp_path)


def test_what_cannot_be_heard_is_named_and_stops_no_other(run: RunFolder, corpus_folder: Path, tmp_path: Path) -> None:
    for name in ("a", "m", "z"):
        shutil.copy(corpus_folder / "3_ann_0.wav", tmp_path / f"{name}.wav")
    (tmp_path / "broken.wav").write_bytes(b"RIFF nonsense")
    (tmp_path / "nothing.wav").write_bytes(b"")
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    soundfile.write(tmp_path / "silent.flac", np.zeros(4000), 8000)
    soundfile.write(tmp_path / "two\nlines.wav", np.ones(4000) / 2, 8000)
    result = predict_recordings(run, find_recordings(tmp_path), "cpu", lambda n: None)
    assert [answer.id for answer in result.answers] == ["a", "m", "z"]
    assert len({answer.probabilities for answer in result.answers}) == 1
    assert result.skipped[0].name == str(tmp_path / "broken.wav")
    assert result.skipped[0].reason.startswith("is a wav that breaks off before its sound")
    assert result.skipped[1:] == tuple(
        Skipped(name=str(tmp_path / name), reason=reason)
        for name, reason in (
            ("empty.wav", "holds no samples; record it again"),
            ("gone.wav", "cannot be opened: No such file or directory"),
            ("nothing.wav", "is empty; record it again"),
            ("pipe.wav", "is no ordinary file; give its content to `-`"),
            ("silent.flac", "is silent; record it again"),
            ("two\nlines.wav", "has a name that cannot be printed; rename it"),
        )
    )


def predicted(run: RunFolder, *words: object, stdin: bytes | None = None, rc: int = 0) -> tuple[str, str]:
    command = ["predict", str(run.path), "--device", "cpu", *map(str, words)]
    ended = CliRunner().invoke(arena.cli.app, command, input=stdin)
    errors = "" if isinstance(ended.exception, SystemExit | None) else f"error: {ended.exception}"
    assert (1 if errors else ended.exit_code) == rc, ended.stderr + errors
    return ended.stdout, ended.stderr + errors


def test_files_are_answered_in_their_order_with_digit_and_probabilities(run: RunFolder, corpus_folder: Path) -> None:
    files = [corpus_folder / "7_ann_0.wav", corpus_folder / "2_bob_1.wav"]
    output = json.loads(predicted(run, *files, "--json")[0])
    sources = find_recordings(corpus_folder)
    result = predict_recordings(run, sources, "cpu", lambda n: None)
    expected = {a.id: a for a in result.answers}
    assert [answer["file"] for answer in output["answers"]] == [str(file) for file in files]
    for answer, file in zip(output["answers"], files, strict=True):
        assert answer["digit"] == expected[file.stem].label
        assert answer["probabilities"] == pytest.approx(result.probabilities(expected[file.stem]), abs=1e-6)
    lines = predicted(run, *files)[0].splitlines()
    best = sorted(output["answers"][0]["probabilities"].items(), key=lambda item: -item[1])[:2]
    assert [str(files[0]), *(word for digit, p in best for word in (digit, f"{p:.3f}"))] in [line.split() for line in lines]


def test_one_file_that_cannot_be_heard_costs_exit_code_1_and_no_other_answer(run: RunFolder, corpus_folder: Path) -> None:
    good, bad = corpus_folder / "7_ann_0.wav", corpus_folder / "nowhere.wav"
    output, errors = predicted(run, bad, good, rc=1)
    assert str(good) in output
    assert f"no answer: {bad} cannot be opened: No such file or directory\n" in errors


def test_a_folder_is_answered_like_files_by_their_paths_below_it(
    run: RunFolder, corpus_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new" / "deep").mkdir(parents=True)
    shutil.copy(corpus_folder / "3_ann_0.wav", tmp_path / "new" / "deep" / "a.wav")
    shutil.copy(corpus_folder / "7_ann_0.wav", tmp_path / "new" / "b.WAV")
    (tmp_path / "new" / ".hidden.wav").write_bytes(b"")
    (tmp_path / "new" / "notes.txt").write_bytes(b"")
    (tmp_path / "new" / "deep" / "more.zip").write_bytes(b"")
    printed, errors = predicted(run, tmp_path / "new", "--json")
    output = json.loads(printed)
    assert "3 files are not read: 1 .txt, 1 .zip, 1 hidden; unpack .zip" in errors.splitlines()
    assert output["not_read"] == {".txt": 1, ".zip": 1, "hidden": 1}
    assert [answer["file"] for answer in output["answers"]] == ["b.WAV", "deep/a.wav"]
    alone = json.loads(predicted(run, corpus_folder / "3_ann_0.wav", "--json")[0])
    assert output["answers"][1]["probabilities"] == pytest.approx(alone["answers"][0]["probabilities"], abs=1e-6)
    lines = [line.split()[0] for line in predicted(run, tmp_path / "new")[0].splitlines() if line.split()]
    assert lines[-2:] == ["b.WAV", "deep/a.wav"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new" / "bad.flac").write_bytes(b"nonsense")
    output, errors = predicted(run, corpus_folder / "3_ann_0.wav", "new", "--json", rc=1)
    assert [answer["file"] for answer in json.loads(output)["answers"]] == [
        *(str(corpus_folder / "3_ann_0.wav"), "new/b.WAV", "new/deep/a.wav")
    ]
    assert "no answer: new/bad.flac is text, not a recording: put the recording in its place" in errors
    (tmp_path / "none").mkdir()
    assert predicted(run, "none", rc=1)[1].endswith("none is empty; give the folder that holds the recordings")


def test_a_folder_of_every_format_is_answered_alike(
    run: RunFolder, corpus_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, rate_hz = soundfile.read(corpus_folder / "3_ann_0.wav", dtype="float32")
    for name, form, subtype in (("a.ogg", "OGG", "VORBIS"), ("b.opus", "OGG", "OPUS"), ("c.mp3", "MP3", None)):
        soundfile.write(tmp_path / name, samples, rate_hz, format=form, subtype=subtype)
    soundfile.write(tmp_path / "d.aiff", samples, rate_hz)
    soundfile.write(tmp_path / "e.wav", samples * 32768, rate_hz, subtype="FLOAT")
    bin_folder = link_ffmpeg(tmp_path / ".bin")
    monkeypatch.setenv("PATH", str(bin_folder))
    convert_to(tmp_path / "f.m4a", samples, bin_folder, rate_hz=rate_hz)
    (tmp_path / "f.m4a").rename(tmp_path / "f.mp3")
    output, errors = predicted(run, tmp_path, "--json")
    answers = json.loads(output)["answers"]
    assert [answer["file"] for answer in answers] == ["a.ogg", "b.opus", "c.mp3", "d.aiff", "e.wav", "f.mp3"]
    own = json.loads(predicted(run, corpus_folder / "3_ann_0.wav", "--json")[0])["answers"][0]
    assert [answers[index]["probabilities"] for index in (3, 4)] == [pytest.approx(own["probabilities"], abs=1e-3)] * 2
    assert errors.splitlines()[1:] == [
        f"converted: 1 recording, such as {tmp_path}/f.mp3 (converted by ffmpeg)",
        f"unscaled: 1 recording, such as {tmp_path}/e.wav (floats written without scaling to +-1; scaled)",
    ]


def test_what_is_wrong_with_the_standard_input_is_said_of_it(run: RunFolder) -> None:
    assert "no answer: standard input is empty" in predicted(run, "-", stdin=b"", rc=1)[1]
    assert "no answer: standard input is text, not a recording" in predicted(run, "-", stdin=b"nonsense", rc=1)[1]


def test_a_submission_is_replaced_with_a_word_and_no_other_file_is(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output, errors = predicted(run, "--split", "validation")
    assert (output, errors) == (f"submission.csv: 40 clips, from {run.path}\n", "")
    content = (tmp_path / "submission.csv").read_bytes()
    again, errors = predicted(run)
    assert (again, errors) == (output, "submission.csv was a submission before, which is replaced\n")
    assert (tmp_path / "submission.csv").read_bytes() != content
    (tmp_path / "submission.csv").write_text("id,label\nmine,3\n")
    errors = predicted(run, rc=1)[1]
    assert errors.endswith(
        "submission.csv is there and no table as this command writes it; move it, or name another file with --out"
    )
    assert (tmp_path / "submission.csv").read_text() == "id,label\nmine,3\n"
    assert "nowhere is no folder; make it" in predicted(run, "--out", "nowhere/x.csv", rc=1)[1]


@pytest.mark.parametrize("size", [None, 0, 0x7FFFFFFE, 0xFFFFFFFF])
def test_a_wav_on_the_standard_input_gets_the_answer_of_its_file(run: RunFolder, corpus_folder: Path, size: int | None) -> None:
    file = corpus_folder / "5_eve_2.wav"
    content = bytearray(file.read_bytes())
    if size is not None:
        index = content.index(b"data") + 4
        content[index : index + 4] = struct.pack("<I", size)
    streamed, filed = (json.loads(predicted(run, name, "--json", stdin=bytes(content))[0]) for name in ("-", file))
    assert streamed["answers"][0]["file"] == "-"
    assert streamed["answers"][0]["probabilities"] == filed["answers"][0]["probabilities"]


def test_a_folder_becomes_a_submission_of_what_could_be_heard(run: RunFolder, corpus_folder: Path, tmp_path: Path) -> None:
    clips, out = tmp_path / "clips", tmp_path / "answers.csv"
    (clips / "deep").mkdir(parents=True)
    shutil.copy(corpus_folder / "3_ann_0.wav", clips / "deep" / "one.wav")
    output, _ = predicted(run, "--recordings", clips, "--out", out)
    assert output == f"{out}: 1 clips, from {run.path}\n"
    (clips / "bad.wav").write_bytes(b"RIFF")
    output, errors = predicted(run, "--recordings", clips, "--out", out, rc=1)
    assert f"no answer: {clips / 'bad.wav'} is a wav that breaks off before its sound" in errors
    assert f"{out} lacks 1 of 2 recordings: a contest that asks for them will refuse it\n" in errors
    assert [row["id"] for row in csv.DictReader(out.read_text().splitlines())] == ["deep/one"]
    (clips / "deep" / "one.wav").unlink()
    out.unlink()
    _, errors = predicted(run, "--recordings", clips, "--out", out, rc=1)
    assert errors.endswith("error: none of 1 recordings can be used; nothing is written")
    assert not out.exists()


def test_files_folder_and_split_are_asked_for_one_at_a_time(run: RunFolder, corpus_folder: Path) -> None:
    file = corpus_folder / "7_ann_0.wav"
    for words in (
        [file, "--recordings", corpus_folder],
        ["--split", "validation", "--recordings", corpus_folder],
        [file, "--out", "x.csv"],
    ):
        assert "give files, --recordings, --split or --strings" in " ".join(predicted(run, *words, rc=2)[1].split())


def test_damaged_weights_are_named(run: RunFolder, corpus_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    content = bytearray((run.path / "model.pt").read_bytes())
    content[len(content) // 2] ^= 1
    for damaged in (bytes(content), b"nonsense"):
        (copy / "model.pt").write_bytes(damaged)
        with pytest.raises(RunError, match=r"model\.pt is damaged .*; delete .* and train again"):
            predict_recordings(RunFolder(copy), find_recordings(corpus_folder)[:2], "cpu", print)
    (copy / "model.pt").write_bytes(dump_checksummed({}))
    with pytest.raises(RunError, match=r"model\.pt is of another net; delete .* and train again"):
        predict_recordings(RunFolder(copy), find_recordings(corpus_folder)[:2], "cpu", print)
    (copy / "model.pt").unlink()
    with pytest.raises(RunError, match=r"model\.pt cannot be read: No such file .*; delete .* and train again"):
        predict_recordings(RunFolder(copy), find_recordings(corpus_folder)[:2], "cpu", print)
