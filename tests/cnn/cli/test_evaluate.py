"""Output of `arena eval`: nothing wider than 80 columns, few speakers all, many as the worst of them and quantiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnn.cli.evaluate import print_evaluations, write_rows
from cnn.config import TilesInfo
from cnn.runs.evaluation import Evaluation, evaluate
from cnn.runs.folder import RunFolder
from cnn.runs.folds import Arm, EvaluationPlan, make_arms
from support.evaluations import CORPUS, write_evaluation

SIXTY = tuple(f"{n:02d}" for n in range(1, 61))


def evaluated(runs: Path, plan: EvaluationPlan, speakers: tuple[str, ...]) -> list[tuple[Arm, Evaluation]]:
    write_evaluation(runs, plan, speakers=speakers)
    arms = make_arms(plan, TilesInfo(corpus=CORPUS), len(speakers))
    folders = [[[RunFolder(runs / config.digest) for config in seeds] for seeds in arm.configs] for arm in arms]
    return [(arm, evaluate(by_fold, "test")) for arm, by_fold in zip(arms, folders, strict=True)]


def read_lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def starts(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines if line.split()]


def test_sixty_speakers_and_two_long_names_fit_80_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = EvaluationPlan(folds="becker", models=("lenet5", "efficientnet"), variants=("bilateral+aug",), n_seeds=3)
    arms = evaluated(tmp_path, plan, SIXTY)
    print_evaluations(plan, arms, every_speaker=False)
    lines = read_lines(capsys)
    assert max(map(len, lines)) <= 80
    assert any("01, 06, 11, 16, 21 and 7 more" in line for line in lines)
    first = lines[: lines.index("efficientnet on bilateral+aug: 5 folds (becker), 3 seeds, 2,400 test clips")]
    assert starts(first[first.index(next(line for line in first if line.startswith("speaker "))) + 2 :])[:5] == [
        score.speaker for score in arms[0][1].speakers[:5]
    ]
    words = " ".join(" ".join(first).split())
    results = sorted(score.macro_f1 for score in arms[0][1].speakers)
    assert f"half below {(results[29] + results[30]) / 2:.3f}, three quarters below" in words
    assert f"the best has {results[-1]:.3f}. The 5 worst stand above; --all-speakers lists all." in words


def test_every_speaker_is_listed_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = EvaluationPlan(folds="20")
    results = evaluated(tmp_path, plan, SIXTY)
    print_evaluations(plan, results, every_speaker=False)
    short = read_lines(capsys)
    print_evaluations(plan, results, every_speaker=True)
    long = read_lines(capsys)
    assert len(long) - len(short) == 60 - 5 + 20 - 5 - 3  # speakers, folds, and the three lines on the others
    assert set(starts(long)) >= set(SIXTY)


def test_few_speakers_are_all_listed_and_many_seeds_are_a_span(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    speakers = tuple(f"speaker_with_a_name_{n}" for n in range(6))
    plan = EvaluationPlan(folds="loso", n_seeds=5)
    results = evaluated(tmp_path, plan, speakers)
    print_evaluations(plan, results, every_speaker=False)
    lines = read_lines(capsys)
    assert max(map(len, lines)) <= 80
    assert [name for name in starts(lines) if name.startswith("speaker_")] == [run.speaker for run in results[0][1].speakers]
    worst = results[0][1].speakers[0]
    assert any(f"{min(worst.by_seed):.3f} to {max(worst.by_seed):.3f}" in line for line in lines)


def test_a_speaker_named_as_a_formula_is_set_apart_in_the_table(tmp_path: Path) -> None:
    plan = EvaluationPlan(folds="loso", models=("lenet5",), variants=("raw",), n_seeds=1)
    write_rows(tmp_path / "folds.csv", evaluated(tmp_path, plan, ("=1+1", "bob", "cleo")))
    lines = (tmp_path / "folds.csv").read_text().splitlines()
    assert lines[0] == "model,variant,on,fold,seed,speaker,n_clips,macro_f1,run"
    assert sorted(line.split(",")[5] for line in lines[1:]) == ["'=1+1", "bob", "cleo"]
