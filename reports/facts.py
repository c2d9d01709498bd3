"""Every number of the page as plain frozen values; what is missing is None or named in a note, never left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reports.evaluation_facts import EvaluationGroup

VARIANTS = ("raw", "bilateral", "raw+aug", "bilateral+aug")
MODELS = ("lenet5", "resnet")


class NoteKind(StrEnum):
    """How loud a remark is."""

    ERROR = "error"  # a number of a run contradicts its own predictions, or something cannot be read
    MISSING = "missing"
    REMARK = "remark"


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """One thing that the reader has to know before trusting the page."""

    kind: NoteKind
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IntervalFacts:
    """A percentile bootstrap interval and what was resampled."""

    low: float
    high: float
    level: float
    n_replicates: int
    unit: str  # clips or speakers
    n_units: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DifferenceFacts:
    """A mean difference of test macro-F1 on the same resamples of the same test clips."""

    value: float
    interval: IntervalFacts
    parts: tuple[tuple[str, float], ...] = ()  # the differences it is the mean of, each with its name

    @property
    def is_clear(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.interval.low > 0 or self.interval.high < 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitFacts:
    """What a run reaches on one split; of val and test recomputed from predictions.csv, but for the loss."""

    n: int
    loss: float
    accuracy: float
    macro_f1: float
    f1: tuple[float, ...]  # (K,)
    confusion: tuple[tuple[int, ...], ...]  # (K, K) row truth, column prediction
    speakers: tuple[str, ...]  # of train as result.json has them


@dataclass(frozen=True, kw_only=True, slots=True)
class CurvePoint:
    """One epoch."""

    epoch: int
    train_loss: float
    val_loss: float
    train_macro_f1: float
    val_macro_f1: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts:
    """One training."""

    digest: str
    folder: str
    model: str
    variant: str
    seed: int
    config: dict[str, object]  # flat, dotted keys
    labels: tuple[str, ...]
    curve: tuple[CurvePoint, ...]
    best_epoch: int
    n_epochs: int
    splits: dict[str, SplitFacts]  # train, val, test, as far as the run has them
    interval: IntervalFacts | None  # of the test macro-F1
    behind_choice: DifferenceFacts | None  # the chosen run minus this one; None for the chosen run itself
    verdict: str
    reason: str
    wall_s: float
    n_clips_per_s: float
    n_parameters: int
    n_multiply_adds: int
    device: str
    n_threads: int
    versions: dict[str, str]
    started_at: str
    finished_at: str
    wandb_url: str

    @property
    def filter(self) -> str:
        return self.variant.removesuffix("+aug")

    @property
    def augmented(self) -> bool:
        return self.variant.endswith("+aug")

    @property
    def val(self) -> SplitFacts | None:
        return self.splits.get("val")

    @property
    def test(self) -> SplitFacts | None:
        return self.splits.get("test")

    @property
    def gap(self) -> float | None:
        """Train minus validation macro-F1 of the kept weights."""
        train, val = self.splits.get("train"), self.val
        return train.macro_f1 - val.macro_f1 if train and val else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One place of the two by four comparison; `run` is None where the training is missing."""

    model: str
    variant: str
    run: RunFacts | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectFacts:
    """The main effect of a factor: the mean over all complete pairs that differ in it alone."""

    factor: str  # filter, augmentation or model
    plus: str  # what is added, or the first of two: `bilateral filter`
    difference: DifferenceFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialPoint:
    """One trial of a study; `value` is of its best epoch, also where it was pruned."""

    number: int
    state: str  # finished, pruned, failed, running, interrupted or duplicate
    value: float | None
    params: dict[str, object]
    cause: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterSpan:
    """One swept parameter, with its importance where the study could tell one."""

    name: str
    is_log: bool
    is_categorical: bool
    importance: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepFacts:
    """One study."""

    name: str
    model: str
    variant: str
    metric: str
    maximize: bool
    method: str
    budget: int
    counts: dict[str, int]  # trials by state
    trials: tuple[TrialPoint, ...]  # by number
    parameters: tuple[ParameterSpan, ...]  # most important first
    best: TrialPoint | None
    best_run: str
    total_s: float
    n_agents: int
    command: str  # trains the best configuration

    @property
    def n_finished(self) -> int:
        return self.counts.get("finished", 0)

    @property
    def n_settled(self) -> int:
        """Finished and pruned trials: what the budget counts."""
        return self.n_finished + self.counts.get("pruned", 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptFacts:
    """One scored submission."""

    number: int
    macro_f1: float
    accuracy: float
    arrived_at: datetime
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingFacts:
    """One team's place; ties share a rank."""

    rank: int
    team: str
    macro_f1: float
    accuracy: float
    interval: IntervalFacts | None
    best: int  # number of the attempt that counts
    attempts: tuple[AttemptFacts, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ContestFacts:
    """The contest as its standings are now."""

    name: str
    deadline: datetime | None
    standings: tuple[StandingFacts, ...]
    n_waiting: int  # teams without an attempt


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingRow:
    """One configuration key over the shown trainings, in their order."""

    key: str
    values: tuple[object, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFacts:
    """All that the page says."""

    title: str
    cells: tuple[Cell, ...]
    chosen: str  # digest of the run with the best validation macro-F1; empty without runs
    is_one_fold: bool  # the runs are one fold of an evaluation: no others were found
    runner_up: str  # second by validation
    effects: tuple[EffectFacts, ...]
    same_settings: tuple[SettingRow, ...]  # one value each
    differing_settings: tuple[SettingRow, ...]  # one value per run
    evaluations: tuple[EvaluationGroup, ...]
    sweeps: tuple[SweepFacts, ...] | None  # None: no folder of studies was given
    contest: ContestFacts | None
    notes: tuple[Note, ...]

    @property
    def runs(self) -> tuple[RunFacts, ...]:
        return tuple(cell.run for cell in self.cells if cell.run)

    @property
    def hears_validation(self) -> bool:
        """Whether validation is of other clips of the training speakers: it chose no epoch and says nothing of a new voice."""
        return any(run.config.get("split.validation") == "takes" for run in self.runs)

    @property
    def shown(self) -> RunFacts | None:
        """Whose clips and confusions the page shows at length: the chosen run, or the first."""
        return self.run(self.chosen) or next(iter(self.runs), None)

    def run(self, digest: str) -> RunFacts | None:
        return next((run for run in self.runs if run.digest == digest), None)
