"""Scores of a corpus that lacks digits: one macro-F1 on every surface, a note on what is absent, and no verdict from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import arena
import arena.cli
from arena.base.csv_export import format_csv
from cnn.runs.evaluation import evaluate
from cnn.runs.folder import RunFolder
from reports.reading.gather import Sources, gather_facts
from reports.reading.run import read_run
from reports.wording.summary import summarise
from support import sklearn_reference as reference
from support.tones import SPEAKERS, write_tones

SETTINGS = ("train.epochs=6", "train.batch_size=8", "model.width=0.5", "model.dropout=0")
NOTE = "digits 5 to 9 are in none of the clips: macro-F1 is the mean over 5 classes"


def invoke(*words: str) -> Any:
    result = CliRunner().invoke(arena.cli.app, words, catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A training on digits 0 to 4 alone."""
    folder = tmp_path_factory.mktemp("five")
    for path in write_tones(folder / "clips", 4).iterdir():
        if path.name[0] > "4":
            path.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("WANDB_MODE", "disabled")
        invoke("data", "prepare", "clips", "tiles.size=32")
        output = invoke("train", "--model", "lenet5", "--variant", "raw", *SETTINGS)
        assert NOTE in output.output.replace("\n", " ")
    (run,) = (path for path in (folder / "runs").iterdir() if path.is_dir())
    return RunFolder(run)


def read_truth(run: RunFolder, split: str) -> tuple[list[str], list[str]]:
    rows = [row for row in run.predictions() if row.split == split]
    return [row.truth for row in rows], [row.label for row in rows]


def test_every_surface_has_the_same_score_over_the_digits_that_are_there(
    trained: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = trained.path.parent.parent
    monkeypatch.chdir(home)
    result = trained.result()
    assert result
    scores = {}
    for split in ("val", "test"):
        truth, predicted = read_truth(trained, split)
        scores[split] = reference.f1_score(truth, predicted, labels=list("01234"), average="macro")
        assert result.scores[split].macro_f1 == pytest.approx(scores[split])
        assert result.scores[split].absent == tuple("56789")
    assert scores["test"] > 0.9, "five tones are learnt in six epochs"
    assert result.verdict
    assert (result.verdict.state, "larger" in result.verdict.reason) == ("good", False), result.verdict

    (best,) = [row for row in trained.epochs() if row.epoch == result.best_epoch]
    assert best.val_macro_f1 == pytest.approx(scores["val"])
    page = json.loads(invoke("runs", "show", trained.digest, "--json").stdout)
    assert (page["notes"], page["scores"]["test"]["macro_f1"]) == ([NOTE], pytest.approx(scores["test"]))
    low, high = (page["scores"]["test"]["interval"][name] for name in ("low", "high"))
    assert low <= scores["test"] <= high

    evaluation = evaluate([[trained]], "test")
    assert evaluation.pooled_macro_f1 == evaluation.mean_macro_f1 == pytest.approx(scores["test"])
    assert evaluation.notes[-1] == "digits 5 to 9 are in none of these clips: macro-F1 is the mean over 5 classes"
    assert arena.runs("runs")[0].scores.loc["test", "macro_f1"] == pytest.approx(scores["test"])

    grid = {"method": "grid", "metric": {"name": "val_macro_f1", "goal": "maximize"}}
    values = dict(setting.split("=") for setting in SETTINGS[1:])
    parameters = {key: {"value": float(value) if "." in value else int(value)} for key, value in values.items()}
    parameters |= {"model.name": {"value": "lenet5"}, "train.seed": {"values": [0]}}
    (tmp_path / "one.yaml").write_text(json.dumps(grid | {"parameters": parameters, "run_cap": 1}))
    command = (
        "sweep",
        "run",
        str(tmp_path / "one.yaml"),
        "--variant",
        "raw",
        "--agents",
        "1",
        "--name",
        "one",
        "train.epochs=6",
    )
    assert "digits 5 to 9 are in none of the validation clips" in invoke(*command).output
    (trial,) = json.loads(invoke("sweep", "trials", "one", "--json").stdout)
    assert trial["value"] == pytest.approx(scores["val"])


def test_a_contest_scores_the_same_answers_alike(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained.path.parent.parent)
    invoke("data", "solution", "--out", "solution.csv")
    answers = [("id", "label"), *((row.id, row.label) for row in trained.predictions() if row.split == "test")]
    Path("answers.csv").write_text(format_csv(answers))
    invoke("contest", "init", "solution.csv", "--name", "Digits")
    invoke("contest", "team", "add", "Ana")
    invoke("contest", "submit", "answers.csv", "--team", "Ana")
    (standing,) = json.loads(invoke("contest", "standings", "--json").stdout)
    result = trained.result()
    assert result
    assert standing["macro_f1"] == pytest.approx(result.scores["test"].macro_f1)
    assert arena.score("answers.csv", "solution.csv").macro_f1 == pytest.approx(standing["macro_f1"])


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        (
            "en",
            "Digits 5 to 9 are in none of the training, validation and test clips: their macro-F1 is the mean over 5 digits.",
        ),
        (
            "es",
            "Los dígitos 5 a 9 no están en ningún audio de entrenamiento, validación y prueba: su macro-F1 es la media de 5",
        ),
    ],
)
def test_the_report_has_the_score_and_says_which_digits_it_lacks(trained: RunFolder, lang: str, sentence: str) -> None:
    result = trained.result()
    assert result
    facts = gather_facts(Sources(runs=trained.path.parent, lang=lang))
    (run,) = facts.runs
    assert run.test
    assert run.test.macro_f1 == pytest.approx(result.scores["test"].macro_f1)
    assert read_run(trained).notes == (), "nothing that result.json states contradicts predictions.csv"
    assert any(sentence in text for _, text in summarise(facts).answer)


def test_a_result_of_before_is_read_by_the_rule_of_today(trained: RunFolder, tmp_path: Path) -> None:
    content = json.loads((trained.path / "result.json").read_text())
    for score in content["scores"].values():
        del score["absent"]
        score["macro_f1"] /= 2  # the mean over ten digits
    copy = RunFolder(tmp_path / trained.digest)
    copy.path.mkdir()
    (copy.path / "result.json").write_text(json.dumps(content))
    result, original = copy.result(), trained.result()
    assert result
    assert original
    assert result.scores == original.scores


def test_a_digit_without_training_clips_is_named_in_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    for path in write_tones(tmp_path / "clips", 2).iterdir():
        if path.name.startswith("7") and SPEAKERS[0] not in path.name:
            path.unlink()
    invoke("data", "prepare", "clips", "tiles.size=32")
    settings = ("train.epochs=1", "model.width=0.25", f"split.test_speakers={SPEAKERS[0]}")
    output = invoke("train", "--model", "lenet5", "--variant", "raw", *settings).output
    assert f"warning: digit 7 is scored and never trained on: nobody but {SPEAKERS[0]} says it." in output
    assert "digit 7 is in none of the training and validation clips: macro-F1 is the mean over 9 classes" in output
    assert "digit 7 is scored and never trained on: the F1 is 0" in output
