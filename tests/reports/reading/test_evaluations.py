"""Evaluations on the page: found among run folders, numbers as `arena eval` has them, what is missing named."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from cnn.config import TilesInfo, config_to_json, default_config
from cnn.files import write_json
from cnn.overrides import override
from cnn.runs.evaluation import evaluate
from cnn.runs.folder import RunFolder
from cnn.runs.folds import EvaluationPlan, find_evaluations
from reports.facts.base import NoteKind
from reports.facts.evaluations import EvaluationGroup
from reports.figures.evaluations import speaker_order, speaker_rows
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from reports.wording.evaluations import confused_sentence, evaluation_detail, evaluation_lead, group_caveats, group_title
from reports.wording.page_texts import english
from reports.wording.summary import summarise
from support.evaluations import CORPUS, fold_configs, write_evaluation, write_fold
from support.report_facts import LABELS, make_config, write_eight, write_run


def groups_of(runs: Path) -> tuple[EvaluationGroup, ...]:
    return gather_facts(Sources(runs=runs)).evaluations


def test_the_numbers_are_those_of_arena_eval(tmp_path: Path) -> None:
    plan = EvaluationPlan(folds="loso", models=("lenet5", "columns"), n_seeds=3)
    folders = write_evaluation(tmp_path, plan)
    (group,) = groups_of(tmp_path)
    assert (group.kind, group.n_folds, group.on, group.n_seeds) == ("loso", 6, "test", 3)
    assert [(evaluation.model, evaluation.variant, evaluation.seeds) for evaluation in group.evaluations] == [
        ("lenet5", "raw+aug", (0, 1, 2)),
        ("columns", "raw+aug", (0, 1, 2)),
    ]
    for number, evaluation in enumerate(group.evaluations):
        group_folders = folders[18 * number : 18 * (number + 1)]
        expected = evaluate([group_folders[3 * fold : 3 * fold + 3] for fold in range(6)], "test")
        assert evaluation.scores == expected
        assert (evaluation.n_missing, evaluation.has_all_folds, evaluation.recipe) == (0, True, ())


def test_two_recipes_two_corpora_and_two_kinds_of_folds_are_not_mixed(tmp_path: Path) -> None:
    write_evaluation(tmp_path, EvaluationPlan(folds="loso"))
    write_evaluation(tmp_path, EvaluationPlan(folds="loso", overrides=("train.epochs=7", "augment.shift=0")))
    write_evaluation(tmp_path, EvaluationPlan(folds="3"))
    for config in fold_configs(EvaluationPlan(folds="loso")):
        write_fold(tmp_path, dataclasses.replace(config, corpus="another"))
    groups = groups_of(tmp_path)
    assert [(group.kind, group.n_folds, len(group.evaluations)) for group in groups] == [
        ("loso", 6, 2),
        ("loso", 6, 1),
        ("folds", 3, 1),
    ]
    default = default_config(TilesInfo(corpus=CORPUS), "lenet5", "raw+aug")
    recipes = {evaluation.recipe for evaluation in groups[0].evaluations}
    assert recipes == {
        (("augment.shift", 0.0), ("train.epochs", 7)),
        (("augment.shift", default.augment.shift), ("train.epochs", default.train.epochs)),
    }
    assert len({evaluation.mean for group in groups for evaluation in group.evaluations}) > 1


def test_missing_folds_are_named_with_the_command_that_completes_them(tmp_path: Path) -> None:
    words = ("train.epochs=7", "split.seed=0", "model.dropout=0.5")
    plan = EvaluationPlan(folds="loso", models=("columns",), variants=("bilateral",), overrides=words)
    write_evaluation(tmp_path / "my runs", plan, without=2)
    facts = gather_facts(Sources(runs=tmp_path / "my runs"))
    (evaluation,) = facts.evaluations[0].evaluations
    assert (evaluation.folds, evaluation.n_folds, evaluation.n_missing, evaluation.has_all_folds) == ((0, 1, 2, 3), 6, 2, False)
    asked = f"--folds loso --model columns --variant bilateral --runs '{tmp_path}/my runs'"
    assert evaluation.command == f"arena eval {asked} model.dropout=0.5 train.epochs=7"
    (note,) = [note.text for note in facts.notes if note.kind is NoteKind.MISSING]
    assert note.startswith("The evaluation of columns on bilateral lacks 2 trainings; 4 of 6 folds are shown.")
    lead = evaluation_lead(facts.evaluations[0], english())
    assert lead == "Every speaker held out once: not finished, 4 of 6 folds of columns on bilateral so far."
    assert evaluation.command.replace("'", "&#39;") in render_report(facts).decode()


def test_the_command_asks_for_exactly_the_trainings_that_are_there(tmp_path: Path) -> None:
    plan = EvaluationPlan(folds="3", n_seeds=2, on="validation", overrides=("train.learning_rate=0.004", "split.seed=4"))
    write_evaluation(tmp_path, plan, without=1)
    (runs,) = find_evaluations(tmp_path)
    command = runs.command(Path("runs"), Path("tiles")).split()
    assert command[:6] == ["arena", "eval", "--folds", "3", "--model", "lenet5"]
    assert command[6:12] == ["--variant", "raw+aug", "--n-seeds", "2", "--split", "validation"]
    again = EvaluationPlan(folds="3", n_seeds=2, on="validation", overrides=tuple(command[12:]))
    assert {config.digest for config in fold_configs(again)} == {config.digest for config in fold_configs(plan)}


def test_a_seed_that_lacks_folds_is_left_out_of_whole_ones_and_counted(tmp_path: Path) -> None:
    plan = EvaluationPlan(folds="loso", n_seeds=2)
    configs = fold_configs(plan)
    for config in configs:
        if config.train.seed == 0 or config.split.fold < 2:
            write_fold(tmp_path, config)
    unfinished = RunFolder(tmp_path / configs[-1].digest)
    unfinished.path.mkdir()
    unfinished.write_config(config_to_json(configs[-1]))
    (evaluation,) = groups_of(tmp_path)[0].evaluations
    assert (evaluation.seeds, evaluation.folds, evaluation.n_missing, evaluation.has_all_folds) == (
        (0,),
        (0, 1, 2, 3, 4, 5),
        4,
        True,
    )


def test_the_numbers_of_the_folds_stay_theirs_where_some_are_missing(tmp_path: Path) -> None:
    for config in fold_configs(EvaluationPlan(folds="loso"))[2:]:
        folder = write_fold(tmp_path, config)
        if config.split.fold == 4:
            folder.write_predictions(LABELS, [row for row in folder.predictions() if row.truth != "7"])
    (group,) = groups_of(tmp_path)
    sentence = "Digit 7 is in none of the clips of fold 4: its macro-F1 is the mean over 9 digits."
    assert group_caveats(group, english())[-1] == sentence


def test_folds_are_no_candidates_for_the_eight_where_there_are_others(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"), finished_at="2026-01-01T00:00:00+00:00")
    variants = ("raw", "bilateral", "raw+aug", "bilateral+aug")
    write_evaluation(tmp_path, EvaluationPlan(folds="loso", models=("lenet5", "columns"), variants=variants))
    facts = gather_facts(Sources(runs=tmp_path))
    assert [run.digest for run in facts.runs] == ["a" * 16]
    assert not facts.is_one_fold
    assert not any("left out" in note.text for note in facts.notes)
    assert summarise(facts).answer[-1][1].startswith(evaluation_lead(facts.evaluations[0], english()))


def test_trainings_on_one_fold_stay_trainings_though_some_are_also_of_an_evaluation(tmp_path: Path) -> None:
    speakers = tuple(f"{n:02d}" for n in range(1, 11))
    plan = EvaluationPlan(folds="becker", models=("lenet5", "columns"), variants=("raw", "raw+aug"))
    for config in fold_configs(plan):
        if config.split.fold == 0 or config.model.name == "lenet5":
            write_fold(tmp_path, config, speakers)
    facts = gather_facts(Sources(runs=tmp_path))
    assert {(run.model, run.variant, run.config["split.fold"]) for run in facts.runs} == {
        (model, variant, 0) for model in ("lenet5", "columns") for variant in ("raw", "raw+aug")
    }
    assert [evaluation.model for group in facts.evaluations for evaluation in group.evaluations] == ["lenet5", "lenet5"]


def test_without_other_trainings_the_answer_is_what_the_folds_say(tmp_path: Path) -> None:
    write_evaluation(tmp_path, EvaluationPlan(folds="loso"))
    facts = gather_facts(Sources(runs=tmp_path))
    summary = summarise(facts)
    assert facts.is_one_fold
    assert (facts.chosen, facts.runner_up) == ("", "")
    assert summary.lead == evaluation_lead(facts.evaluations[0], english())
    assert [text for _, text in summary.answer] == [evaluation_detail(facts.evaluations[0], english())]
    assert [text.startswith("The trainings below are one fold of an evaluation") for text in summary.caveats] == [True]
    page = render_report(facts).decode()
    assert "the choice:" not in page
    assert 'class="tag">the choice' not in page
    assert "missing" not in {note.kind.value for note in facts.notes}
    assert summarise(dataclasses.replace(facts, cells=(), chosen="", is_one_fold=False)).lead == (
        "No finished training to compare. This page holds 1 evaluation."
    )


def test_trials_and_single_folds_and_renamed_runs_are_no_evaluation(tmp_path: Path) -> None:
    configs = fold_configs(EvaluationPlan(folds="loso"))
    write_fold(tmp_path / "one", configs[3])
    assert find_evaluations(tmp_path / "one") == []
    for config in configs:
        folder = write_fold(tmp_path / "trials", config)
        write_json(folder.path / "trial.json", {"study": "s", "number": 0})
    assert find_evaluations(tmp_path / "trials") == []
    for config in configs:
        folder = write_fold(tmp_path / "renamed", config)
        folder.path.rename(folder.path.with_name(folder.digest[::-1]))
    assert find_evaluations(tmp_path / "renamed") == []


def test_runs_that_keep_speakers_for_validation_are_scored_on_these(tmp_path: Path) -> None:
    write_evaluation(tmp_path, EvaluationPlan(folds="loso", on="validation"))
    (group,) = groups_of(tmp_path)
    assert group.on == "validation"
    assert group_title(group, english()) == "Every speaker held out once, scored on validation"
    assert "On 6 speakers who validate and were never trained on, lenet5" in evaluation_lead(group, english())
    assert "flattered" not in evaluation_detail(group, english())
    assert any("a little optimistic" in text for text in group_caveats(group, english()))


def test_the_highest_of_several_is_said_to_be_flattered_and_the_others_are_named(tmp_path: Path) -> None:
    write_evaluation(tmp_path, EvaluationPlan(folds="loso", models=("lenet5", "columns")))
    (group,) = groups_of(tmp_path)
    low, high = sorted(group.evaluations, key=lambda evaluation: evaluation.mean)
    pooled, interval = high.scores.pooled_macro_f1, high.scores.interval
    assert evaluation_lead(group, english()) == (
        f"On 6 speakers never heard in training, columns on raw + aug reaches a mean macro-F1 of {high.mean:.3f} over 6 folds; "
        f"the worst speaker, {high.worst.speaker}, has {high.worst.macro_f1:.3f}."
    )
    assert evaluation_detail(group, english()) == (
        f"Of all clips together it is {pooled:.3f}, with a 95\u202f% interval of {interval.low:.3f} to {interval.high:.3f}. "
        "It is the highest of 2, picked by these very scores and so a little flattered; "
        f"lenet5 on raw + aug has {low.mean:.3f}."
    )
    most = max(high.scores.confused, key=lambda evaluation: evaluation.n)
    assert f"takes most often {most.truth} for {most.predicted} (" in confused_sentence(group, english())
    assert "One seed each" in " ".join(group_caveats(group, english()))


def test_of_many_speakers_the_picture_names_the_worst_and_sums_up_the_rest(tmp_path: Path) -> None:
    speakers = tuple(f"{n:02d}" for n in range(1, 61))
    write_evaluation(tmp_path, EvaluationPlan(folds="10", models=("lenet5", "columns")), speakers=speakers)
    (group,) = groups_of(tmp_path)
    order = speaker_order(group)
    rows = speaker_rows(group.evaluations, order, english())
    assert [row.label for row in rows] == [*order[:12], "48 others"]
    scores = {evaluation.speaker: evaluation.macro_f1 for evaluation in group.evaluations[0].scores.speakers}
    rest = sorted(scores[name] for name in order[12:])
    assert rows[-1].dots[0] == pytest.approx((np.median(rest), rest[0], rest[-1]))
    assert rows[0].dots[0] == pytest.approx((scores[order[0]],) * 3)
    assert "of the others the median, the worst and the best" in render_report(gather_facts(Sources(runs=tmp_path))).decode()


def test_a_damaged_fold_leaves_out_its_evaluation_alone(tmp_path: Path) -> None:
    write_eight(tmp_path)
    folders = write_evaluation(tmp_path, EvaluationPlan(folds="loso", models=("lenet5", "columns")))
    folders[0].write_predictions(LABELS, [dataclasses.replace(folders[0].predictions()[-1], label="ten")])
    facts = gather_facts(Sources(runs=tmp_path))
    assert [evaluation.model for evaluation in facts.evaluations[0].evaluations] == ["columns"]
    (note,) = [note.text for note in facts.notes if note.kind is NoteKind.ERROR]
    assert note.startswith("the evaluation of lenet5 on raw + aug cannot be read: ")


def test_a_page_without_evaluations_says_how_to_make_one(tmp_path: Path) -> None:
    write_eight(tmp_path)
    assert "No evaluation was found." in render_report(gather_facts(Sources(runs=tmp_path))).decode()


def test_validation_of_heard_voices_is_said_to_choose_nothing(tmp_path: Path) -> None:
    split = {"kind": "speaker", "fold": 0, "seed": 0, "validation": "takes", "test_speakers": [], "val_speakers": []}
    for digest, model in (("a" * 16, "lenet5"), ("b" * 16, "columns")):
        write_run(tmp_path, digest, make_config(model, "raw", split=split))
    facts = gather_facts(Sources(runs=tmp_path))
    summary = summarise(facts)
    assert summary.lead.startswith("Model B: columns on raw scores highest on new clips of voices it knows, which says nothing")
    assert "validation clips, of voices heard in training, is the highest of 2 trainings" in summary.answer[0][1]
    assert any("it chose no epoch (the last one was kept)" in text for text in summary.caveats)
    page = re.sub(r"\s+", " ", render_report(facts).decode())
    assert "Kept: the last epoch" in page
    assert "best validation macro-F1" not in page
    assert "Validation chooses" not in page


def test_plain_validation_is_said_to_choose(tmp_path: Path) -> None:
    write_eight(tmp_path)
    page = render_report(gather_facts(Sources(runs=tmp_path))).decode()
    assert "Kept: the epoch with the best validation macro-F1" in page
    assert "heard in training" not in page.replace("never heard in training", "")


def test_a_plugin_keeps_its_source_and_its_path(tmp_path: Path) -> None:
    net = tmp_path / "net.py"
    net.write_text("import torch\nclass Mine(torch.nn.Module):\n    pass\n")
    configs = [
        override(config, ("train.epochs=3",)) for config in fold_configs(EvaluationPlan(folds="3", models=(f"{net}:Mine",)))
    ]
    for config in configs[:2]:
        write_fold(tmp_path / "runs", config)
    net.unlink()
    (runs,) = find_evaluations(tmp_path / "runs")
    assert (
        runs.command(Path("runs"), Path("tiles")) == f"arena eval --folds 3 --model {net}:Mine --variant raw+aug train.epochs=3"
    )
