"""Two sets of runs: paired where they answered the same clips, and said where they did not."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports.cli.report import app
from reports.errors import SourceError
from reports.page.compare import comparison_lead, render_comparison
from reports.reading.compare import CompareFacts, compare_runs
from reports.reading.gather import Sources
from reports.wording.page_texts import english, texts
from support import sklearn_reference as reference
from support.report_facts import LABELS, make_config, write_eight, write_run


def compared(a: Path, b: Path, runs: Path | None = None) -> CompareFacts:
    return compare_runs(a, b, Sources(runs=runs), english())


def test_pairs_are_of_the_same_model_and_variant_and_exact(tmp_path: Path) -> None:
    write_eight(tmp_path / "a", n_speakers=6)
    for n, variant in enumerate(("raw", "bilateral"), start=1):
        write_run(
            tmp_path / "b", f"{n:016x}", make_config("lenet5", variant, train__learning_rate=0.01), seed=40 + n, n_speakers=6
        )
    facts = compared(tmp_path / "a", tmp_path / "b")
    assert len(facts.pairs) == 8
    complete = [pair for pair in facts.pairs if pair.is_whole]
    assert [(pair.model, pair.variant) for pair in complete] == [("lenet5", "raw"), ("lenet5", "bilateral")]
    f1 = []
    for pair in complete:
        assert pair.a is not None
        assert pair.b is not None
        assert pair.difference is not None
        scores = []
        for run in (pair.a, pair.b):
            rows = [row.split(",") for row in (Path(run.folder) / "predictions.csv").read_text().splitlines()[1:]]
            rows = [row for row in rows if row[-1] == "test"]
            truth, label = [row[-3] for row in rows], [row[1] for row in rows]
            scores.append(reference.f1_score(truth, label, labels=LABELS, average="macro", zero_division=0))
        assert pair.difference.value == pytest.approx(scores[0] - scores[1])
        f1.append(pair.difference.value)
    assert facts.mean is not None
    assert facts.mean.value == pytest.approx(sum(f1) / 2)
    assert [(row.key, row.a, row.b) for row in facts.settings] == [("train.learning_rate", (0.002,), (0.01,))]


def test_other_clips_are_not_subtracted(tmp_path: Path) -> None:
    write_run(tmp_path / "a", "a" * 16, make_config("lenet5", "raw"))
    write_run(tmp_path / "b", "b" * 16, make_config("lenet5", "raw"), n_takes=5)
    facts = compared(tmp_path / "a", tmp_path / "b")
    assert (facts.pairs[0].difference, facts.mean) == (None, None)
    assert comparison_lead(facts, english()).startswith("Nothing can be compared in pairs")
    page = render_comparison(facts).decode()
    assert "tested on other clips" in page
    assert "All settings are the same on both sides." in page


def test_two_runs_are_compared_whatever_they_are(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("columns", "raw+aug"), n_speakers=6)
    write_run(tmp_path, "b" * 16, make_config("lenet5", "bilateral"), n_speakers=6, seed=3)
    facts = compared(Path("aaaa"), Path("bbbb"), tmp_path)
    assert facts.mean is not None
    assert facts.mean.is_clear
    differing = {row.key: (row.a, row.b) for row in facts.settings}
    assert differing["model.name"] == (("columns",), ("lenet5",))
    assert differing["variant"] == (("raw+aug",), ("bilateral",))
    assert not any(key.startswith("augment.") for key in differing)
    words = comparison_lead(facts, english())
    assert words.startswith(f"aaaa is better than bbbb: {facts.mean.value:.3f} test macro-F1 in one pair of trainings")
    same = compared(Path("aaaa"), Path("aaaa"), tmp_path)
    assert "No difference that these 6 speakers can show" in comparison_lead(same, english())


def test_a_side_without_finished_runs_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "a", "a" * 16, make_config("lenet5", "raw"))
    with pytest.raises(SourceError, match=r"each side of a comparison holds a finished run and .*empty holds none"):
        compared(tmp_path / "a", tmp_path / "empty")


def test_the_command_writes_a_page_and_prints_the_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_eight(tmp_path / "a")
    write_eight(tmp_path / "b", n_takes=15)
    result = CliRunner().invoke(app, ["compare", "a", "b", "--lang", "es", "--out", "x.html"], catch_exceptions=False)
    assert result.stdout.splitlines()[-1] == "x.html"
    assert sum(line.strip().startswith(("lenet5", "columns")) for line in result.stdout.splitlines()) == 8
    page = (tmp_path / "x.html").read_text()
    assert "<title>a frente a b</title>" in page
    assert page == render_comparison(compare_runs(Path("a"), Path("b"), Sources(lang="es"), texts("es"))).decode()
