"""A run from Python says what its files say; scores are the contest's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

import arena
from arena.api.sweeping import Study
from cnn.runs.marks import label_run
from support.report_facts import LABELS, make_config, make_study, write_eight, write_run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "arena.toml").write_text('[folders]\nruns = "out"\n')
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


def test_scores_confusion_and_curves_are_those_of_the_files(project: Path) -> None:
    folder = write_run(project / "out", "a" * 16, make_config("lenet5", "raw"), n_speakers=5)
    label_run(folder, "baseline")
    run = arena.Run("baseline")
    rows = run.predictions[run.predictions["split"] == "test"]
    assert run.scores.loc["test", "macro_f1"] == pytest.approx(
        f1_score(rows["truth"], rows["label"], labels=LABELS, average="macro")
    )
    assert run.scores.loc["test", "low"] < run.scores.loc["test", "macro_f1"] < run.scores.loc["test", "high"]
    assert np.array_equal(run.confusion(), confusion_matrix(rows["truth"], rows["label"], labels=LABELS))
    assert list(run.curves.index) == [row.epoch for row in folder.epochs()]
    assert np.allclose(rows[list(LABELS)].sum(axis=1), 1)
    assert (run.name, run.net, run.state, run.config["variant"]) == ("baseline", "lenet5.raw", "finished", "raw")
    assert run._repr_html_().count("<tr>") == 4
    assert run.plot_confusion("val")._repr_png_()[:4] == run.plot_curves()._repr_png_()[:4] == b"\x89PNG"


def test_a_submission_has_the_score_and_the_interval_of_its_run(project: Path) -> None:
    write_run(project / "out", "a" * 16, make_config("lenet5", "raw"), n_speakers=5)
    run = arena.Run()
    truth = run.predictions.query("split == 'test'")[["id", "truth", "speaker"]].set_axis(["id", "label", "Group"], axis=1)
    truth.to_csv("solution.csv", index=False)
    score = arena.score(run.write_submission(), "solution.csv")
    ours = run.scores.loc["test"]
    assert (score.macro_f1, score.interval.low, score.interval.high) == pytest.approx((ours.macro_f1, ours.low, ours.high))
    assert score.metrics["accuracy"] == pytest.approx(ours.accuracy)
    table = run.predictions.query("split == 'test'").drop(columns=["truth", "speaker", "split"])
    assert float(arena.score(table, "solution.csv")) == score.macro_f1
    with pytest.raises(arena.Error, match=r"^the table line 2: "):
        arena.score(table.assign(label="12"), "solution.csv")
    parts = truth.assign(Usage=["Public", "Private"] * (len(truth) // 2))
    parts.to_csv("solution.csv", index=False)
    both = arena.score(table, "solution.csv")
    assert both.private is not None
    assert both.confusion.to_numpy().sum() + both.private.confusion.to_numpy().sum() == len(truth)


def test_all_runs_are_listed_damaged_ones_too(project: Path) -> None:
    runs = write_eight(project / "out", n_takes=1)
    (runs[0].path / "result.json").write_text("{")
    table = arena.runs().table
    assert len(table) == 8
    assert table.loc[runs[0].digest, "state"] == "damaged"
    assert arena.runs()._repr_html_().count("damaged") == 1


def test_samples_that_cannot_be_read_in_one_way_are_refused(project: Path) -> None:
    write_run(project / "out", "a" * 16, make_config("lenet5", "raw"), n_takes=1)
    wave = np.zeros(800)
    for recording, rate_hz, line in (
        (wave, None, "samples need their rate; give it, such as rate_hz=16000"),
        (np.zeros((800, 2)), 8000, "samples are mono, of shape (S,), not (800, 2); take one channel, or their mean"),
        ([0.0, 0.1], None, "recordings are files, folders, or a numpy array of samples with rate_hz=..., not a list of float"),
        ("a.wav", 8000, "a rate belongs to samples, floats from -1 to 1 or int16, not <U5; files have their own"),
    ):
        with pytest.raises(arena.Error) as error:
            arena.predict("latest", recording, rate_hz)
        assert str(error.value) == line


def test_the_name_of_a_study_is_no_html(tmp_path: Path) -> None:
    study = Study(replace(make_study("lenet5", "raw", 2), name="<img src=x onerror=y>"), tmp_path)
    assert "<p>&lt;img src=x onerror=y&gt;, 2 of " in study._repr_html_()
