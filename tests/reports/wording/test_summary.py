"""Sentences: what they say, and that they say no more than the numbers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from arena.base.scores import Interval
from reports.facts.base import DifferenceFacts
from reports.facts.contest import ContestFacts
from reports.facts.report import EffectFacts
from reports.reading.gather import Sources, gather_facts
from reports.wording.page_texts import english
from reports.wording.studies import contest_sentence as contest_words
from reports.wording.studies import sweep_sentence as sweep_words
from reports.wording.summary import effect_sentence as effect_words
from reports.wording.summary import summarise
from support.report_facts import SPLIT, make_config, make_contest_facts, make_study, write_eight, write_run
from sweeps.results import StudyFacts


def effect_sentence(effect: EffectFacts) -> str:
    return effect_words(effect, english())


def sweep_sentence(sweep: StudyFacts) -> str:
    return sweep_words(sweep, english())


def contest_sentence(contest: ContestFacts) -> str:
    return contest_words(contest, english())


def interval(low: float, high: float, unit: str = "clips", n_units: int = 300) -> Interval:
    return Interval(low=low, high=high, level=0.95, n_replicates=2000, unit=unit, n_units=n_units)


def effect(value: float, low: float, high: float) -> EffectFacts:
    parts = (("lenet5, raw", value - 0.01), ("columns, raw", value + 0.01))
    return EffectFacts(
        factors=("filter",),
        difference=DifferenceFacts(value=value, interval=interval(low, high), parts=parts),
    )


def test_the_answer_names_choice_test_score_runner_up_and_cost(tmp_path: Path) -> None:
    write_eight(tmp_path)
    facts = gather_facts(Sources(runs=tmp_path))
    summary = summarise(facts)
    chosen, rival = facts.run(facts.chosen), facts.run(facts.runner_up)
    assert chosen is not None
    assert rival is not None
    assert chosen.test is not None
    assert chosen.interval is not None
    assert chosen.val is not None
    assert rival.test is not None
    assert summary.lead == (
        "Model B: columns on raw + aug is the choice by validation, a tie with columns on bilateral + aug. "
        f"On test it reaches macro-F1 {chosen.test.macro_f1:.3f} "
        f"(95\u202f% interval {chosen.interval.low:.3f} to {chosen.interval.high:.3f})."
    )
    assert summary.answer[0][1] == (
        f"Its macro-F1 of {chosen.val.macro_f1:.3f} on the validation clips is the highest of 8 trainings. "
        "The test clips had no part in that choice."
    )
    assert summary.answer[1][1].startswith(
        f"Second by validation is lenet5 on raw + aug, with {rival.test.macro_f1:.3f} on test"
    )
    assert "took 1 min 12 s on cpu with 1 thread" in summary.answer[-1][1]


def test_two_that_cannot_be_told_apart_are_said_to_be(tmp_path: Path) -> None:
    for digest, model in (("a" * 16, "lenet5"), ("b" * 16, "columns")):
        write_run(tmp_path, digest, make_config(model, "bilateral+aug"), n_takes=6)
    summary = summarise(gather_facts(Sources(runs=tmp_path)))
    assert "on these 120 clips the two cannot be told apart" in summary.answer[1][1]


def test_few_speakers_are_confessed(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))
    caveat = summarise(gather_facts(Sources(runs=tmp_path))).caveats[0]
    assert "other clips of the same 2 speakers" in caveat
    assert "It says nothing on speakers that were never recorded: 2 are too few to tell." in caveat


def test_many_speakers_are_resampled_and_said_to_be(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"), n_speakers=6)
    caveat = summarise(gather_facts(Sources(runs=tmp_path))).caveats[0]
    assert "bootstrap resamples of the test speakers" in caveat
    assert "6 other speakers like these" in caveat


def test_a_random_split_is_marked(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("lenet5", "raw", split={**SPLIT, "kind": "random"}))
    assert "The split is random over clips" in summarise(gather_facts(Sources(runs=tmp_path))).caveats[-1]


def test_an_effect_is_claimed_only_when_its_interval_excludes_zero() -> None:
    assert effect_sentence(effect(0.03, 0.012, 0.05)) == (
        "With the bilateral filter: test macro-F1 is 0.030 higher on average over 2 pairs of trainings "
        "(95\u202f% interval +0.012 to +0.050, single pairs +0.020 to +0.040)."
    )
    assert "0.030 lower" in effect_sentence(effect(-0.03, -0.05, -0.012))
    assert "no difference that these 300 clips can show; \u22120.003 on average" in effect_sentence(
        effect(-0.003, -0.01, 0.004)
    )


def test_a_sweep_names_what_mattered_or_says_why_it_cannot() -> None:
    many, few = make_study("lenet5", "raw", 64), make_study("lenet5", "raw", 8)
    assert sweep_sentence(many).endswith(
        "Learning rate mattered most (71\u202f% of what the parameters explain; 57\u202f% to 77\u202f% in nine of ten trees)."
    )
    assert sweep_sentence(few).endswith("Importances need 12 trials, finished or pruned; this study has 8.")
    assert sweep_sentence(dataclasses.replace(many, importances={})).endswith("no parameter stands out from chance.")
    assert few.best is not None
    twin = dataclasses.replace(few.best, number=99, value=(few.best.value or 0) - 0.0009)
    level = dataclasses.replace(few, trials=(*few.trials, twin))
    assert f"{few.best.value:.3f}, a tie with 1 other: learning rate" in sweep_sentence(level)
    assert "a tie" not in sweep_sentence(few)
    assert sweep_sentence(dataclasses.replace(few, best=None)) == "No trial has finished: there is nothing to learn from yet."


def test_the_contest_names_its_first_and_its_ties() -> None:
    contest = make_contest_facts()
    assert contest_sentence(contest) == (
        "Los Formantes is first with macro-F1 0.943 (95\u202f% interval 0.915 to 0.964), 0.022 ahead of Mel & Friends; "
        "2 teams could be first. 1 team has not submitted."
    )
    tied = dataclasses.replace(contest.standings[1], rank=1, macro_f1=contest.standings[0].macro_f1)
    both = dataclasses.replace(contest, standings=(contest.standings[0], tied, contest.standings[2]))
    assert contest_sentence(both).startswith(
        "Los Formantes and Mel & Friends share the first rank with macro-F1 0.943, 0.041 ahead"
    )
    assert contest_sentence(dataclasses.replace(contest, standings=())) == "No team has submitted yet."


@pytest.mark.parametrize("n_sweeps", [0, 2])
def test_without_runs_the_page_says_what_it_holds(tmp_path: Path, n_sweeps: int) -> None:
    write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))
    facts = dataclasses.replace(gather_facts(Sources(runs=tmp_path)), cells=(), chosen="", contest=make_contest_facts())
    facts = dataclasses.replace(facts, sweeps=tuple(make_study("lenet5", v, 12) for v in ("raw", "bilateral")[:n_sweeps]))
    expected = "2 studies and the standings of a contest" if n_sweeps else "the standings of a contest"
    assert summarise(facts).lead == f"No finished training to compare. This page holds {expected}."


def test_an_interaction_is_what_two_give_beyond_their_sum() -> None:
    both = dataclasses.replace(effect(0.02, 0.01, 0.03), factors=("filter", "augmentation"))
    assert effect_sentence(both) == (
        "The effect of the filter is 0.020 higher with augmentation than without, on average over 2 sets of trainings "
        "(95\u202f% interval +0.010 to +0.030, single sets +0.010 to +0.030)."
    )
    level = dataclasses.replace(effect(0.02, -0.01, 0.03), factors=("filter", "augmentation"))
    assert "no interaction that these 300 clips can show; +0.020" in effect_sentence(level)


def test_an_effect_counts_the_speakers_for_whom_it_is_higher() -> None:
    speakers = tuple((f"s{k}", value) for k, value in enumerate((0.1, 0.02, -0.01, 0.0, 0.3)))
    one = effect(0.08, 0.01, 0.2)
    paired = dataclasses.replace(one.difference, speakers=speakers, interval=interval(0.01, 0.2, "speakers", 5))
    assert "; higher for 3 of 5 speakers)" in effect_sentence(dataclasses.replace(one, difference=paired))


def test_a_contest_that_compares_pairs_names_how_many_could_be_first() -> None:
    contest = make_contest_facts()
    first, second, third = contest.standings
    lines = (
        dataclasses.replace(first, could_be_first=True),
        dataclasses.replace(second, could_be_first=True),
        dataclasses.replace(third, could_be_first=False),
    )
    assert "; 2 teams could be first." in contest_sentence(dataclasses.replace(contest, standings=lines))
    clear = (lines[0], dataclasses.replace(lines[1], could_be_first=False), lines[2])
    assert "; that is more than chance explains." in contest_sentence(dataclasses.replace(contest, standings=clear))
