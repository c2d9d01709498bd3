"""The CSV files inside the page hold the numbers of its figures, and no formula."""

from __future__ import annotations

import base64
import csv
import dataclasses
import io
from pathlib import Path

import pandas as pd
import pytest

from cnn.runs.folder import RunFolder
from reports.facts.report import ReportFacts
from reports.page.csv_data import csv_tables
from reports.reading.gather import Sources, gather_facts
from support import sklearn_reference as reference
from support.report_facts import LABELS, eight_sweeps, make_contest_facts, write_eight


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> ReportFacts:
    folder = tmp_path_factory.mktemp("runs")
    write_eight(folder, n_speakers=6)
    return dataclasses.replace(gather_facts(Sources(runs=folder)), sweeps=eight_sweeps(20), contest=make_contest_facts())


@pytest.fixture(scope="module")
def tables(facts: ReportFacts) -> dict[str, pd.DataFrame]:
    rows = {}
    for name, uri in csv_tables(facts).items():
        head, _, body = uri.partition(",")
        assert head == "data:text/csv;base64"
        rows[name] = pd.read_csv(io.BytesIO(base64.b64decode(body)), dtype={"run": str, "spoken": str, "predicted": str})
    return rows


def test_every_score_equals_one_recomputed_from_the_predictions(facts: ReportFacts, tables: dict[str, pd.DataFrame]) -> None:
    scores = tables["scores"].set_index("run")
    assert len(scores) == 8
    for run in facts.runs:
        rows = [row for row in RunFolder(Path(run.folder)).predictions() if row.split == "test"]
        truth, label = [row.truth for row in rows], [row.label for row in rows]
        expected = reference.f1_score(truth, label, labels=LABELS, average="macro", zero_division=0)
        assert scores.loc[run.digest, "test_macro_f1"] == pytest.approx(expected, abs=1e-12)
        recomputed = tables["confusions"][tables["confusions"]["run"] == run.digest]
        matrix = recomputed.pivot(index="spoken", columns="predicted", values="clips").to_numpy()
        assert matrix.tolist() == reference.confusion_matrix(truth, label, labels=LABELS).tolist()


def test_effects_come_with_their_sets_and_speakers(tables: dict[str, pd.DataFrame]) -> None:
    effects = tables["effects"]
    main = effects[effects["effect"] == "augmentation"]
    assert list(main["of"].str.partition(":")[0]) == ["mean"] + ["set"] * 4 + ["speaker"] * 6
    sets = main[main["of"].str.startswith("set")]["difference"]
    assert main.iloc[0]["difference"] == pytest.approx(sets.mean())
    assert main.iloc[0]["low"] < main.iloc[0]["difference"] < main.iloc[0]["high"]


def test_curves_trials_and_attempts_are_whole(facts: ReportFacts, tables: dict[str, pd.DataFrame]) -> None:
    assert len(tables["curves"]) == sum(len(run.curve) for run in facts.runs)
    trials = tables["trials-lenet5-2d-raw"]
    assert facts.sweeps
    assert trials["val_macro_f1"].dropna().tolist() == [t.value for t in facts.sweeps[0].trials if t.value is not None]
    assert "train.learning_rate" in trials.columns
    assert len(tables["contest"]) == 6
    assert tables["contest"]["counts"].sum() == 3


def test_a_team_named_as_a_formula_in_full_width_letters_is_set_apart(facts: ReportFacts) -> None:
    named = dataclasses.replace(facts, contest=make_contest_facts(("\uff1d1+1", "Mel & Friends", "zero-crossing")))
    text = base64.b64decode(csv_tables(named)["contest"].partition(",")[2]).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["team"] for row in rows} == {"'\uff1d1+1", "Mel & Friends", "zero-crossing"}
