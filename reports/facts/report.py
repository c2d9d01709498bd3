"""Every number of the page as plain frozen values; what is missing is None or named in a note, never left out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from arena.base.scores import Interval
from cnn.config import VARIANTS
from cnn.nets import PAIR
from cnn.runs.folder import EpochRow
from reports.facts.base import DifferenceFacts, Note
from reports.facts.clips import DoubtFacts, GroupingFacts, Media, MistakeFacts
from reports.facts.contest import ContestFacts
from reports.facts.evaluations import EvaluationGroup
from reports.facts.inspections import InspectionFacts
from reports.facts.sweeps import AgentFacts
from sweeps.results import StudyFacts


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
class RunFacts:
    """One training."""

    digest: str
    folder: str
    model: str
    variant: str
    seed: int
    config: dict[str, object]  # flat, dotted keys
    labels: tuple[str, ...]
    curve: tuple[EpochRow, ...]
    best_epoch: int
    n_epochs: int
    splits: dict[str, SplitFacts]  # train, val, test, as far as the run has them
    interval: Interval | None  # of the test macro-F1
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
    command: str = ""  # trains it again; empty where this version of Arena cannot

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
    """One arm of the two by four comparison; `run` is None where the training is missing."""

    model: str
    variant: str
    run: RunFacts | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectFacts:
    """A main effect (one factor), or an interaction (two or three): a contrast over all complete sets of trainings.

    The interaction of two factors is how much the effect of one changes when the other is added; of three, how much that does.
    """

    factors: tuple[str, ...]  # of filter, augmentation and model
    difference: DifferenceFacts


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
    sweeps: tuple[StudyFacts, ...] | None  # None: no folder of studies was given
    contest: ContestFacts | None
    notes: tuple[Note, ...]
    groupings: tuple[GroupingFacts, ...] = ()  # of the shown run's test clips: by speaker, age, gender, accent
    mistakes: tuple[MistakeFacts, ...] = ()  # of the shown run, the surest first
    doubts: tuple[DoubtFacts, ...] = ()  # labels that most trainings contradict
    has_tiles: bool = False  # of the shown run
    media: dict[str, Media] = field(default_factory=dict)  # pictures and sound, by clip
    inspections: tuple[InspectionFacts, ...] = ()  # what nets learned, of one training of a model
    agents: dict[str, tuple[AgentFacts, ...]] = field(default_factory=dict)  # by study
    lang: str = "en"

    @property
    def runs(self) -> tuple[RunFacts, ...]:
        return tuple(cell.run for cell in self.cells if cell.run)

    @property
    def hears_validation(self) -> bool:
        """Whether validation is of other clips of the training speakers: it chose no epoch and says nothing of a new voice."""
        return any(run.config.get("split.validation") == "takes" for run in self.runs)

    @property
    def main_run(self) -> RunFacts | None:
        """Return the run whose clips and confusions the page shows at length: the chosen one, or the first."""
        return self.run(self.chosen) or next(iter(self.runs), None)

    def run(self, digest: str) -> RunFacts | None:
        return next((run for run in self.runs if run.digest == digest), None)


ArmKey = tuple[str, str]  # model, variant


def order_arms(arms: Collection[ArmKey]) -> list[ArmKey]:
    """List the eight arms of the comparison, then those of `arms` with other models or variants, in a fixed order."""
    eight = [(model, variant) for model in PAIR for variant in VARIANTS]
    return eight + sorted(set(arms) - set(eight))
