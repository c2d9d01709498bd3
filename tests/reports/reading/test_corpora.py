"""Trainings on several corpora: the page says which is tested, and scores by corpus where several are."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from cnn.runs.folder import RunFolder
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from support.report_facts import LABELS, make_config, write_run, write_tiles


def write_trained(runs: Path, corpus_of: dict[str, str], split: dict[str, Any]) -> RunFolder:
    """Write a run whose speakers are of corpora."""
    config = make_config("lenet5", "raw", data={"corpora": ["fsdd", "mine"]})
    folder = write_run(runs, "a" * 16, {**config, "split": {**config["split"], **split}}, n_speakers=4)
    rows = [dataclasses.replace(row, speaker=f"{corpus_of[row.speaker]}/{row.speaker}") for row in folder.predictions()]
    folder.write_predictions(LABELS, rows)
    return folder


ALONE = dict.fromkeys(("theo", "yweweler", "jackson", "lucas", "george"), "fsdd")


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("en", "Of the corpora fsdd and mine, fsdd alone validates and tests; the others only train."),
        ("es", "De los corpus fsdd y mine, solo fsdd valida y prueba; los demás solo entrenan."),
    ],
)
def test_the_page_says_which_corpus_is_tested(lang: str, sentence: str, tmp_path: Path) -> None:
    write_trained(tmp_path, ALONE, {"test_corpus": "fsdd"})
    facts = gather_facts(Sources(runs=tmp_path, lang=lang))
    assert [grouping.kind for grouping in facts.groupings] == ["speaker"]
    assert sentence in render_report(facts).decode()


def test_scores_stand_by_corpus_where_named_speakers_of_several_are_tested(tmp_path: Path) -> None:
    named = {"test_speakers": ["fsdd/theo"], "val_speakers": ["fsdd/george"]}
    folder = write_trained(tmp_path, {**ALONE, "jackson": "mine"}, named)
    facts = gather_facts(Sources(runs=tmp_path))
    by_corpus, by_speaker = facts.groupings
    assert (by_corpus.kind, by_speaker.kind) == ("corpus", "speaker")
    groups = {group.name: group for group in by_corpus.groups}
    assert {name: (group.n_speakers, group.n_clips) for name, group in groups.items()} == {"fsdd": (3, 450), "mine": (1, 150)}
    rows = [row for row in folder.predictions() if row.split == "test" and row.speaker == "mine/jackson"]
    assert groups["mine"].accuracy == pytest.approx(sum(row.label == row.truth for row in rows) / len(rows))
    page = render_report(facts).decode()
    assert "The test speakers were named; they are of fsdd and mine." in page
    assert "By corpus" in page
    assert "Age, gender and accent are not known of these speakers." in page


@pytest.mark.parametrize(("single", "is_apart"), [("mine/zoe", False), ("fsdd/zoe", True)])
def test_who_says_one_digit_alone_is_doubted_within_the_corpus(single: str, is_apart: bool, tmp_path: Path) -> None:
    run = write_trained(tmp_path / "runs", ALONE, {"test_corpus": "fsdd"})
    speakers = {"train": ["mine/zoe", "mine/yan"], "val": ["fsdd/george"], "test": ["fsdd/theo"]}
    run.update_result(speakers=speakers)
    write_tiles(tmp_path / "tiles", run.config(), ["0_theo_0"], single_digit=[single], n_speakers=7)
    notes = [note.text for note in gather_facts(Sources(runs=tmp_path / "runs", tiles=tmp_path / "tiles")).notes]
    assert any("one digit alone" in note for note in notes)
    assert any("the scores are too good" in note for note in notes) == is_apart
