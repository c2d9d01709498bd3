"""Every number that reports takes from run folders, against scikit-learn and the files themselves."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from cnn.config import VARIANTS
from cnn.files import write_json
from cnn.runs.folder import RunFolder, RunResult, RunState, list_runs
from reports.errors import NothingToReport, SourceError
from reports.facts.base import NoteKind
from reports.facts.report import ReportFacts
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from reports.reading.selection import select_runs
from reports.wording.summary import summarise
from support import sklearn_reference as reference
from support.report_facts import LABELS, make_config, write_eight, write_run


def as_trials(runs: Path, *digests: str) -> None:
    for digest in digests:
        write_json(runs / digest / "trial.json", {"study": "lenet5.raw", "number": 0})


def texts(facts: ReportFacts, kind: NoteKind) -> list[str]:
    return [note.text for note in facts.notes if note.kind is kind]


def test_validation_and_test_scores_equal_those_of_scikit_learn(tmp_path: Path) -> None:
    write_eight(tmp_path)
    facts = gather_facts(Sources(runs=tmp_path))
    assert len(facts.runs) == 8
    for run in facts.runs:
        rows = RunFolder(tmp_path / run.digest).predictions()
        for split in ("val", "test"):
            truth = [row.truth for row in rows if row.split == split]
            label = [row.label for row in rows if row.split == split]
            score = run.splits[split]
            assert score.n == len(truth)
            assert score.macro_f1 == pytest.approx(
                reference.f1_score(truth, label, labels=LABELS, average="macro", zero_division=0), abs=1e-12
            )
            assert score.f1 == pytest.approx(
                reference.f1_score(truth, label, labels=LABELS, average=None, zero_division=0).tolist()
            )
            assert score.accuracy == pytest.approx(reference.accuracy_score(truth, label), abs=1e-12)
            assert [list(row) for row in score.confusion] == reference.confusion_matrix(truth, label, labels=LABELS).tolist()


def test_a_sound_set_of_eight_gives_no_notes_and_chooses_by_validation(tmp_path: Path) -> None:
    write_eight(tmp_path)
    facts = gather_facts(Sources(runs=tmp_path))
    assert facts.notes == ()
    by_val = sorted((run for run in facts.runs if run.val), key=lambda run: -(run.val.macro_f1 if run.val else 0))
    assert (facts.chosen, facts.runner_up) == (by_val[0].digest, by_val[1].digest)


def test_equal_validation_scores_are_decided_by_the_lower_validation_loss(tmp_path: Path) -> None:
    for digest, model, loss in (("a" * 16, "lenet5", 0.5), ("b" * 16, "columns", 0.2)):
        folder = write_run(tmp_path, digest, make_config(model, "raw+aug"))
        write_run_again = RunFolder(tmp_path / ("a" * 16)).predictions()
        folder.write_predictions(LABELS, write_run_again)
        result = json.loads((folder.path / "result.json").read_text())
        scores = json.loads((tmp_path / ("a" * 16) / "result.json").read_text())["scores"]
        result["scores"] = {**scores, "val": {**scores["val"], "loss": loss}}
        (folder.path / "result.json").write_text(json.dumps(result))
    assert gather_facts(Sources(runs=tmp_path)).chosen == "b" * 16


def test_a_result_that_contradicts_its_predictions_is_an_error_that_names_the_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))
    result = json.loads((folder.path / "result.json").read_text())
    honest = result["scores"]["test"]["macro_f1"]
    result["scores"]["test"]["macro_f1"] = 0.999
    (folder.path / "result.json").write_text(json.dumps(result))
    facts = gather_facts(Sources(runs=tmp_path))
    assert len(texts(facts, NoteKind.ERROR)) == 1
    assert "a" * 16 in texts(facts, NoteKind.ERROR)[0]
    assert "test macro-f1: 0.999000 stated" in texts(facts, NoteKind.ERROR)[0]
    assert facts.runs[0].test is not None
    assert facts.runs[0].test.macro_f1 == pytest.approx(honest)


def test_gap_is_train_minus_validation_of_the_kept_weights(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))
    run = gather_facts(Sources(runs=tmp_path)).runs[0]
    assert run.val is not None
    assert run.gap == pytest.approx(0.99 - run.val.macro_f1)


def test_missing_trainings_stand_in_the_table_and_in_a_note(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("columns", "raw"))
    facts = gather_facts(Sources(runs=tmp_path))
    assert [(cell.model, cell.variant) for cell in facts.cells if cell.run] == [("columns", "raw")]
    assert len(facts.cells) == 8
    assert "7 trainings of 8 are missing: lenet5 on raw;" in texts(facts, NoteKind.MISSING)[0]


def test_runs_of_the_former_model_b_are_asked_for_beside_its_own(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("resnet", "raw"))
    facts = gather_facts(Sources(runs=tmp_path))
    assert facts.models == ("lenet5", "resnet")
    assert "arena train --all --model lenet5 --model resnet" in texts(facts, NoteKind.MISSING)[0]


def test_a_short_try_of_one_variant_takes_no_place_beside_full_trainings_of_the_others(tmp_path: Path) -> None:
    write_eight(tmp_path)
    later = "2026-11-22T00:00:00+00:00"
    for number, variant in enumerate(VARIANTS):
        write_run(tmp_path, f"f{number}" * 8, make_config("lenet5", variant, train__epochs=5), finished_at=later)
        facts = gather_facts(Sources(runs=tmp_path))
        shown = {cell.run.digest for cell in facts.cells if cell.run and cell.model == "lenet5"}
        is_full = number == len(VARIANTS) - 1  # the short set covers as many variants, and is the newest
        assert shown == {(f"f{n}" * 8 if is_full else f"{0xA1 + n:016x}") for n in range(4)}
        n_passed = 4 if is_full else number + 1
        (note,) = texts(facts, NoteKind.REMARK)
        assert note.startswith(f"{n_passed} further run{'s' * (n_passed > 1)} of the same models and variants left out: ")


def test_a_net_whose_name_is_none_of_a_class_is_left_out_with_the_reason(tmp_path: Path) -> None:
    write_eight(tmp_path)
    write_run(tmp_path, "f" * 16, make_config("nets.py:<img src=x>", "raw"))
    facts = gather_facts(Sources(runs=tmp_path))
    assert len(facts.runs) == 8
    assert "is damaged: its net is called '<img src=x>'; delete the folder" in texts(facts, NoteKind.ERROR)[0]


def test_runs_on_another_split_are_not_compared(tmp_path: Path) -> None:
    write_eight(tmp_path)
    write_run(tmp_path, "f" * 16, make_config("lenet5", "raw", split__seed=3), finished_at="2027-01-01T00:00:00+00:00")
    facts = gather_facts(Sources(runs=tmp_path))
    assert "f" * 16 not in [run.digest for run in facts.runs]
    assert "1 run on another corpus, tiles or split left out" in texts(facts, NoteKind.REMARK)[0]


def test_trials_of_a_study_give_way_to_trainings_of_their_own(tmp_path: Path) -> None:
    write_eight(tmp_path)
    write_run(tmp_path, "f" * 16, make_config("lenet5", "raw", train__seed=7), finished_at="2027-01-01T00:00:00+00:00")
    as_trials(tmp_path, "f" * 16)
    assert select_runs(tmp_path, ()).folders["lenet5", "raw"].digest == f"{0xA1:016x}"


def test_a_place_without_a_training_of_its_own_shows_a_trial_and_says_so(tmp_path: Path) -> None:
    write_eight(tmp_path)
    digest = f"{0xA1:016x}"
    as_trials(tmp_path, digest)
    selection = select_runs(tmp_path, ())
    assert selection.folders["lenet5", "raw"].digest == digest
    command = f"`arena train --config {tmp_path / digest / 'config.json'}`"
    text = "lenet5 on raw is a study's trial, which sees no test clip: no training of its own was found. "
    assert [note.text for note in selection.notes] == [f"{text}{command} adds its test part."]
    facts = gather_facts(Sources(runs=tmp_path, named_runs=(tmp_path / digest,)))
    assert summarise(facts).lead.endswith("It is a study's trial, which sees no test clip until it is chosen.")


def test_only_trials_are_better_than_nothing(tmp_path: Path) -> None:
    digests = {folder.digest for folder in write_eight(tmp_path)}
    as_trials(tmp_path, *digests)
    selection = select_runs(tmp_path, ())
    assert {folder.digest for folder in selection.folders.values()} == digests
    assert "are trials of studies" in selection.notes[0].text


def test_of_trials_those_with_settings_common_to_all_variants_are_shown(tmp_path: Path) -> None:
    digests = {folder.digest for folder in write_eight(tmp_path)}
    write_run(
        tmp_path, "f" * 16, make_config("lenet5", "raw", train__learning_rate=0.04), finished_at="2027-01-01T00:00:00+00:00"
    )
    as_trials(tmp_path, *digests, "f" * 16)
    selection = select_runs(tmp_path, ())
    assert {folder.digest for folder in selection.folders.values()} == digests


def test_of_trials_with_settings_of_their_own_the_best_by_validation_is_shown(tmp_path: Path) -> None:
    scores = {}
    for seed in range(4):
        digest = f"{seed + 1:x}" * 16
        config = make_config("lenet5", "raw", train__learning_rate=0.01 * (seed + 1))
        result = write_run(tmp_path, digest, config, seed=seed, finished_at=f"2027-01-0{seed + 1}T00:00:00+00:00").result()
        assert result is not None
        scores[digest] = result.scores["val"].macro_f1
    as_trials(tmp_path, *scores)
    best = max(scores, key=scores.__getitem__)
    assert best != list(scores)[-1]  # not just the newest
    assert select_runs(tmp_path, ()).folders["lenet5", "raw"].digest == best


def test_unfinished_and_damaged_runs_are_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))
    unfinished = RunFolder(tmp_path / ("b" * 16))
    unfinished.path.mkdir()
    unfinished.write_config(make_config("columns", "raw"))
    damaged = write_run(tmp_path, "c" * 16, make_config("columns", "bilateral"))
    (damaged.path / "result.json").write_text("{")
    halved = write_run(tmp_path, "d" * 16, make_config("columns", "raw+aug"))
    (halved.path / "predictions.csv").unlink()
    facts = gather_facts(Sources(runs=tmp_path))
    assert [run.digest for run in facts.runs] == ["a" * 16]
    assert [digest * 16 in text for digest, text in zip("cd", texts(facts, NoteKind.ERROR), strict=True)] == [True, True]
    assert "1 unfinished run left out; `arena train` takes one up again." in texts(facts, NoteKind.REMARK)


@pytest.mark.parametrize("line", ["x.wav,7", "x.wav,12,1,0,0,0,0,0,0,0,0,0,3,theo,test", ",,,"])
def test_a_damaged_line_of_predictions_names_the_run(tmp_path: Path, line: str) -> None:
    folder = write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))
    with (folder.path / "predictions.csv").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(SourceError, match=rf"{folder.path} is damaged: .*; delete the folder and train it again"):
        gather_facts(Sources(named_runs=(folder.path,)))


def test_named_runs_are_compared_alone(tmp_path: Path) -> None:
    folders = write_eight(tmp_path)
    facts = gather_facts(Sources(runs=tmp_path, named_runs=(folders[1].path, folders[6].path)))
    assert [run.digest for run in facts.runs] == [folders[1].digest, folders[6].digest]


def test_runs_are_named_by_how_their_digest_begins(tmp_path: Path) -> None:
    for digest, variant in (("ab" * 8, "raw"), ("ac" * 8, "bilateral"), ("ba" * 8, "raw+aug")):
        write_run(tmp_path, digest, make_config("lenet5", variant))
    facts = gather_facts(Sources(runs=tmp_path, named_runs=(Path("b"), Path("ab"))))
    assert [run.digest for run in facts.runs] == ["ab" * 8, "ba" * 8]
    with pytest.raises(SourceError, match=r"^'a' names 2 runs: (ab){8} \(lenet5.raw, finished\), (ac){8} \("):
        gather_facts(Sources(runs=tmp_path, named_runs=(Path("a"),)))


def test_a_named_run_that_cannot_be_shown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no run folder"):
        gather_facts(Sources(named_runs=(tmp_path,)))
    folder = write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))
    folder.write_result(RunResult(state=RunState.PRUNED))
    with pytest.raises(SourceError, match="is pruned, not finished"):
        gather_facts(Sources(named_runs=(folder.path,)))


def test_nothing_at_all_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingToReport, match=r"no finished run in .*empty; train with `arena train --all`"):
        gather_facts(Sources(runs=tmp_path / "empty"))


def test_settings_are_told_apart_and_augmentation_counts_only_where_it_is_used(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("lenet5", "raw", train__learning_rate=0.01))
    write_run(tmp_path, "b" * 16, make_config("lenet5", "raw+aug", augment__shift=9))
    facts = gather_facts(Sources(runs=tmp_path))
    assert {row.key: row.values for row in facts.differing_settings} == {"train.learning_rate": (0.01, 0.002)}
    same = {row.key: row.values for row in facts.same_settings}
    assert same["augment.shift"] == (9,)
    assert same["train.batch_size"] == (64,)
    assert "variant" not in same


def test_a_run_of_an_older_version_is_shown_without_a_command(tmp_path: Path) -> None:
    config = make_config("lenet5", "raw", model__halos=3)
    del config["train"]["schedule"]
    folder = write_run(tmp_path, "a" * 16, config)
    result = json.loads((folder.path / "result.json").read_text())
    for key in ("n_multiply_adds", "speakers", "verdict", "n_threads", "wandb_url"):
        del result[key]
    (folder.path / "result.json").write_text(json.dumps({**result, "mood": "fine"}))
    facts = gather_facts(Sources(runs=tmp_path))
    assert [(run.digest, run.command, run.verdict) for run in facts.runs] == [("a" * 16, "", "")]
    page = render_report(facts).decode()
    assert "no verdict" in page
    assert "no command gives this one again" in page


def test_runs_tested_on_other_clips_are_not_paired(tmp_path: Path) -> None:
    write_run(tmp_path, "a" * 16, make_config("columns", "raw+aug"))
    write_run(tmp_path, "b" * 16, make_config("lenet5", "bilateral"), n_takes=9)
    facts = gather_facts(Sources(runs=tmp_path))
    rival = next(run for run in facts.runs if run.digest != facts.chosen)
    assert rival.behind_choice is None
    assert rival.interval is not None
    assert f"run {rival.digest} was tested on other clips" in texts(facts, NoteKind.REMARK)[0]


def test_a_run_without_test_clips_is_shown_with_its_validation(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))
    result = folder.result()
    assert result is not None
    folder.write_predictions(LABELS, [row for row in folder.predictions() if row.split == "val"])
    folder.write_result(dataclasses.replace(result, scores={k: v for k, v in result.scores.items() if k != "test"}))
    facts = gather_facts(Sources(runs=tmp_path))
    assert facts.chosen == "a" * 16
    assert facts.runs[0].test is None
    assert facts.runs[0].interval is None
    assert facts.effects == ()


def test_the_eight_can_be_listed(tmp_path: Path) -> None:
    assert [folder.digest for folder in write_eight(tmp_path)] == [folder.digest for folder in list_runs(tmp_path)]
