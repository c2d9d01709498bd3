"""Values of the whole page as plain frozen dataclasses; missing ones are None or named in a note, never left out."""

from __future__ import annotations

from dataclasses import dataclass, field

from arena.base.scores import Interval
from cnn.runs import DataKind
from cnn.runs.folder import EpochRow
from cnn.runs.verdict import Diagnosis
from reports.facts.autoencoders import AutoencoderFacts
from reports.facts.base import DifferenceFacts, Note
from reports.facts.clips import DoubtFacts, GroupingFacts, Media, MistakeFacts
from reports.facts.contest import ContestFacts
from reports.facts.evaluations import EvaluationGroup
from reports.facts.inspections import InspectionFacts
from reports.facts.learning import LearningFacts
from reports.facts.models import order_nets
from reports.facts.starts import StartFacts
from reports.facts.sweeps import AgentFacts
from sweeps.results import StudyFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitFacts:
    """Scores of a run on one split; except for the loss, those of val and test are recomputed from predictions.csv."""

    n: int
    loss: float
    accuracy: float
    macro_f1: float
    f1: tuple[float, ...]  # (K,)
    confusion: tuple[tuple[int, ...], ...]  # (K, K) row truth, column prediction
    speakers: tuple[str, ...]  # for train, those in result.json


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts:
    """One training."""

    digest: str
    folder: str
    model: str  # its label: a class name, for a net of one's own
    variant: str
    seed: int
    config: dict[str, object]  # flat, dotted keys
    labels: tuple[str, ...]
    curve: tuple[EpochRow, ...]
    best_epoch: int
    n_epochs: int
    splits: dict[str, SplitFacts]  # train, val, test, as far as the run has them
    interval: Interval | None  # interval of the test macro-F1
    behind_choice: DifferenceFacts | None  # the chosen run minus this one; None for the chosen run itself
    verdict: str  # state of the diagnosis; empty without one
    diagnosis: Diagnosis | None
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
    is_trial: bool = False  # a sweep's, which sees no test clip

    @property
    def kind(self) -> DataKind:
        return DataKind(str(self.config.get("data.kind", DataKind.SOUND)))

    @property
    def corpora(self) -> tuple[str, ...]:
        """The names of the corpora, with which those of their speakers begin; empty where there is one corpus."""
        names = self.config.get("data.corpora", ())
        return tuple(map(str, names)) if isinstance(names, list | tuple) else ()

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
        """Return train minus validation macro-F1 of the stored weights."""
        train, val = self.splits.get("train"), self.val
        return train.macro_f1 - val.macro_f1 if train and val else None


@dataclass(frozen=True, kw_only=True, slots=True)
class GridCell:
    """One cell of the comparison, models by variants; `run` is None where the training is missing."""

    model: str
    variant: str
    run: RunFacts | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectFacts:
    """A main effect (one factor), or an interaction (two or three): a contrast over all complete sets of trainings.

    The interaction of two factors is the change of one's effect when the other is added; the third changes that in turn.
    """

    factors: tuple[str, ...]  # a subset of filter, augmentation and model
    difference: DifferenceFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingRow:
    """One configuration key over the shown trainings, in their order."""

    key: str
    values: tuple[object, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFacts:
    """All values of the page."""

    title: str
    models: tuple[str, ...]  # labels of Model A and Model B; Model A alone where a single net of one's own was trained
    cells: tuple[GridCell, ...]
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
    groupings: tuple[GroupingFacts, ...] = ()  # the main run's test clips by corpus, speaker, age, gender, accent
    mistakes: tuple[MistakeFacts, ...] = ()  # the main run's, the surest first
    doubts: tuple[DoubtFacts, ...] = ()  # labels that most trainings contradict
    has_tiles: bool = False  # the main run's tiles can be read
    media: dict[str, Media] = field(default_factory=dict)  # pictures and sound, by clip
    sources: tuple[dict[str, str], ...] = ()  # citation and licence of the recordings, as far as they are known
    inspections: tuple[InspectionFacts, ...] = ()  # one training of each model
    autoencoders: tuple[AutoencoderFacts, ...] = ()
    learning: tuple[LearningFacts, ...] = ()  # where trainings differ in optimiser, batch size or normalisation
    agents: dict[str, tuple[AgentFacts, ...]] = field(default_factory=dict)  # by study
    lang: str = "en"
    kind: DataKind = DataKind.SOUND  # the same for all trainings
    starts: tuple[StartFacts, ...] = ()  # fine tuning
    refresh_s: int = 0  # until a browser reads a page that is not final again

    @property
    def runs(self) -> tuple[RunFacts, ...]:
        return tuple(cell.run for cell in self.cells if cell.run)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels of the trainings; none where there is no training."""
        return next((run.labels for run in self.runs), ())

    @property
    def nets(self) -> tuple[str, ...]:
        """Return the labels of all nets on the page: Model A, Model B, then the others."""
        evaluated = [evaluation.model for group in self.evaluations for evaluation in group.evaluations]
        swept = [sweep.model for sweep in self.sweeps or ()]
        return order_nets(self.models, [*(cell.model for cell in self.cells), *evaluated, *swept])

    @property
    def rows(self) -> tuple[tuple[GridCell, ...], ...]:
        """Return the cells of each model, in the order of the models."""
        models = dict.fromkeys(cell.model for cell in self.cells)
        return tuple(tuple(cell for cell in self.cells if cell.model == model) for model in models)

    @property
    def validates_on_known_speakers(self) -> bool:
        """Return whether training speakers also say the validation clips, which then choose no epoch and test no new voice."""
        return any(run.config.get("split.validation") == "takes" for run in self.runs)

    @property
    def main_run(self) -> RunFacts | None:
        """Return the run whose clips and confusions the page shows at length: the chosen run, or the first."""
        return self.run(self.chosen) or next(iter(self.runs), None)

    def run(self, digest: str) -> RunFacts | None:
        return next((run for run in self.runs if run.digest == digest), None)
