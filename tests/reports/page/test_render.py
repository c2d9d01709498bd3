"""The page as one file: equal bytes, nothing from elsewhere, hostile names harmless, absent parts named."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reports.facts.report import ReportFacts
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from support.paths import ROOT
from support.report_facts import eight_sweeps, make_config, make_contest_facts, make_study, write_eight, write_run

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    write_eight(folder)
    return folder


@pytest.fixture(scope="module")
def facts(runs: Path) -> ReportFacts:
    return dataclasses.replace(gather_facts(Sources(runs=runs)), sweeps=eight_sweeps(64), contest=make_contest_facts())


def test_equal_facts_give_equal_bytes_in_another_process_too(runs: Path) -> None:
    code = (
        "import sys, hashlib; from pathlib import Path\n"
        "from reports.reading.gather import Sources, gather_facts; from reports.page.render import render_report\n"
        "print(hashlib.sha256(render_report(gather_facts(Sources(runs=Path(sys.argv[1]))))).hexdigest())"
    )
    root = ROOT
    digests = {
        subprocess.run(
            [sys.executable, "-c", code, str(runs)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root), "TZ": zone, "MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert digests == {hashlib.sha256(render_report(gather_facts(Sources(runs=runs)))).hexdigest()}


def test_eight_trainings_and_512_trials_stay_under_five_megabytes(facts: ReportFacts) -> None:
    assert len(render_report(facts)) < 5_000_000


def test_nothing_is_loaded_from_elsewhere(facts: ReportFacts) -> None:
    page = render_report(facts).decode()
    assert not re.findall(r'(?:src|href|action|data)="(?!#|data:(?:text/csv|image/png|audio/wav);base64,)[^"]*"', page)
    assert not re.findall(r"@import|url\((?!#)", page)
    assert "default-src &#39;none&#39;; style-src" in page


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a" * 16, make_config("lenet5", "raw", train__optimizer=HOSTILE))
    rows = [dataclasses.replace(row, speaker=HOSTILE) for row in folder.predictions()]
    folder.write_predictions([str(k) for k in range(10)], rows)
    result = folder.result()
    assert result is not None
    folder.write_result(dataclasses.replace(result, device=HOSTILE, wandb_url="javascript:alert(1)"))
    facts = dataclasses.replace(
        gather_facts(Sources(runs=tmp_path, title=HOSTILE)), contest=make_contest_facts((HOSTILE, "b", "c"))
    )
    page = render_report(facts).decode()
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "javascript:" not in page
    assert "&lt;script&gt;alert(&#39;x&#39;)" in page
    assert "{{ 7*7 }}" in page


def test_a_w_and_b_page_is_linked(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"), wandb_url="https://wandb.example/run/1")
    assert '<a href="https://wandb.example/run/1"' in render_report(gather_facts(Sources(runs=tmp_path))).decode()


def test_absent_parts_are_named(runs: Path, facts: ReportFacts) -> None:
    page = render_report(gather_facts(Sources(runs=runs))).decode()
    assert "No studies were given." in page
    assert "No contest was given." in page
    without = dataclasses.replace(facts, cells=(), chosen="", runner_up="", effects=(), same_settings=(), differing_settings=())
    page = render_report(without).decode()
    assert page.count("No finished training") >= 4
    assert "Los Formantes" in page


def test_a_page_that_is_not_final_says_so_and_loads_itself_again(runs: Path) -> None:
    growing, final = (render_report(gather_facts(Sources(runs=runs, refresh_s=n))).decode() for n in (15, 0))
    notice = "Not final: this page is written anew as the work goes on, and loads itself again every 15 seconds."
    head, _, tail = growing.partition('<meta http-equiv="refresh" content="15">\n')
    assert (head + tail).replace(f'<p class="growing" role="status">{notice}</p>\n', "") == final


def test_a_study_without_trials_and_one_without_importances_are_shown(facts: ReportFacts) -> None:
    assert facts.sweeps
    empty = dataclasses.replace(facts.sweeps[0], name="empty", trials=(), best=None, parameters=(), importances={}, command="")
    page = render_report(dataclasses.replace(facts, sweeps=(empty,))).decode()
    assert "No trial has finished" in page
    few = make_study("lenet5", "raw", 5)
    page = render_report(dataclasses.replace(facts, sweeps=(few,))).decode()
    assert "Importances need 12 trials, finished or pruned; this study has 5." in page
    assert "<figcaption>Importance</figcaption>" not in page


def test_a_single_training_makes_a_page(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("columns", "bilateral"))
    page = render_report(gather_facts(Sources(runs=tmp_path))).decode()
    assert page.count(">missing<") >= 7
