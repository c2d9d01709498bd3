"""One way to name a run, for every command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cnn.cli.options import say_run
from cnn.config import RunConfig
from cnn.errors import RunError
from cnn.overrides import config_from_dict
from cnn.runs.folder import RunFolder
from cnn.runs.marks import TrialMark, label_run, mark_trial
from cnn.runs.reference import find_run, list_seeds
from support.run_folders import CORPUS, drop_later_settings, make_result, write_run


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trainings of two nets, a trial that scored higher, a fold of an evaluation, and one that goes on."""
    monkeypatch.chdir(tmp_path)
    shelf = Path("runs")
    write_run(shelf, "aa11", make_result(20, 0.8))
    label_run(write_run(shelf, "aa22", make_result(21, 0.9), variant="raw+aug"), "first")
    write_run(shelf, "bb33", make_result(22, 0.7), variant="raw+aug", train__epochs=5)
    mark_trial(RunFolder(shelf / "cc44"), TrialMark(study="lenet5.raw", number=3))
    write_run(shelf, "cc44", make_result(26, 0.95))
    write_run(shelf, "dd55", make_result(24, 0.99), split__kind="loso", model__name="resnet")
    write_run(shelf, "ee66", model__name="resnet")
    return shelf


@pytest.mark.parametrize(
    ("reference", "digest"),
    [
        ("bb", "bb33"),
        ("aa22", "aa22"),
        ("runs/aa22", "aa22"),
        ("runs/bb", "bb33"),
        ("cc", "cc44"),
        ("first", "aa22"),
        ("runs/first", "aa22"),
        ("latest", "dd55"),
        ("best", "aa22"),
        ("runs/best", "aa22"),
        ("lenet5.raw", "aa11"),
        ("lenet5.raw+aug", "bb33"),
        ("resnet.raw", "dd55"),
    ],
)
def test_a_run_is_named_by_path_digest_name_or_what_it_is(runs: Path, reference: str, digest: str) -> None:
    assert find_run(reference, runs).digest == digest


def test_the_best_of_several_seeds_is_called_the_luckiest(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(runs, "ff77", make_result(27, 0.91), variant="raw+aug", train__seed=3)
    say_run("best", find_run("best", runs))
    say_run("aa22", find_run("aa22", runs))
    said = capsys.readouterr().err
    assert (
        said == "best is runs/ff77: lenet5.raw+aug, validation macro-F1 0.910; the luckiest of 2 seeds, whose mean is 0.905\n"
    )


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "aa",
            "'aa' names 2 runs: aa11 (lenet5.raw, finished), aa22 (first, lenet5.raw+aug, finished); "
            "write more of the digest of one",
        ),
        ("ff", "no run 'ff' in runs; `arena runs` lists them"),
        ("", "no run '' in runs; `arena runs` lists them"),
        ("frist", "no run 'frist' in runs; did you mean 'first'?"),
        ("Best", "no run 'Best' in runs; did you mean 'best'?"),
        ("resnet.rae", "no run 'resnet.rae' in runs; did you mean 'resnet.raw'?"),
        ("lenet5.bilateral", "no run 'lenet5.bilateral' in runs; did you mean 'lenet5.raw'?"),
        ("other/best", "no run 'other/best' in other, which holds none; `arena train` makes one"),
    ],
)
def test_none_or_several_are_refused_with_what_may_be_meant(runs: Path, reference: str, message: str) -> None:
    with pytest.raises(RunError) as caught:
        find_run(reference, runs)
    assert str(caught.value) == message


def test_a_name_and_a_path_or_the_beginning_of_a_digest_are_two_hits(runs: Path) -> None:
    label_run(RunFolder(runs / "aa11"), "bb")
    with pytest.raises(RunError, match=r"^'bb' names 2 runs: aa11 \(bb, lenet5.raw, finished\), bb33"):
        find_run("bb", runs)
    write_run(Path(), "first", make_result(1))
    with pytest.raises(RunError, match=r"^'first' names 2 runs"):
        find_run("first", runs)


def test_no_fold_of_an_evaluation_is_the_best_beside_a_training_on_the_official_split(tmp_path: Path) -> None:
    write_run(tmp_path, "bb33", make_result(1, 0.5), split__kind="official")
    for fold, digest in enumerate(("ff77", "ff78")):
        write_run(tmp_path, digest, make_result(25, 0.99), split__kind="folds", split__fold=fold, split__n_folds=3)
    assert find_run("best", tmp_path).digest == "bb33"


def test_of_several_corpora_the_best_is_that_of_the_tiles_prepared_last(runs: Path) -> None:
    write_run(runs, "ff77", make_result(25, 0.85), corpus="9" * 16)
    with pytest.raises(RunError) as caught:
        find_run("best", runs)
    assert str(caught.value) == (
        "'best' is a training of one corpus and split, and runs holds 2 such groups, with bb33 (corpus 0f3c5a1d, split "
        "speaker); ff77 (corpus 99999999, split speaker); name the run by its digest"
    )
    for n, corpus in enumerate((CORPUS, "9" * 16)):
        settings = Path("tiles", corpus, "settings.json")
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"corpus": corpus}))
        os.utime(settings, (n, n))
    assert find_run("best", runs).digest == "ff77"
    os.utime(Path("tiles", CORPUS, "settings.json"), (2, 2))
    assert find_run("best", runs).digest == "aa22"


def test_the_best_saw_tiles_of_todays_format(runs: Path) -> None:
    old = write_run(runs, "ff77", make_result(25, 0.99))
    old.write_config({**old.config(), "tiles": {"size": 64}})
    assert [find_run(word, runs).digest for word in ("best", "latest")] == ["aa22", "ff77"]


def test_in_a_project_the_best_is_that_of_its_split(runs: Path) -> None:
    Path("arena.toml").write_text('[settings]\nsplit.kind = "loso"\n')
    assert find_run("best", runs).digest == "dd55"


def test_a_damaged_run_hides_no_other(runs: Path) -> None:
    for name in ("result.json", "label.json", "trial.json"):
        (runs / "aa11" / name).write_text("{")
    assert find_run("best", runs).digest == "aa22"
    assert find_run("first", runs).digest == "aa22"
    assert find_run("aa11", runs).digest == "aa11"


def test_trainings_of_before_and_after_a_later_setting_differ_in_their_seed_alone(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, f"aa{seed}", make_result(20), train__seed=seed) for seed in range(2)]
    drop_later_settings(runs[0].path)
    assert [[line.digest for line in list_seeds(run)] for run in runs] == [["aa0", "aa1"]] * 2
    assert config_from_dict(runs[0].config()) == RunConfig(corpus=CORPUS)
