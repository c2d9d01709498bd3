"""Run folders without training anything: a configuration, and a result where there is one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from cnn.config import RunConfig, config_to_json
from cnn.overrides import apply_values
from cnn.runs.folder import RunFolder, RunResult, RunState, Score
from cnn.settings.augment import AugmentSettings
from cnn.settings.model import ModelSettings
from cnn.settings.train import TrainSettings

CORPUS = "0f3c5a1d2b4e6f70"


def write_run(runs: Path, name: str, result: RunResult | None = None, corpus: str = CORPUS, **values: Any) -> RunFolder:
    """Write a run folder; `values` are dotted keys with __ for the dot."""
    folder = RunFolder(runs / name)
    folder.path.mkdir(parents=True, exist_ok=True)
    keys = {key.replace("__", "."): value for key, value in values.items()}
    folder.write_config(config_to_json(apply_values(RunConfig(corpus=corpus), keys)))
    if result:
        folder.write_result(result)
    return folder


def make_result(day: int, val_macro_f1: float = 0.4321) -> RunResult:
    """Make the result of a training that finished on a day of November."""
    score = Score(n=2, loss=0.1, accuracy=0.5, macro_f1=val_macro_f1, confusion=[[1, 0], [1, 0]])
    scores = {"val": score, "test": score}
    finished_at = f"2026-11-{day:02}T08:00:00+00:00"
    return RunResult(state=RunState.FINISHED, n_epochs=12, scores=scores, finished_at=finished_at)


def drop_later_settings(run: Path) -> None:
    """Make the config.json of a run what it was before its later settings came."""
    content = json.loads((run / "config.json").read_text())
    content.pop("data", None)
    for name, section in (("augment", AugmentSettings), ("model", ModelSettings), ("train", TrainSettings)):
        for field in dataclasses.fields(section):
            if field.metadata.get("later"):
                content[name].pop(field.name, None)
    (run / "config.json").write_text(json.dumps(content))
