"""Nets other than the shipped pair on the page: Model A and Model B by name, further nets as rows with colours of their own."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from cnn.config import VARIANTS, fill_config
from reports.documents.notebook import build_story
from reports.documents.paper import compose_paper
from reports.facts.base import NoteKind
from reports.facts.models import infer_models
from reports.facts.report import ReportFacts
from reports.figures.canvas import MODEL_COLOURS, model_colour
from reports.page.compare import render_comparison
from reports.page.render import render_report
from reports.reading.compare import compare_runs
from reports.reading.gather import Sources, gather_facts
from reports.wording.page_texts import page_texts, texts
from support.report_facts import OWN, make_config, write_eight, write_run


def gather_own(runs: Path, **sources: object) -> ReportFacts:
    write_eight(runs, OWN)
    return gather_facts(Sources(runs=runs, **sources))


def test_the_pair_is_what_the_project_names_or_the_two_that_were_trained_or_the_shipped_one() -> None:
    cases = {
        ("MyLeNet", "MyMobileNet"): ("MyLeNet", "MyMobileNet"),
        ("resnet", "MyNet"): ("MyNet", "resnet"),  # a shipped Model B is never A
        ("resnet", "densenet"): ("resnet", "densenet"),
        ("mlp", "lenet5"): ("lenet5", "mlp"),
        ("densenet",): ("densenet",),
        ("Mine",): ("Mine",),
        ("Mine", "lenet5", "resnet"): ("lenet5", "resnet"),  # the pair of before
        ("columns", "lenet5", "resnet"): ("lenet5", "columns"),
        ("resnet",): ("lenet5", "resnet"),
        ("lenet5",): ("lenet5", "columns"),
        ("One", "Two", "Three"): ("One", "Two"),
        (): ("lenet5", "columns"),
    }
    assert {trained: infer_models(trained) for trained in cases} == cases


def test_two_nets_of_ones_own_are_compared_by_name_and_the_shipped_ones_are_not_mentioned(tmp_path: Path) -> None:
    facts = gather_own(tmp_path / "own")
    write_eight(tmp_path / "shipped")
    shipped = gather_facts(Sources(runs=tmp_path / "shipped"))
    assert facts.models == facts.nets == ("MyLeNet", "MyMobileNet")
    assert [(cell.model, cell.variant) for cell in facts.cells if cell.run] == [(m, v) for m in facts.models for v in VARIANTS]
    assert [effect.factors for effect in facts.effects] == [effect.factors for effect in shipped.effects]
    assert [effect.difference.value for effect in facts.effects] == [effect.difference.value for effect in shipped.effects]
    assert not facts.notes
    for lang, lead in (("en", "Model B: MyMobileNet on raw + aug is the"), ("es", "Modelo B: MyMobileNet con raw + aug")):
        spoken = dataclasses.replace(facts, lang=lang)
        page, paper = render_report(spoken).decode(), compose_paper(spoken, "figures")
        words = re.sub(r'href="data:[^"]*"', "", page) + paper.text + "".join(paper.figures.values())
        assert not re.search("lenet5|multi-column|varias columnas", words)
        assert f'<p class="lead">{lead}' in page
        assert "MyMobileNet instead of MyLeNet" in words or "MyMobileNet en vez de MyLeNet" in words
    story = "\n".join(cell.text for cell in build_story(facts, Sources(runs=tmp_path / "own"), tmp_path / "story.ipynb"))
    assert not re.search("lenet5|multi-column|varias columnas", story)
    assert 'MODELS = ["MyLeNet", "MyMobileNet"]' in story
    assert "classified by Model A: MyLeNet and Model B: MyMobileNet, in 8 trainings" in compose_paper(facts, "figures").text


def test_the_project_says_which_net_is_model_a_and_further_nets_are_further_rows(tmp_path: Path) -> None:
    for number, model in enumerate(("densenet", "team/net.py:Second", "old/net.py:First", "resnet")):
        write_run(tmp_path, f"{number}" * 16, make_config(model, "raw"), seed=number)
    facts = gather_facts(Sources(runs=tmp_path, models=("First", "Second")))
    assert facts.nets == ("First", "Second", "densenet", "resnet")
    assert [cell.model for cell in facts.cells] == ["First"] * 4 + ["Second"] * 4 + ["densenet", "resnet"]
    assert [len(row) for row in facts.rows] == [4, 4, 1, 1]
    t = page_texts(facts)
    assert [t.introduce(net) for net in facts.nets] == ["Model A: First", "Model B: Second", "densenet", "resnet"]
    assert [model_colour(net, t) for net in facts.nets] == list(MODEL_COLOURS[:4])
    page = render_report(facts).decode()
    assert all(f"--model:var(--model-{letter})" in page for letter in "abcd")


def test_one_net_of_ones_own_is_model_a_and_its_effects_need_no_other(tmp_path: Path) -> None:
    for number, variant in enumerate(VARIANTS[:3]):
        write_run(tmp_path, f"{number}" * 16, make_config(OWN[0], variant), seed=number)
    facts = gather_facts(Sources(runs=tmp_path))
    assert [(cell.model, bool(cell.run)) for cell in facts.cells] == [("MyLeNet", True)] * 3 + [("MyLeNet", False)]
    assert {effect.factors for effect in facts.effects} == {("filter",), ("augmentation",)}
    assert [note.text for note in facts.notes if note.kind is NoteKind.MISSING] == [
        "1 training of 4 is missing: MyLeNet on bilateral + aug. Train with `arena train --all --model nets.py:MyLeNet`."
    ]
    assert b"multi-column" not in render_report(facts)


def test_trainings_on_two_versions_of_a_file_are_told_apart(tmp_path: Path) -> None:
    for number, (variant, source) in enumerate(zip(VARIANTS, ("1", "1", "2", "1"), strict=True)):
        write_run(tmp_path, f"{number}" * 16, make_config("nets.py:Mine", variant, model__source=source * 16), seed=number)
    (note,) = (note.text for note in gather_facts(Sources(runs=tmp_path)).notes)
    assert note == (
        "The file of Mine was edited between its trainings, so that they are not of one net: raw, bilateral and "
        "bilateral + aug; raw + aug. A difference between these groups may come from the edit."
    )


def test_trainings_with_other_settings_than_their_likes_are_told_apart(tmp_path: Path) -> None:
    for number, (variant, epochs) in enumerate(zip(VARIANTS, (20, 20, 5, 20), strict=True)):
        write_run(tmp_path, f"{number}" * 16, make_config("lenet5", variant, train__epochs=epochs), seed=number)
    (note,) = (note.text for note in gather_facts(Sources(runs=tmp_path)).notes if note.kind is NoteKind.REMARK)
    assert note.startswith(
        "The trainings of lenet5 have different settings: raw, bilateral and bilateral + aug; raw + aug. "
        "A difference between these groups may come from the settings"
    )


def test_trainings_whose_files_lack_later_settings_have_no_different_ones(tmp_path: Path) -> None:
    for number, variant in enumerate(VARIANTS):
        config = make_config("lenet5", variant)
        write_run(tmp_path, f"{number}" * 16, fill_config(config) if number else config, seed=number)
    facts = gather_facts(Sources(runs=tmp_path))
    assert [note.text for note in facts.notes if "different settings" in note.text] == []


def test_a_comparison_of_an_old_file_and_a_new_one_shows_no_setting(tmp_path: Path) -> None:
    config = make_config("lenet5", "raw")
    write_run(tmp_path / "a", "a" * 16, config)
    write_run(tmp_path / "b", "b" * 16, fill_config(config))
    assert compare_runs(tmp_path / "a", tmp_path / "b", Sources(), texts("en")).settings == ()


def test_a_comparison_couples_a_net_of_ones_own_by_its_name_wherever_its_file_lay(tmp_path: Path) -> None:
    write_eight(tmp_path / "a", OWN)
    write_eight(tmp_path / "b", tuple(f"old/{name}" for name in OWN))
    facts = compare_runs(tmp_path / "a", tmp_path / "b", Sources(), texts("en"))
    assert [(pair.model, pair.is_whole) for pair in facts.pairs] == [(m, True) for m in facts.models for _ in VARIANTS]
    assert b"--model:var(--model-b)" in render_comparison(facts)
