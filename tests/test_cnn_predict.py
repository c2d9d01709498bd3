"""What a run says of clips: the same for a recording as for its tile, in a file that the contest takes."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cnn.config import default_config
from cnn.errors import CorpusError, RunError
from cnn.overrides import from_dict, override
from cnn.predict import answers_of_recordings, answers_of_split, find_run, recordings_in, write_submission
from cnn.runs import RunFolder
from cnn.solution import write_solution
from cnn.tiles import TileSet
from cnn.train import Decision, train


@pytest.fixture(scope="module", params=["raw", "bilateral+aug"])
def run(request: pytest.FixtureRequest, tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    config = override(default_config(tiles.corpus, tiles.settings, "resnet", request.param), ["train.epochs=3"])
    return train(config, tiles, tmp_path_factory.mktemp("runs"))


def test_a_recording_gets_the_answer_that_its_tile_got(run: RunFolder, corpus_folder: Path, tmp_path: Path) -> None:
    expected = {answer.id: answer for answer in answers_of_split(run, "test")}
    for number, name in enumerate(sorted(expected)):
        shutil.copy(corpus_folder / f"{name}.wav", tmp_path / f"x{number:03d}.WAV")
    heard: list[int] = []
    paths = recordings_in(tmp_path)
    answers = answers_of_recordings(run, tmp_path, paths, "cpu", heard.append)
    assert [answer.id for answer in answers] == [f"x{number:03d}" for number in range(len(expected))]
    assert sum(heard) == len(expected) == 40
    for answer, name in zip(answers, sorted(expected), strict=True):
        assert answer.label == expected[name].label
        np.testing.assert_allclose(answer.probabilities, expected[name].probabilities, atol=1e-5)


def test_a_submission_holds_the_ids_of_the_solution_once(run: RunFolder, tiles: TileSet, tmp_path: Path) -> None:
    write_submission(tmp_path / "submission.csv", answers_of_split(run, "test"))
    write_solution(tmp_path / "solution.csv", tiles, from_dict(run.config()).split)
    tables = [list(csv.DictReader((tmp_path / f"{name}.csv").read_text().splitlines())) for name in ("submission", "solution")]
    assert list(tables[0][0]) == ["id", "label", *(str(digit) for digit in range(10))]
    assert list(tables[1][0]) == ["id", "label", "Group"]
    assert sorted(row["id"] for row in tables[0]) == sorted(row["id"] for row in tables[1])
    assert all(abs(sum(float(row[str(d)]) for d in range(10)) - 1) < 1e-6 for row in tables[0])


def test_a_run_is_found_by_path_digest_or_its_beginning(run: RunFolder) -> None:
    runs = run.path.parent
    for name in (str(run.path), run.digest, run.digest[:5]):
        assert find_run(name, runs).digest == run.digest
    with pytest.raises(RunError, match=r"no single run 'zzz' in .*: there is none"):
        find_run("zzz", runs)


def test_an_unfinished_run_does_not_predict(tiles: TileSet, tmp_path: Path) -> None:
    config = override(default_config(tiles.corpus, tiles.settings, "lenet5", "raw"), ["train.epochs=3"])
    paused = train(config, tiles, tmp_path, on_epoch=lambda row: Decision.PAUSE)
    with pytest.raises(RunError, match="is unfinished; only a finished run predicts"):
        find_run(paused.digest, tmp_path)


def test_what_cannot_be_heard_is_named(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no wav or flac files in .*; give the folder that holds the recordings"):
        recordings_in(tmp_path)
    (tmp_path / "broken.wav").write_bytes(b"RIFF nonsense")
    with pytest.raises(CorpusError, match=r"broken\.wav is no wav or flac that can be read: .*; record it again or remove it"):
        answers_of_recordings(run, tmp_path, recordings_in(tmp_path), "cpu", print)
    soundfile.write(tmp_path / "broken.wav", np.zeros(0), 8000)
    with pytest.raises(CorpusError, match=r"broken\.wav holds no samples"):
        answers_of_recordings(run, tmp_path, recordings_in(tmp_path), "cpu", print)


def test_damaged_weights_are_named(run: RunFolder, corpus_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    (copy / "model.pt").write_bytes(b"nonsense")
    with pytest.raises(RunError, match=r"model\.pt is damaged .*; delete .* and train again"):
        answers_of_recordings(RunFolder(copy), corpus_folder, recordings_in(corpus_folder)[:2], "cpu", print)
