"""The files of a run folder: config.json, epochs.csv, result.json, predictions.csv, model.pt, checkpoint.pt.

Every file is replaced atomically. Standard library only, so that results are read without torch.
"""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from arena.base.locks import is_locked
from cnn.config import fill_config
from cnn.errors import RunError
from cnn.files import read_json, write_csv, write_json
from cnn.nets import NETS
from cnn.reconstruction.result import ReconstructionResult, parse_result

METRICS = ("train_loss", "train_accuracy", "train_macro_f1", "val_loss", "val_accuracy", "val_macro_f1")
PREDICTION_HEAD = ("id", "label")
PREDICTION_TAIL = ("truth", "speaker", "split")
PART_NAMES = {"train": "training", "val": "validation", "test": "test"}
EVERY_PART = tuple(PART_NAMES)
BLIND_PARTS = ("train", "val")  # scored in trials: a recipe chosen by test clips has no honest test score


class RunState(StrEnum):
    """States of a run."""

    UNFINISHED = "unfinished"  # training now, or killed: its checkpoint goes on
    FINISHED = "finished"
    PRUNED = "pruned"  # stopped early by a sweep; a result, though not of all epochs
    FAILED = "failed"

    @property
    def is_finished(self) -> bool:
        return self is not RunState.UNFINISHED


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochRow:
    """One line of epochs.csv. Train figures are means over the epoch's (augmented) batches, val is measured at its end.

    An autoencoder has losses alone; what it lacks is NaN here and empty in the file.
    """

    epoch: int  # from 1
    train_loss: float
    train_accuracy: float
    train_macro_f1: float
    val_loss: float
    val_accuracy: float
    val_macro_f1: float
    learning_rate: float  # at the epoch's last step
    seconds: float
    updates: int | None = None  # since the training began; None in files of old
    gradient_norm: float | None = None  # mean L2 norm over the epoch's updates

    def to_json(self) -> dict[str, float | None]:
        """Return the fields by name, None where the run has no such figure."""
        figures = dataclasses.asdict(self).items()
        return {name: None if value is None or math.isnan(value) else value for name, value in figures}


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Scores of the stored weights on one split, without augmentation."""

    n: int
    loss: float
    accuracy: float
    macro_f1: float  # over the labels that these clips have
    confusion: list[list[int]]  # (K, K) clips, row: truth, column: prediction
    absent: tuple[str, ...] = ()  # labels that no clip has


@dataclass(frozen=True, kw_only=True, slots=True)
class FitVerdict:
    """Over- or underfitting, as read from the curves, with its reason in one sentence."""

    state: str  # good, overfit, underfit or unsettled
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """result.json. Scores belong to model.pt: the best epoch by validation macro-F1, or the last if
    training speakers validate.
    """

    state: RunState
    labels: tuple[str, ...] = ()
    best_epoch: int = 0  # epoch of the stored weights
    n_epochs: int = 0  # epochs trained
    scores: dict[str, Score] = field(default_factory=dict)  # by split: train, val, test; of a trial without test
    reconstruction: ReconstructionResult | None = None  # an autoencoder's, which has no other scores
    speakers: dict[str, list[str]] = field(default_factory=dict)  # names by split; unknown ones left out
    verdict: FitVerdict | None = None
    n_parameters: int = 0
    n_multiply_adds: int = 0  # forward pass of one clip
    wall_s: float = 0.0  # summed over resumptions
    n_clips_per_s: float = 0.0  # training throughput, validation left out
    device: str = ""
    n_threads: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    started_at: str = ""  # UTC, ISO 8601
    finished_at: str = ""
    wandb_mode: str = "off"
    wandb_url: str = ""  # empty unless the run was mirrored online
    cause: str = ""  # one line, if it failed
    tail: tuple[str, ...] = ()  # last lines of its traceback

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that are scored."""
        return tuple(self.reconstruction.scores if self.reconstruction else self.scores)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """One line of predictions.csv."""

    id: str
    label: str  # predicted
    probabilities: tuple[float, ...]  # (K,) sums to 1
    truth: str
    speaker: str
    split: str  # val or test


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One `runs/<digest>/`."""

    path: Path

    @property
    def digest(self) -> str:
        return self.path.name

    def config(self) -> dict[str, Any]:
        """Read config.json, settings that came later filled in; `cnn.overrides.config_from_dict` makes a RunConfig of it."""
        return fill_config(read_json(self.path / "config.json"))

    def epochs(self) -> list[EpochRow]:
        """Read the finished epochs, in order; empty before the first."""
        path = self.path / "epochs.csv"
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return [_epoch(row) for row in csv.DictReader(file)]

    @property
    def trial_file(self) -> Path:
        return self.path / "trial.json"

    @property
    def is_trial(self) -> bool:
        """True of a sweep's trial until its recipe is chosen, by a training of the same configuration or another use.

        Raises:
            RunError: trial.json is damaged.
        """
        return self.trial_file.exists() and not read_json(self.trial_file).get("is_chosen", False)

    @property
    def is_autoencoder(self) -> bool:
        """True of a run whose net answers with a picture."""
        name = self.config()["model"]["name"]
        return name in NETS and not NETS[name].is_classifier

    @property
    def is_whole(self) -> bool:
        """True of a finished run with a test part that may be seen."""
        result = self.result()
        return result is not None and result.state is RunState.FINISHED and "test" in result.parts

    def result(self) -> RunResult | None:
        """Read result.json; None while the run is unfinished. A trial's test part, of older versions of Arena, is hidden."""
        result = self.stored_result()
        return drop_test(result) if result and self.is_trial else result

    def stored_result(self) -> RunResult | None:
        """Read result.json with all that it holds."""
        path = self.path / "result.json"
        return _result_from_json(read_json(path)) if path.exists() else None

    def state(self) -> RunState:
        result = self.stored_result()
        return result.state if result else RunState.UNFINISHED

    @property
    def lock_file(self) -> Path:
        return self.path / ".lock"

    def is_in_use(self) -> bool:
        """Return True if a process holds the folder: it trains, where the run is unfinished. False where none can tell."""
        return is_locked(self.lock_file)

    def predictions(self) -> list[Prediction]:
        """Read all rows of predictions.csv: validation first, then test, which is hidden where `result` hides it.

        Raises:
            RunError: the run has none (it is unfinished, pruned or failed).
        """
        is_trial = self.is_trial
        return [row for row in self.stored_predictions() if not (is_trial and row.split == "test")]

    def stored_predictions(self) -> list[Prediction]:
        """Read predictions.csv with all that it holds."""
        path = self.path / "predictions.csv"
        if not path.exists() and self.is_autoencoder:
            raise RunError(f"{self.path} is an autoencoder, whose answers are pictures; their errors: reconstructions.csv")
        if not path.exists():
            raise RunError(f"{path} does not exist: only a finished run has predictions; finish it with `arena train`")
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            labels = next(rows)[len(PREDICTION_HEAD) : -len(PREDICTION_TAIL)]
            return [_prediction(row, len(labels)) for row in rows]

    def write_config(self, content: dict[str, Any]) -> None:
        write_json(self.path / "config.json", content)

    def write_epochs(self, rows: Sequence[EpochRow]) -> None:
        names = [f.name for f in dataclasses.fields(EpochRow)]
        write_csv(self.path / "epochs.csv", names, (row.to_json().values() for row in rows))

    def write_predictions(self, labels: Sequence[str], rows: Sequence[Prediction]) -> None:
        header = [*PREDICTION_HEAD, *labels, *PREDICTION_TAIL]
        lines = ([p.id, p.label, *(f"{x:.9g}" for x in p.probabilities), p.truth, p.speaker, p.split] for p in rows)
        write_csv(self.path / "predictions.csv", header, lines)

    def write_result(self, result: RunResult) -> None:
        write_json(self.path / "result.json", dataclasses.asdict(result))

    def update_result(self, **values: Any) -> None:
        """Change fields of result.json."""
        result = self.stored_result()
        assert result is not None
        self.write_result(dataclasses.replace(result, **values))


def drop_test(result: RunResult) -> RunResult:
    """Return a result without its test part."""
    scores = {part: score for part, score in result.scores.items() if part != "test"}
    speakers = {part: result.speakers.get(part, []) for part in result.parts if part != "test"}
    reconstruction = result.reconstruction
    if reconstruction:
        scores_before = {part: score for part, score in reconstruction.scores.items() if part != "test"}
        reconstruction = dataclasses.replace(reconstruction, scores=scores_before)
    return dataclasses.replace(result, scores=scores, speakers=speakers, reconstruction=reconstruction)


def list_runs(runs_dir: Path) -> list[RunFolder]:
    """List all run folders below `runs_dir`, by name."""
    paths = sorted(runs_dir.iterdir()) if runs_dir.is_dir() else []
    return [RunFolder(path) for path in paths if (path / "config.json").exists()]


def _epoch(row: dict[str, str]) -> EpochRow:
    later = {"updates", "gradient_norm"}
    values: dict[str, Any] = {key: float(x) if x else None if key in later else math.nan for key, x in row.items()}
    counts = {key: int(values[key]) for key in ("epoch", "updates") if values.get(key) is not None}
    return EpochRow(**values | counts)


def _prediction(row: list[str], n_labels: int) -> Prediction:
    truth, speaker, split = row[-len(PREDICTION_TAIL) :]
    probabilities = tuple(float(text) for text in row[2 : 2 + n_labels])
    return Prediction(id=row[0], label=row[1], probabilities=probabilities, truth=truth, speaker=speaker, split=split)


def _result_from_json(content: dict[str, Any]) -> RunResult:
    names = {f.name for f in dataclasses.fields(RunResult)}
    fields = {key: value for key, value in content.items() if key in names}
    fields["state"] = RunState(fields["state"])
    scores = fields.get("scores", {})
    fields["scores"] = {split: _score_from_json(score, fields.get("labels", ())) for split, score in scores.items()}
    if fields.get("reconstruction"):
        fields["reconstruction"] = parse_result(fields["reconstruction"])
    fields["verdict"] = FitVerdict(**fields["verdict"]) if fields.get("verdict") else None
    for name in ("labels", "tail"):
        fields[name] = tuple(fields.get(name, ()))
    return RunResult(**fields)


def _score_from_json(content: dict[str, Any], labels: Sequence[str]) -> Score:
    if "absent" in content:
        return Score(**content | {"absent": tuple(content["absent"])})
    # Written when macro-F1 was the mean over all labels, of which absent ones counted 0.
    absent = tuple(label for label, row in zip(labels, content["confusion"], strict=False) if not any(row))
    n_present = len(labels) - len(absent)
    macro_f1 = content["macro_f1"] * len(labels) / n_present if absent and n_present else content["macro_f1"]
    return Score(**content | {"absent": absent, "macro_f1": macro_f1})
