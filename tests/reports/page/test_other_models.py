"""Nets beyond Model A and Model B on the page: each under its own name, a team's own under its class."""

from __future__ import annotations

from pathlib import Path

from reports.figures.canvas import MODEL_OTHER, model_colour
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from reports.wording.page_texts import english, texts
from support.report_facts import make_config, write_run


def test_any_net_has_a_name_and_a_colour() -> None:
    named = {"lenet5": "Model A", "resnet": "Model B", "densenet": "densenet", "a/net.py:MyNet": "MyNet", "": "unknown model"}
    assert {model: english().model(model) for model in named} == named
    assert english().source("bcresnet") == "after BC-ResNet"
    assert model_colour("densenet") == model_colour("a/net.py:MyNet") == MODEL_OTHER
    assert texts("es").cell("resnet", "raw+aug") == "Modelo B con raw + aug"


def test_the_page_compares_other_nets_with_the_pair(tmp_path: Path) -> None:
    for number, model in enumerate(("lenet5", "densenet", "team/net.py:MyNet")):
        write_run(tmp_path, f"{number}" * 16, make_config(model, "raw"), seed=number)
    facts = gather_facts(Sources(runs=tmp_path))
    assert [run.model for run in facts.runs] == ["lenet5", "densenet", "team/net.py:MyNet"]
    page = render_report(facts).decode()
    assert all(f"<span>{name} <span" in page for name in ("Model A", "densenet", "MyNet"))
