"""A small world of evaluations for tests: the folds of `arena eval` as finished run folders, without training anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnn.config import RunConfig, TilesInfo, config_to_json
from cnn.runs.folder import Prediction, RunFolder, RunResult, RunState
from cnn.runs.folds import EvaluationPlan, make_arms
from support.report_facts import LABELS, make_curve

SIX = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
CORPUS = "0f3c5a1d2b4e6f70"


def fold_configs(plan: EvaluationPlan, n_speakers: int = len(SIX)) -> list[RunConfig]:
    """All trainings of `arena eval`, fold by fold."""
    arms = make_arms(plan, TilesInfo(corpus=CORPUS), n_speakers)
    return [config for arm in arms for seeds in arm.configs for config in seeds]


def write_fold(runs: Path, config: RunConfig, speakers: tuple[str, ...] = SIX, n_takes: int = 4) -> RunFolder:
    """One finished fold: its test speakers answered with a skill of the speaker, the model and the seed."""
    folder = RunFolder(runs / config.digest)
    folder.path.mkdir(parents=True)
    n_folds = config.split.n_folds or (5 if config.split.kind == "becker" else len(speakers))
    tested = list(speakers[config.split.fold :: n_folds])
    others = [name for name in speakers if name not in tested]
    takes_are_shared = config.split.validation == "takes"
    validating = list(speakers[(config.split.fold + 1) % n_folds :: n_folds])
    rows = [
        row
        for split, names in (("val", others[:1] if takes_are_shared else validating), ("test", tested))
        for name in names
        for row in _answers(config, name, speakers.index(name), split, n_takes)
    ]
    trained = others if takes_are_shared else [name for name in others if name not in validating]
    folder.write_config(config_to_json(config))
    folder.write_epochs(make_curve(12, 0.99, 0.9, config.train.seed))
    folder.write_predictions(LABELS, rows)
    folder.write_result(
        RunResult(
            state=RunState.FINISHED,
            labels=LABELS,
            best_epoch=12,
            n_epochs=12,
            speakers={"train": trained, "val": others[:1] if takes_are_shared else validating, "test": tested},
            finished_at=f"2026-11-21T09:{config.split.fold % 60:02d}:00+00:00",
        )
    )
    return folder


def _answers(config: RunConfig, name: str, number: int, split: str, n_takes: int) -> list[Prediction]:
    draw = np.random.default_rng([number, config.train.seed, len(config.model.name), len(config.variant), config.train.epochs])
    skill = 0.8 + 0.17 * np.sin(2.3 * number) ** 2 + (0.03 if config.model.name == "columns" else 0.0)
    rows = []
    for digit in range(10):
        for take in range(n_takes):
            label = digit if draw.random() < skill else int((digit + draw.integers(1, 10)) % 10)
            rows.append(
                Prediction(
                    id=f"{digit}_{name}_{take}.wav",
                    label=str(label),
                    probabilities=tuple(float(k == label) for k in range(10)),
                    truth=str(digit),
                    speaker=name,
                    split=split,
                )
            )
    return rows


def write_evaluation(runs: Path, plan: EvaluationPlan, *, without: int = 0, speakers: tuple[str, ...] = SIX) -> list[RunFolder]:
    """The folders of an evaluation, the last `without` trainings not begun."""
    configs = fold_configs(plan, len(speakers))
    return [write_fold(runs, config, speakers) for config in configs[: len(configs) - without]]
