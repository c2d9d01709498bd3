"""Each training's fit has a sentence of its own, with an advice, in every language."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from reports.wording.fit import fit_sentence
from reports.wording.page_texts import texts
from support.report_facts import make_config, write_eight, write_run


def test_eight_trainings_are_told_apart_by_their_gaps_in_both_languages(tmp_path: Path) -> None:
    write_eight(tmp_path)
    facts = gather_facts(Sources(runs=tmp_path))
    gaps = {(run.model, run.variant): run.gap or 0 for run in facts.runs}
    for lang, without, widest in (
        ("en", "Without augmentation the gap is", "No gap of the 8 is wider."),
        ("es", "Sin aumento", "mayor"),
    ):
        sentences = {(run.model, run.variant): fit_sentence(run, facts.runs, texts(lang)) for run in facts.runs}
        assert len(set(sentences.values())) == 8
        assert widest in sentences[max(gaps, key=gaps.__getitem__)]
        assert without in sentences["lenet5", "raw+aug"]
        assert f"{gaps['lenet5', 'raw']:.3f}." in sentences["lenet5", "raw+aug"]


def test_a_run_of_an_older_version_has_todays_advice(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))
    result = json.loads((folder.path / "result.json").read_text())
    result["scores"]["train"]["macro_f1"] = 0.4
    result["verdict"]["reason"] = "what was said then"
    (folder.path / "result.json").write_text(json.dumps(result))
    folder.write_epochs([dataclasses.replace(row, learning_rate=1e-5) for row in folder.epochs()])
    (run,) = gather_facts(Sources(runs=tmp_path)).runs
    assert run.verdict == "underfit"
    assert fit_sentence(run, [run], texts("es")).endswith("de 1e-05 a lo sumo: sube la tasa de aprendizaje.")


def test_the_mistakes_of_a_bilateral_training_of_model_a_show_what_it_got_in_its_colour(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("lenet5", "bilateral"))
    page = render_report(gather_facts(Sources(runs=tmp_path))).decode()
    assert "Left before the bilateral filter, right after it, as the net gets it; time" in page
    assert '<ul class="clips" style="--model:var(--model-a)">' in page
