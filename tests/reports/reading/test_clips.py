"""Mistakes, doubted labels and groups of speakers, against plain counting over predictions.csv."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnn.files import write_json
from cnn.runs.folder import Prediction
from reports.analysis.groups import group_clips
from reports.analysis.mistakes import Vote, find_doubtful_labels, rank_mistakes
from reports.facts.report import ReportFacts
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from reports.reading.run import read_run
from support import sklearn_reference as reference
from support.report_facts import LABELS, make_config, tone_wav, write_eight, write_run, write_tiles


def answer(truth: int, predicted: int, p: float, split: str = "test") -> Vote:
    """With probability `p` on the prediction and what is left on the truth."""
    probabilities = [0.0] * 10
    probabilities[truth] += 1 - p
    probabilities[predicted] += p
    return Vote(truth=truth, predicted=predicted, probabilities=tuple(probabilities), speaker="s", split=split)


def test_mistakes_come_the_surest_first_and_two_of_a_kind_at_most() -> None:
    run = {f"a{n}": answer(1, 8, 0.6 + n / 100) for n in range(5)}
    run |= {"b": answer(2, 3, 0.99), "right": answer(4, 4, 1.0), "other split": answer(5, 6, 1.0, "val")}
    result = rank_mistakes(run, [run, {"b": answer(2, 2, 0.9)}], LABELS)
    assert [(mistake.id, mistake.truth, mistake.predicted) for mistake in result] == [
        ("b", "2", "3"),
        ("a4", "1", "8"),
        ("a3", "1", "8"),
    ]
    assert (result[0].n_wrong, result[0].n_votes, result[1].n_votes) == (1, 2, 1)
    assert result[0].probabilities[0] == ("3", 0.99)


def test_validation_mistakes_stand_in_where_there_is_no_test() -> None:
    run = {"a": answer(1, 8, 0.9, "val")}
    assert [mistake.split for mistake in rank_mistakes(run, [run], LABELS)] == ["val"]


@pytest.mark.parametrize(
    ("answers", "is_doubted"),
    [
        ([answer(1, 7, 0.9)] * 4, True),
        ([answer(1, 7, 0.95)] * 3 + [answer(1, 1, 1.0)], True),
        ([answer(1, 7, 0.95)] * 2 + [answer(1, 1, 1.0)] * 2, False),  # half of them
        ([answer(1, 7, 0.6)] * 4, False),  # not sure
        ([answer(1, 7, 0.9)] * 2, False),  # two trainings
        ([answer(1, 7, 0.9), answer(1, 8, 0.9), answer(1, 9, 0.9), answer(1, 6, 0.9)], False),  # they disagree
        ([answer(1, 1, 0.9)] * 4, False),
    ],
)
def test_a_label_is_doubted_when_most_are_sure_of_the_same_other(answers: list[Vote], is_doubted: bool) -> None:
    result = find_doubtful_labels([{"clip": mistake} for mistake in answers], LABELS)
    assert bool(result) == is_doubted
    if result:
        assert (result[0].label, result[0].predicted, result[0].n_votes) == ("1", "7", len(answers))


def test_half_of_the_trainings_are_not_most_however_sure_they_are() -> None:
    torn = Vote(truth=1, predicted=8, probabilities=(0, 0.05, 0, 0, 0, 0, 0, 0.45, 0.5, 0), speaker="s", split="test")
    votes = [answer(1, 7, 1.0)] * 2 + [torn] * 2  # 0.725 for the 7 on average
    assert find_doubtful_labels([{"clip": mistake} for mistake in votes], LABELS) == ()
    assert len(find_doubtful_labels([{"clip": mistake} for mistake in (answer(1, 7, 1.0), *votes[:3])], LABELS)) == 1


def facts_with_tiles(world: Path) -> ReportFacts:
    eight = write_eight(world / "runs", n_speakers=6)
    clips = sorted({row.id for row in eight[0].predictions()})
    write_tiles(world / "tiles", eight[0].config(), clips, tone_wav())
    return gather_facts(Sources(runs=world / "runs", tiles=world / "tiles"))


def test_groups_equal_those_that_pandas_and_scikit_learn_count(tmp_path: Path) -> None:
    facts = facts_with_tiles(tmp_path)
    assert facts.main_run is not None
    table = pd.read_csv(tmp_path / "runs" / facts.chosen / "predictions.csv", dtype=str)
    table = table[table["split"] == "test"]
    kinds = {grouping.kind: grouping for grouping in facts.groupings}
    assert list(kinds) == ["speaker", "age", "gender", "accent"]
    result = {group.name: group for group in kinds["speaker"].groups}
    for name, rows in table.groupby("speaker"):
        assert result[name].n_clips == len(rows)
        assert result[name].accuracy == pytest.approx(reference.accuracy_score(rows["truth"], rows["label"]))
        expected = reference.f1_score(rows["truth"], rows["label"], labels=LABELS, average="macro", zero_division=0)
        assert result[name].macro_f1 == pytest.approx(expected)
    assert [group.name for group in kinds["age"].groups] == ["20\u201329", "30\u201339"]
    assert sum(group.n_clips for group in kinds["gender"].groups) + kinds["gender"].n_unknown == len(table)
    scores = [group.macro_f1 for group in kinds["speaker"].groups]
    assert scores == sorted(scores)


def test_a_digit_that_a_draw_misses_counts_0_there_even_in_a_group_that_is_always_right(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"), n_takes=2)  # most draws miss a digit
    rows = [dataclasses.replace(row, label=row.truth) for row in folder.predictions()]
    folder.write_predictions(LABELS, rows)
    clips = read_run(folder).test
    assert clips is not None
    (speakers,) = group_clips(clips, {})
    intervals = [(group.macro_f1, group.interval and (group.interval.low, group.interval.high)) for group in speakers.groups]
    assert intervals == [(1.0, (0.7, 1.0))] * 2


def test_few_clips_have_no_interval_and_a_digit_nobody_says_does_not_count(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"), n_takes=4)
    kept = [row for row in folder.predictions() if row.speaker != "theo" or row.truth in "12"]
    folder.write_predictions(LABELS, kept)
    clips = read_run(folder).test
    assert clips is not None
    theo = next(group for group in group_clips(clips, {})[0].groups if group.name == "theo")
    rows = [row for row in kept if row.speaker == "theo" and row.split == "test"]
    truth, label = [row.truth for row in rows], [row.label for row in rows]
    assert theo.interval is None
    assert theo.macro_f1 == pytest.approx(reference.f1_score(truth, label, labels=["1", "2"], average="macro", zero_division=0))


def test_the_page_carries_each_clip_once_to_see_and_hear(tmp_path: Path) -> None:
    facts = facts_with_tiles(tmp_path)
    page = render_report(facts).decode()
    listed = {mistake.id for mistake in (*facts.mistakes, *facts.doubts)}
    assert set(facts.media) == listed
    assert page.count("<audio controls") == len(facts.mistakes) + len(facts.doubts) == page.count('alt="Spectrogram') // 2
    assert len(page) < 2_000_000


def test_without_tiles_or_recordings_the_page_says_so(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "runs", "a" * 16, make_config("lenet5", "raw"))
    write_tiles(tmp_path / "tiles", folder.config(), sorted({row.id for row in folder.predictions()}), tone_wav())
    facts = gather_facts(Sources(runs=tmp_path / "runs", tiles=tmp_path / "tiles"))
    without = gather_facts(Sources(runs=tmp_path / "runs", tiles=tmp_path / "nowhere"))
    assert "There are no tiles of corpus 0f3c5a1d2b4e6f70 here" in render_report(without).decode()
    assert [grouping.kind for grouping in without.groupings] == ["speaker"]
    for recording in (tmp_path / "corpus").iterdir():
        recording.unlink()
    silent = gather_facts(Sources(runs=tmp_path / "runs", tiles=tmp_path / "tiles"))
    assert "hence no sound" in render_report(silent).decode()
    assert "hence no sound" not in render_report(facts).decode()


def test_a_page_with_public_recordings_has_their_citation_and_licence(tmp_path: Path) -> None:
    facts = facts_with_tiles(tmp_path)
    assert facts.sources == ()
    about = {"citation": "Z. Jackson and others: FSDD", "licence": "CC BY-SA 4.0", "licence_url": "https://example.org/by-sa"}
    write_json(tmp_path / "corpus" / "SOURCE.json", {"title": "FSDD", **about})
    cited = gather_facts(Sources(runs=tmp_path / "runs", tiles=tmp_path / "tiles"))
    line = "Z. Jackson and others: FSDD; licence: CC BY-SA 4.0, https://example.org/by-sa"
    assert [line in render_report(page).decode() for page in (facts, cited)] == [False, True]


def test_probabilities_of_another_length_are_damage(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))
    rows = folder.predictions()
    odd = Prediction(id="x", label="1", probabilities=(1.0,), truth="1", speaker="s", split="test")
    folder.write_predictions(LABELS, [*rows, odd])
    facts_of_others = write_run(tmp_path, "b" * 16, make_config("columns", "raw"))
    result = gather_facts(Sources(runs=tmp_path))
    assert [run.digest for run in result.runs] == [facts_of_others.digest]
    assert np.isfinite([run.test.macro_f1 for run in result.runs if run.test]).all()
    assert any("a" * 16 in note.text for note in result.notes)
