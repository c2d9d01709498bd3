"""A study's folder: names, going on, and what may not change."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from support.studies import BAYES, make_study
from sweeps.errors import StudyError
from sweeps.study.folder import StudyFolder, check_name, create_or_continue, list_names
from sweeps.study.paths import hold_paths
from sweeps.sweepfile.settings import SweepSettings


def refused(call: object, *arguments: object) -> str:
    assert callable(call)
    with pytest.raises(StudyError) as caught:
        call(*arguments)
    return str(caught.value)


def test_a_study_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=7, seed=3, name="lenet5.raw+aug")
    spec = folder.read_spec()
    assert (spec.name, spec.model, spec.variant, spec.budget, spec.seed) == ("lenet5.raw+aug", "lenet5", "raw", 7, 3)
    assert spec.sweep.text == BAYES
    assert list_names(tmp_path) == ["lenet5.raw+aug"]


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a..b", "-x", "a b", "x" * 101, "é"])
def test_names_that_could_not_be_folders_are_refused(name: str) -> None:
    rule = "a study's name begins with a letter or digit and goes on with those and . _ + -, up to 100"
    assert refused(check_name, name) == f"{rule}, unlike {name!r}"


def test_an_unknown_study_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    assert refused(StudyFolder(tmp_path / "x").read_spec) == f"no study 'x' in {tmp_path}; `arena sweep run` makes one"
    make_study(tmp_path)
    assert refused(StudyFolder(tmp_path / "lenet.raw").read_spec) == (
        f"no study 'lenet.raw' in {tmp_path}; did you mean 'lenet5.raw'?"
    )


def test_a_study_goes_on_with_the_same_file_whatever_it_is_called_and_with_another_budget(tmp_path: Path) -> None:
    make_study(tmp_path, budget=4)
    spec = dataclasses.replace(StudyFolder(tmp_path / "lenet5.raw").read_spec(), budget=9, runs=Path("/elsewhere"))
    folder, note = create_or_continue(tmp_path, spec)
    assert note == "study lenet5.raw goes on, its budget now 9 instead of 4"
    assert (folder.read_spec().budget, folder.read_spec().runs) == (9, Path("/elsewhere"))
    assert create_or_continue(tmp_path, dataclasses.replace(spec, budget=2), keep_budget=True)[1] == "study lenet5.raw goes on"
    assert folder.read_spec().budget == 9


def test_paths_stay_while_they_are_held_and_all_else_may_change(tmp_path: Path) -> None:
    folder = make_study(tmp_path)
    spec = dataclasses.replace(folder.read_spec(), budget=9)
    moved = dataclasses.replace(spec, runs=Path("/elsewhere"))
    with hold_paths([folder.path]), hold_paths([folder.path]):
        assert refused(create_or_continue, tmp_path, moved) == (
            f"agents of study 'lenet5.raw' are at work here with --runs {spec.runs}, not --runs /elsewhere; "
            "give the same, or end them first"
        )
        create_or_continue(tmp_path, spec)
    create_or_continue(tmp_path, moved)
    assert (folder.read_spec().budget, folder.read_spec().runs) == (9, Path("/elsewhere"))


def test_another_search_under_the_same_name_is_refused(tmp_path: Path) -> None:
    make_study(tmp_path)
    fix = "choose another --name"
    text = BAYES.replace("0.001", "0.002")
    assert refused(make_study, tmp_path, text) == f"study 'lenet5.raw' exists with another sweep file; {fix}"
    spec = StudyFolder(tmp_path / "lenet5.raw").read_spec()
    base = {**spec.base, "train": {**spec.base["train"], "epochs": 3}}
    changed = dataclasses.replace(spec, base=base)
    message = f"study 'lenet5.raw' exists with another train.epochs (20, not 3); {fix}"
    assert refused(create_or_continue, tmp_path, changed) == message
    changed = dataclasses.replace(spec, sweep=dataclasses.replace(spec.sweep, settings=SweepSettings(folds=3, paired=True)))
    message = f"study 'lenet5.raw' exists with another folds (1, not 3); {fix}"
    assert refused(create_or_continue, tmp_path, changed) == message
    (tmp_path / "lenet5.raw" / "study.json").write_text(
        (tmp_path / "lenet5.raw" / "study.json").read_text().replace('"format": 4', '"format": 3')
    )
    difference = "format of tiles (format 3, not 4, which takes a constant offset out of the sound)"
    assert refused(create_or_continue, tmp_path, spec) == f"study 'lenet5.raw' exists with another {difference}; {fix}"
    (tmp_path / "lenet5.raw" / "study.json").write_text(
        (tmp_path / "lenet5.raw" / "study.json").read_text().replace('"format": 3', '"format": 4')
    )
    changed = dataclasses.replace(spec, seed=1)
    assert refused(create_or_continue, tmp_path, changed) == f"study 'lenet5.raw' exists with another seed (0, not 1); {fix}"


def test_a_damaged_study_is_named(tmp_path: Path) -> None:
    folder = make_study(tmp_path)
    (folder.path / "study.json").write_text('{"sweep": 3}')
    assert refused(folder.read_spec) == (
        f"{folder.path / 'study.json'} is damaged (KeyError('file')); delete {folder.path} and run the sweep again"
    )
    (folder.path / "study.json").write_text('{"sweep"')
    assert refused(folder.read_spec).startswith(f"{folder.path / 'study.json'} cannot be read: ")


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    expected = f"cannot write {blocked / 'lenet5.raw'}: Not a directory; choose another folder with --studies"
    assert refused(make_study, blocked) == expected
